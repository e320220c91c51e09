/* base/term.h - what people and programs see
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/** Where output goes and what it may look like.  stdout carries the result, stderr everything
 *  for people.  One Term for each process, made in main() and passed along. */
typedef struct Term Term;

typedef struct {
	bool is_json;   /* --json: exactly one document on stdout, at the end */
	bool is_events; /* --events: NDJSON on stdout while it runs */
	bool is_plain; /* --plain: no colour, no live progress; also NO_COLOR, TERM=dumb, no terminal */
	bool is_quiet; /* --quiet: stderr has only errors and questions */
	bool is_yes;   /* --yes: never ask */
} TermOptions;

typedef enum {
	TERM_NORMAL,
	TERM_GOOD,
	TERM_WARN,
	TERM_BAD,
	TERM_DIM,
	TERM_BOLD,
	TERM_HUE_1, /* colours without a meaning, to tell things apart */
	TERM_HUE_2,
	TERM_HUE_3,
	TERM_HUE_4,
	TERM_HUE_5,
	TERM_HUE_6,
} TermStyle;

/** How many hues there are, from TERM_HUE_1 on. */
#define TERM_HUE_COUNT 6

Term *term_new(const TermOptions *options);

/** Flushes stdout.  Returns: false with IO set when the result could not be written (a full disk,
 *  a closed pipe): then the run has failed, whatever it did. */
bool term_close(Term *term, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void term_free(Term *term);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Term, term_free)

/** Returns: whether --json, or --events, was asked for. */
bool term_is_json(const Term *term);
bool term_is_events(const Term *term);

/** Returns: whether a question can be answered: stdin and stderr are terminals, CI is unset, no
 *  --yes, no --json. */
bool term_can_ask(const Term *term);

/** Keeps what goes to stdout until term_release(), which writes it at once: for a report of many lines.  Nothing goes
 *  to stderr between the two. */
void term_hold(Term *term);
void term_release(Term *term);

/** Writes result text to stdout, unless JSON or events were asked for.  Masked. */
void term_print(Term *term, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** Writes a line for people to stderr, unless quiet.  Masked; live progress steps aside. */
void term_note(Term *term, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** Writes a line to stderr, even when quiet. */
void term_warn(Term *term, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** Writes to stdout: the document, when JSON was asked for. */
void term_document(Term *term, const json_t *document);

/** Writes one NDJSON line to stdout, when events were asked for.  Adds "time" (RFC 3339). */
void term_event(Term *term, const json_t *event);

/** Returns: (transfer full): @text in that style if stdout (or stderr) shows styles. */
char *term_styled(const Term *term, TermStyle style, const char *text);

/** Columns of the terminal; 80 when unknown. */
guint term_width(const Term *term);

/**
 * Prints rows in aligned columns to stdout, the last column wrapped to the terminal's width.
 * @cells: (element-type utf8) row after row, each a full set of columns; a NULL cell is empty.
 * @headings: (nullable): @columns of them.
 */
void term_table(Term *term, const char *const *headings, guint columns, const GPtrArray *cells);

/** Asks on the terminal; anything but "y" or "yes" is no, an empty answer is @fallback.
 *  Only where term_can_ask(). */
bool term_confirm(Term *term, const char *question, bool fallback);

/**
 * Asks for a secret on /dev/tty without echo; the terminal is restored on signals too.
 *
 * Returns: (transfer full): the secret, or NULL with USAGE (nobody can answer), DATA (empty) or a
 * cancellation set.
 */
GBytes *term_ask_secret(Term *term, const char *prompt, GError **error) G_GNUC_WARN_UNUSED_RESULT;
