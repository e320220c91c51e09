/* checks/facts_desktop_place.c - where Docker Desktop keeps its settings and its disk
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/fault.h"
#include "base/file.h"
#include "checks/facts_client.h"
#include "checks/facts_desktop_read.h"
#include "checks/facts_wsl.h"

/* Largest settings file.  Source: our own bound; a dense one has about 8 KiB. */
#define SETTINGS_MAX_BYTES ((gsize)1024 * 1024)

/** What belongs together; "$WINDOWS" is the home directory of the Windows user, from WSL. */
typedef struct {
	const char *settings, *admin; /* directories */
	const char *images[2];
	const char *app;
} Place;

static const Place place_table[] = {
	{ "$HOME/.docker/desktop",
	  "/usr/share/docker-desktop",
	  { "$HOME/.docker/desktop/vms/0/data/Docker.raw", NULL },
	  "/opt/docker-desktop" },
	{ "$HOME/Library/Group Containers/group.com.docker",
	  "/Library/Application Support/com.docker.docker",
	  { "$HOME/Library/Containers/com.docker.docker/Data/vms/0/data/Docker.raw", NULL },
	  "/Applications/Docker.app" },
	{ "$WINDOWS/AppData/Roaming/Docker",
	  "/mnt/c/ProgramData/DockerDesktop",
	  { "$WINDOWS/AppData/Local/Docker/wsl/disk/docker_data.vhdx",
	    "$WINDOWS/AppData/Local/Docker/wsl/data/ext4.vhdx" },
	  "/mnt/c/Program Files/Docker/Docker" },
};

static const char *const file_table[] = { "settings.json", "settings-store.json" };

/* Returns: (transfer full) (nullable) */
static char *expand(const FactsSource *source, const char *windows, const char *pattern)
{
	if (pattern == NULL)
		return NULL;
	if (!g_str_has_prefix(pattern, "$WINDOWS"))
		return source_expand(source, pattern);
	return windows != NULL ? g_strconcat(windows, pattern + strlen("$WINDOWS"), NULL) : NULL;
}

/* Returns: (transfer full) (nullable): NULL with @is_there set when a file cannot be read. */
static GBytes *read_file(const FactsSource *source, const char *path, bool *is_there,
                         GError **error)
{
	g_autofree char *full = source_path(source, path);

	*is_there = file_exists(full);
	return *is_there ? file_read(full, SETTINGS_MAX_BYTES, error) : NULL;
}

static void take_file(const FactsSource *source, const char *path, guint64 generation,
                      FactsDesktop *desktop)
{
	g_autoptr(GError) error = NULL;
	bool is_there = false;
	g_autoptr(GBytes) text = read_file(source, path, &is_there, &error);

	if (desktop->state == DESKTOP_READ) { /* the newer one counts; this one may say otherwise */
		if (text != NULL)
			desktop_compare(text, desktop);
		return;
	}
	if (!is_there)
		return;

	g_free(desktop->file);
	desktop->file = g_strdup(path);
	desktop->generation = generation;
	if (text != NULL) {
		desktop_parse(text, desktop);
		return;
	}
	desktop->state = DESKTOP_UNREADABLE;
	g_free(desktop->why);
	desktop->why = fault_message(error);
}

static guint64 room_at(const char *path)
{
	g_autofree char *directory = g_path_get_dirname(path);
	struct statvfs room;
	guint64 bytes = 0;

	if (statvfs(directory, &room) != 0 ||
	    !g_uint64_checked_mul(&bytes, room.f_bavail, room.f_frsize) || bytes > G_MAXINT64)
		return FACTS_UNKNOWN;
	return bytes;
}

/* A raw image is as long as it can become, with holes; one of Windows is as long as it is. */
static void take_image(const FactsSource *source, const char *path, FactsDesktop *desktop)
{
	g_autofree char *full = source_path(source, path);
	struct stat status;

	if (desktop->image_file != NULL || stat(full, &status) != 0)
		return;

	desktop->image_file = g_strdup(path);
	desktop->image_free_bytes = room_at(full);
	if (g_str_has_suffix(path, ".raw")) {
		desktop->image_bytes = (guint64)status.st_size;
		desktop->image_used_bytes = (guint64)status.st_blocks * 512;
	} else {
		desktop->image_used_bytes = (guint64)status.st_size;
	}
}

/* Settings of Windows name its drives: "D:\\docker" is /mnt/d/docker here. */
static char *data_image(const FactsDesktop *desktop)
{
	g_autofree char *folder = wsl_path(desktop->data_folder);

	if (g_str_has_suffix(folder, ".raw") || g_str_has_suffix(folder, ".vhdx"))
		return g_steal_pointer(&folder);
	return g_build_filename(folder, "Docker.raw", NULL);
}

static void read_images(const FactsSource *source, const Place *place, const char *windows,
                        FactsDesktop *desktop)
{
	if (desktop->data_folder != NULL) {
		g_autofree char *path = data_image(desktop);

		take_image(source, path, desktop);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(place->images); i++) {
		g_autofree char *path = expand(source, windows, place->images[i]);

		if (path != NULL)
			take_image(source, path, desktop);
	}
}

/* Returns: (transfer full) (nullable): of a property list in XML. */
static char *bundle_version(const FactsSource *source, const char *app)
{
	static const char key[] = "<key>CFBundleShortVersionString</key>";
	g_autofree char *path = g_build_filename(app, "Contents/Info.plist", NULL);
	g_autofree char *text = source_read(source, path);
	const char *at = text != NULL ? strstr(text, key) : NULL;
	const char *value = at != NULL ? strstr(at + strlen(key), "<string>") : NULL;

	return value != NULL ? g_strndup(value + strlen("<string>"),
	                                 strcspn(value + strlen("<string>"), "<"))
	                     : NULL;
}

static void read_app(const FactsSource *source, const Place *place, FactsDesktop *desktop)
{
	static const char *const packages[] = { "docker-desktop", NULL };

	if (!source_exists(source, place->app))
		return;

	desktop->app = g_strdup(place->app);
	desktop->app_version = bundle_version(source, place->app);
	if (desktop->app_version == NULL)
		desktop->app_version = package_version(source, packages);
}

/* Returns: whether Docker Desktop is, or was, there. */
static bool read_place(const FactsSource *source, const Place *place, const char *windows,
                       FactsDesktop *desktop)
{
	g_autofree char *directory = expand(source, windows, place->settings);

	for (gsize i = G_N_ELEMENTS(file_table); directory != NULL && i > 0; i--) {
		g_autofree char *path = g_build_filename(directory, file_table[i - 1], NULL);

		take_file(source, path, i, desktop);
	}
	read_app(source, place, desktop);
	if (desktop->file == NULL && desktop->app == NULL)
		return false;

	desktop_read_admin(source, place->admin, desktop);
	read_images(source, place, windows, desktop);
	return true;
}

/* Drives of Windows are slow to look at: only from WSL. */
void facts_read_desktop(const FactsSource *source, Facts *facts)
{
	bool is_wsl = facts->system.wsl == 2;
	g_autofree char *windows = is_wsl ? wsl_windows_home(source) : NULL;

	facts->desktop.generation = 0;
	if (is_wsl)
		facts_read_wsl(source, windows, &facts->wsl);
	for (gsize i = 0; i < G_N_ELEMENTS(place_table); i++) {
		bool is_windows = g_str_has_prefix(place_table[i].settings, "$WINDOWS");

		if (is_windows == is_wsl &&
		    read_place(source, &place_table[i], windows, &facts->desktop))
			return;
	}
}
