/* keystore/audit.c - appends to the audit log: one lock, one write, bounded
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "keystore/audit_private.h"
#include "keystore/error.h"
#include "keystore/guard.h"

#define LOCK_TIMEOUT_US (G_USEC_PER_SEC)
#define LOCK_ASK_AGAIN_US 500
#define OPEN_ATTEMPTS 100
#define TAIL_BYTES 2048

/* What the next line follows. */
typedef struct {
	guint64 seq; /* 0: nothing is there */
	guint64 segment;
	guint64 first;
	guint8 hash[AUDIT_HASH_BYTES];
	bool is_open;     /* its last line lacks the line break */
	gsize torn_bytes; /* at its end, which are no line, see audit_line_is_torn() */
	gint64 size;      /* without those */
} Tail;

char *audit_part(const char *path, guint index)
{
	return index == 0 ? g_strdup(path) : g_strdup_printf("%s.%u", path, index);
}

int audit_open(const char *path, int flags, bool *is_absent, GError **error)
{
	g_auto(FileFd) fd =
		open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
	struct stat status;

	*is_absent = fd < 0 && errno == ENOENT && !(flags & O_CREAT);
	if (*is_absent)
		return -1;
	if (fd < 0 && errno == ELOOP) {
		keystore_fail(error, KEYSTORE_ERROR_DENIED, "Move the link out of the way.",
		              "%s is a symbolic link", path);
		return -1;
	}
	if (fd < 0 || fstat(fd, &status) != 0) {
		fault_set_errno(error, errno, "cannot open %s", path);
		return -1;
	}
	if (!guard_file(path, &status, false, error))
		return -1;
	if (status.st_nlink > 1) {
		keystore_fail(error, KEYSTORE_ERROR_DENIED, NULL, "%s has %u hard links", path,
		              (guint)status.st_nlink);
		return -1;
	}
	return file_fd_take(&fd);
}

bool audit_lock(int fd, const char *path, GError **error)
{
	gint64 deadline_us = g_get_monotonic_time() + LOCK_TIMEOUT_US;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			fault_set_errno(error, errno, "cannot lock %s", path);
			return false;
		}
		if (g_get_monotonic_time() >= deadline_us)
			return keystore_fail(error, KEYSTORE_ERROR_TIMEOUT, NULL,
			                     "another process holds the lock of %s", path);
		g_usleep(LOCK_ASK_AGAIN_US);
	}
	return true;
}

