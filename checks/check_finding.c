/* checks/check_finding.c - findings, and the comparisons that most of them are
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <string.h>

#include "checks/check_private.h"

CheckFinding *finding_add(CheckRun *run, CheckVerdict verdict, const char *measured)
{
	CheckFinding *finding = g_new0(CheckFinding, 1);

	*finding = (CheckFinding){ .check = run->check,
		                   .id = run->check->id,
		                   .verdict = verdict,
		                   .judged = verdict,
		                   .measured = g_strdup(measured != NULL ? measured : "unknown"),
		                   .measured_value = FACTS_UNKNOWN,
		                   .needed_value = FACTS_UNKNOWN,
		                   .source = run->check->source,
		                   .remedy = run->check->remedy };
	g_ptr_array_add(run->findings, finding);
	return finding;
}

Fact fact_not(Fact fact)
{
	return fact == FACT_UNKNOWN ? FACT_UNKNOWN : fact == FACT_YES ? FACT_NO : FACT_YES;
}

CheckFinding *finding_tell(CheckRun *run, const char *text)
{
	return finding_add(run, text != NULL ? CHECK_PASS : CHECK_UNKNOWN, text);
}

CheckFinding *finding_add_fact(CheckRun *run, Fact is_met, const char *good, const char *bad)
{
	switch (is_met) {
	case FACT_YES:
		return finding_add(run, CHECK_PASS, good);
	case FACT_NO:
		return finding_add(run, run->check->severity, bad);
	case FACT_UNKNOWN:
	default:
		return finding_add(run, CHECK_UNKNOWN, NULL);
	}
}

void finding_set(char **field, char *text)
{
	g_free(*field);
	*field = text;
}

void finding_set_id(CheckFinding *finding, char *text)
{
	finding_set(&finding->own_id, text);
	finding->id = text;
}

void finding_set_source(CheckFinding *finding, char *text)
{
	finding_set(&finding->own_source, text);
	finding->source = text;
}

void finding_set_remedy(CheckFinding *finding, char *text)
{
	finding_set(&finding->own_remedy, text);
	finding->remedy = text;
}

char *check_format_bytes(guint64 bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	guint unit = 0;
	guint64 whole = bytes;
	guint64 rest = 0;

	for (; whole >= 1024; unit++) {
		rest = whole % 1024;
		whole /= 1024;
	}
	if (unit == 0)
		return g_strdup_printf("%" G_GUINT64_FORMAT " B", whole);
	return g_strdup_printf("%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT " %s", whole,
	                       rest * 10 / 1024, units[unit]);
}

static char *format_amount(guint64 number, const char *unit)
{
	if (strcmp(unit, "bytes") == 0)
		return check_format_bytes(number);

	return g_strdup_printf("%" G_GUINT64_FORMAT " %s", number, unit);
}

static bool is_short(guint64 measured, guint64 need, guint64 tolerance_percent)
{
	return measured < need - need / 100 * tolerance_percent;
}

static CheckVerdict judge_amount(const Amount *amount, CheckVerdict severity)
{
	if (amount->measured == FACTS_UNKNOWN)
		return CHECK_UNKNOWN;
	if (is_short(amount->measured, amount->minimum, amount->tolerance_percent))
		return severity;
	if (is_short(amount->measured, amount->recommended, amount->tolerance_percent))
		return CHECK_WARN;
	return CHECK_PASS;
}

CheckFinding *finding_add_amount(CheckRun *run, const Amount *amount)
{
	CheckVerdict verdict = judge_amount(amount, run->check->severity);
	g_autofree char *measured = amount->measured != FACTS_UNKNOWN
	                                    ? format_amount(amount->measured, amount->unit)
	                                    : NULL;
	bool is_recommended = amount->minimum == 0 ||
	                      (verdict == CHECK_WARN && !is_short(amount->measured, amount->minimum,
	                                                          amount->tolerance_percent));
	CheckFinding *finding;

	if (amount->minimum == 0 && amount->recommended == 0)
		return finding_add(run, CHECK_SKIPPED, "the stack states no need");

	finding = finding_add(run, verdict, measured);
	finding->measured_value = amount->measured;
	finding->needed_value = is_recommended ? amount->recommended : amount->minimum;
	finding->unit = amount->unit;
	finding->needed = format_amount(finding->needed_value, amount->unit);
	if (is_recommended)
		finding_set(&finding->needed, g_strconcat(finding->needed, " recommended", NULL));
	return finding;
}

/* The next number of a version; its end is stored.  A text that has none ends the version. */
static guint64 next_number(const char **version)
{
	char *end = NULL;
	guint64 number;

	if (!g_ascii_isdigit(**version))
		return 0;
	number = g_ascii_strtoull(*version, &end, 10);
	*version = end + (*end == '.');
	return number;
}

int version_compare(const char *a, const char *b)
{
	a += *a == 'v';
	b += *b == 'v';
	while (g_ascii_isdigit(*a) || g_ascii_isdigit(*b)) {
		guint64 left = next_number(&a);
		guint64 right = next_number(&b);

		if (left != right)
			return left < right ? -1 : 1;
	}
	return 0;
}

CheckFinding *finding_add_version(CheckRun *run, const char *version, const char *minimum)
{
	CheckVerdict verdict = CHECK_UNKNOWN;
	CheckFinding *finding;

	if (version != NULL && g_ascii_isdigit(version[*version == 'v']))
		verdict =
			version_compare(version, minimum) >= 0 ? CHECK_PASS : run->check->severity;
	finding = finding_add(run, verdict, version);
	finding->needed = g_strdup(minimum);
	return finding;
}
