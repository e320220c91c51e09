/* installer/lifecycle_test.c - the tests that a stack brings for itself
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/lifecycle_test.h"

#include <string.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/http.h"
#include "base/process.h"
#include "installer/lifecycle_services.h"

#define MS_PER_S 1000

static guint timeout_ms_of(const json_t *test)
{
	return (guint)json_integer_value(json_object_get(test, "timeout_s")) * MS_PER_S;
}

static bool check_answer(const json_t *test, const char *answer, GError **error)
{
	const char *expect = json_text(test, "expect");

	if (!expect || strstr(answer, expect))
		return true;
	fault_set(error, STATUS_UNVERIFIED, NULL, "\"%s\" is not in the answer", expect);
	return false;
}

static bool run_command(const json_t *test, const char *const *argv, const char *engine,
                        GError **error)
{
	g_autofree char *host = engine ? g_strconcat("DOCKER_HOST=", engine, NULL) : NULL;
	const char *const env[] = { host, NULL };
	const ProcessSpec spec = { .argv = argv, .env = env, .timeout_ms = timeout_ms_of(test) };
	g_autofree char *out = process_capture(&spec, error);

	return out && check_answer(test, out, error);
}

/* The project that has the service; its container.  Returns: (transfer full): the container's id. */
static char *find_container(const Lifecycle *life, const char *name, const char **engine,
                            GError **error)
{
	for (guint i = 0; life && i < life->projects->len; i++) {
		const LifeProject *project = life->projects->pdata[i];
		g_autoptr(GPtrArray) services = services_list(life, project, error);
		const LifeService *service = services ? services_find(services, name) : NULL;

		*engine = project->compose->engine;
		if (!services)
			return NULL;
		if (service && service_runs(service))
			return g_strdup(service->container);
	}
	fault_set(error, STATUS_UNVERIFIED, NULL, "the service %s is not running", name);
	return NULL;
}

static bool run_inside(const json_t *test, const Lifecycle *life, char **argv, GError **error)
{
	const char *engine = NULL;
	g_autofree char *container =
		find_container(life, json_text_or(test, "service", ""), &engine, error);
	g_autofree char *docker = process_find("docker");
	guint count = g_strv_length(argv);
	g_autofree const char **words = g_new0(const char *, count + 4);

	if (!container)
		return false;
	if (!docker) {
		fault_set(error, STATUS_UNAVAILABLE, NULL, "there is no docker program");
		return false;
	}
	words[0] = docker;
	words[1] = "exec";
	words[2] = container;
	for (guint i = 0; i < count; i++)
		words[i + 3] = argv[i];
	return run_command(test, words, engine, error);
}

static bool ask(const json_t *test, const Lifecycle *life, GError **error)
{
	const char *text = json_text_or(test, "url", "");
	g_autofree char *url = NULL;

	for (guint i = 0; life && i < life->projects->len && !url; i++)
		url = lifecycle_expand(life->projects->pdata[i], text);

	const HttpRequest request = { .url = url ? url : text, .timeout_ms = timeout_ms_of(test) };
	g_autoptr(GBytes) body = http_get(&request, error);
	if (!body)
		return false;

	gsize size = 0;
	const char *data = g_bytes_get_data(body, &size);
	g_autofree char *answer = g_strndup(data ? data : "", size);
	return check_answer(test, answer, error);
}

bool life_test_run(const json_t *test, const Lifecycle *life, GError **error)
{
	g_auto(GStrv) argv = json_to_strv(json_object_get(test, "argv"));
	g_autoptr(GError) cause = NULL;
	bool is_passed = json_text(test, "url") ? ask(test, life, &cause)
	                 : json_text(test, "service")
	                         ? run_inside(test, life, argv, &cause)
	                         : run_command(test, (const char *const *)argv, NULL, &cause);

	if (is_passed)
		return true;
	if (cancel_signal() != 0) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return false;
	}

	g_autofree char *why = fault_message(cause);
	fault_set(error, STATUS_UNVERIFIED, NULL, "%s", why);
	return false;
}
