/* installer/dotenv.h - the lines of a .env file, as far as every program reads them alike
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Largest file, in bytes.  Source: our own bound; it has room for 60 secrets of the largest size. */
#define DOTENV_MAX_BYTES ((gsize)1024 * 1024)

/**
 * One assignment.  There is no standard for these files: what a shell, docker compose and the dotenv
 * libraries do not all read as the same value is never guessed at, but is a fault of its line:
 *
 *   - unquoted: blanks inside, or one of $ ` \ ' " # ; & | < > ( ), or a ~ in front
 *   - 'single quoted': a backslash before another one or before the closing quote
 *   - "double quoted": $ ` and every backslash but \n, which is a line break
 *   - blanks around "=", text behind a closing quote, a quote that is not closed on its line
 *   - a name that was assigned before
 *
 * "export " in front, a comment behind a blank and "#", CRLF and a BOM are accepted.
 */
typedef struct {
	char *name;    /* [A-Za-z_][A-Za-z0-9_]* */
	GBytes *value; /* (nullable): of secret_new(); NULL when there is a fault or it is empty */
	const char *fault; /* (nullable): a phrase, why the value cannot be taken */
	guint line;        /* 1-based */
	gsize start;       /* of the line in the text */
	gsize size;        /* of the line, without its line break */
} DotenvEntry;

typedef struct Dotenv Dotenv;

/**
 * Parses @text.  @name stands in messages, what the lines say does not.
 *
 * Returns: (transfer full): the file; or NULL with DATA, "NAME:LINE: ", set: NUL or control bytes,
 * not UTF-8, or a line that is no assignment, no comment and not empty.
 */
Dotenv *dotenv_parse(GBytes *text, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Wipes the values.  Accepts NULL. */
void dotenv_free(Dotenv *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Dotenv, dotenv_free)

/** Returns: (transfer none) (element-type DotenvEntry): in the order of the file. */
const GPtrArray *dotenv_entries(const Dotenv *file);

/** Returns: (transfer none) (nullable): the first entry of that name. */
const DotenvEntry *dotenv_find(const Dotenv *file, const char *name);

/** Returns: (transfer full): the text, in memory that is wiped, with a comment without the value in
 *  place of every line that assigns one of @names (NULL-terminated). */
GBytes *dotenv_comment_out(const Dotenv *file, const char *const *names);

/** Returns: (transfer full): @size_bytes zeros that are wiped when they are freed; the secrets of a
 *  whole file are not values that output is searched for.  @data: (out) (transfer none): to fill. */
GBytes *dotenv_buffer(gsize size_bytes, char **data);
