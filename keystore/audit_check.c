/* keystore/audit_check.c - reads the audit log and finds what was changed in it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "keystore/audit_private.h"

/* A batch of lines may go over the bound. */
#define PART_MAX_BYTES ((gsize)(4 * AUDIT_SEGMENT_BYTES))

/* A line that was read. */
typedef struct {
	AuditPlace place; /* seq 0: no line */
	guint8 hash[AUDIT_HASH_BYTES];
	guint part;
	guint line;
	bool is_sealed;
	bool is_faulty;
} Seen;

/* How far the check has come. */
typedef struct {
	const AuditLog *log;
	AuditReport *report;
	char store[AUDIT_STORE_SIZE]; /* of lines that log->key seals */
	CryptoKey key;                /* of key_segment */
	guint64 key_segment;
	guint64 oldest_segment;
	Seen before;
} Check;

static void fault_free(gpointer data)
{
	AuditFault *fault = data;

	g_free(fault->file);
	g_free(fault->what);
	g_free(fault);
}

static void record_free(gpointer record)
{
	json_decref(record);
}

void audit_report_free(AuditReport *report)
{
	if (!report)
		return;

	g_ptr_array_unref(report->records);
	g_ptr_array_unref(report->faults);
	g_clear_error(&report->locked);
	g_free(report);
}

/* Always true: there is a fault. */
static bool G_GNUC_PRINTF(3, 4) add_fault(Check *check, const Seen *seen, const char *format, ...)
{
	AuditFault *fault = g_new0(AuditFault, 1);
	va_list arguments;

	va_start(arguments, format);
	fault->what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	fault->file = audit_part(check->log->path, seen->part);
	fault->line = seen->line;
	g_ptr_array_add(check->report->faults, fault);
	return true;
}

/* Its MAC.  Returns: whether there is something wrong with it. */
static bool has_bad_seal(Check *check, Span text, const json_t *line, Seen *now)
{
	const char *store = json_text(line, "store");
	AuditReport *report = check->report;

	if (strcmp(store, "-") == 0) {
		report->unsealed++;
		return false;
	}
	if (!check->log->key || strcmp(store, check->store) != 0) {
		report->foreign++;
		return false;
	}
	if (check->key_segment != now->place.segment)
		audit_segment_key(check->log->key, now->place.segment, &check->key);
	check->key_segment = now->place.segment;
	now->is_sealed = true;
	if (!audit_line_is_genuine(text, check->key.data))
		return add_fault(check, now, "was altered");
	report->checked++;
	return false;
}

/* Each line says which was the first of its segment. */
static bool has_bad_start(Check *check, const Seen *now)
{
	const AuditPlace *place = &now->place;

	check->oldest_segment = place->segment;
	if (place->seq == place->first && (place->segment > 0 || place->seq == 1))
		return false;
	return add_fault(check, now, "lines before it are missing");
}

static bool has_bad_place(Check *check, const Seen *now)
{
	const Seen *before = &check->before;
	guint64 expected = before->place.seq + 1;

	if (before->place.seq == 0)
		return has_bad_start(check, now);
	if (now->place.seq > expected)
		return add_fault(check, now, "lines before it are missing: %" G_GUINT64_FORMAT,
		                 now->place.seq - expected);
	if (now->place.seq < expected)
		return add_fault(check, now,
		                 "is not in its place: number %" G_GUINT64_FORMAT
		                 " stands behind number %" G_GUINT64_FORMAT,
		                 now->place.seq, before->place.seq);
	if (before->is_faulty || crypto_equal(now->place.prev, before->hash, AUDIT_HASH_BYTES))
		return false;
	if (before->is_sealed)
		return add_fault(check, now, "does not follow the line before it");
	return add_fault(check, before, "was altered, or a line without MAC before it");
}

/* The line that the store remembers. */
static bool is_other_head(Check *check, const Seen *now)
{
	const AuditHead *sealed = &check->log->sealed;

	return now->place.seq == sealed->seq &&
	       !crypto_equal(now->hash, sealed->hash, AUDIT_HASH_BYTES) &&
	       add_fault(check, now, "is not the line that the keystore remembers");
}

