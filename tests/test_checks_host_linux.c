/* tests/test_checks_host_linux.c - memory, processors, limits, kernel, user: read from trees
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/json.h"
#include "checks/facts_directory.h"
#include "checks/facts_fields.h"
#include "checks/facts_linux.h"
#include "checks/facts_os.h"
#include "checks/facts_packages.h"
#include "tests/checks_tree.h"

#define MIB G_GUINT64_CONSTANT(1048576)

/** A tree, and what members of the facts are then: "group.name=value", in the words of JSON. */
typedef struct {
	const char *path;
	const char *want[8];
	const char *variables[4];
	File files[FILES_MAX];
} Case;

#define MEMINFO "/proc/meminfo"
#define CPUS "/sys/devices/system/cpu/"
#define SYS "/proc/sys/"
#define INFO "/proc/self/mountinfo"
#define OWN "/proc/self/cgroup"
#define GROUP                                                                                \
	{ INFO, "25 1 8:1 / / rw shared:1 - ext4 /dev/a rw\n30 24 0:26 / /sys/fs/cgroup rw " \
		"- cgroup2 cgroup2 rw\n" },                                                  \
	{                                                                                    \
		OWN, "0::/a/b\n"                                                             \
	}

/* clang-format off */
static const Case cases[] = {
	{ "memory/plain", { "memory.available_bytes=524288000", "memory.swap_free_bytes=1048576", "memory.huge_bytes=2097152", "memory.overcommit=2",
	  "memory.commit_bytes=3145728", "memory.committed_bytes=4194304", "memory.huge_pages=\"madvise\"", "memory.cache_bytes=0" }, { NULL },
	  { { MEMINFO, "MemTotal: 1024000 kB\nMemAvailable: 512000 kB\nSwapTotal: 2048 kB\nSwapFree: 1024 kB\nHugetlb: 2048 kB\nCommitLimit: 3072 kB\nCommitted_AS: 4096 kB\n" },
	    { SYS "vm/overcommit_memory", "2\n" }, { "/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n" } } },
	{ "memory/old-kernel", { "memory.available_bytes=3072000" }, { NULL },
	  { { MEMINFO, "MemTotal: 1024000 kB\nMemFree: 1000 kB\nBuffers: 500 kB\nCached: 1500 kB\nSReclaimable: 500 kB\nShmem: 500 kB\n" } } },
	{ "memory/more-than-there-is", { "memory.available_bytes=1024000" }, { NULL },
	  { { MEMINFO, "MemTotal: 1000 kB\nMemAvailable: 9999 kB\nMemFree: 1000 kB\nBuffers: 0 kB\nCached: 0 kB\nSReclaimable: 0 kB\nShmem: 0 kB\n" } } },
	{ "memory/nothing-said", { "memory.available_bytes=null", "memory.huge_bytes=null" }, { NULL }, { { MEMINFO, "MemTotal: 1000 kB\nMemFree: 10 kB\n" } } },
	{ "memory/zfs", { "memory.available_bytes=3072000", "memory.cache_bytes=2048000" }, { NULL },
	  { { MEMINFO, "MemTotal: 1024000 kB\nMemAvailable: 1000 kB\n" }, { "/proc/spl/kstat/zfs/arcstats", "9 1\nname type data\nsize    4    3072000\nc_min   4    1024000\n" } } },
	{ "memory/zfs-garbage", { "memory.available_bytes=1024000", "memory.cache_bytes=null" }, { NULL },
	  { { MEMINFO, "MemTotal: 1024000 kB\nMemAvailable: 1000 kB\n" }, { "/proc/spl/kstat/zfs/arcstats", "size\n" } } },
	{ "memory/high", { "memory.total_bytes=1048576", "memory.source=\"/sys/fs/cgroup/a/memory.high\"" }, { NULL },
	  { { MEMINFO, "MemTotal: 1024000 kB\n" }, GROUP, { "/sys/fs/cgroup/a/memory.max", "2097152\n" }, { "/sys/fs/cgroup/a/memory.high", "1048576\n" } } },

	{ "cpu/smt", { "cpu.online=8", "cpu.physical=4", "cpu.governor=\"powersave\"" }, { NULL },
	  { { CPUS "online", "0-7\n" }, { CPUS "cpu0/topology/thread_siblings_list", "0,4\n" }, { CPUS "cpu0/cpufreq/scaling_governor", "powersave\n" } } },
	{ "cpu/two-kinds", { "cpu.online=20", "cpu.physical=14" }, { NULL },
	  { { CPUS "online", "0-19\n" }, { CPUS "cpu0/topology/thread_siblings_list", "0-1\n" },
	    { "/sys/devices/cpu_core/cpus", "0-11\n" }, { "/sys/devices/cpu_atom/cpus", "12-19\n" } } },
	{ "cpu/garbage", { "cpu.online=null", "cpu.physical=null" }, { NULL }, { { CPUS "online", "7-0\n" } } },
	{ "cpu/huge", { "cpu.online=null" }, { NULL }, { { CPUS "online", "0-99999999999\n" } } },
	{ "cpu/battery", { "cpu.is_on_battery=true" }, { NULL }, { { "/sys/class/power_supply/AC/online", "0\n" }, { "/sys/class/power_supply/BAT0/status", "x" } } },
	{ "cpu/plugged", { "cpu.is_on_battery=false" }, { NULL }, { { "/sys/class/power_supply/AC/online", "1\n" }, { "/sys/class/power_supply/USB/online", "0\n" } } },
	{ "cpu/kvm", { "cpu.has_kvm=true", "cpu.can_use_kvm=true" }, { NULL }, { { "/dev/kvm", "" } } },
	{ "cpu/no-kvm", { "cpu.has_kvm=false", "cpu.can_use_kvm=null" }, { NULL }, { { "/etc", NULL } } },

	{ "limits/system", { "limits.pids=4194304", "limits.threads=254000", "limits.inotify_instances=128", "limits.inotify_watches=8192", "limits.map_count=65530",
	  "limits.backlog=4096", "limits.keys=200", "limits.lets_user_namespaces=true" }, { NULL },
	  { { SYS "kernel/pid_max", "4194304\n" }, { SYS "kernel/threads-max", "254000\n" }, { SYS "fs/inotify/max_user_instances", "128\n" },
	    { SYS "fs/inotify/max_user_watches", "8192\n" }, { SYS "vm/max_map_count", "65530\n" }, { SYS "net/core/somaxconn", "4096\n" },
	    { SYS "kernel/keys/maxkeys", "200\n" }, { SYS "user/max_user_namespaces", "127000\n" } } },
	{ "limits/no-proc", { "limits.pids=null", "limits.map_count=null", "limits.lets_user_namespaces=null", "limits.cgroup_pids=null" }, { NULL }, { { "/etc", NULL } } },
	{ "limits/debian", { "limits.lets_user_namespaces=false" }, { NULL }, { { SYS "user/max_user_namespaces", "1\n" }, { SYS "kernel/unprivileged_userns_clone", "0\n" } } },
	{ "limits/ubuntu", { "limits.lets_user_namespaces=false" }, { NULL }, { { SYS "user/max_user_namespaces", "1\n" }, { SYS "kernel/apparmor_restrict_unprivileged_userns", "1\n" } } },
	{ "limits/no-namespaces", { "limits.lets_user_namespaces=false", "limits.user_namespaces=0" }, { NULL }, { { SYS "user/max_user_namespaces", "0\n" } } },
	{ "limits/group", { "limits.cgroup_pids=100" }, { NULL }, { GROUP, { "/sys/fs/cgroup/a/pids.max", "100\n" }, { "/sys/fs/cgroup/a/b/pids.max", "max\n" } } },
	{ "limits/group-without", { "limits.cgroup_pids=9223372036854775807" }, { NULL }, { GROUP } },

	{ "kernel/v2", { "kernel.cgroup=\"2\"", "kernel.controllers=\"cpu memory pids\"", "kernel.is_root_shared=true" }, { NULL }, { GROUP, { "/sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n" } } },
	{ "kernel/v1", { "kernel.cgroup=\"1\"", "kernel.controllers=\"cpu pids\"", "kernel.is_root_shared=false" }, { NULL },
	  { { INFO, "25 1 8:1 / / rw - ext4 /dev/a rw\n31 24 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" }, { OWN, "4:memory:/\n" },
	    { "/proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t1\t1\nmemory\t0\t1\t0\npids\t2\t1\t1\n" } } },
	{ "kernel/overlay", { "kernel.has_overlay=true", "kernel.has_modules=false" }, { NULL }, { { "/proc/filesystems", "nodev\tproc\nnodev\toverlay\n" } } },
	{ "kernel/overlay-unknown", { "kernel.has_overlay=null" }, { NULL }, { { "/proc/filesystems", "nodev\tproc\n" } } },
	{ "kernel/security", { "kernel.selinux=\"enforcing\"", "kernel.lockdown=\"integrity\"", "kernel.security=\"lockdown,selinux\"", "kernel.has_secure_boot=null", "kernel.is_fips=true", "kernel.has_seccomp=true",
	  "kernel.confinement=\"\"" }, { NULL },
	  { { "/sys/fs/selinux/enforce", "1" }, { "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n" }, { "/sys/kernel/security/lsm", "lockdown,selinux" },
	    { "/sys/firmware/efi/efivars", NULL }, { SYS "crypto/fips_enabled", "1\n" }, { SYS "kernel/seccomp/actions_avail", "kill\n" } } },
	{ "kernel/snap", { "kernel.confinement=\"snap.code.code\"", "kernel.has_apparmor=true", "kernel.selinux=\"off\"", "kernel.has_secure_boot=false" }, { NULL },
	  { { "/sys/module/apparmor/parameters/enabled", "Y\n" }, { "/proc/self/attr/apparmor/current", "snap.code.code (complain)\n" } } },
	{ "kernel/reboot", { "kernel.needs_reboot=true" }, { NULL }, { { "/run/reboot-required", "" } } },
	{ "kernel/emulators", { "kernel.emulators=\"qemu-aarch64 qemu-arm\"" }, { NULL }, { { SYS "fs/binfmt_misc/qemu-arm", "" }, { SYS "fs/binfmt_misc/qemu-aarch64", "" }, { SYS "fs/binfmt_misc/status", "" } } },

	{ "user/plain", { "system.home=\"/home/ana\"", "system.tmp=\"/tmp\"", "system.locale=\"C.UTF-8\"", "system.disturbing=\"\"", "system.has_user_systemd=false", "system.has_linger=null", "system.home_uid=null", "system.groups=null" },
	  { "HOME=/home/ana", "LANG=C.UTF-8", "TMPDIR=relative" }, { { "/etc", NULL } } },
	{ "user/session", { "system.has_user_systemd=true", "system.has_linger=true", "system.tmp=\"/scratch\"" }, { "XDG_RUNTIME_DIR=/run/user/1000", "USER=ana", "TMPDIR=/scratch" },
	  { { "/run/systemd/system", NULL }, { "/run/user/1000/systemd/private", "" }, { "/var/lib/systemd/linger/ana", "" } } },
	{ "user/hostile-name", { "system.has_linger=null" }, { "USER=../../../etc" }, { { "/run/systemd/system", NULL }, { "/etc", NULL } } },
	{ "user/disturbing", { "system.disturbing=\"LD_PRELOAD CUDA_VISIBLE_DEVICES\"", "system.locale=\"de_DE\"" }, { "LD_PRELOAD=/x.so", "CUDA_VISIBLE_DEVICES=-1", "LC_ALL=de_DE" }, { { "/etc", NULL } } },
	{ "user/hidden-card", { "system.disturbing=\"CUDA_VISIBLE_DEVICES\"" }, { "CUDA_VISIBLE_DEVICES=", "PYTHONPATH=" }, { { "/etc", NULL } } },
	{ "user/one-card", { "system.disturbing=\"\"" }, { "CUDA_VISIBLE_DEVICES=1" }, { { "/etc", NULL } } },
	{ "system/fedora", { "system.variant=\"silverblue\"", "system.support_end=\"2026-05-13\"", "system.library=\"glibc\"", "system.umask=63" }, { NULL },
	  { { "/etc/os-release", "ID=fedora\nVARIANT_ID=silverblue\nSUPPORT_END=2026-05-13\n" }, { "/lib64/ld-linux-x86-64.so.2", "" }, { "/lib/ld-musl-x86_64.so.1", "" }, { "/proc/self/status", "Name:\tx\nUmask:\t0077\n" } } },
	{ "system/alpine", { "system.library=\"musl\"", "system.umask=null" }, { NULL }, { { "/lib/ld-musl-x86_64.so.1", "" } } },

	{ "installed/none", { "installed.ollama=null", "installed.ollama_count=0", "installed.has_ollama_service=false", "installed.ollama_models=\"/h/.ollama/models\"" }, { "HOME=/h" }, { { "/etc", NULL } } },
	{ "installed/two", { "installed.ollama=\"/usr/local/bin/ollama /h/.local/bin/ollama\"", "installed.ollama_count=2", "installed.has_ollama_service=true", "installed.ollama_models=\"/usr/share/ollama/.ollama/models\"" },
	  { "HOME=/h" }, { { "/usr/local/bin/ollama", "" }, { "/h/.local/bin/ollama", "" }, { "/etc/systemd/system/ollama.service", "" }, { "/usr/share/ollama", NULL } } },
	{ "installed/app", { "installed.ollama_count=1", "installed.ollama_models=\"/m\"" }, { "OLLAMA_MODELS=/m" }, { { "/usr/local/bin/ollama", "" }, { "/Applications/Ollama.app", NULL } } },
};
/* clang-format on */

