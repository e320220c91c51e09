/* checks/check_cpu.c - judges the processors
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_private.h"

static void judge_cpu_count(CheckRun *run)
{
	const FactsCpu *cpu = &run->facts->cpu;
	CheckFinding *finding =
		finding_add_amount(run, &(Amount){ cpu->count, run->needs->cpus, 0, 0, "CPUs" });

	if (cpu->source != NULL)
		finding_set_source(finding, g_strdup(cpu->source));
}

static bool has_feature(const char *features, const char *name)
{
	g_auto(GStrv) words = g_strsplit(features, " ", -1);

	return g_strv_contains((const char *const *)words, name);
}

/* Local models run slowly without AVX, and today's Python wheels not at all without SSE 4.2. */
static void judge_cpu_isa(CheckRun *run)
{
	const char *features = run->facts->cpu.features;
	CheckVerdict verdict = CHECK_PASS;

	if (features == NULL || run->facts->system.architecture == NULL)
		verdict = CHECK_UNKNOWN;
	else if (g_strcmp0(run->facts->system.architecture, "x86_64") != 0)
		verdict = CHECK_PASS;
	else if (!has_feature(features, "sse4.2"))
		verdict = run->check->severity;
	else if (!has_feature(features, "avx"))
		verdict = CHECK_WARN;
	finding_set(&finding_add(run, verdict, features)->needed, g_strdup("sse4.2, better avx"));
}

static void tell_quota(CheckRun *run)
{
	guint64 milli = run->facts->cpu.quota_milli;
	g_autofree char *text = g_strdup_printf("%.2f CPUs", (double)milli / 1000);

	(void)finding_tell(run, milli == FACTS_UNKNOWN ? "none" : text);
}

static void tell_physical(CheckRun *run)
{
	const FactsCpu *cpu = &run->facts->cpu;
	g_autofree char *text =
		g_strdup_printf("%" G_GUINT64_FORMAT " cores, %" G_GUINT64_FORMAT " threads",
	                        cpu->physical, cpu->online);

	(void)finding_tell(
		run, cpu->physical == FACTS_UNKNOWN || cpu->online == FACTS_UNKNOWN ? NULL : text);
}

static void tell_power(CheckRun *run)
{
	const FactsCpu *cpu = &run->facts->cpu;
	g_autofree char *text =
		g_strdup_printf("%s%s", cpu->governor != NULL ? cpu->governor : "not governed",
	                        cpu->is_on_battery == FACT_YES ? ", on battery" : "");

	(void)finding_add(run, CHECK_PASS, text);
}

static void tell_machine(CheckRun *run)
{
	const char *machine = run->facts->system.machine;

	(void)finding_tell(run, machine != NULL && *machine == '\0' ? "none" : machine);
}

static bool applies_with_desktop_on_linux(const Facts *facts, const CheckNeeds *needs)
{
	return applies_to_linux(facts, needs) && applies_with_desktop(facts, needs);
}

static void judge_kvm(CheckRun *run)
{
	const FactsCpu *cpu = &run->facts->cpu;
	CheckFinding *finding;

	if (cpu->has_kvm != FACT_YES) {
		(void)finding_add_fact(run, cpu->has_kvm, NULL, "no /dev/kvm");
		return;
	}
	finding = finding_add_fact(run, cpu->can_use_kvm, "usable", "permission denied");
	if (cpu->can_use_kvm == FACT_NO)
		finding_set_remedy(finding, g_strdup("Run `sudo usermod -aG kvm $USER`, then log "
		                                     "in again."));
}

static bool applies_to_apple_silicon(const Facts *facts, const CheckNeeds *needs)
{
	return applies_to_macos(facts, needs) &&
	       (g_strcmp0(facts->system.architecture, "arm64") == 0 ||
	        facts->system.is_translated == FACT_YES);
}

static void judge_rosetta(CheckRun *run)
{
	(void)finding_add_fact(run, fact_not(run->facts->system.is_translated), "not translated",
	                       "this program is made for Intel");
}

static void tell_rosetta(CheckRun *run)
{
	Fact has_rosetta = run->facts->system.has_rosetta;

	(void)finding_tell(run, has_rosetta == FACT_YES  ? "installed"
	                        : has_rosetta == FACT_NO ? "not installed"
	                                                 : NULL);
}

