/* tests/test_checks_gpu_linux.c - graphics cards: read from trees, asked of nvidia-smi, judged
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts_gpu_private.h"
#include "tests/checks_fixture.h"
#include "tests/checks_tree.h"

#define NONE FACTS_UNKNOWN
#define PCI "/sys/bus/pci/devices/"
#define DEVICE(at, class, vendor, device)                                   \
	{ PCI at "/class", class "\n" }, { PCI at "/vendor", vendor "\n" }, \
	{                                                                   \
		PCI at "/device", device "\n"                               \
	}
#define DRIVER(at, name)                                              \
	{                                                             \
		PCI at "/driver", "-> ../../../bus/pci/drivers/" name \
	}
#define NVRM "/proc/driver/nvidia/version"
#define CLOSED                                                                                \
	"NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC " \
	"2024\nGCC version:  gcc version 12.2.0\n"
#define OPEN                                                                                   \
	"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build  " \
	"(dvs-builder@U22-I3-AF01-3)\n"
#define INFORMATION "/proc/driver/nvidia/gpus/0000:0b:00.0/information"
#define H100                                                                                      \
	"Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 0\nGPU UUID: \t GPU-0\nDevice Minor: \t " \
	"0\nGPU Excluded:\t No\n"
#define LIBRARIES "/usr/lib/x86_64-linux-gnu/"

typedef struct {
	const char *path;
	const char *cards; /* "vendor device driver target" of each, semicolon between */
	const char *driver, *library;
	Fact has_devices, has_uvm, has_toolkit, has_cdi, has_kfd;
	guint64 memory_bytes, free_bytes, shared_bytes; /* of the first card */
	File files[FILES_MAX];
} Machine;

