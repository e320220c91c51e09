/* installer/findings.c - what the checks found, for people and for programs
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/findings.h"

#include <string.h>

#include "base/fault.h"
#include "base/json.h"

/** How a verdict looks; rows in the order in which they are shown. */
static const struct {
	CheckVerdict verdict;
	const char *mark;
	TermStyle style;
	bool is_quiet; /* shown only when all are */
} look_table[] = {
	{ CHECK_FAIL, "FAIL", TERM_BAD, false },  { CHECK_WARN, "warn", TERM_WARN, false },
	{ CHECK_UNKNOWN, "?", TERM_WARN, false }, { CHECK_PASS, "ok", TERM_GOOD, true },
	{ CHECK_IGNORED, "ign", TERM_DIM, true }, { CHECK_SKIPPED, "skip", TERM_DIM, true },
};

static void print_finding(Term *term, const CheckFinding *finding, gsize look)
{
	g_autofree char *padded = g_strdup_printf("%-4s", look_table[look].mark);
	g_autofree char *mark = term_styled(term, look_table[look].style, padded);
	bool is_met = finding->verdict == CHECK_PASS || finding->verdict == CHECK_SKIPPED;

	term_print(term, "%s %-19s %s: %s", mark, finding->id, finding->check->title,
	           finding->measured);
	if (finding->needed != NULL && !is_met)
		term_print(term, ", needed: %s", finding->needed);
	if (finding->verdict != CHECK_SKIPPED)
		term_print(term, "   [%s]", finding->source);
	term_print(term, "\n");
	if (!is_met)
		term_print(term, "     fix: %s\n", finding->remedy);
}

void findings_print(Term *term, const GPtrArray *findings, bool is_all)
{
	for (gsize look = 0; look < G_N_ELEMENTS(look_table); look++) {
		if (look_table[look].is_quiet && !is_all)
			continue;
		for (guint i = 0; i < findings->len; i++) {
			const CheckFinding *finding = g_ptr_array_index(findings, i);

			if (finding->verdict == look_table[look].verdict)
				print_finding(term, finding, look);
		}
	}
}

void findings_print_rest(Term *term, const GPtrArray *findings)
{
	g_autofree char *mark = term_styled(term, TERM_GOOD, "ok  ");
	g_autofree char *ignored = findings_ids(findings, CHECK_IGNORED);

	term_print(term, "%s %u passed, %u skipped", mark, findings_count(findings, CHECK_PASS),
	           findings_count(findings, CHECK_SKIPPED));
	if (*ignored != '\0')
		term_print(term, ", %u ignored (%s)", findings_count(findings, CHECK_IGNORED),
		           ignored);
	term_print(term, "\n");
}

static json_t *number_or_null(guint64 number)
{
	return number <= G_MAXINT64 ? json_integer((json_int_t)number) : json_null();
}

static json_t *finding_to_json(const CheckFinding *finding)
{
	json_t *object = json_object();

	json_put(object, "id", finding->id);
	json_put(object, "status", check_verdict_name(finding->verdict));
	json_put(object, "severity", check_verdict_name(finding->check->severity));
	json_put(object, "title", finding->check->title);
	json_put(object, "measured", finding->measured);
	(void)json_object_set_new(object, "needed",
	                          finding->needed ? json_string(finding->needed) : json_null());
	if (finding->unit != NULL) {
		json_put(object, "unit", finding->unit);
		(void)json_object_set_new(object, "measured_value",
		                          number_or_null(finding->measured_value));
		(void)json_object_set_new(object, "needed_value",
		                          number_or_null(finding->needed_value));
	}
	json_put(object, "source", finding->source);
	json_put(object, "remedy", finding->remedy);
	json_put(object, "depends", finding->check->depends);
	if (finding->verdict == CHECK_IGNORED)
		json_put(object, "judged", check_verdict_name(finding->judged));
	return object;
}

json_t *findings_to_json(const GPtrArray *findings)
{
	json_t *array = json_array();

	for (guint i = 0; i < findings->len; i++)
		(void)json_array_append_new(array, finding_to_json(g_ptr_array_index(findings, i)));

	return array;
}

guint findings_count(const GPtrArray *findings, CheckVerdict verdict)
{
	guint count = 0;

	for (guint i = 0; i < findings->len; i++) {
		const CheckFinding *finding = g_ptr_array_index(findings, i);

		count += finding->verdict == verdict;
	}
	return count;
}

char *findings_ids(const GPtrArray *findings, CheckVerdict verdict)
{
	GString *list = g_string_new(NULL);
	const char *last = "";

	for (guint i = 0; i < findings->len; i++) {
		const CheckFinding *finding = g_ptr_array_index(findings, i);

		if (finding->verdict != verdict || strcmp(finding->id, last) == 0)
			continue;
		g_string_append_printf(list, "%s%s", list->len > 0 ? "," : "", finding->id);
		last = finding->id;
	}
	return g_string_free(list, FALSE);
}

bool findings_pass(const GPtrArray *findings, GError **error)
{
	guint failed = findings_count(findings, CHECK_FAIL);
	g_autofree char *ids = findings_ids(findings, CHECK_FAIL);
	g_autofree char *ignored = findings_ids(findings, CHECK_IGNORED);
	g_autofree char *hint = g_strdup_printf("To go on anyway: --ignore %s%s%s.", ignored,
	                                        *ignored != '\0' ? "," : "", ids);

	if (failed == 0)
		return true;

	fault_set(error, STATUS_FAILED, hint, "this machine does not meet %u requirement%s: %s",
	          failed, failed == 1 ? "" : "s", ids);
	return false;
}

void findings_warn_unknown(Term *term, const char *const *ignored)
{
	for (; ignored != NULL && *ignored != NULL; ignored++)
		if (!check_is_known(*ignored))
			term_warn(term, "there is no check \"%s\" to ignore; did you mean \"%s\"?",
			          *ignored, check_nearest(*ignored));
}
