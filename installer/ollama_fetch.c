/* installer/ollama_fetch.c - the files of a release, loaded and unpacked
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/ollama_fetch.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/http.h"
#include "installer/recipe.h"
#include "installer/sums.h"
#include "payload/archive_download.h"

/* The bundle for amd64 has 1.4 GB, the one for AMD about as much. */
#define FILE_MAX_BYTES ((guint64)8 << 30)

/* "NAME=DIGEST" of the stack goes before what the release publishes. */
static char *pinned_digest(const StepRun *run, const char *name)
{
	g_auto(GStrv) words = json_to_strv(json_object_get(run->step->inputs, "digests"));
	gsize length = strlen(name);

	for (char **word = words; *word; word++)
		if (strncmp(*word, name, length) == 0 && (*word)[length] == '=')
			return g_strdup(*word + length + 1);

	return NULL;
}

static char *wanted_digest(const StepRun *run, const char *name, GError **error)
{
	const char *sums = json_text(run->step->inputs, "sums");
	g_autofree char *pinned = pinned_digest(run, name);

	if (!pinned && sums) {
		g_auto(GStrv) lists = step_places(run->step, sums);
		return sums_digest((const char *const *)lists, name, error);
	}
	if (pinned && file_is_digest(pinned))
		return g_steal_pointer(&pinned);
	fault_set(error, STATUS_CONFIG, NULL, "step %s has no digest for %s", run->step->id, name);
	return NULL;
}

typedef struct {
	HttpDownload what;
	char *path;
} Program;

static bool download(const char *url, gpointer data, GError **error)
{
	Program *program = data;

	program->what.url = url;
	return http_download(&program->what, program->path, error);
}

/* Before archives: one bare program. */
static bool fetch_program(const StepRun *run, const char *url, const char *digest,
                          const char *directory, GError **error)
{
	g_autofree char *path = g_build_filename(directory, "ollama", NULL);
	g_auto(GStrv) urls = step_places(run->step, url);
	Program program = { .what = { .sha256 = digest,
		                      .max_bytes = FILE_MAX_BYTES,
		                      .on_progress = recipe_report_bytes,
		                      .data = (gpointer)(guintptr)run },
		            .path = path };

	if (!file_make_dirs(directory, 0755, NULL, error) ||
	    !http_from_places((const char *const *)urls, download, &program, error))
		return false;
	if (chmod(path, 0755) == 0)
		return true;
	fault_set_errno(error, errno, "cannot make %s a program", path);
	return false;
}

static void free_places(gpointer places)
{
	g_strfreev(places);
}

/* The main archive, and what is laid over it, in one pass each. */
static bool fetch_archives(const StepRun *run, GPtrArray *digests, const char *directory,
                           GError **error)
{
	g_auto(GStrv) urls = json_to_strv(json_object_get(run->step->inputs, "urls"));
	g_autoptr(GPtrArray) choices = g_ptr_array_new_with_free_func(free_places);
	g_autofree ArchiveDownload *wanted = g_new0(ArchiveDownload, digests->len);
	g_autofree char *parent = g_path_get_dirname(directory);

	for (guint i = 0; i < digests->len; i++) {
		g_ptr_array_add(choices, step_places(run->step, urls[i]));
		wanted[i] = (ArchiveDownload){
			.urls = choices->pdata[i],
			.sha256 = digests->pdata[i],
			.max_bytes = FILE_MAX_BYTES,
			.limits = { .has_symlinks = true },
			.on_progress = recipe_report_bytes,
			.data = (gpointer)(guintptr)run,
		};
	}

	return file_make_dirs(parent, 0755, NULL, error) &&
	       archive_download(wanted, digests->len, directory, error);
}

static GPtrArray *wanted_digests(const StepRun *run, const json_t *assets, GError **error)
{
	g_autoptr(GPtrArray) digests = g_ptr_array_new_with_free_func(g_free);
	gsize i = 0;
	json_t *asset = NULL;

	json_array_foreach(assets, i, asset)
	{
		char *digest = wanted_digest(run, json_text_or(asset, "name", ""), error);
		if (!digest)
			return NULL;
		g_ptr_array_add(digests, digest);
	}

	return g_steal_pointer(&digests);
}

/* All files of a release go to the same place; a bare program is alone. */
bool ollama_fetch(const StepRun *run, const char *directory, GError **error)
{
	const json_t *inputs = run->step->inputs;
	const json_t *assets = json_object_get(inputs, "assets");
	const json_t *urls = json_object_get(inputs, "urls");
	const json_t *first = json_array_get(assets, 0);
	const char *into = json_text_or(first, "into", "");
	g_autofree char *place =
		*into ? g_build_filename(directory, into, NULL) : g_strdup(directory);

	if (!first || json_array_size(assets) != json_array_size(urls)) {
		fault_set(error, STATUS_DATA, NULL, "step %s names no files", run->step->id);
		return false;
	}

	g_autoptr(GPtrArray) digests = wanted_digests(run, assets, error);
	if (!digests)
		return false;
	return g_str_equal(json_text_or(first, "form", ""), "program")
	               ? fetch_program(run, json_string_value(json_array_get(urls, 0)),
	                               digests->pdata[0], place, error)
	               : fetch_archives(run, digests, place, error);
}
