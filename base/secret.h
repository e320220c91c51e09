/* base/secret.h - memory that is wiped, and text that is masked
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * Locks down the process before any secret exists: no core dump, not dumpable.  Call it once, first
 * thing in main().  The heap that secrets are kept in comes with the first of them.
 */
void secret_init(void);

/** Moves the environment, so that /proc/PID/environ and ps(1) show nothing of it.  For us and for
 *  the programs that we start nothing changes.  Call it once, before there are threads. */
void secret_hide_environment(void);

/** How well secrets are kept; see secret_state(). */
typedef struct {
	bool has_heap;    /* secrets are kept apart and wiped */
	bool is_locked;   /* that memory is never written to a swap device */
	bool is_dumpable; /* other processes of this user can read our memory */
	bool can_dump;    /* a crash would leave a core file */
} SecretState;

/** Returns: how well secrets are kept in this process, asked of the system where it can say. */
SecretState secret_state(void);

/**
 * The one constructor of secrets.  Copies @size_bytes into memory that is
 * wiped on the last g_bytes_unref() and followed by a NUL that is not counted.
 * The value is remembered (as a wiping copy) so that secret_mask() hides it from then on.
 */
GBytes *secret_new(const void *data, gsize size_bytes) G_GNUC_WARN_UNUSED_RESULT;

/** As secret_new(), and wipes and frees @data, which came from g_malloc. */
GBytes *secret_new_take(char *data, gsize size_bytes) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): @size_bytes random bytes as lower-case hex; aborts if there is no
 *  entropy source. */
GBytes *secret_new_random_hex(gsize size_bytes) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer none): the secret as a NUL-terminated string.  The caller knows that it
 *  holds no NUL. */
const char *secret_text(GBytes *secret);

/** Registers a value to be masked that is not a GBytes (an environment value, URL userinfo).
 *  Values under 6 bytes are not masked: they would eat ordinary text. */
void secret_mask_value(const char *value, gsize size_bytes);

/** Returns: (transfer full): @text with every known secret, its base64 and its URL-encoded form
 *  replaced by "[masked]", longest first, and URL userinfo hidden.  Thread-safe. */
char *secret_mask(const char *text);

/** Wipes memory in a way the compiler keeps. */
void secret_wipe(void *data, gsize size_bytes);

/** Returns: (transfer none): the version of OpenSSL. */
const char *secret_library(void);
