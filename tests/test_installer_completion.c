/* tests/test_installer_completion.c - what is offered for a command line that is half typed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "installer/completion.h"

/** One line: words with blanks between; a blank at its end begins a new one. */
typedef struct {
	const char *path;
	const char *line;
	CompletionKind kind;
	const char *stem;
	const char *has;   /* (nullable): one that is offered */
	const char *lacks; /* (nullable): one that is not */
	guint command_at;
} LineCase;

static const LineCase cases[] = {
	{ "/nothing", "", COMPLETION_WORDS, "", "install", "set" },
	{ "/first", "in", COMPLETION_WORDS, "", "install", "--help" },
	{ "/first-option", "--", COMPLETION_WORDS, "", "--version", "--json" },
	{ "/group", "keys ", COMPLETION_WORDS, "", "set", "keys" },
	{ "/group-begun", "keys s", COMPLETION_WORDS, "", "set", "check" },
	{ "/command-and-group", "check ", COMPLETION_WORDS, "", "explain", NULL },
	{ "/longer-command", "check explain ", COMPLETION_WORDS, "", "os.kernel", "octollm" },
	{ "/check-behind-stack", "check octollm ", COMPLETION_WORDS, "", "os.kernel", "explain" },
	{ "/group-unknown", "keys nope ", COMPLETION_WORDS, "", NULL, "set" },
	{ "/unknown", "nope ", COMPLETION_WORDS, "", NULL, "install" },
	{ "/stack", "plan ", COMPLETION_WORDS, "", "octollm", "--json" },
	{ "/stack-installed", "uninstall ", COMPLETION_WORDS, "", "mine", NULL },
	{ "/stack-path", "plan ./", COMPLETION_FILES, "", NULL, "octollm" },
	{ "/stack-home", "plan ~", COMPLETION_FILES, "", NULL, "octollm" },
	{ "/directory", "unpack octollm ", COMPLETION_DIRECTORIES, "", NULL, "octollm" },
	{ "/no-third", "unpack octollm x ", COMPLETION_WORDS, "", "--json", "octollm" },
	{ "/no-third-begun", "unpack octollm x y", COMPLETION_WORDS, "", NULL, "--json" },
	{ "/option", "check -", COMPLETION_WORDS, "", "--facts", "octollm" },
	{ "/option-help", "check --he", COMPLETION_WORDS, "", "--help", NULL },
	{ "/option-given", "check --all --", COMPLETION_WORDS, "", "--facts", "--all" },
	{ "/option-value", "check --facts ", COMPLETION_FILES, "", NULL, "octollm" },
	{ "/option-value-then", "check --facts x ", COMPLETION_WORDS, "", "octollm", NULL },
	{ "/option-equals", "check --facts=", COMPLETION_FILES, "--facts=", NULL, NULL },
	{ "/flag-equals", "check --json=", COMPLETION_WORDS, "", NULL, "--json" },
	{ "/unknown-equals", "check --nope=", COMPLETION_WORDS, "", NULL, "octollm" },
	{ "/setting-value", "plan --bin ", COMPLETION_DIRECTORIES, "", NULL, NULL },
	{ "/flag-then", "plan --yes ", COMPLETION_WORDS, "", "octollm", NULL },
	{ "/short-flag-then", "plan -y ", COMPLETION_WORDS, "", "octollm", NULL },
	{ "/behind-dashes", "plan -- -", COMPLETION_WORDS, "", "octollm", "--json" },
	{ "/list", "check --ignore a,", COMPLETION_WORDS, "a,", "os.kernel", NULL },
	{ "/list-equals", "check --ignore=a,b", COMPLETION_WORDS, "--ignore=a,", "os.kernel",
	  NULL },
	{ "/assignment", "plan --set ", COMPLETION_WORDS, "", NULL, "OPENAI_API_KEY" },
	{ "/profile", "plan octollm --profile ", COMPLETION_WORDS, "", NULL, "native" },
	{ "/profile-of-any", "plan --profile ", COMPLETION_WORDS, "", "native", NULL },
	{ "/help", "help ", COMPLETION_WORDS, "", "keys", NULL },
	{ "/help-group", "help keys ", COMPLETION_WORDS, "", "set", NULL },
	{ "/help-end", "help keys set ", COMPLETION_WORDS, "", "--manual", "set" },
	{ "/shell", "completion ", COMPLETION_WORDS, "", "fish", NULL },
	{ "/other", "keys exec ", COMPLETION_COMMAND, "", NULL, NULL, 2 },
	{ "/other-option", "keys exec --o", COMPLETION_WORDS, "", "--only", NULL },
	{ "/other-option-value", "keys exec --only ", COMPLETION_WORDS, "", "OPENAI_API_KEY",
	  NULL },
	{ "/other-dashes", "keys exec -- ", COMPLETION_COMMAND, "", NULL, NULL, 3 },
	{ "/other-dashes-option", "keys exec -- git --", COMPLETION_COMMAND, "", NULL, NULL, 3 },
	{ "/other-behind-option", "keys exec --only A git ch", COMPLETION_COMMAND, "", NULL, NULL,
	  4 },
	{ "/odd", "plan '\"\\$(x)", COMPLETION_WORDS, "", "octollm", NULL },
	{ "/service", "logs mine ", COMPLETION_WORDS, "", "store", "mine" },
	{ "/more-services", "restart mine store s", COMPLETION_WORDS, "", "store", NULL },
	{ "/one-service", "exec mine s", COMPLETION_WORDS, "", "store", NULL },
	{ "/no-service", "status mine s", COMPLETION_WORDS, "", NULL, "store" },
	{ "/empty-words", "plan   ", COMPLETION_WORDS, "", NULL, "octollm" },
};

