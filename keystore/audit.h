/* keystore/audit.h - a log of what was done with keys, in which a change is noticed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/json.h"

/**
 * PATH.audit beside the store, and PATH.audit.1 (newest) to .4 before it.  A line is a JSON object of
 * at most AUDIT_LINE_MAX bytes:
 *
 *   seq, segment, first (seq of the segment's first line), time, op, profile, name, backend, source,
 *   result, uid, pid, parent (name of the parent process), exe, store, prev, mac
 *
 * `prev` is SHA-256 of the line before, its first 16 bytes; `mac` is HMAC-SHA256 over the line up to
 * it, its first 16 bytes.  The key of segment 0 is derived from the store's master secret, that of
 * the next one is SHA-256 of it.  What is written while the store cannot be opened has store "-" and
 * no MAC: the next line with one covers it.  No secret, no length and no hash of one is in it.
 *
 * The head, number and hash of a line, is sealed in the store with each change, so lines up to the
 * last change cannot be taken off the end.  What cannot be noticed: lines after it that are taken
 * off, and anything done by who can open the store.
 */
#define AUDIT_LINE_MAX 512
#define AUDIT_SEGMENT_BYTES ((gint64)1024 * 1024)
#define AUDIT_SEGMENTS_KEPT 4
#define AUDIT_HASH_BYTES 16

/** Which line was the last one. */
typedef struct {
	guint64 seq; /* 0: there was none */
	guint8 hash[AUDIT_HASH_BYTES];
} AuditHead;

typedef struct {
	const char *path;  /* of the log */
	const guint8 *key; /* (nullable): CRYPTO_KEY_BYTES; NULL: the store cannot be opened */
	AuditHead sealed;  /* as the store has it */
} AuditLog;

/** One line; all are words of ours or valid names. */
typedef struct {
	const char *op; /* "get", "set", "remove", "list" */
	const char *profile;
	const char *name; /* (nullable) */
	const char *backend;
	const char *source;
	const char *result; /* "begun", or of audit_result() */
} AuditEvent;

/**
 * Appends @count lines in one write, under a lock that is waited for at most a second; the log is
 * made (0600) in a directory that exists, and rotated.
 *
 * @is_durable: wait until they are on the disk.
 * @head: (out) (optional): of the last of them.
 * Returns: false with DENIED (owner, mode or links of the log are not as they must be), TIMEOUT or
 * domain FAULT set.
 */
bool audit_append(const AuditLog *log, const AuditEvent *events, guint count, bool is_durable,
                  AuditHead *head, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer none): the word for @error (nullable: "ok"). */
const char *audit_result(const GError *error);

/** Returns: (transfer full): the head as text, for the store. */
char *audit_head_print(const AuditHead *head);

/** Returns: the head that @text (nullable) says; seq 0 when it says none. */
AuditHead audit_head_parse(const char *text);

/** A line that is not as it was written. */
typedef struct {
	char *file;
	guint line; /* from 1; one more than there are: lines are missing at the end */
	char *what; /* one phrase */
} AuditFault;

typedef struct {
	GPtrArray *records; /* (element-type json_t): what can be read, oldest first */
	GPtrArray *faults;  /* (element-type AuditFault): empty: nothing was changed */
	GError *locked; /* (nullable): why the store cannot be opened, so that no MAC was checked */
	guint checked;  /* lines whose MAC fits */
	guint unsealed; /* lines without one */
	guint foreign;  /* lines of another keystore, which cannot be checked here */
} AuditReport;
void audit_report_free(AuditReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AuditReport, audit_report_free)

/** Reads and checks all of the log; an absent one is empty.  Without a key no MAC is checked.
 *  Returns: (transfer full): the report; or NULL with an error as of audit_append() set. */
AuditReport *audit_read(const AuditLog *log, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes the log and its older parts; an absent one is success. */
bool audit_delete(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
