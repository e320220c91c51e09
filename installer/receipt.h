/* installer/receipt.h - what this program put on the machine
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/**
 * One receipt for each state directory: an object with "schema", "generation" and "stacks", an
 * object from a stack's name to
 *
 *   title, version, origin, digest, profile, prefix, stack_dir   what was installed, from where
 *   steps     array, oldest first: id, kind, text, digest, inputs, undo, result
 *   deferred  array: id, text, why
 *   tests     array: what "slipway test" runs
 *   txns      ids of the transactions whose backups the undo recipes need
 *
 * Members that a later version added are kept.  Receipts are never changed: a new generation is
 * written to gen/N/receipt.json, and the symlink "current" is swapped.
 */
#define RECEIPT_SCHEMA 1

/** The entry of what "slipway check --fix" mended: no stack.  No stack has a dot in its name. */
#define RECEIPT_FIXES "check.fix"

/** Largest receipt, in bytes.  Source: our own bound. */
#define RECEIPT_MAX_BYTES ((gsize)16 * 1024 * 1024)

/** Returns: (transfer full): the current receipt, an empty one if there is none; NULL with FOREIGN
 *  (not readable, later schema, malformed) or DENIED set. */
json_t *receipt_load(const char *state_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer none) (nullable): what it says of one stack. */
json_t *receipt_stack(const json_t *receipt, const char *name);

/** Returns: (transfer full): "; did you mean \"NAME\"?" where a stack that is installed or embedded has a name
 *  like @name, or "". */
char *receipt_nearest_stack(const json_t *receipt, const char *name);

/** Sets USAGE: @name is not installed.  Always false. */
bool receipt_fail_absent(const json_t *receipt, const char *name, GError **error);

/** Returns: (transfer none) (nullable): the first stack other than @name. */
json_t *receipt_other_stack(const json_t *receipt, const char *name);

/** Returns: (transfer none) (nullable): the record of one step of a stack. */
json_t *receipt_step(const json_t *stack, const char *id);

/** Returns: (transfer none) (nullable): the record that a step with @id and @inputs goes on with: its own,
 *  or that of the step which @inputs say it "replaces". */
json_t *receipt_step_before(const json_t *stack, const char *id, const json_t *inputs);

/** Raises the generation of @receipt and writes it, synced, without making it the current one. */
bool receipt_write(const char *state_dir, json_t *receipt,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Makes @generation the current one.  Idempotent. */
bool receipt_switch(const char *state_dir, json_int_t generation,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes all generations but that of @receipt, the current one, which goes too when it says that
 *  nothing is installed; nothing depends on that. */
void receipt_sweep(const char *state_dir, const json_t *receipt);
