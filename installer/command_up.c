/* installer/command_up.c - "slipway up" and "slipway restart"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/handover.h"
#include "installer/lifecycle_show.h"
#include "installer/lifecycle_up.h"
#include "installer/service.h"
#include "installer/session.h"

/* Whether all projects and services run as they should.  Asks no lock and no keystore: it is what a
 * second "up" does. */
static bool are_all_up(const Lifecycle *life, guint *service_count, bool *are_up, GError **error)
{
	*are_up = service_all_are(life->entry, true, service_count);
	for (guint i = 0; i < life->projects->len && *are_up; i++)
		if (!lifecycle_is_up(life, life->projects->pdata[i], are_up, error))
			return false;
	return true;
}

static bool start_all(Lifecycle *life, const StepHost *host, GError **error)
{
	for (guint i = 0; i < life->projects->len; i++) {
		LifeProject *project = life->projects->pdata[i];
		bool is_up = false;

		if (!lifecycle_is_up(life, project, &is_up, error) ||
		    (!is_up && !lifecycle_up(life, project, host, error)))
			return false;
	}
	return true;
}

static bool show(const Lifecycle *life, GError **error)
{
	json_t *list = json_array();

	session_put(life->app, "services", list);
	for (guint i = 0; i < life->projects->len; i++) {
		const LifeProject *project = life->projects->pdata[i];
		g_autoptr(GPtrArray) services = services_list(life, project, error);
		g_autoptr(json_t) part = services ? describe_services(project, services) : NULL;

		if (!services)
			return false;
		show_services(life, project, services);
		json_array_extend(list, part);
	}
	return true;
}

/* What runs without an engine. */
static bool start_services(const Lifecycle *life, GError **error)
{
	g_autoptr(GPtrArray) started = g_ptr_array_new_with_free_func(g_free);

	if (!service_switch(life->entry, true, started, error))
		return false;
	for (guint i = 0; i < started->len; i++)
		term_print(life->app->term, "%s was started.\n", (char *)started->pdata[i]);
	return true;
}

static bool start_projects(Lifecycle *life, GError **error)
{
	g_autoptr(HostState) host = NULL;

	if (life->projects->len == 0)
		return true;
	host = host_new(life->app, NULL, error);
	return host && start_all(life, host_get(host), error);
}

/* Says that it is up, @how; then what runs. */
static bool tell(const Lifecycle *life, const char *how, GError **error)
{
	term_print(life->app->term, "%s is up%s.\n%s", life->title, how,
	           life->projects->len ? "\n" : "");
	return life->projects->len == 0 || show(life, error);
}

/* The receipt is read again behind the lock. */
static bool start_locked(App *app, const char *name, GError **error)
{
	g_autoptr(Lock) lock = session_begin(app, "up", error);
	g_autoptr(Lifecycle) life = lock ? lifecycle_open(app, name, error) : NULL;

	if (!life || !lifecycle_is_settled(life, error) || !start_services(life, error) ||
	    !start_projects(life, error))
		return false;
	session_put(app, "changed", json_true());
	return tell(life, "", error);
}

bool command_up(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	g_autoptr(Lifecycle) life = lifecycle_open(app, argv[0], error);
	guint service_count = 0;
	bool are_up = false;

	if (!life || !are_all_up(life, &service_count, &are_up, error))
		return false;
	if (!are_up)
		return start_locked(app, argv[0], error);

	session_put(app, "changed", json_false());
	if (life->projects->len > 0 || service_count > 0)
		return tell(life, "; nothing changed", error);
	term_print(app->term, "%s has no containers; there is nothing to start.\n", life->title);
	return true;
}

/* The keys' files are where they were: after a restart of the machine they may be gone. */
static bool restart(Lifecycle *life, LifeProject *project, const StepHost *host, char **services,
                    GError **error)
{
	g_auto(Handover) handover = { .is_for_running = true };
	const json_t *record = json_object_get(project->result, "handover");
	bool is_done =
		handover_make(project->inputs, record, host, project->compose, &handover, error) &&
		compose_tell(project->compose, "restart", services, error) &&
		lifecycle_wait(life, project, services, error);

	project->compose->environment = NULL;
	return is_done;
}

/* Returns: (transfer full) (nullable): what runs, where another colour stands by; NULL for everything. */
static char **without_standby(const Lifecycle *life, const LifeProject *project)
{
	g_autoptr(GPtrArray) services =
		project->compose->colours ? services_list(life, project, NULL) : NULL;
	GPtrArray *names = services ? g_ptr_array_new() : NULL;

	for (guint i = 0; services && i < services->len; i++) {
		const LifeService *service = services->pdata[i];
		if (service->container && service->state != SERVICE_STANDBY)
			g_ptr_array_add(names, g_strdup(service->name));
	}
	if (!names)
		return NULL;
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

/* Returns: (transfer container): those of @names that are services of @project. */
static char **choose(const Lifecycle *life, const LifeProject *project, char **names,
                     GError **error)
{
	g_autoptr(GPtrArray) services = services_list(life, project, error);
	g_autoptr(GPtrArray) chosen = g_ptr_array_new();

	for (; services && *names; names++) {
		if (!services_need(services, *names, error))
			return NULL;
		g_ptr_array_add(chosen, *names);
	}
	g_ptr_array_add(chosen, NULL);
	return services ? (char **)g_ptr_array_free(g_steal_pointer(&chosen), FALSE) : NULL;
}

bool command_restart(App *app, int argc, char **argv, GError **error)
{
	g_autoptr(Lock) lock = session_begin(app, "restart", error);
	g_autoptr(Lifecycle) life = lock ? lifecycle_open_containers(app, argv[0], error) : NULL;
	g_autoptr(HostState) host =
		life && lifecycle_is_settled(life, error) ? host_new(app, NULL, error) : NULL;

	if (!host)
		return false;
	for (guint i = 0; i < life->projects->len; i++) {
		LifeProject *project = life->projects->pdata[i];
		g_autofree char **services = choose(life, project, argv + 1, error);

		g_auto(GStrv) running = without_standby(life, project);
		if (!services ||
		    !restart(life, project, host_get(host), argc > 1 ? services : running, error))
			return false;
	}

	session_put(app, "changed", json_true());
	term_print(app->term, "%s was started again.\n\n",
	           argc == 2  ? argv[1]
	           : argc > 2 ? "The services"
	                      : life->title);
	return show(life, error);
}
