/* installer/service.c - a program that goes on running, whoever watches over it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/service.h"

#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/process.h"
#include "installer/service_private.h"

#define COMMAND_TIMEOUT_MS 60000

/* In the order in which they are looked for; the last one is everywhere. */
static const ServiceManager *const manager_table[] = {
	&service_systemd, &service_systemd_user, &service_openrc,
	&service_launchd, &service_process,
};

static const ServiceManager *find_manager(const char *name)
{
	for (gsize i = 0; name && i < G_N_ELEMENTS(manager_table); i++)
		if (g_str_equal(manager_table[i]->name, name))
			return manager_table[i];

	return NULL;
}

bool service_manager_is_known(const char *manager)
{
	return find_manager(manager) != NULL;
}

static const ServiceManager *find_here(void)
{
	gsize i = 0;

	while (i < G_N_ELEMENTS(manager_table) - 1 && !manager_table[i]->is_here())
		i++;
	return manager_table[i];
}

static const ServiceManager *manager_of(const json_t *service, GError **error)
{
	const ServiceManager *manager = find_manager(json_text(service, "manager"));

	if (!manager || *service_text(service, "name") == '\0')
		fault_set(error, STATUS_DATA, NULL, "the description of a service is damaged");
	return manager;
}

const char *service_text(const json_t *service, const char *key)
{
	return json_text_or(service, key, "");
}

json_t *service_new(const ServiceRequest *request)
{
	const ServiceManager *manager = find_manager(request->manager);
	g_autofree char *log = g_strdup_printf("%s/services/%s.log", request->state, request->name);
	g_autofree char *pid = g_strdup_printf("%s/services/%s.pid", request->state, request->name);

	if (!manager)
		manager = find_here();

	json_t *service = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "manager", manager->name,
	                            "name", request->name, "title", request->title, "log", log,
	                            "pid", pid, "account", "self");
	json_object_set_new(service, "argv", json_from_strv(request->argv));
	json_object_set_new(service, "env", json_from_strv(request->env));
	manager->place(service);
	return service;
}

char *service_render(const json_t *service)
{
	const ServiceManager *manager = manager_of(service, NULL);

	return manager && manager->render ? manager->render(service) : NULL;
}

unsigned int service_file_mode(const json_t *service)
{
	const ServiceManager *manager = manager_of(service, NULL);

	return manager ? manager->file_mode : 0644;
}

char *service_note(const json_t *service)
{
	const ServiceManager *manager = manager_of(service, NULL);

	return manager && manager->note ? manager->note(service) : NULL;
}

static char *expand(const json_t *service, const char *word)
{
	if (g_str_equal(word, "@name@"))
		return g_strdup(service_text(service, "name"));
	if (g_str_equal(word, "@file@"))
		return g_strdup(service_text(service, "file"));
	if (g_str_has_prefix(word, "@domain@"))
		return g_strconcat(service_text(service, "domain"), word + strlen("@domain@"),
		                   word[strlen("@domain@")] ? service_text(service, "name") : "",
		                   NULL);
	return g_strdup(word);
}

/* Where a login did not set it, a user's own systemd is found by it. */
static char *runtime_directory(void)
{
	const char *set = g_getenv("XDG_RUNTIME_DIR");

	return set && *set ? g_strconcat("XDG_RUNTIME_DIR=", set, NULL)
	                   : g_strdup_printf("XDG_RUNTIME_DIR=/run/user/%u", (unsigned)getuid());
}

static bool run_words(const json_t *service, const char *const *words, GError **error)
{
	bool may_fail = words[0][0] == '-';
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *program = process_find(words[0] + may_fail);
	g_autofree char *runtime = runtime_directory();
	const char *const env[] = { runtime, NULL };

	if (!program) {
		fault_set(error, STATUS_UNAVAILABLE, NULL, "%s is not there", words[0] + may_fail);
		return may_fail;
	}
	g_ptr_array_add(argv, g_strdup(program));
	for (const char *const *word = words + 1; *word; word++)
		g_ptr_array_add(argv, expand(service, *word));
	g_ptr_array_add(argv, NULL);

	ProcessSpec spec = { .argv = (const char *const *)argv->pdata,
		             .env = env,
		             .timeout_ms = COMMAND_TIMEOUT_MS };
	g_autofree char *out = process_capture(&spec, may_fail ? NULL : error);
	return out || may_fail;
}

static bool run_commands(const json_t *service, ServiceCommands commands, GError **error)
{
	for (; commands && *commands; commands++)
		if (!run_words(service, *commands, error))
			return false;

	return true;
}

bool service_is_running(const json_t *service)
{
	const ServiceManager *manager = manager_of(service, NULL);

	if (!manager)
		return false;
	return manager->is_running ? manager->is_running(service)
	                           : run_commands(service, manager->ask, NULL);
}

static bool make_directory(const json_t *service, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(service_text(service, "log"));

	return file_make_dirs(directory, 0700, NULL, error);
}

bool service_start(const json_t *service, GError **error)
{
	const ServiceManager *manager = manager_of(service, error);

	if (!manager || !make_directory(service, error))
		return false;
	return manager->start ? service_stop(service, error) && manager->start(service, error)
	                      : run_commands(service, manager->begin, error);
}

bool service_stop(const json_t *service, GError **error)
{
	const ServiceManager *manager = manager_of(service, error);

	if (!manager)
		return false;
	if (!service_is_running(service))
		return true;
	return manager->stop ? manager->stop(service, error)
	                     : run_commands(service, manager->end, error);
}

void service_reload(const json_t *service)
{
	const ServiceManager *manager = manager_of(service, NULL);

	if (manager)
		(void)run_commands(service, manager->reload, NULL);
}

bool service_sweep(const json_t *service, GError **error)
{
	return file_remove(service_text(service, "pid"), error) &&
	       file_remove(service_text(service, "log"), error);
}

/* Returns: (transfer none) (nullable): what a step of the receipt started. */
static const json_t *service_of(const json_t *step)
{
	return json_object_get(json_object_get(step, "result"), "service");
}

bool service_all_are(const json_t *entry, bool is_up, guint *count)
{
	bool are_all = true;
	gsize i = 0;
	json_t *step = NULL;

	*count = 0;
	json_array_foreach(json_object_get(entry, "steps"), i, step)
	{
		const json_t *service = service_of(step);

		if (!service)
			continue;
		*count += 1;
		are_all = are_all && service_is_running(service) == is_up;
	}
	return are_all;
}

bool service_switch(const json_t *entry, bool is_up, GPtrArray *changed, GError **error)
{
	gsize i = 0;
	json_t *step = NULL;

	json_array_foreach(json_object_get(entry, "steps"), i, step)
	{
		const json_t *service = service_of(step);

		if (!service || service_is_running(service) == is_up)
			continue;
		if (!(is_up ? service_start : service_stop)(service, error))
			return false;
		g_ptr_array_add(changed, g_strdup(service_text(service, "title")));
	}

	return true;
}