/* clang-format off */
static const Machine machines[] = {
	{ "no-bus", "", NULL, NULL, 0, 0, 0, FACT_NO, FACT_NO, NONE, NONE, NONE, { { "/etc", NULL } } },
	{ "no-card", "", NULL, NULL, 0, 0, 0, FACT_NO, FACT_NO, NONE, NONE, NONE,
	  { DEVICE("0000:00:00.0", "0x060000", "0x8086", "0x1237"), DEVICE("0000:00:02.0", "0x020000", "0x1af4", "0x1000") } },
	{ "garbage", "", NULL, NULL, 0, 0, 0, FACT_NO, FACT_NO, NONE, NONE, NONE,
	  { { PCI "0000:00:00.0/class", "" }, { PCI "x/class", "0x03" }, { PCI "y/vendor", "0x10de\n" } } },
	{ "nvidia", "nvidia 0x2330 nvidia -", "580.159.04", "580.159.04", FACT_YES, FACT_YES, FACT_YES, FACT_NO, FACT_NO, NONE, NONE, NONE,
	  { DEVICE("0000:0b:00.0", "0x030200", "0x10de", "0x2330"), DRIVER("0000:0b:00.0", "nvidia"), { NVRM, OPEN }, { INFORMATION, H100 },
	    { "/dev/nvidiactl", "" }, { "/dev/nvidia0", "" }, { "/dev/nvidia-uvm", "" }, { "/usr/bin/nvidia-ctk", "" },
	    { LIBRARIES "libnvidia-ml.so.580.159.04", "" }, { LIBRARIES "libnvidia-ml.so.1", "-> libnvidia-ml.so.580.159.04" } } },
	{ "nvidia/updated", "nvidia 0x2330 nvidia -", "550.54.14", "580.159.04", FACT_NO, FACT_NO, FACT_NO, FACT_YES, FACT_NO, NONE, NONE, NONE,
	  { DEVICE("0000:0b:00.0", "0x030000", "0x10de", "0x2330"), DRIVER("0000:0b:00.0", "nvidia"), { NVRM, CLOSED }, { "/etc/cdi/nvidia.yaml", "" },
	    { LIBRARIES "nvidia/current/libnvidia-ml.so.580.159.04", "" }, { LIBRARIES "libnvidia-ml.so.1", "-> nvidia/current/libnvidia-ml.so.580.159.04" } } },
	{ "nvidia/in-container", "nvidia 0x2330 - -", "550.54.14", NULL, FACT_NO, FACT_NO, FACT_NO, FACT_NO, FACT_NO, NONE, NONE, NONE,
	  { DEVICE("0000:0b:00.0", "0x030200", "0x10de", "0x2330"), { "/sys/module/nvidia/version", "550.54.14\n" },
	    { LIBRARIES "libnvidia-ml.so.1", "-> nowhere" } } },
	{ "nouveau", "nvidia 0x1c82 nouveau -", NULL, NULL, FACT_NO, FACT_NO, FACT_NO, FACT_NO, FACT_NO, NONE, NONE, NONE,
	  { DEVICE("0000:01:00.0", "0x030000", "0x10de", "0x1c82"), DRIVER("0000:01:00.0", "nouveau"), { "/sys/module/nouveau", NULL } } },
	{ "amd", "amd 0x74a1 amdgpu gfx942", NULL, NULL, 0, 0, 0, FACT_NO, FACT_YES, 206141652992, 205520896000, 1077936128,
	  { DEVICE("0000:83:00.0", "0x120000", "0x1002", "0x74a1"), DRIVER("0000:83:00.0", "amdgpu"), { "/dev/kfd", "" },
	    { PCI "0000:83:00.0/mem_info_vram_total", "206141652992\n" }, { PCI "0000:83:00.0/mem_info_vram_used", "620756992\n" },
	    { PCI "0000:83:00.0/mem_info_gtt_total", "1077936128\n" },
	    { "/sys/class/kfd/kfd/topology/nodes/0/properties", "cpu_cores_count 96\nlocation_id 0\ndomain 0\ngfx_target_version 0\n" },
	    { "/sys/class/kfd/kfd/topology/nodes/1/properties", "cpu_cores_count 0\nsimd_count 1216\nlocation_id 33536\ndomain 0\ngfx_target_version 90402\n" } } },
	{ "amd/hexadecimal", "amd 0x740f amdgpu gfx90a", NULL, NULL, 0, 0, 0, FACT_NO, FACT_YES, NONE, NONE, NONE,
	  { DEVICE("0001:03:00.0", "0x038000", "0x1002", "0x740f"), DRIVER("0001:03:00.0", "amdgpu"), { "/dev/kfd", "" },
	    { "/sys/class/kfd/kfd/topology/nodes/1/properties", "location_id 768\ndomain 1\ngfx_target_version 90010\n" } } },
	{ "several", "intel 0x56a0 xe -;0x1a03 0x2000 ast -", NULL, NULL, 0, 0, 0, FACT_NO, FACT_NO, NONE, NONE, NONE,
	  { DEVICE("0000:03:00.0", "0x030000", "0x8086", "0x56a0"), DRIVER("0000:03:00.0", "xe"),
	    DEVICE("0000:04:00.0", "0x030000", "0x1a03", "0x2000"), DRIVER("0000:04:00.0", "ast") } },
};
/* clang-format on */

static const char *word(const char *text)
{
	return text != NULL ? text : "-";
}

static char *describe_cards(const Facts *facts)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < facts->cards->len; i++) {
		const FactsCard *card = g_ptr_array_index(facts->cards, i);

		g_string_append_printf(text, "%s%s %s %s %s", i > 0 ? ";" : "", word(card->vendor),
		                       word(card->device), word(card->driver), word(card->target));
	}
	return g_string_free(text, FALSE);
}

