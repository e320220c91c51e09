/* payload/unpack_memory.c - a small archive's files in memory
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "payload/unpack_private.h"

typedef struct {
	GPtrArray *files; /* (element-type UnpackFile) */
	GByteArray *open; /* (nullable): content of the file being read */
	guint64 left_bytes;
} Collection;

void unpack_file_free(UnpackFile *file)
{
	if (!file)
		return;

	g_free(file->path);
	g_bytes_unref(file->content);
	g_free(file);
}

static void add_file(Collection *all, const UnpackEntry *entry, GBytes *content)
{
	UnpackFile *file = g_new0(UnpackFile, 1);

	file->path = g_strdup(entry->path);
	file->is_executable = entry->is_executable;
	file->content = g_bytes_ref(content);
	g_ptr_array_add(all->files, file);
}

static void add_link(Collection *all, const UnpackEntry *entry)
{
	for (guint i = 0; i < all->files->len; i++) {
		const UnpackFile *file = g_ptr_array_index(all->files, i);

		if (strcmp(file->path, entry->target) == 0) {
			add_file(all, entry, file->content);
			return;
		}
	}
}

static bool start_entry(gpointer data, const UnpackEntry *entry, GError **error)
{
	Collection *all = data;

	if (entry->kind == UNPACK_HARDLINK)
		add_link(all, entry);
	if (entry->kind != UNPACK_FILE)
		return true;
	if (entry->size_bytes > all->left_bytes) {
		g_autofree char *shown = unpack_escape(entry->path);

		fault_set(error, STATUS_DATA, NULL, "entry %s is too large", shown);
		return false;
	}

	all->left_bytes -= entry->size_bytes;
	all->open = g_byte_array_new();
	return true;
}

static bool take_block(gpointer data, const void *block, gsize size_bytes, guint64 offset,
                       G_GNUC_UNUSED GError **error)
{
	Collection *all = data;
	gsize end = (gsize)offset + size_bytes; /* within entry->size_bytes: unpack_walk() */
	gsize before = all->open->len;

	if (end > before) {
		g_byte_array_set_size(all->open, (guint)end);
		memset(all->open->data + before, 0, end - before);
	}
	memcpy(all->open->data + offset, block, size_bytes);
	return true;
}

static bool end_entry(gpointer data, const UnpackEntry *entry, G_GNUC_UNUSED GError **error)
{
	Collection *all = data;

	if (all->open) {
		g_autoptr(GBytes) content = g_byte_array_free_to_bytes(g_steal_pointer(&all->open));

		add_file(all, entry, content);
	}

	return true;
}

GPtrArray *unpack_into_memory(const UnpackSource *source, const ArchiveLimits *limits,
                              gsize max_bytes, GError **error)
{
	Collection all = {
		.files = g_ptr_array_new_with_free_func((GDestroyNotify)unpack_file_free),
		.left_bytes = max_bytes,
	};
	UnpackSink sink = {
		.entry = start_entry, .block = take_block, .end = end_entry, .data = &all
	};
	guint selected = 0;

	if (unpack_walk(source, limits, &sink, &selected, error))
		return all.files;

	if (all.open)
		g_byte_array_unref(all.open);
	g_ptr_array_unref(all.files);
	return NULL;
}

GBytes *archive_read_member(GBytes *archive, const char *name, const char *member, gsize max_bytes,
                            GError **error)
{
	const char *const only[] = { member, NULL };
	const ArchiveLimits limits = { .only = only };
	UnpackSource source = unpack_source_of_bytes(archive, name);
	g_autoptr(GPtrArray) files = unpack_into_memory(&source, &limits, max_bytes, error);

	for (guint i = 0; files && i < files->len; i++) {
		const UnpackFile *file = g_ptr_array_index(files, i);

		if (strcmp(file->path, member) == 0)
			return g_bytes_ref(file->content);
	}
	if (files)
		fault_set(error, STATUS_DATA, NULL, "%s has no file %s", name, member);

	return NULL;
}
