/* installer/manual_stack.h - what is told about the kinds of steps
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** A kind of step, or one of its keys; a kind's row has no key and stands in front of its keys. */
typedef struct {
	const char *kind;
	const char *key;   /* (nullable) */
	const char *about; /* whole sentences */
} ManualKind;

extern const ManualKind manual_kind_table[];
extern const gsize manual_kind_count;
