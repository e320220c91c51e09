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

static unsigned saved_registers(void)
{
	unsigned low = 0;
	unsigned high = 0;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

/* Not __builtin_cpu_supports(): that one asks the processor at the start of every run, and in a
 * virtual machine each question costs a tenth of what the rest of the start does. */
char *cpu_features_read(const char *architecture G_GNUC_UNUSED)
{
	GString *list = g_string_new(NULL);
	unsigned eax = 0;
	unsigned ebx = 0;
	unsigned ecx = 0;
	unsigned edx = 0;
	unsigned saved = 0;

	if (__get_cpuid(1, &eax, &ebx, &ecx, &edx)) {
		if (ecx & bit_OSXSAVE)
			saved = saved_registers();
		if (ecx & bit_SSE4_2)
			g_string_append(list, "sse4.2 ");
		if ((ecx & bit_AVX) && (saved & SAVES_AVX) == SAVES_AVX)
			g_string_append(list, "avx ");
	}
	if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
		if ((ebx & bit_AVX2) && (saved & SAVES_AVX) == SAVES_AVX)
			g_string_append(list, "avx2 ");
		if ((ebx & bit_AVX512F) && (saved & SAVES_AVX512) == SAVES_AVX512)
			g_string_append(list, "avx512f ");
	}
	return g_strchomp(g_string_free(list, FALSE));
}

#else

char *cpu_features_read(const char *architecture)
{
	if (strcmp(architecture, "aarch64") == 0 || strcmp(architecture, "arm64") == 0)
		return arm_features_read();

	return NULL;
}

#endif
