/* installer/settings.h - settings, and where each value came from
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

#include "base/json.h"
#include "base/paths.h"

/** One setting.  The flag is --NAME, the environment variable SLIPWAY_NAME in capitals with "_";
 *  in files it is a key of section [slipway]. */
typedef struct {
	const char *name;
	enum {
		SETTING_TEXT,
		SETTING_PATH,
		SETTING_FLAG,
		SETTING_SECONDS,
		SETTING_COUNT,
		SETTING_LIST
	} type;
	const char *fallback; /* (nullable) */
	const char *argument; /* (nullable): for help, "DIR" */
	const char *meaning;  /* for help and the manual page; one phrase */
} SettingRow;

extern const SettingRow setting_table[];
extern const gsize setting_count;

typedef struct Settings Settings;

/**
 * Reads /etc/slipway/slipway.ini, the user's file and ./slipway.ini (each optional), then the
 * environment.  Flags are put on top by settings_set_flag().
 *
 * Returns: (transfer full): the settings; or NULL with CONFIG (file:line:column, or the variable)
 * set.
 */
Settings *settings_new(const Paths *paths, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): the defaults alone, for a user without a home. */
Settings *settings_new_default(void);
void settings_free(Settings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_free)

/** Puts a value from the command line on top; one more of a list is added.  Returns: false with CONFIG or USAGE set. */
bool settings_set_flag(Settings *settings, const char *name, const char *value, GError **error);

/** Returns: (transfer none) (nullable): the value; paths are expanded and absolute. */
const char *settings_text(const Settings *settings, const char *name);

/** Returns: a flag's value; false by default. */
bool settings_flag(const Settings *settings, const char *name);

/** Returns: a number's value. */
guint settings_count(const Settings *settings, const char *name);

/** Returns: a time's value, in seconds. */
guint settings_seconds(const Settings *settings, const char *name);

/** Returns: (transfer none): NULL-terminated. */
char *const *settings_list(const Settings *settings, const char *name);

/** Returns: (transfer none): "default", "flag", "SLIPWAY_X", or the file with its line. */
const char *settings_origin(const Settings *settings, const char *name);

/** Returns: (transfer full): where @url is to be asked for: with the longest matching prefix of the
 *  mirrors setting (FROM=TO) replaced, once for each TO, in their order; @url itself where none matches. */
char **settings_mirrors(const Settings *settings, const char *url);

/** Returns: (transfer full): the first of settings_mirrors(). */
char *settings_mirror(const Settings *settings, const char *url);
