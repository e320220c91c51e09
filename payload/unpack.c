/* payload/unpack.c - the passes over an archive: check everything, then write
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "payload/unpack_private.h"

typedef struct archive ArchiveReader;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ArchiveReader, archive_read_free)

#define TAR_BLOCK_BYTES 512
#define TAR_TYPEFLAG 156 /* POSIX, ustar header */
#define TAR_CHECKSUM 148
#define TAR_CHECKSUM_BYTES 8

/* One pass. */
typedef struct {
	const UnpackSource *source;
	const UnpackSink *sink; /* (nullable) */
	UnpackStream *stream;
	UnpackRules *rules;
	ArchiveReader *reader;
	GError *cause; /* why feed_reader() failed: libarchive would only keep its text */
	guint selected;
} Pass;

static la_ssize_t feed_reader(struct archive *a, void *data, const void **buffer)
{
	Pass *pass = data;
	const guint8 *piece = NULL;
	gssize got = 0;

	if (pass->cause)
		return ARCHIVE_FATAL;
	got = unpack_stream_next(pass->stream, &piece, &pass->cause);
	if (got < 0) {
		archive_set_error(a, EIO, "%s", pass->cause->message);
		return ARCHIVE_FATAL;
	}
	*buffer = piece;
	return got;
}

/* Always false: the stream's own error if it has one, else what libarchive says. */
static bool fail(Pass *pass, GError **error)
{
	const char *why = archive_error_string(pass->reader);
	g_autofree char *shown = g_strescape(why ? why : "unknown reason", NULL);

	if (pass->cause)
		g_propagate_error(error, g_steal_pointer(&pass->cause));
	else
		fault_set(error, STATUS_DATA, NULL, "not a sound tar archive: %s", shown);
	return false;
}

static bool is_header(const guint8 *block)
{
	guint64 claimed = 0;
	guint64 sum = TAR_CHECKSUM_BYTES * (guint64)' ';
	g_autofree char *digits = g_strndup((const char *)block + TAR_CHECKSUM, TAR_CHECKSUM_BYTES);

	claimed = g_ascii_strtoull(digits, NULL, 8);
	for (gsize i = 0; i < TAR_BLOCK_BYTES; i++)
		if (i < TAR_CHECKSUM || i >= TAR_CHECKSUM + TAR_CHECKSUM_BYTES)
			sum += block[i];

	return sum == claimed;
}

/* libarchive takes every unknown type for a regular file, so look at the header ourselves: it is
 * the block that was read last, unless the map of a sparse file follows it. */
static int find_typeflag(const Pass *pass, struct archive_entry *entry)
{
	guint64 offset = (guint64)archive_filter_bytes(pass->reader, -1);
	const guint8 *block = unpack_stream_block_before(pass->stream, offset);

	if (archive_entry_sparse_count(entry) > 0)
		return 'S';

	return block && is_header(block) ? block[TAR_TYPEFLAG] : -1;
}

static UnpackKind kind_of(struct archive_entry *entry)
{
	if (archive_entry_hardlink(entry))
		return UNPACK_HARDLINK;

	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return UNPACK_FILE;
	case AE_IFDIR:
		return UNPACK_DIRECTORY;
	case AE_IFLNK:
		return UNPACK_SYMLINK;
	default:
		return UNPACK_OTHER;
	}
}

static bool copy_content(Pass *pass, const UnpackEntry *entry, bool is_written, GError **error)
{
	const void *block = NULL;
	size_t size_bytes = 0;
	la_int64_t offset = 0;

	for (;;) {
		int status = archive_read_data_block(pass->reader, &block, &size_bytes, &offset);

		if (status == ARCHIVE_EOF)
			return true;
		if (status != ARCHIVE_OK)
			return fail(pass, error);
		if (offset < 0 || (guint64)offset > entry->size_bytes ||
		    size_bytes > entry->size_bytes - (guint64)offset) {
			fault_set(error, STATUS_DATA, NULL, "an entry is longer than it says");
			return false;
		}
		if (is_written && pass->sink->block &&
		    !pass->sink->block(pass->sink->data, block, size_bytes, (guint64)offset, error))
			return false;
	}
}

