/* installer/stack_lint.h - is a definition as good as it has to be
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "payload/stacks.h"

/** One thing that is asked of every definition. */
typedef struct {
	const char *name;   /* stable, stands in [exception NAME] too: "image-digest" */
	const char *why;    /* what goes wrong without it, one phrase */
	const char *remedy; /* a sentence */
} LintRule;

extern const LintRule lint_rule_table[];
extern const gsize lint_rule_count;

/** Returns: (transfer none) (nullable): the rule of that name. */
const LintRule *lint_rule_find(const char *name);

/** One place where a definition does not do what a rule asks. */
typedef struct {
	const LintRule *rule;
	char *subject; /* service, key, profile, ...: what an exception names */
	char *file;    /* "localagent/stack.ini" */
	guint line;    /* 0: not known */
	char *what;    /* the bare fact, one phrase */
	char *reason;  /* (nullable): of the exception that lets it pass */
} LintFinding;

typedef struct {
	GPtrArray *findings; /* (element-type LintFinding): each once, in file order */
	guint failed;        /* those that no exception lets pass */
	guint projects;      /* compose projects that were judged */
	GPtrArray *
		images; /* (element-type utf8): what those run and are built from, as it is named there:
	                        "redis:7.4.2@sha256:..." */
	char *unmade; /* (nullable): why compose projects were not judged */
} LintReport;

void lint_report_free(LintReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LintReport, lint_report_free)

/**
 * Holds a definition to lint_rule_table[]: its stack.ini, its Dockerfiles, and, with @has_compose, each
 * of its compose projects as "docker compose config" reads them; no engine is asked.  Writes into a
 * directory of its own under TMPDIR, which is gone afterwards.
 *
 * Returns: (transfer full): what was found; NULL with CANNOT_CREATE or IO set.
 */
LintReport *lint_stack(const StackBundle *bundle, bool has_compose,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
