/* checks/facts_kernel_linux.c - features of the kernel, its security modules, and the clock
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/timex.h>

#include "base/file.h"
#include "checks/facts_linux.h"

/* Source: UEFI 2.10, EFI_GLOBAL_VARIABLE. */
#define SECURE_BOOT "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
/* Four bytes of attributes stand before the value. */
#define SECURE_BOOT_VALUE 4

static Fact exists(const FactsSource *source, const char *path)
{
	return source_exists(source, path) ? FACT_YES : FACT_NO;
}

static bool has_file_system(const FactsSource *source, const char *name)
{
	g_autofree char *text = source_read(source, "/proc/filesystems");
	g_autofree char *line = g_strdup_printf("\t%s\n", name);

	return text != NULL && strstr(text, line) != NULL;
}

/* Where the modules of the running kernel are; NULL: nowhere, as in most containers. */
static char *module_directory(const FactsSource *source, const char *release)
{
	static const char *const places[] = { "/lib/modules", "/usr/lib/modules",
		                              "/run/booted-system/kernel-modules/lib/modules" };

	for (gsize i = 0; release != NULL && i < G_N_ELEMENTS(places); i++) {
		g_autofree char *path = g_build_filename(places[i], release, NULL);

		if (source_exists(source, path))
			return g_steal_pointer(&path);
	}
	return NULL;
}

/* A module that is not loaded yet is not missing: the engine loads it. */
static Fact has_overlay(const FactsSource *source, const char *modules)
{
	static const char *const suffixes[] = { "", ".zst", ".xz", ".gz" };

	if (has_file_system(source, "overlay") || source_exists(source, "/sys/module/overlay"))
		return FACT_YES;
	if (modules == NULL)
		return FACT_UNKNOWN;
	for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *path = g_strdup_printf("%s/kernel/fs/overlayfs/overlay.ko%s",
		                                        modules, suffixes[i]);

		if (source_exists(source, path))
			return FACT_YES;
	}
	return FACT_NO;
}

/* "25 1 8:1 / / rw shared:1 - ext4 …": optional fields stand before the dash. */
static Fact is_root_shared(const FactsSource *source)
{
	g_autofree char *text = source_read(source, "/proc/self/mountinfo");
	g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);
	Fact result = FACT_UNKNOWN;

	for (gsize i = 0; lines[i] != NULL; i++) {
		g_auto(GStrv) words = g_strsplit(lines[i], " ", 7);

		/* The one that was mounted last is on top. */
		if (g_strv_length(words) == 7 && strcmp(words[4], "/") == 0)
			result = g_str_has_prefix(words[6], "shared:") ? FACT_YES : FACT_NO;
	}
	return result;
}

static char *selinux(const FactsSource *source)
{
	switch (source_number(source, "/sys/fs/selinux/enforce")) {
	case 0:
		return g_strdup("permissive");
	case 1:
		return g_strdup("enforcing");
	default:
		return source_exists(source, "/sys/fs/selinux/enforce") ? NULL : g_strdup("off");
	}
}

/* "snap.code.code (complain)"; without AppArmor the file cannot be read. */
static char *confinement(const FactsSource *source)
{
	g_autofree char *label = source_line(source, "/proc/self/attr/apparmor/current");
	char *space = label != NULL ? strchr(label, ' ') : NULL;

	if (space != NULL)
		*space = '\0';
	return label != NULL && *label != '\0' && g_utf8_validate(label, -1, NULL)
	               ? g_steal_pointer(&label)
	               : NULL;
}

/* "[none] integrity confidentiality" */
static char *lockdown(const FactsSource *source)
{
	g_autofree char *text = source_read(source, "/sys/kernel/security/lockdown");
	const char *open = text != NULL ? strchr(text, '[') : NULL;

	return open != NULL ? g_strndup(open + 1, strcspn(open + 1, "]")) : NULL;
}

/* The variable begins with bytes of any value, 0 among them: it is no text. */
static Fact has_secure_boot(const FactsSource *source)
{
	g_autofree char *path = source_path(source, SECURE_BOOT);
	g_autoptr(GBytes) bytes = NULL;
	gsize size_bytes = 0;
	const char *data;

	if (!source_exists(source, "/sys/firmware/efi"))
		return FACT_NO;
	bytes = file_read(path, SECURE_BOOT_VALUE + 1, NULL);
	data = bytes != NULL ? g_bytes_get_data(bytes, &size_bytes) : NULL;
	if (size_bytes != SECURE_BOOT_VALUE + 1)
		return FACT_UNKNOWN;
	return data[SECURE_BOOT_VALUE] == 1 ? FACT_YES : FACT_NO;
}

