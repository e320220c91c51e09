/* checks/facts_wsl.c - Windows, as WSL 2 shows it, and what .wslconfig gives to the machine
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts_wsl.h"

#include <stddef.h>
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "checks/facts_desktop_read.h"

/* Largest configuration file.  Source: our own bound. */
#define CONFIG_MAX_BYTES ((gsize)64 * 1024)

#define USERS "/mnt/c/Users"

char *wsl_path(const char *path)
{
	char *result;

	if (!g_ascii_isalpha(path[0]) || path[1] != ':' || (path[2] != '\\' && path[2] != '/'))
		return g_strdup(path);

	result = g_strdup_printf("/mnt/%c%s", g_ascii_tolower(path[0]), path + 2);
	return g_strdelimit(result, "\\", '/');
}

static bool is_person(const char *name)
{
	static const char *const others[] = { "Public",     "Default",     "Default User",
		                              "All Users",  "desktop.ini", "defaultuser0",
		                              "WsiAccount", NULL };

	return !g_strv_contains(others, name);
}

/* Among several, the one who uses Docker Desktop or has set up WSL. */
static bool is_likely(const FactsSource *source, const char *home)
{
	g_autofree char *docker = g_build_filename(home, "AppData/Roaming/Docker", NULL);
	g_autofree char *config = g_build_filename(home, ".wslconfig", NULL);

	return source_exists(source, docker) || source_exists(source, config);
}

char *wsl_windows_home(const FactsSource *source)
{
	const char *profile = source_env(source, "USERPROFILE");
	g_autoptr(GPtrArray) names = NULL;
	g_autofree char *found = NULL;
	guint people = 0;
	guint likely = 0;

	if (profile != NULL)
		return wsl_path(profile);

	names = source_list(source, USERS);
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *home = g_build_filename(USERS, name, NULL);
		bool is_one = is_person(name);
		bool is_it = is_one && is_likely(source, home);

		people += is_one;
		likely += is_it;
		if (is_it || (is_one && found == NULL)) {
			g_free(found);
			found = g_steal_pointer(&home);
		}
	}
	return likely == 1 || (likely == 0 && people == 1) ? g_steal_pointer(&found) : NULL;
}

static void complain(FactsWsl *wsl, const char *why)
{
	if (wsl->why == NULL)
		wsl->why = g_strdup(why);
}

/* "8GB", "512MB"; a bare number is bytes, which nobody means. */
static guint64 parse_size(const char *text)
{
	static const struct {
		const char *unit;
		guint shift;
	} units[] = { { "KB", 10 }, { "MB", 20 }, { "GB", 30 }, { "TB", 40 } };
	guint64 number = source_parse_number(text);
	const char *unit = text + strspn(text, "0123456789");

	unit += strspn(unit, " ");
	if (number == FACTS_UNKNOWN || number > G_GUINT64_CONSTANT(1) << 20)
		return FACTS_UNKNOWN;
	if (number == 0)
		return 0;
	for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
		if (g_ascii_strcasecmp(unit, units[i].unit) == 0)
			return number << units[i].shift;

	return FACTS_UNKNOWN;
}

static DesktopSetting take_size(const char *value, guint64 *bytes, FactsWsl *wsl)
{
	*bytes = parse_size(value);
	if (*bytes != FACTS_UNKNOWN)
		return DESKTOP_SETTING_SET;
	complain(wsl, "a size in it has no unit like GB");
	return DESKTOP_SETTING_UNKNOWN;
}

static void take_entry(const char *key, const char *value, FactsWsl *wsl)
{
	if (g_ascii_strcasecmp(key, "memory") == 0) {
		wsl->memory = take_size(value, &wsl->memory_bytes, wsl);
	} else if (g_ascii_strcasecmp(key, "swap") == 0) {
		wsl->swap = take_size(value, &wsl->swap_bytes, wsl);
	} else if (g_ascii_strcasecmp(key, "processors") == 0) {
		wsl->cpu_count = source_parse_number(value);
		wsl->cpus = wsl->cpu_count != FACTS_UNKNOWN ? DESKTOP_SETTING_SET
		                                            : DESKTOP_SETTING_UNKNOWN;
	} else if (g_ascii_strcasecmp(key, "networkingMode") == 0) {
		g_free(wsl->networking);
		wsl->networking = g_ascii_strdown(value, -1);
	}
}

