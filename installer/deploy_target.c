/* installer/deploy_target.c - one colour is started, tried and stopped
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/deploy_target.h"

#include <string.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/process.h"
#include "installer/engine.h"
#include "installer/handover.h"

#define LOOK_MS 300
#define ASK_MS 15000
#define TEST_MS 60000
#define STOP_MS 120000
#define SHOWN_BYTES 200

/* A compose that was killed may leave two containers of a service: the one that runs is it. */
static const LifeService *choose(const GPtrArray *services, const char *name)
{
	const LifeService *chosen = services_find(services, name);

	for (guint i = 0; i < services->len; i++) {
		const LifeService *service = services->pdata[i];
		if (g_str_equal(service->name, name) && service_runs(service))
			chosen = service;
	}
	return chosen;
}

/* Returns: (transfer full): as the engine has it now; @service (transfer none): in it, running. */
static GPtrArray *find_running(const Deploy *it, guint colour, const LifeService **service,
                               GError **error)
{
	g_autoptr(GPtrArray) services = services_list(it->life, it->project, error);

	*service = services ? choose(services, it->services[colour]) : NULL;
	if (!services || (*service && service_runs(*service)))
		return g_steal_pointer(&services);
	fault_set(error, STATUS_UNVERIFIED, NULL, "the service %s does not run",
	          it->services[colour]);
	return NULL;
}

bool deploy_is_well(const Deploy *it, guint colour, char **how, GError **error)
{
	g_autoptr(GPtrArray) services = services_list(it->life, it->project, error);
	const LifeService *service = services ? choose(services, it->services[colour]) : NULL;

	if (how)
		*how = service ? g_strdup(service->status) : NULL;
	return service && service_runs(service) && service_is_well(service);
}

static void on_line(const char *line, gpointer data)
{
	const Deploy *it = data;

	log_line("compose", "%s", line);
	if (it->progress)
		progress_tick(it->progress);
}

bool deploy_start(Deploy *it, guint colour, guint wait_s, GError **error)
{
	ComposeProject *compose = it->project->compose;
	const json_t *record = json_object_get(it->project->result, "handover");
	g_auto(Handover) handover = { .is_for_running = true };
	guint usual_s = compose->wait_s;

	compose->wait_s = wait_s;
	compose->on_line = on_line;
	compose->data = it;
	bool is_done =
		handover_make(it->project->inputs, record, it->host, compose, &handover, error) &&
		compose_up_alone(compose, it->services[colour], error);
	compose->environment = NULL; /* the hand-over ends here */
	compose->wait_s = usual_s;
	compose->on_line = NULL;
	return is_done;
}

/* Returns: (transfer full) (nullable): what @command, with @url behind it, prints inside of @container. */
static char *run_inside(const Deploy *it, const char *container, const char *command,
                        const char *url, GError **error)
{
	g_auto(GStrv) words = NULL;
	g_autofree char *docker = process_find("docker");
	g_autofree char *host = g_strconcat("DOCKER_HOST=", it->project->compose->engine, NULL);
	const char *const env[] = { host, NULL };

	if (!docker || !g_shell_parse_argv(command, NULL, &words, NULL)) {
		fault_set(error, STATUS_UNAVAILABLE, NULL, "there is no docker program");
		return NULL;
	}

	guint count = g_strv_length(words);
	g_autofree const char **argv = g_new0(const char *, count + 5);
	argv[0] = docker;
	argv[1] = "exec";
	argv[2] = container;
	for (guint i = 0; i < count; i++)
		argv[i + 3] = words[i];
	argv[count + 3] = url;
	const ProcessSpec spec = { .argv = argv, .env = env, .timeout_ms = url ? ASK_MS : TEST_MS };
	return process_capture(&spec, error);
}

/* The answer of @path has @expected (nullable) in it. */
static bool ask(const Deploy *it, const char *container, const char *path, const char *expected,
                GError **error)
{
	g_autofree char *url =
		g_strdup_printf("http://127.0.0.1:%" G_GUINT64_FORMAT "%s", it->about->port, path);
	g_autoptr(GError) cause = NULL;

	if (!it->about->get)
		return true;

	g_autofree char *answer = run_inside(it, container, it->about->get, url, &cause);
	if (answer && (!expected || strstr(answer, expected)))
		return true;
	if (!answer) {
		g_autofree char *why = fault_message(cause);
		fault_set(error, STATUS_UNVERIFIED, NULL, "%s does not answer well: %s", path, why);
		return false;
	}
	fault_set(error, STATUS_UNVERIFIED, NULL, "%s does not say %s, but: %.*s", path, expected,
	          SHOWN_BYTES, answer);
	return false;
}

