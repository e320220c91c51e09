/* checks/check_gpu.c - judges graphics cards, and what programs need to compute on them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_private.h"

/* Source: Ollama's documentation of its hardware support: drivers from 550 for cards of compute
 * capability 5.0 and later, from 570 for those up to 6.2. */
#define NVIDIA_DRIVER "550"
#define NVIDIA_DRIVER_OLD_CARD "570"
#define NVIDIA_TARGET "5.0"
#define NVIDIA_TARGET_OLD_TO "6.2"

#define NOT_ASKED "not asked: `slipway check --all` runs nvidia-smi"

static bool is_of(const FactsCard *card, const char *vendor)
{
	return g_strcmp0(card->vendor, vendor) == 0;
}

static const FactsCard *find_card(const Facts *facts, const char *vendor)
{
	for (guint i = 0; i < facts->cards->len; i++) {
		const FactsCard *card = g_ptr_array_index(facts->cards, i);

		if (is_of(card, vendor))
			return card;
	}
	return NULL;
}

bool applies_with_models(const Facts *facts G_GNUC_UNUSED, const CheckNeeds *needs)
{
	return needs->runs_models || needs->model_count > 0;
}

/* Under WSL the driver is that of Windows, on a Jetson that of its system image. */
static bool applies_with_nvidia(const Facts *facts, const CheckNeeds *needs)
{
	return applies_with_models(facts, needs) && find_card(facts, "nvidia") != NULL &&
	       facts->gpu.has_dxg != FACT_YES &&
	       (facts->gpu.jetpack == 0 || facts->gpu.jetpack == FACTS_UNKNOWN);
}

/* Without the driver nothing else is worth a word. */
static bool applies_with_nvidia_driver(const Facts *facts, const CheckNeeds *needs)
{
	return facts->gpu.nvidia_driver != NULL && applies_with_nvidia(facts, needs);
}

static bool applies_with_nvidia_engine(const Facts *facts, const CheckNeeds *needs)
{
	return needs->engine != NULL && applies_with_nvidia_driver(facts, needs);
}

static bool applies_with_amd(const Facts *facts, const CheckNeeds *needs)
{
	return applies_with_models(facts, needs) && applies_to_linux(facts, needs) &&
	       find_card(facts, "amd") != NULL;
}

static bool applies_with_models_on_linux(const Facts *facts, const CheckNeeds *needs)
{
	return applies_with_models(facts, needs) && applies_to_linux(facts, needs);
}

static bool applies_with_dxg(const Facts *facts, const CheckNeeds *needs)
{
	return applies_with_models(facts, needs) && facts->system.wsl == 2;
}

static bool applies_with_cards_selinux(const Facts *facts, const CheckNeeds *needs)
{
	return needs->engine != NULL && applies_with_models(facts, needs) &&
	       facts->cards->len > 0 && g_strcmp0(facts->kernel.selinux, "enforcing") == 0;
}

static bool applies_with_models_on_mac(const Facts *facts, const CheckNeeds *needs)
{
	return !applies_to_linux(facts, needs) && needs->engine != NULL &&
	       applies_with_models(facts, needs);
}

static void describe(const FactsCard *card, GString *text)
{
	const char *vendor = card->vendor != NULL ? card->vendor : "?";

	if (text->len > 0)
		g_string_append(text, "; ");
	if (card->name != NULL)
		g_string_append(text, card->name);
	else
		g_string_append_printf(text, "%s %s", vendor,
		                       card->device != NULL ? card->device : "card");
	if (card->memory_bytes != FACTS_UNKNOWN) {
		g_autofree char *size = check_format_bytes(card->memory_bytes);

		g_string_append_printf(text, ", %s", size);
	}
}

static void judge_gpu_pci(CheckRun *run)
{
	const GPtrArray *cards = run->facts->cards;
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < cards->len; i++)
		describe(g_ptr_array_index(cards, i), text);
	(void)finding_add(run, CHECK_PASS, text->len > 0 ? text->str : "none found");
}

