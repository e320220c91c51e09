/* installer/deploy_look.c - what a deployment of a stack has to do with, and how it is now
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/deploy_look.h"

#include <string.h>
#include <sys/stat.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "installer/engine.h"
#include "installer/env_lines.h"
#include "installer/template.h"

#define PROFILES "COMPOSE_PROFILES"
#define LOOK_MS 500
/* A proxy that starts again answers after about a second. */
#define ABSENT_S 15

void deploy_free(Deploy *it)
{
	if (!it)
		return;
	lifecycle_free(it->life);
	deploy_state_clear(&it->state);
	g_free(it->directory);
	g_free(it->variables);
	g_free(it->servers);
	for (guint i = 0; i < STACK_COLOURS; i++)
		g_free(it->services[i]);
	g_free(it);
}

static bool fail_colours(const Lifecycle *life, GError **error)
{
	const StackDeploy *about = life->stack ? &life->stack->deploy : NULL;

	if (!about || !about->service) {
		fault_set(error, STATUS_CONFIG, NULL,
		          "%s has nothing that could be deployed: its definition has no [deploy]",
		          life->name);
		return false;
	}
	g_autofree char *profiles = g_strjoinv(" or ", about->profiles);
	g_autofree char *hint = g_strdup_printf("Run \"slipway install %s --profile %s\" first.",
	                                        life->name, *about->profiles);
	fault_set(error, STATUS_CONFIG, hint,
	          "%s is installed with the profile %s, which has no two colours; %s has",
	          life->name, json_text_or(life->entry, "profile", "?"), profiles);
	return false;
}

/* The project whose inputs have the colours. */
static bool find_project(Deploy *it, GError **error)
{
	const Lifecycle *life = it->life;

	for (guint i = 0; i < life->projects->len && !it->project; i++) {
		LifeProject *project = life->projects->pdata[i];
		if (project->compose->variables)
			it->project = project;
	}
	if (!it->project || !life->stack || !life->stack->deploy.service)
		return fail_colours(life, error);
	it->about = &life->stack->deploy;
	return true;
}

static bool find_port(Deploy *it, GError **error)
{
	const Stack *stack = it->life->stack;
	const char *text = NULL;
	guint64 number = 0;

	for (guint i = 0; i < stack->ports->len; i++) {
		const StackPort *port = stack->ports->pdata[i];
		if (g_str_equal(port->name, it->about->admin))
			text = g_hash_table_lookup(it->project->ports, port->variable);
	}
	if (text && g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, &number, NULL)) {
		it->proxy = (Haproxy){ (guint16)number, it->about->backend };
		return true;
	}
	fault_set(error, STATUS_CONFIG, NULL, "the port %s of the proxy is not known",
	          it->about->admin);
	return false;
}

static bool find_files(Deploy *it, GError **error)
{
	const ComposeProject *compose = it->project->compose;
	const json_t *vars = json_object_get(it->project->inputs, "vars");
	g_autofree char *text =
		compose->env_file ? env_lines_read(compose->env_file, error) : g_strdup("");

	it->variables = g_strdup(compose->variables);
	it->servers = text ? template_expand(it->about->servers, vars, error) : NULL;
	return it->servers && deploy_tunables_read(text, compose->env_file, &it->tunables, error);
}

static bool fail_variables(const Deploy *it, GError **error)
{
	fault_set(error, STATUS_CONFIG, NULL,
	          "%s: " PROFILES " names no colour, or %s or %s no image", it->variables,
	          it->about->images[0], it->about->images[1]);
	return false;
}

/* What the variables say is what compose starts. */
static bool read_variables(const Deploy *it, DeployState *state, GError **error)
{
	g_autofree char *text = env_lines_read(it->variables, error);
	g_autofree char *active = text ? env_lines_get(text, PROFILES) : NULL;

	if (!text)
		return false;
	state->active = STACK_COLOURS;
	for (guint i = 0; i < STACK_COLOURS; i++) {
		g_autofree char *image = env_lines_get(text, it->about->images[i]);
		g_autofree char *id = env_lines_get(text, it->about->ids[i]);

		if (g_strcmp0(active, stack_colours[i]) == 0)
			state->active = i;
		deploy_colour_set(&state->colours[i], image ? image : "", NULL, id ? id : "none");
	}
	if (state->active == STACK_COLOURS || !*state->colours[state->active].image)
		return fail_variables(it, error);
	state->weights[state->active] = 100;
	return true;
}

static bool is_same(const DeployState *a, const DeployState *b)
{
	return a->active == b->active &&
	       g_strcmp0(a->colours[a->active].image, b->colours[b->active].image) == 0 &&
	       g_strcmp0(a->colours[a->active].id, b->colours[b->active].id) == 0;
}