static bool applies_to_guests(const Facts *facts, const CheckNeeds *needs)
{
	return applies_to_linux(facts, needs) && facts->system.machine != NULL &&
	       *facts->system.machine != '\0';
}

static void tell_steal(CheckRun *run)
{
	guint64 permille = run->facts->cpu.steal_permille;
	g_autofree char *text = permille != FACTS_UNKNOWN
	                                ? g_strdup_printf("%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT
	                                                  " %% since the start",
	                                                  permille / 10, permille % 10)
	                                : NULL;

	(void)finding_tell(run, text);
}

/* clang-format off */
const Check check_rows_cpu[] = {
	{ "cpu.count", "processors", CHECK_WARN, CHECK_LOCAL, NULL, "kernel",
	  "Give this machine more processors, or use a smaller profile.",
	  "How many this process may use: those it is bound to, or fewer where a control group allows less time; a fraction is rounded "
	  "up.",
	  NULL, judge_cpu_count },
	{ "cpu.isa", "instruction set", CHECK_FAIL, CHECK_LOCAL, NULL, "cpuid, hwcap",
	  "In a virtual machine, set the CPU type to that of the host.",
	  "Python's wheels of today need SSE 4.2; without AVX language models fall back to a path several times slower. Virtual "
	  "machines often hide both (Proxmox's kvm64). The processor itself is asked, and whether the kernel saves its registers.",
	  NULL, judge_cpu_isa },
	{ "cpu.quota", "limit on processor time", CHECK_PASS, CHECK_LOCAL, NULL, "cpu.max",
	  "Raise it where the container or unit is defined (--cpus, CPUQuota).",
	  "A control group's share of processor time; the engine's own count of processors does not know it.",
	  applies_to_linux, tell_quota },
	{ "cpu.physical", "cores", CHECK_PASS, CHECK_LOCAL, NULL, "/sys/devices/system/cpu",
	  "Nothing to do.",
	  "Language models run on as many threads as there are cores; the second thread of a core does not make them faster.",
	  NULL, tell_physical },
	{ "cpu.power", "processor's speed", CHECK_PASS, CHECK_LOCAL, NULL, "/sys/devices/system/cpu, power supplies",
	  "Nothing to do.",
	  "On battery or with the governor \"powersave\" the first answers of a model are slow.",
	  applies_to_linux, tell_power },
	{ "os.vm", "hypervisor", CHECK_PASS, CHECK_LOCAL, NULL, "cpuid, firmware",
	  "Nothing to do.",
	  "In a virtual machine, instruction sets and nested virtual machines may be hidden, and the clock may stop with it.",
	  NULL, tell_machine },
	{ "cpu.steal", "time that other machines got", CHECK_PASS, CHECK_LOCAL, NULL, "/proc/stat",
	  "Where it is more than some percent, move to a machine that shares its processors with fewer others.",
	  "While the hypervisor runs other virtual machines, this one waits: health checks and tests run into timeouts that nothing "
	  "here explains.",
	  applies_to_guests, tell_steal },
	{ "cpu.kvm", "virtual machines", CHECK_FAIL, CHECK_LOCAL, NULL, "/dev/kvm",
	  "Switch virtualization on in the firmware (VT-x, SVM), or use Docker Engine, which needs none.",
	  "Docker Desktop on Linux runs its engine in a virtual machine of KVM.",
	  applies_with_desktop_on_linux, judge_kvm },
	{ "cpu.rosetta", "translation by Rosetta", CHECK_WARN, CHECK_LOCAL, NULL, "sysctl.proc_translated",
	  "Install the program that is made for Apple silicon (arm64).",
	  "A translated program takes this Mac for one with an Intel processor, and fetches everything for that one.",
	  applies_to_apple_silicon, judge_rosetta },
	{ "cpu.rosetta_installed", "Rosetta", CHECK_PASS, CHECK_LOCAL, NULL, "/Library/Apple/usr/libexec/oah",
	  "Run `softwareupdate --install-rosetta` when images for amd64 have to run.",
	  "Images that exist for amd64 only run several times faster with Rosetta than with QEMU.",
	  applies_to_apple_silicon, tell_rosetta },
	{ 0 },
};
/* clang-format on */
