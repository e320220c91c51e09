/* installer/manual_private.h - mdoc(7), and the pages that manual.c puts together
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

#include "installer/command.h"

/** Begins a page. */
typedef struct {
	const char *name; /* "slipway-keys-set" */
	const char *section;
	const char *about; /* one phrase */
} MdocHead;
void mdoc_head(GString *page, const MdocHead *head);

/** Adds whole sentences, each on lines of its own; an empty line ends a paragraph.  Nothing in
 *  @text is taken for a macro. */
void mdoc_text(GString *page, const char *text);

/** As mdoc_text(), for a phrase: it begins with a capital and gets a full stop. */
void mdoc_phrase(GString *page, const char *text);

/** Adds the words of a usage line as macros, each on its line: "STACK [DIR] NAME...". */
void mdoc_usage(GString *page, const char *arguments);

/** Adds one option to a list.  @argument: (nullable). */
void mdoc_option(GString *page, const char *name, const char *argument, const char *about);

/** Adds lines as they are, in a block. */
void mdoc_literal(GString *page, const char *lines);

/** Adds ".Xr" lines; @pages: (element-type utf8): "slipway 1", in any order; sorted here. */
void mdoc_see_also(GString *page, GPtrArray *pages);

/** Adds the exit statuses whose names @names has, or all for NULL. */
void mdoc_statuses(GString *page, const char *names);

/** Adds the files whose names @names has, or all for NULL. */
void mdoc_files(GString *page, const char *names);

/** Returns: (transfer full): "slipway-keys-set" for "keys set". */
char *manual_name_of(const Command *command);

/** The pages: slipway(1), that of a command, slipway.ini(5), slipway-stack(5). */
void manual_make_program(GString *page);
void manual_make_command(GString *page, const Command *command);
void manual_make_ini(GString *page);
void manual_make_stack(GString *page);
