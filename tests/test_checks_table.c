/* tests/test_checks_table.c - one machine, one change, one verdict
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/checks_fixture.h"

/* Each row starts from the machine of debian-12-vm.json, which passes everything. */
static const CheckDiskNeed disk[] = {
	{ "/home/ana/.localagent", 10 * GIB },
	{ "/home/ana/.local/state/slipway", 64 * MIB },
};
static const char *const architectures[] = { "x86_64", "arm64", NULL };

static const CheckNeeds engine_needs = {
	.source = "test",
	.memory_bytes = 8 * GIB,
	.memory_recommended_bytes = 16 * GIB,
	.disk = disk,
	.disk_count = G_N_ELEMENTS(disk),
	.engine_disk_bytes = 20 * GIB,
	.cpus = 4,
	.engine = "20.10",
	.compose = "2.20",
	.architectures = architectures,
	.ports = fixture_ports,
	.port_count = G_N_ELEMENTS(fixture_ports),
	.needs_packages = true,
	.needs_keyring = true,
};

static const CheckNeeds native_needs = {
	.source = "test",
	.memory_bytes = 8 * GIB,
	.disk = disk,
	.disk_count = G_N_ELEMENTS(disk),
	.cpus = 4,
};

static const CheckNeeds no_needs = { .source = "test" };

typedef struct {
	const char *path;
	const char *id;
	const CheckNeeds *needs;
	const char *change; /* members that differ; ' stands for " */
	CheckVerdict want;
} Case;

#define ENGINE &engine_needs
#define NATIVE &native_needs
#define DIRECTORY(free, inodes, rest)                                                              \
	"{'directories':[{'path':'/home/ana','existing':'/home/ana','device':1,'free_bytes':" free \
	",'free_inodes':" inodes rest "}]}"

