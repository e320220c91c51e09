/* installer/lifecycle_services.c - the services of a project, as the engine has them now
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/lifecycle_services.h"

#include <string.h>

#include "base/fault.h"
#include "installer/engine.h"

#define LABEL "com.docker.compose."

static const struct {
	const char *name;
	bool is_well;
} state_table[] = {
	[SERVICE_ABSENT] = { "absent", false },
	[SERVICE_CREATED] = { "created", false },
	[SERVICE_STARTING] = { "starting", false },
	[SERVICE_RUNNING] = { "running", true },
	[SERVICE_HEALTHY] = { "healthy", true },
	[SERVICE_UNHEALTHY] = { "unhealthy", false },
	[SERVICE_RESTARTING] = { "restarting", false },
	[SERVICE_PAUSED] = { "paused", false },
	[SERVICE_DONE] = { "done", true },
	[SERVICE_STOPPED] = { "stopped", false },
	[SERVICE_FAILED] = { "failed", false },
	[SERVICE_STANDBY] = { "standby", true },
};

const char *service_state_name(ServiceState state)
{
	return state_table[state].name;
}

bool service_is_well(const LifeService *service)
{
	return state_table[service->state].is_well;
}

bool service_runs(const LifeService *service)
{
	return service->state == SERVICE_RUNNING || service->state == SERVICE_HEALTHY ||
	       service->state == SERVICE_UNHEALTHY || service->state == SERVICE_STARTING;
}

static void service_free(gpointer data)
{
	LifeService *service = data;

	g_free(service->name);
	g_free(service->container);
	g_free(service->title);
	g_free(service->image);
	g_free(service->image_id);
	g_free(service->hash);
	g_free(service->status);
	g_strfreev(service->ports);
	g_free(service->numbers);
	g_free(service);
}

/* "Up 3 minutes", "Up 3 seconds (health: starting)", "Up 1 hour (unhealthy)" */
static ServiceState state_of_running(const char *status)
{
	if (strstr(status, "(unhealthy)"))
		return SERVICE_UNHEALTHY;
	if (strstr(status, "(health: starting)"))
		return SERVICE_STARTING;
	return strstr(status, "(healthy)") ? SERVICE_HEALTHY : SERVICE_RUNNING;
}

/* "Exited (3) 2 minutes ago" */
static int exit_code_of(const char *status)
{
	const char *open = strchr(status, '(');

	return open ? (int)g_ascii_strtoll(open + 1, NULL, 10) : 0;
}

static ServiceState state_of(const char *state, const char *status)
{
	if (g_str_equal(state, "running"))
		return state_of_running(status);
	if (g_str_equal(state, "created"))
		return SERVICE_CREATED;
	if (g_str_equal(state, "restarting"))
		return SERVICE_RESTARTING;
	if (g_str_equal(state, "paused"))
		return SERVICE_PAUSED;
	return g_str_equal(state, "exited") && exit_code_of(status) == 0 ? SERVICE_STOPPED
	                                                                 : SERVICE_FAILED;
}

/* Each once, though it is published for IPv4 and IPv6. */
static void read_ports(const json_t *list, LifeService *service)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new();
	g_autoptr(GArray) numbers = g_array_new(TRUE, TRUE, sizeof(guint));

	for (gsize i = 0; i < json_array_size(list); i++) {
		const json_t *port = json_array_get(list, i);
		guint outside = (guint)json_integer_value(json_object_get(port, "PublicPort"));
		guint inside = (guint)json_integer_value(json_object_get(port, "PrivatePort"));
		const char *address = json_text_or(port, "IP", "");
		bool is_known = outside == 0;

		for (guint j = 0; j < numbers->len; j++)
			is_known = is_known || g_array_index(numbers, guint, j) == outside;
		if (is_known)
			continue;
		g_array_append_val(numbers, outside);
		g_ptr_array_add(texts, g_strdup_printf("%s:%u->%u", address, outside, inside));
	}
	g_ptr_array_add(texts, NULL);
	service->ports = (char **)g_ptr_array_free(g_steal_pointer(&texts), FALSE);
	service->numbers = (guint *)(gpointer)g_array_free(g_steal_pointer(&numbers), FALSE);
}

static LifeService *parse(const Lifecycle *life, const LifeProject *project,
                          const json_t *container)
{
	const json_t *labels = json_object_get(container, "Labels");
	const char *title =
		json_string_value(json_array_get(json_object_get(container, "Names"), 0));
	const char *status = json_text_or(container, "Status", "");
	LifeService *service = g_new0(LifeService, 1);

	service->name = g_strdup(json_text_or(labels, LABEL "service", "?"));
	service->container = g_strdup(json_text(container, "Id"));
	service->title = g_strdup(title ? title + (*title == '/') : service->name);
	service->image = g_strdup(json_text_or(container, "Image", ""));
	service->image_id = g_strdup(json_text_or(container, "ImageID", ""));
	service->hash = g_strdup(json_text_or(labels, LABEL "config-hash", ""));
	service->status = g_strdup(status);
	service->state = state_of(json_text_or(container, "State", ""), status);
	service->exit_code = service->state == SERVICE_FAILED ? exit_code_of(status) : 0;
	service->is_ours = compose_is_ours(project->compose, labels);
	service->about = lifecycle_service(life, service->name);
	read_ports(json_object_get(container, "Ports"), service);
	return service;
}

