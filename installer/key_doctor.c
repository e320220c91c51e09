/* installer/key_doctor.c - the questions of "slipway keys doctor"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/key_doctor.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"
#include "installer/aside.h"
#include "installer/key_verify.h"
#include "installer/keys.h"
#include "keystore/guard.h"
#include "keystore/keystore_audit.h"

#define REMEDY_SOURCE                                                                             \
	"Name a key file (--key-file) or a passphrase (--passphrase-file, --passphrase-fd), run " \
	"it on a terminal, or set the keys themselves as environment variables."

void doctor_finding_clear(DoctorFinding *finding)
{
	g_free(finding->text);
	g_free(finding->remedy);
}

void doctor_say(DoctorFinding *finding, DoctorVerdict verdict, const char *remedy,
                const char *format, ...)
{
	va_list arguments;

	doctor_finding_clear(finding);
	va_start(arguments, format);
	finding->text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	finding->remedy = g_strdup(remedy);
	finding->verdict = verdict;
}

const char *doctor_verdict_name(DoctorVerdict verdict)
{
	static const char *const names[] = {
		[DOCTOR_OK] = "ok",
		[DOCTOR_WARN] = "warn",
		[DOCTOR_FAIL] = "fail",
	};

	return names[verdict];
}

static void say_error(DoctorFinding *finding, DoctorVerdict verdict, const GError *error)
{
	g_autofree char *message = fault_message(error);

	doctor_say(finding, verdict, fault_hint(error), "%s", message);
}

static void look_at_back_end(const Doctor *doctor, DoctorFinding *finding)
{
	if (doctor->back_end)
		doctor_say(finding, DOCTOR_OK, NULL, "keys are kept in: %s; %s", doctor->back_end,
		           doctor->why);
	else
		say_error(finding, DOCTOR_FAIL, doctor->refusal);
}

static bool is_below_home(const Doctor *doctor, const char *path)
{
	return paths_is_below(path, doctor->app->paths->home);
}

/* With the key beside it, the file is as safe as the directory. */
static bool has_key_beside(const Doctor *doctor)
{
	g_autofree char *one = g_path_get_dirname(doctor->path);
	g_autofree char *other = g_path_get_dirname(doctor->key_file);

	return file_exists(doctor->key_file) &&
	       (strcmp(one, other) == 0 ||
	        (is_below_home(doctor, doctor->path) && is_below_home(doctor, doctor->key_file)));
}

static void look_at_protection(const Doctor *doctor, DoctorFinding *finding)
{
	if (!doctor->is_file)
		doctor_say(finding, DOCTOR_OK, NULL,
		           "while nobody is logged in, the keys are as safe as the login password "
		           "makes the keyring");
	else if (has_key_beside(doctor))
		doctor_say(finding, DOCTOR_WARN,
		           "Keep the key file on another device, or use a passphrase.",
		           "whoever copies the keystore alone (a backup, \"git add\", a "
		           "synchronised folder) cannot read it; whoever copies the home directory "
		           "has the key file too: %s",
		           doctor->key_file);
	else
		doctor_say(finding, DOCTOR_OK, NULL,
		           "whoever copies the file (a disk, a backup, a synchronised folder) "
		           "cannot read it without its key, and a change of it is noticed");
}

static void look_at_limits(const Doctor *doctor, DoctorFinding *finding)
{
	doctor_say(finding, DOCTOR_OK, NULL,
	           "not protected from: programs of this user%s, root, whoever may use the Docker "
	           "engine, and the programs that get a key",
	           doctor->is_file ? " while they can read what opens the keystore"
	                           : " while the keyring is open");
}

/* Returns: (transfer full) (nullable): the credential of systemd that would be used. */
static char *find_credential(void)
{
	static const char *const names[] = { "slipway.key", "slipway.passphrase" };
	const char *directory = g_getenv("CREDENTIALS_DIRECTORY");

	for (gsize i = 0; directory && i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(directory, names[i], NULL);

		if (file_exists(path))
			return g_steal_pointer(&path);
	}
	return NULL;
}

/* Returns: (transfer full) (nullable): which source is first, in the order of keystore/source.h. */
static char *find_source(const Doctor *doctor)
{
	static const char *const names[] = { "passphrase-fd", "passphrase-file", NULL, "key-file" };
	const Settings *settings = doctor->app->settings;

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *credential = names[i] ? NULL : find_credential();
		const char *value = names[i] ? settings_text(settings, names[i]) : NULL;

		if (credential)
			return g_strdup_printf("the credential %s", credential);
		if (value && *value)
			return g_strdup_printf("%s: %s (%s)", names[i], value,
			                       settings_origin(settings, names[i]));
	}
	if (file_exists(doctor->key_file))
		return g_strdup_printf("the key file %s", doctor->key_file);
	return g_strdup(doctor->can_ask ? "a passphrase, asked for here" : NULL);
}