/* Why a card has no driver of NVIDIA, and what to do about it. */
static void judge_no_driver(CheckRun *run)
{
	const FactsCard *card = find_card(run->facts, "nvidia");
	const char *driver = card->driver;
	g_autofree char *measured = driver != NULL ? g_strdup_printf("the card is with %s", driver)
	                                           : g_strdup("no driver");
	CheckFinding *finding = finding_add(run, run->check->severity, measured);

	if (g_strcmp0(driver, "vfio-pci") == 0)
		finding_set_remedy(finding, g_strdup("The card is set aside for a virtual "
		                                     "machine; give it back to this system."));
	else if (g_strcmp0(driver, "nouveau") == 0)
		finding_set_remedy(finding, g_strdup("Install NVIDIA's driver, then restart: "
		                                     "nouveau cannot compute."));
	else if (run->facts->kernel.has_secure_boot == FACT_YES)
		finding_set_remedy(
			finding,
			g_strdup("Install NVIDIA's driver; where it is installed, enroll the "
		                 "key that its module is signed with (`mokutil --import`): "
		                 "Secure Boot refuses it otherwise."));
}

/* The newest that any of the cards asks for. */
static const char *driver_minimum(const Facts *facts)
{
	for (guint i = 0; i < facts->cards->len; i++) {
		const FactsCard *card = g_ptr_array_index(facts->cards, i);

		if (is_of(card, "nvidia") && card->target != NULL &&
		    version_compare(card->target, NVIDIA_TARGET_OLD_TO) <= 0)
			return NVIDIA_DRIVER_OLD_CARD;
	}
	return NVIDIA_DRIVER;
}

static void judge_nvidia_driver(CheckRun *run)
{
	const char *version = run->facts->gpu.nvidia_driver;

	if (version == NULL)
		judge_no_driver(run);
	else
		(void)finding_add_version(run, version, driver_minimum(run->facts));
}

static void judge_nvidia_library(CheckRun *run)
{
	const FactsGpu *gpu = &run->facts->gpu;
	bool is_same = g_strcmp0(gpu->nvidia_library, gpu->nvidia_driver) == 0;
	CheckFinding *finding;

	if (gpu->nvidia_library == NULL) {
		(void)finding_add(run, run->check->severity, "not found");
		return;
	}
	finding =
		finding_add(run, is_same ? CHECK_PASS : run->check->severity, gpu->nvidia_library);
	finding_set(&finding->needed, g_strdup(gpu->nvidia_driver));
	finding_set_remedy(finding, g_strdup("Restart the machine: the driver was updated while "
	                                     "the old one is in use."));
}

static void judge_nvidia_uvm(CheckRun *run)
{
	const FactsGpu *gpu = &run->facts->gpu;

	if (gpu->has_nvidia_uvm == FACT_UNKNOWN || gpu->has_nvidia_devices == FACT_UNKNOWN)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else if (gpu->has_nvidia_uvm == FACT_YES && gpu->has_nvidia_devices == FACT_YES)
		(void)finding_add(run, CHECK_PASS, "present");
	else if (gpu->has_nvidia_modprobe == FACT_YES && run->facts->system.container == NULL)
		(void)finding_add(run, CHECK_PASS, "made when they are first used");
	else
		(void)finding_add(run, run->check->severity,
		                  gpu->has_nvidia_uvm == FACT_YES ? "no /dev/nvidia0"
		                                                  : "no /dev/nvidia-uvm");
}

/* Of several cards the best counts: it is the one that is used. */
static void judge_nvidia_target(CheckRun *run)
{
	const Facts *facts = run->facts;
	const char *best = NULL;

	for (guint i = 0; i < facts->cards->len; i++) {
		const FactsCard *card = g_ptr_array_index(facts->cards, i);

		if (is_of(card, "nvidia") && card->target != NULL &&
		    (best == NULL || version_compare(card->target, best) > 0))
			best = card->target;
	}
	if (best == NULL && facts->gpu.is_nvidia_asked != FACT_YES)
		(void)finding_add(run, CHECK_SKIPPED, NOT_ASKED);
	else
		(void)finding_add_version(run, best, NVIDIA_TARGET);
}

