/* tests/test_checks_readers.c - the readers, on trees that stand for machines
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checks/facts_cgroup.h"
#include "checks/facts_os.h"
#include "checks/facts_tools.h"
#include "tests/checks_tree.h"

#define MIB G_GUINT64_CONSTANT(1048576)
#define NONE FACTS_UNKNOWN

#define V2 "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1                                                                  \
	"31 24 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" \
	"32 24 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
#define ROOT "25 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
#define INFO "/proc/self/mountinfo"
#define OWN "/proc/self/cgroup"
#define CG "/sys/fs/cgroup"

typedef struct {
	const char *path;
	guint64 memory, available, swap, cpu_milli;
	const char *memory_file; /* that sets the limit */
	File files[FILES_MAX];
} Group;

/* clang-format off */
static const Group groups[] = {
	{ "none", NONE, NONE, NONE, NONE, NULL, { { INFO, ROOT }, { OWN, "" } } },
	{ "no-proc", NONE, NONE, NONE, NONE, NULL, { { "/etc", NULL } } },
	{ "v2/no-limit", NONE, NONE, NONE, NONE, NULL,
	  { { INFO, ROOT V2 }, { OWN, "0::/a/b\n" }, { CG "/a/b/memory.max", "max\n" }, { CG "/a/b/cpu.max", "max 100000\n" } } },
	{ "v2/own", 512 * MIB, 412 * MIB, 0, 1500, CG "/a/memory.max",
	  { { INFO, ROOT V2 }, { OWN, "0::/a\n" }, { CG "/a/memory.max", "536870912\n" },
	    { CG "/a/memory.current", "157286400\n" }, { CG "/a/memory.stat", "anon 1\ninactive_file 52428800\nactive_file 3\n" },
	    { CG "/a/memory.swap.max", "0\n" }, { CG "/a/cpu.max", "150000 100000\n" } } },
	{ "v2/ancestor", 256 * MIB, NONE, NONE, 500, CG "/a/memory.max",
	  { { INFO, ROOT V2 }, { OWN, "0::/a/b/c\n" }, { CG "/a/b/c/memory.max", "536870912\n" }, { CG "/a/memory.max", "268435456\n" },
	    { CG "/a/b/memory.max", "max\n" }, { CG "/a/b/cpu.max", "50000 100000\n" }, { CG "/a/cpu.max", "400000 100000\n" } } },
	{ "v2/private-namespace", 64 * MIB, NONE, NONE, NONE, CG "/memory.max",
	  { { INFO, ROOT V2 }, { OWN, "0::/\n" }, { CG "/memory.max", "67108864\n" } } },
	{ "v2/host-namespace", 64 * MIB, NONE, NONE, NONE, CG "/memory.max",
	  { { INFO, "30 24 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n" }, { OWN, "0::/docker/abc\n" }, { CG "/memory.max", "67108864\n" } } },
	{ "v2/host-namespace-below", 32 * MIB, NONE, NONE, NONE, CG "/init/memory.max",
	  { { INFO, "30 24 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n" }, { OWN, "0::/docker/abc/init\n" },
	    { CG "/memory.max", "67108864\n" }, { CG "/init/memory.max", "33554432\n" } } },
	{ "v2/outside-of-mount", 64 * MIB, NONE, NONE, NONE, CG "/memory.max",
	  { { INFO, ROOT V2 }, { OWN, "0::/../../x\n" }, { CG "/memory.max", "67108864\n" } } },
	{ "v2/like-named", 64 * MIB, NONE, NONE, NONE, CG "/memory.max",
	  { { INFO, "30 24 0:26 /a /sys/fs/cgroup rw - cgroup2 cgroup rw\n" }, { OWN, "0::/ab\n" }, { CG "/memory.max", "67108864\n" }, { CG "/b/memory.max", "1\n" } } },
	{ "v2/elsewhere", 64 * MIB, NONE, NONE, NONE, "/mnt/my groups/memory.max",
	  { { INFO, "30 24 0:26 / /mnt/my\\040groups rw - cgroup2 x rw\n" }, { OWN, "0::/\n" }, { "/mnt/my groups/memory.max", "67108864\n" } } },
	{ "v2/garbage", NONE, NONE, NONE, NONE, NULL,
	  { { INFO, ROOT V2 "x\n- - -\n" }, { OWN, "0::/a\n" }, { CG "/a/memory.max", "lots\n" }, { CG "/a/cpu.max", "1" }, { CG "/cpu.max", "5 0\n" } } },
	{ "v2/used-up", 64 * MIB, 0, NONE, NONE, CG "/memory.max",
	  { { INFO, ROOT V2 }, { OWN, "0::/\n" }, { CG "/memory.max", "67108864\n" }, { CG "/memory.current", "67112960\n" } } },
	{ "v1/limit", 1024 * MIB, 924 * MIB, 512 * MIB, 2000, CG "/memory/d/memory.limit_in_bytes",
	  { { INFO, ROOT V1 }, { OWN, "5:cpu,cpuacct:/d\n4:memory:/d\n0::/d\n" }, { CG "/memory/d/memory.limit_in_bytes", "1073741824\n" },
	    { CG "/memory/d/memory.memsw.limit_in_bytes", "1610612736\n" }, { CG "/memory/d/memory.usage_in_bytes", "157286400\n" },
	    { CG "/memory/d/memory.stat", "inactive_file 1\ntotal_inactive_file 52428800\n" },
	    { CG "/memory/memory.limit_in_bytes", "9223372036854771712\n" },
	    { CG "/cpu,cpuacct/d/cpu.cfs_quota_us", "200000\n" }, { CG "/cpu,cpuacct/d/cpu.cfs_period_us", "100000\n" } } },
	{ "v1/no-limit", NONE, NONE, NONE, NONE, NULL,
	  { { INFO, ROOT V1 }, { OWN, "5:cpu,cpuacct:/\n4:memory:/\n" }, { CG "/memory/memory.limit_in_bytes", "9223372036854771712\n" },
	    { CG "/cpu,cpuacct/cpu.cfs_quota_us", "-1\n" }, { CG "/cpu,cpuacct/cpu.cfs_period_us", "100000\n" } } },
	{ "hybrid", 1024 * MIB, NONE, NONE, NONE, CG "/memory/memory.limit_in_bytes",
	  { { INFO, ROOT V1 "40 24 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n" }, { OWN, "4:memory:/u\n0::/u\n" },
	    { CG "/memory/memory.limit_in_bytes", "1073741824\n" }, { CG "/unified/u/memory.max", "1\n" } } },
};
/* clang-format on */