/* Whether @path still names what was opened: a writer may have rotated it while we waited. */
static bool is_current(int fd, const char *path)
{
	struct stat opened;
	struct stat named;

	return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 &&
	       opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

/* The log, locked. */
static int open_locked(const char *path, GError **error)
{
	for (guint attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
		bool is_absent = false;
		g_auto(FileFd) fd =
			audit_open(path, O_RDWR | O_APPEND | O_CREAT, &is_absent, error);

		if (fd < 0 || !audit_lock(fd, path, error))
			return -1;
		if (is_current(fd, path))
			return file_fd_take(&fd);
	}
	keystore_fail(error, KEYSTORE_ERROR_TIMEOUT, NULL, "%s is replaced again and again", path);
	return -1;
}

/* Reads the last line in @data, behind which is a NUL, that can be read; those behind it count, and
 * the hash is that of the last one, whatever it is. */
static void parse_tail(const char *data, gsize size, Tail *tail)
{
	guint unreadable = 0;

	tail->is_open = data[size - 1] != '\n';
	if (!tail->is_open)
		size--;
	for (gsize end = size; end > 0;) {
		gsize start = end;
		AuditPlace place = { 0 };

		while (start > 0 && data[start - 1] != '\n')
			start--;
		if (end == size)
			audit_line_hash((Span){ data + start, end - start }, tail->hash);
		if (audit_line_scan(data + start, &place)) {
			tail->seq = place.seq + unreadable;
			tail->segment = place.segment;
			tail->first = place.first;
			return;
		}
		unreadable++;
		end = start > 0 ? start - 1 : 0;
	}
}

/* Takes what is torn off the end.  Returns: how much is left. */
static gsize cut_torn(char *data, gsize size, Tail *tail)
{
	gsize start = size;

	while (start > 0 && data[start - 1] != '\n')
		start--;
	if (!audit_line_is_torn((Span){ data + start, size - start }))
		return size;
	tail->torn_bytes = size - start;
	data[start] = '\0';
	return start;
}

static bool read_tail(int fd, const char *path, Tail *tail, GError **error)
{
	char data[TAIL_BYTES + 1] = "";
	struct stat status;

	if (fstat(fd, &status) != 0) {
		fault_set_errno(error, errno, "cannot read %s", path);
		return false;
	}
	off_t at = MAX(status.st_size - TAIL_BYTES, 0);
	ssize_t size = pread(fd, data, TAIL_BYTES, at);
	if (size < 0) {
		fault_set_errno(error, errno, "cannot read %s", path);
		return false;
	}
	gsize left = cut_torn(data, (gsize)size, tail);
	tail->size = status.st_size - (gint64)tail->torn_bytes;
	if (left > 0)
		parse_tail(data, left, tail);
	return true;
}

/* After a rotation the log is empty, and goes on from the part before. */
static bool read_previous(const char *path, Tail *tail, GError **error)
{
	g_autofree char *previous = audit_part(path, 1);
	bool is_absent = false;
	g_auto(FileFd) fd = audit_open(previous, O_RDONLY, &is_absent, error);

	if (fd < 0)
		return is_absent;
	if (!read_tail(fd, previous, tail, error))
		return false;
	tail->segment++;
	tail->first = 0;
	tail->is_open = false;
	tail->size = 0;
	return true;
}

/* The oldest first, so that a kill in between loses nothing. */
static bool rotate(const char *path, GError **error)
{
	for (guint index = AUDIT_SEGMENTS_KEPT; index > 0; index--) {
		g_autofree char *from = audit_part(path, index - 1);
		g_autofree char *to = audit_part(path, index);

		if (rename(from, to) != 0 && errno != ENOENT) {
			fault_set_errno(error, errno, "cannot rename %s", from);
			return false;
		}
	}
	return true;
}

static GString *make_lines(const AuditLog *log, const Tail *tail, const AuditEvent *events,
                           guint count, AuditHead *head)
{
	GString *text = g_string_new(tail->is_open ? "\n" : NULL);
	AuditPlace place = { MAX(tail->seq, log->sealed.seq), tail->segment, tail->first, { 0 } };
	char store[AUDIT_STORE_SIZE] = "-";
	g_auto(CryptoKey) key = { 0 };

	if (log->key) {
		audit_segment_key(log->key, place.segment, &key);
		audit_store_id(log->key, store);
	}
	memcpy(place.prev, tail->hash, AUDIT_HASH_BYTES);
	for (guint i = 0; i < count; i++) {
		gsize start = text->len;

		place.seq++;
		if (place.first == 0)
			place.first = place.seq;
		audit_line_append(text, &events[i], &place, log->key ? key.data : NULL, store);
		audit_line_hash((Span){ text->str + start, text->len - start - 1 }, place.prev);
	}
	head->seq = place.seq;
	memcpy(head->hash, place.prev, AUDIT_HASH_BYTES);
	return text;
}

static bool write_lines(int fd, const char *path, const GString *text, bool is_durable,
                        GError **error)
{
	if (!file_write_all(fd, text->str, text->len, error)) {
		g_prefix_error(error, "%s: ", path);
		return false;
	}
	if (!is_durable || file_sync_data(fd))
		return true;
	fault_set_errno(error, errno, "cannot write %s", path);
	return false;
}

bool audit_append(const AuditLog *log, const AuditEvent *events, guint count, bool is_durable,
                  AuditHead *head, GError **error)
{
	for (guint attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
		g_auto(FileFd) fd = open_locked(log->path, error);
		Tail tail = { 0 };
		AuditHead last = { 0 };

		if (fd < 0 || !read_tail(fd, log->path, &tail, error))
			return false;
		if (tail.torn_bytes > 0 && ftruncate(fd, tail.size) != 0) {
			fault_set_errno(error, errno, "cannot shorten %s", log->path);
			return false;
		}
		if (tail.size + (gint64)count * AUDIT_LINE_MAX > AUDIT_SEGMENT_BYTES &&
		    tail.size > 0) {
			if (!rotate(log->path, error))
				return false;
			continue;
		}
		if (tail.size == 0 && !read_previous(log->path, &tail, error))
			return false;

		g_autoptr(GString) text = make_lines(log, &tail, events, count, &last);
		if (!write_lines(fd, log->path, text, is_durable, error))
			return false;
		if (head)
			*head = last;
		return true;
	}
	return keystore_fail(error, KEYSTORE_ERROR_TIMEOUT, NULL, "%s is always full", log->path);
}

const char *audit_result(const GError *error)
{
	static const char *const words[] = {
		[KEYSTORE_ERROR_NOT_FOUND] = "not-found",
		[KEYSTORE_ERROR_LOCKED] = "locked",
		[KEYSTORE_ERROR_UNAVAILABLE] = "unavailable",
		[KEYSTORE_ERROR_TIMEOUT] = "timeout",
		[KEYSTORE_ERROR_DENIED] = "denied",
		[KEYSTORE_ERROR_CORRUPT] = "corrupt",
		[KEYSTORE_ERROR_WRONG_KEY] = "wrong-key",
		[KEYSTORE_ERROR_BAD_NAME] = "bad-name",
		[KEYSTORE_ERROR_BAD_SECRET] = "bad-secret",
	};

	if (!error)
		return "ok";
	if (error->domain == KEYSTORE_ERROR && error->code >= 0 &&
	    (gsize)error->code < G_N_ELEMENTS(words) && words[error->code])
		return words[error->code];
	return "failed";
}

bool audit_delete(const char *path, GError **error)
{
	for (guint index = 0; index <= AUDIT_SEGMENTS_KEPT; index++) {
		g_autofree char *part = audit_part(path, index);

		if (file_exists(part) && !file_remove(part, error))
			return false;
	}
	return true;
}