static bool has_word(const char *list, const char *word)
{
	g_auto(GStrv) words = g_strsplit(list != NULL ? list : "", " ", -1);

	return g_strv_contains((const char *const *)words, word);
}

/* The engine's own word counts; files tell why. */
static void judge_nvidia_toolkit(CheckRun *run)
{
	const Facts *facts = run->facts;
	CheckFinding *finding;

	if (has_word(facts->engine.runtimes, "nvidia")) {
		(void)finding_add(run, CHECK_PASS, "the engine has the runtime \"nvidia\"");
	} else if (facts->engine.cdi_devices != NULL &&
	           strstr(facts->engine.cdi_devices, "nvidia.com/gpu") != NULL) {
		(void)finding_add(run, CHECK_PASS, "the engine has nvidia.com/gpu");
	} else if (facts->gpu.has_nvidia_toolkit == FACT_YES) {
		finding = finding_add(run, run->check->severity,
		                      "installed; the engine does not know of it");
		finding_set_remedy(
			finding,
			g_strdup("Run `sudo nvidia-ctk runtime configure --runtime=docker`, "
		                 "then `sudo systemctl restart docker`."));
	} else {
		(void)finding_add(run,
		                  facts->gpu.has_nvidia_toolkit == FACT_NO ? run->check->severity
		                                                           : CHECK_UNKNOWN,
		                  facts->gpu.has_nvidia_toolkit == FACT_NO ? "not installed"
		                                                           : NULL);
	}
}

/* After `systemctl daemon-reload`, containers of the runtime lose the card: it is in no rule of systemd. */
static void judge_nvidia_cgroup(CheckRun *run)
{
	const Facts *facts = run->facts;
	bool is_lost = g_strcmp0(facts->engine.cgroup_driver, "systemd") == 0 &&
	               facts->gpu.has_cdi != FACT_YES;

	(void)finding_add(run, CHECK_PASS,
	                  facts->engine.cgroup_driver == NULL ? "unknown"
	                  : is_lost ? "systemd, without CDI: containers may lose the card"
	                            : "containers keep the card");
}

static void judge_gpu_wsl(CheckRun *run)
{
	const FactsGpu *gpu = &run->facts->gpu;

	if (gpu->has_dxg == FACT_UNKNOWN)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else if (gpu->has_dxg == FACT_NO)
		(void)finding_add(run, CHECK_PASS, "no card is passed through");
	else
		(void)finding_add(
			run, gpu->has_dxg_library == FACT_YES ? CHECK_PASS : run->check->severity,
			gpu->has_dxg_library == FACT_YES ? "a card, with the driver of Windows"
							 : "a card, without a CUDA library");
}

static void judge_gpu_jetson(CheckRun *run)
{
	guint64 jetpack = run->facts->gpu.jetpack;
	g_autofree char *name = g_strdup_printf("JetPack %" G_GUINT64_FORMAT, jetpack);

	(void)finding_add(run, jetpack != FACTS_UNKNOWN ? CHECK_PASS : CHECK_UNKNOWN,
	                  jetpack == 0               ? "none"
	                  : jetpack != FACTS_UNKNOWN ? name
	                                             : NULL);
}

static void judge_amd_kfd(CheckRun *run)
{
	const FactsGpu *gpu = &run->facts->gpu;
	bool is_denied = gpu->can_use_kfd == FACT_NO || gpu->can_use_render == FACT_NO;
	bool is_allowed = gpu->can_use_kfd == FACT_YES && gpu->can_use_render == FACT_YES;
	CheckFinding *finding;

	if (gpu->has_kfd == FACT_YES && !is_denied) {
		(void)finding_tell(run, is_allowed ? "usable" : NULL);
	} else if (gpu->has_kfd != FACT_YES) {
		(void)finding_add(run,
		                  gpu->has_kfd == FACT_NO ? run->check->severity : CHECK_UNKNOWN,
		                  gpu->has_kfd == FACT_NO ? "no /dev/kfd" : NULL);
	} else {
		finding = finding_add(run, run->check->severity, "permission denied");
		finding_set_remedy(
			finding, g_strdup("Run `sudo usermod -aG render,video $USER`, then log in "
		                          "again."));
	}
}