static void test_machine(gconstpointer data)
{
	const Machine *c = data;
	g_auto(Tree) tree = { NULL };
	g_autoptr(Facts) facts = facts_new();
	g_autofree char *cards = NULL;

	tree_lay(&tree, c->files, NULL);
	facts_read_gpu(&tree.source, facts);
	cards = describe_cards(facts);
	g_assert_cmpstr(cards, ==, c->cards);
	g_assert_cmpstr(facts->gpu.nvidia_driver, ==, c->driver);
	g_assert_cmpstr(facts->gpu.nvidia_library, ==, c->library);
	g_assert_cmpint(facts->gpu.has_nvidia_devices, ==, c->has_devices);
	g_assert_cmpint(facts->gpu.has_nvidia_uvm, ==, c->has_uvm);
	g_assert_cmpint(facts->gpu.has_nvidia_toolkit, ==, c->has_toolkit);
	g_assert_cmpint(facts->gpu.has_cdi, ==, c->has_cdi);
	g_assert_cmpint(facts->gpu.has_kfd, ==, c->has_kfd);
	if (facts->cards->len > 0) {
		const FactsCard *first = g_ptr_array_index(facts->cards, 0);

		g_assert_cmpuint(first->memory_bytes, ==, c->memory_bytes);
		g_assert_cmpuint(first->memory_free_bytes, ==, c->free_bytes);
		g_assert_cmpuint(first->shared_bytes, ==, c->shared_bytes);
	}
}

/** What nvidia-smi does when it is asked, and what is made of it. */
typedef struct {
	const char *path;
	const char *script; /* (nullable): no such program */
	const char *name;   /* of the first card */
	const char *target;
	guint64 memory_bytes, free_bytes;
	guint count;
	const char *why; /* (nullable): what the reason begins with */
} Answer;

#define SAY(text) "#!/bin/sh\ncat <<'E'\n" text "\nE\n"
#define ASKED_RIGHT                                                              \
	"#!/bin/sh\n[ \"$*\" = "                                                 \
	"\"--query-gpu=pci.bus_id,name,driver_version,compute_cap,memory.total," \
	"memory.free --format=csv,noheader,nounits\" ] || exit 2\n"

/* clang-format off */
static const Answer answers[] = {
	{ "h100", ASKED_RIGHT "echo '00000000:0B:00.0, NVIDIA H100 80GB HBM3, 580.159.04, 9.0, 81559, 81079'\n",
	  "NVIDIA H100 80GB HBM3", "9.0", 81559 * MIB, 81079 * MIB, 1, NULL },
	{ "two", SAY("00000000:0B:00.0, A, 550.1, 8.9, 100, 50\n00000000:0C:00.0, B, 550.1, 8.9, 200, 150"), "A", "8.9", 100 * MIB, 50 * MIB, 2, NULL },
	{ "unified-memory", SAY("00000000:0B:00.0, NVIDIA GB10, 580.82, 12.1, [N/A], [N/A]"), "NVIDIA GB10", "12.1", NONE, NONE, 1, NULL },
	{ "error-in-field", SAY("00000000:0B:00.0, [Unknown Error], 550.1, [N/A], 100, [Insufficient Permissions]"), "NVIDIA H100 80GB HBM3", NULL, 100 * MIB, NONE, 1, NULL },
	{ "no-numbers", SAY("00000000:0B:00.0, A, 550.1, 8.9, -1, 99999999999999999999"), "A", "8.9", NONE, NONE, 1, NULL },
	{ "fewer-fields", SAY("00000000:0B:00.0, A"), "NVIDIA H100 80GB HBM3", NULL, NONE, NONE, 1, NULL },
	{ "no-address", SAY("0, A, 550.1, 8.9, 100, 50"), "NVIDIA H100 80GB HBM3", NULL, NONE, NONE, 1, NULL },
	{ "nothing", "#!/bin/sh\n", "NVIDIA H100 80GB HBM3", NULL, NONE, NONE, 1, NULL },
	{ "mismatch", "#!/bin/sh\necho 'Failed to initialize NVML: Driver/library version mismatch'\nexit 18\n",
	  "NVIDIA H100 80GB HBM3", NULL, NONE, NONE, 1, "Failed to initialize NVML: Driver/library version mismatch" },
	{ "silent-failure", "#!/bin/sh\nexit 9\n", "NVIDIA H100 80GB HBM3", NULL, NONE, NONE, 1, "nvidia-smi ended with status 9" },
	{ "absent", NULL, "NVIDIA H100 80GB HBM3", NULL, NONE, NONE, 1, "nvidia-smi was not found" },
};
/* clang-format on */

