/* tests/test_checks_machines.c - machines that we do not have, each a facts file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/checks_fixture.h"

typedef struct {
	const char *name; /* tests/data/facts/NAME.json */
	const char *home;
	bool is_native;
	const char *failing; /* ids in the order of the table, space between */
	const char *warning;
	const char *unknown;
} Machine;

/* clang-format off */
static const Machine machines[] = {
	{ "debian-12-vm", "/home/ana", false, "", "", "" },
	{ "debian-13-container-cgroup2", "/root", true, "mem.total", "mem.available mem.swap cpu.count keyring.available", "" },
	{ "ubuntu-24.04", "/home/ana", false, "compose.version", "", "" },
	{ "fedora-41", "/home/ana", false, "", "", "" },
	{ "fedora-silverblue", "/home/ana", true, "packages.manager", "", "" },
	{ "alpine-3.20", "/home/ana", true, "privilege.sudo", "keyring.available", "" },
	{ "macos-desktop-settings-store", "/Users/ana", false, "", "engine.memory", "compose.version" },
	{ "macos-desktop-settings-old", "/Users/ana", false, "engine.memory", "desktop.memory desktop.swap", "" },
	{ "macos-desktop-unreadable", "/Users/ana", false, "", "", "desktop.memory desktop.cpus desktop.disk desktop.swap" },
	{ "wsl2-ubuntu", "/home/ana", false, "mem.total engine.memory", "mem.available keyring.available", "" },
	{ "wsl1-debian", "/home/ana", true, "", "os.kernel env.wsl keyring.available", "" },
	{ "laptop-4gib", "/home/ana", false, "mem.total engine.memory engine.cpus", "mem.available mem.swap cpu.count cpu.isa", "" },
	{ "disk-full", "/home/ana", false, "disk.space disk.inodes engine.disk", "", "" },
	{ "ci-locked-down", "/builds", true, "disk.writable disk.writable privilege.sudo", "keyring.available", "" },
	{ "dpkg-broken", "/home/ana", true, "packages.health", "", "" },
	{ "dpkg-locked", "/home/ana", true, "", "packages.lock", "" },
	{ "engine-denied", "/home/ana", false, "engine.reachable compose.plugin", "", "" },
	{ "engine-stopped", "/home/ana", false, "engine.reachable", "", "" },
	{ "engine-old", "/home/ana", false, "engine.version compose.plugin", "engine.storage engine.cgroup", "" },
	{ "windows-containers", "/home/ana", false, "engine.os_type", "", "engine.cgroup desktop.memory desktop.cpus desktop.disk desktop.swap" },
	{ "ports-taken", "/home/ana", false, "port.3000 port.8080", "", "" },
	{ "nothing-known", "/home/ana", false, "packages.manager engine.cli", "",
	  "os.supported os.kernel arch env.wsl mem.total mem.available mem.swap cpu.count cpu.isa disk.writable "
	  "disk.writable disk.space disk.space disk.inodes disk.inodes keyring.available engine.reachable "
	  "port.3000 port.8080" },
};
/* clang-format on */

static const char *const architectures[] = { "x86_64", "arm64", NULL };

static GPtrArray *judge(const Machine *machine, const Facts *facts)
{
	g_autofree char *prefix = g_build_filename(machine->home, ".stack", NULL);
	g_autofree char *state = g_build_filename(machine->home, ".local/state/slipway", NULL);
	const CheckDiskNeed disk[] = { { prefix, 10 * GIB }, { state, 64 * MIB } };
	CheckNeeds needs = { .source = "test",
		             .memory_bytes = 8 * GIB,
		             .memory_recommended_bytes = machine->is_native ? 0 : 16 * GIB,
		             .disk = disk,
		             .disk_count = G_N_ELEMENTS(disk),
		             .cpus = 4,
		             .architectures = architectures,
		             .needs_packages = true,
		             .needs_keyring = true };

	if (!machine->is_native) {
		needs.engine = "20.10";
		needs.compose = "2.20";
		needs.engine_disk_bytes = 20 * GIB;
		needs.ports = fixture_ports;
		needs.port_count = G_N_ELEMENTS(fixture_ports);
	}
	return check_run_all(facts, &needs, NULL);
}

static char *ids(const GPtrArray *findings, CheckVerdict verdict)
{
	GString *list = g_string_new(NULL);

	for (guint i = 0; i < findings->len; i++) {
		const CheckFinding *finding = g_ptr_array_index(findings, i);

		if (finding->verdict == verdict)
			g_string_append_printf(list, "%s%s", list->len > 0 ? " " : "", finding->id);
	}
	return g_string_free(list, FALSE);
}

