/* tests/test_checks_rows.c - verdicts about kernel, limits, user and places, from facts that say little else
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/checks_fixture.h"

static const CheckDiskNeed disk[] = { { "/home/ana/.stack", 10 * GIB },
	                              { "/home/ana/.state", 64 * MIB } };
static const char *const services[] = { "redis", "qdrant", "app", NULL };

static const CheckNeeds stack_needs = { .source = "test",
	                                .memory_bytes = 8 * GIB,
	                                .disk = disk,
	                                .disk_count = G_N_ELEMENTS(disk),
	                                .engine = "20.10",
	                                .services = services,
	                                .git = "2.20",
	                                .python = "",
	                                .needs_packages = true,
	                                .runs_models = true,
	                                .has_user_unit = true };
static const CheckNeeds beside_needs = { .source = "test",
	                                 .memory_bytes = 8 * GIB,
	                                 .others_memory_bytes = 16 * GIB,
	                                 .others = "localagent",
	                                 .engine = "20.10" };
static const CheckNeeds no_needs = { .source = "test" };

typedef struct {
	const char *path, *id;
	const CheckNeeds *needs;
	const char *facts; /* ' stands for " */
	CheckVerdict want;
	const char *measured; /* (nullable): not looked at */
} Case;

#define ALL &stack_needs
#define BESIDE &beside_needs
#define NOTHING &no_needs
#define PLACE(rest) \
	"{'directories':[{'path':'/home/ana','existing':'/home/ana','device':1," rest "}]}"
#define TMP(rest) \
	"{'system':{'tmp':'/tmp'},'directories':[{'path':'/tmp','existing':'/tmp'," rest "}]}"
#define ROOT(rest) \
	"{'packages':{'manager':'apt'},'directories':[{'path':'/','existing':'/'," rest "}]}"
#define MANAGER(rest) "{'packages':{'manager':'apt'," rest "}}"
#define MAC(rest) "{'system':{'name':'Darwin','architecture':'arm64'," rest "}}"

