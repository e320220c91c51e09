/* installer/stack_lint_image.c - rules about a Dockerfile and the names of images
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "installer/stack_lint_private.h"

#define COPY_FROM "--from="
#define RUN_MOUNT "--mount="
#define MOUNT_FROM "from="

/** A Dockerfile while it is read from top to bottom. */
typedef struct {
	Lint *lint;
	LintPlace place;
	GHashTable *arguments; /* name -> value, as far as they stand in front of FROM */
	GHashTable *stages;    /* names, those of further contexts too */
	char *user;            /* (nullable): of the stage */
	char *compiler;        /* (nullable): what the stage installs */
	guint compiler_line;
	guint stage_line;
} Reading;

char *lint_image_name(Lint *lint, const char *image, bool *has_digest)
{
	const char *digest = strstr(image, "@sha256:");
	g_autofree char *name = g_strndup(image, digest ? (gsize)(digest - image) : strlen(image));
	const char *slash = strrchr(name, '/');
	const char *tag = strchr(slash ? slash : name, ':');

	if (!strchr(image, '$') &&
	    !g_ptr_array_find_with_equal_func(lint->images, image, g_str_equal, NULL))
		g_ptr_array_add(lint->images, g_strdup(image));
	*has_digest = digest != NULL;
	if (!tag || tag[1] == '\0')
		return g_strdup("it has no tag");
	return g_str_equal(tag, ":latest") ? g_strdup("its tag moves") : NULL;
}

static void G_GNUC_PRINTF(3, 4) note(const Reading *it, const char *rule, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_autofree char *what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	lint_note(it->lint, rule, &it->place, "%s %s", it->place.subject, what);
}

/* "$NAME" and "${NAME}" by what ARG says; what is not known stays. */
static char *expand(const Reading *it, const char *text)
{
	GString *out = g_string_new(NULL);

	while (*text) {
		bool is_braced = g_str_has_prefix(text, "${");
		const char *start = text + (is_braced ? 2 : 1);
		gsize length =
			*text == '$' ? strspn(start, G_CSET_A_2_Z G_CSET_a_2_z "0123456789_") : 0;
		g_autofree char *name = g_strndup(start, length);
		const char *value = length ? g_hash_table_lookup(it->arguments, name) : NULL;

		if (!value) {
			g_string_append_c(out, *text++);
			continue;
		}
		g_string_append(out, value);
		text = start + length + (is_braced && start[length] == '}');
	}
	return g_string_free(out, FALSE);
}

static void read_argument(const Reading *it, const char *rest)
{
	const char *equals = strchr(rest, '=');
	g_autofree char *name = equals ? g_strndup(rest, (gsize)(equals - rest)) : NULL;

	if (name && !g_hash_table_contains(it->arguments, name))
		g_hash_table_insert(it->arguments, g_steal_pointer(&name), g_strdup(equals + 1));
}

/* @what: "is built from".  A stage, its number and what compose itself puts in are no images. */
static void judge_origin(const Reading *it, const char *what, const char *image)
{
	bool has_digest = false;

	if (g_hash_table_contains(it->stages, image) || g_str_equal(image, "scratch") ||
	    image[strspn(image, G_CSET_DIGITS)] == '\0')
		return;

	g_autofree char *fault = lint_image_name(it->lint, image, &has_digest);
	if (fault)
		note(it, "image-tag", "%s %s: %s", what, image, fault);
	else if (!has_digest)
		note(it, "image-digest", "%s %s, which has no digest", what, image);
}

/* "[--platform=...] IMAGE [AS NAME]" */
static void read_from(Reading *it, const char *rest)
{
	g_auto(GStrv) words = ini_list(rest);
	char **word = words;

	while (*word && g_str_has_prefix(*word, "--"))
		word++;
	g_clear_pointer(&it->user, g_free);
	g_clear_pointer(&it->compiler, g_free);
	it->stage_line = it->place.line;
	if (!*word)
		return;

	g_autofree char *image = expand(it, *word);
	judge_origin(it, "is built from", image);
	if (word[1] && word[2])
		g_hash_table_add(it->stages, g_strdup(word[2]));
}

/* "[--chown=...] [--from=IMAGE] FILE... PLACE" */
static void read_copy(const Reading *it, const char *rest)
{
	g_auto(GStrv) words = ini_list(rest);

	for (char **word = words; *word && g_str_has_prefix(*word, "--"); word++) {
		if (!g_str_has_prefix(*word, COPY_FROM))
			continue;
		g_autofree char *image = expand(it, *word + strlen(COPY_FROM));
		judge_origin(it, "copies from", image);
	}
}

