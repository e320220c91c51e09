/* keystore/audit_private.h - lines of the audit log, and the file that has them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <sys/types.h>

#include "keystore/audit.h"
#include "keystore/crypto.h"

/** Where a line stands. */
typedef struct {
	guint64 seq;
	guint64 segment;
	guint64 first;
	guint8 prev[AUDIT_HASH_BYTES];
} AuditPlace;

/** Hex digits of a hash or MAC, and a NUL. */
#define AUDIT_HEX_SIZE (2 * AUDIT_HASH_BYTES + 1)
/** Segments are not counted further: the key of each is reached by hashing. */
#define AUDIT_SEGMENT_LIMIT 100000

/** Writes the key of @segment. */
void audit_segment_key(const guint8 *key, guint64 segment, CryptoKey *out);

/** Appends one line to @out, line break included.  @key: (nullable): of the segment.  @store: the
 *  word of audit_store_id(), or "-". */
void audit_line_append(GString *out, const AuditEvent *event, const AuditPlace *place,
                       const guint8 *key, const char *store);

/** Writes the word by which lines of this store are told from those of another one. */
void audit_store_id(const guint8 *key, char *id);
#define AUDIT_STORE_SIZE 17

/** Writes the hash of a line without its line break. */
void audit_line_hash(Span line, guint8 *hash);

/** Reads a line.
 *  Returns: (transfer full) (nullable): its object; NULL when it is not one of ours. */
json_t *audit_line_parse(Span text, AuditPlace *place);

/** Returns: whether @text, at the end of the log and without a line break, is what a kill or a power loss left of a
 *  line: Linux ends a write at a page when its process is killed.  It was never acknowledged, and no keystore
 *  remembers it. */
bool audit_line_is_torn(Span text);

/** Reads seq, segment and first, which stand at its beginning.  @line: ends with a NUL, or goes on.
 *  Returns: false when it is not one of ours. */
bool audit_line_scan(const char *line, AuditPlace *place);

/** Returns: whether the MAC of a line that audit_line_parse() took is that of @key (of its
 *  segment). */
bool audit_line_is_genuine(Span line, const guint8 *key);

/** Returns: (transfer full): the path of the part @index: 0 is the log itself. */
char *audit_part(const char *path, guint index);

/** Opens a part for reading or, with @flags of open(2), for writing; nobody else can touch it.
 *  @is_absent: (out): there is no such file, which is no error.
 *  Returns: the descriptor; or -1, with DENIED or domain FAULT set unless it is absent. */
int audit_open(const char *path, int flags, bool *is_absent, GError **error);

/** Takes the lock of an open log.  Returns: false with TIMEOUT or domain FAULT set. */
bool audit_lock(int fd, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (nullable): the name of a process, of its executable file; of the
 *  system. */
char *audit_process_name(pid_t pid);
char *audit_program(void);
