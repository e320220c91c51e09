/* installer/deploy_order.c - what is to be deployed, and whether that can be begun
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/deploy_order.h"

#include "base/fault.h"
#include "checks/facts.h"
#include "installer/deploy_target.h"
#include "installer/document.h"
#include "installer/engine.h"

void deploy_order_clear(DeployOrder *order)
{
	g_free(order->id);
	deploy_colour_set(&order->colour, NULL, NULL, NULL);
}

/* A tag may mean another image now: then the one that ran is named by its id. */
static bool find_previous(const Deploy *it, DeployOrder *order, GError **error)
{
	const DeployColour *before = &it->state.colours[order->to];
	g_autoptr(GError) cause = NULL;
	g_autofree char *now = deploy_image_id(it, before->image, &cause);
	g_autofree char *own = NULL;

	if (!cause && now && (!before->digest || g_str_equal(now, before->digest))) {
		deploy_colour_set(&order->colour, before->image, now, before->id);
		return true;
	}
	if (!cause && before->digest)
		own = deploy_image_id(it, before->digest, &cause);
	if (own)
		deploy_colour_set(&order->colour, own, own, before->id);
	else if (cause)
		g_propagate_error(error, g_steal_pointer(&cause));
	else
		fault_set(error, STATUS_UNAVAILABLE, NULL,
		          "the engine has the image %s of the version before no more",
		          before->image);
	return own != NULL;
}

static bool make_rollback(const Deploy *it, DeployOrder *order, GError **error)
{
	order->action = "rollback";
	order->is_needed = true;
	if (!it->state.has_previous) {
		fault_set(error, STATUS_USAGE, NULL,
		          "nothing was deployed before: there is no version to go back to");
		return false;
	}
	return find_previous(it, order, error);
}

static bool make_deploy(const Deploy *it, const char *image, DeployOrder *order, GError **error)
{
	const DeployColour *active = &it->state.colours[it->state.active];
	g_autoptr(GError) cause = NULL;
	g_autofree char *digest = deploy_image_id(it, image, &cause);

	if (cause) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return false;
	}
	order->action = "deploy";
	order->is_needed = !digest || !g_str_equal(active->image, image) ||
	                   g_strcmp0(active->digest, digest) != 0 || it->state.unfinished ||
	                   !deploy_is_well(it, it->state.active, NULL, NULL);
	deploy_colour_set(&order->colour, image, digest, order->id);
	return true;
}

/* An installation does not say which image its tag meant. */
static void learn_digest(Deploy *it)
{
	DeployColour *active = &it->state.colours[it->state.active];
	g_autoptr(GPtrArray) services = services_list(it->life, it->project, NULL);
	const LifeService *service =
		services ? services_find(services, it->services[it->state.active]) : NULL;

	if (!active->digest && service && *service->image_id)
		active->digest = g_strdup(service->image_id);
}

bool deploy_order_make(Deploy *it, const DeployWish *wish, DeployOrder *order, GError **error)
{
	learn_digest(it);
	order->to = deploy_other(it->state.active);
	order->id = deploy_new_id(order->to);
	order->keeps_failure = wish->keeps_failure || !it->tunables.has_rollback;
	return wish->image ? make_deploy(it, wish->image, order, error)
	                   : make_rollback(it, order, error);
}

static bool is_up(const Deploy *it, GError **error)
{
	const Lifecycle *life = it->life;
	g_autofree char *hint = g_strdup_printf("Run \"slipway up %s\" first.", life->name);

	if (!lifecycle_is_settled(life, error) || !lifecycle_is_whole(life, it->project, error))
		return false;
	if (!json_flag(it->project->result, "is_down"))
		return true;
	fault_set(error, STATUS_UNAVAILABLE, hint, "%s is down", life->name);
	return false;
}

static bool knows_proxy(const Deploy *it, GError **error)
{
	g_autoptr(GError) cause = NULL;

	for (guint i = 0; i < STACK_COLOURS; i++) {
		g_auto(HaproxyServer) server = { 0 };

		if (haproxy_look(&it->proxy, stack_colours[i], &server, &cause))
			continue;
		g_autofree char *why = fault_message(cause);
		g_autofree char *hint = g_strdup_printf(
			"Look at \"slipway status %s\"; \"slipway up %s\" starts it.",
			it->life->name, it->life->name);
		fault_set(error, fault_status(cause), hint, "the service %s: %s", it->about->proxy,
		          why);
		return false;
	}
	return true;
}