/* @section: (inout): that we are in. */
static void take_line(char *line, char **section, FactsWsl *wsl)
{
	char *equals = strchr(line, '=');
	char *end = strchr(line, ']');

	g_strstrip(line);
	if (*line == '\0' || *line == '#' || *line == ';')
		return;
	if (*line == '[') {
		if (end == NULL || end[1] != '\0')
			complain(wsl, "a [section] of it does not stand on a line of its own");
		g_free(*section);
		*section = g_ascii_strdown(line + 1, end != NULL ? end - line - 1 : -1);
		return;
	}
	if (equals == NULL) {
		complain(wsl, "it has a line that is no setting");
		return;
	}
	*equals = '\0';
	if (*section == NULL)
		complain(wsl, "settings in it stand above [wsl2]");
	else if (strcmp(*section, "wsl2") == 0)
		take_entry(g_strstrip(line), g_strstrip(equals + 1), wsl);
}

static bool is_utf16(const char *data, gsize size_bytes)
{
	return size_bytes >= 2 &&
	       (memcmp(data, "\xff\xfe", 2) == 0 || memcmp(data, "\xfe\xff", 2) == 0 ||
	        memchr(data, '\0', size_bytes));
}

void wsl_config_parse(GBytes *text, FactsWsl *wsl)
{
	gsize size_bytes = 0;
	const char *data = g_bytes_get_data(text, &size_bytes);
	g_autofree char *copy = data != NULL ? g_strndup(data, size_bytes) : g_strdup("");
	g_autofree char *section = NULL;
	g_auto(GStrv) lines = NULL;

	if (data != NULL && is_utf16(data, size_bytes)) {
		wsl->state = DESKTOP_MALFORMED;
		complain(wsl, "it is in UTF-16: WSL wants UTF-8");
		return;
	}
	wsl->state = DESKTOP_READ;
	wsl->memory = wsl->cpus = wsl->swap = DESKTOP_SETTING_DEFAULT;
	lines = g_strsplit(g_str_has_prefix(copy, "\xef\xbb\xbf") ? copy + 3 : copy, "\n", -1);
	for (char **line = lines; *line != NULL; line++)
		take_line(*line, &section, wsl);
}

/* People put it where it does nothing. */
static void look_elsewhere(const FactsSource *source, const char *windows, FactsWsl *wsl)
{
	const char *home = source_env(source, "HOME");
	g_autofree char *text = g_build_filename(windows, ".wslconfig.txt", NULL);
	g_autofree char *here =
		home != NULL ? g_build_filename(home, ".wslconfig", NULL) : g_strdup("");

	if (source_exists(source, text))
		complain(wsl, "it is called .wslconfig.txt");
	else if (*here != '\0' && source_exists(source, here))
		complain(wsl, "it lies in the home directory of Linux, not in that of Windows");
}

void facts_read_wsl(const FactsSource *source, const char *windows, FactsWsl *wsl)
{
	g_autofree char *path =
		windows != NULL ? g_build_filename(windows, ".wslconfig", NULL) : NULL;
	g_autofree char *full = path != NULL ? source_path(source, path) : NULL;
	g_autoptr(GBytes) text = NULL;
	g_autoptr(GError) error = NULL;

	wsl->distribution = g_strdup(source_env(source, "WSL_DISTRO_NAME"));
	wsl->has_desktop = source_exists(source, "/mnt/wsl/docker-desktop") ? FACT_YES : FACT_NO;
	if (path == NULL)
		return;
	if (!file_exists(full)) {
		look_elsewhere(source, windows, wsl);
		return;
	}

	wsl->file = g_steal_pointer(&path);
	text = file_read(full, CONFIG_MAX_BYTES, &error);
	if (text != NULL) {
		wsl_config_parse(text, wsl);
		return;
	}
	wsl->state = DESKTOP_UNREADABLE;
	wsl->why = fault_message(error);
}
