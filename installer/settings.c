/* installer/settings.c - flag > environment > files > default, each with its origin
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/settings.h"

#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/ini.h"
#include "base/nearest.h"

#define VARIABLE_PREFIX "SLIPWAY_"

/* clang-format off */
const SettingRow setting_table[] = {
	{ "yes", SETTING_FLAG, NULL, NULL, "accept the plan without asking" },
	{ "defer", SETTING_FLAG, NULL, NULL, "put off steps whose source cannot be reached" },
	{ "keep-partial", SETTING_FLAG, NULL, NULL, "after a failure, keep what was done for \"slipway resume\"" },
	{ "only", SETTING_LIST, NULL, "STEP,...", "do only these steps and what they depend on" },
	{ "skip", SETTING_LIST, NULL, "STEP,...", "leave out these steps and what depends on them" },
	{ "prefix", SETTING_PATH, NULL, "DIR", "install there instead of the stack's own place" },
	{ "bin", SETTING_PATH, "~/.local/bin", "DIR", "put commands there" },
	{ "add-to-path", SETTING_FLAG, NULL, NULL, "put that directory on the PATH: a block in the file that the shell reads when it starts" },
	{ "profile", SETTING_TEXT, NULL, "PROFILE", "which of the stack's profiles; for \"slipway keys\", whose keys" },
	{ "set", SETTING_LIST, NULL, "KEY=VALUE,...", "replace values of the stack: source.revision=..., source.url=..." },
	{ "mirror", SETTING_LIST, NULL, "FROM=TO,...", "fetch URLs that start with FROM from TO instead; of several TO, the first that has it" },
	{ "redirect-hosts", SETTING_LIST, NULL, "HOST,...", "let downloads be redirected to these hosts, too, and to those below them" },
	{ "ca-bundle", SETTING_PATH, NULL, "FILE", "trust the CA certificates in it, instead of the system's" },
	{ "release-url", SETTING_TEXT, RELEASE_URL, "URL", "where \"slipway update\" looks for releases" },
	{ "python-index", SETTING_TEXT, NULL, "URL", "package index for Python environments" },
	{ "python-wheels", SETTING_PATH, NULL, "DIR", "directory of wheels, used instead of an index" },
	{ "ignore", SETTING_LIST, NULL, "CHECK,...", "checks that may fail; shown as ignored" },
	{ "user", SETTING_FLAG, NULL, NULL, "use no root: with --defer, put off what needs it" },
	{ "reversible-only", SETTING_FLAG, NULL, NULL, "refuse a plan with a step that cannot be taken back" },
	{ "accept", SETTING_LIST, NULL, "irreversible", "with --yes, go on though a step cannot be taken back" },
	{ "timeout", SETTING_SECONDS, "14400", "SECONDS", "after that long, stop and take everything back; 0: never" },
	{ "lock-timeout", SETTING_SECONDS, "0", "SECONDS", "wait that long for another slipway" },
	{ "package-lock-timeout", SETTING_SECONDS, "300", "SECONDS", "wait that long for the package manager's lock" },
	{ "network-timeout", SETTING_SECONDS, "10", "SECONDS", "wait that long when asking whether a source answers" },
	{ "check-timeout", SETTING_SECONDS, "2", "SECONDS", "let \"slipway check --network\" wait that long for all servers together" },
	{ "key-backend", SETTING_TEXT, "auto", "PLACE", "where keys are kept: auto, secret-service (the desktop's keyring) or file" },
	{ "key-profile", SETTING_TEXT, "default", "PROFILE", "whose keys: a name for a set of them" },
	{ "keyring-timeout", SETTING_SECONDS, "10", "SECONDS", "wait that long for the desktop's keyring to answer" },
	{ "unlock-timeout", SETTING_SECONDS, "120", "SECONDS", "wait that long for a person to unlock the desktop's keyring" },
	{ "keystore", SETTING_PATH, NULL, "FILE", "the encrypted file with the keys" },
	{ "key-file", SETTING_PATH, NULL, "FILE", "32 bytes that open the keystore" },
	{ "passphrase-file", SETTING_PATH, NULL, "FILE", "file with the passphrase of the keystore" },
	{ "passphrase-fd", SETTING_TEXT, NULL, "N", "descriptor to read the passphrase from" },
	{ "accept-rollback", SETTING_FLAG, NULL, NULL, "take an older version of the keystore than was seen here" },
	{ "service-manager", SETTING_TEXT, "auto", "MANAGER", "who starts what goes on running: auto, systemd, systemd-user, openrc, launchd or process (nobody)" },
	{ "html", SETTING_PATH, NULL, "FILE", "write a page: which step of a run took how long, or what the checks found" },
	{ "jobs", SETTING_COUNT, "0", "N", "run that many steps at once; 0: all that can" },
	{ "json", SETTING_FLAG, NULL, NULL, "print one JSON document" },
	{ "events", SETTING_FLAG, NULL, NULL, "print NDJSON while it runs" },
	{ "plain", SETTING_FLAG, NULL, NULL, "no colour, no live progress" },
	{ "quiet", SETTING_FLAG, NULL, NULL, "errors and results only" },
};
/* clang-format on */
const gsize setting_count = G_N_ELEMENTS(setting_table);

