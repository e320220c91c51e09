/* installer/command_backup.c - "slipway backup" and "slipway restore"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "installer/lifecycle_backup.h"
#include "installer/lifecycle_services.h"
#include "installer/lifecycle_up.h"
#include "installer/session.h"

static gboolean is_live;

const GOptionEntry command_backup_options[] = {
	{ "live", 0, 0, G_OPTION_ARG_NONE, &is_live,
	  "leave the services running; what they write meanwhile may be torn", NULL },
	{ 0 },
};

/* DIR, or STACK-backup-TIME where one stands. */
static char *choose_directory(const char *stack, const char *given)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *when = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
	g_autofree char *name = g_strdup_printf("%s-backup-%s", stack, when);

	return g_canonicalize_filename(given ? given : name, NULL);
}

/* Returns: (transfer full): the services that run and are to be stopped. */
static char **running_services(const Lifecycle *life, const LifeProject *project, GError **error)
{
	g_autoptr(GPtrArray) services = services_list(life, project, error);
	GPtrArray *names = services ? g_ptr_array_new() : NULL;

	for (guint i = 0; services && i < services->len; i++) {
		const LifeService *service = services->pdata[i];
		if (service_runs(service))
			g_ptr_array_add(names, g_strdup(service->name));
	}
	if (!names)
		return NULL;
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

/* What was stopped is started again, whatever came of the backup. */
static bool save_stopped(Lifecycle *life, const LifeProject *project, const char *directory,
                         GError **error)
{
	g_auto(GStrv) names = running_services(life, project, error);
	g_autoptr(GError) second = NULL;

	if (!names)
		return false;
	bool is_stopped = !is_live && *names;
	if (is_stopped) {
		term_note(life->app->term, "Stopping %s, so that its data holds still.",
		          life->title);
		if (!compose_tell(project->compose, "stop", names, error))
			return false;
	}

	bool is_saved = backup_write(life, project, NULL, directory, is_live && *names, error);
	cancel_suspend(true);
	bool is_back = !is_stopped || (compose_tell(project->compose, "start", names, &second) &&
	                               lifecycle_wait(life, project, names, &second));
	cancel_suspend(false);
	if (is_saved && !is_back)
		g_propagate_prefixed_error(error, g_steal_pointer(&second),
		                           "the backup is whole, but starting again failed: ");
	return is_saved && is_back;
}

/* Returns: (transfer full): a stack with one project, and nothing unfinished. */
static Lifecycle *open_one(App *app, const char *name, GError **error)
{
	g_autoptr(Lifecycle) life = lifecycle_open_containers(app, name, error);

	if (!life || !lifecycle_is_settled(life, error))
		return NULL;
	if (life->projects->len == 1)
		return g_steal_pointer(&life);
	fault_set(error, STATUS_CONFIG, NULL, "%s has %u compose projects; one can be backed up",
	          name, life->projects->len);
	return NULL;
}

bool command_backup(App *app, int argc, char **argv, GError **error)
{
	g_autofree char *directory = choose_directory(argv[0], argc > 1 ? argv[1] : NULL);
	g_autoptr(Lock) lock = session_begin(app, "backup", error);
	g_autoptr(Lifecycle) life = lock ? open_one(app, argv[0], error) : NULL;

	if (!life)
		return false;
	if (file_exists(directory)) {
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "%s is there already", directory);
		return false;
	}
	if (!save_stopped(life, life->projects->pdata[0], directory, error))
		return false;

	session_put(app, "directory", json_string(directory));
	term_print(app->term, "The data of %s is in %s.\n", life->title, directory);
	return true;
}

static bool put_back(Lifecycle *life, LifeProject *project, const StepHost *host,
                     const Backup *backup, GError **error)
{
	g_auto(GStrv) names = running_services(life, project, error);
	bool is_changed = false;

	if (!names || !lifecycle_restoring(life, project, backup->directory, error) ||
	    !lifecycle_down(life, project, false, &is_changed, error) ||
	    !backup_load(backup, project, error) ||
	    !lifecycle_restoring(life, project, NULL, error))
		return false;
	return !*names || lifecycle_up(life, project, host, error);
}

static void print_lost(App *app, const Lifecycle *life, const Backup *backup)
{
	term_print(app->term, "Restoring %s from %s replaces for good the data in:\n", life->title,
	           backup->directory);
	for (guint i = 0; i < backup->volumes->len; i++) {
		const Volume *volume = backup->volumes->pdata[i];
		term_print(app->term, "  volume %s\n", volume->name);
	}
}

bool command_restore(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	g_autofree char *directory = g_canonicalize_filename(argv[1], NULL);
	g_autoptr(Lifecycle) look = open_one(app, argv[0], error);
	g_autoptr(Backup) backup = look ? backup_open(look, directory, error) : NULL;

	if (!backup)
		return false;
	print_lost(app, look, backup);
	if (!session_confirm(app, "Replace it?", error))
		return false;

	g_autoptr(Lock) lock = session_begin(app, "restore", error);
	g_autoptr(Lifecycle) life = lock ? open_one(app, argv[0], error) : NULL;
	g_autoptr(HostState) host = life ? host_new(app, NULL, error) : NULL;
	if (!host || !put_back(life, life->projects->pdata[0], host_get(host), backup, error))
		return false;

	session_put(app, "changed", json_true());
	term_print(app->term, "The data of %s is that of the backup again.\n", life->title);
	return true;
}