static char *member_text(const json_t *object, const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, ".", 2);
	const json_t *value = json_object_get(json_object_get(object, parts[0]), parts[1]);
	char *text = value != NULL ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
	char *copy = g_strdup(text);

	free(text);
	return copy;
}

static void test_case(gconstpointer data)
{
	const Case *c = data;
	g_auto(Tree) tree = { NULL };
	g_autoptr(Facts) facts = facts_new();
	g_autoptr(json_t) object = NULL;

	tree_lay(&tree, c->files, c->variables);
	facts_read_machine(&tree.source, facts);
	facts_read_surroundings(&tree.source, &facts->system);
	facts_read_user(&tree.source, &facts->system);
	facts_read_installed(&tree.source, &facts->installed);
	object = facts_to_json(facts);
	for (gsize i = 0; i < G_N_ELEMENTS(c->want) && c->want[i] != NULL; i++) {
		g_auto(GStrv) pair = g_strsplit(c->want[i], "=", 2);
		g_autofree char *value = member_text(object, pair[0]);

		if (g_strcmp0(value, pair[1]) != 0)
			g_error("%s is %s, not %s", pair[0], value, pair[1]);
	}
}

/* The variable has four bytes of attributes, most of them 0, before its value. */
static void test_secure_boot(void)
{
	static const char on[] = { 6, 0, 0, 0, 1 };
	static const File files[FILES_MAX] = { { "/sys/firmware/efi/efivars", NULL } };
	g_auto(Tree) tree = { NULL };
	g_auto(CgroupLimits) groups = { 0 };
	g_autoptr(Facts) facts = facts_new();
	g_autofree char *path = NULL;

	tree_lay(&tree, files, NULL);
	path = g_strconcat(tree.root, files[0].path,
	                   "/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", NULL);
	g_assert_true(g_file_set_contents(path, on, sizeof(on), NULL));
	kernel_read(&tree.source, &groups, "6.1", &facts->kernel);
	g_assert_cmpint(facts->kernel.has_secure_boot, ==, FACT_YES);
}