static void test_group(gconstpointer data)
{
	const Group *c = data;
	g_auto(Tree) tree = { NULL };
	g_auto(CgroupLimits) limits = { 0 };

	tree_lay(&tree, c->files, NULL);
	cgroup_read(&tree.source, &limits);
	g_assert_cmpuint(limits.memory_bytes, ==, c->memory);
	g_assert_cmpuint(limits.memory_available_bytes, ==, c->available);
	g_assert_cmpuint(limits.swap_bytes, ==, c->swap);
	g_assert_cmpuint(limits.cpu_milli, ==, c->cpu_milli);
	g_assert_cmpstr(limits.memory_file, ==, c->memory_file);
}

typedef struct {
	const char *path, *text;
	const char *id, *id_like, *version, *pretty;
} Release;

/* clang-format off */
static const Release releases[] = {
	{ "debian", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n", "debian", NULL, "12", "Debian GNU/Linux 12 (bookworm)" },
	{ "rocky", "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID='9.4'\n", "rocky", "rhel centos fedora", "9.4", NULL },
	{ "escapes", "PRETTY_NAME=\"A \\\"B\\\" \\$C\"\n", NULL, NULL, NULL, "A \"B\" $C" },
	{ "single-quotes", "PRETTY_NAME='a\\b'\n", NULL, NULL, NULL, "a\\b" },
	{ "mixed-quotes", "ID=de'bi'\"an\"\n", "debian", NULL, NULL, NULL },
	{ "comment-behind", "ID=arch # rolling\n", "arch", NULL, NULL, NULL },
	{ "comment-line", "# ID=x\n\n  ID=arch\n", "arch", NULL, NULL, NULL },
	{ "last-wins", "ID=a\nID=b\n", "b", NULL, NULL, NULL },
	{ "no-newline", "ID=alpine", "alpine", NULL, NULL, NULL },
	{ "crlf", "ID=ubuntu\r\nVERSION_ID=\"24.04\"\r\n", "ubuntu", NULL, "24.04", NULL },
	{ "empty-value", "ID=\nVERSION_ID=\"\"\n", NULL, NULL, NULL, NULL },
	{ "quote-not-closed", "ID=\"debian\n", "debian", NULL, NULL, NULL },
	{ "not-utf-8", "ID=\xff\xfe\n", NULL, NULL, NULL, NULL },
	{ "like-named", "MY_ID=x\nIDX=y\nVARIANT_ID=z\n", NULL, NULL, NULL, NULL },
	{ "empty", "", NULL, NULL, NULL, NULL },
};
/* clang-format on */

static void test_release(gconstpointer data)
{
	const Release *c = data;
	g_autoptr(Facts) facts = facts_new();

	os_release_parse(c->text, &facts->system);
	g_assert_cmpstr(facts->system.id, ==, c->id);
	g_assert_cmpstr(facts->system.id_like, ==, c->id_like);
	g_assert_cmpstr(facts->system.version, ==, c->version);
	g_assert_cmpstr(facts->system.pretty, ==, c->pretty);
}

typedef struct {
	const char *path;
	const char *container, *ci, *immutable;
	guint64 wsl;
	Fact has_systemd;
	const char *variables[3];
	File files[3];
} Place;

#define RELEASE "/proc/sys/kernel/osrelease"

#define MOUNTS "/proc/self/mounts"

/* clang-format off */
static const Place places[] = {
	{ "plain", NULL, NULL, NULL, 0, FACT_NO, { NULL }, { { RELEASE, "6.1.0-18-amd64\n" } } },
	{ "docker", "docker", NULL, NULL, 0, FACT_NO, { NULL }, { { "/.dockerenv", "" } } },
	{ "podman", "podman", NULL, NULL, 0, FACT_NO, { "container=oci" }, { { "/run/.containerenv", "" } } },
	{ "kubernetes", "kubernetes", NULL, NULL, 0, FACT_NO, { "KUBERNETES_SERVICE_HOST=10.0.0.1" }, { { "/.dockerenv", "" } } },
	{ "lxc", "lxc", NULL, NULL, 0, FACT_YES, { NULL }, { { "/run/systemd/container", "lxc\n" }, { "/run/systemd/system", NULL } } },
	{ "lxc-libvirt", "lxc", NULL, NULL, 0, FACT_NO, { "container=lxc-libvirt" }, { { NULL } } },
	{ "nspawn", "systemd-nspawn", NULL, NULL, 0, FACT_NO, { "container=systemd-nspawn" }, { { NULL } } },
	{ "groups", "docker", NULL, NULL, 0, FACT_NO, { NULL }, { { "/proc/1/cgroup", "4:memory:/docker/0123\n" } } },
	{ "chroot", "chroot", NULL, NULL, 0, FACT_NO, { NULL }, { { "/proc/1/root/etc", NULL } } },
	{ "ci/github", NULL, "GitHub Actions", NULL, 0, FACT_NO, { "CI=true", "GITHUB_ACTIONS=true" }, { { NULL } } },
	{ "ci/unknown", NULL, "unknown", NULL, 0, FACT_NO, { "CI=1" }, { { NULL } } },
	{ "ci/false", NULL, NULL, NULL, 0, FACT_NO, { "CI=false" }, { { NULL } } },
	{ "ci/empty", NULL, NULL, NULL, 0, FACT_NO, { "CI=" }, { { NULL } } },
	{ "wsl1", NULL, NULL, NULL, 1, FACT_NO, { NULL }, { { RELEASE, "4.4.0-19041-Microsoft\n" } } },
	{ "wsl2", NULL, NULL, NULL, 2, FACT_NO, { NULL }, { { RELEASE, "5.15.153.1-microsoft-standard-WSL2\n" } } },
	{ "wsl2-own-kernel", NULL, NULL, NULL, 2, FACT_NO, { NULL }, { { RELEASE, "6.6.1-mine-WSL2\n" } } },
	{ "ostree", NULL, NULL, "ostree", 0, FACT_NO, { NULL }, { { "/run/ostree-booted", "" } } },
	{ "nixos", NULL, NULL, "nixos", 0, FACT_NO, { NULL }, { { "/etc/NIXOS", "" } } },
	{ "microos", NULL, NULL, "transactional-update", 0, FACT_NO, { NULL }, { { "/usr/sbin/transactional-update", "" }, { MOUNTS, "/dev/a / btrfs ro,relatime 0 0\n" } } },
	{ "tumbleweed", NULL, NULL, NULL, 0, FACT_NO, { NULL }, { { "/usr/sbin/transactional-update", "" }, { MOUNTS, "/dev/a / btrfs ro 0 0\n/dev/a / btrfs rw,rosy 0 0\n" } } },
};
/* clang-format on */

static void test_place(gconstpointer data)
{
	const Place *c = data;
	g_auto(Tree) tree = { NULL };
	g_autoptr(Facts) facts = facts_new();

	tree_lay(&tree, c->files, c->variables);
	facts_read_surroundings(&tree.source, &facts->system);
	g_assert_cmpstr(facts->system.container, ==, c->container);
	g_assert_cmpstr(facts->system.ci, ==, c->ci);
	g_assert_cmpstr(facts->system.immutable, ==, c->immutable);
	g_assert_cmpuint(facts->system.wsl, ==, c->wsl);
	g_assert_cmpint(facts->system.has_systemd, ==, c->has_systemd);
}

typedef struct {
	const char *path;
	const char *id, *id_like;
	const char *manager, *broken;
	guint64 broken_count;
	Fact is_interrupted, is_locked;
	File files[5];
} Packages;

#define APT                            \
	{                              \
		"/usr/bin/apt-get", "" \
	}
#define STATUS "/var/lib/dpkg/status"
#define UPDATES                               \
	{                                     \
		"/var/lib/dpkg/updates", NULL \
	}
#define STANZA(name, status) "Package: " name "\nStatus: " status "\nVersion: 1:2.26.1-4\n\n"
#define GOOD "install ok installed"

/* clang-format off */
static const Packages packages[] = {
	{ "none", "debian", NULL, NULL, NULL, NONE, FACT_UNKNOWN, FACT_UNKNOWN, { { NULL } } },
	{ "apt", "debian", NULL, "apt", NULL, 0, FACT_NO, FACT_NO, { APT, { STATUS, STANZA("a", GOOD) STANZA("b", "deinstall ok config-files") }, UPDATES } },
	{ "apt-with-dnf", "linuxmint", "ubuntu debian", "apt", NULL, NONE, FACT_UNKNOWN, FACT_NO, { APT, { "/usr/bin/dnf5", "" } } },
	{ "dnf-with-apt", "fedora", NULL, "dnf5", NULL, NONE, FACT_UNKNOWN, FACT_NO, { APT, { "/usr/bin/dnf5", "" }, { "/usr/bin/dnf", "" } } },
	{ "dnf4", "rocky", "rhel centos fedora", "dnf4", NULL, NONE, FACT_UNKNOWN, FACT_NO, { { "/usr/bin/dnf-3", "" }, { "/usr/bin/yum", "" } } },
	{ "microdnf", "rhel", "fedora", "microdnf", NULL, NONE, FACT_UNKNOWN, FACT_NO, { { "/usr/bin/microdnf", "" } } },
	{ "yum", "centos", "rhel fedora", "yum", NULL, NONE, FACT_UNKNOWN, FACT_NO, { { "/usr/bin/yum", "" } } },
	{ "zypper", "opensuse-leap", "suse opensuse", "zypper", NULL, NONE, FACT_UNKNOWN, FACT_NO, { { "/usr/bin/zypper", "" } } },
	{ "pacman", "arch", NULL, "pacman", NULL, NONE, FACT_UNKNOWN, FACT_NO, { { "/usr/bin/pacman", "" } } },
	{ "pacman-locked", "manjaro", "arch", "pacman", NULL, NONE, FACT_UNKNOWN, FACT_YES, { { "/usr/bin/pacman", "" }, { "/var/lib/pacman/db.lck", "" } } },
	{ "zypper-locked", "opensuse-leap", "suse", "zypper", NULL, NONE, FACT_UNKNOWN, FACT_YES, { { "/usr/bin/zypper", "" }, { "/run/zypp.pid", "77\n" }, { "/proc/77/comm", "zypper\n" } } },
	{ "zypper-left-behind", "opensuse-leap", "suse", "zypper", NULL, NONE, FACT_UNKNOWN, FACT_NO, { { "/usr/bin/zypper", "" }, { "/run/zypp.pid", "77\n" } } },
	{ "dnf4-locked", "rocky", "rhel", "dnf4", NULL, NONE, FACT_NO, FACT_YES, { { "/usr/bin/dnf-3", "" }, { "/var/lib/dnf/rpmdb_lock.pid", "1" }, { "/proc/1/comm", "dnf\n" } } },
	{ "dnf-cut-off", "fedora", NULL, "dnf5", NULL, NONE, FACT_YES, FACT_NO, { { "/usr/bin/dnf5", "" }, { "/var/lib/rpmrebuilddb.123/x", "" } } },
	{ "yum-cut-off", "centos", "rhel fedora", "yum", NULL, NONE, FACT_YES, FACT_NO, { { "/usr/bin/yum", "" }, { "/var/lib/yum/transaction-all.2026-01-01", "" } } },
	{ "apk-cut-off", "alpine", NULL, "apk", NULL, NONE, FACT_YES, FACT_NO, { { "/sbin/apk", "" }, { "/lib/apk/db/installed.new", "" } } },
	{ "apk", "alpine", NULL, "apk", NULL, NONE, FACT_UNKNOWN, FACT_NO, { { "/sbin/apk", "" } } },
	{ "brew", "macos", NULL, "brew", NULL, NONE, FACT_UNKNOWN, FACT_NO, { { "/opt/homebrew/bin/brew", "" } } },
	{ "unknown-system", "plan9", NULL, "apk", NULL, NONE, FACT_UNKNOWN, FACT_NO, { { "/sbin/apk", "" } } },
	{ "interrupted", "debian", NULL, "apt", NULL, NONE, FACT_YES, FACT_NO, { APT, { "/var/lib/dpkg/updates/0001", "" } } },
	{ "half-configured", "debian", NULL, "apt", "b d", 2, FACT_NO, FACT_NO,
	  { APT, UPDATES, { STATUS, STANZA("a", GOOD) STANZA("b", "install ok half-configured") STANZA("c", "hold ok installed") STANZA("d", "install reinstreq installed") } } },
	{ "many-broken", "debian", NULL, "apt", "a b c d e", 6, FACT_NO, FACT_NO,
	  { APT, UPDATES, { STATUS, STANZA("a", "install ok unpacked") STANZA("b", "install ok unpacked") STANZA("c", "install ok unpacked")
	    STANZA("d", "install ok unpacked") STANZA("e", "install ok triggers-pending") STANZA("f", "install ok half-installed") } } },
	{ "essential", "debian", NULL, "apt", "a c", 2, FACT_NO, FACT_NO,
	  { APT, UPDATES, { STATUS, "Package: a\nEssential: yes\nStatus: install ok unpacked\nDescription: x\n .\n Package: b\n\n"
	    STANZA("b", GOOD) "Package: c\nEssential: yes\nProtected: yes\nStatus: install ok unpacked" } } },
	{ "strange-status", "debian", NULL, "apt", NULL, 1, FACT_NO, FACT_NO, { APT, UPDATES, { STATUS, "\nStatus: \nStatus" } } },
};
/* clang-format on */

static void test_packages(gconstpointer data)
{
	const Packages *c = data;
	g_auto(Tree) tree = { NULL };
	g_autoptr(Facts) facts = facts_new();

	tree_lay(&tree, c->files, NULL);
	facts->system.id = g_strdup(c->id);
	facts->system.id_like = g_strdup(c->id_like);
	facts_read_packages(&tree.source, &facts->system, true, &facts->packages);
	g_assert_cmpstr(facts->packages.manager, ==, c->manager);
	g_assert_cmpuint(facts->packages.broken_count, ==, c->broken_count);
	g_assert_cmpstr(facts->packages.broken, ==, c->broken);
	g_assert_cmpint(facts->packages.is_interrupted, ==, c->is_interrupted);
	g_assert_cmpint(facts->packages.is_locked, ==, c->is_locked);
}

/* Another process holds the lock: a record lock is never in the way of its own holder. */
static void test_lock_holder(void)
{
	static const File files[FILES_MAX] = { APT, { "/var/lib/dpkg/lock-frontend", "" } };
	g_auto(Tree) tree = { NULL };
	g_autoptr(Facts) facts = facts_new();
	g_autofree char *path = NULL;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int ready[2];
	char byte;
	pid_t child;

	tree_lay(&tree, files, NULL);
	path = g_strconcat(tree.root, files[1].path, NULL);
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, ready), ==, 0);
	child = fork();
	if (child == 0) {
		int fd = open(path, O_RDWR | O_CLOEXEC);

		if (fcntl(fd, F_SETLK, &lock) != 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		(void)close(ready[0]);
		_exit(read(ready[1], &byte, 1) == 1 ? 0 : 1);
	}
	g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);

	facts->system.id = g_strdup("debian");
	facts_read_packages(&tree.source, &facts->system, true, &facts->packages);
	g_assert_cmpint(write(ready[0], "x", 1), ==, 1);
	(void)waitpid(child, NULL, 0);
	(void)close(ready[0]);
	(void)close(ready[1]);

	g_assert_cmpint(facts->packages.is_locked, ==, FACT_YES);
	g_assert_cmpuint(facts->packages.lock_pid, ==, (guint64)child);
	g_assert_cmpstr(facts->packages.lock_file, ==, files[1].path);
}