/* clang-format off */
static const Case cases[] = {
	{ "mem/total/enough",     "mem.total", ENGINE, "{'memory':{'total_bytes':17179869184}}", CHECK_PASS },
	{ "mem/total/firmware",   "mem.total", ENGINE, "{'memory':{'total_bytes':15977278347}}", CHECK_PASS },
	{ "mem/total/edge-rec",   "mem.total", ENGINE, "{'memory':{'total_bytes':15977278346}}", CHECK_WARN },
	{ "mem/total/edge-min",   "mem.total", ENGINE, "{'memory':{'total_bytes':7988639177}}", CHECK_WARN },
	{ "mem/total/byte-short", "mem.total", ENGINE, "{'memory':{'total_bytes':7988639176}}", CHECK_FAIL },
	{ "mem/total/zero",       "mem.total", ENGINE, "{'memory':{'total_bytes':0}}", CHECK_FAIL },
	{ "mem/total/unknown",    "mem.total", ENGINE, "{'memory':{'total_bytes':null}}", CHECK_UNKNOWN },
	{ "mem/total/no-need",    "mem.total", &no_needs, "{}", CHECK_SKIPPED },
	{ "mem/available/exact",      "mem.available", ENGINE, "{'memory':{'available_bytes':8589934592}}", CHECK_PASS },
	{ "mem/available/byte-short", "mem.available", ENGINE, "{'memory':{'available_bytes':8589934591}}", CHECK_WARN },
	{ "mem/available/unknown",    "mem.available", ENGINE, "{'memory':{'available_bytes':null}}", CHECK_UNKNOWN },
	{ "mem/swap/none-but-room",   "mem.swap", ENGINE, "{'memory':{'swap_bytes':0}}", CHECK_PASS },
	{ "mem/swap/none-and-tight",  "mem.swap", ENGINE, "{'memory':{'swap_bytes':0,'available_bytes':17179869183}}", CHECK_WARN },
	{ "mem/swap/some-and-tight",  "mem.swap", ENGINE, "{'memory':{'swap_bytes':1,'available_bytes':1}}", CHECK_PASS },
	{ "mem/swap/unknown",         "mem.swap", ENGINE, "{'memory':{'swap_bytes':null}}", CHECK_UNKNOWN },
	{ "mem/swap/macos",           "mem.swap", ENGINE, "{'system':{'name':'Darwin'}}", CHECK_SKIPPED },

	/* Both directories are on one device: 10 GiB and 64 MiB together. */
	{ "disk/space/exact",      "disk.space", NATIVE, DIRECTORY("10804527104", "99999", ""), CHECK_PASS },
	{ "disk/space/byte-short", "disk.space", NATIVE, DIRECTORY("10804527103", "99999", ""), CHECK_FAIL },
	{ "disk/space/unknown",    "disk.space", NATIVE, DIRECTORY("null", "99999", ""), CHECK_UNKNOWN },
	{ "disk/space/no-facts",   "disk.space", NATIVE, "{'directories':[]}", CHECK_UNKNOWN },
	{ "disk/space/no-need",    "disk.space", &no_needs, "{}", CHECK_SKIPPED },
	{ "disk/inodes/enough",    "disk.inodes", NATIVE, DIRECTORY("99999999999", "50000", ""), CHECK_PASS },
	{ "disk/inodes/few",       "disk.inodes", NATIVE, DIRECTORY("99999999999", "49999", ""), CHECK_WARN },
	{ "disk/inodes/none",      "disk.inodes", NATIVE, DIRECTORY("99999999999", "4999", ""), CHECK_FAIL },
	{ "disk/inodes/btrfs",     "disk.inodes", NATIVE, DIRECTORY("99999999999", "null", ""), CHECK_PASS },
	{ "disk/inodes/no-facts",  "disk.inodes", NATIVE, "{'directories':[]}", CHECK_UNKNOWN },
	{ "disk/writable/yes",       "disk.writable", NATIVE, DIRECTORY("1", "1", ",'is_writable':true,'is_read_only':false"), CHECK_PASS },
	{ "disk/writable/ancestor",  "disk.writable", NATIVE, DIRECTORY("1", "1", ",'is_writable':false"), CHECK_UNKNOWN },
	{ "disk/writable/read-only", "disk.writable", NATIVE, DIRECTORY("1", "1", ",'is_writable':true,'is_read_only':true"), CHECK_FAIL },
	{ "disk/writable/exact", "disk.writable", NATIVE, "{'directories':[{'path':'/home/ana/.localagent','existing':'/home/ana','is_writable':false}]}", CHECK_FAIL },
	{ "disk/writable/unknown",   "disk.writable", NATIVE, "{'directories':[]}", CHECK_UNKNOWN },

	{ "cpu/count/exact",    "cpu.count", ENGINE, "{'cpu':{'count':4}}", CHECK_PASS },
	{ "cpu/count/short",    "cpu.count", ENGINE, "{'cpu':{'count':3}}", CHECK_WARN },
	{ "cpu/count/unknown",  "cpu.count", ENGINE, "{'cpu':{'count':null}}", CHECK_UNKNOWN },
	{ "cpu/isa/avx",        "cpu.isa", ENGINE, "{'cpu':{'features':'sse4.2 avx'}}", CHECK_PASS },
	{ "cpu/isa/no-avx",     "cpu.isa", ENGINE, "{'cpu':{'features':'sse4.2'}}", CHECK_WARN },
	{ "cpu/isa/avx2-alone", "cpu.isa", ENGINE, "{'cpu':{'features':'avx2'}}", CHECK_FAIL },
	{ "cpu/isa/none",       "cpu.isa", ENGINE, "{'cpu':{'features':''}}", CHECK_FAIL },
	{ "cpu/isa/arm",        "cpu.isa", ENGINE, "{'system':{'architecture':'aarch64'},'cpu':{'features':'neon'}}", CHECK_PASS },
	{ "cpu/isa/unknown",    "cpu.isa", ENGINE, "{'cpu':{'features':null}}", CHECK_UNKNOWN },
	{ "arch/same",          "arch", ENGINE, "{}", CHECK_PASS },
	{ "arch/alias",         "arch", ENGINE, "{'system':{'architecture':'aarch64'}}", CHECK_PASS },
	{ "arch/other",         "arch", ENGINE, "{'system':{'architecture':'riscv64'}}", CHECK_FAIL },
	{ "arch/unknown",       "arch", ENGINE, "{'system':{'architecture':null}}", CHECK_UNKNOWN },
	{ "arch/any",           "arch", NATIVE, "{'system':{'architecture':'riscv64'}}", CHECK_PASS },

	{ "os/supported/old",      "os.supported", ENGINE, "{'system':{'version':'10'}}", CHECK_WARN },
	{ "os/supported/edge",     "os.supported", ENGINE, "{'system':{'version':'11'}}", CHECK_PASS },
	{ "os/supported/rolling",  "os.supported", ENGINE, "{'system':{'version':null}}", CHECK_PASS },
	{ "os/supported/like",     "os.supported", ENGINE, "{'system':{'id':'linuxmint','id_like':'ubuntu debian'}}", CHECK_PASS },
	{ "os/supported/strange",  "os.supported", ENGINE, "{'system':{'id':'plan9'}}", CHECK_WARN },
	{ "os/supported/unknown",  "os.supported", ENGINE, "{'system':{'id':null}}", CHECK_UNKNOWN },
	{ "os/kernel/exact",       "os.kernel", ENGINE, "{'system':{'kernel':'4.18.0-553.el8'}}", CHECK_PASS },
	{ "os/kernel/old",         "os.kernel", ENGINE, "{'system':{'kernel':'4.17.19'}}", CHECK_WARN },
	{ "os/kernel/edge",        "os.kernel", ENGINE, "{'system':{'kernel':'3.10.0-1160'}}", CHECK_WARN },
	{ "os/kernel/ancient",     "os.kernel", ENGINE, "{'system':{'kernel':'3.9.11'}}", CHECK_FAIL },
	{ "os/kernel/unknown",     "os.kernel", ENGINE, "{'system':{'kernel':null}}", CHECK_UNKNOWN },
	{ "os/kernel/garbage",     "os.kernel", ENGINE, "{'system':{'kernel':'custom'}}", CHECK_UNKNOWN },
	{ "os/kernel/macos",       "os.kernel", ENGINE, "{'system':{'name':'Darwin','kernel':'24.5.0'}}", CHECK_SKIPPED },
	{ "os/immutable/ostree",   "os.immutable", ENGINE, "{'system':{'immutable':'ostree'}}", CHECK_FAIL },
	{ "os/immutable/brew",     "os.immutable", ENGINE, "{'system':{'immutable':'steamos'},'packages':{'manager':'brew'}}", CHECK_PASS },
	{ "os/immutable/nothing",  "os.immutable", NATIVE, "{'system':{'immutable':'ostree'}}", CHECK_SKIPPED },
	{ "env/container",         "env.container", ENGINE, "{'system':{'container':'lxc'}}", CHECK_PASS },
	{ "env/ci",                "env.ci", ENGINE, "{'system':{'ci':'Drone'}}", CHECK_PASS },
	{ "env/wsl/1-engine",      "env.wsl", ENGINE, "{'system':{'wsl':1}}", CHECK_FAIL },
	{ "env/wsl/1-native",      "env.wsl", NATIVE, "{'system':{'wsl':1}}", CHECK_WARN },
	{ "env/wsl/2",             "env.wsl", ENGINE, "{'system':{'wsl':2}}", CHECK_PASS },
	{ "env/wsl/unknown",       "env.wsl", ENGINE, "{'system':{'wsl':null}}", CHECK_UNKNOWN },

	{ "packages/manager/none",       "packages.manager", ENGINE, "{'packages':{'manager':null}}", CHECK_FAIL },
	{ "packages/manager/not-needed", "packages.manager", NATIVE, "{'packages':{'manager':null}}", CHECK_SKIPPED },
	{ "packages/health/interrupted", "packages.health", ENGINE, "{'packages':{'is_interrupted':true}}", CHECK_FAIL },
	{ "packages/health/broken",      "packages.health", ENGINE, "{'packages':{'broken_count':1}}", CHECK_FAIL },
	{ "packages/health/unknown",     "packages.health", ENGINE, "{'packages':{'broken_count':null}}", CHECK_UNKNOWN },
	{ "packages/health/half",        "packages.health", ENGINE, "{'packages':{'is_interrupted':null}}", CHECK_UNKNOWN },
	{ "packages/health/dnf",         "packages.health", ENGINE, "{'packages':{'manager':'dnf5'}}", CHECK_PASS },
	{ "packages/health/dnf-cut",     "packages.health", ENGINE, "{'packages':{'manager':'dnf5','is_interrupted':true,'trouble':'/var/lib/rpmrebuilddb.1'}}", CHECK_FAIL },
	{ "packages/health/pacman",      "packages.health", ENGINE, "{'packages':{'manager':'pacman','is_interrupted':null}}", CHECK_SKIPPED },
	{ "packages/health/no-manager",  "packages.health", ENGINE, "{'packages':{'manager':null}}", CHECK_SKIPPED },
	{ "packages/lock/held",          "packages.lock", ENGINE, "{'packages':{'is_locked':true,'lock_pid':1}}", CHECK_WARN },
	{ "packages/lock/held-by-whom",  "packages.lock", ENGINE, "{'packages':{'is_locked':true,'lock_pid':null}}", CHECK_WARN },
	{ "packages/lock/unknown",       "packages.lock", ENGINE, "{'packages':{'is_locked':null}}", CHECK_UNKNOWN },
	{ "packages/lock/no-manager",    "packages.lock", ENGINE, "{'packages':{'manager':null}}", CHECK_SKIPPED },
	{ "privilege/root",      "privilege.sudo", ENGINE, "{'system':{'uid':0,'has_sudo':false}}", CHECK_PASS },
	{ "privilege/sudo",      "privilege.sudo", ENGINE, "{}", CHECK_PASS },
	{ "privilege/none",      "privilege.sudo", ENGINE, "{'system':{'has_sudo':false}}", CHECK_FAIL },
	{ "privilege/no-new",    "privilege.sudo", ENGINE, "{'system':{'has_no_new_privs':true}}", CHECK_FAIL },
	{ "privilege/unknown",   "privilege.sudo", ENGINE, "{'system':{'uid':null}}", CHECK_UNKNOWN },
	{ "privilege/brew",      "privilege.sudo", ENGINE, "{'system':{'has_sudo':false},'packages':{'manager':'brew'}}", CHECK_PASS },
	{ "privilege/brew-root", "privilege.sudo", ENGINE, "{'system':{'uid':0},'packages':{'manager':'brew'}}", CHECK_FAIL },
	{ "privilege/native",    "privilege.sudo", NATIVE, "{'system':{'has_sudo':false}}", CHECK_SKIPPED },
	{ "keyring/none",        "keyring.available", ENGINE, "{'keyring':{'has_bus':false,'has_service':false}}", CHECK_WARN },
	{ "keyring/bus-only",    "keyring.available", ENGINE, "{'keyring':{'has_service':false}}", CHECK_WARN },
	{ "keyring/unknown",     "keyring.available", ENGINE, "{'keyring':{'has_service':null}}", CHECK_UNKNOWN },
	{ "keyring/not-needed",  "keyring.available", NATIVE, "{'keyring':{'has_bus':false}}", CHECK_SKIPPED },

	{ "engine/cli/none",         "engine.cli", ENGINE, "{'engine':{'cli':null}}", CHECK_FAIL },
	{ "engine/reachable/ok",     "engine.reachable", ENGINE, "{}", CHECK_PASS },
	{ "engine/reachable/absent", "engine.reachable", ENGINE, "{'engine':{'state':'absent'}}", CHECK_FAIL },
	{ "engine/reachable/denied", "engine.reachable", ENGINE, "{'engine':{'state':'denied'}}", CHECK_FAIL },
	{ "engine/reachable/refused", "engine.reachable", ENGINE, "{'engine':{'state':'refused'}}", CHECK_FAIL },
	{ "engine/reachable/silent", "engine.reachable", ENGINE, "{'engine':{'state':'no-answer'}}", CHECK_FAIL },
	{ "engine/reachable/remote", "engine.reachable", ENGINE, "{'engine':{'state':'remote'}}", CHECK_UNKNOWN },
	{ "engine/reachable/unasked", "engine.reachable", ENGINE, "{'engine':{'state':'not-asked'}}", CHECK_UNKNOWN },
	{ "engine/reachable/native", "engine.reachable", NATIVE, "{'engine':{'state':'absent'}}", CHECK_SKIPPED },
	{ "engine/version/exact",    "engine.version", ENGINE, "{'engine':{'version':'20.10.0'}}", CHECK_PASS },
	{ "engine/version/debian",   "engine.version", ENGINE, "{'engine':{'version':'20.10.24+dfsg1'}}", CHECK_PASS },
	{ "engine/version/old",      "engine.version", ENGINE, "{'engine':{'version':'20.9.99'}}", CHECK_FAIL },
	{ "engine/version/dev",      "engine.version", ENGINE, "{'engine':{'version':'dev'}}", CHECK_UNKNOWN },
	{ "engine/version/down",     "engine.version", ENGINE, "{'engine':{'state':'refused'}}", CHECK_SKIPPED },
	{ "engine/os-type/windows",  "engine.os_type", ENGINE, "{'engine':{'os_type':'windows'}}", CHECK_FAIL },
	{ "engine/os-type/unknown",  "engine.os_type", ENGINE, "{'engine':{'os_type':null}}", CHECK_UNKNOWN },
	{ "engine/memory/edge",      "engine.memory", ENGINE, "{'engine':{'memory_bytes':7988639177}}", CHECK_WARN },
	{ "engine/memory/short",     "engine.memory", ENGINE, "{'engine':{'memory_bytes':7988639176}}", CHECK_FAIL },
	{ "engine/memory/unknown",   "engine.memory", ENGINE, "{'engine':{'memory_bytes':null}}", CHECK_UNKNOWN },
	{ "engine/cpus/exact",       "engine.cpus", ENGINE, "{'engine':{'cpus':4}}", CHECK_PASS },
	{ "engine/cpus/short",       "engine.cpus", ENGINE, "{'engine':{'cpus':3}}", CHECK_FAIL },
	/* On the device of the home directory: 20 GiB, 10 GiB and 64 MiB together. */
	{ "engine/disk/exact",       "engine.disk", ENGINE, "{'engine':{'root_free_bytes':32279363584}}", CHECK_PASS },
	{ "engine/disk/byte-short",  "engine.disk", ENGINE, "{'engine':{'root_free_bytes':32279363583}}", CHECK_FAIL },
	{ "engine/disk/own-device",  "engine.disk", ENGINE, "{'engine':{'root_device':7,'root_free_bytes':21474836480}}", CHECK_PASS },
	{ "engine/disk/unknown",     "engine.disk", ENGINE, "{'engine':{'root_free_bytes':null}}", CHECK_UNKNOWN },
	{ "engine/disk/desktop",     "engine.disk", ENGINE, "{'engine':{'root_free_bytes':null,'product':'Docker Desktop'}}", CHECK_SKIPPED },
	{ "engine/storage/vfs",      "engine.storage", ENGINE, "{'engine':{'storage_driver':'vfs'}}", CHECK_WARN },
	{ "engine/storage/new",      "engine.storage", ENGINE, "{'engine':{'storage_driver':'overlayfs'}}", CHECK_PASS },
	{ "engine/storage/unknown",  "engine.storage", ENGINE, "{'engine':{'storage_driver':null}}", CHECK_UNKNOWN },
	{ "engine/cgroup/1",         "engine.cgroup", ENGINE, "{'engine':{'cgroup_version':'1'}}", CHECK_WARN },
	{ "engine/cgroup/unknown",   "engine.cgroup", ENGINE, "{'engine':{'cgroup_version':null}}", CHECK_UNKNOWN },
	{ "engine/sibling/docker",   "engine.sibling", ENGINE, "{'system':{'container':'docker'},'engine':{'is_here':false}}", CHECK_WARN },
	{ "engine/sibling/unknown", "engine.sibling", ENGINE, "{'system':{'container':'docker'},'engine':{'is_here':null}}", CHECK_WARN },
	{ "engine/sibling/nested", "engine.sibling", ENGINE, "{'system':{'container':'docker'},'engine':{'is_here':true}}", CHECK_PASS },
	{ "engine/sibling/chroot",   "engine.sibling", ENGINE, "{'system':{'container':'chroot'}}", CHECK_PASS },
	{ "compose/plugin/none",     "compose.plugin", ENGINE, "{'engine':{'compose':null}}", CHECK_FAIL },
	{ "compose/plugin/no-cli",   "compose.plugin", ENGINE, "{'engine':{'cli':null}}", CHECK_SKIPPED },
	{ "compose/version/exact",   "compose.version", ENGINE, "{'engine':{'compose_version':'2.20.0'}}", CHECK_PASS },
	{ "compose/version/v",       "compose.version", ENGINE, "{'engine':{'compose_version':'v5.0.1'}}", CHECK_PASS },
	{ "compose/version/old",     "compose.version", ENGINE, "{'engine':{'compose_version':'2.19.9'}}", CHECK_FAIL },
	{ "compose/version/unknown", "compose.version", ENGINE, "{'engine':{'compose_version':null}}", CHECK_UNKNOWN },
	{ "compose/version/none",    "compose.version", ENGINE, "{'engine':{'compose':null}}", CHECK_SKIPPED },

/* The engine does not answer: then the settings count. */
#define DESKTOP(rest) \
	"{'engine':{'state':'refused','product':null,'platform':null,'memory_bytes':null,'cpus':null}," \
	"'desktop':{'state':'read'," rest "}}"
	{ "desktop/not-desktop",     "desktop.memory", ENGINE, "{}", CHECK_SKIPPED },
	{ "desktop/memory/set",      "desktop.memory", ENGINE, DESKTOP("'memory':'set','memory_bytes':8589934592"), CHECK_PASS },
	{ "desktop/memory/short",    "desktop.memory", ENGINE, DESKTOP("'memory':'set','memory_bytes':8589934591"), CHECK_WARN },
	{ "desktop/memory/default",  "desktop.memory", ENGINE, DESKTOP("'memory':'default'"), CHECK_PASS },
	{ "desktop/memory/wrong",    "desktop.memory", ENGINE, DESKTOP("'memory':'unknown'"), CHECK_UNKNOWN },
	{ "desktop/memory/wsl",      "desktop.memory", ENGINE, "{'system':{'wsl':2},'engine':{'product':'Docker Desktop'}}", CHECK_SKIPPED },
	{ "desktop/memory/engine-says", "desktop.memory", ENGINE, "{'engine':{'product':'Docker Desktop'},'desktop':{'state':'read','memory':'set','memory_bytes':1}}", CHECK_SKIPPED },
	{ "desktop/unreadable",      "desktop.settings", ENGINE, "{'engine':{'product':'Docker Desktop'},'desktop':{'state':'unreadable'}}", CHECK_UNKNOWN },
	{ "desktop/unreadable/echo", "desktop.disk", ENGINE, "{'engine':{'product':'Docker Desktop'},'desktop':{'state':'unreadable'}}", CHECK_SKIPPED },
	{ "desktop/malformed",       "desktop.settings", ENGINE, "{'engine':{'product':'Docker Desktop'},'desktop':{'state':'malformed'}}", CHECK_WARN },
	{ "desktop/engine-down",     "desktop.cpus", ENGINE, DESKTOP("'cpus':'set','cpu_count':2"), CHECK_WARN },
	{ "desktop/cpus/exact",      "desktop.cpus", ENGINE, DESKTOP("'cpus':'set','cpu_count':4"), CHECK_PASS },
	{ "desktop/disk/short",      "desktop.disk", ENGINE, DESKTOP("'disk':'set','disk_bytes':21474836479"), CHECK_WARN },
	{ "desktop/disk/exact",      "desktop.disk", ENGINE, DESKTOP("'disk':'set','disk_bytes':21474836480"), CHECK_PASS },
	{ "desktop/swap/off",        "desktop.swap", ENGINE, DESKTOP("'swap':'set','swap_bytes':0"), CHECK_WARN },
	{ "desktop/swap/on",         "desktop.swap", ENGINE, DESKTOP("'swap':'set','swap_bytes':1048576"), CHECK_PASS },

	{ "port/free",         "port.3000", ENGINE, "{}", CHECK_PASS },
	{ "port/taken",        "port.3000", ENGINE, "{'ports':[{'number':3000,'is_free':false}]}", CHECK_FAIL },
	{ "port/other-taken",  "port.8080", ENGINE, "{'ports':[{'number':3000,'is_free':false},{'number':8080,'is_free':true}]}", CHECK_PASS },
	{ "port/unknown",      "port.3000", ENGINE, "{'ports':[{'number':3000,'why':'Permission denied'}]}", CHECK_UNKNOWN },
	{ "port/not-probed",   "port.3000", ENGINE, "{'ports':[]}", CHECK_UNKNOWN },
	{ "port/container",    "port.3000", ENGINE, "{'system':{'container':'docker'},'engine':{'is_here':false}}", CHECK_UNKNOWN },
	{ "port/nested-engine", "port.3000", ENGINE, "{'system':{'container':'docker'},'engine':{'is_here':true}}", CHECK_PASS },
	{ "port/none-needed",  "port.free", NATIVE, "{}", CHECK_SKIPPED },
};
/* clang-format on */

