/* payload/openpgp.h - which keys are in a file of OpenPGP keys
 *
 * Only to compare fingerprints with pinned ones, the same on every machine, also where there is no
 * gpg.  Signatures are verified by the package manager, with its own gpgv or rpm.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Largest file of keys, in bytes.  Source: our own bound; Docker's has under 4 KiB. */
#define OPENPGP_MAX_BYTES ((gsize)256 * 1024)

/** Digits of a fingerprint of version 4. */
#define OPENPGP_FINGERPRINT_LENGTH 40

/**
 * Checks that @file, armored or not, holds the key with @fingerprint and no other: a package manager
 * trusts every key that is in the file.  Strict: one block of armor with nothing around it, packets
 * of public keys, user names and signatures only, keys of version 4.
 *
 * @fingerprint: 40 upper-case hex digits.
 *
 * Returns: false with UNTRUSTED (another key) or DATA (not a file of public keys) set.
 */
bool openpgp_check_key(GBytes *file, const char *fingerprint,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
