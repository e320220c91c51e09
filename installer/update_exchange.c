/* installer/update_exchange.c - one program in the place of another, in one moment
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/http.h"
#include "base/lock.h"
#include "base/process.h"
#include "base/tree.h"
#include "installer/update.h"

/* All that is not finished lies in a directory of this name, beside the program. */
#define STAGING_PREFIX ".slipway.new-"
#define SELF_TEST_MS 10000

UpdatePlace *update_place_new(const char *program)
{
	UpdatePlace *place = g_new0(UpdatePlace, 1);

	place->program = g_strdup(program);
	place->directory = g_path_get_dirname(program);
	place->previous = g_strconcat(program, ".prev", NULL);
	return place;
}

void update_place_free(UpdatePlace *place)
{
	if (!place)
		return;

	g_free(place->program);
	g_free(place->directory);
	g_free(place->previous);
	g_free(place);
}

bool update_check_writable(const UpdatePlace *place, GError **error)
{
	g_autofree char *hint = g_strdup_printf("Run \"sudo %s update\".", place->program);

	if (access(place->directory, W_OK | X_OK) == 0)
		return true;
	if (errno != EACCES || geteuid() == 0)
		fault_set_errno(error, errno, "cannot replace %s", place->program);
	else
		fault_set(error, STATUS_DENIED, hint, "%s is not ours to replace", place->program);
	return false;
}

/* Returns: (transfer full): the version that the program at @path says it is; or NULL with FAILED
 * set, or a cancellation. */
static char *ask_version(const char *path, GError **error)
{
	const char *const argv[] = { path, "version", "--json", NULL };
	g_autoptr(GError) why = NULL;
	ProcessSpec spec = { .argv = argv, .timeout_ms = SELF_TEST_MS };
	g_autofree char *text = process_capture(&spec, &why);
	g_autoptr(GBytes) bytes = text ? g_bytes_new(text, strlen(text)) : NULL;
	g_autoptr(json_t) document = bytes ? json_parse_bytes(bytes, "its answer", &why) : NULL;

	if (!cancel_check(error))
		return NULL;
	if (document)
		return g_strdup(json_text_or(document, "version", "none"));
	fault_set(error, STATUS_FAILED, NULL, "%s does not run: %s", path, why->message);
	return NULL;
}

static bool check_version(const char *path, const char *expected, GError **error)
{
	g_autofree char *version = ask_version(path, error);

	if (version && !g_str_equal(version, expected))
		fault_set(error, STATUS_FAILED, NULL, "%s says that it is version %s, not %s", path,
		          version, expected);
	return version && g_str_equal(version, expected);
}

static void sweep(const char *directory)
{
	g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
	const char *name = NULL;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(directory, name, NULL);
		g_autoptr(GError) ignored = NULL;

		if (g_str_has_prefix(name, STAGING_PREFIX))
			(void)!tree_remove(path, &ignored);
	}
}

/* The work of one exchange: the lock of the directory, and a directory of our own in it. */
typedef struct {
	Lock *lock;
	char *directory;
	char *program;
	char *previous;
} Staging;

static void staging_clear(Staging *staging)
{
	g_autoptr(GError) ignored = NULL;

	if (staging->directory)
		(void)!tree_remove(staging->directory, &ignored);
	lock_free(staging->lock);
	g_free(staging->directory);
	g_free(staging->program);
	g_free(staging->previous);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Staging, staging_clear)

static bool staging_open(App *app, const UpdatePlace *place, Staging *staging, GError **error)
{
	g_autofree char *directory =
		g_build_filename(place->directory, STAGING_PREFIX "XXXXXX", NULL);

	staging->lock = lock_take_directory(
		place->directory, settings_seconds(app->settings, "lock-timeout") * 1000, error);
	if (!staging->lock)
		return false;
	sweep(place->directory);
	if (!mkdtemp(directory)) {
		fault_set_errno(error, errno, "cannot create a directory in %s", place->directory);
		return false;
	}
	staging->directory = g_steal_pointer(&directory);
	staging->program = g_build_filename(staging->directory, "slipway", NULL);
	staging->previous = g_build_filename(staging->directory, "previous", NULL);
	return true;
}

/* Gives @path the owner and the mode of the program it is to replace.  It never becomes setuid. */
static bool adopt(const char *path, const UpdatePlace *place, GError **error)
{
	struct stat old = { 0 };
	g_auto(FileFd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (stat(place->program, &old) == 0 && fd >= 0 &&
	    (geteuid() != 0 || fchown(fd, old.st_uid, old.st_gid) == 0) &&
	    fchmod(fd, (old.st_mode & 0777) | 0500) == 0 && fsync(fd) == 0)
		return true;
	fault_set_errno(error, errno, "cannot prepare %s", path);
	return false;
}

static bool copy(const char *from, const char *to, const UpdatePlace *place, GError **error)
{
	g_autoptr(GBytes) bytes = file_read(from, RELEASE_MAX_PROGRAM_BYTES, error);

	return bytes &&
	       file_write(to, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), 0700,
	                  error) &&
	       adopt(to, place, error);
}

typedef struct {
	HttpDownload what;
	const char *path;
} Fetch;

static bool fetch(const char *url, gpointer data, GError **error)
{
	Fetch *wanted = data;

	wanted->what.url = url;
	return http_download(&wanted->what, wanted->path, error);
}

static bool download(App *app, const ReleaseArtifact *program, const char *path, GError **error)
{
	g_auto(GStrv) urls =
		update_places(app, settings_text(app->settings, "release-url"), program->path);
	g_autofree char *size = g_format_size_full(program->size_bytes, G_FORMAT_SIZE_IEC_UNITS);
	Fetch wanted = { .what = { .sha256 = program->sha256, .max_bytes = program->size_bytes },
		         .path = path };

	term_note(app->term, "Fetching %s (%s).", program->name, size);
	return http_from_places((const char *const *)urls, fetch, &wanted, error);
}

/* The present one is whole at its place until the new one is, also when we are killed in between. */
static bool replace(const UpdatePlace *place, const Staging *staging, GError **error)
{
	return copy(place->program, staging->previous, place, error) && cancel_check(error) &&
	       file_rename(staging->previous, place->previous, error) &&
	       file_rename(staging->program, place->program, error);
}

bool update_exchange(App *app, const UpdatePlace *place, const Release *release,
                     const ReleaseArtifact *program, GError **error)
{
	g_auto(Staging) staging = { 0 };

	/* Proves that the path is ours and that programs may run there. */
	if (!check_version(place->program, VERSION, error) ||
	    !staging_open(app, place, &staging, error) ||
	    !download(app, program, staging.program, error) ||
	    !adopt(staging.program, place, error))
		return false;
	if (!check_version(staging.program, release->version, error)) {
		g_prefix_error(error, "the new program is not put in place: ");
		return false;
	}
	return replace(place, &staging, error);
}

char *update_revert(App *app, const UpdatePlace *place, GError **error)
{
	g_auto(Staging) staging = { 0 };

	if (!file_exists(place->previous)) {
		fault_set(error, STATUS_FAILED, NULL, "there is no %s to go back to",
		          place->previous);
		return NULL;
	}
	if (!staging_open(app, place, &staging, error) ||
	    !copy(place->previous, staging.program, place, error))
		return NULL;

	g_autofree char *version = ask_version(staging.program, error);
	if (!version || !copy(place->program, staging.previous, place, error) ||
	    !file_rename(staging.program, place->program, error) ||
	    !file_rename(staging.previous, place->previous, error))
		return NULL;
	return g_steal_pointer(&version);
}
