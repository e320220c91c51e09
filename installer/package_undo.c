/* installer/package_undo.c - takes away the packages that a step added, and no others
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "installer/package_run.h"
#include "installer/privilege.h"

#define SNAPSHOT_MAX_BYTES ((gsize)64 * 1024 * 1024)
#define CONFFILE_MAX_BYTES ((gsize)16 * 1024 * 1024)
#define LOCK_TIMEOUT_S 300

/** One execution of the primitive. */
typedef struct {
	PackageJob job;
	const char *record_path;
	PackageRecord *record;
	PackageSet *before;
	PackageSet *now;
	GPtrArray *left;
} Undo;

static GPtrArray *new_names(void)
{
	return g_ptr_array_new_with_free_func(g_free);
}

static const char *const *as_words(GPtrArray *names)
{
	g_ptr_array_add(names, NULL);
	return (const char *const *)names->pdata;
}

static void G_GNUC_PRINTF(2, 3) leave(Undo *undo, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_ptr_array_add(undo->left, g_strdup_vprintf(format, arguments));
	va_end(arguments);
}

static bool read_now(Undo *undo, GError **error)
{
	package_set_free(undo->now);
	undo->now = packages_read(undo->job.manager, error);
	return undo->now != NULL;
}

/* Names of the record that were not there before and that @table has now. */
static GPtrArray *still_there(Undo *undo, GHashTable *table)
{
	GPtrArray *names = new_names();
	g_autoptr(GList) added =
		g_list_sort(g_hash_table_get_keys(undo->record->added), (GCompareFunc)strcmp);

	for (GList *name = added; name; name = name->next)
		if (!g_hash_table_contains(undo->before->installed, name->data) &&
		    g_hash_table_contains(table, name->data))
			g_ptr_array_add(names, g_strdup(name->data));

	return names;
}

static bool keeps_marks(const PackageManager *manager)
{
	return manager->list_automatic || manager->automatic;
}

/* A package that came only because others need it, and that carries no such mark now, was asked
 * for by somebody since.  (While the installation was not finished, marks say nothing.) */
static bool is_wanted_by_hand(const Undo *undo, const char *name)
{
	return keeps_marks(undo->job.manager) && undo->record->is_finished &&
	       !g_hash_table_contains(undo->record->asked, name) &&
	       !g_hash_table_contains(undo->now->automatic, name);
}

static GPtrArray *choose_going(Undo *undo)
{
	g_autoptr(GPtrArray) names = still_there(undo, undo->now->installed);
	GPtrArray *going = new_names();

	for (guint i = 0; i < names->len; i++)
		if (is_wanted_by_hand(undo, names->pdata[i]))
			leave(undo, "package %s: somebody asked for it since",
			      (char *)names->pdata[i]);
		else
			g_ptr_array_add(going, g_strdup(names->pdata[i]));

	return going;
}

static GPtrArray *lost_marks(const Undo *undo)
{
	GPtrArray *names = new_names();
	GHashTableIter asked;
	gpointer name;

	if (!undo->job.manager->mark_automatic)
		return names;
	g_hash_table_iter_init(&asked, undo->record->asked);
	while (g_hash_table_iter_next(&asked, &name, NULL))
		if (g_hash_table_contains(undo->before->automatic, name) &&
		    g_hash_table_contains(undo->now->installed, name) &&
		    !g_hash_table_contains(undo->now->automatic, name))
			g_ptr_array_add(names, g_strdup(name));

	return names;
}

static bool runs_service(const Undo *undo, const char *name)
{
	const char *const names[] = { name, NULL };
	g_autofree char *files =
		packages_ask(undo->job.manager, undo->job.manager->list_files, names, NULL);

	return files && (strstr(files, "/systemd/system/") || strstr(files, "/etc/init.d/"));
}

/* Purging a service's package can delete its data: /var/lib/docker.  Which ones do can only be
 * told while their files are there, so it is written down before they go. */
static bool note_services(Undo *undo, const GPtrArray *going, GError **error)
{
	guint known = g_hash_table_size(undo->record->services);

	for (guint i = 0; i < going->len; i++)
		if (runs_service(undo, going->pdata[i]))
			g_hash_table_add(undo->record->services, g_strdup(going->pdata[i]));

	return g_hash_table_size(undo->record->services) == known ||
	       package_record_write(undo->record, undo->record_path, error);
}