/* A lock of flock() is not asked for, as fcntl()'s is where the file can be opened: /proc/locks has both. */
static void test_lock_in_proc(void)
{
	static const File files[FILES_MAX] = { { "/sbin/apk", "" },
		                               { "/lib/apk/db/lock", "" },
		                               { "/proc/77/comm", "apk\n" } };
	g_auto(Tree) tree = { NULL };
	g_autoptr(Facts) facts = facts_new();
	g_autofree char *file = NULL;
	g_autofree char *locks = NULL;
	g_autofree char *text = NULL;
	GStatBuf status;

	tree_lay(&tree, files, NULL);
	file = g_strconcat(tree.root, files[1].path, NULL);
	locks = g_strconcat(tree.root, "/proc/locks", NULL);
	g_assert_cmpint(g_stat(file, &status), ==, 0);
	text = g_strdup_printf("1: FLOCK  ADVISORY  WRITE 5 00:01:2 0 EOF\n"
	                       "2: FLOCK  ADVISORY  WRITE 77 %02x:%02x:%lu 0 EOF\n",
	                       (guint)(status.st_dev >> 8) & 0xfff, (guint)status.st_dev & 0xff,
	                       (gulong)status.st_ino);
	g_assert_true(g_file_set_contents(locks, text, -1, NULL));

	facts->system.id = g_strdup("alpine");
	facts_read_packages(&tree.source, &facts->system, true, &facts->packages);
	g_assert_cmpuint(facts->packages.lock_pid, ==, 77);
	g_assert_cmpstr(facts->packages.lock_holder, ==, "apk");
}

