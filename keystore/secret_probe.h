/* keystore/secret_probe.h - the state of the desktop's keyring, without starting or unlocking it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

typedef enum {
	SECRET_PROBE_NO_BUS,      /* this session has none that we may use */
	SECRET_PROBE_NOT_RUNNING, /* nobody is the Secret Service now */
	SECRET_PROBE_SILENT,      /* the bus or the service does not answer in time */
	SECRET_PROBE_NO_KEYRING,  /* the service has no default collection */
	SECRET_PROBE_LOCKED,
	SECRET_PROBE_UNLOCKED,
} SecretProbeState;

/** All questions together take no longer. */
#define SECRET_PROBE_TIMEOUT_MS 300

/** Asks the bus at @address (of session_bus_address(); nullable).  Blocks.  No item is looked for:
 *  KeePassXC opens a dialog for that when it is locked. */
SecretProbeState secret_probe(const char *address);

/** Returns: (transfer none): the state as a phrase for people. */
const char *secret_probe_phrase(SecretProbeState state);