/* "[--mount=type=bind,from=IMAGE,target=...] COMMAND" */
static void read_mounts(const Reading *it, const char *rest)
{
	g_auto(GStrv) words = g_strsplit_set(rest, " \t", -1);

	for (char **word = words; *word && (**word == '\0' || g_str_has_prefix(*word, "--"));
	     word++) {
		g_auto(GStrv) options = g_strsplit(*word, ",", -1);

		for (char **option = options; *option; option++) {
			bool is_first = g_str_has_prefix(*option, RUN_MOUNT);
			const char *text = *option + (is_first ? strlen(RUN_MOUNT) : 0);
			if (!g_str_has_prefix(text, MOUNT_FROM))
				continue;
			g_autofree char *image = expand(it, text + strlen(MOUNT_FROM));
			judge_origin(it, "mounts", image);
		}
	}
}

static bool is_compiler(const char *word)
{
	static const char *const names[] = { "gcc",        "g++",    "build-essential",
		                             "build-base", "clang",  "cargo",
		                             "rustc",      "golang", "make",
		                             "musl-dev",   NULL };

	return g_strv_contains(names, word);
}

/* "curl ... | sh" */
static bool is_pipe_to_shell(const char *text)
{
	bool loads = strstr(text, "curl ") || strstr(text, "wget ");
	bool is_piped = false;

	for (const char *at = strchr(text, '|'); loads && at; at = strchr(at + 1, '|')) {
		const char *word = at + 1 + strspn(at + 1, " \t");
		gsize length = strcspn(word, " \t;&|");

		is_piped = is_piped || (length == 2 && strncmp(word, "sh", 2) == 0) ||
		           (length == 4 && strncmp(word, "bash", 4) == 0);
	}
	return is_piped;
}

static void read_run(Reading *it, const char *rest)
{
	g_auto(GStrv) words = ini_list(rest);
	bool installs = strstr(rest, " install ") || strstr(rest, "apk add");

	read_mounts(it, rest);
	for (char **word = words; installs && *word && !it->compiler; word++) {
		it->compiler = is_compiler(*word) ? g_strdup(*word) : NULL;
		it->compiler_line = it->place.line;
	}
	if (is_pipe_to_shell(rest))
		note(it, "image-pipe", "is built with a script straight from the network");
}

static void read_instruction(Reading *it, const char *line)
{
	gsize length = strcspn(line, " \t");
	const char *rest = line + length + strspn(line + length, " \t");
	g_autofree char *word = g_ascii_strup(line, (gssize)length);

	if (g_str_equal(word, "ARG"))
		read_argument(it, rest);
	else if (g_str_equal(word, "FROM"))
		read_from(it, rest);
	else if (g_str_equal(word, "COPY"))
		read_copy(it, rest);
	else if (g_str_equal(word, "RUN"))
		read_run(it, rest);
	else if (g_str_equal(word, "USER")) {
		g_free(it->user);
		it->user = expand(it, rest);
	}
}

static bool is_root(const char *user)
{
	return !user || *user == '\0' || g_str_equal(user, "root") || g_str_equal(user, "0") ||
	       g_str_has_prefix(user, "0:") || g_str_has_prefix(user, "root:");
}

/* Lines that end with "\" go on; comments between them do not end them. */
static void read_lines(Reading *it, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autoptr(GString) whole = g_string_new(NULL);

	for (guint i = 0; lines[i]; i++) {
		char *line = g_strstrip(lines[i]);
		bool goes_on = g_str_has_suffix(line, "\\");

		if (*line == '#' || (*line == '\0' && whole->len > 0))
			continue;
		if (whole->len == 0)
			it->place.line = i + 1;
		if (goes_on)
			line[strlen(line) - 1] = '\0';
		g_string_append_printf(whole, "%s ", line);
		if (goes_on)
			continue;
		read_instruction(it, g_strstrip(whole->str));
		g_string_truncate(whole, 0);
	}
}

/* What a Dockerfile is given: values of its arguments, and contexts that are called like stages. */
static void read_build(const Reading *it, const json_t *build)
{
	const char *name = NULL;
	json_t *value = NULL;

	json_object_foreach(json_object_get(build, "args"), name, value)
	{
		if (json_string_value(value))
			g_hash_table_insert(it->arguments, g_strdup(name),
			                    g_strdup(json_string_value(value)));
	}
	json_object_foreach(json_object_get(build, "additional_contexts"), name, value)
		g_hash_table_add(it->stages, g_strdup(name));
}

void lint_image(Lint *lint, const LintPlace *place, const char *text, const json_t *build,
                const char *user)
{
	Reading it = { .lint = lint, .place = *place };

	it.arguments = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	it.stages = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	read_build(&it, build);
	read_lines(&it, text);
	it.place.line = it.compiler_line;
	if (it.compiler)
		note(&it, "image-compiler", "has %s in its last stage", it.compiler);
	it.place.line = it.stage_line;
	if (is_root(user ? user : it.user))
		note(&it, "image-root", "runs as root");
	g_free(it.user);
	g_free(it.compiler);
	g_hash_table_unref(it.arguments);
	g_hash_table_unref(it.stages);
}