/* "Y\n" */
static Fact has_apparmor(const FactsSource *source)
{
	g_autofree char *enabled = source_line(source, "/sys/module/apparmor/parameters/enabled");

	return g_strcmp0(enabled, "Y") == 0 ? FACT_YES : FACT_NO;
}

/* Handlers of programs for other processors; those that are switched off are not counted. */
static char *emulators(const FactsSource *source)
{
	g_autoptr(GPtrArray) names = source_list(source, "/proc/sys/fs/binfmt_misc");
	GString *list = g_string_new(NULL);

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);

		if (g_str_has_prefix(name, "qemu-"))
			g_string_append_printf(list, "%s%s", list->len > 0 ? " " : "", name);
	}
	return g_string_free(list, FALSE);
}

static Fact needs_reboot(const FactsSource *source)
{
	return source_exists(source, "/run/reboot-required") ||
	                       source_exists(source, "/run/reboot-needed")
	               ? FACT_YES
	               : FACT_NO;
}

static void read_security(const FactsSource *source, FactsKernel *kernel)
{
	kernel->security = source_line(source, "/sys/kernel/security/lsm");
	kernel->selinux = selinux(source);
	kernel->lockdown = lockdown(source);
	kernel->has_apparmor = has_apparmor(source);
	kernel->confinement = kernel->has_apparmor == FACT_YES ? confinement(source) : g_strdup("");
	kernel->has_secure_boot = has_secure_boot(source);
	kernel->is_fips =
		source_number(source, "/proc/sys/crypto/fips_enabled") == 1 ? FACT_YES : FACT_NO;
	kernel->has_seccomp = exists(source, "/proc/sys/kernel/seccomp/actions_avail");
}

void kernel_read(const FactsSource *source, const CgroupLimits *groups, const char *release,
                 FactsKernel *kernel)
{
	g_autofree char *modules = module_directory(source, release);

	kernel->cgroup = g_strdup(groups->version);
	kernel->controllers = g_strdup(groups->controllers);
	kernel->has_overlay = has_overlay(source, modules);
	kernel->has_modules = modules != NULL ? FACT_YES : FACT_NO;
	kernel->is_root_shared = is_root_shared(source);
	kernel->needs_reboot = needs_reboot(source);
	kernel->emulators = emulators(source);
	read_security(source, kernel);
}

/* Files that a system writes at its installation and with each update. */
static guint64 newest_file(const FactsSource *source)
{
	static const char *const files[] = { "/etc/os-release",
		                             "/usr/lib/os-release",
		                             "/etc/ld.so.cache",
		                             "/var/lib/dpkg/status",
		                             "/var/lib/systemd/timesync/clock",
		                             "/lib/apk/db/installed" };
	guint64 newest = FACTS_UNKNOWN;

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = source_path(source, files[i]);
		struct stat status;

		if (stat(path, &status) == 0 && status.st_mtime > 0 &&
		    (newest == FACTS_UNKNOWN || (guint64)status.st_mtime > newest))
			newest = (guint64)status.st_mtime;
	}
	return newest;
}

static Fact is_synchronized(void)
{
	struct timex state = { 0 };
	int result = adjtimex(&state);

	if (result < 0)
		return FACT_UNKNOWN;
	return (state.status & STA_UNSYNC) == 0 ? FACT_YES : FACT_NO;
}

static Fact has_random(void)
{
	char byte;

	if (getrandom(&byte, sizeof(byte), GRND_NONBLOCK) == (ssize_t)sizeof(byte))
		return FACT_YES;
	return errno == EAGAIN ? FACT_NO : FACT_UNKNOWN;
}

void clock_read(const FactsSource *source, FactsClock *clock)
{
	gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;

	clock->now_s = now_s >= 0 ? (guint64)now_s : FACTS_UNKNOWN;
	clock->newest_s = newest_file(source);
	clock->is_synchronized = is_synchronized();
	clock->has_random = has_random();
}
