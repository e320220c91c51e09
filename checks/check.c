/* checks/check.c - runs the table over facts and needs
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/check.h"

#include <string.h>

#include "base/nearest.h"
#include "checks/check_private.h"

/* Longest id, in bytes; the tests hold the table to it. */
#define ID_MAX 31

static const char *const verdict_names[] = {
	[CHECK_PASS] = "pass",       [CHECK_WARN] = "warn",       [CHECK_FAIL] = "fail",
	[CHECK_UNKNOWN] = "unknown", [CHECK_SKIPPED] = "skipped", [CHECK_IGNORED] = "ignored",
};

const char *check_verdict_name(CheckVerdict verdict)
{
	return verdict_names[verdict];
}

const char *check_cost_name(CheckCost cost)
{
	static const char *const names[] = { "local", "engine", "network", "slow" };

	return names[cost];
}

static void finding_free(gpointer data)
{
	CheckFinding *finding = data;

	g_free(finding->measured);
	g_free(finding->needed);
	g_free(finding->own_id);
	g_free(finding->own_source);
	g_free(finding->own_remedy);
	g_free(finding);
}

static bool is_met(const GPtrArray *findings, const char *id)
{
	for (guint i = 0; i < findings->len; i++) {
		const CheckFinding *finding = g_ptr_array_index(findings, i);

		if (strcmp(finding->check->id, id) == 0 && finding->verdict != CHECK_PASS &&
		    finding->verdict != CHECK_WARN)
			return false;
	}
	return true;
}

static void run_one(CheckRun *run)
{
	const Check *check = run->check;

	if (check->applies != NULL && !check->applies(run->facts, run->needs)) {
		(void)finding_add(run, CHECK_SKIPPED, "does not apply");
	} else if (check->depends != NULL && !is_met(run->findings, check->depends)) {
		g_autofree char *why = g_strdup_printf("depends on %s", check->depends);

		(void)finding_add(run, CHECK_SKIPPED, why);
	} else {
		check->judge(run);
	}
}

static bool matches(const char *word, const CheckFinding *finding)
{
	g_autofree char *lower = g_ascii_strdown(word, -1);

	return g_pattern_match_simple(lower, finding->id) ||
	       g_pattern_match_simple(lower, finding->check->id);
}

static void ignore(CheckFinding *finding, const char *const *ignored)
{
	if (finding->verdict == CHECK_PASS || finding->verdict == CHECK_SKIPPED)
		return;

	for (gsize i = 0; ignored[i] != NULL; i++)
		if (matches(ignored[i], finding))
			finding->verdict = CHECK_IGNORED;
}

GPtrArray *check_run_all(const Facts *facts, const CheckNeeds *needs, const char *const *ignored)
{
	CheckRun run = { .facts = facts,
		         .needs = needs,
		         .findings = g_ptr_array_new_with_free_func(finding_free) };
	CheckWalk walk = { 0 };

	while ((run.check = check_next(&walk)) != NULL)
		run_one(&run);
	for (guint i = 0; ignored != NULL && i < run.findings->len; i++)
		ignore(g_ptr_array_index(run.findings, i), ignored);
	return run.findings;
}

void check_keep(GPtrArray *findings, const char *const *words)
{
	for (guint i = findings->len; i > 0; i--) {
		bool is_kept = false;

		for (gsize j = 0; words[j] != NULL && !is_kept; j++)
			is_kept = matches(words[j], g_ptr_array_index(findings, i - 1));
		if (!is_kept)
			g_ptr_array_remove_index(findings, i - 1);
	}
}

/* Findings of port.free are called port.NUMBER. */
static bool is_port_id(const char *word)
{
	const char *number = word + strlen("port.");

	return g_str_has_prefix(word, "port.") && *number != '\0' && strlen(number) <= 5 &&
	       strspn(number, "0123456789") == strlen(number);
}

/* @lower: in small letters. */
static bool is_called(const Check *check, const char *lower)
{
	bool is_pattern = strpbrk(lower, "*?") != NULL;

	return (is_pattern ? g_pattern_match_simple(lower, check->id)
	                   : strcmp(lower, check->id) == 0) ||
	       (is_port_id(lower) && strcmp(check->id, "port.free") == 0);
}

bool check_is_named(const Check *check, const char *const *words)
{
	for (; *words != NULL; words++) {
		g_autofree char *lower = g_ascii_strdown(*words, -1);

		if (is_called(check, lower))
			return true;
	}
	return false;
}

bool check_is_known(const char *word)
{
	g_autofree char *lower = g_ascii_strdown(word, -1);
	CheckWalk walk = { 0 };
	const Check *check;

	while ((check = check_next(&walk)) != NULL)
		if (is_called(check, lower))
			return true;

	return false;
}

char *check_hint(const char *word)
{
	Nearest nearest = { .word = word };
	CheckWalk walk = { 0 };
	const Check *check;

	while ((check = check_next(&walk)) != NULL)
		nearest_try(&nearest, check->id);

	return nearest_hint(&nearest);
}
