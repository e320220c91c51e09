/* keystore/calibrate.c - the largest N that this machine bears, made up for with p where it is low
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/calibrate.h"

#include "keystore/memory.h"

#define LOG_N_LOW 15
#define LOG_N_HIGH 18
#define BLOCK_R 8
#define TARGET_MS 600

/* Equal cost for an attacker below N = 2^17, p = 1.  Source: the ladder of the OWASP password
 * storage cheat sheet. */
static guint8 parallel_for(guint8 log_n)
{
	return log_n >= 17 ? 1 : log_n == 16 ? 2 : 3;
}

ScryptCost calibrate_choose(guint64 small_ms, guint64 available_bytes)
{
	guint8 log_n = LOG_N_LOW;

	while (log_n < LOG_N_HIGH) {
		guint shift = log_n + 1U - LOG_N_LOW;
		guint64 needed_bytes = (guint64)128 * BLOCK_R << (log_n + 1U);

		if (small_ms << shift > TARGET_MS ||
		    (available_bytes > 0 && needed_bytes > available_bytes / 8))
			break;
		log_n++;
	}
	return (ScryptCost){ log_n, BLOCK_R, parallel_for(log_n) };
}

ScryptCost calibrate_cost(void)
{
	static const ScryptCost small = { LOG_N_LOW, BLOCK_R, 1 };
	guint8 out[CRYPTO_KEY_BYTES];
	gint64 start_us = g_get_monotonic_time();

	if (!crypto_scrypt((Span){ "calibrate", 9 }, (Span){ "salt", 4 }, small, out, sizeof(out)))
		return calibrate_choose(G_MAXUINT32, 1);
	gint64 took_us = g_get_monotonic_time() - start_us;
	return calibrate_choose((guint64)took_us / 1000, memory_available());
}
