/* installer/lifecycle_board.h - what compose prints while it starts, as a board of services
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/lifecycle.h"

typedef struct Board Board;

/** Shows a row for each service that the receipt knows, and follows the lines that @project's compose
 *  prints.  It must outlive the start. */
Board *board_new(const Lifecycle *life, LifeProject *project);

/** Ends it: what is not done is, if @is_done. */
void board_free(Board *board, bool is_done);

/** Returns: (transfer full) (nullable): the service that a line of compose is about, and (out) @word, a
 *  part of @line: what happens to it: "Healthy". */
char *board_read_line(const char *project, const char *line, const char **word);