static void check_line(Check *check, Span text, Seen *now)
{
	g_autoptr(json_t) line =
		text.size < AUDIT_LINE_MAX ? audit_line_parse(text, &now->place) : NULL;

	audit_line_hash(text, now->hash);
	if (line) {
		now->is_faulty = has_bad_seal(check, text, line, now) ||
		                 has_bad_place(check, now) || is_other_head(check, now);
		g_ptr_array_add(check->report->records, json_incref(line));
	} else {
		now->place = check->before.place;
		now->place.seq++;
		now->is_faulty = add_fault(check, now, "is damaged");
	}
	check->before = *now;
}

static void check_part(Check *check, guint part, const char *data, gsize size)
{
	const char *end = data + size;
	Seen now = { .part = part };

	for (const char *at = data; at < end;) {
		const char *stop = memchr(at, '\n', (gsize)(end - at));
		Seen next = { .part = part, .line = now.line + 1 };

		if (!stop && part == 0 && audit_line_is_torn((Span){ at, (gsize)(end - at) }))
			return; /* what a killed writer left */
		if (!stop)
			stop = end;
		now = next;
		check_line(check, (Span){ at, (gsize)(stop - at) }, &now);
		at = stop + 1;
	}
}

/* What is not there cannot be read, but is missed. */
static void check_end(Check *check)
{
	const Seen *before = &check->before;
	guint64 last = before->place.seq;
	guint64 sealed = check->log->sealed.seq;
	Seen end = { .line = before->part == 0 ? before->line + 1 : 1 };

	if (sealed > last)
		add_fault(check, &end, "lines are missing at the end: %" G_GUINT64_FORMAT,
		          sealed - last);
	/* A rotation that was killed may have dropped one more. */
	end = (Seen){ .part = AUDIT_SEGMENTS_KEPT, .line = 1 };
	if (check->oldest_segment + AUDIT_SEGMENTS_KEPT <= before->place.segment + 1)
		return;
	if (check->oldest_segment > 0)
		add_fault(check, &end, "older parts of the log are missing");
}

static bool read_part(Check *check, guint part, int fd, const char *path, GError **error)
{
	g_autofree char *data = g_malloc(PART_MAX_BYTES);
	gsize size = 0;
	ssize_t got = 0;

	while (size < PART_MAX_BYTES && (got = read(fd, data + size, PART_MAX_BYTES - size)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			fault_set_errno(error, errno, "cannot read %s", path);
			return false;
		}
		size += (gsize)got;
	}
	check_part(check, part, data, size);
	return true;
}

static bool read_parts(Check *check, GError **error)
{
	for (guint part = AUDIT_SEGMENTS_KEPT + 1; part-- > 0;) {
		g_autofree char *path = audit_part(check->log->path, part);
		bool is_absent = false;
		g_auto(FileFd) fd = audit_open(path, O_RDONLY, &is_absent, error);

		if (is_absent)
			continue;
		if (fd < 0 || !read_part(check, part, fd, path, error))
			return false;
	}
	check_end(check);
	return true;
}

AuditReport *audit_read(const AuditLog *log, GError **error)
{
	g_autoptr(AuditReport) report = g_new0(AuditReport, 1);
	Check check = { .log = log, .report = report };
	bool is_absent = false;
	bool is_read = false;

	report->records = g_ptr_array_new_with_free_func(record_free);
	report->faults = g_ptr_array_new_with_free_func(fault_free);
	if (log->key) {
		audit_segment_key(log->key, 0, &check.key);
		audit_store_id(log->key, check.store);
	}
	/* Whoever appends or rotates has its lock. */
	g_auto(FileFd) lock = audit_open(log->path, O_RDONLY, &is_absent, error);
	if (is_absent || (lock >= 0 && audit_lock(lock, log->path, error)))
		is_read = read_parts(&check, error);
	crypto_key_clear(&check.key);
	return is_read ? g_steal_pointer(&report) : NULL;
}
