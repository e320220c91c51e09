/* installer/privilege.c - as root directly, else through sudo
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/privilege.h"

#include <string.h>
#include <unistd.h>

#include "base/fault.h"

#define SUDO_CHECK_MS 15000
#define SUDO_ASK_MS 300000

/* What sudo 1.8 to 1.9 writes to stderr.  "-n" gives the same answer to somebody who needs a
 * password and to somebody who may not use sudo at all. */
static const struct {
	const char *says;
	const char *means;
} refusal_table[] = {
	{ "no new privileges", "this process may not gain rights (no_new_privs is set)" },
	{ "not in the sudoers", "this user is not in the sudoers file" },
	{ "may not run sudo", "this user may not run sudo on this machine" },
	{ "not allowed to execute", "sudo does not allow this command to this user" },
	{ "not allowed to set", "sudo does not allow this environment" },
	{ "password is required", "sudo wants a password, or does not allow this user" },
	{ "terminal is required", "sudo wants a password and has no terminal" },
	{ "no tty present", "sudo wants a password and has no terminal" },
	{ "must have a tty", "sudo wants a terminal (requiretty)" },
	{ "must be owned by uid 0", "the sudo program is not setuid root" },
	{ "effective uid is not 0", "the sudo program cannot become root here (nosuid?)" },
	{ "incorrect password", "the password was wrong" },
};

const char *privilege_refusal(const char *stderr_text)
{
	if (!stderr_text || !strstr(stderr_text, "sudo"))
		return NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(refusal_table); i++)
		if (strstr(stderr_text, refusal_table[i].says))
			return refusal_table[i].means;

	return NULL;
}

static bool is_plain_word(const char *word)
{
	return *word &&
	       !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                          "-_=+./:,@%")];
}

static void append_words(GString *line, const char *const *words)
{
	for (; words && *words; words++) {
		g_autofree char *quoted =
			is_plain_word(*words) ? g_strdup(*words) : g_shell_quote(*words);

		g_string_append_printf(line, "%s%s", line->len ? " " : "", quoted);
	}
}

char *privilege_text(const char *const *env, const char *const *argv)
{
	GString *line = g_string_new(NULL);

	append_words(line, env);
	append_words(line, argv);
	return g_string_free(line, FALSE);
}

/* A proxy's password must not get into argv. */
static bool is_handed_on(const char *entry)
{
	static const char *const plain[] = {
		"PATH", "LANG", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "no_proxy", "NO_PROXY", NULL
	};
	static const char *const proxies[] = { "http_proxy", "https_proxy", "ftp_proxy",
		                               "all_proxy",  "HTTP_PROXY",  "HTTPS_PROXY",
		                               "FTP_PROXY",  "ALL_PROXY",   NULL };
	g_autofree char *name = g_strndup(entry, strcspn(entry, "="));

	return g_strv_contains(plain, name) ||
	       (g_strv_contains(proxies, name) && !strchr(entry, '@'));
}

static void add_words(GPtrArray *argv, const char *const *words)
{
	for (; words && *words; words++)
		g_ptr_array_add(argv, g_strdup(*words));
}

/* Returns: (transfer full): "sudo -n [-l] -- [env -i ...] command". */
static char **sudo_argv(const char *sudo, const ProcessSpec *spec, bool is_question, bool has_env)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_auto(GStrv) ours = process_environment();

	g_ptr_array_add(argv, g_strdup(sudo));
	g_ptr_array_add(argv, g_strdup("-n"));
	if (is_question)
		g_ptr_array_add(argv, g_strdup("-l"));
	g_ptr_array_add(argv, g_strdup("--"));
	if (has_env) {
		add_words(argv, (const char *const[]){ "/usr/bin/env", "-i", NULL });
		for (char **entry = ours; *entry; entry++)
			if (is_handed_on(*entry))
				g_ptr_array_add(argv, g_strdup(*entry));
		add_words(argv, spec->env);
	}
	add_words(argv, spec->argv);
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&argv), FALSE);
}

/* Runs "sudo -n -l ...": the answer, or a refusal in @why. */
static bool sudo_allows(const char *sudo, const ProcessSpec *spec, bool has_env, const char **why)
{
	g_auto(GStrv) argv = sudo_argv(sudo, spec, true, has_env);
	g_auto(ProcessResult) result = { 0 };
	const ProcessSpec question = {
		.argv = (const char *const *)argv,
		.timeout_ms = SUDO_CHECK_MS,
	};

	if (!process_run(&question, &result, NULL))
		return false;
	if (result.exit_code != 0)
		*why = privilege_refusal(result.err);
	return result.exit_code == 0;
}

static void set_denied(GError **error, const char *why, const char *command)
{
	g_autofree char *hint =
		g_strdup_printf("Run as root \"%s\", then run slipway again.", command);

	fault_set(error, STATUS_DENIED, hint, "root is needed and %s",
	          why ? why : "sudo does not allow this command");
}