static Facts *changed_facts(const char *change)
{
	g_autofree char *text = g_strdelimit(g_strdup(change), "'", '"');
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) patch = json_parse_bytes(bytes, change, &error);
	g_autoptr(json_t) object = fixture_json("linux");
	Facts *facts;

	g_assert_no_error(error);
	g_assert_cmpint(json_object_update_recursive(object, patch), ==, 0);
	facts = facts_from_json(object, &error);
	g_assert_no_error(error);
	return facts;
}

static void test_case(gconstpointer data)
{
	const Case *c = data;
	g_autoptr(Facts) facts = changed_facts(c->change);
	g_autoptr(GPtrArray) findings = check_run_all(facts, c->needs, NULL);
	const CheckFinding *finding = fixture_find(findings, c->id);

	g_assert_nonnull(finding);
	g_assert_cmpstr(check_verdict_name(finding->verdict), ==, check_verdict_name(c->want));
	g_assert_nonnull(finding->measured);
	g_assert_true(g_str_has_suffix(finding->remedy, "."));
	if (c->want == CHECK_UNKNOWN)
		g_assert_true(finding->measured_value == FACTS_UNKNOWN);
}

static void test_good_machine_passes_all(void)
{
	g_autoptr(Facts) facts = fixture_facts("linux");
	g_autoptr(GPtrArray) findings = check_run_all(facts, &engine_needs, NULL);

	for (guint i = 0; i < findings->len; i++) {
		const CheckFinding *finding = g_ptr_array_index(findings, i);

		if (finding->verdict != CHECK_PASS && finding->verdict != CHECK_SKIPPED)
			g_error("%s: %s", finding->id, finding->measured);
	}
}