/* pacman's lock has no process in it: whether its maker lives, the list of processes says. */
static void test_lock_left_behind(void)
{
	static const File files[FILES_MAX] = { { "/usr/bin/pacman", "" },
		                               { "/var/lib/pacman/db.lck", "" },
		                               { "/proc/1/comm", "systemd\n" },
		                               { "/proc/77/comm", "yay\n" } };
	g_auto(Tree) tree = { NULL };
	g_autofree char *comm = NULL;

	tree_lay(&tree, files, NULL);
	comm = g_strconcat(tree.root, files[3].path, NULL);
	for (int i = 0; i < 2; i++) {
		g_autoptr(Facts) facts = facts_new();

		facts->system.id = g_strdup("arch");
		facts_read_packages(&tree.source, &facts->system, true, &facts->packages);
		g_assert_cmpint(facts->packages.is_locked, ==, FACT_YES);
		g_assert_cmpint(facts->packages.is_lock_stale, ==, i == 0 ? FACT_NO : FACT_YES);
		(void)g_unlink(comm);
	}
}

static void test_dpkg_version(void)
{
	static const char *const wanted[] = { "zero", "plugin", NULL };
	static const File files[FILES_MAX] = {
		{ STATUS, STANZA("first", GOOD) STANZA("zero", "deinstall ok config-files")
		                  STANZA("plugin", GOOD) },
	};
	g_auto(Tree) tree = { NULL };
	g_autofree char *version = NULL;

	tree_lay(&tree, files, NULL);
	version = dpkg_version(&tree.source, wanted);
	g_assert_cmpstr(version, ==, "2.26.1");
	g_assert_null(dpkg_version(&tree.source, wanted + 2));
}

