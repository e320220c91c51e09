/* installer/command_keys_exec.c - "slipway keys exec": a program with secrets in its environment
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/ini.h"
#include "base/secret.h"
#include "installer/keys.h"
#include "payload/stacks.h"

/* What a program that "keys exec" started finds in its environment: "PROFILE:NAME,...". */
#define NESTING_VARIABLE "SLIPWAY_KEYS_EXEC"

static char *only_text;
static char *stack_name;
static gboolean is_optional;
static gboolean is_pristine;
static gboolean is_nested;

const GOptionEntry command_keys_exec_options[] = {
	{ "only", 0, 0, G_OPTION_ARG_STRING, &only_text, "these keys and no others", "KEY,..." },
	{ "stack", 0, 0, G_OPTION_ARG_STRING, &stack_name, "the keys that a stack declares",
	  "STACK" },
	{ "optional", 0, 0, G_OPTION_ARG_NONE, &is_optional,
	  "run it without keys that cannot be had, with a warning", NULL },
	{ "pristine", 0, 0, G_OPTION_ARG_NONE, &is_pristine,
	  "give it the keys and the few variables that every program needs, nothing else", NULL },
	{ "nested", 0, 0, G_OPTION_ARG_NONE, &is_nested,
	  "inside a \"keys exec\" of another profile: take that one's keys away", NULL },
	{ 0 },
};

/** A key on its way into an environment. */
typedef struct {
	char *name;
	char *variable;
	bool is_required;
} Wanted;

static void wanted_free(gpointer data)
{
	Wanted *wanted = data;

	g_free(wanted->name);
	g_free(wanted->variable);
	g_free(wanted);
}

static bool add_wanted(GPtrArray *list, const char *name, const char *variable, bool is_required,
                       GError **error)
{
	if (keys_is_steering(variable) || !keys_is_variable(variable)) {
		fault_set(error, STATUS_USAGE, NULL, "the key %s cannot become the variable %s",
		          name, variable);
		return false;
	}

	Wanted *wanted = g_new0(Wanted, 1);
	wanted->name = g_strdup(name);
	wanted->variable = g_strdup(variable);
	wanted->is_required = is_required;
	g_ptr_array_add(list, wanted);
	return true;
}

static bool is_chosen(const char *name)
{
	g_auto(GStrv) only = only_text ? ini_list(only_text) : NULL;

	return !only || g_strv_contains((const char *const *)only, name);
}

/* A generated key is there once its profile is installed. */
static bool is_required(const StackKey *key, const char *profile)
{
	return key->kind != STACK_KEY_OPTIONAL && stack_in_profile(key->profiles, profile);
}

static bool want_of_stack(const App *app, GPtrArray *list, GError **error)
{
	g_autoptr(StackBundle) bundle = stacks_open(stack_name, error);
	const GPtrArray *keys = bundle ? stacks_definition(bundle)->keys : NULL;

	if (!bundle)
		return false;
	const char *profile = settings_text(app->settings, "profile");
	if (!profile)
		profile = stack_default_profile(stacks_definition(bundle));
	for (guint i = 0; i < keys->len; i++) {
		const StackKey *key = g_ptr_array_index(keys, i);

		if (is_chosen(key->name) &&
		    !add_wanted(list, key->name, key->variable, is_required(key, profile), error))
			return false;
	}
	return true;
}

static bool want_named(GPtrArray *list, GError **error)
{
	g_auto(GStrv) only = ini_list(only_text);

	for (char **name = only; *name; name++)
		if (!keystore_check_name(*name, error) ||
		    !add_wanted(list, *name, *name, true, error))
			return false;
	return true;
}

/* All that can be variables. */
static bool want_all(GPtrArray *list, Keystore *store, const char *profile, GError **error)
{
	g_autoptr(GPtrArray) entries = keystore_list(store, error);

	if (entries && entries->len == 0 && strcmp(profile, KEYSTORE_PROFILE_DEFAULT) != 0) {
		fault_set(error, STATUS_FAILED, "See \"slipway keys profiles\".",
		          "the profile %s has no keys", profile);
		return false;
	}

	for (guint i = 0; entries && i < entries->len; i++) {
		const KeystoreEntry *entry = g_ptr_array_index(entries, i);

		if (keys_is_variable(entry->name) &&
		    !add_wanted(list, entry->name, entry->name, true, error))
			return false;
	}
	return entries != NULL;
}

