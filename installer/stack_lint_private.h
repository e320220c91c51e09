/* installer/stack_lint_private.h - what the parts of the lint share
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/json.h"
#include "installer/stack_lint.h"

/** A definition while it is judged. */
typedef struct {
	const StackBundle *bundle; /* (nullable): in a test */
	const Stack *stack;
	GPtrArray *findings;
	GPtrArray *images; /* (element-type utf8): each once, as LintReport has them */
} Lint;

/** Where something stands. */
typedef struct {
	const char *subject;
	const char *file; /* of the stack: "containers/compose.yaml"; NULL: stack.ini */
	guint line;       /* 0: not known */
} LintPlace;

/** Notes that @place does not do what the rule @rule asks; the same is noted once. */
void lint_note(Lint *lint, const char *rule, const LintPlace *place, const char *format, ...)
	G_GNUC_PRINTF(4, 5);

/** Returns: where stack.ini has "[@section]", about @subject. */
LintPlace lint_section(const Lint *lint, const char *section, const char *subject);

/** Judges stack.ini alone. */
void lint_definition(Lint *lint);

/** The files of a compose step, where an installation would put them. */
typedef struct {
	char *directory;     /* stands for the prefix */
	GHashTable *members; /* path below it -> file of the stack */
	json_t *inputs;      /* as a compose step has them */
} LintFiles;

void lint_files_clear(LintFiles *files);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LintFiles, lint_files_clear)

/** Writes the files of @profile below @directory, and fills in the compose step @step.  Returns: false
 *  with an error set, also that of a template. */
bool lint_files_write(const Lint *lint, const char *profile, const StackStep *step,
                      const char *directory, LintFiles *files,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** One compose project. */
typedef struct {
	Lint *lint;
	const char *profile; /* "" in a stack without profiles */
	const char *project;
	const LintFiles *files;
	const json_t *config; /* as compose reads it */
	const json_t *
		moved; /* (nullable): the same with other ports, and with keys in the environment */
} LintProject;

/** What a port's variable is set to for LintProject.moved; a key is LINT_CANARY then. */
guint lint_moved_port(guint64 number);
#define LINT_CANARY "slipway-lint-canary"

/** Judges one project: all that stands in what compose reads. */
void lint_project(const LintProject *it);

/** Judges its services one by one. */
void lint_services(const LintProject *it);

/** Notes something about a service, at the line of @key in it, or of the service itself. */
void lint_note_service(const LintProject *it, const char *rule, const char *service,
                       const char *key, const char *what);

/** Judges the Dockerfile of a service.  @text: (transfer none); @build: (nullable): the service's build.
 *  @user: (nullable): whom the compose file runs it as. */
void lint_image(Lint *lint, const LintPlace *place, const char *text, const json_t *build,
                const char *user);

/** Takes the name of an image into the report, unless it has a variable that nobody set.
 *  Returns: (transfer full) (nullable): what is wrong with it: no tag, or one that moves.
 *  @has_digest: set to whether it has a digest. */
char *lint_image_name(Lint *lint, const char *image, bool *has_digest);
