/* installer/check_list.c - "slipway check --list" and "slipway check explain": the table of checks
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/check_list.h"

#include <string.h>

#include "base/fault.h"
#include "checks/check.h"
#include "installer/findings.h"

void check_set_unknown(const char *word, GError **error)
{
	g_autofree char *nearest = check_hint(word);

	fault_set(error, STATUS_USAGE, "See \"slipway check --list\".",
	          "there is no check \"%s\"%s", word, nearest);
}

static json_t *describe(const Check *check)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:s?}", "id", check->id, "title",
	                 check->title, "severity", findings_severity(check), "cost",
	                 check_cost_name(check->cost), "depends", check->depends, "source",
	                 check->source, "remedy", check->remedy, "explain", check->explain);
}

static void put_document(App *app, const GArray *chosen)
{
	json_t *list = json_array();

	for (guint i = 0; i < chosen->len; i++)
		(void)json_array_append_new(list,
		                            describe(g_array_index(chosen, const Check *, i)));
	if (app->document == NULL)
		app->document = json_object();
	(void)json_object_set_new(app->document, "checks", list);
}

static void print_table(Term *term, const GArray *chosen)
{
	static const char *const headings[] = { "id", "severity", "cost", "what", "source" };
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < chosen->len; i++) {
		const Check *check = g_array_index(chosen, const Check *, i);
		const char *row[] = { check->id, findings_severity(check),
			              check_cost_name(check->cost), check->title, check->source };

		for (gsize j = 0; j < G_N_ELEMENTS(row); j++)
			g_ptr_array_add(cells, g_strdup(row[j]));
	}
	term_table(term, headings, G_N_ELEMENTS(headings), cells);
	term_print(term, "%u checks.  More about one: slipway check explain ID\n", chosen->len);
}

/* Returns: (transfer container) (element-type Check*): rows that one of @words names; all without. */
static GArray *choose(const char *const *words)
{
	GArray *chosen = g_array_new(false, false, sizeof(const Check *));
	CheckWalk walk = { 0 };
	const Check *check;

	while ((check = check_next(&walk)) != NULL)
		if (words[0] == NULL || check_is_named(check, words))
			g_array_append_val(chosen, check);
	return chosen;
}

void check_list(App *app, const char *const *words)
{
	g_autoptr(GArray) chosen = choose(words);

	print_table(app->term, chosen);
	put_document(app, chosen);
}

static void add_row(GPtrArray *cells, const char *name, const char *text)
{
	g_ptr_array_add(cells, g_strdup(name));
	g_ptr_array_add(cells, g_strdup(text));
}

static void print_check(Term *term, const Check *check)
{
	static const struct {
		CheckVerdict severity;
		const char *meaning;
	} severities[] = {
		{ CHECK_FAIL, "fail: an installation stops before it changes anything" },
		{ CHECK_WARN, "warn: an installation goes on" },
		{ CHECK_PASS, "info: it only tells" },
	};
	static const char *const costs[] = {
		[CHECK_LOCAL] = "local: files and system calls, always looked at",
		[CHECK_ENGINE] = "engine: the container engine is asked, where one is needed",
		[CHECK_NETWORK] = "network: servers are asked, where something comes from them",
		[CHECK_SLOW] = "slow: a program is run, when the number is needed",
	};
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *heading = g_strdup_printf("%s: %s", check->id, check->title);
	g_autofree char *bold = term_styled(term, TERM_BOLD, heading);

	term_print(term, "%s\n", bold);
	add_row(cells, "  why", check->explain);
	for (gsize i = 0; i < G_N_ELEMENTS(severities); i++)
		if (severities[i].severity == check->severity)
			add_row(cells, "  not met", severities[i].meaning);
	add_row(cells, "  source", check->source);
	add_row(cells, "  fix", check->remedy);
	if (check->depends != NULL)
		add_row(cells, "  needs", check->depends);
	add_row(cells, "  cost", costs[check->cost]);
	term_table(term, NULL, 2, cells);
}

bool command_check_explain(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	g_autoptr(GArray) chosen = NULL;

	for (char **word = argv; *word != NULL; word++) {
		if (!check_is_known(*word)) {
			check_set_unknown(*word, error);
			return false;
		}
	}
	chosen = choose((const char *const *)argv);
	for (guint i = 0; i < chosen->len; i++) {
		if (i > 0)
			term_print(app->term, "\n");
		print_check(app->term, g_array_index(chosen, const Check *, i));
	}
	put_document(app, chosen);
	return true;
}