/* Source: Ollama's documentation of its hardware support, ROCm 7. */
static const char *const amd_targets[] = { "gfx908",  "gfx90a",  "gfx942",  "gfx950",  "gfx1030",
	                                   "gfx1100", "gfx1101", "gfx1102", "gfx1103", "gfx1150",
	                                   "gfx1151", "gfx1200", "gfx1201", NULL };

static void judge_amd_target(CheckRun *run)
{
	const GPtrArray *cards = run->facts->cards;
	const char *found = NULL;

	for (guint i = 0; i < cards->len; i++) {
		const FactsCard *card = g_ptr_array_index(cards, i);

		if (!is_of(card, "amd") || card->target == NULL)
			continue;
		if (g_strv_contains(amd_targets, card->target)) {
			(void)finding_add(run, CHECK_PASS, card->target);
			return;
		}
		found = card->target;
	}
	(void)finding_add(run, found != NULL ? run->check->severity : CHECK_UNKNOWN, found);
}

static void judge_gpu_apple(CheckRun *run)
{
	(void)finding_add(run, run->check->severity, "containers have no access to Metal");
}

static void judge_gpu_selinux(CheckRun *run)
{
	Fact lets = run->facts->gpu.lets_containers;

	(void)finding_add(run,
	                  lets == FACT_YES  ? CHECK_PASS
	                  : lets == FACT_NO ? run->check->severity
	                                    : CHECK_UNKNOWN,
	                  lets == FACT_YES  ? "allowed"
	                  : lets == FACT_NO ? "container_use_devices is off"
	                                    : NULL);
}

