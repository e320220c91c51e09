/* installer/lifecycle_trouble.c - which service is not well, and why
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/lifecycle_trouble.h"

#include <string.h>

#include "installer/document.h"
#include "installer/engine.h"
#include "installer/engine_logs.h"

#define TAIL_LINES 10

/* Exit statuses of shells and of programs that a signal ended: 128 and its number. */
static const struct {
	int exit_code;
	const char *cause;
} exit_table[] = {
	{ 125, "the engine could not start it" },
	{ 126, "its command may not be run" },
	{ 127, "its command is not in the image" },
	{ 132, "it uses instructions that this processor does not have" },
	{ 134, "it aborted itself" },
	{ 137, "it was killed, as for memory or after the time to stop" },
	{ 139, "it crashed (segmentation fault)" },
	{ 143, "it was asked to stop" },
};

/* What programs commonly say before they give up. */
static const struct {
	const char *needle;
	const char *cause;
} text_table[] = {
	{ "No space left on device", "the engine's disk is full" },
	{ "no space left on device", "the engine's disk is full" },
	{ "Address already in use", "a port inside of the container is taken" },
	{ "address already in use", "a port inside of the container is taken" },
	{ "Permission denied", "a file or directory is not for the container's user" },
	{ "permission denied", "a file or directory is not for the container's user" },
	{ "Read-only file system", "it writes where its file system is read-only" },
	{ "read-only file system", "it writes where its file system is read-only" },
	{ "exec format error", "the image is for another processor" },
	{ "password authentication failed",
	  "it has another password than the service it talks to" },
	{ "WRONGPASS", "it has another password than the service it talks to" },
	{ "NOAUTH", "it has no password for the service it talks to" },
	{ "Connection refused", "a service that it needs does not answer" },
	{ "connection refused", "a service that it needs does not answer" },
	{ "Name or service not known", "a name that it needs is not known in its network" },
	{ "Temporary failure in name resolution",
	  "a name that it needs is not known in its network" },
	{ "ut of memory", "it ran out of memory" },
};

const char *trouble_cause(int exit_code, bool is_out_of_memory, const GPtrArray *log)
{
	if (is_out_of_memory)
		return "it needed more memory than its limit";
	for (gsize i = 0; i < G_N_ELEMENTS(text_table); i++)
		for (guint j = 0; j < log->len; j++)
			if (strstr(log->pdata[j], text_table[i].needle))
				return text_table[i].cause;
	for (gsize i = 0; i < G_N_ELEMENTS(exit_table); i++)
		if (exit_table[i].exit_code == exit_code)
			return exit_table[i].cause;
	return NULL;
}

/* What failed comes before what only waits for it. */
static guint rank(const LifeService *service)
{
	static const guint ranks[] = {
		[SERVICE_FAILED] = 6,  [SERVICE_RESTARTING] = 5, [SERVICE_UNHEALTHY] = 4,
		[SERVICE_STOPPED] = 3, [SERVICE_STARTING] = 2,   [SERVICE_CREATED] = 1,
	};

	return service->state < G_N_ELEMENTS(ranks) ? ranks[service->state] : 0;
}

static const LifeService *choose(const GPtrArray *services, const GPtrArray *answers)
{
	const HealthAnswer *bad = answers ? health_first_bad(answers) : NULL;
	const LifeService *worst = NULL;

	for (guint i = 0; i < services->len; i++) {
		const LifeService *service = services->pdata[i];
		if (service->container && rank(service) > (worst ? rank(worst) : 0))
			worst = service;
	}
	return worst || !bad ? worst : services_find(services, bad->service);
}

/* What the last try of its health check printed. */
static char *health_output(const json_t *container)
{
	const json_t *health = json_object_get(json_object_get(container, "State"), "Health");
	const json_t *log = json_object_get(health, "Log");
	gsize count = json_array_size(log);
	const json_t *last = count > 0 ? json_array_get(log, count - 1) : NULL;
	g_autofree char *text = g_strdup(json_text_or(last, "Output", ""));

	return *g_strstrip(text) ? g_strdelimit(g_steal_pointer(&text), "\r\n", ' ') : NULL;
}

static void describe(App *app, const LifeService *service, const json_t *details)
{
	const char *health = json_text(details, "health");
	const char *cause = json_text(details, "cause");
	const json_t *log = json_object_get(details, "log");

	if (service->state == SERVICE_FAILED)
		term_warn(app->term, "The service %s ended with status %d.", service->name,
		          service->exit_code);
	else
		term_warn(app->term, "The service %s is %s (%s).", service->name,
		          service_state_name(service->state), service->status);
	if (health)
		term_warn(app->term, "Its health check says: %s", health);
	if (json_array_size(log) > 0)
		term_warn(app->term, "Its last lines:");
	for (gsize i = 0; i < json_array_size(log); i++)
		term_warn(app->term, "  %s", json_string_value(json_array_get(log, i)));
	if (cause)
		term_warn(app->term, "Likely: %s.", cause);
}

/* @bad: (nullable): what its health URL says. */
static void tell_of(const Lifecycle *life, const LifeProject *project, const LifeService *service,
                    const HealthAnswer *bad)
{
	const char *engine = project->compose->engine;
	g_autofree char *path = g_strdup_printf("/containers/%s/json", service->container);
	g_autoptr(json_t) container = engine_get(engine, path, NULL);
	g_autoptr(GPtrArray) log = log_tail(engine, service->container, TAIL_LINES);
	g_autofree char *health = health_output(container);
	bool is_killed = json_flag(json_object_get(container, "State"), "OOMKilled");
	json_t *lines = json_array();

	for (guint i = 0; i < log->len; i++)
		json_array_append_new(lines, json_string(log->pdata[i]));
	json_t *details =
		json_pack("{s:s, s:s, s:i, s:s*, s:s*, s:s*, s:o}", "service", service->name,
	                  "state", service_state_name(service->state), "exit_code",
	                  service->exit_code, "health", health, "url", bad ? bad->url : NULL,
	                  "cause", trouble_cause(service->exit_code, is_killed, log), "log", lines);
	describe(life->app, service, details);
	session_put(life->app, "trouble", details);
}

void trouble_tell(const Lifecycle *life, const LifeProject *project, const GPtrArray *answers)
{
	g_autoptr(GPtrArray) services = services_list(life, project, NULL);
	const LifeService *service = services ? choose(services, answers) : NULL;

	if (service)
		tell_of(life, project, service, answers ? health_first_bad(answers) : NULL);
}

void trouble_tell_of(const Lifecycle *life, const LifeProject *project, const char *name)
{
	g_autoptr(GPtrArray) services = services_list(life, project, NULL);
	const LifeService *service = services ? services_find(services, name) : NULL;

	if (!service)
		return;

	LifeService told = *service;
	if (told.state == SERVICE_STANDBY)
		told.state = told.exit_code != 0 ? SERVICE_FAILED : SERVICE_STOPPED;
	tell_of(life, project, &told, NULL);
}
