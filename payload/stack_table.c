/* payload/stack_table.c - every section and key that a stack.ini may have
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>
#include <string.h>

#include "payload/stack_private.h"

/* slipway-stack(5) is made from these rows. */
/* clang-format off */
static const StackRow stack_rows[] = {
	{ "schema",   &stack_type_schema,  0,                         true,
	  "1." },
	{ "name",     &stack_type_name,    offsetof(Stack, name),     true,
	  "2 to 32 of a-z, 0-9 and -, a letter first." },
	{ "title",    &stack_type_text,    offsetof(Stack, title),    true,
	  "What people call it." },
	{ "version",  &stack_type_version, offsetof(Stack, version),  true,
	  "Version of this definition, such as 1.2.3 or 1.2.3-rc1." },
	{ "summary",  &stack_type_text,    offsetof(Stack, summary),  true,
	  "What it is good for, one phrase." },
	{ "homepage", &stack_type_url,     offsetof(Stack, homepage), false,
	  "An https URL." },
	{ "license",  &stack_type_text,    offsetof(Stack, license),  false,
	  "Of the software that is installed." },
	{ "prefix",   &stack_type_prefix,  offsetof(Stack, prefix),   true,
	  "Where it is installed by default: a path that starts with / or ~/ and has no .. in it." },
};

static const StackRow source_rows[] = {
	{ "url",      &stack_type_source,   offsetof(Stack, source_url),      true,
	  "An https or file URL." },
	{ "revision", &stack_type_revision, offsetof(Stack, source_revision), true,
	  "Full commit id, 40 hexadecimal digits in lower case." },
};

#define NEEDS_ROWS(at)                                                                             \
	{ "memory",             &stack_type_size,    at(memory_bytes),             false,          \
	  "Size; with less, the check fails." },                                                   \
	{ "memory-recommended", &stack_type_size,    at(memory_recommended_bytes), false,          \
	  "Size; with less, the check warns." },                                                   \
	{ "disk",               &stack_type_size,    at(disk_bytes),               false,          \
	  "Size; free where the stack is installed." },                                            \
	{ "engine-disk",        &stack_type_size,    at(engine_disk_bytes),        false,          \
	  "Size; free where the Docker engine keeps its images." },                                \
	{ "cpus",               &stack_type_count,   at(cpus),                     false,          \
	  "Number of processors, 1 to 4096." },                                                    \
	{ "engine",             &stack_type_minimum, at(engine),                   false,          \
	  "Lowest version of the Docker engine; without it, no engine is needed." },               \
	{ "compose",            &stack_type_minimum, at(compose),                  false,          \
	  "Lowest version of the compose plugin." },                                               \
	{ "architectures",      &stack_type_words,   at(architectures),            false,          \
	  "List, such as x86_64 aarch64; without it, any." }
#define IN_NEEDS(field) offsetof(StackNeeds, field)
#define IN_PROFILE_NEEDS(field) offsetof(StackProfileNeeds, needs.field)

static const StackRow needs_rows[] = { NEEDS_ROWS(IN_NEEDS) };
static const StackRow profile_needs_rows[] = { NEEDS_ROWS(IN_PROFILE_NEEDS) };

static const StackRow profile_rows[] = {
	{ "title",   &stack_type_text, offsetof(StackProfile, title),      true,
	  "What it gives, one phrase." },
	{ "default", &stack_type_flag, offsetof(StackProfile, is_default), false,
	  "Flag." },
	{ "preview", &stack_type_flag, offsetof(StackProfile, is_preview), false,
	  "Flag: its files can be unpacked, it cannot be installed yet." },
};

static const StackRow tool_rows[] = {
	{ "minimum",  &stack_type_minimum,  offsetof(StackTool, minimum),  false,
	  "Lowest version." },
	{ "profiles", &stack_type_profiles, offsetof(StackTool, profiles), false,
	  "List." },
};

static const StackRow key_rows[] = {
	{ "kind",     &stack_type_key_kind, offsetof(StackKey, kind),       true,
	  "optional, required, or generated: made at random when the stack is installed." },
	{ "title",    &stack_type_text,     offsetof(StackKey, title),      true,
	  "Whose it is." },
	{ "url",      &stack_type_url,      offsetof(StackKey, url),        false,
	  "Where to get one, an https URL." },
	{ "variable", &stack_type_variable, offsetof(StackKey, variable),   false,
	  "What the programs of the stack read it from; without it, NAME." },
	{ "file-variable", &stack_type_variable, offsetof(StackKey, file_variable), false,
	  "The variable that names a file with the key to the services, such as POSTGRES_PASSWORD_FILE." },
	{ "services", &stack_type_services, offsetof(StackKey, services),   false,
	  "List of the services of a compose project that get it, each as the file /run/secrets/NAME." },
	{ "one-of",   &stack_type_name,     offsetof(StackKey, one_of),     false,
	  "A word: of the optional keys that have the same one, one at least has to be there." },
	{ "size",     &stack_type_random,   offsetof(StackKey, size_bytes), false,
	  "Random bytes in a generated key, 16 to 1024; without it, 32. It has twice as many characters." },
	{ "profiles", &stack_type_profiles, offsetof(StackKey, profiles),   false,
	  "List." },
};