static char *need_sudo(const char *command, GError **error)
{
	char *sudo = process_find("sudo");

	if (!sudo)
		set_denied(error, "there is no sudo program", command);
	return sudo;
}

bool privilege_run(const ProcessSpec *spec, ProcessResult *result, GError **error)
{
	g_autofree char *sudo = NULL;
	g_autofree char *text = NULL;
	g_auto(GStrv) argv = NULL;
	const char *why = NULL;
	ProcessSpec wrapped = *spec;

	if (geteuid() == 0)
		return process_run(spec, result, error);
	text = privilege_text(spec->env, spec->argv);
	sudo = need_sudo(text, error);
	if (!sudo)
		return false;
	argv = sudo_argv(sudo, spec, false, sudo_allows(sudo, spec, true, &why));
	wrapped.argv = (const char *const *)argv;
	wrapped.env = NULL;
	if (!process_run(&wrapped, result, error))
		return false;
	why = result->exit_code == 1 ? privilege_refusal(result->err) : NULL;
	if (why)
		set_denied(error, why, text);
	return !why;
}

/* Reads a line of privilege_text() back.  @words owns what @spec points into. */
static bool parse_command(const char *line, ProcessSpec *spec, char ***words, GPtrArray *env,
                          GError **error)
{
	gint count = 0;
	gint i = 0;

	if (!g_shell_parse_argv(line, &count, words, error))
		return false;
	for (; i < count && (*words)[i][0] != '/' && strchr((*words)[i], '='); i++)
		g_ptr_array_add(env, (*words)[i]);
	g_ptr_array_add(env, NULL);
	*spec = (ProcessSpec){
		.argv = (const char *const *)*words + i,
		.env = (const char *const *)env->pdata,
	};
	return true;
}

/* Whether all of @commands may run without a question. */
static bool all_allowed(const char *sudo, const char *const *commands, const char **why,
                        GError **error)
{
	for (; *commands; commands++) {
		g_auto(GStrv) words = NULL;
		g_autoptr(GPtrArray) env = g_ptr_array_new();
		ProcessSpec spec = { 0 };

		if (!parse_command(*commands, &spec, &words, env, error))
			return false;
		if (!sudo_allows(sudo, &spec, true, why) && !sudo_allows(sudo, &spec, false, why))
			return false;
	}

	return true;
}

/* "sudo -l" can say yes where running still asks for a password: sudoers' listpw=any.  A command
 * that does nothing tells; where only some programs are allowed, privilege_run() finds out. */
static bool is_password_needed(const char *sudo)
{
	g_auto(ProcessResult) result = { 0 };
	const char *const nothing[] = { "/usr/bin/true", NULL };
	const ProcessSpec harmless = { .argv = nothing };
	g_auto(GStrv) argv = sudo_argv(sudo, &harmless, false, true);
	const ProcessSpec spec = {
		.argv = (const char *const *)argv,
		.timeout_ms = SUDO_CHECK_MS,
	};
	const char *why = NULL;

	return sudo_allows(sudo, &harmless, true, &why) &&
	       (!process_run(&spec, &result, NULL) || result.exit_code != 0);
}

static bool ask_password(Term *term, const char *sudo, const char *const *commands, GError **error)
{
	const char *const argv[] = { sudo, "-v", NULL };
	const ProcessSpec spec = {
		.argv = argv,
		.timeout_ms = SUDO_ASK_MS,
		.flags = PROCESS_ON_TERMINAL,
	};
	g_auto(ProcessResult) result = { 0 };

	term_note(term, "Root is needed for:");
	for (; *commands; commands++)
		term_note(term, "  %s", *commands);

	return process_run(&spec, &result, error) && result.exit_code == 0;
}

static char *join_commands(const char *const *commands)
{
	GString *text = g_string_new(*commands);

	for (commands++; *commands; commands++)
		g_string_append_printf(text, " && %s", *commands);
	return g_string_free(text, FALSE);
}

bool privilege_is_possible(const char *const *commands, GError **error)
{
	if (geteuid() == 0 || !commands || !*commands)
		return true;

	g_autofree char *text = join_commands(commands);
	g_autofree char *sudo = need_sudo(text, error);
	return sudo != NULL;
}

bool privilege_acquire(Term *term, const char *const *commands, GError **error)
{
	g_autofree char *sudo = NULL;
	g_autofree char *text = NULL;
	g_autoptr(GError) fault = NULL;
	const char *why = NULL;
	bool is_allowed;

	if (geteuid() == 0 || !commands || !*commands)
		return true;
	text = join_commands(commands);
	sudo = need_sudo(text, error);
	if (!sudo)
		return false;
	is_allowed = all_allowed(sudo, commands, &why, &fault) && !is_password_needed(sudo);
	if (!is_allowed && !fault && term_can_ask(term))
		is_allowed = ask_password(term, sudo, commands, &fault) &&
		             all_allowed(sudo, commands, &why, &fault);
	if (is_allowed)
		return true;
	if (fault)
		g_propagate_error(error, g_steal_pointer(&fault));
	else
		set_denied(error, why, text);
	return false;
}
