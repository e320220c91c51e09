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

const char *findings_severity(const Check *check)
{
	return check->severity == CHECK_PASS ? "info" : check_verdict_name(check->severity);
}

/* Several ports that cannot be seen, for one and the same reason. */
static bool is_alike(const CheckFinding *a, const CheckFinding *b)
{
	return a->check == b->check && a->verdict == b->verdict &&
	       strcmp(a->measured, b->measured) == 0 && strcmp(a->source, b->source) == 0 &&
	       strcmp(a->remedy, b->remedy) == 0;
}

char *findings_ids_alike(const GPtrArray *findings, guint index)
{
	const CheckFinding *finding = g_ptr_array_index(findings, index);
	g_autoptr(GString) ids = g_string_new(NULL);

	for (guint i = 0; i < findings->len; i++) {
		const CheckFinding *other = g_ptr_array_index(findings, i);

		if (!is_alike(finding, other))
			continue;
		if (i < index)
			return NULL;
		if (ids->len == 0 || strcmp(finding->id, other->id) != 0)
			g_string_append_printf(ids, "%s%s", ids->len > 0 ? " " : "", other->id);
	}
	return g_string_free(g_steal_pointer(&ids), FALSE);
}

static void print_finding(Term *term, const CheckFinding *finding, const char *ids, gsize look)
{
	g_autofree char *padded = g_strdup_printf("%-4s", look_table[look].mark);
	g_autofree char *mark = term_styled(term, look_table[look].style, padded);
	bool is_met = finding->verdict == CHECK_PASS || finding->verdict == CHECK_SKIPPED;
	bool is_alone = strcmp(ids, finding->id) == 0;

	term_print(term, "%s %-19s %s: %s", mark, ids, finding->check->title, finding->measured);
	if (finding->needed != NULL && !is_met && is_alone)
		term_print(term, ", needed: %s", finding->needed);
	if (finding->verdict != CHECK_SKIPPED)
		term_print(term, "   [%s]", finding->source);
	term_print(term, "\n");
	if (!is_met)
		term_print(term, "     fix: %s\n", finding->remedy);
}

/* Nobody has to do anything about what only tells, and has nothing to tell. */
static bool is_idle(const CheckFinding *finding)
{
	return finding->verdict == CHECK_UNKNOWN && finding->check->severity == CHECK_PASS;
}

void findings_print(Term *term, const GPtrArray *findings, bool is_all)
{
	for (gsize look = 0; look < G_N_ELEMENTS(look_table); look++) {
		if (look_table[look].is_quiet && !is_all)
			continue;
		for (guint i = 0; i < findings->len; i++) {
			const CheckFinding *finding = g_ptr_array_index(findings, i);
			bool is_shown = finding->verdict == look_table[look].verdict &&
			                (is_all || !is_idle(finding));
			g_autofree char *ids = is_shown ? findings_ids_alike(findings, i) : NULL;

			if (ids != NULL)
				print_finding(term, finding, ids, look);
		}
	}
}

guint findings_count_idle(const GPtrArray *findings)
{
	guint count = 0;

	for (guint i = 0; i < findings->len; i++)
		count += is_idle(g_ptr_array_index(findings, i));

	return count;
}