/* clang-format off */
static const Case cases[] = {
	{ "support/ended", "os.support_end", NOTHING, "{'system':{'support_end':'2026-05-13'},'clock':{'now_s':1778630400}}", CHECK_WARN, "2026-05-13" },
	{ "support/last-day", "os.support_end", NOTHING, "{'system':{'support_end':'2026-05-13'},'clock':{'now_s':1778630399}}", CHECK_PASS, NULL },
	{ "support/no-clock", "os.support_end", NOTHING, "{'system':{'support_end':'2026-05-13'}}", CHECK_UNKNOWN, NULL },
	{ "support/garbage", "os.support_end", NOTHING, "{'system':{'support_end':'soon'},'clock':{'now_s':1778630399}}", CHECK_UNKNOWN, NULL },
	{ "support/none", "os.support_end", NOTHING, "{}", CHECK_SKIPPED, NULL },
	{ "library/musl", "os.library", ALL, "{'system':{'library':'musl'}}", CHECK_WARN, NULL },
	{ "library/glibc", "os.library", ALL, "{'system':{'library':'glibc'}}", CHECK_PASS, NULL },
	{ "library/unknown", "os.library", ALL, "{}", CHECK_UNKNOWN, NULL },
	{ "library/no-models", "os.library", NOTHING, "{'system':{'library':'musl'}}", CHECK_SKIPPED, NULL },
	{ "wsl/kernel", "wsl.kernel", NOTHING, "{'system':{'wsl':2,'kernel':'5.10.16.3-microsoft-standard-WSL2'}}", CHECK_WARN, NULL },
	{ "wsl/systemd", "wsl.systemd", NOTHING, "{'system':{'wsl':2,'has_systemd':false}}", CHECK_WARN, NULL },
	{ "wsl/none", "wsl.systemd", NOTHING, "{'system':{'wsl':0,'has_systemd':false}}", CHECK_SKIPPED, NULL },

	{ "controllers/pi", "kernel.controllers", ALL, "{'system':{'wsl':0},'kernel':{'controllers':'cpu pids'}}", CHECK_WARN, NULL },
	{ "controllers/good", "kernel.controllers", ALL, "{'system':{'wsl':0},'kernel':{'controllers':'cpu memory'}}", CHECK_PASS, NULL },
	{ "controllers/like-named", "kernel.controllers", ALL, "{'system':{'wsl':0},'kernel':{'controllers':'memory2'}}", CHECK_WARN, NULL },
	{ "controllers/unknown", "kernel.controllers", ALL, "{'system':{'wsl':0}}", CHECK_UNKNOWN, NULL },
	{ "controllers/engine-says", "kernel.controllers", ALL, "{'system':{'wsl':0},'engine':{'state':'ok'},'kernel':{'controllers':'cpu'}}", CHECK_SKIPPED, NULL },
	{ "overlay/missing", "kernel.overlay", ALL, "{'system':{'wsl':0},'kernel':{'has_overlay':false}}", CHECK_FAIL, NULL },
	{ "overlay/unknown", "kernel.overlay", ALL, "{'system':{'wsl':0}}", CHECK_UNKNOWN, NULL },
	{ "modules/gone", "kernel.modules", ALL, "{'system':{'wsl':0},'kernel':{'has_modules':false}}", CHECK_FAIL, NULL },
	{ "modules/built-in", "kernel.modules", ALL, "{'system':{'wsl':0},'kernel':{'has_modules':false,'has_overlay':true}}", CHECK_PASS, NULL },
	{ "modules/container", "kernel.modules", ALL, "{'system':{'wsl':0,'container':'docker'},'kernel':{'has_modules':false}}", CHECK_SKIPPED, NULL },
	{ "config/lacks", "kernel.config", ALL, "{'system':{'wsl':0},'kernel':{'config':'/proc/config.gz','lacks':'VETH BRIDGE'}}", CHECK_WARN, "VETH BRIDGE" },
	{ "config/whole", "kernel.config", ALL, "{'system':{'wsl':0},'kernel':{'config':'/proc/config.gz','lacks':''}}", CHECK_PASS, "all there" },
	{ "config/not-asked", "kernel.config", ALL, "{'system':{'wsl':0}}", CHECK_SKIPPED, NULL },
	{ "config/engine-runs", "kernel.config", ALL, "{'system':{'wsl':0},'engine':{'state':'ok'},'kernel':{'lacks':'VETH'}}", CHECK_SKIPPED, NULL },
	{ "seccomp/none", "kernel.seccomp", ALL, "{'kernel':{'has_seccomp':false}}", CHECK_WARN, NULL },
	{ "reboot/waits", "os.reboot", NOTHING, "{'kernel':{'needs_reboot':true}}", CHECK_WARN, NULL },
	{ "reboot/unknown", "os.reboot", NOTHING, "{}", CHECK_UNKNOWN, NULL },
	{ "apparmor/snap", "lsm.apparmor", NOTHING, "{'kernel':{'confinement':'snap.code.code'}}", CHECK_WARN, NULL },
	{ "apparmor/container", "lsm.apparmor", NOTHING, "{'kernel':{'confinement':'docker-default'}}", CHECK_PASS, "docker-default" },
	{ "apparmor/unknown", "lsm.apparmor", NOTHING, "{}", CHECK_UNKNOWN, NULL },
	{ "clock/behind", "os.clock", NOTHING, "{'clock':{'now_s':86400,'newest_s':172800}}", CHECK_FAIL, "at least 1 days behind" },
	{ "clock/hour", "os.clock", NOTHING, "{'clock':{'now_s':86401,'newest_s':172800}}", CHECK_PASS, NULL },
	{ "clock/unknown", "os.clock", NOTHING, "{'clock':{'now_s':86401}}", CHECK_UNKNOWN, NULL },
	{ "random/early", "os.random", NOTHING, "{'clock':{'has_random':false}}", CHECK_WARN, NULL },

	{ "home/good", "os.home", ALL, "{'system':{'home':'/home/ana','uid':1000,'home_uid':1000}}", CHECK_PASS, NULL },
	{ "home/of-another", "os.home", ALL, "{'system':{'home':'/home/ana','uid':0,'home_uid':1000}}", CHECK_WARN, "it belongs to somebody else" },
	{ "home/none", "os.home", ALL, "{}", CHECK_WARN, "HOME is not set" },
	{ "home/relative", "os.home", ALL, "{'system':{'home':'ana'}}", CHECK_WARN, NULL },
	{ "home/blank", "os.home", ALL, "{'system':{'home':'/home/ana x'}}", CHECK_WARN, NULL },
	{ "home/long", "os.home", ALL, "{'system':{'home':'/home/0123456789012345678901234567890123456789012345678901'}}", CHECK_WARN, NULL },
	{ "home/unknown", "os.home", ALL, "{'system':{'home':'/home/ana','uid':1000}}", CHECK_UNKNOWN, NULL },
	{ "umask/strict", "os.umask", NOTHING, "{'system':{'umask':63}}", CHECK_PASS, "0077" },
	{ "umask/owner", "os.umask", NOTHING, "{'system':{'umask':511}}", CHECK_WARN, "0777" },
	{ "variables/some", "conflict.env", NOTHING, "{'system':{'disturbing':'LD_PRELOAD'}}", CHECK_WARN, "LD_PRELOAD" },
	{ "variables/none", "conflict.env", NOTHING, "{'system':{'disturbing':''}}", CHECK_PASS, NULL },
	{ "variables/unknown", "conflict.env", NOTHING, "{}", CHECK_UNKNOWN, NULL },
	{ "linger/off", "svc.linger", ALL, "{'system':{'uid':1000,'has_systemd':true,'has_linger':false}}", CHECK_WARN, NULL },
	{ "linger/root", "svc.linger", ALL, "{'system':{'uid':0,'has_systemd':true,'has_linger':false}}", CHECK_SKIPPED, NULL },
	{ "linger/no-systemd", "svc.linger", ALL, "{'system':{'uid':1000,'has_systemd':false}}", CHECK_SKIPPED, NULL },
	{ "linger/unknown", "svc.linger", ALL, "{'system':{'uid':1000,'has_systemd':true}}", CHECK_UNKNOWN, NULL },
	{ "ollama/two", "conflict.ollama", ALL, "{'installed':{'ollama_count':2,'ollama':'/a /b'}}", CHECK_WARN, "/a /b" },
	{ "ollama/one", "conflict.ollama", ALL, "{'installed':{'ollama_count':1,'ollama':'/a'}}", CHECK_PASS, "/a" },
	{ "quarantine/yes", "mac.quarantine", NOTHING, MAC("'is_quarantined':true"), CHECK_WARN, NULL },
	{ "quarantine/unknown", "mac.quarantine", NOTHING, MAC("'uid':1"), CHECK_UNKNOWN, NULL },
	{ "rosetta/translated", "cpu.rosetta", NOTHING, "{'system':{'name':'Darwin','architecture':'x86_64','is_translated':true}}", CHECK_WARN, NULL },
	{ "rosetta/intel", "cpu.rosetta", NOTHING, "{'system':{'name':'Darwin','architecture':'x86_64','is_translated':false}}", CHECK_SKIPPED, NULL },
	{ "rosetta/native", "cpu.rosetta", NOTHING, MAC("'is_translated':false"), CHECK_PASS, NULL },
	{ "tools/none", "packages.developer_tools", NOTHING, MAC("'has_developer_tools':false"), CHECK_WARN, NULL },

	{ "nofile/raised", "limit.nofile", NOTHING, "{'limits':{'open_files':256,'open_files_hard':9223372036854775807}}", CHECK_PASS, "no limit" },
	{ "nofile/edge", "limit.nofile", NOTHING, "{'limits':{'open_files':256,'open_files_hard':4096}}", CHECK_PASS, NULL },
	{ "nofile/few", "limit.nofile", NOTHING, "{'limits':{'open_files':256,'open_files_hard':4095}}", CHECK_WARN, NULL },
	{ "nofile/too-few", "limit.nofile", NOTHING, "{'limits':{'open_files':256,'open_files_hard':1023}}", CHECK_FAIL, NULL },
	{ "nofile/unknown", "limit.nofile", NOTHING, "{'limits':{'open_files':65536}}", CHECK_UNKNOWN, NULL },
	{ "processes/few", "limit.processes", NOTHING, "{'limits':{'processes':4095}}", CHECK_WARN, NULL },
	{ "file-size/small", "limit.file_size", NOTHING, "{'limits':{'file_bytes':1048576}}", CHECK_WARN, NULL },
	{ "address-space/small", "limit.address_space", NOTHING, "{'limits':{'address_bytes':8589934592}}", CHECK_WARN, NULL },
	{ "pids/group", "limit.pids", NOTHING, "{'limits':{'pids':4194304,'threads':254000,'cgroup_pids':512}}", CHECK_WARN, "512 processes" },
	{ "pids/system", "limit.pids", NOTHING, "{'limits':{'pids':4194304,'threads':1000,'cgroup_pids':9223372036854775807}}", CHECK_WARN, "1000 processes" },
	{ "pids/good", "limit.pids", NOTHING, "{'limits':{'pids':32768,'threads':254000,'cgroup_pids':9223372036854775807}}", CHECK_PASS, NULL },
	{ "pids/unknown", "limit.pids", NOTHING, "{'limits':{'pids':32768,'threads':254000}}", CHECK_UNKNOWN, NULL },
	{ "inotify/default", "limit.inotify.instances", ALL, "{'limits':{'inotify_instances':128}}", CHECK_PASS, NULL },
	{ "inotify/lowered", "limit.inotify.instances", ALL, "{'limits':{'inotify_instances':127}}", CHECK_WARN, NULL },
	{ "inotify/old-watches", "limit.inotify.watches", ALL, "{'limits':{'inotify_watches':8192}}", CHECK_WARN, NULL },
	{ "inotify/no-engine", "limit.inotify.watches", NOTHING, "{'limits':{'inotify_watches':8192}}", CHECK_SKIPPED, NULL },
	{ "maps/default", "limit.map_count", ALL, "{'limits':{'map_count':65530}}", CHECK_WARN, NULL },
	{ "maps/enough", "limit.map_count", ALL, "{'limits':{'map_count':262144}}", CHECK_PASS, NULL },
	{ "maps/no-service", "limit.map_count", NOTHING, "{'limits':{'map_count':65530}}", CHECK_SKIPPED, NULL },
	{ "backlog/short", "limit.backlog", ALL, "{'limits':{'backlog':128}}", CHECK_WARN, NULL },
	{ "git/good", "tool.git", ALL, "{'tools':{'git':'/usr/bin/git','git_version':'2.39.5-0+deb12u2'}}", CHECK_PASS, "2.39.5-0+deb12u2" },
	{ "git/old", "tool.git", ALL, "{'tools':{'git':'/usr/bin/git','git_version':'1.8.3.1'}}", CHECK_WARN, "1.8.3.1" },
	{ "git/not-said", "tool.git", ALL, "{'tools':{'git':'/usr/local/bin/git'}}", CHECK_SKIPPED, NULL },
	{ "git/not-there", "tool.git", ALL, "{}", CHECK_SKIPPED, NULL },
	{ "git/not-needed", "tool.git", NOTHING, "{'tools':{'git':'/usr/bin/git','git_version':'1.8.3.1'}}", CHECK_SKIPPED, NULL },
	{ "python/any", "tool.python", ALL, "{'tools':{'python':'/usr/bin/python3.6','python_version':'3.6'}}", CHECK_PASS, "3.6" },
	{ "core/piped", "limit.core_pattern", ALL, "{'limits':{'core_pattern':'|/usr/share/apport/apport %p'}}", CHECK_PASS, "|/usr/share/apport/apport %p" },
	{ "core/off", "limit.core_pattern", ALL, "{'limits':{'core_pattern':''}}", CHECK_PASS, "core files are off" },
	{ "core/unknown", "limit.core_pattern", ALL, "{}", CHECK_UNKNOWN, NULL },
	{ "perf/debian", "limit.perf", ALL, "{'limits':{'perf':'3'}}", CHECK_PASS, "3: not without privilege" },
	{ "perf/open", "limit.perf", ALL, "{'limits':{'perf':'-1'}}", CHECK_PASS, "-1" },
	{ "perf/unknown", "limit.perf", ALL, "{}", CHECK_UNKNOWN, NULL },
	{ "ptrace/none", "limit.ptrace", ALL, "{'limits':{'ptrace':''}}", CHECK_PASS, "not bounded" },
	{ "ptrace/strict", "limit.ptrace", ALL, "{'limits':{'ptrace':'3'}}", CHECK_PASS, "3: not at all" },
	{ "ptrace/odd", "limit.ptrace", ALL, "{'limits':{'ptrace':'4'}}", CHECK_PASS, "4" },
	{ "ptrace/no-engine", "limit.ptrace", NOTHING, "{'limits':{'ptrace':'3'}}", CHECK_SKIPPED, NULL },
	{ "steal/some", "cpu.steal", NOTHING, "{'system':{'machine':'kvm'},'cpu':{'steal_permille':21}}", CHECK_PASS, "2.1 % since the start" },
	{ "steal/unknown", "cpu.steal", NOTHING, "{'system':{'machine':'kvm'}}", CHECK_UNKNOWN, NULL },
	{ "steal/no-guest", "cpu.steal", NOTHING, "{'system':{'machine':''},'cpu':{'steal_permille':21}}", CHECK_SKIPPED, NULL },
	{ "sum/engine", "mem.stack_sum", BESIDE, "{'memory':{'total_bytes':68719476736},'engine':{'memory_bytes':17179869184}}", CHECK_WARN, "16.0 GiB" },
	{ "sum/enough", "mem.stack_sum", BESIDE, "{'memory':{'total_bytes':68719476736},'engine':{'memory_bytes':24051816858}}", CHECK_PASS, "22.3 GiB" },
	{ "sum/machine", "mem.stack_sum", BESIDE, "{'memory':{'total_bytes':17179869184}}", CHECK_WARN, "16.0 GiB" },
	{ "sum/unknown", "mem.stack_sum", BESIDE, "{}", CHECK_UNKNOWN, NULL },
	{ "sum/alone", "mem.stack_sum", ALL, "{'memory':{'total_bytes':17179869184}}", CHECK_SKIPPED, NULL },
	{ "secrets/readable", "secrets.mode", NOTHING, "{'secrets':[{'path':'/a','mode':384},{'path':'/b','mode':416}]}", CHECK_WARN, "0640 /b" },
	{ "secrets/good", "secrets.mode", NOTHING, "{'secrets':[{'path':'/a','mode':384}]}", CHECK_PASS, "1, for the owner alone" },
	{ "secrets/unknown", "secrets.mode", NOTHING, "{'secrets':[{'path':'/a'}]}", CHECK_UNKNOWN, NULL },
	{ "secrets/none", "secrets.mode", NOTHING, "{}", CHECK_SKIPPED, NULL },
	{ "userns/rootless", "limit.userns", ALL, "{'engine':{'is_rootless':true},'limits':{'lets_user_namespaces':false}}", CHECK_FAIL, NULL },
	{ "userns/rootful", "limit.userns", ALL, "{'engine':{'is_rootless':false},'limits':{'lets_user_namespaces':false}}", CHECK_SKIPPED, NULL },

	{ "huge/half", "mem.huge", NOTHING, "{'memory':{'installed_bytes':1000,'huge_bytes':500}}", CHECK_PASS, NULL },
	{ "huge/more", "mem.huge", NOTHING, "{'memory':{'installed_bytes':1000,'huge_bytes':501}}", CHECK_WARN, NULL },
	{ "huge/unknown", "mem.huge", NOTHING, "{'memory':{'installed_bytes':1000}}", CHECK_UNKNOWN, NULL },
	{ "overcommit/default", "mem.overcommit", ALL, "{'memory':{'overcommit':0}}", CHECK_WARN, "0 (by estimate)" },
	{ "overcommit/set", "mem.overcommit", ALL, "{'memory':{'overcommit':1}}", CHECK_PASS, NULL },
	{ "overcommit/strange", "mem.overcommit", ALL, "{'memory':{'overcommit':3}}", CHECK_UNKNOWN, NULL },
	{ "overcommit/no-redis", "mem.overcommit", NOTHING, "{'memory':{'overcommit':0}}", CHECK_SKIPPED, NULL },
	{ "commit/not-bounded", "mem.commit", ALL, "{'memory':{'overcommit':0}}", CHECK_PASS, NULL },
	{ "commit/used-up", "mem.commit", ALL, "{'memory':{'overcommit':2,'commit_bytes':10,'committed_bytes':20}}", CHECK_WARN, "0 B" },
	{ "commit/room", "mem.commit", ALL, "{'memory':{'overcommit':2,'commit_bytes':8589934602,'committed_bytes':10}}", CHECK_PASS, NULL },
	{ "commit/unknown", "mem.commit", ALL, "{'memory':{'commit_bytes':8589934602,'committed_bytes':10}}", CHECK_UNKNOWN, NULL },
	{ "swap/available-unknown", "mem.swap", ALL, "{'memory':{'swap_bytes':0}}", CHECK_UNKNOWN, NULL },
	{ "quota/tells", "cpu.quota", NOTHING, "{'cpu':{'quota_milli':1500}}", CHECK_PASS, "1.50 CPUs" },
	{ "cores/tells", "cpu.physical", NOTHING, "{'cpu':{'physical':4,'online':8}}", CHECK_PASS, "4 cores, 8 threads" },
	{ "vm/none", "os.vm", NOTHING, "{'system':{'machine':''}}", CHECK_PASS, "none" },
	{ "kvm/engine", "cpu.kvm", ALL, "{'cpu':{'has_kvm':false}}", CHECK_SKIPPED, NULL },
	{ "kvm/desktop", "cpu.kvm", ALL, "{'cpu':{'has_kvm':false},'engine':{'product':'Docker Desktop'}}", CHECK_FAIL, "no /dev/kvm" },
	{ "kvm/denied", "cpu.kvm", ALL, "{'cpu':{'has_kvm':true,'can_use_kvm':false},'engine':{'product':'Docker Desktop'}}", CHECK_FAIL, "permission denied" },

	{ "filesystem/ext4", "disk.filesystem", ALL, PLACE("'file_system':'ext4'"), CHECK_PASS, "ext4" },
	{ "filesystem/strange", "disk.filesystem", ALL, PLACE("'file_system':'0x1234'"), CHECK_PASS, NULL },
	{ "filesystem/nfs", "disk.filesystem", ALL, PLACE("'file_system':'nfs'"), CHECK_WARN, NULL },
	{ "filesystem/stick", "disk.filesystem", ALL, PLACE("'file_system':'exfat'"), CHECK_FAIL, "exfat: it has no links and no owners" },
	{ "filesystem/memory", "disk.filesystem", ALL, PLACE("'file_system':'tmpfs'"), CHECK_WARN, NULL },
	{ "filesystem/unknown", "disk.filesystem", ALL, PLACE("'free_bytes':1"), CHECK_UNKNOWN, NULL },
	{ "filesystem/no-need", "disk.filesystem", NOTHING, "{}", CHECK_SKIPPED, NULL },
	{ "noexec/yes", "disk.noexec", ALL, PLACE("'is_noexec':true"), CHECK_FAIL, NULL },
	{ "noexec/no", "disk.noexec", ALL, PLACE("'is_noexec':false"), CHECK_PASS, NULL },
	{ "noexec/unknown", "disk.noexec", ALL, "{}", CHECK_UNKNOWN, NULL },
	{ "modes/lost", "disk.modes", ALL, PLACE("'keeps_modes':false"), CHECK_WARN, NULL },
	{ "case/blind", "disk.case", ALL, PLACE("'is_case_blind':true"), CHECK_PASS, "\"a\" and \"A\" are one file" },
	{ "quota/short", "disk.quota", ALL, PLACE("'quota_bytes':10737418239"), CHECK_FAIL, "9.9 GiB" },
	{ "quota/enough", "disk.quota", ALL, PLACE("'quota_bytes':10737418240"), CHECK_PASS, NULL },
	{ "quota/none", "disk.quota", ALL, PLACE("'quota_bytes':9223372036854775807"), CHECK_SKIPPED, NULL },
	{ "tmp/tiny", "disk.tmp", NOTHING, TMP("'is_writable':true,'free_bytes':536870911"), CHECK_FAIL, NULL },
	{ "tmp/small", "disk.tmp", NOTHING, TMP("'is_writable':true,'free_bytes':536870912"), CHECK_WARN, NULL },
	{ "tmp/enough", "disk.tmp", NOTHING, TMP("'is_writable':true,'free_bytes':2147483648"), CHECK_PASS, NULL },
	{ "tmp/not-writable", "disk.tmp", NOTHING, TMP("'is_writable':false,'free_bytes':2147483648"), CHECK_FAIL, "not writable" },
	{ "tmp/unknown", "disk.tmp", NOTHING, TMP("'free_bytes':2147483648"), CHECK_UNKNOWN, NULL },
	{ "tmp/noexec", "disk.tmp_noexec", NOTHING, TMP("'is_noexec':true"), CHECK_WARN, NULL },
	{ "windows/full", "wsl.disk", ALL, "{'system':{'wsl':2},'directories':[{'path':'/mnt/c','existing':'/mnt/c','free_bytes':10804527103}]}", CHECK_WARN, "10.0 GiB" },
	{ "windows/room", "wsl.disk", ALL, "{'system':{'wsl':2},'directories':[{'path':'/mnt/c','existing':'/mnt/c','free_bytes':10804527104}]}", CHECK_PASS, NULL },
	{ "windows/not-mounted", "wsl.disk", ALL, "{'system':{'wsl':2},'directories':[{'path':'/mnt/c','existing':'/mnt','free_bytes':10804527104}]}", CHECK_UNKNOWN, NULL },
	{ "windows/none", "wsl.disk", ALL, "{'system':{'wsl':0}}", CHECK_SKIPPED, NULL },
	{ "system/full", "disk.system", ALL, ROOT("'free_bytes':1"), CHECK_FAIL, NULL },
	{ "system/no-packages", "disk.system", NOTHING, ROOT("'free_bytes':1"), CHECK_SKIPPED, NULL },

	{ "sources/conflict", "packages.sources", ALL, MANAGER("'sources_conflict':'http://a stable'"), CHECK_FAIL, "http://a stable has two keys" },
	{ "sources/good", "packages.sources", ALL, MANAGER("'sources_conflict':''"), CHECK_PASS, NULL },
	{ "sources/unknown", "packages.sources", ALL, MANAGER("'lock_pid':0"), CHECK_UNKNOWN, NULL },
	{ "lists/never", "packages.lists", ALL, MANAGER("'lists_age_s':9223372036854775807"), CHECK_PASS, "never fetched" },
	{ "lists/old", "packages.lists", ALL, MANAGER("'lists_age_s':200000"), CHECK_PASS, "2 days old" },
	{ "health/apt", "packages.health", ALL, MANAGER("'is_interrupted':false,'broken_count':0"), CHECK_PASS, "in order" },
	{ "health/apt-unknown", "packages.health", ALL, MANAGER("'broken_count':0"), CHECK_UNKNOWN, NULL },
	{ "health/apk", "packages.health", ALL, "{'packages':{'manager':'apk','is_interrupted':true,'trouble':'/lib/apk/db/installed.new'}}", CHECK_FAIL, NULL },
	{ "lock/stale", "packages.lock", ALL, "{'packages':{'manager':'pacman','is_locked':true,'is_lock_stale':true,'lock_file':'/var/lib/pacman/db.lck'}}", CHECK_WARN, "left behind" },
	{ "brew/good", "packages.brew", ALL, "{'packages':{'manager':'brew','is_prefix_writable':true,'is_prefix_foreign':false}}", CHECK_PASS, NULL },
	{ "brew/foreign", "packages.brew", ALL, "{'packages':{'manager':'brew','is_prefix_writable':true,'is_prefix_foreign':true}}", CHECK_WARN, NULL },
	{ "brew/not-writable", "packages.brew", ALL, "{'packages':{'manager':'brew','is_prefix_writable':false,'is_prefix_foreign':false}}", CHECK_FAIL, NULL },
	{ "sudo/unknown", "privilege.sudo", ALL, "{'system':{'uid':1000,'has_sudo':true},'packages':{'manager':'apt'}}", CHECK_UNKNOWN, NULL },
};
/* clang-format on */

static void test_case(gconstpointer data)
{
	const Case *c = data;

	fixture_judge(c->facts, c->needs, c->id, c->want, c->measured);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/rows/", cases[i].path, NULL);

		g_test_add_data_func(path, &cases[i], test_case);
	}
	return g_test_run();
}