static LifeService *absent(const Lifecycle *life, const char *name)
{
	LifeService *service = g_new0(LifeService, 1);

	service->name = g_strdup(name);
	service->title = g_strdup(name);
	service->image = g_strdup("");
	service->image_id = g_strdup("");
	service->hash = g_strdup("");
	service->status = g_strdup("");
	service->ports = g_new0(char *, 1);
	service->numbers = g_new0(guint, 1);
	service->is_ours = true;
	service->about = lifecycle_service(life, name);
	return service;
}

/* As the definition has them; what it does not know comes last, by name. */
static gint compare(gconstpointer a, gconstpointer b)
{
	const LifeService *left = *(LifeService *const *)a;
	const LifeService *right = *(LifeService *const *)b;

	if (!left->about != !right->about)
		return left->about ? -1 : 1;
	if (left->about && left->about != right->about)
		return left->order < right->order ? -1 : 1;
	return strcmp(left->title, right->title);
}

const LifeService *services_find(const GPtrArray *services, const char *name)
{
	for (guint i = 0; i < services->len; i++) {
		const LifeService *service = services->pdata[i];
		if (service->container && g_str_equal(service->name, name))
			return service;
	}
	return NULL;
}

static bool has_ended(const LifeService *service)
{
	return service->state == SERVICE_ABSENT || service->state == SERVICE_CREATED ||
	       service->state == SERVICE_STOPPED || service->state == SERVICE_FAILED;
}

/* Both colours are shown, also before one of them was ever started. */
static void set_standby(const Lifecycle *life, const LifeProject *project, GPtrArray *services)
{
	g_auto(GStrv) standby = compose_standby(project->compose);

	for (char **name = standby; *name; name++)
		if (!services_find(services, *name))
			g_ptr_array_add(services, absent(life, *name));
	for (guint i = 0; i < services->len; i++) {
		LifeService *service = services->pdata[i];
		if (has_ended(service) &&
		    g_strv_contains((const char *const *)standby, service->name))
			service->state = SERVICE_STANDBY;
	}
}

static void set_order(const Lifecycle *life, LifeService *service)
{
	guint order = 0;

	if (service->about)
		(void)g_ptr_array_find(life->stack->services, service->about, &order);
	service->order = order;
}

GPtrArray *services_parse(const Lifecycle *life, const LifeProject *project,
                          const json_t *containers)
{
	GPtrArray *services = g_ptr_array_new_with_free_func(service_free);
	const char *name = NULL;
	json_t *hash = NULL;

	for (gsize i = 0; i < json_array_size(containers); i++) {
		const json_t *container = json_array_get(containers, i);
		const json_t *labels = json_object_get(container, "Labels");
		if (g_strcmp0(json_text(labels, LABEL "oneoff"), "True") != 0)
			g_ptr_array_add(services, parse(life, project, container));
	}
	json_object_foreach(json_object_get(project->result, "services"), name,
	                    hash) if (!services_find(services, name))
		g_ptr_array_add(services, absent(life, name));
	set_standby(life, project, services);
	for (guint i = 0; i < services->len; i++)
		set_order(life, services->pdata[i]);
	g_ptr_array_sort(services, compare);
	return services;
}

/* One that ended with 0: the list does not say whether it was meant to. */
static void look_closer(const LifeProject *project, LifeService *service)
{
	g_autofree char *path = g_strdup_printf("/containers/%s/json", service->container);
	g_autoptr(json_t) object = engine_get(project->compose->engine, path, NULL);
	const json_t *policy =
		json_object_get(json_object_get(object, "HostConfig"), "RestartPolicy");
	const char *name = json_text_or(policy, "Name", "no");

	if (g_str_equal(name, "no") || g_str_equal(name, ""))
		service->state = SERVICE_DONE;
}

GPtrArray *services_list(const Lifecycle *life, const LifeProject *project, GError **error)
{
	g_autoptr(json_t) containers =
		compose_list(project->compose, "/containers/json?all=1", error);
	GPtrArray *services = containers ? services_parse(life, project, containers) : NULL;

	for (guint i = 0; services && i < services->len; i++) {
		LifeService *service = services->pdata[i];
		if (service->state == SERVICE_STOPPED)
			look_closer(project, service);
	}
	return services;
}

guint services_count_ill(const GPtrArray *services)
{
	guint count = 0;

	for (guint i = 0; i < services->len; i++)
		count += !service_is_well(services->pdata[i]);
	return count;
}

guint services_count_there(const GPtrArray *services)
{
	guint count = 0;

	for (guint i = 0; i < services->len; i++)
		count += ((const LifeService *)services->pdata[i])->container != NULL;
	return count;
}

const LifeService *services_need(const GPtrArray *services, const char *name, GError **error)
{
	const LifeService *found = services_find(services, name);
	g_autoptr(GString) names = g_string_new(NULL);
	bool is_known = false;

	if (found)
		return found;
	for (guint i = 0; i < services->len; i++) {
		const LifeService *service = services->pdata[i];
		is_known = is_known || g_str_equal(service->name, name);
		g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", service->name);
	}
	if (is_known)
		fault_set(error, STATUS_UNAVAILABLE, NULL, "the service %s is not running", name);
	else
		fault_set(error, STATUS_USAGE, NULL, "there is no service \"%s\"; there are: %s",
		          name, names->len > 0 ? names->str : "none");
	return NULL;
}