void findings_print_rest(Term *term, const GPtrArray *findings)
{
	g_autofree char *mark = term_styled(term, TERM_GOOD, "ok  ");
	g_autofree char *ignored = findings_ids(findings, CHECK_IGNORED);
	guint idle = findings_count_idle(findings);

	term_print(term, "%s %u passed, %u skipped", mark, findings_count(findings, CHECK_PASS),
	           findings_count(findings, CHECK_SKIPPED));
	if (idle > 0)
		term_print(term, ", %u had nothing to tell", idle);
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
	json_put(object, "severity", findings_severity(finding->check));
	json_put(object, "cost", check_cost_name(finding->check->cost));
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

char *findings_to_ignore(const GPtrArray *findings)
{
	g_autofree char *failed = findings_ids(findings, CHECK_FAIL);
	g_autofree char *ignored = findings_ids(findings, CHECK_IGNORED);
	bool is_both = *failed != '\0' && *ignored != '\0';

	return g_strconcat(ignored, is_both ? "," : "", failed, NULL);
}

bool findings_pass(const GPtrArray *findings, GError **error)
{
	guint failed = findings_count(findings, CHECK_FAIL);
	g_autofree char *ids = findings_ids(findings, CHECK_FAIL);
	g_autofree char *list = findings_to_ignore(findings);
	g_autofree char *hint = g_strdup_printf("To go on anyway: --ignore %s", list);

	if (failed == 0)
		return true;

	fault_set(error, STATUS_FAILED, hint, "this machine does not meet %u requirement%s: %s",
	          failed, failed == 1 ? "" : "s", ids);
	return false;
}

void findings_warn_unknown(Term *term, const char *const *ignored)
{
	for (; ignored != NULL && *ignored != NULL; ignored++)
		if (!check_is_known(*ignored)) {
			g_autofree char *nearest = check_hint(*ignored);

			term_warn(term, "there is no check \"%s\" to ignore%s", *ignored, nearest);
		}
}

char *findings_title(const FindingsReport *report)
{
	const FactsSystem *system = &report->facts->system;

	return g_strdup_printf("checks for %s on %s%s%s",
	                       report->stack != NULL ? report->stack->title : "a small stack",
	                       system->pretty != NULL ? system->pretty : "an unknown system",
	                       system->architecture != NULL ? " " : "",
	                       system->architecture != NULL ? system->architecture : "");
}

static void add_part(GString *line, const char *part, const char *unit)
{
	g_string_append_printf(line, "%s%s%s", line->len > 0 ? ", " : "", part, unit);
}

static void add_bytes(GString *line, guint64 bytes, const char *unit)
{
	g_autofree char *text = bytes != FACTS_UNKNOWN ? check_format_bytes(bytes) : NULL;

	if (text != NULL)
		add_part(line, text, unit);
}

static void add_engine(GString *line, const FactsEngine *engine)
{
	const char *product = engine->product != NULL ? engine->product : "?";
	g_autofree char *where = g_strdup_printf(" (%s)", product);

	if (engine->state != ENGINE_OK || engine->version == NULL)
		return;
	add_part(line, engine->is_podman == FACT_YES ? "podman " : "Docker ", engine->version);
	g_string_append(line, where);
}

char *findings_machine(const Facts *facts)
{
	GString *line = g_string_new(NULL);
	const FactsDirectory *first =
		facts->directories->len > 0 ? facts->directories->pdata[0] : NULL;
	g_autofree char *cpus = facts->cpu.count != FACTS_UNKNOWN
	                                ? g_strdup_printf("%" G_GUINT64_FORMAT, facts->cpu.count)
	                                : NULL;

	if (cpus != NULL)
		add_part(line, cpus, facts->cpu.count == 1 ? " CPU" : " CPUs");
	add_bytes(line, facts->memory.total_bytes, " memory");
	if (first != NULL)
		add_bytes(line, first->free_bytes, " of disk free");
	for (guint i = 0; i < facts->cards->len; i++) {
		const FactsCard *card = g_ptr_array_index(facts->cards, i);

		if (card->name != NULL)
			add_part(line, card->name, "");
	}
	if (facts->system.container != NULL)
		add_part(line, "inside of ", facts->system.container);
	add_engine(line, &facts->engine);
	return g_string_free(line, FALSE);
}

static json_t *count_verdicts(const GPtrArray *findings)
{
	json_t *counts = json_object();

	for (gsize look = 0; look < G_N_ELEMENTS(look_table); look++)
		(void)json_object_set_new(
			counts, check_verdict_name(look_table[look].verdict),
			json_integer(findings_count(findings, look_table[look].verdict)));

	return counts;
}

void findings_put(json_t *document, const FindingsReport *report)
{
	const GPtrArray *findings = report->findings;
	g_autofree char *machine = findings_machine(report->facts);
	g_autofree char *ignore = findings_to_ignore(findings);

	(void)json_object_set_new(document, "stack",
	                          report->stack != NULL ? json_string(report->stack->name)
	                                                : json_null());
	json_put(document, "machine", machine);
	(void)json_object_set_new(document, "elapsed_us",
	                          number_or_null(report->facts->elapsed_us));
	(void)json_object_set_new(document, "counts", count_verdicts(findings));
	(void)json_object_set_new(document, "ignored_count",
	                          json_integer(findings_count(findings, CHECK_IGNORED)));
	json_put(document, "ignore", ignore);
	(void)json_object_set_new(document, "checks", findings_to_json(findings));
}