typedef struct {
	char *text; /* (nullable) */
	char **list;
	char *origin;
} Value;

struct Settings {
	Value values[G_N_ELEMENTS(setting_table)];
	char *home; /* for "~" */
};

static gsize row_index(const char *name)
{
	for (gsize i = 0; i < setting_count; i++)
		if (strcmp(setting_table[i].name, name) == 0)
			return i;

	return setting_count;
}

static char *nearest_setting(const char *word)
{
	Nearest nearest = { .word = word };

	for (gsize i = 0; i < setting_count; i++)
		nearest_try(&nearest, setting_table[i].name);

	return nearest_hint(&nearest);
}

static const Value *value_of(const Settings *settings, const char *name)
{
	gsize i = row_index(name);

	g_return_val_if_fail(i < setting_count, &settings->values[0]);
	return &settings->values[i];
}

/* Absolute, "~" replaced; a relative path is taken from where the user stands. */
static char *absolute_path(const Settings *settings, const char *text)
{
	if (g_str_equal(text, "~") || g_str_has_prefix(text, "~/")) {
		g_autofree char *joined = g_build_filename(settings->home, text + 1, NULL);
		return g_canonicalize_filename(joined, "/");
	}

	return g_canonicalize_filename(text, NULL);
}

static bool is_pair(const char *word)
{
	return strcspn(word, "=") > 0 && strchr(word, '=');
}

static bool is_mirror(const char *word)
{
	const char *to = strchr(word, '=');

	return to && g_strstr_len(word, to - word, "://") &&
	       (to[1] == '/' || strstr(to + 1, "://"));
}

static bool is_host(const char *word)
{
	return !strpbrk(word, "/:@ ");
}

static bool is_acceptable(const char *word)
{
	return g_str_equal(word, "irreversible");
}

static bool is_place(const char *word)
{
	return *word == '/' || g_str_has_prefix(word, "https://") ||
	       g_str_has_prefix(word, "http://") || g_str_has_prefix(word, "file:///");
}

/* What each word of a setting has to look like, where not any word will do. */
static const struct {
	const char *name;
	bool (*is_right)(const char *word);
	const char *fault;
} form_table[] = {
	{ "set", is_pair, "is not KEY=VALUE" },
	{ "mirror", is_mirror,
	  "is not FROM=TO: the start of a URL, and another one or an absolute path" },
	{ "redirect-hosts", is_host, "is not the name of a host" },
	{ "accept", is_acceptable, "cannot be accepted, only \"irreversible\" can" },
	{ "release-url", is_place, "is neither a URL, https://..., nor an absolute path" },
	{ "python-index", is_place, "is neither a URL, https://..., nor an absolute path" },
};

static const char *form_fault(const SettingRow *row, const char *text)
{
	g_auto(GStrv) words =
		row->type == SETTING_LIST ? ini_list(text) : g_strsplit(text, "\x01", 1);

	for (gsize i = 0; i < G_N_ELEMENTS(form_table); i++)
		for (char **word = words; g_str_equal(form_table[i].name, row->name) && *word;
		     word++)
			if (!form_table[i].is_right(*word))
				return form_table[i].fault;

	return NULL;
}