static void look_at_source(const Doctor *doctor, DoctorFinding *finding)
{
	g_autofree char *source = find_source(doctor);

	if (!doctor->is_file)
		doctor_say(finding, DOCTOR_OK, NULL, "the keyring needs no key of ours");
	else if (source)
		doctor_say(finding, DOCTOR_OK, NULL, "opened with %s", source);
	else if (doctor->was_opened)
		doctor_say(finding, DOCTOR_OK, NULL, "opened with what the keyring keeps");
	else
		doctor_say(finding, doctor->is_there ? DOCTOR_FAIL : DOCTOR_WARN, REMEDY_SOURCE,
		           "there is nothing to open %s keystore with, and nobody to ask",
		           doctor->is_there ? "the" : "a");
}

static void look_at_lock(const Doctor *doctor, DoctorFinding *finding)
{
	bool is_waiting = doctor->refusal && doctor->can_ask &&
	                  g_error_matches(doctor->refusal, KEYSTORE_ERROR, KEYSTORE_ERROR_LOCKED);

	if (!doctor->is_there)
		doctor_say(finding, DOCTOR_OK, NULL, "no key was saved yet");
	else if (doctor->was_opened)
		doctor_say(finding, DOCTOR_OK, NULL, "it opens without asking anybody");
	else if (is_waiting)
		doctor_say(finding, DOCTOR_OK, NULL, "it is locked; you are asked when it is used");
	else if (doctor->refusal)
		say_error(finding, DOCTOR_FAIL, doctor->refusal);
	else
		doctor_say(finding, DOCTOR_OK, NULL, "there is nothing in it to open");
}

static void look_at_keyring(const Doctor *doctor, DoctorFinding *finding)
{
	const char *best = keystore_back_ends()[0];
	Keystore *keyring = keystore_in(doctor->store, best, NULL, NULL);
	g_autofree char *why = NULL;
	bool is_usable = keyring && keystore_probe(keyring, &why);

	if (!keyring || strcmp(best, "file") == 0)
		doctor_say(finding, DOCTOR_OK, NULL, "this system has no keyring that is used");
	else if (is_usable || doctor->is_file)
		doctor_say(finding, DOCTOR_OK, NULL, "%s", why);
	else
		doctor_say(finding, doctor->is_there ? DOCTOR_FAIL : DOCTOR_WARN,
		           "Log in to the desktop, or unlock the keyring.", "%s", why);
}

