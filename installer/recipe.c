/* installer/recipe.c - what the step kinds share: inputs, stack members, undo recipes
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/recipe.h"

#include <stdarg.h>
#include <string.h>

#include "base/fault.h"
#include "base/file.h"

const char *recipe_input(const StepRun *run, const char *key, GError **error)
{
	const char *value = json_text(run->step->inputs, key);

	if (!value || !*value)
		fault_set(error, STATUS_CONFIG, NULL, "step %s has no \"%s\"", run->step->id, key);
	else if (!g_str_equal(key, "path") || g_path_is_absolute(value))
		return value;
	else
		fault_set(error, STATUS_CONFIG, NULL, "step %s: \"%s\" is not an absolute path",
		          run->step->id, value);
	return NULL;
}

bool recipe_mode(const StepRun *run, mode_t fallback, mode_t *mode, GError **error)
{
	const char *text = json_text(run->step->inputs, "mode");
	guint64 number = fallback;

	if (text && !g_ascii_string_to_unsigned(text, 8, 0, 0777, &number, NULL)) {
		fault_set(error, STATUS_CONFIG, NULL, "step %s: \"%s\" is not an octal mode",
		          run->step->id, text);
		return false;
	}

	*mode = (mode_t)number;
	return true;
}

static char *member_path(const StepRun *run, const char *member, GError **error)
{
	const char *kept = json_text(json_object_get(run->step->inputs, "vars"), "stack");
	g_autofree char *unpacked =
		run->txn_dir ? g_build_filename(run->txn_dir, "stack", member, NULL) : NULL;

	if (unpacked && file_exists(unpacked))
		return g_steal_pointer(&unpacked);
	if (kept)
		return g_build_filename(kept, member, NULL);

	fault_set(error, STATUS_CONFIG, NULL, "the stack's file %s is not at hand", member);
	return NULL;
}

GBytes *recipe_member(const StepRun *run, const char *member, GError **error)
{
	const json_t *files = json_object_get(run->step->inputs, "files");
	const char *expected = json_text(files, member);
	g_autofree char *path = member_path(run, member, error);
	g_autoptr(GBytes) bytes = path ? file_read(path, RECIPE_MEMBER_MAX_BYTES, error) : NULL;

	if (!bytes)
		return NULL;

	g_autofree char *digest = file_digest_bytes(bytes);
	if (!expected || g_str_equal(digest, expected))
		return g_steal_pointer(&bytes);

	fault_set(error, STATUS_UNTRUSTED, NULL, "%s is not the file that the plan was made with",
	          path);
	return NULL;
}

char *recipe_text(GBytes *bytes)
{
	const char *data = g_bytes_get_data(bytes, NULL);

	return g_strndup(data ? data : "", g_bytes_get_size(bytes));
}

char *recipe_stage(const StepRun *run, const char *path)
{
	return g_strdup_printf("%s.%s.tmp", path, run->token);
}

char *recipe_backup(const StepRun *run, const char *name)
{
	return g_build_filename(run->txn_dir, "backup", name, NULL);
}

void recipe_add(json_t *recipe, const char *verb, ...)
{
	json_t *part = json_pack("{s:s}", "do", verb);
	va_list arguments;

	va_start(arguments, verb);
	for (const char *key = NULL; (key = va_arg(arguments, const char *));)
		json_put(part, key, va_arg(arguments, const char *));
	va_end(arguments);
	json_array_append_new(recipe, part);
}

void recipe_add_missing_dirs(json_t *recipe, const char *directory)
{
	if (file_exists(directory))
		return;

	g_autofree char *parent = g_path_get_dirname(directory);
	recipe_add_missing_dirs(recipe, parent);
	recipe_add(recipe, "rmdir_if_empty", "path", directory, NULL);
}

bool recipe_is_recorded(const StepRun *run)
{
	g_autofree char *digest = step_digest(run->step);

	return g_strcmp0(json_text(run->receipt, "digest"), digest) == 0;
}

void recipe_report(const StepRun *run, double fraction, const char *detail)
{
	if (run->report)
		run->report(run, fraction, detail);
}

void recipe_report_bytes(guint64 done_bytes, guint64 total_bytes, gpointer data)
{
	const StepRun *run = data;

	if (run->report_bytes)
		run->report_bytes(run, done_bytes, total_bytes);
}

int recipe_status_of(const char *output, int fallback)
{
	static const struct {
		const char *text;
		int status;
	} table[] = {
		{ "No space left on device", STATUS_IO },
		{ "Disk quota exceeded", STATUS_IO },
		{ "Could not resolve", STATUS_UNAVAILABLE },
		{ "Failed to connect", STATUS_UNAVAILABLE },
		{ "Couldn't connect", STATUS_UNAVAILABLE },
		{ "timed out", STATUS_UNAVAILABLE },
		{ "Operation too slow", STATUS_UNAVAILABLE },
		{ "does not appear to be a git repository", STATUS_UNAVAILABLE },
		{ "NewConnectionError", STATUS_UNAVAILABLE },
		{ "NameResolutionError", STATUS_UNAVAILABLE },
		{ "ConnectTimeoutError", STATUS_UNAVAILABLE },
		{ "ReadTimeoutError", STATUS_UNAVAILABLE },
		{ "ProtocolError", STATUS_UNAVAILABLE },
		{ "ProxyError", STATUS_UNAVAILABLE },
		{ "SSLError", STATUS_UNAVAILABLE },
		{ "SSLCertVerificationError", STATUS_UNAVAILABLE },
		{ "Max retries exceeded", STATUS_UNAVAILABLE },
		{ "Connection refused", STATUS_UNAVAILABLE },
		{ "Connection reset", STATUS_UNAVAILABLE },
		{ "Connection aborted", STATUS_UNAVAILABLE },
		{ "Network is unreachable", STATUS_UNAVAILABLE },
		{ "Temporary failure in name resolution", STATUS_UNAVAILABLE },
		{ "Name or service not known", STATUS_UNAVAILABLE },
		{ "HTTP error 5", STATUS_UNAVAILABLE },
		{ "IncompleteRead", STATUS_UNAVAILABLE },
	};

	for (gsize i = 0; output && i < G_N_ELEMENTS(table); i++)
		if (strstr(output, table[i].text))
			return table[i].status;

	return fallback;
}
