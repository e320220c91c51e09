/* installer/keys.c - from settings to keystore, from its answers to exit statuses
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/keys.h"

#include <string.h>

#include "base/cancel.h"
#include "base/fault.h"

#define DESCRIPTOR_MAX 1023

static GBytes *ask(const char *prompt, gpointer data, GError **error)
{
	return term_ask_secret(data, prompt, error);
}

static void tell(const char *line, gpointer data)
{
	term_warn(data, "slipway: %s", line);
}

static bool read_descriptor(const Settings *settings, int *fd, GError **error)
{
	const char *text = settings_text(settings, "passphrase-fd");
	guint64 number = 0;

	*fd = -1;
	if (!text || text[0] == '\0')
		return true;
	if (!g_ascii_string_to_unsigned(text, 10, 0, DESCRIPTOR_MAX, &number, NULL)) {
		fault_set(error, STATUS_CONFIG, NULL,
		          "passphrase-fd (%s): \"%s\" is not a descriptor",
		          settings_origin(settings, "passphrase-fd"), text);
		return false;
	}
	*fd = (int)number;
	return true;
}

char *keys_path(const App *app)
{
	const char *path = settings_text(app->settings, "keystore");

	return path ? g_strdup(path) : g_build_filename(app->paths->data, "keystore", NULL);
}

/** What is not in the settings. */
typedef struct {
	const char *profile; /* (nullable) */
	bool can_ask;
	bool is_stored_only; /* whatever the environment says */
} Opening;

/* One for each store file, so that two stores do not look like two versions of one. */
static char *seen_path(const App *app, const char *path)
{
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, path, -1);
	g_autofree char *name = g_strdup_printf("keystore-%.16s.seen", digest);

	return g_build_filename(app->paths->state, name, NULL);
}

static Keystore *open_with(App *app, Opening opening, GError **error)
{
	g_autofree char *path = keys_path(app);
	g_autofree char *key_file = g_build_filename(app->paths->state, "keystore.key", NULL);
	g_autofree char *audit = g_strconcat(path, ".audit", NULL);
	g_autofree char *seen = seen_path(app, path);
	KeystoreOptions options = {
		.back_end = settings_text(app->settings, "key-backend"),
		.path = path,
		.profile = opening.profile,
		.ignores_environment = opening.is_stored_only,
		.passphrase_file = settings_text(app->settings, "passphrase-file"),
		.key_file = settings_text(app->settings, "key-file"),
		.default_key_file = key_file,
		.ask = opening.can_ask ? ask : NULL,
		.tell = opening.can_ask ? tell : NULL,
		.warn = tell,
		.audit_path = audit,
		.seen_path = seen,
		.accept_rollback = settings_flag(app->settings, "accept-rollback"),
		.data = app->term,
		.answer_timeout_ms = settings_seconds(app->settings, "keyring-timeout") * 1000,
		.unlock_timeout_ms = settings_seconds(app->settings, "unlock-timeout") * 1000,
	};

	if ((opening.profile && !keystore_check_profile(opening.profile, error)) ||
	    !read_descriptor(app->settings, &options.passphrase_fd, error))
		return NULL;
	return keystore_open(&options);
}

Keystore *keys_open(App *app, GError **error)
{
	Opening opening = { settings_text(app->settings, "key-profile"), term_can_ask(app->term),
		            false };

	return open_with(app, opening, error);
}

Keystore *keys_open_unasked(App *app, GError **error)
{
	Opening opening = { settings_text(app->settings, "key-profile"), false, false };

	return open_with(app, opening, error);
}

const char *keys_profile_of_command(const App *app)
{
	bool is_given = g_str_equal(settings_origin(app->settings, "profile"), "flag");
	const char *profile = settings_text(app->settings, is_given ? "profile" : "key-profile");

	return profile ? profile : KEYSTORE_PROFILE_DEFAULT;
}

Keystore *keys_open_profile(App *app, const char *profile, GError **error)
{
	Opening opening = { profile, term_can_ask(app->term), false };

	return open_with(app, opening, error);
}