/* Returns: whether @path is not there, or nobody else can touch it. */
static bool is_guarded(const char *path, bool allow_root, GError **error)
{
	struct stat status;

	if (lstat(path, &status) != 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
	return guard_file(path, &status, allow_root, error) && guard_directories(path, error);
}

static void look_at_permissions(const Doctor *doctor, DoctorFinding *finding)
{
	static const char *const suffixes[] = { "", ".bak", ".lock", ".backend", ".audit" };
	g_autoptr(GError) error = NULL;
	bool is_good = true;

	for (gsize i = 0; is_good && i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *path = g_strconcat(doctor->path, suffixes[i], NULL);
		is_good = is_guarded(path, false, &error);
	}
	if (is_good && is_guarded(doctor->key_file, true, &error))
		doctor_say(finding, DOCTOR_OK, NULL,
		           "nobody else can read or replace the files of the keystore");
	else
		say_error(finding, DOCTOR_FAIL, error);
}

/* Beside a .env or an export, where the user stands. */
static bool has_leftovers_here(DoctorFinding *finding)
{
	guint count = aside_count_abandoned(".");

	if (count > 0)
		doctor_say(finding, DOCTOR_WARN,
		           "The next import with --shred, or export, in this directory removes "
		           "them; you may do so yourself.",
		           "%u files .slipway-aside-* of interrupted runs are in the working "
		           "directory",
		           count);
	return count > 0;
}

/* What base/file.h leaves when it is killed: ".NAME.XXXXXXXX.tmp". */
static void look_at_leftovers(const Doctor *doctor, DoctorFinding *finding)
{
	if (has_leftovers_here(finding))
		return;

	g_autofree char *directory = g_path_get_dirname(doctor->path);
	g_autofree char *base = g_path_get_basename(doctor->path);
	g_autofree char *prefix = g_strdup_printf(".%s.", base);
	g_autoptr(GDir) listing = g_dir_open(directory, 0, NULL);
	const char *name = NULL;
	guint count = 0;

	while (listing && (name = g_dir_read_name(listing)))
		count += g_str_has_prefix(name, prefix) && g_str_has_suffix(name, ".tmp");
	if (count > 0)
		doctor_say(finding, DOCTOR_WARN, "The next change of a key removes them.",
		           "%u files of interrupted writers are in %s; they are encrypted", count,
		           directory);
	else
		doctor_say(finding, DOCTOR_OK, NULL, "there are no files of interrupted writers");
}

static void look_at_memory(const Doctor *doctor G_GNUC_UNUSED, DoctorFinding *finding)
{
	SecretState state = secret_state();

	if (!state.has_heap)
		doctor_say(finding, DOCTOR_WARN, NULL, "there is no memory apart for secrets");
	else if (!state.is_locked)
		doctor_say(finding, DOCTOR_WARN, "Raise the limit: ulimit -l 1024",
		           "the memory for secrets cannot be locked; it could be written to swap");
	else
		doctor_say(finding, DOCTOR_OK, NULL,
		           "secrets are in memory that is locked and wiped");
}

static void look_at_process(const Doctor *doctor G_GNUC_UNUSED, DoctorFinding *finding)
{
	SecretState state = secret_state();

	if (state.is_dumpable || state.can_dump)
		doctor_say(finding, DOCTOR_WARN, NULL, "%s",
		           state.is_dumpable ? "other programs of this user can read our memory"
		                             : "a crash of this program could leave a core file");
	else
		doctor_say(finding, DOCTOR_OK, NULL,
		           "no program of this user can read our memory, and no crash leaves a "
		           "core file");
}

static void look_at_terminal(const Doctor *doctor, DoctorFinding *finding)
{
	const char *ci = g_getenv("CI");

	doctor_say(finding, DOCTOR_OK, NULL, "%s",
	           doctor->can_ask ? "questions can be asked on this terminal"
	           : ci && *ci     ? "CI is set: nobody is asked anything"
	                           : "nobody can be asked here");
}

/* Every program that this user starts from here gets them too. */
static void look_at_environment(const Doctor *doctor G_GNUC_UNUSED, DoctorFinding *finding)
{
	g_autoptr(GString) names = g_string_new(NULL);

	for (gsize i = 0; i < key_provider_count; i++) {
		const char *value = g_getenv(key_provider_table[i].name);

		if (value && *value)
			g_string_append_printf(names, " %s", key_provider_table[i].name);
	}
	if (names->len == 0)
		doctor_say(finding, DOCTOR_OK, NULL, "no key of a known provider is set here");
	else
		doctor_say(
			finding, DOCTOR_WARN,
			"Keep them with \"slipway keys set\" and unset them; on a CI runner that "
			"is how it should be.",
			"set here, seen by every program of this session, and winning over the "
			"keystore:%s",
			names->str);
}

static void look_at_rollback(const Doctor *doctor, DoctorFinding *finding)
{
	if (g_error_matches(doctor->refusal, KEYSTORE_ERROR, KEYSTORE_ERROR_STALE))
		say_error(finding, DOCTOR_FAIL, doctor->refusal);
	else if (doctor->is_file)
		doctor_say(finding, DOCTOR_OK, NULL,
		           "an older keystore that is put in the place of this one is noticed, "
		           "unless the record of the newest is put back as well");
	else
		doctor_say(finding, DOCTOR_OK, NULL,
		           "an older state of the keyring that is put back is not noticed");
}

static void look_at_audit(const Doctor *doctor, DoctorFinding *finding)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(AuditReport) report =
		doctor->was_opened ? keystore_audit(doctor->store, &error) : NULL;

	if (error) {
		say_error(finding, DOCTOR_FAIL, error);
	} else if (!report) {
		doctor_say(finding, DOCTOR_OK, NULL,
		           "it can be checked while the keystore is open");
	} else if (report->faults->len > 0) {
		const AuditFault *fault = g_ptr_array_index(report->faults, 0);
		doctor_say(finding, DOCTOR_FAIL, "See all of it with: slipway keys audit",
		           "it was changed: %s:%u: %s", fault->file, fault->line, fault->what);
	} else {
		doctor_say(finding, DOCTOR_OK, NULL, "%u lines are as they were written",
		           report->checked);
	}
}

const DoctorRow doctor_table[] = {
	{ "backend", "place", look_at_back_end },
	{ "protects", "protects", look_at_protection },
	{ "limits", "does not", look_at_limits },
	{ "source", "key", look_at_source },
	{ "lock", "lock", look_at_lock },
	{ "keyring", "keyring", look_at_keyring },
	{ "permissions", "permissions", look_at_permissions },
	{ "leftovers", "leftovers", look_at_leftovers },
	{ "place", "file system", doctor_look_at_place },
	{ "memory", "memory", look_at_memory },
	{ "process", "process", look_at_process },
	{ "swap", "swap", doctor_look_at_swap },
	{ "terminal", "terminal", look_at_terminal },
	{ "environment", "environment", look_at_environment },
	{ "rollback", "rollback", look_at_rollback },
	{ "audit", "audit log", look_at_audit },
};
const gsize doctor_count = G_N_ELEMENTS(doctor_table);
