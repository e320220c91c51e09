/* checks/facts_source.c - files and variables, of the machine or of a test's tree
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "checks/facts_private.h"

/* Source: an attribute in /sys has a page at most. */
#define LINE_SIZE_BYTES 4097

char *source_path(const FactsSource *source, const char *path)
{
	return g_strconcat(source->root, path, NULL);
}

struct SourceCache {
	GMutex mutex; /* engine and keyring are read on threads of their own */
	GHashTable *
		files; /* char * path -> GBytes, the last is a NUL; NULL for one that cannot be read */
};

static void bytes_free(gpointer bytes)
{
	if (bytes != NULL)
		g_bytes_unref(bytes);
}

SourceCache *source_cache_new(void)
{
	SourceCache *cache = g_new0(SourceCache, 1);

	g_mutex_init(&cache->mutex);
	cache->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, bytes_free);
	return cache;
}

void source_cache_free(SourceCache *cache)
{
	if (cache == NULL)
		return;

	g_hash_table_unref(cache->files);
	g_mutex_clear(&cache->mutex);
	g_free(cache);
}

/* As text: a byte more holds its end. */
static char *read_file(const FactsSource *source, const char *path, gsize *size_bytes)
{
	g_autofree char *full = source_path(source, path);
	GBytes *bytes = file_read(full, SOURCE_MAX_BYTES, NULL);
	char *text;

	if (bytes == NULL)
		return NULL;

	text = g_bytes_unref_to_data(bytes, size_bytes);
	text = g_realloc(text, *size_bytes + 1);
	text[*size_bytes] = '\0';
	return text;
}

static GBytes *read_bytes(const FactsSource *source, const char *path)
{
	gsize size_bytes = 0;
	char *text = read_file(source, path, &size_bytes);

	return text != NULL ? g_bytes_new_take(text, size_bytes + 1) : NULL;
}

/* A mapped file is not copied, and the rest of its last page is zero: the end of the text.  Not for a file that
 * somebody could shorten meanwhile: what visitors read is replaced by another, not written to.
 * Returns: (nullable): NULL where that cannot be done. */
static GBytes *map_bytes(const FactsSource *source, const char *path)
{
	g_autofree char *full = source_path(source, path);
	g_auto(FileFd) fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	GMappedFile *file = fd >= 0 ? g_mapped_file_new_from_fd(fd, FALSE, NULL) : NULL;
	gsize size_bytes = file != NULL ? g_mapped_file_get_length(file) : 0;

	if (size_bytes % (gsize)sysconf(_SC_PAGESIZE) != 0 && size_bytes <= SOURCE_MAX_BYTES)
		return g_bytes_new_with_free_func(g_mapped_file_get_contents(file), size_bytes + 1,
		                                  (GDestroyNotify)g_mapped_file_unref, file);
	if (file != NULL)
		g_mapped_file_unref(file);
	return NULL;
}

/* What is in the cache stays where it is as long as the cache.
 * Returns: (transfer none) (nullable) */
static GBytes *read_cached(const FactsSource *source, const char *path, bool is_mapped)
{
	SourceCache *cache = source->cache;
	gpointer bytes = NULL;

	g_mutex_lock(&cache->mutex);
	if (!g_hash_table_lookup_extended(cache->files, path, NULL, &bytes)) {
		bytes = is_mapped ? map_bytes(source, path) : NULL;
		if (bytes == NULL)
			bytes = read_bytes(source, path);
		(void)g_hash_table_insert(cache->files, g_strdup(path), bytes);
	}
	g_mutex_unlock(&cache->mutex);
	return bytes;
}

char *source_read(const FactsSource *source, const char *path)
{
	gsize size_bytes = 0;

	if (source->cache == NULL)
		return read_file(source, path, &size_bytes);

	GBytes *bytes = read_cached(source, path, false);
	return bytes != NULL ? g_strdup(g_bytes_get_data(bytes, NULL)) : NULL;
}

void source_visit(const FactsSource *source, const char *path, SourceVisit visit, gpointer data)
{
	g_autoptr(GBytes) own = source->cache == NULL ? read_bytes(source, path) : NULL;
	GBytes *bytes = source->cache != NULL ? read_cached(source, path, true) : own;
	gsize size_bytes = 0;
	const char *text = bytes != NULL ? g_bytes_get_data(bytes, &size_bytes) : NULL;

	if (text != NULL)
		visit(text, size_bytes - 1, data);
}

/* One piece of a file: what the kernel says on one line comes whole, with the first read(2).  @text: of
 * LINE_SIZE_BYTES.  Returns: false where it cannot be read. */
static bool read_line(const FactsSource *source, const char *path, char *text)
{
	g_autofree char *full = *source->root != '\0' ? source_path(source, path) : NULL;
	g_auto(FileFd) fd =
		open(full != NULL ? full : path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	gssize size_bytes = fd >= 0 ? file_read_fd(fd, text, LINE_SIZE_BYTES - 1) : -1;

	if (size_bytes >= 0)
		text[size_bytes] = '\0';
	return size_bytes >= 0;
}

char *source_line(const FactsSource *source, const char *path)
{
	char text[LINE_SIZE_BYTES];

	return read_line(source, path, text) ? g_strdup(g_strstrip(text)) : NULL;
}

guint64 source_parse_number(const char *text)
{
	guint64 number;

	while (g_ascii_isspace(*text))
		text++;
	if (!g_ascii_isdigit(*text))
		return FACTS_UNKNOWN;

	errno = 0;
	number = g_ascii_strtoull(text, NULL, 10);
	return errno == 0 && number <= G_MAXINT64 ? number : FACTS_UNKNOWN;
}

guint64 source_number(const FactsSource *source, const char *path)
{
	char text[LINE_SIZE_BYTES];

	return read_line(source, path, text) ? source_parse_number(text) : FACTS_UNKNOWN;
}

bool source_exists(const FactsSource *source, const char *path)
{
	g_autofree char *full = source_path(source, path);

	return access(full, F_OK) == 0;
}

char *source_link(const FactsSource *source, const char *path)
{
	g_autofree char *full = source_path(source, path);
	char target[PATH_MAX];
	gssize length = readlink(full, target, sizeof(target) - 1);

	if (length <= 0)
		return NULL;
	target[length] = '\0';
	return g_path_get_basename(target);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *source_list(const FactsSource *source, const char *path)
{
	g_autofree char *full = source_path(source, path);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	DIR *directory = opendir(full);

	for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			g_ptr_array_add(names, g_strdup(entry->d_name));
	if (directory != NULL)
		(void)closedir(directory);
	g_ptr_array_sort(names, compare_names);
	return names;
}

const char *source_env(const FactsSource *source, const char *name)
{
	const char *value = g_environ_getenv(source->environment, name);

	return value != NULL && *value != '\0' ? value : NULL;
}

char *source_program(const FactsSource *source, const char *name)
{
	static const char *const directories[] = { "/usr/local/bin", "/usr/sbin", "/usr/bin",
		                                   "/sbin", "/bin" };

	if (*source->root == '\0')
		return process_find(name);

	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
		g_autofree char *path = g_build_filename(directories[i], name, NULL);

		if (source_exists(source, path))
			return g_steal_pointer(&path);
	}
	return NULL;
}

guint source_left_ms(const FactsSource *source)
{
	gint64 left_ms = (source->deadline_us - g_get_monotonic_time()) / 1000;

	return (guint)CLAMP(left_ms, 1, G_MAXINT);
}
