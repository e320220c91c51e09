/* installer/lifecycle_board.c - what compose prints while it starts, as a board of services
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/lifecycle_board.h"

#include <string.h>

#include "base/log.h"
#include "base/progress.h"

struct Board {
	LifeProject *project;
	Progress *progress;
	GHashTable *services; /* those that have a row */
	bool has_images;      /* they have a row too */
};

#define IMAGES "images"

/* " Container PROJECT-SERVICE-1  Started"; older ones write "_" between the parts. */
char *board_read_line(const char *project, const char *line, const char **word)
{
	const char *name = strstr(line, "Container ");
	gsize length = strlen(project);

	if (!name)
		return NULL;
	name += strlen("Container ");
	if (strncmp(name, project, length) != 0 || !strchr("-_", name[length]))
		return NULL;
	name += length + 1;

	const char *end = strchr(name, ' ');
	if (!end)
		return NULL;
	*word = end + strspn(end, " ");
	while (end > name && g_ascii_isdigit(end[-1]))
		end--;
	return end > name + 1 ? g_strndup(name, (gsize)(end - name) - 1) : NULL;
}

static void on_line(const char *line, gpointer data)
{
	Board *board = data;
	const char *word = NULL;
	g_autofree char *service = board_read_line(board->project->compose->project, line, &word);

	log_line("compose", "%s", line);
	if (!service || !g_hash_table_contains(board->services, service))
		return;
	bool is_well = g_str_has_prefix(word, "Healthy") || g_str_has_prefix(word, "Running");
	progress_set(board->progress, service, is_well ? PROGRESS_DONE : PROGRESS_RUNNING, -1,
	             is_well ? NULL : word);
}

/* A row of their own: what is loaded is not a service's alone. */
static void on_bytes(guint64 done_bytes, guint64 total_bytes, gpointer data)
{
	Board *board = data;

	if (!board->has_images)
		progress_add(board->progress, IMAGES, "images that the engine lacks", 1);
	if (!board->has_images)
		progress_set(board->progress, IMAGES, PROGRESS_RUNNING, -1, NULL);
	board->has_images = true;
	progress_set_bytes(board->progress, IMAGES, done_bytes, total_bytes);
}

Board *board_new(const Lifecycle *life, LifeProject *project)
{
	Board *board = g_new0(Board, 1);
	g_autofree char *title = g_strdup_printf("Starting %s", life->title);
	const char *name = NULL;
	json_t *hash = NULL;

	board->project = project;
	board->progress = progress_new(life->app->term, title);
	board->services = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	json_object_foreach(json_object_get(project->result, "services"), name, hash)
	{
		const StackService *about = lifecycle_service(life, name);
		g_autofree char *text = about && about->role
		                                ? g_strdup_printf("%s: %s", name, about->role)
		                                : g_strdup(name);

		progress_add(board->progress, name, text, 1);
		g_hash_table_add(board->services, g_strdup(name));
	}
	project->compose->on_line = on_line;
	project->compose->on_bytes = on_bytes;
	project->compose->data = board;
	return board;
}

void board_free(Board *board, bool is_done)
{
	GHashTableIter iter;
	gpointer name = NULL;

	g_hash_table_iter_init(&iter, board->services);
	while (is_done && g_hash_table_iter_next(&iter, &name, NULL))
		progress_set(board->progress, name, PROGRESS_DONE, 1, NULL);
	if (is_done && board->has_images)
		progress_set(board->progress, IMAGES, PROGRESS_DONE, 1, NULL);
	board->project->compose->on_line = NULL;
	board->project->compose->on_bytes = NULL;
	progress_free(board->progress);
	g_hash_table_unref(board->services);
	g_free(board);
}