static bool read_state(Deploy *it, GError **error)
{
	DeployState said = { 0 };
	bool is_there = false;
	bool is_known = deploy_state_read(it->directory, &it->state, &is_there, error);

	if (!is_known || (is_there && it->state.unfinished))
		return is_known;
	if (!read_variables(it, &said, error)) {
		deploy_state_clear(&said);
		return false;
	}
	if (is_there && is_same(&it->state, &said)) {
		deploy_state_clear(&said);
		return true;
	}
	deploy_state_clear(&it->state);
	it->state = said;
	return true;
}

Deploy *deploy_open(App *app, const char *name, GError **error)
{
	g_autoptr(Deploy) it = g_new0(Deploy, 1);

	it->life = lifecycle_open(app, name, error);
	if (!it->life || !find_project(it, error) || !find_port(it, error) ||
	    !find_files(it, error))
		return NULL;

	it->directory = deploy_directory(app->paths->state, name);
	for (guint i = 0; i < STACK_COLOURS; i++)
		it->services[i] = g_strdup_printf("%s-%s", it->about->service, stack_colours[i]);
	return read_state(it, error) ? g_steal_pointer(&it) : NULL;
}

char *deploy_image_id(const Deploy *it, const char *image, GError **error)
{
	g_autoptr(json_t) list = engine_get(it->project->compose->engine, "/images/json", error);
	g_autofree char *name = g_uri_escape_string(image, "/:@", FALSE);
	g_autofree char *path = g_strdup_printf("/images/%s/json", name);
	g_autoptr(json_t) found =
		list ? engine_get(it->project->compose->engine, path, NULL) : NULL;

	return g_strdup(json_text(found, "Id"));
}

char *deploy_new_id(guint colour)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *when = g_date_time_format(now, "%Y%m%dT%H%M%SZ");

	return g_strdup_printf("%s-%s", when, stack_colours[colour]);
}

/* As readable as it was: the proxy is another user. */
static bool replace(const char *path, const char *text, GError **error)
{
	struct stat st = { .st_mode = 0644 };

	(void)stat(path, &st);
	return file_write(path, text, strlen(text), st.st_mode & 0777, error);
}

bool deploy_write_variables(const Deploy *it, guint active, const DeployColour *colours,
                            GError **error)
{
	g_autofree char *before = env_lines_read(it->variables, error);
	g_autofree char *text =
		before ? env_lines_set(before, PROFILES, stack_colours[active]) : NULL;

	for (guint i = 0; text && i < STACK_COLOURS; i++) {
		g_autofree char *half = env_lines_set(text, it->about->images[i], colours[i].image);
		g_free(text);
		text = env_lines_set(half, it->about->ids[i], colours[i].id);
	}
	return text && (g_str_equal(text, before) || replace(it->variables, text, error));
}

static bool write_servers(const Deploy *it, const guint weights[STACK_COLOURS], GError **error)
{
	g_autofree char *before = env_lines_read(it->servers, error);
	g_autofree char *text = g_strdup(before);

	for (guint i = 0; text && i < STACK_COLOURS; i++) {
		char *weighed = deploy_weigh(text, stack_colours[i], weights[i]);

		if (!weighed) {
			fault_set(error, STATUS_CONFIG, NULL,
			          "%s has no line \"server %s ... weight N\"", it->servers,
			          stack_colours[i]);
			return false;
		}
		g_free(text);
		text = weighed;
	}
	return text && (g_str_equal(text, before) || replace(it->servers, text, error));
}

/* The one with more first, so that there is always one with traffic. */
static bool tell_proxy(const Deploy *it, const guint weights[STACK_COLOURS], GError **error)
{
	guint more = weights[1] > weights[0];
	const guint order[] = { more, deploy_other(more) };

	for (guint i = 0; i < STACK_COLOURS; i++)
		if (!haproxy_set_weight(&it->proxy, stack_colours[order[i]], weights[order[i]],
		                        error))
			return false;
	return true;
}

bool deploy_set_weights(Deploy *it, const guint weights[STACK_COLOURS], GError **error)
{
	gint64 deadline_us = g_get_monotonic_time() + (gint64)ABSENT_S * G_USEC_PER_SEC;

	/* The file first: a proxy that starts again in between has them, too. */
	if (!write_servers(it, weights, error))
		return false;
	for (;;) {
		g_autoptr(GError) cause = NULL;

		if (tell_proxy(it, weights, &cause))
			break;
		if (g_get_monotonic_time() > deadline_us ||
		    fault_status(cause) != STATUS_UNAVAILABLE) {
			g_propagate_error(error, g_steal_pointer(&cause));
			return false;
		}
		if (!cancel_pause(LOOK_MS, error))
			return false;
	}
	memcpy(it->state.weights, weights, sizeof(it->state.weights));
	return deploy_save(it, error);
}

bool deploy_save(const Deploy *it, GError **error)
{
	return deploy_state_write(it->directory, &it->state, error);
}

void deploy_show(const Deploy *it, const char *row, ProgressState state, double fraction,
                 const char *detail)
{
	if (it->progress)
		progress_set(it->progress, row, state, fraction, detail);
}
