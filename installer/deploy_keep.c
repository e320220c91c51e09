/* installer/deploy_keep.c - what is kept of a stack before something is deployed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/deploy_keep.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/tree.h"
#include "installer/engine.h"
#include "installer/lifecycle_backup.h"

#define FILE_MAX_BYTES ((gsize)1024 * 1024)
#define DAY_S 86400

static char *backups_of(const Deploy *it)
{
	return g_build_filename(it->directory, "backups", NULL);
}

char *deploy_backup_path(const Deploy *it, const char *id)
{
	return g_build_filename(it->directory, "backups", id, NULL);
}

/* What is not there is not kept: a state.json before the first deployment. */
static bool keep_file(const char *path, const char *directory, GError **error)
{
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *to = g_build_filename(directory, name, NULL);
	g_autoptr(GBytes) bytes = NULL;
	gsize size_bytes = 0;

	if (!file_exists(path))
		return true;
	bytes = file_read(path, FILE_MAX_BYTES, error);
	if (!bytes)
		return false;
	const void *data = g_bytes_get_data(bytes, &size_bytes);
	return file_write(to, data ? data : "", size_bytes, 0600, error);
}

static bool keep_files(const Deploy *it, const char *directory, GError **error)
{
	const ComposeProject *compose = it->project->compose;
	g_autofree char *state = g_build_filename(it->directory, "state.json", NULL);

	for (char **file = compose->files; *file; file++)
		if (!keep_file(*file, directory, error))
			return false;
	return (!compose->env_file || keep_file(compose->env_file, directory, error)) &&
	       keep_file(it->variables, directory, error) &&
	       keep_file(it->servers, directory, error) && keep_file(state, directory, error);
}

static bool keep_containers(const Deploy *it, const char *directory, GError **error)
{
	g_autoptr(GPtrArray) services = services_list(it->life, it->project, error);
	g_autoptr(json_t) all = json_object();
	g_autofree char *path = g_build_filename(directory, "containers.json", NULL);

	for (guint i = 0; services && i < STACK_COLOURS; i++) {
		const LifeService *service = services_find(services, it->services[i]);
		g_autofree char *what =
			service ? g_strdup_printf("/containers/%s/json", service->container) : NULL;
		json_t *container =
			what ? engine_get(it->project->compose->engine, what, NULL) : NULL;

		if (container)
			json_object_set_new(all, it->services[i], container);
	}

	g_autofree char *text = json_pretty(all);
	return services && file_write(path, text, strlen(text), 0600, error);
}

bool deploy_backup(const Deploy *it, const char *id, GError **error)
{
	g_autofree char *parent = backups_of(it);
	g_autofree char *directory = deploy_backup_path(it, id);
	g_autofree char *definition = g_build_filename(directory, "definition", NULL);

	return file_make_dirs(parent, 0700, NULL, error) &&
	       backup_write(it->life, it->project, it->about->backup, directory, true, error) &&
	       file_make_dirs(definition, 0700, NULL, error) && keep_files(it, definition, error) &&
	       keep_containers(it, definition, error);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns: (transfer full): the names in the directory, sorted, which is by time. */
static GPtrArray *list_names(const char *directory)
{
	g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

	for (const char *name = NULL; dir && (name = g_dir_read_name(dir));)
		g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, by_name);
	return names;
}

static bool is_old(const char *path, guint days)
{
	struct stat st = { 0 };
	gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;

	return lstat(path, &st) == 0 && now_s - (gint64)st.st_mtime > (gint64)days * DAY_S;
}

void deploy_prune(const Deploy *it)
{
	g_autofree char *parent = backups_of(it);
	g_autoptr(GPtrArray) names = list_names(parent);

	for (guint i = 0; i + 1 < names->len; i++) {
		g_autofree char *path = g_build_filename(parent, names->pdata[i], NULL);

		if (is_old(path, it->tunables.retention_days) && !tree_remove(path, NULL))
			log_line("deploy", "%s stays: it cannot be removed", path);
	}
}
