/* base/fault.h - errors that carry an exit status and a hint
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * Exit statuses: a documented interface, never renumbered, never a count.
 * Numbers 64 to 78 have the meaning of sysexits(3); 124 that of timeout(1).
 */
typedef enum {
	STATUS_OK = 0,
	STATUS_FAILED = 1,       /* failed and rolled back, or a check found a failing need */
	STATUS_INCOMPLETE = 2,   /* failed, and the rollback is not complete */
	STATUS_UNVERIFIED = 3,   /* installed, did not pass verification, rolled back */
	STATUS_PENDING = 4,      /* changes are pending (--detailed-exitcode) */
	STATUS_USAGE = 64,       /* the command line is wrong, or --yes is needed */
	STATUS_DATA = 65,        /* an archive or a document is malformed or hostile */
	STATUS_FOREIGN = 66,     /* a journal or receipt is not ours or not readable */
	STATUS_UNAVAILABLE = 69, /* a service, tool or the network does not answer */
	STATUS_BUG = 70,         /* slipway itself is wrong */
	STATUS_CANNOT_CREATE = 73,
	STATUS_IO = 74,        /* disk full, input or output error */
	STATUS_BUSY = 75,      /* somebody else holds a lock; try later */
	STATUS_UNTRUSTED = 76, /* a signature or digest does not match */
	STATUS_DENIED = 77,    /* not permitted */
	STATUS_CONFIG = 78,    /* a setting or a stack definition is wrong */
	STATUS_DEADLINE = 124, /* a deadline passed */
	STATUS_HANGUP = 129,
	STATUS_INTERRUPTED = 130,
	STATUS_TERMINATED = 143,
} ExitStatus;

/** One row of the table that help, manual page and tests are made from. */
typedef struct {
	ExitStatus status;
	const char *name;    /* stable word, in JSON: "unavailable" */
	const char *meaning; /* for people, one phrase */
} ExitStatusRow;

extern const ExitStatusRow exit_status_table[];
extern const gsize exit_status_count;

/** Returns: the stable word for @status; "unknown" for a number not in the table. */
const char *exit_status_name(int status);

/** The error domain of the whole program; a code of it is an ExitStatus. */
#define FAULT fault_quark()
GQuark fault_quark(void);

/**
 * Sets @error in domain FAULT.
 *
 * @hint: (nullable): a sentence that names the next command.  It travels at the
 * end of the message, behind a line break, so g_prefix_error() leaves it alone.
 * The message itself is a lower-case phrase without full stop.
 */
void fault_set(GError **error, ExitStatus status, const char *hint, const char *format, ...)
	G_GNUC_PRINTF(4, 5);

/** As fault_set(), with the status that fits @errnum and ": strerror" appended:
 *  EACCES, EPERM -> DENIED; ENOSPC, EDQUOT, EIO -> IO; EROFS -> CANNOT_CREATE;
 *  ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG -> CANNOT_CREATE; EAGAIN, EBUSY -> BUSY;
 *  ETIMEDOUT -> DEADLINE; anything else -> IO. */
void fault_set_errno(GError **error, int errnum, const char *format, ...) G_GNUC_PRINTF(3, 4);

/** Returns: (transfer full): a hint for what is not valid yet, or not any more: what time it is here. */
char *fault_clock_hint(void);

/** Returns: (transfer full): the message without its hint. */
char *fault_message(const GError *error);

/** Returns: (transfer none) (nullable): the hint of @error. */
const char *fault_hint(const GError *error);

/** Returns: the exit status for any @error; STATUS_IO for G_IO_ERROR and
 *  G_FILE_ERROR, STATUS_FAILED for domains it does not know. */
ExitStatus fault_status(const GError *error);
