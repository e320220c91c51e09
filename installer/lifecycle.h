/* installer/lifecycle.h - an installed stack, its compose projects and their services
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/command.h"
#include "installer/compose.h"
#include "payload/stack.h"

/** One compose project of an installed stack. */
typedef struct {
	json_t *step;         /* (transfer none): the receipt's record */
	const json_t *inputs; /* (transfer none) */
	json_t *result; /* (transfer none): project, digest, services, handover, engine, is_down */
	ComposeProject *compose;
	GHashTable *ports; /* variable -> number as text, as the env file says it */
} LifeProject;

/** An installed stack. */
typedef struct {
	App *app;
	char *name;
	json_t *receipt; /* the whole of it */
	json_t *entry;   /* (transfer none): of this stack */
	const char *title;
	Stack *stack;        /* (nullable): NULL when its files are gone */
	GPtrArray *projects; /* (element-type LifeProject): as they were installed; may be empty */
	GPtrArray *left;     /* (element-type utf8): what lifecycle_down() left in place, and why */
} Lifecycle;

/** Reads the receipt and the definition that was installed; asks no engine.
 *  Returns: (transfer full): NULL with USAGE (it is not installed) or the errors of receipt_load() or
 *  compose_project_new() set. */
Lifecycle *lifecycle_open(App *app, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void lifecycle_free(Lifecycle *life);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lifecycle, lifecycle_free)

/** As lifecycle_open(), from @receipt. */
Lifecycle *lifecycle_of_receipt(App *app, const char *name, json_t *receipt,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** As lifecycle_open(), with CONFIG set for a stack that has no containers. */
Lifecycle *lifecycle_open_containers(App *app, const char *name,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Refuses while an installation waits to be finished or taken back: BUSY. */
bool lifecycle_is_settled(const Lifecycle *life, GError **error);

/** Makes the receipt say that @project is down, or is not; nothing is written when it says so. */
bool lifecycle_mark(Lifecycle *life, const LifeProject *project, bool is_down,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Makes the receipt say what was started: the member "result" of the project's step. */
bool lifecycle_record(Lifecycle *life, const LifeProject *project, json_t *result,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Makes the receipt say that a restore from @directory is under way; NULL: that it is over. */
bool lifecycle_restoring(Lifecycle *life, const LifeProject *project, const char *directory,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Refuses, with FAILED, a project whose restore did not end: its data is not whole. */
bool lifecycle_is_whole(const Lifecycle *life, const LifeProject *project, GError **error);

/** Returns: (transfer full) (nullable): @text with the project's ports in place of "${VARIABLE}"; NULL
 *  when one is not known. */
char *lifecycle_expand(const LifeProject *project, const char *text);

/** Returns: (transfer none) (nullable): what the definition says of a service. */
const StackService *lifecycle_service(const Lifecycle *life, const char *name);