/* Versions of tools, as files say them. */
typedef struct {
	const char *name, *git, *python; /* versions; NULL: not said */
	File files[FILES_MAX];
} ToolFiles;

/* clang-format off */
static const ToolFiles tool_files[] = {
	{ "debian", "2.26.1", "3.11", { { "/usr/bin/git", "" }, { "/usr/bin/python3.11", "" }, { "/usr/bin/python3", "-> python3.11" },
	  { "/var/lib/dpkg/info/git.list", "" }, { STATUS, STANZA("first", GOOD) STANZA("git", GOOD) } } },
	{ "own-git", NULL, NULL, { { "/usr/local/bin/git", "" }, { "/var/lib/dpkg/info/git.list", "" }, { STATUS, STANZA("first", GOOD) STANZA("git", GOOD) } } },
	{ "newest-python", NULL, "3.12", { { "/usr/bin/python3.9", "" }, { "/usr/local/bin/python3.12", "" }, { "/usr/bin/python3", "" } } },
	{ "python-without-number", NULL, NULL, { { "/usr/bin/python3", "" } } },
	{ "none", NULL, NULL, { { STATUS, "" } } },
};
/* clang-format on */

static void test_kernel_config(void)
{
	g_autofree char *few = kernel_config_lacks(
		"#\nCONFIG_VETH=m\n# CONFIG_BRIDGE is not set\nCONFIG_NET_NS=y\n");
	g_autofree char *none = kernel_config_lacks("");

	g_assert_null(strstr(few, "VETH"));
	g_assert_null(strstr(few, "NET_NS"));
	g_assert_nonnull(strstr(few, "BRIDGE"));
	g_assert_cmpuint(strlen(none), >, strlen(few));
}

