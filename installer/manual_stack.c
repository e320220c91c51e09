/* installer/manual_stack.c - slipway-stack(5): prose from a file, sections and keys from the tables
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/manual_stack.h"

#include <string.h>

#include "base/embed.h"
#include "installer/manual_private.h"
#include "installer/step.h"
#include "payload/stack_format.h"

EMBED_FILE(slipway_manual_stack, "packaging/slipway-stack.5.in");

/* clang-format off */
const ManualKind manual_kind_table[] = {
	{ "packages", NULL,
	  "Installs what is missing of the tools that the stack names, in one run of the package "
	  "manager. A plan has it by itself." },
	{ "repository", NULL,
	  "Adds a vendor's own package repository, where the distribution has no package that is new "
	  "enough. A plan has it by itself." },
	{ "link", NULL, "Makes a symbolic link: slipway's own, for \"check --fix\"." },
	{ "sysctl", NULL, "Sets a setting of the kernel, now and for good: slipway's own, for \"check --fix\"." },
	{ "group", NULL, "Makes a user a member of a group: slipway's own, for \"check --fix\"." },
	{ "desktop", NULL, "Changes settings of Docker Desktop: slipway's own, for \"check --fix\"." },
	{ "block", NULL, "Puts a fenced block into a file of a person's: slipway's own, for --add-to-path." },
	{ "source", NULL, "Checks out a git repository, without its history." },
	{ "source", "path", "The working tree." },
	{ "source", "url", "Of the repository; without it, that of section [source]." },
	{ "source", "revision", "Full commit id; without it, that of section [source]." },
	{ "source", "edits",
	  "Files of the stack with anchored edits, which are made in the tree. An edit whose anchor "
	  "does not stand there exactly once is an error." },
	{ "directory", NULL, "Makes a directory." },
	{ "directory", "path", "Where." },
	{ "directory", "mode", "Octal." },
	{ "file", NULL,
	  "Writes a file. What a person edited, or what was there before, is kept; a newer definition "
	  "is then written beside it." },
	{ "file", "path", "Where." },
	{ "file", "from", "The file of the stack that it is made from." },
	{ "file", "mode", "Octal." },
	{ "file", "template", "Flag: words between two @ are replaced." },
	{ "file", "mutable", "Flag: it is written once, and changed later by slipway itself, as \"slipway deploy\" does; uninstall removes it, whatever is in it." },
	{ "wrapper", NULL,
	  "As file, for a command: what is there and is somebody else's is an error." },
	{ "wrapper", "path", "Where." },
	{ "wrapper", "from", "The file of the stack that it is made from." },
	{ "wrapper", "mode", "Octal." },
	{ "wrapper", "template", "Flag: words between two @ are replaced." },
	{ "wrapper", "mutable", "As for file." },
	{ "python", NULL, "Makes a Python environment with pinned packages." },
	{ "python", "path", "The environment." },
	{ "python", "requirements",
	  "A file of the stack with requirements, each with its version and digests." },
	{ "python", "python", "Lowest version of Python." },
	{ "python", "shims", "Modules of the stack that are put into the environment." },
	{ "key", NULL, "Makes a key at random and keeps it in the keystore, unless there is one." },
	{ "key", "name", "Of the key." },
	{ "key", "bytes",
	  "Random bytes; the key has twice as many characters. Without it, the size of [key NAME]." },
	{ "archive", NULL, "Downloads an archive, checks its digest and unpacks it." },
	{ "archive", "url", "Of the archive." },
	{ "archive", "sha256", "Its SHA-256, 64 hexadecimal digits in lower case." },
	{ "archive", "sums", "URL of a list of digests that names it; in place of sha256." },
	{ "archive", "path", "The directory that it is unpacked into." },
	{ "archive", "program", "With a program of this name on the machine, nothing is done." },
	{ "archive", "max", "Most bytes of the download." },
	{ "archive", "strip", "Leading directories that are left out of the names in it, up to 16." },
	{ "compose", NULL, "Starts a compose project and waits until its services are well. The keys of its services "
	  "are handed over to them: see [key NAME]." },
	{ "compose", "project", "Its name." },
	{ "compose", "directory", "Where it runs." },
	{ "compose", "files", "Its compose files, in that directory." },
	{ "compose", "env_file", "A file with variables, in that directory." },
	{ "compose", "wait_s", "Seconds that are waited for the services." },
	{ "unit", NULL,
	  "Makes a unit of systemd, root's or the user's own, that runs a command of slipway whenever "
	  "the machine starts, before the engine; where systemd does not run, it says what is to be "
	  "run by hand." },
	{ "unit", "name", "Of the unit, without .service." },
	{ "unit", "run", "The command and its arguments, without slipway itself." },
	{ "ollama", NULL,
	  "Installs Ollama and starts it as a service. One that is there already is used and left alone; "
	  "on machines without a graphics card the package manager's is taken where it has one, else the "
	  "release. It has to answer, with its version; an older one comes back if it does not." },
	{ "ollama", "version", "Of the release." },
	{ "ollama", "release", "URL of the releases; v, the version and the name of a file follow it." },
	{ "ollama", "path", "The directory that it is unpacked into." },
	{ "ollama", "minimum", "Lowest version of one that is there already." },
	{ "ollama", "host",
	  "Where it listens, on this machine: host and port; without it, 127.0.0.1:11434." },
	{ "ollama", "own", "Flag: it is installed even where there is one already; it wants a host of its own then." },
	{ "ollama", "digests",
	  "NAME=SHA256 of files of the release; without it, those of its sha256sum.txt." },
	{ "ollama", "wait_s", "Seconds that are waited for its answer." },
	{ "model", NULL,
	  "Pulls a model into Ollama, unless it has it. What does not fit the disk or the memory, and what "
	  "cannot be had, is put off until slipway resume." },
	{ "model", "name", "As Ollama names it." },
	{ "model", "host", "Where Ollama is; without it, as OLLAMA_HOST says." },
	{ "model", "registry", "URL of the registry that is asked for the model's size." },
};
/* clang-format on */
const gsize manual_kind_count = G_N_ELEMENTS(manual_kind_table);

