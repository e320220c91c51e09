/* payload/unpack_private.h - the parts of unpacking: rules, walk, and where the files go
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "payload/archive.h"
#include "payload/unpack_stream_private.h"

typedef enum {
	UNPACK_FILE,
	UNPACK_DIRECTORY,
	UNPACK_SYMLINK,
	UNPACK_HARDLINK,
	UNPACK_OTHER
} UnpackKind;

/** What an archive says of one entry, before it is believed. */
typedef struct {
	const char *name;   /* (nullable) */
	const char *target; /* (nullable): of a symlink or hard link */
	UnpackKind kind;
	guint mode;
	gint64 size_bytes; /* logical */
	int typeflag;      /* byte 156 of the tar header; -1: the header was not found */
} UnpackClaim;

/** An entry that was admitted. */
typedef struct {
	UnpackKind kind;
	char *path;   /* relative, clean, as it is to be written; NULL: not selected */
	char *target; /* (nullable): symlink: as is; hard link: an earlier path */
	guint64 size_bytes;
	bool is_executable;
} UnpackEntry;

void unpack_entry_clear(UnpackEntry *entry);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(UnpackEntry, unpack_entry_clear)

/** Remembers what one pass over an archive has seen. */
typedef struct UnpackRules UnpackRules;

/** @archive_bytes: size of the compressed archive, for the ratio.  @limits: nullable, not copied. */
UnpackRules *unpack_rules_new(const ArchiveLimits *limits, guint64 archive_bytes);
void unpack_rules_free(UnpackRules *rules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UnpackRules, unpack_rules_free)

/** Judges the next entry.  Returns: false with DATA set: the rule, and the entry's name escaped. */
bool unpack_rules_admit(UnpackRules *rules, const UnpackClaim *claim, UnpackEntry *entry,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: decompressed bytes beyond which the archive is a bomb, whatever its headers say. */
guint64 unpack_rules_max_stream(const ArchiveLimits *limits, guint64 archive_bytes);

/** Returns: (transfer full): @name cut to 160 bytes, everything but printable ASCII escaped. */
char *unpack_escape(const char *name);

/** Receives the selected entries.  block() is called for files only; NULL members are skipped. */
typedef struct {
	bool (*entry)(gpointer data, const UnpackEntry *entry, GError **error);
	bool (*block)(gpointer data, const void *block, gsize size_bytes, guint64 offset,
	              GError **error);
	bool (*end)(gpointer data, const UnpackEntry *entry, GError **error);
	gpointer data;
} UnpackSink;

/** One pass over the whole archive with every rule applied.  @selected: (out): entries that the
 *  sink got (or would have got: @sink is nullable). */
bool unpack_walk(const UnpackSource *source, const ArchiveLimits *limits, const UnpackSink *sink,
                 guint *selected, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: false with DATA set when nothing was selected. */
bool unpack_has_something(guint selected, const UnpackSource *source, GError **error);

/** Writes a tree into a fresh directory beside @directory; free removes it unless committed. */
typedef struct UnpackWriter UnpackWriter;

UnpackWriter *unpack_writer_new(const char *directory, GError **error);
void unpack_writer_free(UnpackWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UnpackWriter, unpack_writer_free)

/** Returns: the sink that writes. */
UnpackSink unpack_writer_sink(UnpackWriter *writer);

/** From here on, what is written belongs to the next archive. */
void unpack_writer_mark(UnpackWriter *writer);

/** Removes what was written since the mark. */
bool unpack_writer_rewind(UnpackWriter *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Syncs the tree and renames it to its name. */
bool unpack_writer_commit(UnpackWriter *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** One regular file of an archive, in memory. */
typedef struct {
	char *path;
	bool is_executable;
	GBytes *content;
} UnpackFile;

void unpack_file_free(UnpackFile *file);

/** Returns: (transfer full) (element-type UnpackFile): the selected files, in archive order; NULL
 *  with DATA set, also when they have more than @max_bytes together. */
GPtrArray *unpack_into_memory(const UnpackSource *source, const ArchiveLimits *limits,
                              gsize max_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