static bool has_room(const Deploy *it, const Facts *facts, const char *place, GError **error)
{
	const FactsDirectory *found = place ? facts_directory(facts, place) : NULL;

	if (!found || found->free_bytes == FACTS_UNKNOWN ||
	    found->free_bytes >= it->about->disk_bytes)
		return true;

	g_autofree char *has = g_format_size_full(found->free_bytes, G_FORMAT_SIZE_IEC_UNITS);
	g_autofree char *needs = g_format_size_full(it->about->disk_bytes, G_FORMAT_SIZE_IEC_UNITS);
	fault_set(error, STATUS_IO, "\"docker image prune\" removes images that nothing uses.",
	          "%s are free in %s, where the engine keeps its images, and %s are needed", has,
	          place, needs);
	return false;
}

static bool check_room(const Deploy *it, GError **error)
{
	g_autoptr(json_t) info = engine_get(it->project->compose->engine, "/info", error);
	const char *const places[] = { json_text(info, "DockerRootDir"), NULL };
	const FactsRequest request = { .directories = places };

	if (!info)
		return false;

	g_autoptr(Facts) facts = facts_read(&request);
	guint64 available_bytes = facts->memory.available_bytes;
	if (available_bytes != FACTS_UNKNOWN && available_bytes < it->about->memory_bytes) {
		g_autofree char *has = g_format_size_full(available_bytes, G_FORMAT_SIZE_IEC_UNITS);
		term_warn(it->life->app->term,
		          "Only %s of memory are available; for a while two versions run.", has);
	}
	return has_room(it, facts, *places, error);
}

static bool check_files(const Deploy *it, GError **error)
{
	g_autoptr(json_t) config = compose_config(it->project->compose, error);

	return config != NULL;
}

bool deploy_check(const Deploy *it, GError **error)
{
	if (!is_up(it, error) || !compose_check(it->project->compose, error) ||
	    !check_files(it, error) || !knows_proxy(it, error) || !check_room(it, error))
		return false;
	if (!deploy_is_well(it, it->state.active, NULL, NULL))
		term_warn(it->life->app->term, "%s is not well; it is replaced all the same.",
		          it->services[it->state.active]);
	return true;
}

static void add(GPtrArray *lines, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void add(GPtrArray *lines, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(lines, g_strdup_vprintf(format, args));
	va_end(args);
}

static char *percentages(const DeployTunables *tunables)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < tunables->step_count; i++)
		g_string_append_printf(text, "%s%u %%", i > 0 ? ", " : "", tunables->steps[i]);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static GPtrArray *list_steps(const Deploy *it, const DeployOrder *order)
{
	const DeployTunables *tunables = &it->tunables;
	const char *from = stack_colours[deploy_other(order->to)];
	g_autofree char *volumes = g_strjoinv(", ", it->about->backup);
	g_autofree char *backups = g_build_filename(it->directory, "backups", NULL);
	g_autofree char *percent = percentages(tunables);
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

	if (it->state.unfinished)
		add(lines, "end the deployment %s, which did not: all traffic to %s",
		    it->state.unfinished->id, stack_colours[it->state.active]);
	if (!order->colour.digest)
		add(lines, "load the image %s", order->colour.image);
	if (g_str_equal(order->action, "deploy"))
		add(lines, "keep %s and the files in %s", *volumes ? volumes : "no volumes",
		    backups);
	add(lines, "start %s with %s, and wait until it is healthy, %u s at most",
	    it->services[order->to], order->colour.image, tunables->health_s);
	add(lines, "try it: %s, %s%s%s", it->about->ready, it->about->version,
	    it->about->test ? ", " : "", it->about->test ? it->about->test : "");
	add(lines, "lead the traffic to it: %s, %u s each; more than %u errors in one end it",
	    percent, tunables->step_s, tunables->step_errors);
	add(lines, "let %s answer what it has, and stop it; its container and image stay", from);
	add(lines, "after a failure: %s",
	    order->keeps_failure ? "leave it as it is, to be looked at"
	                         : "all traffic back, and stop the new one");
	return lines;
}

void deploy_describe(const Deploy *it, const DeployOrder *order)
{
	g_autoptr(GPtrArray) lines = list_steps(it, order);
	const DeployColour *active = &it->state.colours[it->state.active];
	Term *term = it->life->app->term;
	json_t *steps = json_array();

	term_print(term, "%s %s to %s; %s has the traffic, with %s:\n",
	           g_str_equal(order->action, "deploy") ? "Deploying" : "Going back with",
	           order->colour.image, stack_colours[order->to], stack_colours[it->state.active],
	           active->image);
	for (guint i = 0; i < lines->len; i++) {
		const char *line = lines->pdata[i];
		term_print(term, "  %u. %s\n", i + 1, line);
		json_array_append_new(steps, json_string(line));
	}
	session_put(it->life->app, "plan",
	            json_pack("{s:s, s:s, s:s, s:s, s:s?, s:o}", "action", order->action, "from",
	                      stack_colours[it->state.active], "to", stack_colours[order->to],
	                      "image", order->colour.image, "digest", order->colour.digest, "steps",
	                      steps));
}
