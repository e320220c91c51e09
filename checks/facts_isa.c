/* checks/facts_isa.c - instruction sets that programs may use here
 *
 * The processor is asked, not /proc/cpuinfo: that file grows with each CPU, and opening it waits
 * for a frequency measurement on some kernels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/facts_private.h"

#if defined(__x86_64__) || defined(__i386__)

#include <cpuid.h>

/* Which registers the kernel saves: bits of XCR0. */
#define SAVES_AVX 0x06U
#define SAVES_AVX512 0xe6U
#define SAVES_TILES 0x60000U

/* Source: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E. */
#define HAS_HYPERVISOR (1U << 31)
#define HAS_VMX (1U << 5)
#define HAS_SVM (1U << 2)
#define HAS_TILES (1U << 24)
#define HYPERVISOR_LEAF 0x40000000U
#define AMD_LEAF 0x80000001U

/** What one question brings. */
typedef struct {
	unsigned a, b, c, d;
} Registers;

/* In a virtual machine each question costs a tenth of what the rest of the start does: none is asked
 * twice, and __builtin_cpu_supports(), which asks at the start of every run, is not used. */
static Registers ask(unsigned leaf)
{
	Registers result = { 0 };

	__cpuid_count(leaf, 0, result.a, result.b, result.c, result.d);
	return result;
}

static unsigned saved_registers(void)
{
	unsigned low = 0;
	unsigned high = 0;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

static char *list_features(const Registers *basic, const Registers *further)
{
	unsigned saved = (basic->c & bit_OSXSAVE) != 0 ? saved_registers() : 0;
	bool saves_avx = (saved & SAVES_AVX) == SAVES_AVX;
	const struct {
		bool is_there;
		const char *name;
	} features[] = {
		{ (basic->c & bit_SSE4_2) != 0, "sse4.2 " },
		{ (basic->c & bit_AVX) != 0 && saves_avx, "avx " },
		{ (basic->c & bit_F16C) != 0 && saves_avx, "f16c " },
		{ (basic->c & bit_FMA) != 0 && saves_avx, "fma " },
		{ (further->b & bit_AVX2) != 0 && saves_avx, "avx2 " },
		{ (further->b & bit_AVX512F) != 0 && (saved & SAVES_AVX512) == SAVES_AVX512,
		  "avx512f " },
		{ (further->d & HAS_TILES) != 0 && (saved & SAVES_TILES) == SAVES_TILES, "amx " },
	};
	GString *list = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(features); i++)
		if (features[i].is_there)
			g_string_append(list, features[i].name);

	return g_strchomp(g_string_free(list, FALSE));
}

/* Its name stands in three registers: "KVMKVMKVM". */
static char *hypervisor(void)
{
	static const struct {
		const char *said, *name;
	} names[] = { { "KVMKVMKVM", "kvm" },           { "Microsoft Hv", "hyper-v" },
		      { "VMwareVMware", "vmware" },     { "XenVMMXenVMM", "xen" },
		      { "VBoxVBoxVBox", "virtualbox" }, { "bhyve bhyve ", "bhyve" },
		      { " prl hyperv  ", "parallels" }, { "TCGTCGTCGTCG", "qemu" } };
	Registers said = ask(HYPERVISOR_LEAF);
	const unsigned words[] = { said.b, said.c, said.d };
	char text[sizeof(words) + 1] = { 0 };

	memcpy(text, words, sizeof(words));
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (strncmp(text, names[i].said, sizeof(words)) == 0)
			return g_strdup(names[i].name);

	return g_strdup("unknown");
}

void isa_read(const char *architecture G_GNUC_UNUSED, FactsSystem *system, FactsCpu *cpu)
{
	Registers vendor = ask(0);
	Registers basic = ask(1);
	Registers further = { 0 };
	bool is_intel = vendor.b == signature_INTEL_ebx;
	bool has_virtualization;

	if (vendor.a >= 7)
		further = ask(7);
	has_virtualization = is_intel ? (basic.c & HAS_VMX) != 0 : (ask(AMD_LEAF).c & HAS_SVM) != 0;

	cpu->features = list_features(&basic, &further);
	cpu->has_virtualization = has_virtualization ? FACT_YES : FACT_NO;
	system->machine = (basic.c & HAS_HYPERVISOR) != 0 ? hypervisor() : g_strdup("");
}

#else

void isa_read(const char *architecture, FactsSystem *system G_GNUC_UNUSED, FactsCpu *cpu)
{
	if (g_strcmp0(architecture, "aarch64") == 0 || g_strcmp0(architecture, "arm64") == 0)
		cpu->features = arm_features_read();
}

#endif