static bool is_named(const Wanted *wanted, const char *name)
{
	return strcmp(wanted->name, name) == 0;
}

/* A name in --only that the stack does not declare is a mistake, not a wish. */
static bool check_only(const GPtrArray *list, GError **error)
{
	g_auto(GStrv) only = only_text ? ini_list(only_text) : NULL;

	for (char **name = only; name && *name; name++) {
		bool is_known = false;

		for (guint i = 0; i < list->len; i++)
			is_known |= is_named(g_ptr_array_index(list, i), *name);
		if (!is_known) {
			fault_set(error, STATUS_USAGE, NULL, "the stack %s declares no key %s",
			          stack_name, *name);
			return false;
		}
	}
	return true;
}

static bool make_list(const App *app, GPtrArray *list, Keystore *store, const char *profile,
                      GError **error)
{
	if (stack_name)
		return want_of_stack(app, list, error) && check_only(list, error);
	return only_text ? want_named(list, error) : want_all(list, store, profile, error);
}

static bool is_answer(const GError *error, KeystoreError code)
{
	return g_error_matches(error, KEYSTORE_ERROR, (int)code);
}

static bool is_locked(const GError *error)
{
	return is_answer(error, KEYSTORE_ERROR_LOCKED) ||
	       is_answer(error, KEYSTORE_ERROR_UNAVAILABLE) ||
	       is_answer(error, KEYSTORE_ERROR_TIMEOUT);
}

/* Leaves what every program needs, and the keys. */
static void reduce_environment(const GPtrArray *list)
{
	static const char *const kept[] = { "PATH", "HOME",    "LANG",  "TERM",   "TZ",
		                            "USER", "LOGNAME", "SHELL", "TMPDIR", NULL };
	g_auto(GStrv) names = g_listenv();

	for (char **name = names; *name; name++) {
		bool is_kept = g_strv_contains(kept, *name);

		for (guint i = 0; i < list->len && !is_kept; i++)
			is_kept = strcmp(((const Wanted *)list->pdata[i])->variable, *name) == 0;
		if (!is_kept)
			g_unsetenv(*name);
	}
}

static bool check_missing(App *app, const GString *missing, const char *program, GError **error)
{
	if (missing->len == 0)
		return true;
	if (is_optional) {
		term_warn(app->term, "slipway: %s starts without these keys:%s", program,
		          missing->str);
		return true;
	}
	fault_set(error, STATUS_FAILED,
	          "Add them with \"slipway keys set NAME\", or let it start with --optional.",
	          "there is no key for:%s", missing->str);
	return false;
}

/* What is set already wins, and needs no keystore.
 * Returns: (transfer container) (element-type Wanted): the others. */
static GPtrArray *not_given(const GPtrArray *list)
{
	GPtrArray *others = g_ptr_array_new();

	for (guint i = 0; i < list->len; i++)
		if (!keys_is_in_environment(((const Wanted *)list->pdata[i])->variable))
			g_ptr_array_add(others, list->pdata[i]);
	return others;
}

/** What is started, with whose keys. */
typedef struct {
	const char *program;
	const char *profile;
} Target;

/* One round trip for all of them.  @given: (out): the names of the variables that it sets. */
static bool inject(App *app, const GPtrArray *list, Keystore *store, const char *program,
                   GPtrArray *given, GError **error)
{
	g_autoptr(GPtrArray) others = not_given(list);
	g_autofree const char **names = g_new0(const char *, others->len + 1);
	g_autofree GBytes **secrets = g_new0(GBytes *, others->len + 1);
	g_autoptr(GString) missing = g_string_new(NULL);

	for (guint i = 0; i < others->len; i++)
		names[i] = ((const Wanted *)others->pdata[i])->name;
	if (others->len > 0 && !keystore_lookup_all(store, names, secrets, error))
		return false;
	for (guint i = 0; i < others->len; i++) {
		const Wanted *wanted = others->pdata[i];

		if (secrets[i] && g_setenv(wanted->variable, secret_text(secrets[i]), true))
			g_ptr_array_add(given, g_strdup(wanted->variable));
		else if (wanted->is_required)
			g_string_append_printf(missing, " %s", wanted->name);
		g_clear_pointer(&secrets[i], g_bytes_unref);
	}
	return check_missing(app, missing, program, error);
}