Keystore *keys_open_for_command(App *app, GError **error)
{
	return keys_open_profile(app, keys_profile_of_command(app), error);
}

Keystore *keys_open_stored(App *app, const char *profile, GError **error)
{
	Opening opening = { profile, term_can_ask(app->term), true };

	return open_with(app, opening, error);
}

void keys_translate(GError **error)
{
	static const ExitStatus statuses[] = {
		[KEYSTORE_ERROR_NOT_FOUND] = STATUS_FAILED,
		[KEYSTORE_ERROR_LOCKED] = STATUS_CONFIG,
		[KEYSTORE_ERROR_UNAVAILABLE] = STATUS_CONFIG,
		[KEYSTORE_ERROR_TIMEOUT] = STATUS_BUSY,
		[KEYSTORE_ERROR_DENIED] = STATUS_DENIED,
		[KEYSTORE_ERROR_CORRUPT] = STATUS_DATA,
		[KEYSTORE_ERROR_WRONG_KEY] = STATUS_DENIED,
		[KEYSTORE_ERROR_BAD_NAME] = STATUS_USAGE,
		[KEYSTORE_ERROR_BAD_SECRET] = STATUS_USAGE,
		[KEYSTORE_ERROR_STALE] = STATUS_DATA,
		[KEYSTORE_ERROR_EXISTS] = STATUS_BUSY,
	};

	if (!error || !*error || (*error)->domain != KEYSTORE_ERROR)
		return;
	(*error)->code = (int)statuses[(*error)->code];
	(*error)->domain = FAULT;
}

bool keys_confirm(App *app, const char *question, GError **error)
{
	if (settings_flag(app->settings, "yes"))
		return true;

	if (!term_can_ask(app->term)) {
		fault_set(error, STATUS_USAGE, "Run the same command with --yes.",
		          "nobody can be asked here (no terminal, or CI is set)");
		return false;
	}
	if (term_confirm(app->term, question, false))
		return true;

	if (cancel_check(error))
		fault_set(error, STATUS_FAILED, NULL, "not confirmed; nothing was changed");
	return false;
}

bool keys_is_in_environment(const char *name)
{
	const char *value = g_getenv(name);

	return value && value[0] != '\0';
}

bool keys_is_variable(const char *name)
{
	return (g_ascii_isalpha(name[0]) || name[0] == '_') &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
	               strlen(name);
}

bool keys_is_steering(const char *name)
{
	static const char *const prefixes[] = {
		"LD_",    "DYLD_", "MALLOC_",  "BASH_FUNC_", "GIT_CONFIG",
		"PYTHON", "PERL",  "SLIPWAY_", "XDG_",       "LC_",
	};
	static const char names[] =
		" PATH HOME SHELL USER LOGNAME TERM LANG TMPDIR TMP TEMP"
		" IFS ENV BASH_ENV SHELLOPTS BASHOPTS CDPATH PS1 PS2 PS4 PROMPT_COMMAND ZDOTDIR"
		" EDITOR VISUAL PAGER BROWSER GCONV_PATH LOCPATH NLSPATH TERMINFO GLIBC_TUNABLES"
		" HOSTALIASES RESOLV_HOST_CONF OPENSSL_CONF OPENSSL_MODULES SSL_CERT_FILE "
		"SSL_CERT_DIR"
		" GIT_SSH GIT_SSH_COMMAND GIT_ASKPASS GIT_EDITOR GIT_EXTERNAL_DIFF "
		"GIT_PROXY_COMMAND"
		" GIT_EXEC_PATH NODE_OPTIONS NODE_PATH RUBYOPT RUBYLIB CLASSPATH JAVA_TOOL_OPTIONS"
		" JDK_JAVA_OPTIONS _JAVA_OPTIONS DOCKER_HOST DOCKER_CONFIG ";
	g_autofree char *word = g_strdup_printf(" %s ", name);

	for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (g_str_has_prefix(name, prefixes[i]))
			return true;
	return strstr(names, word) != NULL;
}
