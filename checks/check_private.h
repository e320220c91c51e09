/* checks/check_private.h - what the judges are written with
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/check.h"

struct CheckRun {
	const Facts *facts;
	const CheckNeeds *needs;
	const Check *check; /* the row that is being judged */
	GPtrArray *findings;
};

/** The rows of the table, by group; the last has no id. */
extern const Check check_rows_system[], check_rows_user[], check_rows_kernel[], check_rows_limits[],
	check_rows_memory[], check_rows_disk[], check_rows_place[], check_rows_cpu[],
	check_rows_packages[], check_rows_gpu[], check_rows_model[], check_rows_engine[],
	check_rows_engine_info[], check_rows_engine_ways[], check_rows_compose[],
	check_rows_desktop[], check_rows_desktop_options[], check_rows_port[], check_rows_network[];

/** Adds a finding with the row's id, source and remedy.  @measured: (nullable) (transfer none). */
CheckFinding *finding_add(CheckRun *run, CheckVerdict verdict, const char *measured);

/** Returns: the opposite; what is unknown stays so. */
Fact fact_not(Fact fact);

/** Adds a finding of a check that only tells: UNKNOWN for NULL. */
CheckFinding *finding_tell(CheckRun *run, const char *text);

/** Adds the finding for a statement: PASS with @good when it holds, the row's severity with @bad when it
 *  does not. */
CheckFinding *finding_add_fact(CheckRun *run, Fact is_met, const char *good, const char *bad);

/** Replaces a text of a finding: "measured" or "needed".  @text: (transfer full). */
void finding_set(char **field, char *text);

/** As finding_set(), for those that are the check's where nobody sets them. */
void finding_set_id(CheckFinding *finding, char *text);
void finding_set_source(CheckFinding *finding, char *text);
void finding_set_remedy(CheckFinding *finding, char *text);

/** A number against a need.  All in @unit. */
typedef struct {
	guint64 measured;
	guint64 minimum;           /* below it: the row's severity; 0: none */
	guint64 recommended;       /* below it: WARN; 0: none */
	guint64 tolerance_percent; /* of both: firmware and kernel keep some memory to themselves */
	const char *unit;
} Amount;

/** Adds the finding: SKIPPED without a need, UNKNOWN without a number. */
CheckFinding *finding_add_amount(CheckRun *run, const Amount *amount);

/** Compares dotted versions number by number, up to the first part that is none.  Returns: <0, 0, >0. */
int version_compare(const char *a, const char *b);

/** Adds the finding for a version; @version: (nullable): unknown. */
CheckFinding *finding_add_version(CheckRun *run, const char *version, const char *minimum);

/** Returns: whether an earlier need is on the same device as that at @index, and judged with it. */
bool disk_is_judged(const CheckRun *run, gsize index);

/** Returns: whether the engine is outside of the container that we are in. */
bool engine_is_outside(const Facts *facts);

/* When a row applies. */
bool applies_to_macos(const Facts *facts, const CheckNeeds *needs);
bool applies_to_linux(const Facts *facts, const CheckNeeds *needs);
bool applies_with_packages(const Facts *facts, const CheckNeeds *needs);
bool applies_with_keyring(const Facts *facts, const CheckNeeds *needs);
bool applies_with_models(const Facts *facts, const CheckNeeds *needs);
bool applies_with_redis(const Facts *facts, const CheckNeeds *needs);
bool applies_with_engine(const Facts *facts, const CheckNeeds *needs);
bool applies_with_compose(const Facts *facts, const CheckNeeds *needs);
bool applies_with_desktop(const Facts *facts, const CheckNeeds *needs);
