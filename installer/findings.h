/* installer/findings.h - what the checks found, for people and for programs
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/term.h"
#include "checks/check.h"
#include "payload/stack.h"

/** All that there is to show of one judgement.  (transfer none) */
typedef struct {
	const Stack *stack; /* (nullable) */
	const Facts *facts;
	const GPtrArray *findings;
} FindingsReport;

/** Returns: (transfer full): "checks for LocalAgent on Debian GNU/Linux 12 (bookworm) x86_64". */
char *findings_title(const FindingsReport *report);

/** Returns: (transfer full): the machine in one line: "8 CPUs, 31.2 GiB memory, ...", as far as it is
 *  known. */
char *findings_machine(const Facts *facts);

/** Puts the judgement into a document of --json. */
void findings_put(json_t *document, const FindingsReport *report);

/** Returns: the stable word for the worst that a check can say: "fail", "warn", or "info" when it only tells. */
const char *findings_severity(const Check *check);

/** Returns: (transfer full) (nullable): the ids of all findings that say the same as the one at @index and
 *  have the same verdict, blank between; NULL when an earlier one said it. */
char *findings_ids_alike(const GPtrArray *findings, guint index);

/** Prints what does not pass, worst first, each with its remedy; all of it with @is_all. */
void findings_print(Term *term, const GPtrArray *findings, bool is_all);

/** Prints one line for all that needs no word of its own: "31 ok, 4 skipped, 1 ignored (port.80)". */
void findings_print_rest(Term *term, const GPtrArray *findings);

/** Returns: (transfer full): an array of objects, in the order of the table. */
json_t *findings_to_json(const GPtrArray *findings);

/** Returns: (transfer full): the ids that would have to be ignored so that none fails, those that are
 *  ignored first, comma between. */
char *findings_to_ignore(const GPtrArray *findings);

/** Returns: how many of those that only tell are unknown: nobody has to do anything about them. */
guint findings_count_idle(const GPtrArray *findings);

/** Returns: how many have that verdict. */
guint findings_count(const GPtrArray *findings, CheckVerdict verdict);

/** Returns: (transfer full): the ids that have that verdict, once each, comma between. */
char *findings_ids(const GPtrArray *findings, CheckVerdict verdict);

/** Returns: true when none fails; else false with FAILED set, and the complete list of ids that
 *  would have to be ignored in the hint. */
bool findings_pass(const GPtrArray *findings, GError **error);

/** Warns of each word of an ignore list that is no check, with the one that looks most like it. */
void findings_warn_unknown(Term *term, const char *const *ignored);