/* A module that is packed is there all the same; beside other kernels' only, the running one's are gone. */
static void test_modules(void)
{
	static const File files[FILES_MAX] = {
		{ "/lib/modules/6.1/kernel/fs/overlayfs/overlay.ko.xz", "" },
		{ "/usr/lib/modules/6.2/modules.dep", "" },
	};
	static const struct {
		const char *release;
		Fact has_modules, has_overlay;
	} rows[] = { { "6.1", FACT_YES, FACT_YES },
		     { "6.2", FACT_YES, FACT_NO },
		     { "6.3", FACT_NO, FACT_UNKNOWN },
		     { NULL, FACT_NO, FACT_UNKNOWN } };
	g_auto(Tree) tree = { NULL };

	tree_lay(&tree, files, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(CgroupLimits) groups = { 0 };
		g_autoptr(Facts) facts = facts_new();

		kernel_read(&tree.source, &groups, rows[i].release, &facts->kernel);
		g_assert_cmpint(facts->kernel.has_modules, ==, rows[i].has_modules);
		g_assert_cmpint(facts->kernel.has_overlay, ==, rows[i].has_overlay);
	}
}

typedef struct {
	const char *path;
	const char *want;
	File files[4];
} Sources;

#define LIST "/etc/apt/sources.list"
#define D "/etc/apt/sources.list.d/"
#define DEB822(url, suite, key) \
	"Types: deb\nURIs: " url "\nSuites: " suite "\nComponents: stable\nSigned-By: " key "\n"