/* Facts of which nothing is known must never pass a check that is about a number. */
static void test_nothing_known_passes_no_number(void)
{
	g_autoptr(Facts) facts = facts_new();
	g_autoptr(GPtrArray) findings = check_run_all(facts, &engine_needs, NULL);

	for (guint i = 0; i < findings->len; i++) {
		const CheckFinding *finding = g_ptr_array_index(findings, i);

		if (finding->unit != NULL)
			g_assert_cmpint(finding->verdict, !=, CHECK_PASS);
	}
}

static bool is_above(const char *id, const Check *below)
{
	CheckWalk walk = { 0 };
	const Check *check;

	while ((check = check_next(&walk)) != below)
		if (strcmp(check->id, id) == 0)
			return true;

	return false;
}

/* The table is data that people edit: hold it to its own rules. */
static void test_rows_are_complete(void)
{
	CheckWalk walk = { 0 };
	const Check *check;

	while ((check = check_next(&walk)) != NULL) {
		g_assert_true(check_find(check->id) == check); /* ids are unique */
		g_assert_cmpint(check->severity, <=, CHECK_FAIL);
		g_assert_cmpuint(strlen(check->id), <, 32);
		g_assert_nonnull(check->title);
		g_assert_nonnull(check->source);
		g_assert_true(g_str_has_suffix(check->remedy, "."));
		if (check->depends != NULL)
			g_assert_true(is_above(check->depends, check));
	}
}