static const StackRow port_rows[] = {
	{ "number",   &stack_type_port,     offsetof(StackPort, number),   true,
	  "1 to 65535." },
	{ "variable", &stack_type_variable, offsetof(StackPort, variable), true,
	  "The environment variable that moves it." },
	{ "service",  &stack_type_service,  offsetof(StackPort, service),  false,
	  "The service behind it." },
	{ "profiles", &stack_type_profiles, offsetof(StackPort, profiles), false,
	  "List." },
};

static const StackRow service_rows[] = {
	{ "role",        &stack_type_text,     offsetof(StackService, role),           true,
	  "What it does, one line." },
	{ "health",      &stack_type_health,   offsetof(StackService, health),         false,
	  "URL (http, https or tcp) that answers when it is well; ports as ${VARIABLE}." },
	{ "entry-point", &stack_type_command,  offsetof(StackService, entry_point),    false,
	  "The program that the image starts, and its arguments, for one that cannot read keys from files: a shim puts the keys of the service that have no file-variable into its environment. The compose file then says its command, too." },
	{ "placeholder", &stack_type_flag,     offsetof(StackService, is_placeholder), false,
	  "Flag: upstream has no code for it, and what runs here only says so." },
	{ "profiles",    &stack_type_profiles, offsetof(StackService, profiles),       false,
	  "List." },
};

static const StackRow step_rows[] = {
	{ "irreversible", &stack_type_note, 0,                             false,
	  "A phrase for people: what it does that nothing takes back. Unattended, it then needs --accept=irreversible." },
	{ "kind",     &stack_type_text,     offsetof(StackStep, kind),     true,
	  "What sort of step; the keys of each kind are below." },
	{ "title",    &stack_type_note,     0,                             false,
	  "What it does, for people; @revision@ is the start of the step's revision; without it, kind and path." },
	{ "after",    &stack_type_steps,    offsetof(StackStep, after),    false,
	  "List of steps that are done before." },
	{ "profiles", &stack_type_profiles, offsetof(StackStep, profiles), false,
	  "List." },
};

/* Sections that are only kept: the values are read into this and dropped. */
typedef struct {
	char *name;
	char *title;
	guint64 size_bytes;
	char **profiles;
	char *rule, *reason;
	char **on;
} Kept;

static const StackRow model_rows[] = {
	{ "title",    &stack_type_text,     offsetof(Kept, title),      false,
	  "What it is good for." },
	{ "size",     &stack_type_size,     offsetof(Kept, size_bytes), false,
	  "Size of the download." },
	{ "profiles", &stack_type_profiles, offsetof(Kept, profiles),   false,
	  "List." },
};

static const StackRow test_rows[] = {
	{ "title",    &stack_type_text,     offsetof(Kept, title),    false,
	  "What is tried." },
	{ "profiles", &stack_type_profiles, offsetof(Kept, profiles), false,
	  "List." },
};

static const StackRow exception_rows[] = {
	{ "rule",   &stack_type_text,  offsetof(Kept, rule),   true,
	  "Its name, as \"slipway stack lint\" shows it." },
	{ "on",     &stack_type_words, offsetof(Kept, on),     false,
	  "List of the services, keys or profiles that it is about; without it, all." },
	{ "reason", &stack_type_text,  offsetof(Kept, reason), true,
	  "Why it has to be so, one phrase." },
};

static const StackRow deploy_rows[] = {
	{ "profiles",  &stack_type_profiles, offsetof(StackDeploy, profiles),     true,
	  "List of the profiles that have the colours." },
	{ "service",   &stack_type_text,     offsetof(StackDeploy, service),      true,
	  "NAME; the colours are the services NAME-blue and NAME-green, each in a profile of compose's own, blue and green." },
	{ "images",    &stack_type_words,    offsetof(StackDeploy, images),       true,
	  "Two variables that the compose files take the images of blue and green from." },
	{ "ids",       &stack_type_words,    offsetof(StackDeploy, ids),          true,
	  "Two variables that get the id of the deployment, for the version that a colour shows." },
	{ "variables", &stack_type_text,     offsetof(StackDeploy, variables),    true,
	  "The file with those variables and COMPOSE_PROFILES, which compose gets as a second env file. A step of kind file with mutable = yes writes the first one." },
	{ "proxy",     &stack_type_service,  offsetof(StackDeploy, proxy),        true,
	  "The service of HAProxy in front of the colours." },
	{ "backend",   &stack_type_text,     offsetof(StackDeploy, backend),      true,
	  "HAProxy's backend; its servers are called blue and green." },
	{ "servers",   &stack_type_text,     offsetof(StackDeploy, servers),      true,
	  "The file of HAProxy's with the lines \"server blue ... weight N\" and \"server green ... weight N\"; the weights are changed in it, so that a proxy that starts again has them." },
	{ "admin",     &stack_type_text,     offsetof(StackDeploy, admin),        true,
	  "The [port] of HAProxy's Runtime API, on loopback." },
	{ "port",      &stack_type_port,     offsetof(StackDeploy, port),         true,
	  "Where a colour listens, inside its container." },
	{ "ready",     &stack_type_text,     offsetof(StackDeploy, ready),        true,
	  "Path that answers with 200 when a colour can work." },
	{ "version",   &stack_type_text,     offsetof(StackDeploy, version),      true,
	  "Path whose answer has the id of the deployment in it." },
	{ "get",       &stack_type_text,     offsetof(StackDeploy, get),          false,
	  "Command inside of the colour's container that prints what the URL behind it answers, and fails unless that is 200; without it, ready and version are not asked." },
	{ "test",      &stack_type_text,     offsetof(StackDeploy, test),         false,
	  "Command inside of the colour's container that has to end with 0." },
	{ "backup",    &stack_type_words,    offsetof(StackDeploy, backup),       false,
	  "List of the volumes that are kept before, as the compose files call them." },
	{ "memory",    &stack_type_size,     offsetof(StackDeploy, memory_bytes), false,
	  "Size; with less available, there is a warning." },
	{ "disk",      &stack_type_size,     offsetof(StackDeploy, disk_bytes),   false,
	  "Size; with less free where the engine keeps its images, nothing is deployed." },
};