/* clang-format off */
static const Sources sources[] = {
	{ "none", "", { { "/etc/apt", NULL } } },
	{ "plain", "", { { LIST, "deb http://a/debian stable main\ndeb-src http://a/debian stable main\n# deb [signed-by=/k] http://a/debian stable main\n" } } },
	{ "same-key", "", { { D "a.list", "deb [arch=amd64 signed-by=/k] http://b/x stable y\n" }, { D "b.list", "deb [signed-by=/k arch=arm64] http://b/x/ stable z\n" } } },
	{ "two-keys", "http://b/x stable", { { D "a.list", "deb [signed-by=/k1] http://b/x stable y\n" }, { D "b.list", "deb [signed-by=/k2] http://b/x/ stable y\n" } } },
	{ "with-and-without", "http://b/x stable", { { LIST, "deb http://b/x stable y\n" }, { D "b.list", "deb [signed-by=/k2] http://b/x stable y\n" } } },
	{ "both-forms", "http://b/x stable", { { D "a.list", "deb [signed-by=/k1] http://b/x stable y\n" }, { D "b.sources", DEB822("http://b/x", "stable", "/k2") } } },
	{ "both-forms-same", "", { { D "a.list", "deb [signed-by=/k] http://b/x stable y\n" }, { D "b.sources", DEB822("http://b/x", "stable", "/k") } } },
	{ "second-stanza", "http://b/x testing", { { D "a.list", "deb [signed-by=/k1] http://b/x testing y\n" }, { D "b.sources", DEB822("http://c", "stable", "/k") "\n" DEB822("http://a http://b/x", "stable testing", "/k2") } } },
	{ "switched-off", "", { { D "a.list", "deb [signed-by=/k1] http://b/x stable y\n" }, { D "b.sources", "Enabled: no\n" DEB822("http://b/x", "stable", "/k2") } } },
	{ "other-suite", "", { { D "a.list", "deb [signed-by=/k1] http://b/x stable y\n" }, { D "b.list", "deb [signed-by=/k2] http://b/x testing y\n" } } },
	{ "other-suffix", "", { { D "a.list", "deb [signed-by=/k1] http://b/x stable y\n" }, { D "b.list.save", "deb [signed-by=/k2] http://b/x stable y\n" } } },
	{ "garbage", "", { { D "a.list", "deb\ndeb [\ndeb [x\ndeb  \n" }, { D "b.sources", ":\n:::\nURIs\n\n\nSuites:\n" } } },
};
/* clang-format on */

