/* checks/facts_fields.h - the members of the facts as a table
 *
 * One row for each member of each struct: making, freeing, writing and reading JSON come from
 * here.  A new fact is a member and a row.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_machine.h"

typedef enum { FIELD_NUMBER, FIELD_TEXT, FIELD_FACT, FIELD_WORD } FieldKind;

typedef struct {
	FieldKind kind;
	const char *group; /* JSON object that it stands in; NULL: at the top */
	const char *name;
	gsize offset;
	const char *const *words; /* FIELD_WORD: by enumerator, NULL-terminated */
} Field;

typedef struct {
	const Field *rows;
	gsize count;
} Fields;

extern const Fields facts_fields;
extern const Fields card_fields;
extern const Fields directory_fields;
extern const Fields port_fields;
extern const Fields server_fields;
extern const Fields secret_fields;

/** Sets every number to FACTS_UNKNOWN; the rest of a zeroed struct is right already. */
void fields_init(gpointer object, const Fields *fields);

/** Frees every text. */
void fields_clear(gpointer object, const Fields *fields);