static const File box[FILES_MAX] = { DEVICE("0000:0b:00.0", "0x030200", "0x10de", "0x2330"),
	                             { NVRM, OPEN },
	                             { INFORMATION, H100 } };

static void put_program(const Tree *tree, const char *script)
{
	g_autofree char *path = g_strconcat(tree->root, "/usr/bin/nvidia-smi", NULL);
	g_autofree char *parent = g_path_get_dirname(path);

	if (script == NULL)
		return;
	g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
	g_assert_true(g_file_set_contents(path, script, -1, NULL));
	g_assert_cmpint(g_chmod(path, 0755), ==, 0);
}

static void test_answer(gconstpointer data)
{
	const Answer *c = data;
	g_auto(Tree) tree = { NULL };
	g_autoptr(Facts) facts = facts_new();
	const FactsCard *card;

	tree_lay(&tree, box, NULL);
	put_program(&tree, c->script);
	facts_read_gpu(&tree.source, facts);
	nvidia_ask(&tree.source, facts);
	g_assert_cmpuint(facts->cards->len, ==, c->count);
	card = g_ptr_array_index(facts->cards, 0);
	g_assert_cmpstr(card->name, ==, c->name);
	g_assert_cmpstr(card->target, ==, c->target);
	g_assert_cmpuint(card->memory_bytes, ==, c->memory_bytes);
	g_assert_cmpuint(card->memory_free_bytes, ==, c->free_bytes);
	g_assert_cmpstr(facts->gpu.nvidia_why, ==, c->why);
	g_assert_cmpint(facts->gpu.is_nvidia_asked, ==, FACT_YES);
}

/* Under WSL no bus shows the card and no file the driver's version. */
static void test_wsl(void)
{
	static const File files[FILES_MAX] = { { "/dev/dxg", "" },
		                               { "/usr/lib/wsl/lib/libcuda.so.1", "" } };
	g_auto(Tree) tree = { NULL };
	g_autoptr(Facts) facts = facts_new();
	const FactsCard *card;

	tree_lay(&tree, files, NULL);
	put_program(&tree, SAY("00000000:01:00.0, NVIDIA RTX 2000, 552.22, 8.9, 8188, 7000"));
	facts_read_gpu(&tree.source, facts);
	nvidia_ask(&tree.source, facts);
	g_assert_cmpint(facts->gpu.has_dxg_library, ==, FACT_YES);
	g_assert_cmpuint(facts->cards->len, ==, 1);
	card = g_ptr_array_index(facts->cards, 0);
	g_assert_cmpstr(card->vendor, ==, "nvidia");
	g_assert_cmpuint(card->memory_bytes, ==, 8188 * MIB);
	g_assert_cmpstr(facts->gpu.nvidia_driver, ==, "552.22");
}

/* Where there is no driver, no program is run, not even one that is there. */
static void test_not_asked(void)
{
	static const File files[FILES_MAX] = { { "/etc", NULL } };
	g_auto(Tree) tree = { NULL };
	g_autoptr(Facts) facts = facts_new();

	tree_lay(&tree, files, NULL);
	put_program(&tree, SAY("00000000:01:00.0, A, 552.22, 8.9, 8188, 7000"));
	facts_read_gpu(&tree.source, facts);
	nvidia_ask(&tree.source, facts);
	g_assert_cmpuint(facts->cards->len, ==, 0);
	g_assert_cmpint(facts->gpu.is_nvidia_asked, ==, FACT_UNKNOWN);
}

