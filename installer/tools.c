/* installer/tools.c - does a tool of the catalogue answer, and is it new enough
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/tools.h"

#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/process.h"
#include "payload/stack.h"

#define ASK_MS 10000
#define ANSWER_MAX_BYTES ((gsize)64 * 1024)
#define DIGITS "0123456789"

/* The length of the dotted number that @text starts with; @is_dotted: whether a dot is in it. */
static gsize number_length(const char *text, bool *is_dotted)
{
	gsize length = strspn(text, DIGITS);

	*is_dotted = false;
	while (text[length] == '.' && g_ascii_isdigit(text[length + 1])) {
		*is_dotted = true;
		length += 1 + strspn(text + length + 1, DIGITS);
	}
	return length;
}

char *tools_find_version(const char *text)
{
	const char *plain = NULL;
	gsize plain_length = 0;

	for (text += strcspn(text, DIGITS); *text; text += strcspn(text, DIGITS)) {
		bool is_dotted = false;
		gsize length = number_length(text, &is_dotted);

		if (is_dotted)
			return g_strndup(text, length);
		if (!plain) {
			plain = text;
			plain_length = length;
		}
		text += length;
	}

	return plain ? g_strndup(plain, plain_length) : NULL;
}

char *tools_stamp(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return NULL;

	struct timespec modified = file_modified(&status);
	struct timespec changed = file_changed(&status);
	return g_strdup_printf("%" G_GINT64_FORMAT ":%" G_GUINT64_FORMAT ":%" G_GINT64_FORMAT
	                       ".%09ld:%" G_GINT64_FORMAT ".%09ld",
	                       (gint64)status.st_size, (guint64)status.st_ino,
	                       (gint64)modified.tv_sec, modified.tv_nsec, (gint64)changed.tv_sec,
	                       changed.tv_nsec);
}

/* Runs @path with @arguments.  Returns: false with UNAVAILABLE set unless it exits with 0. */
static bool ask(const char *path, char *const *arguments, ProcessResult *result, GError **why)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autofree char *shown = NULL;
	ProcessSpec spec = { .timeout_ms = ASK_MS, .max_output_bytes = ANSWER_MAX_BYTES };

	g_ptr_array_add(argv, (gpointer)(guintptr)path);
	for (; arguments && *arguments; arguments++)
		g_ptr_array_add(argv, *arguments);
	g_ptr_array_add(argv, NULL);
	spec.argv = (const char *const *)argv->pdata;
	if (!process_run(&spec, result, why))
		return false;
	if (result->exit_code == 0)
		return true;
	shown = g_strjoinv(" ", (char **)argv->pdata);
	fault_set(why, STATUS_UNAVAILABLE, NULL, "\"%s\" does not answer", shown);
	return false;
}

static char *ask_version(const CatalogueTool *tool, const char *path, GError **why)
{
	g_auto(ProcessResult) result = { 0 };
	char *version;

	if (!ask(path, tool->ask, &result, why))
		return NULL;
	version = tools_find_version(result.out);
	if (!version)
		version = tools_find_version(result.err);
	if (!version)
		fault_set(why, STATUS_UNAVAILABLE, NULL, "%s does not tell its version", path);
	return version;
}

/* Returns: (transfer full): the version of the program at @path if it will do. */
static char *try_program(const CatalogueTool *tool, const char *minimum, const char *path,
                         GError **why)
{
	g_autofree char *version = ask_version(tool, path, why);
	g_auto(ProcessResult) result = { 0 };

	if (!version)
		return NULL;
	if (minimum && stack_version_compare(version, minimum) < 0) {
		fault_set(why, STATUS_UNAVAILABLE, NULL, "%s has version %s, older than %s", path,
		          version, minimum);
		return NULL;
	}
	if (tool->needs_too && *tool->needs_too && !ask(path, tool->needs_too, &result, why))
		return NULL;
	return g_steal_pointer(&version);
}

static bool probe_files(const CatalogueTool *tool, char **program, char **version, GError **why)
{
	for (char **path = tool->files; *path; path++) {
		if (!file_exists(*path))
			continue;
		if (program)
			*program = g_strdup(*path);
		if (version)
			*version = NULL;
		return true;
	}
	fault_set(why, STATUS_UNAVAILABLE, NULL, "%s: there is no %s", tool->title, *tool->files);
	return false;
}

/* An absolute name stands for itself; "~/" is the home directory. */
static char *find_program(const char *name)
{
	g_autofree char *path = g_str_has_prefix(name, "~/")
	                                ? g_build_filename(g_get_home_dir(), name + 2, NULL)
	                                : g_strdup(name);

	if (!g_path_is_absolute(path))
		return process_find(path);
	return g_file_test(path, G_FILE_TEST_IS_EXECUTABLE) ? g_steal_pointer(&path) : NULL;
}

bool tools_probe(const CatalogueTool *tool, const char *minimum, char **program, char **version,
                 GError **why)
{
	g_autoptr(GError) fault = NULL;

	if (tool->files && *tool->files)
		return probe_files(tool, program, version, why);
	for (char **name = tool->programs; name && *name; name++) {
		g_autofree char *path = find_program(*name);
		g_autofree char *found = NULL;

		if (!path)
			continue;
		found = try_program(tool, minimum, path, fault ? NULL : &fault);
		if (!found)
			continue;
		if (program)
			*program = g_steal_pointer(&path);
		if (version)
			*version = g_steal_pointer(&found);
		return true;
	}
	if (!fault)
		fault_set(&fault, STATUS_UNAVAILABLE, NULL, "%s is not there", tool->name);
	g_propagate_error(why, g_steal_pointer(&fault));
	return false;
}

static gpointer probe_on_thread(gpointer data)
{
	ToolQuery *query = data;

	tools_probe(query->tool, query->minimum, &query->program, &query->version, &query->why);
	return NULL;
}

bool tools_probe_all(ToolQuery *queries, gsize count)
{
	g_autoptr(GPtrArray) threads = g_ptr_array_new();
	bool all = true;

	for (gsize i = 1; i < count; i++)
		g_ptr_array_add(threads, g_thread_new("tool", probe_on_thread, &queries[i]));
	if (count > 0)
		probe_on_thread(&queries[0]);
	for (guint i = 0; i < threads->len; i++)
		g_thread_join(threads->pdata[i]);
	for (gsize i = 0; i < count; i++)
		all = all && queries[i].program != NULL;

	return all;
}

void tools_clear(ToolQuery *queries, gsize count)
{
	for (gsize i = 0; i < count; i++) {
		g_clear_pointer(&queries[i].program, g_free);
		g_clear_pointer(&queries[i].version, g_free);
		g_clear_error(&queries[i].why);
	}
}