static CheckVerdict ignoring(const char *id, const char *const *words)
{
	g_autoptr(Facts) facts = changed_facts(
		"{'engine':{'state':'absent'},'memory':{'total_bytes':1},"
		"'ports':[{'number':3000,'is_free':false},{'number':8080,'is_free':false}]}");
	g_autoptr(GPtrArray) findings = check_run_all(facts, &engine_needs, words);

	return fixture_find(findings, id)->verdict;
}

static void test_ignore(void)
{
	const char *one[] = { "MEM.Total", "os.supported", NULL };
	const char *ports[] = { "port.*", NULL };
	const char *port[] = { "port.3000", NULL };
	const char *engine[] = { "engine.reachable", NULL };

	g_assert_cmpint(ignoring("mem.total", NULL), ==, CHECK_FAIL);
	g_assert_cmpint(ignoring("mem.total", one), ==, CHECK_IGNORED);
	g_assert_cmpint(ignoring("os.supported", one), ==, CHECK_PASS); /* what passes stays */
	g_assert_cmpint(ignoring("port.3000", one), ==, CHECK_FAIL);    /* and so does the rest */
	g_assert_cmpint(ignoring("port.8080", ports), ==, CHECK_IGNORED);
	g_assert_cmpint(ignoring("port.3000", port), ==, CHECK_IGNORED);
	g_assert_cmpint(ignoring("port.8080", port), ==, CHECK_FAIL);
	g_assert_cmpint(ignoring("engine.reachable", engine), ==, CHECK_IGNORED);
	g_assert_cmpint(ignoring("engine.memory", engine), ==, CHECK_SKIPPED);
}