static bool has_word(const Completion *completion, const char *text)
{
	for (guint i = 0; i < completion->words->len; i++) {
		const CompletionWord *word = completion->words->pdata[i];
		if (strcmp(word->word, text) == 0)
			return true;
	}

	return false;
}

static void test_case(gconstpointer data)
{
	static const char *const installed[] = { "mine", NULL };
	static const char *const services[] = { "store", NULL };
	const LineCase *line = data;
	g_auto(GStrv) words = g_strsplit(line->line, " ", -1);
	g_autoptr(Completion) completion =
		completion_new((const char *const *)words, installed, services);

	g_assert_cmpint(completion->kind, ==, line->kind);
	g_assert_cmpstr(completion->stem, ==, line->stem);
	g_assert_cmpuint(completion->command_at, ==, line->command_at);
	if (line->has)
		g_assert_true(has_word(completion, line->has));
	if (line->lacks)
		g_assert_false(has_word(completion, line->lacks));
}

/** What bash makes of a word, and what it was. */
static void test_join(void)
{
	static const char *const split[] = { "plan", "--prefix", "=", "/x", "--mirror", "a",
		                             "=",    "b",        ":", "c",  "=",        NULL };
	static const char *const whole[] = { "plan", "--prefix=/x", "--mirror", "a=b:c=" };
	static const guint places[] = { 0, 1, 4, 5 };
	guint at[G_N_ELEMENTS(split)] = { 0 };
	g_auto(GStrv) joined = completion_join(split, at);

	g_assert_cmpuint(g_strv_length(joined), ==, G_N_ELEMENTS(whole));
	for (gsize i = 0; i < G_N_ELEMENTS(whole); i++) {
		g_assert_cmpstr(joined[i], ==, whole[i]);
		g_assert_cmpuint(at[i], ==, places[i]);
	}
}

static void test_join_of_nothing(void)
{
	static const char *const none[] = { NULL };
	static const char *const lone[] = { "=", "x", NULL };
	g_auto(GStrv) empty = completion_join(none, NULL);
	g_auto(GStrv) joined = completion_join(lone, NULL);

	g_assert_null(empty[0]);
	g_assert_cmpstr(joined[0], ==, "=x");
	g_assert_null(joined[1]);
}

/* Words that no shell splits. */
static void test_blanks(void)
{
	static const char *const none[] = { NULL };
	static const char *const two[] = { "keys set", "", NULL };
	static const char *const three[] = { "keys set", "x", "--", NULL };
	g_autoptr(Completion) short_one = completion_new(two, none, none);
	g_autoptr(Completion) long_one = completion_new(three, none, none);

	g_assert_cmpuint(short_one->words->len, ==, 0);
	g_assert_cmpint(long_one->kind, ==, COMPLETION_WORDS);
}

static void test_no_words(void)
{
	static const char *const none[] = { NULL };
	g_autoptr(Completion) completion = completion_new(none, none, none);

	g_assert_true(has_word(completion, "install"));
}

static void test_shells(void)
{
	g_assert_null(completion_shell_find("ksh"));
	for (gsize i = 0; i < completion_shell_count; i++) {
		const CompletionShell *shell = &completion_shell_table[i];
		g_autoptr(GBytes) script = shell->script();

		g_assert_true(completion_shell_find(shell->name) == shell);
		g_assert_nonnull(strstr(g_bytes_get_data(script, NULL), "slipway completion "));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/line", cases[i].path, NULL);
		g_test_add_data_func(path, &cases[i], test_case);
	}
	g_test_add_func("/join", test_join);
	g_test_add_func("/join/nothing", test_join_of_nothing);
	g_test_add_func("/blanks", test_blanks);
	g_test_add_func("/no-words", test_no_words);
	g_test_add_func("/shells", test_shells);
	return g_test_run();
}