static void test_tools(gconstpointer data)
{
	const ToolFiles *c = data;
	g_auto(Tree) tree = { NULL };
	g_autoptr(Facts) facts = facts_new();

	tree_lay(&tree, c->files, NULL);
	facts_read_tools(&tree.source, &facts->tools);
	g_assert_cmpstr(facts->tools.git_version, ==, c->git);
	g_assert_cmpstr(facts->tools.python_version, ==, c->python);
	if (g_str_equal(c->name, "python-without-number"))
		g_assert_cmpstr(facts->tools.python, ==, "/usr/bin/python3");
}

/* The programs of this process's tree; a limit of its control group counts as installed memory. */
static void test_machine_with_limit(void)
{
	static const File files[FILES_MAX] = {
		{ INFO, ROOT V2 },
		{ OWN, "0::/\n" },
		{ CG "/memory.max", "67108864\n" },
		{ CG "/cpu.max", "500 1000\n" },
		{ "/proc/meminfo",
		  "MemTotal:  1048576 kB\nMemAvailable: 524288 kB\nSwapTotal: 0 kB\n" },
		{ "/proc/self/status", "Name:\tx\nNoNewPrivs:\t1\n" },
		{ "/usr/lib/os-release", "ID=debian\n" },
	};
	g_auto(Tree) tree = { NULL };
	g_autoptr(Facts) facts = facts_new();

	tree_lay(&tree, files, NULL);
	facts_read_machine(&tree.source, facts);
	g_assert_cmpuint(facts->memory.installed_bytes, ==, 1024 * MIB);
	g_assert_cmpuint(facts->memory.total_bytes, ==, 64 * MIB);
	g_assert_cmpstr(facts->memory.source, ==, CG "/memory.max");
	g_assert_cmpuint(facts->memory.available_bytes, ==, 512 * MIB);
	g_assert_cmpuint(facts->memory.swap_bytes, ==, 0);
	g_assert_cmpuint(facts->cpu.count, ==, 1);
	g_assert_cmpint(facts->system.has_no_new_privs, ==, FACT_YES);
	g_assert_cmpstr(facts->system.id, ==, "debian");
}

