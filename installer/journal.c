/* installer/journal.c - records with length and CRC, synced one by one
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"

#define HEAD_BYTES 12
#define BALLAST_BYTES ((off_t)4 * 1024 * 1024)

struct Journal {
	GMutex mutex;
	int fd;
	guint next;
	off_t end; /* where the next record goes; a failed write is cut back to it */
	char *ballast;
};

static void put_u32(guint8 *out, guint32 value)
{
	value = GUINT32_TO_LE(value);
	memcpy(out, &value, sizeof(value));
}

static guint32 get_u32(const guint8 *in)
{
	guint32 value = 0;

	memcpy(&value, in, sizeof(value));
	return GUINT32_FROM_LE(value);
}

static guint32 checksum(const void *data, gsize size_bytes)
{
	return (guint32)crc32(0, data, (uInt)size_bytes);
}

/* Space to write the last records into when the disk is full.  Best effort: a file system that
 * cannot reserve has nothing to give up either. */
static char *make_ballast(const char *journal_path)
{
	g_autofree char *path = g_strconcat(journal_path, ".ballast", NULL);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return NULL;

	file_reserve(fd, BALLAST_BYTES);
	(void)close(fd);
	return g_steal_pointer(&path);
}

static void drop_ballast(Journal *journal)
{
	if (journal->ballast)
		(void)unlink(journal->ballast);
	g_clear_pointer(&journal->ballast, g_free);
}

static Journal *journal_new(const char *path, int fd)
{
	Journal *journal = g_new0(Journal, 1);

	g_mutex_init(&journal->mutex);
	journal->fd = fd;
	journal->ballast = make_ballast(path);
	return journal;
}

Journal *journal_create(const char *path, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(path);
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		fault_set_errno(error, errno, "cannot create the journal %s", path);
		return NULL;
	}

	g_autoptr(Journal) journal = journal_new(path, fd);
	if (!file_sync_dir(directory, error))
		return NULL;

	return g_steal_pointer(&journal);
}

void journal_free(Journal *journal)
{
	if (!journal)
		return;

	drop_ballast(journal);
	(void)close(journal->fd); /* every record was synced */
	g_mutex_clear(&journal->mutex);
	g_free(journal);
}

static bool write_record(Journal *journal, const guint8 *record, gsize size_bytes, GError **error)
{
	if (lseek(journal->fd, journal->end, SEEK_SET) < 0 ||
	    ftruncate(journal->fd, journal->end) != 0) {
		fault_set_errno(error, errno, "cannot write the journal");
		return false;
	}
	if (!file_write_all(journal->fd, record, size_bytes, error))
		return false;
	if (!file_sync_data(journal->fd)) {
		fault_set_errno(error, errno, "cannot sync the journal");
		return false;
	}

	return true;
}

static bool append_locked(Journal *journal, json_t *record, GError **error)
{
	json_object_set_new(record, "n", json_integer((json_int_t)journal->next));

	g_autofree char *text = json_canonical(record);
	gsize length = strlen(text);
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint8 head[HEAD_BYTES];

	put_u32(head, (guint32)length);
	put_u32(head + 4, ~(guint32)length);
	put_u32(head + 8, checksum(text, length));
	g_byte_array_append(bytes, head, HEAD_BYTES);
	g_byte_array_append(bytes, (const guint8 *)text, (guint)length);

	g_autoptr(GError) first = NULL;
	if (!write_record(journal, bytes->data, bytes->len, &first)) {
		drop_ballast(journal);
		if (!write_record(journal, bytes->data, bytes->len, error))
			return false;
	}

	journal->next++;
	journal->end += (off_t)bytes->len;
	return true;
}

void journal_drop_ballast(Journal *journal)
{
	g_mutex_lock(&journal->mutex);
	drop_ballast(journal);
	g_mutex_unlock(&journal->mutex);
}

bool journal_append(Journal *journal, json_t *record, GError **error)
{
	g_autoptr(json_t) owned = record;

	g_mutex_lock(&journal->mutex);
	bool is_written = append_locked(journal, owned, error);
	g_mutex_unlock(&journal->mutex);
	return is_written;
}

typedef struct {
	const guint8 *data;
	gsize size_bytes;
	gsize offset;
	json_t *records;
} Reader;

typedef enum { RECORD_OK, RECORD_TORN, RECORD_DAMAGED } RecordState;

/* After a power loss a file system may have grown the file without its data. */
static bool is_zero_to_end(const Reader *reader)
{
	for (gsize i = reader->offset; i < reader->size_bytes; i++)
		if (reader->data[i] != 0)
			return false;

	return true;
}

static RecordState read_record(Reader *reader)
{
	const guint8 *head = reader->data + reader->offset;
	gsize left = reader->size_bytes - reader->offset;

	if (left < HEAD_BYTES || is_zero_to_end(reader))
		return RECORD_TORN;

	guint32 length = get_u32(head);
	if (length != ~get_u32(head + 4))
		return RECORD_DAMAGED;
	if (length > left - HEAD_BYTES)
		return RECORD_TORN;

	bool is_last = length == left - HEAD_BYTES;
	if (checksum(head + HEAD_BYTES, length) != get_u32(head + 8))
		return is_last ? RECORD_TORN : RECORD_DAMAGED;

	g_autoptr(GBytes) text = g_bytes_new_static(head + HEAD_BYTES, length);
	json_t *record = json_parse_bytes(text, "journal", NULL);
	json_int_t number = json_integer_value(json_object_get(record, "n"));
	if (!record || (gsize)number != json_array_size(reader->records) ||
	    !json_text(record, "type")) {
		json_decref(record);
		return RECORD_DAMAGED;
	}

	json_array_append_new(reader->records, record);
	reader->offset += HEAD_BYTES + length;
	return RECORD_OK;
}

/* Returns: (transfer full): the records, and in @end where the good ones end. */
static json_t *read_all(const char *path, gsize *end, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autoptr(GBytes) bytes = file_read(path, JOURNAL_MAX_BYTES, &cause);

	if (!bytes) {
		fault_set(error,
		          fault_status(cause) == STATUS_DENIED ? STATUS_DENIED : STATUS_FOREIGN,
		          NULL, "cannot read the journal: %s", cause->message);
		return NULL;
	}

	g_autoptr(json_t) records = json_array();
	Reader reader = { .records = records };
	RecordState state = RECORD_OK;

	reader.data = g_bytes_get_data(bytes, &reader.size_bytes);
	while (state == RECORD_OK && reader.offset < reader.size_bytes)
		state = read_record(&reader);
	if (state == RECORD_DAMAGED) {
		fault_set(
			error, STATUS_FOREIGN,
			"Nothing was changed. Keep the file and report it; it says what was done.",
			"the journal %s is damaged at byte %" G_GSIZE_FORMAT, path, reader.offset);
		return NULL;
	}

	*end = reader.offset;
	return g_steal_pointer(&records);
}

json_t *journal_read(const char *path, GError **error)
{
	gsize end = 0;

	return read_all(path, &end, error);
}

Journal *journal_resume(const char *path, json_t **records, GError **error)
{
	gsize end = 0;
	g_autoptr(json_t) found = read_all(path, &end, error);

	if (!found)
		return NULL;

	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		fault_set_errno(error, errno, "cannot open the journal %s", path);
		return NULL;
	}

	Journal *journal = journal_new(path, fd);
	journal->end = (off_t)end;
	journal->next = (guint)json_array_size(found);
	*records = g_steal_pointer(&found);
	return journal;
}
