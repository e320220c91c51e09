/* installer/command_history.c - "slipway history": what this program did here
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/history.h"
#include "installer/session.h"

static bool is_asked_for(const json_t *run, const char *stack)
{
	return !stack || g_strcmp0(json_text(run, "stack"), stack) == 0;
}

static void add_row(GPtrArray *cells, const json_t *run)
{
	static const char *const members[] = { "time", "command", "stack", "version", "end" };

	for (gsize i = 0; i < G_N_ELEMENTS(members); i++)
		g_ptr_array_add(cells, g_strdup(json_text_or(run, members[i], "-")));
}

/* A run that was interrupted has written nothing yet: its journal is there. */
static void add_interrupted(App *app, json_t *shown, GPtrArray *cells)
{
	g_autofree char *dir = txn_find_unfinished(app->paths->state);

	if (!dir)
		return;

	g_autofree char *id = g_path_get_basename(dir);
	json_t *run = json_pack("{s:s, s:s}", "id", id, "end", "interrupted");
	json_array_append_new(shown, run);
	add_row(cells, run);
}

bool command_history(App *app, int argc, char **argv, GError **error)
{
	static const char *const headings[] = { "ended", "command", "stack", "version", "result" };
	g_autoptr(json_t) runs = history_read(app->paths->state, error);
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	gsize i = 0;
	json_t *run = NULL;

	if (!runs)
		return false;

	json_t *shown = json_array();
	session_put(app, "runs", shown);
	json_array_foreach(runs, i, run)
	{
		if (!is_asked_for(run, argc > 0 ? argv[0] : NULL))
			continue;
		json_array_append(shown, run);
		add_row(cells, run);
	}
	add_interrupted(app, shown, cells);

	if (cells->len > 0)
		term_table(app->term, headings, G_N_ELEMENTS(headings), cells);
	else
		term_print(app->term, "Nothing was done %s%s yet.\n", argc > 0 ? "with " : "here",
		           argc > 0 ? argv[0] : "");
	return true;
}
