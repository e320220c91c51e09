/* installer/step_archive.c - step kind "archive": a program that its makers publish as an archive
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/http.h"
#include "base/process.h"
#include "installer/owned_tree.h"
#include "installer/recipe.h"
#include "payload/archive.h"

#define DEFAULT_MAX_BYTES ((guint64)4 << 30)
#define SUMS_MAX_BYTES ((gsize)1024 * 1024)

static const char *const keys[] = { "!url",    "sha256", "sums",  "!path",
	                            "program", "max",    "strip", NULL };

static char *as_url(const char *place)
{
	return place[0] == '/' ? g_filename_to_uri(place, NULL, NULL) : g_strdup(place);
}

/* One line of a sums file: "DIGEST  NAME", "DIGEST *NAME", "DIGEST  ./NAME". */
static char *digest_of_line(const char *line, const char *name)
{
	g_autofree char *digest = g_strndup(line, FILE_DIGEST_LENGTH);

	if (!file_is_digest(digest) || line[FILE_DIGEST_LENGTH] != ' ')
		return NULL;

	const char *rest = line + FILE_DIGEST_LENGTH;
	rest += strspn(rest, " ");
	rest += *rest == '*';
	if (g_str_has_prefix(rest, "./"))
		rest += 2;
	return g_str_equal(rest, name) ? g_steal_pointer(&digest) : NULL;
}

static char *find_digest(GBytes *sums, const char *name, GError **error)
{
	g_autofree char *text = recipe_text(sums);
	g_auto(GStrv) lines = g_strsplit_set(text, "\r\n", -1);

	for (char **line = lines; *line; line++) {
		char *digest =
			strlen(*line) > FILE_DIGEST_LENGTH ? digest_of_line(*line, name) : NULL;
		if (digest)
			return digest;
	}

	fault_set(error, STATUS_UNTRUSTED, NULL, "the list of digests does not name %s", name);
	return NULL;
}

static char *wanted_digest(const StepRun *run, const char *url, GError **error)
{
	const char *fixed = json_text(run->step->inputs, "sha256");
	const char *sums = json_text(run->step->inputs, "sums");

	if (fixed && file_is_digest(fixed))
		return g_strdup(fixed);
	if (fixed || !sums) {
		fault_set(error, STATUS_CONFIG, NULL,
		          "step %s needs sha256 (64 hex digits) or sums", run->step->id);
		return NULL;
	}

	g_autofree char *place = as_url(sums);
	HttpRequest request = { .url = place, .max_bytes = SUMS_MAX_BYTES };
	g_autoptr(GBytes) bytes = http_get(&request, error);
	if (!bytes)
		return NULL;

	g_autofree char *path = g_strndup(url, strcspn(url, "?#"));
	g_autofree char *name = g_path_get_basename(path);
	return find_digest(bytes, name, error);
}

static bool read_number(const StepRun *run, const char *key, guint64 maximum, guint64 *number,
                        GError **error)
{
	const char *text = json_text(run->step->inputs, key);

	if (!text || g_ascii_string_to_unsigned(text, 10, 0, maximum, number, NULL))
		return true;

	fault_set(error, STATUS_CONFIG, NULL,
	          "step %s: %s = \"%s\" is not a number up to %" G_GUINT64_FORMAT, run->step->id,
	          key, text, maximum);
	return false;
}

static void report_progress(guint64 done_bytes, guint64 total_bytes, gpointer data)
{
	double fraction = total_bytes ? (double)done_bytes / (double)total_bytes : -1;
	g_autofree char *size = g_format_size_full(done_bytes, G_FORMAT_SIZE_IEC_UNITS);

	recipe_report(data, fraction, size);
}

static char *download(const StepRun *run, GError **error)
{
	const char *place = recipe_input(run, "url", error);
	guint64 max_bytes = DEFAULT_MAX_BYTES;

	if (!place || !read_number(run, "max", DEFAULT_MAX_BYTES * 16, &max_bytes, error))
		return NULL;

	g_autofree char *url = as_url(place);
	g_autofree char *digest = wanted_digest(run, url, error);
	g_autofree char *directory = g_build_filename(run->txn_dir, "dl", NULL);
	if (!digest || !file_make_dirs(directory, 0700, NULL, error))
		return NULL;

	g_autofree char *path = g_build_filename(directory, digest, NULL);
	HttpDownload request = {
		.url = url,
		.sha256 = digest,
		.max_bytes = max_bytes,
		.on_progress = report_progress,
		.data = (gpointer)(guintptr)run,
	};
	return http_download(&request, path, error) ? g_steal_pointer(&path) : NULL;
}

static bool unpack(const StepRun *run, const char *archive, const char *path, GError **error)
{
	guint64 strip = 0;
	g_autofree char *staged = NULL;

	if (!read_number(run, "strip", 16, &strip, error) ||
	    !(staged = owned_tree_stage(run, path, error)))
		return false;

	ArchiveLimits limits = { .strip_components = (guint)strip, .has_symlinks = true };
	recipe_report(run, -1, "unpacking");
	return archive_unpack_file(archive, staged, &limits, error) &&
	       owned_tree_place(run, path, staged, error) && file_remove(archive, error);
}

/* A program that somebody else has installed already does as well. */
static bool probe_archive(const StepRun *run, Probe *probe, GError **error)
{
	const char *path = recipe_input(run, "path", error);
	const char *program = json_text(run->step->inputs, "program");

	if (!path)
		return false;

	*probe = owned_tree_probe(run, path);
	if (*probe == PROBE_ABSENT && program) {
		g_autofree char *found = process_find(program);
		*probe = found ? PROBE_OURS : PROBE_ABSENT;
	}
	return true;
}

static json_t *prepare_archive(const StepRun *run, GError **error)
{
	const char *path = recipe_input(run, "path", error);

	return path ? owned_tree_recipe(run, path) : NULL;
}

static json_t *apply_archive(const StepRun *run, GError **error)
{
	const char *path = recipe_input(run, "path", error);

	if (!path)
		return NULL;
	if (!owned_tree_is_complete(run, path)) {
		g_autofree char *archive = download(run, error);
		if (!archive || !unpack(run, archive, path, error))
			return NULL;
	}

	return owned_tree_result(run, path, error);
}

const StepKind step_kind_archive = {
	.name = "archive",
	.verb = "unpack into",
	.keys = keys,
	.weight = 60,
	.probe = probe_archive,
	.prepare = prepare_archive,
	.apply = apply_archive,
};
