/* installer/command_keys_exec.c - "slipway keys exec": a program with secrets in its environment
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/ini.h"
#include "base/secret.h"
#include "installer/keys.h"
#include "payload/stacks.h"

static char *only_text;
static char *stack_name;
static gboolean is_optional;

const GOptionEntry command_keys_exec_options[] = {
	{ "only", 0, 0, G_OPTION_ARG_STRING, &only_text, "these keys and no others", "KEY,..." },
	{ "stack", 0, 0, G_OPTION_ARG_STRING, &stack_name, "the keys that a stack declares",
	  "STACK" },
	{ "optional", 0, 0, G_OPTION_ARG_NONE, &is_optional,
	  "run it without keys that cannot be had, with a warning", NULL },
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
		if (!add_wanted(list, *name, *name, true, error))
			return false;
	return true;
}

/* All that can be variables. */
static bool want_all(GPtrArray *list, Keystore *store, GError **error)
{
	g_autoptr(GPtrArray) entries = keystore_list(store, error);

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

static bool make_list(const App *app, GPtrArray *list, Keystore *store, GError **error)
{
	if (stack_name)
		return want_of_stack(app, list, error) && check_only(list, error);
	return only_text ? want_named(list, error) : want_all(list, store, error);
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

/* What could not be had, as far as the user should hear of it. */
typedef struct {
	GString *required; /* names, each behind a space */
	bool is_any;
	bool is_locked;
} Missing;

/* Returns: whether the program can do without. */
static bool excuse(const Wanted *wanted, const GError *cause, Missing *missing)
{
	missing->is_any = true;
	if (is_locked(cause)) {
		missing->is_locked = true;
		return is_optional;
	}
	if (!is_answer(cause, KEYSTORE_ERROR_NOT_FOUND))
		return false;
	if (wanted->is_required)
		g_string_append_printf(missing->required, " %s", wanted->name);
	return is_optional || !wanted->is_required;
}

/* Puts one secret into our environment, which the program inherits. */
static bool inject(Keystore *store, const Wanted *wanted, Missing *missing, GError **error)
{
	const char *value = g_getenv(wanted->variable);
	g_autoptr(GError) cause = NULL;

	if (value && value[0] != '\0')
		return true;
	g_autoptr(GBytes) secret = keystore_lookup(store, wanted->name, NULL, &cause);
	if (secret)
		return g_setenv(wanted->variable, secret_text(secret), true);
	if (excuse(wanted, cause, missing))
		return true;

	g_propagate_error(error, g_steal_pointer(&cause));
	return false;
}

/* One line, and only of what --optional let pass. */
static void warn_of(App *app, const Missing *missing, const char *program)
{
	if (!is_optional || !missing->is_any)
		return;
	if (missing->is_locked)
		term_warn(app->term, "slipway: the keystore is locked; %s starts without its keys",
		          program);
	else if (missing->required->len > 0)
		term_warn(app->term, "slipway: %s starts without these keys:%s", program,
		          missing->required->str);
}

static bool inject_all(App *app, const GPtrArray *list, Keystore *store, const char *program,
                       GError **error)
{
	g_autoptr(GString) required = g_string_new(NULL);
	Missing missing = { .required = required };

	for (guint i = 0; i < list->len; i++)
		if (!inject(store, g_ptr_array_index(list, i), &missing, error))
			return false;
	warn_of(app, &missing, program);
	return true;
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

/* Returns only when it failed. */
static void become(char **argv, GError **error)
{
	struct sigaction fallback = { .sa_handler = SIG_DFL };

	(void)sigaction(SIGPIPE, &fallback, NULL); /* ignoring it would be inherited */
	(void)sigaction(SIGXFSZ, &fallback, NULL);
	execvp(argv[0], argv);
	fault_set(error, errno == EACCES ? STATUS_DENIED : STATUS_UNAVAILABLE, NULL,
	          "cannot run %s: %s", argv[0], g_strerror(errno));
}

bool command_keys_exec(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	g_autoptr(Keystore) store = keys_open(app, error);
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(wanted_free);
	g_autoptr(GError) cause = NULL;

	if (!store)
		return false;
	if (!make_list(app, list, store, &cause)) {
		if (!is_optional || !is_locked(cause)) {
			g_propagate_error(error, g_steal_pointer(&cause));
			return false;
		}
		term_warn(app->term, "slipway: the keystore is locked; %s starts without its keys",
		          argv[0]);
	}
	if (!inject_all(app, list, store, argv[0], error))
		return false;

	hide_key_sources(app->settings);
	become(argv, error);
	return false;
}