static const CheckModelNeed model_needs[] = { { "large", 8 * GIB, true },
	                                      { "small", 1 * GIB, false } };
static const CheckNeeds native_needs = { .source = "test",
	                                 .runs_models = true,
	                                 .models = model_needs,
	                                 .model_count = G_N_ELEMENTS(model_needs) };
static const CheckNeeds engine_needs = { .source = "test",
	                                 .runs_models = true,
	                                 .engine = "20.10",
	                                 .models = model_needs,
	                                 .model_count = G_N_ELEMENTS(model_needs) };
static const CheckNeeds no_needs = { .source = "test" };

typedef struct {
	const char *path, *id;
	const CheckNeeds *needs;
	const char *facts; /* ' stands for " */
	CheckVerdict want;
	const char *measured; /* (nullable): not looked at */
} Case;

#define CARD(rest) "'cards':[{'vendor':'nvidia','address':'0000:0b:00.0'," rest "}]"
#define NVIDIA(gpu) \
	"{'gpu':{'nvidia_driver':'580.159.04','jetpack':0," gpu "}," CARD("'driver':'nvidia'") "}"
#define ENGINE(gpu, engine)                                                                        \
	"{'gpu':{'nvidia_driver':'580.159.04','jetpack':0," gpu "},'engine':{'state':'ok'," engine \
	"}," CARD("'driver':'nvidia'") "}"
#define USABLE "'has_kfd':true,'can_use_kfd':true,'can_use_render':true"
#define AMD(gpu, card) \
	"{'system':{'name':'Linux'},'gpu':{" gpu "},'cards':[{'vendor':'amd'," card "}]}"
#define MEMORY(memory, card) \
	"{'memory':{'total_bytes':" memory "},'gpu':{'nvidia_driver':'580'}," CARD(card) "}"

