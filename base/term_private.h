/* base/term_private.h - what the files of the terminal share: text, widths, the live board
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/term.h"

/** Something that is drawn below all other output and steps aside for it. */
typedef struct {
	void (*hide)(gpointer data);
	void (*show)(gpointer data);
	gpointer data;
} TermLive;

/** Registers the live board; NULL takes it away. */
void term_set_live(Term *term, const TermLive *live);

/** Returns: whether a live board can be drawn: stderr is a terminal that moves its cursor, not
 *  --plain, --quiet, --json or --events. */
bool term_can_draw(const Term *term);

/** Returns: whether --quiet was given. */
bool term_is_quiet(const Term *term);

/** Returns: whether the locale's text says UTF-8. */
bool term_is_utf8(const Term *term);

/** Rows of the terminal; 24 when unknown. */
guint term_height(const Term *term);

/** Returns: whether stdout is a terminal. */
bool term_is_interactive(void);

/** Writes @text as it is to stderr: the board masks and cleans its parts itself. */
void term_draw(Term *term, const char *text);

/** Writes @text to stderr as term_warn() does, without a line break. */
void term_prompt(Term *term, const char *text);

/** Writes @text, masked and cleaned, to stdout, unless JSON or events were asked for. */
void term_print_text(Term *term, const char *text);

/** Returns: (transfer full): valid UTF-8 in which control bytes that could drive a terminal are
 *  written as "\x1b"; line breaks and tabs stay; colours stay where @has_style. */
char *term_text_clean(const char *text, bool has_style);

/** Returns: columns that valid UTF-8 @text takes; colours take none, East Asian wide ones two. */
guint term_text_width(const char *text);

/** Returns: (transfer full): @text, cut with @ellipsis to at most @columns; without colours. */
char *term_text_fit(const char *text, guint columns, const char *ellipsis);

/** Returns: (transfer full) (element-type utf8): @text in lines of at most @columns, broken at
 *  spaces where it can be; line breaks in it stay.  @columns is at least 2. */
GPtrArray *term_text_wrap(const char *text, guint columns);
