/* base/term_table.c - rows in aligned columns
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/term_private.h"

#define GAP 2
/* The last column has at least this, on the narrowest terminal too. */
#define LAST_MIN_COLUMNS 20

typedef struct {
	guint columns;
	GArray *widths;   /* (element-type guint): of all columns but the last */
	guint last_width; /* G_MAXUINT: not wrapped */
	guint indent;     /* of the last column */
} Layout;

/* Returns: (transfer full): the cell as it is measured and printed. */
static char *clean_cell(const char *cell, bool is_last)
{
	char *clean = term_text_clean(cell ? cell : "", true);

	return is_last ? clean : g_strdelimit(clean, "\n\t", ' ');
}

static guint *width_of(const Layout *layout, guint column)
{
	return &g_array_index(layout->widths, guint, column);
}

static void measure(const Layout *layout, guint column, const char *cell)
{
	g_autofree char *clean = clean_cell(cell, false);
	guint *width = width_of(layout, column);

	*width = MAX(*width, term_text_width(clean));
}

static void append_row(GString *out, const Layout *layout, const char *const *cells)
{
	gsize start = out->len;

	for (guint i = 0; i + 1 < layout->columns; i++) {
		g_autofree char *cell = clean_cell(cells[i], false);
		guint pad = *width_of(layout, i) - term_text_width(cell) + GAP;

		g_string_append_printf(out, "%s%*s", cell, (int)pad, "");
	}

	g_autofree char *last = clean_cell(cells[layout->columns - 1], true);
	g_autoptr(GPtrArray) lines = term_text_wrap(last, layout->last_width);
	for (guint i = 0; i < lines->len; i++) {
		if (i > 0)
			g_string_append_printf(out, "\n%*s", (int)layout->indent, "");
		g_string_append(out, g_ptr_array_index(lines, i));
	}
	while (out->len > start && out->str[out->len - 1] == ' ')
		g_string_truncate(out, out->len - 1);
	g_string_append_c(out, '\n');
}

static void append_headings(GString *out, const Layout *layout, const Term *term,
                            const char *const *headings)
{
	g_autoptr(GPtrArray) styled = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < layout->columns; i++)
		g_ptr_array_add(styled, term_styled(term, TERM_BOLD, headings[i]));
	append_row(out, layout, (const char *const *)styled->pdata);
}

void term_table(Term *term, const char *const *headings, guint columns, const GPtrArray *cells)
{
	g_return_if_fail(columns > 0 && cells->len % columns == 0);

	g_autoptr(GArray) widths = g_array_new(FALSE, TRUE, sizeof(guint));
	g_autoptr(GString) out = g_string_new(NULL);
	Layout layout = { .columns = columns, .widths = widths, .last_width = G_MAXUINT };

	g_array_set_size(widths, columns);
	for (guint i = 0; headings && i < columns; i++)
		measure(&layout, i, headings[i]);
	for (guint i = 0; i < cells->len; i++)
		measure(&layout, i % columns, g_ptr_array_index(cells, i));
	for (guint i = 0; i + 1 < columns; i++)
		layout.indent += *width_of(&layout, i) + GAP;
	/* A program that reads the table wants one line for each row. */
	if (term_is_interactive()) {
		guint width = term_width(term);
		guint left = width > layout.indent ? width - layout.indent : 0;
		layout.last_width = MAX(left, LAST_MIN_COLUMNS);
	}

	if (headings)
		append_headings(out, &layout, term, headings);
	for (guint i = 0; i < cells->len; i += columns)
		append_row(out, &layout, (const char *const *)cells->pdata + i);
	term_print_text(term, out->str);
}