/* Returns: what is wrong with @text for this row; NULL when nothing is. */
static const char *value_fault(const SettingRow *row, const char *text)
{
	static const char *const flags[] = { "yes", "no", "true", "false", "1", "0", "", NULL };
	guint64 number = 0;

	if (row->type == SETTING_FLAG && !g_strv_contains(flags, text))
		return "is not yes or no";
	if (row->type == SETTING_SECONDS &&
	    !g_ascii_string_to_unsigned(text, 10, 0, 86400, &number, NULL))
		return "is not a number of seconds from 0 to 86400";
	if (row->type == SETTING_COUNT &&
	    !g_ascii_string_to_unsigned(text, 10, 0, 1000, &number, NULL))
		return "is not a number from 0 to 1000";
	if (row->type == SETTING_PATH &&
	    (*text == '\0' || (*text == '~' && text[1] != '/' && text[1])))
		return "is not a path";

	return form_fault(row, text);
}

static void set_value(Settings *settings, gsize i, const char *text, char *origin)
{
	Value *value = &settings->values[i];

	g_free(value->text);
	g_free(value->origin);
	g_strfreev(value->list);
	value->text = setting_table[i].type == SETTING_PATH ? absolute_path(settings, text)
	                                                    : g_strdup(text);
	value->list = setting_table[i].type == SETTING_LIST ? ini_list(text) : NULL;
	value->origin = origin;
}

static bool set_from_entry(Settings *settings, const IniFile *ini, const IniEntry *entry,
                           const char *path, GError **error)
{
	gsize i = row_index(entry->key);

	if (!g_str_equal(entry->section, "slipway"))
		return ini_fail(ini, entry, error, "there is no section [%s] here, only [slipway]",
		                entry->section);
	if (i == setting_count) {
		g_autofree char *nearest = nearest_setting(entry->key);

		return ini_fail(ini, entry, error, "there is no setting \"%s\"%s", entry->key,
		                nearest);
	}

	const char *fault = value_fault(&setting_table[i], entry->value);
	if (fault)
		return ini_fail(ini, entry, error, "%s = %s: that %s", entry->key, entry->value,
		                fault);

	set_value(settings, i, entry->value, g_strdup_printf("%s:%u", path, entry->line));
	return true;
}

static bool set_from_file(Settings *settings, const char *path, GError **error)
{
	if (!file_exists(path))
		return true;

	g_autoptr(IniFile) ini = ini_read(path, error);
	if (!ini)
		return false;

	const GPtrArray *entries = ini_entries(ini);
	for (guint i = 0; i < entries->len; i++)
		if (!set_from_entry(settings, ini, entries->pdata[i], path, error))
			return false;

	return true;
}

/* "KEY_FILE" stands for "key-file". */
static bool stands_for(const char *variable, const char *name)
{
	while (*name && *variable == (*name == '-' ? '_' : g_ascii_toupper(*name))) {
		name++;
		variable++;
	}
	return *name == '\0' && *variable == '\0';
}

static gsize row_of_variable(const char *variable)
{
	gsize i = 0;

	while (i < setting_count &&
	       !stands_for(variable + strlen(VARIABLE_PREFIX), setting_table[i].name))
		i++;
	return i;
}

static bool set_from_variable(Settings *settings, const char *variable, GError **error)
{
	gsize i = row_of_variable(variable);
	const char *text = g_getenv(variable);

	if (i == setting_count || !text || *text == '\0')
		return true;

	const char *fault = value_fault(&setting_table[i], text);
	if (fault) {
		fault_set(error, STATUS_CONFIG, NULL, "%s=%s: that %s", variable, text, fault);
		return false;
	}

	set_value(settings, i, text, g_strdup(variable));
	return true;
}

/* Once through the environment, not once for each setting: that could be felt at each start. */
static bool set_from_environment(Settings *settings, GError **error)
{
	g_auto(GStrv) variables = g_listenv();

	for (char **variable = variables; *variable; variable++)
		if (g_str_has_prefix(*variable, VARIABLE_PREFIX) &&
		    !set_from_variable(settings, *variable, error))
			return false;
	return true;
}

