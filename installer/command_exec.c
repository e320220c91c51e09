/* installer/command_exec.c - "slipway exec" and "slipway open"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/process.h"
#include "installer/lifecycle_show.h"
#include "installer/session.h"

#define OPEN_MS 10000

/** A service, and where it is. */
typedef struct {
	const LifeProject *project;
	GPtrArray *services;
	const LifeService *service; /* one of them */
} Found;

static void found_clear(Found *found)
{
	g_clear_pointer(&found->services, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, found_clear)

/* In the first project that has it; else the error of the last. */
static bool find(const Lifecycle *life, const char *name, Found *found, GError **error)
{
	for (guint i = 0; i < life->projects->len; i++) {
		bool is_last = i + 1 == life->projects->len;

		found_clear(found);
		found->project = life->projects->pdata[i];
		found->services = services_list(life, found->project, error);
		if (!found->services)
			return false;
		found->service = is_last ? services_need(found->services, name, error)
		                         : services_find(found->services, name);
		if (found->service)
			return true;
	}
	return false;
}

/* On a terminal the container gets one too. */
static char **exec_argv(const char *docker, const char *container, char **command)
{
	bool is_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	GPtrArray *argv = g_ptr_array_new();

	g_ptr_array_add(argv, g_strdup(docker));
	g_ptr_array_add(argv, g_strdup("exec"));
	g_ptr_array_add(argv, g_strdup(is_terminal ? "-it" : "-i"));
	g_ptr_array_add(argv, g_strdup(container));
	for (; *command; command++)
		g_ptr_array_add(argv, g_strdup(*command));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

bool command_exec(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	g_autoptr(Lifecycle) life = lifecycle_open_containers(app, argv[0], error);
	g_autofree char *docker = process_find("docker");
	g_auto(Found) found = { 0 };
	char **command = argv + 2 + g_str_equal(argv[2], "--");

	if (!*command) {
		fault_set(error, STATUS_USAGE, "See \"slipway help exec\".", "there is no command");
		return false;
	}
	if (!life || !find(life, argv[1], &found, error))
		return false;
	if (!docker) {
		fault_set(error, STATUS_UNAVAILABLE, NULL, "there is no docker program");
		return false;
	}

	if (!service_runs(found.service)) {
		fault_set(error, STATUS_UNAVAILABLE, NULL, "the service %s is %s", argv[1],
		          service_state_name(found.service->state));
		return false;
	}

	g_auto(GStrv) words = exec_argv(docker, found.service->container, command);
	g_auto(GStrv) environment = process_environment();
	environment = g_environ_setenv(g_steal_pointer(&environment), "DOCKER_HOST",
	                               found.project->compose->engine, TRUE);
	cancel_restore();
	execve(docker, words, environment);
	fault_set_errno(error, errno, "cannot run %s", docker);
	return false;
}

/* A browser shows nothing where nobody looks. */
static bool has_display(void)
{
	g_autofree char *mac_opener = process_find("open");

	return isatty(STDOUT_FILENO) && !g_getenv("CI") && !g_getenv("SSH_CONNECTION") &&
	       (g_getenv("DISPLAY") || g_getenv("WAYLAND_DISPLAY") || mac_opener);
}

static bool open_page(App *app, const char *url, GError **error)
{
	g_autofree char *linux_opener = process_find("xdg-open");
	g_autofree char *opener =
		linux_opener ? g_steal_pointer(&linux_opener) : process_find("open");
	const char *const argv[] = { opener, url, NULL };
	g_auto(GStrv) environment = g_get_environ();
	const ProcessSpec spec = { .argv = argv,
		                   .env = (const char *const *)environment,
		                   .timeout_ms = OPEN_MS };
	g_autofree char *out = NULL;

	term_print(app->term, "%s\n", url);
	if (!opener || !has_display())
		return true;
	out = process_capture(&spec, error);
	return out != NULL;
}

static bool list_pages(const Lifecycle *life, GError **error)
{
	static const char *const headings[] = { "service", "address", "what" };
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	json_t *list = json_array();

	session_put(life->app, "pages", list);
	for (guint i = 0; i < life->projects->len; i++) {
		const LifeProject *project = life->projects->pdata[i];
		g_autoptr(GPtrArray) services = services_list(life, project, error);

		for (guint j = 0; services && j < services->len; j++) {
			const LifeService *service = services->pdata[j];
			char *url = service_url(project, service);
			if (!url)
				continue;
			g_ptr_array_add(cells, g_strdup(service->name));
			g_ptr_array_add(cells, url);
			g_ptr_array_add(cells, g_strdup(service->about->role));
			json_array_append_new(list, json_pack("{s:s, s:s}", "service",
			                                      service->name, "url", url));
		}
		if (!services)
			return false;
	}
	term_table(life->app->term, headings, G_N_ELEMENTS(headings), cells);
	return true;
}

bool command_open(App *app, int argc, char **argv, GError **error)
{
	g_autoptr(Lifecycle) life = lifecycle_open_containers(app, argv[0], error);
	g_auto(Found) found = { 0 };

	if (!life || argc == 1)
		return life && list_pages(life, error);
	if (!find(life, argv[1], &found, error))
		return false;

	g_autofree char *url = service_url(found.project, found.service);
	if (!url) {
		fault_set(error, STATUS_CONFIG, NULL, "the service %s has no page", argv[1]);
		return false;
	}
	session_put(app, "url", json_string(url));
	return open_page(app, url, error);
}
