/* installer/deploy_state.c - which colour of a stack is active, and what was deployed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/deploy_state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"

#define STATE_MAX_BYTES ((gsize)64 * 1024)

static void unfinished_free(DeployUnfinished *unfinished)
{
	if (!unfinished)
		return;
	g_free(unfinished->id);
	g_free(unfinished->action);
	g_free(unfinished->image);
	g_free(unfinished->started);
	g_free(unfinished);
}

void deploy_colour_set(DeployColour *colour, const char *image, const char *digest, const char *id)
{
	DeployColour old = *colour;

	*colour = (DeployColour){ g_strdup(image), g_strdup(digest), g_strdup(id) };
	g_free(old.image);
	g_free(old.digest);
	g_free(old.id);
}

void deploy_state_clear(DeployState *state)
{
	for (guint i = 0; i < STACK_COLOURS; i++)
		deploy_colour_set(&state->colours[i], NULL, NULL, NULL);
	unfinished_free(state->unfinished);
	*state = (DeployState){ 0 };
}

char *deploy_directory(const char *state_dir, const char *stack)
{
	return g_build_filename(state_dir, "deployments", stack, NULL);
}

guint deploy_other(guint colour)
{
	return 1 - colour;
}

static bool read_colour(const json_t *object, const char *key, guint *colour)
{
	const char *name = json_text(object, key);

	for (guint i = 0; name && i < STACK_COLOURS; i++) {
		*colour = i;
		if (g_str_equal(name, stack_colours[i]))
			return true;
	}
	return false;
}

static bool read_unfinished(const json_t *object, DeployState *state)
{
	DeployUnfinished *it = NULL;
	guint from = 0;
	guint to = 0;

	if (!object)
		return true;
	if (!read_colour(object, "from", &from) || !read_colour(object, "to", &to) || from == to)
		return false;

	it = g_new0(DeployUnfinished, 1);
	it->id = g_strdup(json_text_or(object, "id", "?"));
	it->action = g_strdup(json_text_or(object, "action", "deploy"));
	it->image = g_strdup(json_text_or(object, "image", "?"));
	it->started = g_strdup(json_text_or(object, "started", "?"));
	it->from = from;
	it->to = to;
	it->is_committed = g_str_equal(json_text_or(object, "phase", ""), "drain");
	state->unfinished = it;
	return true;
}

static bool parse(const json_t *object, DeployState *state)
{
	const json_t *weights = json_object_get(object, "weights");

	if (json_integer_value(json_object_get(object, "schema")) != DEPLOY_SCHEMA ||
	    !read_colour(object, "active", &state->active) ||
	    !read_unfinished(json_object_get(object, "unfinished"), state))
		return false;
	state->has_previous = json_text(object, "previous") != NULL;
	for (guint i = 0; i < STACK_COLOURS; i++) {
		const char *name = stack_colours[i];
		const json_t *colour = json_object_get(object, name);

		deploy_colour_set(&state->colours[i], json_text(colour, "image"),
		                  json_text(colour, "digest"), json_text(colour, "id"));
		if (!state->colours[i].image || !state->colours[i].id)
			return false;
		state->weights[i] =
			(guint)CLAMP(json_integer_value(json_object_get(weights, name)), 0, 100);
	}
	return true;
}

bool deploy_state_read(const char *directory, DeployState *state, bool *is_there, GError **error)
{
	g_autofree char *path = g_build_filename(directory, "state.json", NULL);
	g_autoptr(GError) cause = NULL;
	g_autoptr(json_t) object = json_read(path, STATE_MAX_BYTES, &cause);

	deploy_state_clear(state);
	*is_there = object != NULL;
	if (!object && fault_status(cause) == STATUS_CANNOT_CREATE)
		return true;
	if (object && parse(object, state))
		return true;
	if (cause && fault_status(cause) == STATUS_DENIED) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return false;
	}
	fault_set(error, STATUS_FOREIGN,
	          "Move it away; what runs now is taken from the stack's own files then.",
	          "%s is not readable, or of a later version", path);
	return false;
}

static json_t *unfinished_to_json(const DeployUnfinished *it)
{
	return it ? json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", it->id, "action",
	                      it->action, "from", stack_colours[it->from], "to",
	                      stack_colours[it->to], "image", it->image, "started", it->started,
	                      "phase", it->is_committed ? "drain" : "traffic")
	          : NULL;
}

json_t *deploy_state_to_json(const DeployState *state)
{
	json_t *object =
		json_pack("{s:i, s:s, s:s?}", "schema", DEPLOY_SCHEMA, "active",
	                  stack_colours[state->active], "previous",
	                  state->has_previous ? stack_colours[deploy_other(state->active)] : NULL);
	json_t *weights = json_object();

	for (guint i = 0; i < STACK_COLOURS; i++) {
		const DeployColour *colour = &state->colours[i];

		json_object_set_new(object, stack_colours[i],
		                    json_pack("{s:s, s:s?, s:s}", "image", colour->image, "digest",
		                              colour->digest, "id", colour->id));
		json_object_set_new(weights, stack_colours[i],
		                    json_integer((json_int_t)state->weights[i]));
	}
	json_object_set_new(object, "weights", weights);
	if (state->unfinished)
		json_object_set_new(object, "unfinished", unfinished_to_json(state->unfinished));
	return object;
}

bool deploy_state_write(const char *directory, const DeployState *state, GError **error)
{
	g_autofree char *path = g_build_filename(directory, "state.json", NULL);
	g_autoptr(json_t) object = deploy_state_to_json(state);
	g_autofree char *text = json_pretty(object);

	return file_make_dirs(directory, 0700, NULL, error) &&
	       file_write(path, text, strlen(text), 0600, error);
}

void deploy_state_begin(DeployState *state, const char *action, const char *id, const char *image,
                        guint to)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	DeployUnfinished *it = g_new0(DeployUnfinished, 1);

	it->id = g_strdup(id);
	it->action = g_strdup(action);
	it->image = g_strdup(image);
	it->started = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
	it->from = deploy_other(to);
	it->to = to;
	unfinished_free(state->unfinished);
	state->unfinished = it;
}

void deploy_state_end(DeployState *state)
{
	g_clear_pointer(&state->unfinished, unfinished_free);
}

/* One write: a line is whole, or is not there. */
static bool append_line(const char *path, const char *line, GError **error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		fault_set_errno(error, errno, "cannot open %s", path);
		return false;
	}
	bool is_written = file_write_all(fd, line, strlen(line), error);
	bool is_synced = is_written && fsync(fd) == 0;
	if (is_written && !is_synced)
		fault_set_errno(error, errno, "cannot write %s", path);
	return close(fd) == 0 && is_synced;
}

bool deploy_record(const char *directory, const char *id, const json_t *record, GError **error)
{
	g_autofree char *name = g_strconcat(id, ".json", NULL);
	g_autofree char *reports = g_build_filename(directory, "reports", NULL);
	g_autofree char *report = g_build_filename(reports, name, NULL);
	g_autofree char *audit = g_build_filename(directory, "audit.log", NULL);
	g_autofree char *text = json_pretty(record);
	g_autofree char *compact = json_canonical(record);
	g_autofree char *line = g_strconcat(compact, "\n", NULL);

	return file_make_dirs(reports, 0700, NULL, error) &&
	       file_write(report, text, strlen(text), 0600, error) &&
	       append_line(audit, line, error) && file_sync_dir(directory, error);
}

bool deploy_forget(const char *state_dir, const char *stack, GError **error)
{
	g_autofree char *directory = deploy_directory(state_dir, stack);
	g_autofree char *parent = g_path_get_dirname(directory);

	if (!tree_remove(directory, error))
		return false;
	if (rmdir(parent) == 0 || errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST)
		return true;

	fault_set_errno(error, errno, "cannot remove the directory %s", parent);
	return false;
}