static bool take_entry(Pass *pass, struct archive_entry *raw, GError **error)
{
	const UnpackSink *sink = pass->sink;
	g_auto(UnpackEntry) entry = { 0 };
	UnpackClaim claim = {
		.name = archive_entry_pathname(raw),
		.kind = kind_of(raw),
		.mode = (guint)archive_entry_perm(raw),
		.size_bytes = archive_entry_size(raw),
		.typeflag = find_typeflag(pass, raw),
	};

	claim.target = claim.kind == UNPACK_HARDLINK ? archive_entry_hardlink(raw)
	                                             : archive_entry_symlink(raw);
	if (!unpack_rules_admit(pass->rules, &claim, &entry, error))
		return false;

	bool is_written = sink && entry.path;
	pass->selected += entry.path != NULL;
	if (is_written && !sink->entry(sink->data, &entry, error))
		return false;
	if (!copy_content(pass, &entry, is_written && entry.kind == UNPACK_FILE, error))
		return false;

	return !is_written || !sink->end || sink->end(sink->data, &entry, error);
}

static bool take_all(Pass *pass, GError **error)
{
	for (;;) {
		struct archive_entry *entry = NULL;
		int status = archive_read_next_header(pass->reader, &entry);

		if (status == ARCHIVE_EOF && !pass->cause)
			break;
		if (status != ARCHIVE_OK)
			return fail(pass, error);
		if (!take_entry(pass, entry, error))
			return false;
	}

	return unpack_stream_finish(pass->stream,
	                            (guint64)archive_read_header_position(pass->reader), error);
}

static bool run_pass(Pass *pass, const ArchiveLimits *limits, GError **error)
{
	guint64 size_bytes = pass->source->size_bytes;
	guint64 max_stream = unpack_rules_max_stream(limits, size_bytes);
	g_autoptr(UnpackStream) stream = unpack_stream_new(pass->source, max_stream, error);
	g_autoptr(UnpackRules) rules = unpack_rules_new(limits, size_bytes);
	g_autoptr(ArchiveReader) reader = archive_read_new();

	if (!stream)
		return false;

	pass->stream = stream;
	pass->rules = rules;
	pass->reader = reader;
	if (archive_read_support_format_tar(reader) != ARCHIVE_OK ||
	    archive_read_set_format_option(reader, "tar", "mac-ext", NULL) != ARCHIVE_OK ||
	    archive_read_open(reader, pass, NULL, feed_reader, NULL) != ARCHIVE_OK)
		return fail(pass, error);

	return take_all(pass, error);
}

/* Names in pax headers are UTF-8; libarchive turns them into the locale's encoding, so give it one
 * that has them all.  Without such a locale other names than ASCII are refused. */
static locale_t utf8_locale(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);

	return locale ? locale : newlocale(LC_CTYPE_MASK, "en_US.UTF-8", (locale_t)0);
}

bool unpack_walk(const UnpackSource *source, const ArchiveLimits *limits, const UnpackSink *sink,
                 guint *selected, GError **error)
{
	Pass pass = { .source = source, .sink = sink };
	locale_t locale = utf8_locale();
	locale_t before = locale ? uselocale(locale) : (locale_t)0;
	bool is_done = run_pass(&pass, limits, error);

	if (locale) {
		(void)uselocale(before);
		freelocale(locale);
	}
	g_clear_error(&pass.cause);
	if (!is_done) {
		g_prefix_error(error, "%s: ", source->name);
		return false;
	}

	*selected = pass.selected;
	return true;
}

bool unpack_has_something(guint selected, const UnpackSource *source, GError **error)
{
	if (selected == 0)
		fault_set(error, STATUS_DATA, NULL, "%s: there is nothing to unpack in it",
		          source->name);
	return selected > 0;
}

static bool unpack_source(const UnpackSource *source, const char *directory,
                          const ArchiveLimits *limits, GError **error)
{
	guint selected = 0;

	if (file_exists(directory)) {
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "%s exists already", directory);
		return false;
	}
	if (!unpack_walk(source, limits, NULL, &selected, error) ||
	    !unpack_has_something(selected, source, error))
		return false;

	g_autoptr(UnpackWriter) writer = unpack_writer_new(directory, error);
	if (!writer)
		return false;

	UnpackSink sink = unpack_writer_sink(writer);
	return unpack_walk(source, limits, &sink, &selected, error) &&
	       unpack_writer_commit(writer, error);
}

bool archive_unpack_file(const char *path, const char *directory, const ArchiveLimits *limits,
                         GError **error)
{
	UnpackSource source = { 0 };

	if (!unpack_source_open(path, &source, error))
		return false;

	bool is_done = unpack_source(&source, directory, limits, error);
	(void)close(source.fd);
	return is_done;
}

bool archive_unpack_bytes(GBytes *archive, const char *name, const char *directory,
                          const ArchiveLimits *limits, GError **error)
{
	UnpackSource source = unpack_source_of_bytes(archive, name);

	return unpack_source(&source, directory, limits, error);
}

const char *archive_library(void)
{
	return archive_version_details() + strlen("libarchive ");
}
