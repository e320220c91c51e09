/* installer/lifecycle_show.c - the services of a stack, for people and as JSON
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/lifecycle_show.h"

#include <string.h>

char *service_url(const LifeProject *project, const LifeService *service)
{
	bool has_url = service->about && service->about->health;
	g_autofree char *url = has_url ? lifecycle_expand(project, service->about->health) : NULL;
	char *host = url ? strstr(url, "://") : NULL;
	char *path = host ? strchr(host + strlen("://"), '/') : NULL;

	if (path)
		path[1] = '\0';
	return g_steal_pointer(&url);
}

static TermStyle style_of(const LifeService *service)
{
	if (service_is_well(service))
		return TERM_GOOD;
	return service->state == SERVICE_STARTING ? TERM_WARN : TERM_BAD;
}

static char *where(const LifeProject *project, const LifeService *service)
{
	char *url = service_url(project, service);

	return url ? url : g_strjoinv(" ", service->ports);
}

static char *what(const LifeService *service)
{
	const char *role = service->about && service->about->role ? service->about->role : "";
	bool is_placeholder = service->about && service->about->is_placeholder;

	if (service->state == SERVICE_FAILED)
		return g_strdup_printf("%s (ended with status %d)", role, service->exit_code);
	return is_placeholder ? g_strdup_printf("placeholder: %s", role) : g_strdup(role);
}

void show_services(const Lifecycle *life, const LifeProject *project, const GPtrArray *services)
{
	static const char *const headings[] = { "service", "state", "where", "what" };
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	Term *term = life->app->term;

	for (guint i = 0; i < services->len; i++) {
		const LifeService *service = services->pdata[i];

		g_ptr_array_add(cells, g_strdup(service->name));
		g_ptr_array_add(cells, term_styled(term, style_of(service),
		                                   service_state_name(service->state)));
		g_ptr_array_add(cells, where(project, service));
		g_ptr_array_add(cells, what(service));
	}
	term_table(term, headings, G_N_ELEMENTS(headings), cells);
}

json_t *describe_services(const LifeProject *project, const GPtrArray *services)
{
	json_t *list = json_array();

	for (guint i = 0; i < services->len; i++) {
		const LifeService *service = services->pdata[i];
		const StackService *about = service->about;
		g_autofree char *url = service_url(project, service);

		json_array_append_new(
			list,
			json_pack("{s:s, s:s?, s:s, s:b, s:s, s:s, s:o, s:s?, s:s?, s:b, s:i}",
		                  "service", service->name, "container", service->container,
		                  "state", service_state_name(service->state), "is_well",
		                  service_is_well(service), "image", service->image, "image_id",
		                  service->image_id, "ports",
		                  json_from_strv((const char *const *)service->ports), "url", url,
		                  "role", about ? about->role : NULL, "is_placeholder",
		                  about && about->is_placeholder, "exit_code", service->exit_code));
	}
	return list;
}