static void test_machine_without_proc(void)
{
	g_auto(Tree) tree = { NULL };
	g_autoptr(Facts) facts = facts_new();

	tree_lay(&tree, NULL, NULL);
	facts_read_machine(&tree.source, facts);
	g_assert_cmpuint(facts->memory.total_bytes, ==, FACTS_UNKNOWN);
	g_assert_cmpuint(facts->memory.available_bytes, ==, FACTS_UNKNOWN);
	g_assert_cmpuint(facts->memory.swap_bytes, ==, FACTS_UNKNOWN);
	g_assert_cmpint(facts->system.has_no_new_privs, ==, FACT_UNKNOWN);
	g_assert_null(facts->system.id);
}

static void add_rows(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
		g_autofree char *path = g_strconcat("/cgroup/", groups[i].path, NULL);
		g_test_add_data_func(path, &groups[i], test_group);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(releases); i++) {
		g_autofree char *path = g_strconcat("/os-release/", releases[i].path, NULL);
		g_test_add_data_func(path, &releases[i], test_release);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *path = g_strconcat("/surroundings/", places[i].path, NULL);
		g_test_add_data_func(path, &places[i], test_place);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(packages); i++) {
		g_autofree char *path = g_strconcat("/packages/", packages[i].path, NULL);
		g_test_add_data_func(path, &packages[i], test_packages);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add_rows();
	g_test_add_func("/machine/kernel-config", test_kernel_config);
	for (gsize i = 0; i < G_N_ELEMENTS(tool_files); i++) {
		g_autofree char *path = g_strconcat("/tools/", tool_files[i].name, NULL);

		g_test_add_data_func(path, &tool_files[i], test_tools);
	}
	g_test_add_func("/packages/lock-holder", test_lock_holder);
	g_test_add_func("/packages/lock-in-proc", test_lock_in_proc);
	g_test_add_func("/packages/lock-left-behind", test_lock_left_behind);
	g_test_add_func("/packages/dpkg-version", test_dpkg_version);
	g_test_add_func("/machine/limit", test_machine_with_limit);
	g_test_add_func("/machine/no-proc", test_machine_without_proc);
	return g_test_run();
}
