/* installer/command_keys_set.c - "slipway keys set": a secret from a person, a pipe or a variable
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/secret.h"
#include "installer/handover_users.h"
#include "installer/key_verify.h"
#include "installer/keys.h"
#include "keystore/descriptor.h"

#define DESCRIPTOR_MAX 1023
#define DAYS_MAX 36500

static gboolean is_from_stdin;
static gboolean is_from_environment;
static gboolean is_verifying;
static char *descriptor_text;
static char *variable_name;
static char *expires_text;

static gboolean take_variable(const char *option G_GNUC_UNUSED, const char *value,
                              gpointer data G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
	is_from_environment = true;
	g_free(variable_name);
	variable_name = g_strdup(value);
	return true;
}

const GOptionEntry command_keys_set_options[] = {
	{ "stdin", 0, 0, G_OPTION_ARG_NONE, &is_from_stdin,
	  "read the secret from stdin; one line break at its end is taken off", NULL },
	{ "fd", 0, 0, G_OPTION_ARG_STRING, &descriptor_text, "read it from that descriptor", "N" },
	{ "from-env", 0, G_OPTION_FLAG_OPTIONAL_ARG, G_OPTION_ARG_CALLBACK,
	  __extension__(gpointer) take_variable,
	  "take it from that variable; without VAR, from the one of the same name", "VAR" },
	{ "verify", 0, 0, G_OPTION_ARG_NONE, &is_verifying, "keep it only if its provider takes it",
	  NULL },
	{ "expires", 0, 0, G_OPTION_ARG_STRING, &expires_text,
	  "note when it ends: a day (2030-12-31) or a number of days from now", "WHEN" },
	{ 0 },
};

static bool fail_usage(GError **error, const char *hint, const char *message)
{
	fault_set(error, STATUS_USAGE, hint, "%s", message);
	return false;
}

static GBytes *read_descriptor(int fd, GError **error)
{
	GBytes *secret = descriptor_read_secret(fd, KEYSTORE_SECRET_MAX, error);

	if (!secret)
		g_prefix_error(error, "cannot read the secret from %s: ",
		               fd == STDIN_FILENO ? "stdin" : descriptor_text);
	return secret;
}

static GBytes *read_stdin(GError **error)
{
	if (!isatty(STDIN_FILENO))
		return read_descriptor(STDIN_FILENO, error);
	(void)fail_usage(error, "Leave out --stdin to be asked without echo.",
	                 "stdin is a terminal, which would show the secret");
	return NULL;
}

static GBytes *read_number(GError **error)
{
	guint64 number = 0;

	if (!g_ascii_string_to_unsigned(descriptor_text, 10, 0, DESCRIPTOR_MAX, &number, NULL)) {
		fault_set(error, STATUS_USAGE, NULL, "--fd %s: that is not a descriptor",
		          descriptor_text);
		return NULL;
	}
	return read_descriptor((int)number, error);
}

static GBytes *read_variable(const char *name, GError **error)
{
	const char *variable = variable_name ? variable_name : name;
	const char *value = g_getenv(variable);

	if (value && value[0] != '\0')
		return secret_new(value, strlen(value));
	fault_set(error, STATUS_USAGE, NULL, "the environment variable %s is not set, or empty",
	          variable);
	return NULL;
}

static GBytes *ask(App *app, const char *name, GError **error)
{
	g_autofree char *prompt = g_strdup_printf("Secret for %s", name);

	if (term_can_ask(app->term))
		return term_ask_secret(app->term, prompt, error);
	(void)fail_usage(error, "Write it into \"slipway keys set NAME --stdin\".",
	                 "there is no terminal to ask for the secret on");
	return NULL;
}

/* @origin: (out): how it came, for the note. */
static GBytes *read_secret(App *app, const char *name, const char **origin, GError **error)
{
	*origin = is_from_stdin         ? "stdin"
	          : descriptor_text     ? "fd"
	          : is_from_environment ? "environment"
	                                : "prompt";
	if (is_from_stdin)
		return read_stdin(error);
	if (descriptor_text)
		return read_number(error);
	return is_from_environment ? read_variable(name, error) : ask(app, name, error);
}