/* What is locked, --optional lets pass. */
static bool find_keys(App *app, GPtrArray *list, const Target *target, GPtrArray *given,
                      GError **error)
{
	g_autoptr(Keystore) store = keys_open_profile(app, target->profile, error);
	g_autoptr(GError) cause = NULL;

	if (!store)
		return false;
	if (make_list(app, list, store, target->profile, &cause) &&
	    inject(app, list, store, target->program, given, &cause))
		return true;
	if (!is_optional || !is_locked(cause)) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return false;
	}
	term_warn(app->term, "slipway: the keystore is locked; %s starts without its keys",
	          target->program);
	return true;
}

/* The variables of the "keys exec" that we run in would win over the keys of another profile.
 * @outer: "PROFILE", "NAME,..."; empty when there is none. */
static bool check_nesting(char *const *outer, const char *profile, GError **error)
{
	if (!outer[0] || strcmp(outer[0], profile) == 0)
		return true;
	if (!is_nested) {
		fault_set(error, STATUS_USAGE,
		          "Leave that shell, or add --nested to take its keys away.",
		          "this runs in a \"keys exec\" of the profile %s", outer[0]);
		return false;
	}

	g_auto(GStrv) names = ini_list(outer[1] ? outer[1] : "");
	for (char **name = names; *name; name++)
		if (keys_is_variable(*name) && !keys_is_steering(*name))
			g_unsetenv(*name);
	g_unsetenv(NESTING_VARIABLE);
	return true;
}

/* With a stack, --profile is one of the stack's; its launcher follows the shell that it runs in. */
static const char *choose_profile(const App *app, char *const *outer)
{
	const char *profile = settings_text(app->settings, "key-profile");

	if (!stack_name)
		return keys_profile_of_command(app);
	if (outer[0] && g_str_equal(settings_origin(app->settings, "key-profile"), "default"))
		return outer[0];
	return profile ? profile : KEYSTORE_PROFILE_DEFAULT;
}

/* Leaves word for a "keys exec" that is started in this one. */
static void mark_nesting(char *const *outer, const char *profile, GPtrArray *given)
{
	bool goes_on = outer[0] && strcmp(outer[0], profile) == 0;

	if (goes_on && outer[1] && *outer[1])
		g_ptr_array_insert(given, 0, g_strdup(outer[1]));
	g_ptr_array_add(given, NULL);

	g_autofree char *names = g_strjoinv(",", (char **)given->pdata);
	g_autofree char *text = g_strdup_printf("%s:%s", profile, names);
	(void)g_setenv(NESTING_VARIABLE, text, true);
}

/* The program gets neither the way to the store's own key nor what is left of it. */
static void hide_key_sources(const Settings *settings)
{
	static const char *const names[] = { "SLIPWAY_KEY_FILE", "SLIPWAY_PASSPHRASE_FILE",
		                             "SLIPWAY_PASSPHRASE_FD" };
	const char *text = settings_text(settings, "passphrase-fd");
	int fd = text ? (int)g_ascii_strtoll(text, NULL, 10) : -1;

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		g_unsetenv(names[i]);

	g_auto(FileFd) null = fd >= 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
	if (null >= 0 && fd <= STDERR_FILENO)
		(void)dup2(null, fd);
	else if (fd > STDERR_FILENO)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* All descriptors of ours close themselves; those of the caller are for the program. */
static bool become(char **argv, GError **error)
{
	cancel_restore();
	execvp(argv[0], argv);
	fault_set(error, errno == EACCES ? STATUS_DENIED : STATUS_UNAVAILABLE, NULL,
	          "cannot run %s: %s", argv[0], g_strerror(errno));
	return false;
}

bool command_keys_exec(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	const char *marker = g_getenv(NESTING_VARIABLE);
	g_auto(GStrv) outer = g_strsplit(marker ? marker : "", ":", 2);
	Target target = { argv[0], choose_profile(app, outer) };
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(wanted_free);
	g_autoptr(GPtrArray) given = g_ptr_array_new_with_free_func(g_free);

	if (!check_nesting(outer, target.profile, error) ||
	    !find_keys(app, list, &target, given, error))
		return false;

	if (is_pristine)
		reduce_environment(list);
	mark_nesting(outer, target.profile, given);
	hide_key_sources(app->settings);
	return become(argv, error);
}