/* clang-format off */
static const Case cases[] = {
	{ "pci/none", "gpu.pci", &no_needs, "{}", CHECK_PASS, "none found" },
	{ "pci/h100", "gpu.pci", &no_needs, "{" CARD("'name':'NVIDIA H100 80GB HBM3','memory_bytes':85520809984") "}", CHECK_PASS, "NVIDIA H100 80GB HBM3, 79.6 GiB" },
	{ "pci/no-name", "gpu.pci", &no_needs, "{'cards':[{'vendor':'intel','device':'0x56a0'},{'vendor':null}]}", CHECK_PASS, "intel 0x56a0; ? card" },
	{ "driver/no-card", "gpu.nvidia.driver", &native_needs, "{}", CHECK_SKIPPED, NULL },
	{ "driver/no-models", "gpu.nvidia.driver", &no_needs, "{" CARD("'driver':null") "}", CHECK_SKIPPED, NULL },
	{ "driver/good", "gpu.nvidia.driver", &native_needs, NVIDIA("'has_kfd':false"), CHECK_PASS, "580.159.04" },
	{ "driver/edge", "gpu.nvidia.driver", &native_needs, "{'gpu':{'nvidia_driver':'550.0'}," CARD("'target':'8.9'") "}", CHECK_PASS, NULL },
	{ "driver/old", "gpu.nvidia.driver", &native_needs, "{'gpu':{'nvidia_driver':'549.99'}," CARD("'target':'8.9'") "}", CHECK_WARN, NULL },
	{ "driver/old-card", "gpu.nvidia.driver", &native_needs, "{'gpu':{'nvidia_driver':'560.1'}," CARD("'target':'6.1'") "}", CHECK_WARN, NULL },
	{ "driver/garbage", "gpu.nvidia.driver", &native_needs, "{'gpu':{'nvidia_driver':'x'}," CARD("'target':'6.1'") "}", CHECK_UNKNOWN, NULL },
	{ "driver/none", "gpu.nvidia.driver", &native_needs, "{" CARD("'driver':null") "}", CHECK_WARN, "no driver" },
	{ "driver/nouveau", "gpu.nvidia.driver", &native_needs, "{" CARD("'driver':'nouveau'") "}", CHECK_WARN, "the card is with nouveau" },
	{ "driver/vfio", "gpu.nvidia.driver", &native_needs, "{" CARD("'driver':'vfio-pci'") "}", CHECK_WARN, "the card is with vfio-pci" },
	{ "driver/jetson", "gpu.nvidia.driver", &native_needs, "{'gpu':{'jetpack':6}," CARD("'driver':null") "}", CHECK_SKIPPED, NULL },
	{ "driver/wsl", "gpu.nvidia.driver", &native_needs, "{'gpu':{'has_dxg':true}," CARD("'driver':null") "}", CHECK_SKIPPED, NULL },
	{ "library/same", "gpu.nvidia.library", &native_needs, NVIDIA("'nvidia_library':'580.159.04'"), CHECK_PASS, NULL },
	{ "library/updated", "gpu.nvidia.library", &native_needs, NVIDIA("'nvidia_library':'580.159.05'"), CHECK_WARN, "580.159.05" },
	{ "library/none", "gpu.nvidia.library", &native_needs, NVIDIA("'nvidia_library':null"), CHECK_WARN, "not found" },
	{ "library/no-driver", "gpu.nvidia.library", &native_needs, "{" CARD("'driver':null") "}", CHECK_SKIPPED, NULL },
	{ "uvm/there", "gpu.nvidia.uvm", &native_needs, NVIDIA("'has_nvidia_uvm':true,'has_nvidia_devices':true"), CHECK_PASS, NULL },
	{ "uvm/no-device", "gpu.nvidia.uvm", &native_needs, NVIDIA("'has_nvidia_uvm':true,'has_nvidia_devices':false"), CHECK_WARN, "no /dev/nvidia0" },
	{ "uvm/missing", "gpu.nvidia.uvm", &native_needs, NVIDIA("'has_nvidia_uvm':false,'has_nvidia_devices':true"), CHECK_WARN, "no /dev/nvidia-uvm" },
	{ "uvm/on-demand", "gpu.nvidia.uvm", &native_needs, NVIDIA("'has_nvidia_uvm':false,'has_nvidia_devices':false,'has_nvidia_modprobe':true"), CHECK_PASS, NULL },
	{ "uvm/unknown", "gpu.nvidia.uvm", &native_needs, NVIDIA("'has_cdi':false"), CHECK_UNKNOWN, NULL },
	{ "target/not-asked", "gpu.nvidia.target", &native_needs, NVIDIA("'has_cdi':false"), CHECK_SKIPPED, NULL },
	{ "target/unknown", "gpu.nvidia.target", &native_needs, NVIDIA("'is_nvidia_asked':true"), CHECK_UNKNOWN, NULL },
	{ "target/kepler", "gpu.nvidia.target", &native_needs, "{'gpu':{'nvidia_driver':'580'}," CARD("'target':'3.5'") "}", CHECK_WARN, "3.5" },
	{ "target/best", "gpu.nvidia.target", &native_needs, "{'gpu':{'nvidia_driver':'580'},'cards':[{'vendor':'nvidia','target':'3.5'},{'vendor':'nvidia','target':'12.0'}]}", CHECK_PASS, "12.0" },
	{ "toolkit/no-engine", "gpu.nvidia.toolkit", &native_needs, NVIDIA("'has_nvidia_toolkit':false"), CHECK_SKIPPED, NULL },
	{ "toolkit/runtime", "gpu.nvidia.toolkit", &engine_needs, ENGINE("'has_cdi':false", "'runtimes':'runc nvidia'"), CHECK_PASS, NULL },
	{ "toolkit/like-named", "gpu.nvidia.toolkit", &engine_needs, ENGINE("'has_nvidia_toolkit':false", "'runtimes':'runc nvidia-x'"), CHECK_WARN, "not installed" },
	{ "toolkit/cdi", "gpu.nvidia.toolkit", &engine_needs, ENGINE("'has_cdi':true", "'cdi_devices':'nvidia.com/gpu=all'"), CHECK_PASS, NULL },
	{ "toolkit/not-configured", "gpu.nvidia.toolkit", &engine_needs, ENGINE("'has_nvidia_toolkit':true", "'runtimes':'runc'"), CHECK_WARN, NULL },
	{ "toolkit/unknown", "gpu.nvidia.toolkit", &engine_needs, ENGINE("'has_cdi':false", "'runtimes':'runc'"), CHECK_UNKNOWN, NULL },
	{ "cgroup/systemd", "gpu.nvidia.cgroup", &engine_needs, ENGINE("'has_cdi':false", "'runtimes':'nvidia','cgroup_driver':'systemd'"), CHECK_PASS, "systemd, without CDI: containers may lose the card" },
	{ "wsl/none", "gpu.wsl", &native_needs, "{'system':{'wsl':2},'gpu':{'has_dxg':false}}", CHECK_PASS, NULL },
	{ "wsl/no-driver", "gpu.wsl", &native_needs, "{'system':{'wsl':2},'gpu':{'has_dxg':true,'has_dxg_library':false}}", CHECK_WARN, NULL },
	{ "wsl/good", "gpu.wsl", &native_needs, "{'system':{'wsl':2},'gpu':{'has_dxg':true,'has_dxg_library':true}}", CHECK_PASS, NULL },
	{ "wsl/unknown", "gpu.wsl", &native_needs, "{'system':{'wsl':2}}", CHECK_UNKNOWN, NULL },
	{ "wsl/not-wsl", "gpu.wsl", &native_needs, "{'system':{'wsl':0},'gpu':{'has_dxg':false}}", CHECK_SKIPPED, NULL },
	{ "jetson", "gpu.jetson", &native_needs, "{'gpu':{'jetpack':6}}", CHECK_PASS, "JetPack 6" },
	{ "jetson/unknown", "gpu.jetson", &native_needs, "{}", CHECK_UNKNOWN, NULL },
	{ "amd/usable", "gpu.amd.kfd", &native_needs, AMD(USABLE, "'target':null"), CHECK_PASS, NULL },
	{ "amd/denied", "gpu.amd.kfd", &native_needs, AMD("'has_kfd':true,'can_use_kfd':false", "'target':null"), CHECK_WARN, "permission denied" },
	{ "amd/no-driver", "gpu.amd.kfd", &native_needs, AMD("'has_kfd':false", "'target':null"), CHECK_WARN, "no /dev/kfd" },
	{ "amd/unknown", "gpu.amd.kfd", &native_needs, AMD("'has_cdi':false", "'target':null"), CHECK_UNKNOWN, NULL },
	{ "amd/target", "gpu.amd.target", &native_needs, AMD(USABLE, "'target':'gfx942'"), CHECK_PASS, NULL },
	{ "amd/other-target", "gpu.amd.target", &native_needs, AMD(USABLE, "'target':'gfx803'"), CHECK_WARN, "gfx803" },
	{ "amd/no-target", "gpu.amd.target", &native_needs, AMD(USABLE, "'target':null"), CHECK_UNKNOWN, NULL },
	{ "apple/container", "gpu.apple.container", &engine_needs, "{'system':{'name':'Darwin'}}", CHECK_WARN, NULL },
	{ "apple/native", "gpu.apple.container", &native_needs, "{'system':{'name':'Darwin'}}", CHECK_SKIPPED, NULL },
	{ "selinux/off", "gpu.selinux", &engine_needs, "{'kernel':{'selinux':'off'}," CARD("'driver':null") "}", CHECK_SKIPPED, NULL },
	{ "selinux/denied", "gpu.selinux", &engine_needs, "{'kernel':{'selinux':'enforcing'},'gpu':{'lets_containers':false}," CARD("'driver':null") "}", CHECK_WARN, NULL },

	{ "memory/not-asked", "gpu.memory", &native_needs, NVIDIA("'has_cdi':false"), CHECK_SKIPPED, NULL },
	{ "memory/no-card", "gpu.memory", &native_needs, "{}", CHECK_SKIPPED, NULL },
	{ "memory/no-answer", "gpu.memory", &native_needs, NVIDIA("'is_nvidia_asked':true,'nvidia_why':'it is broken'"), CHECK_UNKNOWN, "it is broken" },
	{ "memory/enough", "gpu.memory", &native_needs, MEMORY("1", "'memory_bytes':10737418240,'memory_free_bytes':9663676416"), CHECK_PASS, "9.0 GiB" },
	{ "memory/byte-short", "gpu.memory", &native_needs, MEMORY("1", "'memory_bytes':10737418240,'memory_free_bytes':9663676415"), CHECK_WARN, "8.9 GiB" },
	{ "memory/free-unknown", "gpu.memory", &native_needs, MEMORY("1", "'memory_bytes':10737418240"), CHECK_UNKNOWN, NULL },
	{ "memory/metal", "gpu.memory", &native_needs, "{'gpu':{'metal_bytes':11453246122}}", CHECK_PASS, "10.6 GiB" },

	{ "model/none", "mem.model_fit", &no_needs, "{}", CHECK_SKIPPED, NULL },
	{ "model/card", "mem.model_fit", &native_needs, MEMORY("1", "'memory_bytes':9663676416"), CHECK_PASS, "9.0 GiB of the graphics card's memory" },
	{ "model/memory", "mem.model_fit", &native_needs, MEMORY("9663676416", "'memory_bytes':1073741824"), CHECK_PASS, "9.0 GiB of memory" },
	{ "model/both", "mem.model_fit", &native_needs, MEMORY("8589934592", "'memory_bytes':1073741824"), CHECK_PASS, "9.0 GiB of memory and the graphics card's together" },
	{ "model/smaller", "mem.model_fit", &native_needs, MEMORY("9663676415", "'memory_bytes':null"), CHECK_WARN, "8.9 GiB" },
	{ "model/too-small", "mem.model_fit", &native_needs, MEMORY("2147483647", "'memory_bytes':null"), CHECK_FAIL, "1.9 GiB" },
	{ "model/unknown", "mem.model_fit", &native_needs, MEMORY("null", "'memory_bytes':1073741824"), CHECK_UNKNOWN, NULL },
	{ "model/idle-card", "mem.model_fit", &native_needs, "{'memory':{'total_bytes':1},'gpu':{'has_kfd':false},'cards':[{'vendor':'amd','memory_bytes':99999999999}]}", CHECK_FAIL, NULL },
	{ "model/several-cards", "mem.model_fit", &native_needs, "{'cards':[{'vendor':'nvidia','memory_bytes':5368709120},{'vendor':'nvidia','memory_bytes':5368709120}]}", CHECK_PASS, "10.0 GiB of the graphics card's memory" },
	{ "model/two-vendors", "mem.model_fit", &native_needs, "{'cards':[{'vendor':'nvidia','memory_bytes':5368709120},{'vendor':'amd','memory_bytes':5368709120}]}", CHECK_UNKNOWN, NULL },
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
	for (gsize i = 0; i < G_N_ELEMENTS(machines); i++) {
		g_autofree char *path = g_strconcat("/gpu/read/", machines[i].path, NULL);

		g_test_add_data_func(path, &machines[i], test_machine);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
		g_autofree char *path = g_strconcat("/gpu/ask/", answers[i].path, NULL);

		g_test_add_data_func(path, &answers[i], test_answer);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/gpu/judge/", cases[i].path, NULL);

		g_test_add_data_func(path, &cases[i], test_case);
	}
	g_test_add_func("/gpu/ask/wsl", test_wsl);
	g_test_add_func("/gpu/ask/no-driver", test_not_asked);
	return g_test_run();
}