/* Returns: the end of that day, UTC; -1 when it is no day. */
static gint64 end_of_day(const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "-", -1);
	guint64 numbers[3] = { 0 };

	if (g_strv_length(parts) != G_N_ELEMENTS(numbers) || strlen(text) != strlen("2030-12-31"))
		return -1;
	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
		if (!g_ascii_string_to_unsigned(parts[i], 10, 1, 9999, &numbers[i], NULL))
			return -1;

	g_autoptr(GDateTime) day =
		g_date_time_new_utc((int)numbers[0], (int)numbers[1], (int)numbers[2], 23, 59, 59);
	return day ? g_date_time_to_unix(day) : -1;
}

static bool read_expiry(gint64 *expires_s, GError **error)
{
	gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
	guint64 days = 0;

	*expires_s = 0;
	if (!expires_text)
		return true;
	if (g_ascii_string_to_unsigned(expires_text, 10, 1, DAYS_MAX, &days, NULL))
		*expires_s = now_s + (gint64)days * 86400;
	else
		*expires_s = end_of_day(expires_text);
	if (*expires_s > now_s)
		return true;
	fault_set(error, STATUS_USAGE, NULL,
	          "--expires %s: that is neither a day to come (2030-12-31) nor 1 to %d days",
	          expires_text, DAYS_MAX);
	return false;
}

/* What can be wrong before anybody is asked. */
static bool check(const char *name, GError **error)
{
	if (is_from_stdin + is_from_environment + (descriptor_text != NULL) > 1)
		return fail_usage(error, NULL,
		                  "--stdin, --fd and --from-env are three places to read from");
	if (keys_is_steering(name)) {
		fault_set(error, STATUS_USAGE, NULL,
		          "%s steers programs; it cannot be the name of a key", name);
		return false;
	}
	if (g_str_has_suffix(name, ".pending") || g_str_has_suffix(name, ".previous"))
		return fail_usage(error, "See \"slipway help keys rotate\".",
		                  "names that end with .pending or .previous belong to rotation");
	return keystore_check_name(name, error);
}

/* @verified_s: (out): 0 when nobody was asked. */
static bool verify(const App *app, const char *name, GBytes *secret, gint64 *verified_s,
                   GError **error)
{
	g_autofree char *why = NULL;

	if (!is_verifying)
		return true;
	KeyVerdict verdict = key_verify(app, name, secret, &why);
	if (verdict == KEY_VALID || verdict == KEY_LIMITED) {
		*verified_s = g_get_real_time() / G_USEC_PER_SEC;
		term_note(app->term, "Verified: %s.", why);
		return true;
	}
	fault_set(error, verdict == KEY_REFUSED ? STATUS_FAILED : STATUS_UNAVAILABLE,
	          verdict == KEY_REFUSED ? NULL : "Leave out --verify to keep it all the same.",
	          "%s was not saved: %s", name, why);
	return false;
}

bool command_keys_set(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	const char *name = argv[0];
	const char *origin = NULL;
	KeystoreNote note = { 0 };

	if (!check(name, error) || !read_expiry(&note.expires_s, error))
		return false;

	g_autoptr(Keystore) store = keys_open_for_command(app, error);
	g_autoptr(GBytes) secret = store ? read_secret(app, name, &origin, error) : NULL;
	if (!secret || !verify(app, name, secret, &note.verified_s, error))
		return false;
	(void)g_strlcpy(note.origin, origin, sizeof(note.origin));
	if (!keystore_save_noted(store, name, secret, &note, error))
		return false;

	const char *place = keystore_back_end(store, NULL, NULL);
	term_note(app->term, "Saved %s in: %s.", name, place);
	if (keys_is_in_environment(name))
		term_note(app->term, "The environment variable %s is set and wins over it.", name);
	app->document = json_pack("{s:s, s:s, s:s}", "name", name, "profile",
	                          keys_profile_of_command(app), "backend", place);
	handover_tell_users(app, name);
	return true;
}