static void test_sources(gconstpointer data)
{
	const Sources *c = data;
	g_auto(Tree) tree = { NULL };
	g_autofree char *conflict = NULL;

	tree_lay(&tree, c->files, NULL);
	conflict = apt_sources_conflict(&tree.source);
	g_assert_cmpstr(conflict, ==, c->want);
}

/* No file is opened twice: what is read stays what it was. */
static void test_cache(void)
{
	static const File files[FILES_MAX] = { { "/a", "first" } };
	g_autoptr(SourceCache) cache = source_cache_new();
	g_auto(Tree) tree = { NULL };
	g_autofree char *path = NULL;

	tree_lay(&tree, files, NULL);
	path = g_strconcat(tree.root, "/a", NULL);
	tree.source.cache = cache;
	for (int i = 0; i < 2; i++) {
		g_autofree char *text = source_read(&tree.source, "/a");
		g_autofree char *absent = source_read(&tree.source, "/b");

		g_assert_cmpstr(text, ==, "first");
		g_assert_null(absent);
		g_assert_true(g_file_set_contents(path, "second", -1, NULL));
	}
}

/* Files below /proc/sys give one byte and then nothing to who asks for one byte. */
static void test_this_kernel(void)
{
	const FactsSource source = { "", NULL, G_MAXINT64, NULL };
	g_auto(CgroupLimits) groups = { 0 };
	g_autoptr(Facts) facts = facts_new();

	limits_read(&source, &groups, &facts->limits);
	g_assert_cmpuint(facts->limits.pids, >=, 300);
	g_assert_cmpuint(facts->limits.threads, >=, 20);
	g_assert_cmpuint(facts->limits.open_files, >=, 20);
	g_assert_cmpuint(facts->limits.open_files, <=, facts->limits.open_files_hard);
}

static void test_this_directory(void)
{
	g_autofree char *path = g_dir_make_tmp("facts-XXXXXX", NULL);
	g_autofree char *below = g_build_filename(path, "a", "b", NULL);
	FactsDirectory *directory = facts_read_directory(below, NULL);

	g_assert_cmpstr(directory->existing, ==, path);
	g_assert_nonnull(directory->file_system);
	g_assert_cmpint(directory->keeps_modes, !=, FACT_UNKNOWN);
	g_assert_cmpint(directory->is_noexec, !=, FACT_UNKNOWN);
	g_assert_cmpuint(directory->total_bytes, >=, directory->free_bytes);
	fields_clear(directory, &directory_fields);
	g_free(directory);
	g_assert_cmpint(g_rmdir(path), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/host/", cases[i].path, NULL);

		g_test_add_data_func(path, &cases[i], test_case);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(sources); i++) {
		g_autofree char *path = g_strconcat("/apt-sources/", sources[i].path, NULL);

		g_test_add_data_func(path, &sources[i], test_sources);
	}
	g_test_add_func("/host/kernel/secure-boot", test_secure_boot);
	g_test_add_func("/host/kernel/modules", test_modules);
	g_test_add_func("/host/cache", test_cache);
	g_test_add_func("/host/this-kernel", test_this_kernel);
	g_test_add_func("/host/this-directory", test_this_directory);
	return g_test_run();
}