static Settings *new_settings(const char *home)
{
	Settings *settings = g_new0(Settings, 1);

	settings->home = g_strdup(home);
	for (gsize i = 0; i < setting_count; i++)
		if (setting_table[i].fallback)
			set_value(settings, i, setting_table[i].fallback, g_strdup("default"));
	return settings;
}

Settings *settings_new_default(void)
{
	return new_settings("/");
}

Settings *settings_new(const Paths *paths, GError **error)
{
	g_autoptr(Settings) settings = new_settings(paths->home);
	g_autofree char *user_file = g_build_filename(paths->config, "slipway.ini", NULL);
	const char *const files[] = { "/etc/slipway/slipway.ini", user_file, "slipway.ini" };

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
		if (!set_from_file(settings, files[i], error))
			return NULL;

	return set_from_environment(settings, error) ? g_steal_pointer(&settings) : NULL;
}

void settings_free(Settings *settings)
{
	if (!settings)
		return;

	for (gsize i = 0; i < setting_count; i++) {
		g_free(settings->values[i].text);
		g_free(settings->values[i].origin);
		g_strfreev(settings->values[i].list);
	}
	g_free(settings->home);
	g_free(settings);
}

bool settings_set_flag(Settings *settings, const char *name, const char *value, GError **error)
{
	gsize i = row_index(name);
	const char *text = value ? value : "yes";
	const char *fault = i < setting_count ? value_fault(&setting_table[i], text) : NULL;

	g_return_val_if_fail(i < setting_count, false);
	if (fault) {
		fault_set(error, STATUS_USAGE, "See \"slipway help\".", "--%s %s: that %s", name,
		          text, fault);
		return false;
	}

	const Value *before = &settings->values[i];
	bool is_more =
		setting_table[i].type == SETTING_LIST && g_strcmp0(before->origin, "flag") == 0;
	g_autofree char *whole =
		is_more ? g_strconcat(before->text, ",", text, NULL) : g_strdup(text);
	set_value(settings, i, whole, g_strdup("flag"));
	return true;
}

const char *settings_text(const Settings *settings, const char *name)
{
	const char *text = value_of(settings, name)->text;

	return text && *text ? text : NULL;
}

bool settings_flag(const Settings *settings, const char *name)
{
	const char *text = value_of(settings, name)->text;

	return text &&
	       (g_str_equal(text, "yes") || g_str_equal(text, "true") || g_str_equal(text, "1"));
}

guint settings_count(const Settings *settings, const char *name)
{
	const char *text = value_of(settings, name)->text;

	return text ? (guint)g_ascii_strtoull(text, NULL, 10) : 0;
}

guint settings_seconds(const Settings *settings, const char *name)
{
	return settings_count(settings, name);
}

char *const *settings_list(const Settings *settings, const char *name)
{
	static char *const empty[] = { NULL };
	char **list = value_of(settings, name)->list;

	return list ? list : empty;
}

const char *settings_origin(const Settings *settings, const char *name)
{
	const char *origin = value_of(settings, name)->origin;

	return origin ? origin : "default";
}

/* Returns: how much of @url the FROM of "FROM=TO" is; 0: it is not its start. */
static gsize matching(const char *rule, const char *url)
{
	const char *to = strchr(rule, '=');
	gsize length = to ? (gsize)(to - rule) : 0;

	return strncmp(url, rule, length) == 0 ? length : 0;
}

char **settings_mirrors(const Settings *settings, const char *url)
{
	char *const *rules = settings_list(settings, "mirror");
	g_autoptr(GPtrArray) places = g_ptr_array_new();
	gsize longest = 0;

	for (char *const *rule = rules; *rule; rule++)
		longest = MAX(longest, matching(*rule, url));
	for (char *const *rule = rules; longest && *rule; rule++)
		if (matching(*rule, url) == longest)
			g_ptr_array_add(places,
			                g_strconcat(*rule + longest + 1, url + longest, NULL));
	if (!longest)
		g_ptr_array_add(places, g_strdup(url));
	g_ptr_array_add(places, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&places), FALSE);
}

char *settings_mirror(const Settings *settings, const char *url)
{
	g_auto(GStrv) places = settings_mirrors(settings, url);

	return g_strdup(places[0]);
}
