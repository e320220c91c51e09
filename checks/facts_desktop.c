/* checks/facts_desktop.c - Docker Desktop's settings file, of both generations
 *
 * Up to 4.34 it is settings.json with nearly all keys in camelCase; from 4.35 on it is
 * settings-store.json with PascalCase keys, and only those that differ from a default.  Both may
 * stand side by side, and people put keys of one spelling into the other.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "checks/facts_private.h"

/* Largest settings file.  Source: our own bound; a dense one has about 8 KiB. */
#define SETTINGS_MAX_BYTES ((gsize)1024 * 1024)

#define MIB G_GUINT64_CONSTANT(1048576)

/** What one setting may be; above the maximum it is a typing error, not a size. */
typedef struct {
	const char *name; /* newer spelling; the older one has a small first letter */
	guint64 unit;     /* of the number in the file */
	guint64 minimum, maximum;
} Setting;

static const Setting setting_memory = { "MemoryMiB", MIB, 1, 64 * MIB };
static const Setting setting_cpus = { "Cpus", 1, 1, 8192 };
static const Setting setting_disk = { "DiskSizeMiB", MIB, 1, 1024 * MIB };
static const Setting setting_swap = { "SwapMiB", MIB, 0, 64 * MIB };

static const char *const file_table[] = { "settings.json", "settings-store.json" };

/* The newer spelling wins: Desktop itself writes it last. */
static const json_t *find_setting(const json_t *object, const char *name)
{
	g_autofree char *older = g_strdup(name);
	const json_t *value = json_object_get(object, name);

	older[0] = g_ascii_tolower(older[0]);
	return value != NULL ? value : json_object_get(object, older);
}

static DesktopSetting take_setting(const json_t *object, const Setting *setting, guint64 *number)
{
	const json_t *value = find_setting(object, setting->name);
	json_int_t read;

	if (value == NULL)
		return DESKTOP_SETTING_DEFAULT;
	if (!json_is_integer(value))
		return DESKTOP_SETTING_UNKNOWN;

	read = json_integer_value(value);
	if (read < 0 || (guint64)read < setting->minimum || (guint64)read > setting->maximum)
		return DESKTOP_SETTING_UNKNOWN;

	*number = (guint64)read * setting->unit;
	return DESKTOP_SETTING_SET;
}

/* A byte order mark is not JSON, but editors leave one. */
static GBytes *without_mark(GBytes *text)
{
	gsize size_bytes;
	const char *data = g_bytes_get_data(text, &size_bytes);

	if (size_bytes >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		return g_bytes_new_from_bytes(text, 3, size_bytes - 3);
	return g_bytes_ref(text);
}

static void fail(FactsDesktop *desktop, DesktopState state, const GError *error)
{
	desktop->state = state;
	g_free(desktop->why);
	desktop->why = error != NULL ? fault_message(error) : g_strdup("not a JSON object");
}

void desktop_parse(GBytes *text, FactsDesktop *desktop)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) plain = without_mark(text);
	g_autoptr(json_t) object =
		json_parse_bytes(plain, desktop->file != NULL ? desktop->file : "settings", &error);

	if (!json_is_object(object)) {
		fail(desktop, DESKTOP_MALFORMED, error);
		return;
	}

	desktop->state = DESKTOP_READ;
	g_clear_pointer(&desktop->why, g_free);
	desktop->memory = take_setting(object, &setting_memory, &desktop->memory_bytes);
	desktop->cpus = take_setting(object, &setting_cpus, &desktop->cpu_count);
	desktop->disk = take_setting(object, &setting_disk, &desktop->disk_bytes);
	desktop->swap = take_setting(object, &setting_swap, &desktop->swap_bytes);
}

/* Returns: false when there is no such file. */
static bool read_file(const FactsSource *source, const char *path, guint64 generation,
                      FactsDesktop *desktop)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *full = source_path(source, path);
	g_autoptr(GBytes) text = NULL;

	if (!file_exists(full))
		return false;

	g_free(desktop->file);
	desktop->file = g_strdup(path);
	desktop->generation = generation;
	text = file_read(full, SETTINGS_MAX_BYTES, &error);
	if (text != NULL)
		desktop_parse(text, desktop);
	else
		fail(desktop, DESKTOP_UNREADABLE, error);
	return true;
}

/* The newer file counts; the older one only where the newer says nothing. */
static bool read_directory(const FactsSource *source, const char *directory, FactsDesktop *desktop)
{
	bool is_found = false;

	for (gsize i = G_N_ELEMENTS(file_table); i > 0; i--) {
		g_autofree char *path = g_build_filename(directory, file_table[i - 1], NULL);

		is_found = read_file(source, path, i, desktop) || is_found;
		if (desktop->state == DESKTOP_READ)
			break;
	}
	return is_found;
}

void facts_read_desktop(const FactsSource *source, FactsDesktop *desktop)
{
	const char *home = source_env(source, "HOME");

	desktop->generation = 0;
	for (gsize i = 0; home != NULL && i < desktop_directory_count; i++) {
		g_autofree char *path =
			g_strconcat(home, strchr(desktop_directory_table[i], '/'), NULL);

		if (read_directory(source, path, desktop))
			return;
	}
}