static void test_machine(gconstpointer data)
{
	const Machine *machine = data;
	g_autoptr(Facts) facts = fixture_facts(machine->name);
	g_autoptr(GPtrArray) findings = judge(machine, facts);
	g_autofree char *failing = ids(findings, CHECK_FAIL);
	g_autofree char *warning = ids(findings, CHECK_WARN);
	g_autofree char *unknown = ids(findings, CHECK_UNKNOWN);

	g_assert_cmpstr(failing, ==, machine->failing);
	g_assert_cmpstr(warning, ==, machine->warning);
	g_assert_cmpstr(unknown, ==, machine->unknown);
}

/* What is written is what is read, to the byte. */
static void test_round_trip(gconstpointer data)
{
	const Machine *machine = data;
	g_autoptr(Facts) facts = fixture_facts(machine->name);
	g_autoptr(json_t) once = facts_to_json(facts);
	g_autoptr(GError) error = NULL;
	g_autoptr(Facts) again = facts_from_json(once, &error);
	g_autoptr(json_t) twice = NULL;
	g_autoptr(json_t) file = fixture_json(machine->name);
	g_autofree char *first = json_pretty(once);
	g_autofree char *second = NULL;
	g_autofree char *original = json_pretty(file);

	g_assert_no_error(error);
	twice = facts_to_json(again);
	second = json_pretty(twice);
	g_assert_cmpstr(first, ==, second);
	if (json_object_size(file) > 1) /* a file that says nothing is not what we would write */
		g_assert_cmpstr(first, ==, original);
}

static void test_this_machine(void)
{
	const char *directories[] = { "/", NULL };
	guint16 port = 1;
	FactsRequest request = { .directories = directories,
		                 .ports = &port,
		                 .port_count = 1,
		                 .is_engine_asked = true,
		                 .timeout_ms = 200 };
	g_autoptr(Facts) facts = facts_read(&request);
	g_autoptr(json_t) once = facts_to_json(facts);
	g_autoptr(GError) error = NULL;
	g_autoptr(Facts) again = facts_from_json(once, &error);
	g_autoptr(json_t) twice = again != NULL ? facts_to_json(again) : NULL;

	g_assert_no_error(error);
	g_assert_true(json_equal(once, twice));
	g_assert_cmpuint(facts->memory.total_bytes, !=, FACTS_UNKNOWN);
	g_assert_cmpuint(facts->memory.total_bytes, >, 0);
	g_assert_cmpuint(facts->cpu.count, >=, 1);
	g_assert_nonnull(facts->system.architecture);
	g_assert_nonnull(facts->system.id);
	g_assert_cmpuint(facts->elapsed_us, <, 1000000);
}

static void test_bad_document(gconstpointer data)
{
	const char *text = data;
	g_autofree char *quoted = g_strdelimit(g_strdup(text), "'", '"');
	g_autoptr(GBytes) bytes = g_bytes_new(quoted, strlen(quoted));
	g_autoptr(json_t) object = json_parse_bytes(bytes, "test", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(Facts) facts = facts_from_json(object, &error);

	g_assert_nonnull(object);
	g_assert_null(facts);
	g_assert_nonnull(error);
}

static const char *const bad_documents[] = {
	"[]",
	"{}",
	"{'schema':2}",
	"{'schema':'1'}",
	"{'schema':1,'memory':{'total_bytes':-1}}",
	"{'schema':1,'memory':{'total_bytes':'8'}}",
	"{'schema':1,'memory':{'total_bytes':8.5}}",
	"{'schema':1,'system':{'id':7}}",
	"{'schema':1,'system':{'has_sudo':'yes'}}",
	"{'schema':1,'engine':{'state':'sleepy'}}",
	"{'schema':1,'engine':{'state':0}}",
	"{'schema':1,'desktop':{'memory':'huge'}}",
	"{'schema':1,'directories':[{'path':1}]}",
	"{'schema':1,'ports':[{'number':'80'}]}",
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(machines); i++) {
		g_autofree char *path = g_strconcat("/machines/", machines[i].name, NULL);
		g_autofree char *trip = g_strconcat("/round-trip/", machines[i].name, NULL);

		g_test_add_data_func(path, &machines[i], test_machine);
		g_test_add_data_func(trip, &machines[i], test_round_trip);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad_documents); i++) {
		g_autofree char *path = g_strdup_printf("/bad-document/%02zu", i);

		g_test_add_data_func(path, bad_documents[i], test_bad_document);
	}
	g_test_add_func("/machines/this-one", test_this_machine);
	return g_test_run();
}
