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

char *cpu_features_read(const char *architecture G_GNUC_UNUSED)
{
	GString *list = g_string_new(NULL);

	__builtin_cpu_init();
	/* These say yes only where the kernel saves the registers, too. */
	if (__builtin_cpu_supports("sse4.2"))
		g_string_append(list, "sse4.2 ");
	if (__builtin_cpu_supports("avx"))
		g_string_append(list, "avx ");
	if (__builtin_cpu_supports("avx2"))
		g_string_append(list, "avx2 ");
	if (__builtin_cpu_supports("avx512f"))
		g_string_append(list, "avx512f ");
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