/* clang-format off */
const Check check_rows_gpu[] = {
	{ "gpu.pci", "graphics cards", CHECK_PASS, CHECK_LOCAL, NULL, "/sys/bus/pci",
	  "Nothing to do.",
	  "Language models run several times faster on a graphics card. Cards are found on the PCI bus by their class "
	  "(display controller, processing accelerator), whether they have a driver or not.",
	  NULL, judge_gpu_pci },
	{ "gpu.nvidia.driver", "NVIDIA's driver", CHECK_WARN, CHECK_LOCAL, NULL, "/proc/driver/nvidia/version",
	  "Install NVIDIA's driver, 550 or later, from the system's packages.",
	  "Without NVIDIA's own driver the card cannot compute, and models run on the processor. Ollama asks for driver 550, "
	  "and for 570 with cards of compute capability 5.0 to 6.2.",
	  applies_with_nvidia, judge_nvidia_driver },
	{ "gpu.nvidia.library", "NVIDIA's library", CHECK_WARN, CHECK_LOCAL, "gpu.nvidia.driver", "libnvidia-ml.so.1",
	  "Install the libraries of the driver beside it (libcuda1, nvidia-utils or nvidia-driver-cuda).",
	  "Programs load a library that has to be of the same version as the loaded kernel module. They differ after the "
	  "driver's packages were updated and before the machine was restarted; until then no program can use the card.",
	  applies_with_nvidia_driver, judge_nvidia_library },
	{ "gpu.nvidia.uvm", "NVIDIA's devices", CHECK_WARN, CHECK_LOCAL, "gpu.nvidia.driver", "/dev/nvidia-uvm",
	  "Run `sudo modprobe nvidia_uvm`; after the machine slept, unload it first with `sudo rmmod nvidia_uvm`.",
	  "CUDA works through /dev/nvidia-uvm. Where it is missing a model runs on the processor, without a word.",
	  applies_with_nvidia_driver, judge_nvidia_uvm },
	{ "gpu.nvidia.target", "NVIDIA's compute capability", CHECK_WARN, CHECK_SLOW, "gpu.nvidia.driver", "nvidia-smi",
	  "Models run on the processor; nothing to do.",
	  "Ollama is compiled for compute capability 5.0 (Maxwell, 2014) and later. Only nvidia-smi tells it, so this is "
	  "looked at with --all.",
	  applies_with_nvidia_driver, judge_nvidia_target },
	{ "gpu.nvidia.toolkit", "NVIDIA's cards in containers", CHECK_WARN, CHECK_ENGINE, "gpu.nvidia.driver",
	  "engine /info, nvidia-ctk",
	  "Install the package nvidia-container-toolkit, run `sudo nvidia-ctk runtime configure --runtime=docker`, then restart "
	  "the engine.",
	  "A container gets the card through NVIDIA's container toolkit, which the engine has to know as a runtime or through "
	  "CDI files. Without it compose ends with \"could not select device driver\" or the model runs on the processor.",
	  applies_with_nvidia_engine, judge_nvidia_toolkit },
	{ "gpu.nvidia.cgroup", "NVIDIA's cards over a reload of systemd", CHECK_PASS, CHECK_ENGINE, "gpu.nvidia.toolkit",
	  "engine /info",
	  "Use CDI (`sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`), or set the engine's cgroup driver to cgroupfs.",
	  "With the cgroup driver systemd and without CDI, running containers lose the card when systemd reads its units again.",
	  applies_with_nvidia_engine, judge_nvidia_cgroup },
	{ "gpu.wsl", "graphics card of Windows", CHECK_WARN, CHECK_LOCAL, NULL, "/dev/dxg",
	  "Install NVIDIA's driver in Windows, then run `wsl --shutdown`; never install a driver for Linux inside WSL.",
	  "Under WSL 2 the card comes through /dev/dxg, with libraries that the driver of Windows puts into /usr/lib/wsl/lib.",
	  applies_with_dxg, judge_gpu_wsl },
	{ "gpu.jetson", "NVIDIA Jetson", CHECK_PASS, CHECK_LOCAL, NULL, "/etc/nv_tegra_release",
	  "Nothing to do.",
	  "On a Jetson, Ollama takes libraries made for JetPack 5 or 6; its graphics share the machine's memory.",
	  applies_with_models_on_linux, judge_gpu_jetson },
	{ "gpu.amd.kfd", "AMD's compute driver", CHECK_WARN, CHECK_LOCAL, NULL, "/dev/kfd, /dev/dri/renderD*",
	  "Use a kernel with amdgpu and its compute part (any of the distributions' kernels), or install AMD's driver.",
	  "ROCm works through /dev/kfd and a render node of the card; this user has to be allowed to open both.",
	  applies_with_amd, judge_amd_kfd },
	{ "gpu.amd.target", "AMD's graphics version", CHECK_WARN, CHECK_LOCAL, "gpu.amd.kfd", "/sys/class/kfd",
	  "Set HSA_OVERRIDE_GFX_VERSION to the nearest version that is listed (as 10.3.0), or run models on the processor.",
	  "Ollama's ROCm libraries are compiled for a list of graphics versions; a card of another one is not used.",
	  applies_with_amd, judge_amd_target },
	{ "gpu.apple.container", "models in containers on a Mac", CHECK_WARN, CHECK_LOCAL, NULL, "system",
	  "Run Ollama outside of containers; they reach it at host.docker.internal:11434.",
	  "Linux containers cannot use a Mac's graphics: measured, a model answered almost two hundred times slower there.",
	  applies_with_models_on_mac, judge_gpu_apple },
	{ "gpu.selinux", "cards in containers under SELinux", CHECK_WARN, CHECK_LOCAL, NULL, "/sys/fs/selinux",
	  "Run `sudo setsebool -P container_use_devices on`.",
	  "SELinux keeps containers from devices unless its boolean container_use_devices is on.",
	  applies_with_cards_selinux, judge_gpu_selinux },
	{ 0 },
};
/* clang-format on */
