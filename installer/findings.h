/* installer/findings.h - what the checks found, for people and for programs
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/term.h"
#include "checks/check.h"

/** Prints what does not pass, worst first, each with its remedy; all of it with @is_all. */
void findings_print(Term *term, const GPtrArray *findings, bool is_all);

/** Prints one line for all that needs no word of its own: "31 ok, 4 skipped, 1 ignored (port.80)". */
void findings_print_rest(Term *term, const GPtrArray *findings);

/** Returns: (transfer full): an array of objects, in the order of the table. */
json_t *findings_to_json(const GPtrArray *findings);

/** Returns: how many have that verdict. */
guint findings_count(const GPtrArray *findings, CheckVerdict verdict);

/** Returns: (transfer full): the ids that have that verdict, once each, comma between. */
char *findings_ids(const GPtrArray *findings, CheckVerdict verdict);

/** Returns: true when none fails; else false with FAILED set, and the complete list of ids that
 *  would have to be ignored in the hint. */
bool findings_pass(const GPtrArray *findings, GError **error);

/** Warns of each word of an ignore list that is no check, with the one that looks most like it. */
void findings_warn_unknown(Term *term, const char *const *ignored);
