/* installer/stack_lint_compose.c - rules about a compose project as a whole
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/file.h"
#include "installer/stack_lint_private.h"

#define FILE_MAX_BYTES ((gsize)1024 * 1024)
#define MOVED_BY 20000

guint lint_moved_port(guint64 number)
{
	return (guint)(number > MOVED_BY ? number - MOVED_BY : number + MOVED_BY);
}

static gsize indent_of(const char *line)
{
	return strspn(line, " ");
}

static bool is_empty(const char *line)
{
	return strchr("#\n", line[indent_of(line)]) != NULL;
}

static bool is_key(const char *line, const char *key)
{
	const char *start = line + indent_of(line);
	gsize length = strlen(key);

	start += *start == '"';
	return strncmp(start, key, length) == 0 &&
	       (start[length] == ':' || g_str_has_prefix(start + length, "\":"));
}

/* The line of @key in the block below line @from, whose lines stand further right: among its own keys, or
 * (@is_deep) further down too.  Returns: @from when there is none. */
static gsize find_below(char *const *lines, gsize from, const char *key, bool is_deep)
{
	gsize indent = indent_of(lines[from]);
	gsize own = 0;

	for (gsize i = from + 1; lines[i]; i++) {
		gsize here = indent_of(lines[i]);

		if (is_empty(lines[i]))
			continue;
		if (here <= indent)
			break;
		own = own ? own : here;
		if ((is_deep || here == own) && is_key(lines[i], key))
			return i;
	}
	return from;
}

/* Compose does not tell lines, so that they are looked up in the files as they are usually written.
 * Returns: 0 when @service does not stand in @text. */
static guint find_line(const char *text, const char *service, const char *key)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	gsize top = 0;

	while (lines[top] && !g_str_has_prefix(lines[top], "services:"))
		top++;
	if (!lines[top])
		return 0;

	gsize at = find_below(lines, top, service, false);
	if (at == top)
		return 0;

	gsize own = key ? find_below(lines, at, key, false) : at;
	return (guint)(key && own == at ? find_below(lines, at, key, true) : own) + 1;
}

/* In the last file that has the service, for it is the one that decides. */
static LintPlace find_service(const LintProject *it, const char *service, const char *key)
{
	const json_t *files = json_object_get(it->files->inputs, "files");
	const char *directory = json_text_or(it->files->inputs, "directory", "/");
	LintPlace place = { .subject = service };

	for (gsize i = json_array_size(files); i-- > 0 && place.line == 0;) {
		g_autofree char *path = g_canonicalize_filename(
			json_string_value(json_array_get(files, i)), directory);
		g_autoptr(GBytes) bytes = file_read(path, FILE_MAX_BYTES, NULL);
		gsize size_bytes = 0;
		const char *data = bytes ? g_bytes_get_data(bytes, &size_bytes) : "";
		g_autofree char *text = g_strndup(data, size_bytes);

		place.file = g_hash_table_lookup(it->files->members, path);
		place.line = find_line(text, service, key);
	}
	return place;
}

void lint_note_service(const LintProject *it, const char *rule, const char *service,
                       const char *key, const char *what)
{
	const LintPlace place = find_service(it, service, key);

	lint_note(it->lint, rule, &place, "%s %s", service, what);
}

/* Services that stand in stack.ini and nowhere else. */
static void judge_absent(const LintProject *it)
{
	const Stack *stack = it->lint->stack;
	const json_t *services = json_object_get(it->config, "services");

	for (guint i = 0; i < stack->services->len; i++) {
		const StackService *service = stack->services->pdata[i];
		g_autofree char *section = g_strconcat("service ", service->name, NULL);
		const LintPlace place = lint_section(it->lint, section, service->name);

		if (stack_in_profile(service->profiles, it->profile) &&
		    !json_object_get(services, service->name))
			lint_note(it->lint, "service", &place, "%s stands in no compose file",
			          service->name);
	}
}

static void note_part(const LintProject *it, const char *rule, const char *kind, const char *name,
                      const char *what)
{
	const json_t *files = json_object_get(it->files->inputs, "files");
	const char *directory = json_text_or(it->files->inputs, "directory", "/");
	g_autofree char *path =
		g_canonicalize_filename(json_string_value(json_array_get(files, 0)), directory);
	const LintPlace place = { name, g_hash_table_lookup(it->files->members, path), 0 };

	lint_note(it->lint, rule, &place, "the %s %s %s", kind, name, what);
}

static void judge_network(const LintProject *it, const char *name, const json_t *network)
{
	const json_t *ipam = json_object_get(network, "ipam");

	if (json_array_size(json_object_get(ipam, "config")) > 0)
		note_part(it, "subnet", "network", name, "has addresses of its own");
}

/* @kind: "network" or "volume". */
static void judge_name(const LintProject *it, const char *kind, const char *name,
                       const json_t *part)
{
	const char *full = json_text_or(part, "name", it->project);

	if (json_flag(part, "external"))
		note_part(it, "name", kind, name, "is external: nobody makes it");
	else if (!g_str_has_prefix(full, it->project))
		note_part(it, "name", kind, name,
		          "has a name that does not begin with the project's");
}

void lint_project(const LintProject *it)
{
	const char *name = NULL;
	json_t *part = NULL;

	judge_absent(it);
	json_object_foreach(json_object_get(it->config, "networks"), name, part)
	{
		judge_network(it, name, part);
		judge_name(it, "network", name, part);
	}
	json_object_foreach(json_object_get(it->config, "volumes"), name, part)
		judge_name(it, "volume", name, part);
	lint_services(it);
}