static bool is_as_brought(const PackageConffile *conffile)
{
	g_autoptr(GError) fault = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *md5 = NULL;

	if (!file_exists(conffile->path))
		return true;
	bytes = file_read(conffile->path, CONFFILE_MAX_BYTES, &fault);
	if (!bytes)
		return false;
	md5 = g_compute_checksum_for_bytes(G_CHECKSUM_MD5, bytes);
	return g_str_equal(md5, conffile->md5);
}

/* Whether the configuration of a removed package may go too; says what keeps it. */
static bool is_purgeable(Undo *undo, const char *name)
{
	const char *const names[] = { name, NULL };
	const PackageManager *manager = undo->job.manager;
	g_autofree char *text = NULL;
	g_autoptr(GPtrArray) conffiles = NULL;

	if (g_hash_table_contains(undo->before->residue, name))
		return false;
	if (g_hash_table_contains(undo->record->services, name)) {
		leave(undo, "configuration and data of package %s: kept, because it runs a service",
		      name);
		return false;
	}
	if (!manager->list_conffiles)
		return true;
	text = packages_ask(manager, manager->list_conffiles, names, NULL);
	if (!text)
		return false;
	conffiles = manager->dialect->parse_conffiles(text);
	for (guint i = 0; i < conffiles->len; i++) {
		const PackageConffile *conffile = conffiles->pdata[i];

		if (is_as_brought(conffile))
			continue;
		leave(undo, "%s: changed since package %s brought it, or not readable",
		      conffile->path, name);
		return false;
	}

	return true;
}

static bool purge(Undo *undo, GError **error)
{
	g_autoptr(GPtrArray) names = NULL;
	g_autoptr(GPtrArray) going = new_names();

	if (!read_now(undo, error))
		return false;
	names = still_there(undo, undo->now->residue);
	for (guint i = 0; i < names->len; i++)
		if (is_purgeable(undo, names->pdata[i]))
			g_ptr_array_add(going, g_strdup(names->pdata[i]));

	return packages_purge(&undo->job, as_words(going), error);
}

/* Returns: (transfer full) (nullable): all files of packages that are about to go, where their manager
 * puts settings aside. */
static char *list_files(const Undo *undo, const char *const *going)
{
	const PackageManager *manager = undo->job.manager;

	return manager->dialect->edited && *going
	               ? packages_ask(manager, manager->list_files, going, NULL)
	               : NULL;
}

/* The file that a package displaced comes back. */
static bool put_back(const char *from, const char *to, GError **error)
{
	g_autofree char *mv = process_find("mv");
	const char *const argv[] = { mv, "-n", "--", from, to, NULL };
	const ProcessSpec spec = { .argv = argv };
	g_auto(ProcessResult) result = { 0 };

	return !mv || !file_exists(from) || file_exists(to) || privilege_run(&spec, &result, error);
}

/* What the manager put aside, or left, of @files, which are gone. */
static bool settle_settings(Undo *undo, const char *files, GError **error)
{
	const PackageDialect *dialect = undo->job.manager->dialect;
	g_auto(GStrv) lines = g_strsplit(files ? files : "", "\n", -1);

	for (char **line = lines; *line; line++) {
		g_autofree char *path = g_strconcat(**line == '/' ? "" : "/", *line, NULL);
		g_autofree char *edited = g_strconcat(path, dialect->edited, NULL);
		g_autofree char *displaced = g_strconcat(path, dialect->displaced, NULL);

		if (!**line || (*dialect->edited && file_exists(path)))
			continue;
		if (file_exists(edited))
			leave(undo, "%s: changed since a package brought it", edited);
		if (!put_back(displaced, path, error))
			return false;
	}

	return true;
}

static bool take_away(Undo *undo, GError **error)
{
	g_autoptr(GPtrArray) going = choose_going(undo);
	g_autoptr(GPtrArray) marks = lost_marks(undo);
	g_autoptr(GPtrArray) kept = new_names();
	g_autofree char *files = NULL;
	const char *const *names;

	if (!note_services(undo, going, error))
		return false;
	names = as_words(going);
	files = list_files(undo, names);
	if (!packages_remove(&undo->job, names, kept, error) ||
	    !settle_settings(undo, files, error) || !purge(undo, error))
		return false;
	for (guint i = 0; i + 1 < going->len; i++)
		if (g_hash_table_contains(undo->now->installed, going->pdata[i]))
			leave(undo, "package %s: another package needs it now",
			      (char *)going->pdata[i]);

	return packages_mark_automatic(&undo->job, as_words(marks), error);
}