#define ROWS(array) .rows = (array), .row_count = G_N_ELEMENTS(array)
#define NAMED(type, array)                                                                         \
	.form = STACK_NAMED, .struct_size = sizeof(type), .offset = offsetof(Stack, array)
#define KEPT .form = STACK_KEPT, .struct_size = sizeof(Kept)
#define NAME_RULE                                                                                  \
	.name_is_good = stack_name_is_good,                                                        \
	.name_rule = "a letter or digit, then A-Z, a-z, 0-9, \".\", \"_\", \"-\", 64 bytes at most"

const StackSection stack_section_table[] = {
	{ "stack", ROWS(stack_rows),
	  .about = "Who the stack is. Required." },
	{ "source", ROWS(source_rows),
	  .about = "The repository that steps of kind source check out." },
	{ "needs", ROWS(needs_rows), .offset = offsetof(Stack, needs),
	  .about = "What the machine must have. A profile's section replaces single keys of the general one." },
	{ "needs", ROWS(profile_needs_rows), NAMED(StackProfileNeeds, profile_needs),
	  .argument = "PROFILE" },
	{ "profile", ROWS(profile_rows), NAMED(StackProfile, profiles), NAME_RULE,
	  .argument = "NAME",
	  .about = "A way to install the stack. When there are profiles, one of them is the default." },
	{ "tool", ROWS(tool_rows), NAMED(StackTool, tools),
	  .argument = "NAME",
	  .about = "A program that has to be there; it is installed when it is missing. NAME stands in slipway's tool catalogue." },
	{ "key", ROWS(key_rows), NAMED(StackKey, keys),
	  .argument = "NAME",
	  .about = "A secret. NAME is an environment variable; its value is never part of a definition.",
	  .name_is_good = stack_variable_is_good,
	  .name_rule = "the name of an environment variable, 64 bytes at most" },
	{ "port", ROWS(port_rows), NAMED(StackPort, ports), NAME_RULE,
	  .argument = "NAME",
	  .about = "A port that the stack listens on. Two ports of one profile have different numbers and variables." },
	{ "service", ROWS(service_rows), NAMED(StackService, services), NAME_RULE,
	  .argument = "NAME",
	  .about = "A service that runs when the stack is up." },
	{ "step", ROWS(step_rows), NAMED(StackStep, steps), NAME_RULE, .is_open = true,
	  .argument = "NAME",
	  .about = "A step of the installation." },
	{ "model", ROWS(model_rows), KEPT, .is_open = true,
	  .argument = "NAME",
	  .about = "A model that the stack can use.",
	  .about_rest = "Further keys are kept and shown." },
	{ "test", ROWS(test_rows), KEPT, .is_open = true,
	  .argument = "NAME",
	  .about = "A proof that the installed stack works.",
	  .about_rest = "Further keys: run, the command and its arguments, without a shell, with service inside of that service's container; or url, which has to answer with 200 and may have the ports' ${VARIABLE}s in it; expect, a text that has to be in the answer; needs, the steps without which it is left out; timeout, in seconds." },
	{ "deploy", ROWS(deploy_rows), .offset = offsetof(Stack, deploy),
	  .about = "A service that \"slipway deploy\" replaces without a pause: there are two of it, blue and green, one of which has the traffic." },
	{ "exception", ROWS(exception_rows), KEPT, NAME_RULE,
	  .argument = "NAME",
	  .about = "A rule of \"slipway stack lint\" that the definition breaks, and why. An exception that lets nothing pass is a finding itself." },
};
/* clang-format on */

const gsize stack_section_count = G_N_ELEMENTS(stack_section_table);

const StackRow *stack_section_row(const StackSection *section, const char *key)
{
	for (gsize i = 0; i < section->row_count; i++)
		if (strcmp(section->rows[i].name, key) == 0)
			return &section->rows[i];

	return NULL;
}