static void add_key(GString *page, const char *name, const char *about, bool is_required)
{
	g_string_append_printf(page, ".It Cm %s\n", name);
	mdoc_text(page, about);
	if (is_required)
		g_string_append(page, "Required.\n");
}

static void add_section(GString *page, const json_t *section)
{
	g_auto(GStrv) forms = json_to_strv(json_object_get(section, "forms"));
	g_autofree char *heading = g_strjoinv(", ", forms);
	gsize i = 0;
	json_t *key = NULL;

	g_string_append_printf(page, ".Ss %s\\&\n", heading);
	mdoc_text(page, json_text_or(section, "about", ""));
	g_string_append(page, ".Bl -tag -width Ds\n");
	json_array_foreach(json_object_get(section, "keys"), i, key)
		add_key(page, json_text_or(key, "name", ""), json_text_or(key, "about", ""),
	                json_flag(key, "required"));
	g_string_append(page, ".El\n");
	if (json_text(section, "rest")) {
		g_string_append(page, ".Pp\n");
		mdoc_text(page, json_text(section, "rest"));
	}
}

static void add_sections(GString *page)
{
	g_autoptr(json_t) sections = stack_format();
	gsize i = 0;
	json_t *section = NULL;

	json_array_foreach(sections, i, section) add_section(page, section);
}

static const char *about_kind(const char *kind, const char *key)
{
	for (gsize i = 0; i < manual_kind_count; i++)
		if (g_str_equal(manual_kind_table[i].kind, kind) &&
		    g_strcmp0(manual_kind_table[i].key, key) == 0)
			return manual_kind_table[i].about;

	return "";
}

/* A kind whose url is required takes that of the stack where it has none of its own: see [source]. */
static bool is_key_required(const StepKind *kind, const char *rule)
{
	return *rule == '!' && !(kind == &step_kind_source && !g_str_equal(rule, "!path"));
}

static void add_kind(GString *page, const StepKind *kind)
{
	g_string_append_printf(page, ".Ss kind = %s\n", kind->name);
	mdoc_text(page, about_kind(kind->name, NULL));
	if (!*kind->keys)
		return;

	g_string_append(page, ".Bl -tag -width Ds\n");
	for (const char *const *rule = kind->keys; *rule; rule++) {
		const char *name = *rule + strspn(*rule, "!@*");
		add_key(page, name, about_kind(kind->name, name), is_key_required(kind, *rule));
	}
	g_string_append(page, ".El\n");
}

static void add_kinds(GString *page)
{
	for (gsize i = 0; i < step_kind_count; i++)
		add_kind(page, step_kind_table[i]);
}

void manual_make_stack(GString *page)
{
	g_autoptr(GBytes) prose = EMBED_BYTES(slipway_manual_stack);
	g_auto(GStrv) lines = g_strsplit(g_bytes_get_data(prose, NULL), "\n", -1);

	for (char **line = lines; *line; line++)
		if (g_str_equal(*line, ".\\\" @sections@"))
			add_sections(page);
		else if (g_str_equal(*line, ".\\\" @kinds@"))
			add_kinds(page);
		else if (**line)
			g_string_append_printf(page, "%s\n", *line);
}