/* Nothing of ours is there any more: the usual case when it runs again. */
static bool is_done(Undo *undo)
{
	g_autoptr(GPtrArray) installed = still_there(undo, undo->now->installed);
	g_autoptr(GPtrArray) residue = still_there(undo, undo->now->residue);
	g_autoptr(GPtrArray) marks = lost_marks(undo);

	return installed->len + residue->len + marks->len == 0;
}

/* Packages of ours whose files may be there in part.  dpkg and pacman know them; rpm and apk know
 * nothing of a package before all its files are there. */
static GPtrArray *find_torn(Undo *undo)
{
	g_autoptr(GList) added = g_hash_table_get_keys(undo->record->added);
	GPtrArray *names;

	if (!undo->job.manager->mend || undo->job.manager->lists_torn)
		return still_there(undo, undo->now->torn);
	names = new_names();
	for (GList *name = added; name; name = name->next)
		if (!g_hash_table_contains(undo->before->installed, name->data) &&
		    !g_hash_table_contains(undo->now->installed, name->data) &&
		    (!undo->job.manager->notes_mended ||
		     g_hash_table_contains(undo->record->asked, name->data)))
			g_ptr_array_add(names, g_strdup(name->data));
	return names;
}

static bool sweep(Undo *undo, GError **error)
{
	g_autoptr(GPtrArray) names = still_there(undo, undo->now->installed);

	return packages_sweep(&undo->job, as_words(names), error);
}

/* A package that was killed while its files were put in place leaves files that nobody knows once it
 * is removed ("git.1.gz.dpkg-new").  Installing it again first makes it whole; its archive is still
 * in the cache.  Where that fails, it is removed as it is. */
static bool mend(Undo *undo, GError **error)
{
	g_autoptr(GPtrArray) torn = NULL;
	g_autoptr(GError) fault = NULL;

	if (!packages_ready(&undo->job, undo->record->added, error) || !read_now(undo, error))
		return false;
	torn = find_torn(undo);
	if (torn->len > 0 && !packages_mend(&undo->job, as_words(torn), &fault))
		log_line(undo->job.manager->name, "%s", fault ? fault->message : "not mended");
	return (torn->len == 0 || read_now(undo, error)) && sweep(undo, error);
}

static bool run(Undo *undo, GError **error)
{
	undo->job.may_repair = !undo->record->is_finished;
	if (undo->job.manager->is_asked_as_root && !packages_wait(&undo->job, error))
		return false;
	if (undo->job.may_repair ? !mend(undo, error) : !read_now(undo, error))
		return false;
	if (is_done(undo))
		return true;
	if (!undo->job.may_repair && !packages_ready(&undo->job, undo->record->added, error))
		return false;
	return take_away(undo, error);
}

static PackageSet *read_snapshot(const char *path, GError **error)
{
	g_autoptr(json_t) object = json_read(path, SNAPSHOT_MAX_BYTES, error);

	return object ? package_set_from_json(object, error) : NULL;
}

bool packages_undo(const json_t *primitive, const StepHost *host G_GNUC_UNUSED,
                   const char *txn_dir G_GNUC_UNUSED, GPtrArray *left, GError **error)
{
	const char *snapshot = json_need_text(primitive, "snapshot", error);
	const char *planned = snapshot ? json_need_text(primitive, "planned", error) : NULL;
	const json_t *timeout = json_object_get(primitive, "lock_timeout_s");
	g_autoptr(PackageRecord) record = NULL;
	g_autoptr(PackageSet) before = NULL;
	Undo undo = { .record_path = planned, .left = left };
	bool is_well;

	if (!planned)
		return false;
	if (!file_exists(planned))
		return true; /* it never got as far as installing */
	undo.job.manager = package_manager_find(json_text(primitive, "manager"), error);
	if (!undo.job.manager)
		return false;
	record = package_record_read(planned, error);
	before = record ? read_snapshot(snapshot, error) : NULL;
	if (!before)
		return false;
	undo.job.lock_timeout_s =
		json_is_integer(timeout) ? (guint)json_integer_value(timeout) : LOCK_TIMEOUT_S;
	undo.record = record;
	undo.before = before;
	is_well = run(&undo, error);
	package_set_free(undo.now);
	return is_well;
}