static bool test(const Deploy *it, const char *container, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autofree char *out =
		it->about->test ? run_inside(it, container, it->about->test, NULL, &cause) : NULL;

	if (out || !it->about->test)
		return true;
	g_autofree char *why = fault_message(cause);
	fault_set(error, STATUS_UNVERIFIED, NULL, "\"%s\" fails inside: %s", it->about->test, why);
	return false;
}

bool deploy_verify(const Deploy *it, guint colour, const char *digest, const char *id,
                   GError **error)
{
	const LifeService *service = NULL;
	g_autoptr(GPtrArray) services = find_running(it, colour, &service, error);

	if (!services)
		return false;
	if (digest && !g_str_equal(service->image_id, digest)) {
		fault_set(error, STATUS_UNVERIFIED, NULL, "the container of %s has another image",
		          it->services[colour]);
		return false;
	}
	if (ask(it, service->container, it->about->ready, NULL, error) &&
	    ask(it, service->container, it->about->version, id, error) &&
	    test(it, service->container, error))
		return true;
	g_prefix_error(error, "%s: ", it->services[colour]);
	return false;
}

/* Whether one of the container's addresses is @address. */
static bool has_address(const Deploy *it, guint colour, const char *address, bool *is_it,
                        GError **error)
{
	const LifeService *service = NULL;
	g_autoptr(GPtrArray) services = find_running(it, colour, &service, error);

	if (!services)
		return false;

	g_autofree char *path = g_strdup_printf("/containers/%s/json", service->container);
	g_autoptr(json_t) container = engine_get(it->project->compose->engine, path, error);
	json_t *networks =
		json_object_get(json_object_get(container, "NetworkSettings"), "Networks");
	const char *name = NULL;
	json_t *network = NULL;

	*is_it = false;
	json_object_foreach(networks, name, network)
	{
		if (g_strcmp0(json_text(network, "IPAddress"), address) == 0)
			*is_it = true;
	}
	return container != NULL;
}

static bool fail_proxy(const Deploy *it, guint colour, const HaproxyServer *server, GError **error)
{
	fault_set(error, STATUS_UNVERIFIED, NULL, "the proxy does not find %s well: %s %s at %s",
	          it->services[colour], server->status, server->check, server->address);
	return false;
}

bool deploy_await_proxy(const Deploy *it, guint colour, guint wait_s, GError **error)
{
	gint64 deadline_us = g_get_monotonic_time() + (gint64)wait_s * G_USEC_PER_SEC;
	const char *name = stack_colours[colour];
	bool is_fresh = false; /* what the proxy says is of this container */

	for (;;) {
		g_auto(HaproxyServer) server = { 0 };
		bool is_it = false;

		if (!haproxy_look(&it->proxy, name, &server, error) ||
		    !has_address(it, colour, server.address, &is_it, error))
			return false;
		if (server.is_up && is_it && is_fresh)
			return true;
		if (is_it && !is_fresh && !haproxy_check_anew(&it->proxy, name, error))
			return false;
		is_fresh = is_it;
		if (g_get_monotonic_time() > deadline_us)
			return fail_proxy(it, colour, &server, error);
		if (!cancel_pause(LOOK_MS, error))
			return false;
	}
}

static bool is_to_stop(const LifeService *service, const char *name)
{
	return g_str_equal(service->name, name) &&
	       (service_runs(service) || service->state == SERVICE_RESTARTING ||
	        service->state == SERVICE_PAUSED);
}

bool deploy_stop(const Deploy *it, guint colour, GError **error)
{
	g_autoptr(GPtrArray) services = services_list(it->life, it->project, error);

	for (guint i = 0; services && i < services->len; i++) {
		const LifeService *service = services->pdata[i];
		g_autofree char *path = g_strdup_printf("/containers/%s/stop", service->container);

		if (is_to_stop(service, it->services[colour]) &&
		    !engine_do(it->project->compose->engine, "POST", path, STOP_MS, error))
			return false;
	}
	return services != NULL;
}