static void assert_hint(const char *word, const char *expected)
{
	g_autofree char *hint = check_hint(word);

	g_assert_cmpstr(hint, ==, expected);
}

static void test_names(void)
{
	g_assert_true(check_is_known("Mem.Total"));
	g_assert_true(check_is_known("port.8080"));
	g_assert_true(check_is_known("engine.*"));
	g_assert_false(check_is_known("port.http"));
	g_assert_false(check_is_known("port."));
	g_assert_false(check_is_known("mem.totl"));
	g_assert_false(check_is_known(""));
	assert_hint("mem.totl", "; did you mean \"mem.total\"?");
	assert_hint("ENGINE.Memry", "; did you mean \"engine.memory\"?");
	assert_hint("nonesuch", "");
	g_assert_null(check_find("mem"));
}

static void test_format_bytes(void)
{
	static const struct {
		guint64 bytes;
		const char *want;
	} rows[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ KIB, "1.0 KiB" },
		{ 4 * GIB - 1, "3.9 GiB" },
		{ 4 * GIB, "4.0 GiB" },
		{ 8268021760, "7.7 GiB" },
		{ G_MAXINT64, "7.9 EiB" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = check_format_bytes(rows[i].bytes);

		g_assert_cmpstr(text, ==, rows[i].want);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/checks/", cases[i].path, NULL);

		g_test_add_data_func(path, &cases[i], test_case);
	}
	g_test_add_func("/checks/good-machine-passes-all", test_good_machine_passes_all);
	g_test_add_func("/checks/nothing-known", test_nothing_known_passes_no_number);
	g_test_add_func("/checks/rows-are-complete", test_rows_are_complete);
	g_test_add_func("/checks/ignore", test_ignore);
	g_test_add_func("/checks/names", test_names);
	g_test_add_func("/checks/format-bytes", test_format_bytes);
	return g_test_run();
}
