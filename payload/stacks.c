/* payload/stacks.c - opens a stack: embedded, a directory, or an archive
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "payload/stacks.h"

#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "payload/embedded.h"
#include "payload/stack_private.h"
#include "payload/stacks_private.h"
#include "payload/unpack_private.h"

#define STACK_INI "stack.ini"

/** Made when they are first asked for: most commands never do. */
typedef struct {
	GPtrArray *
		files; /* (element-type UnpackFile), sorted by path; NULL: embedded, not read yet */
	char *digest;
} Content;

struct StackBundle {
	Stack *stack;
	Content *content;
	char *origin;
};

static const ArchiveLimits stack_limits = {
	.max_entries = STACKS_MAX_FILES,
	.max_file_bytes = STACKS_MAX_FILE_BYTES,
	.max_total_bytes = STACKS_MAX_BYTES,
};

void stacks_bundle_free(StackBundle *bundle)
{
	if (!bundle)
		return;

	stack_free(bundle->stack);
	g_clear_pointer(&bundle->content->files, g_ptr_array_unref);
	g_free(bundle->content->digest);
	g_free(bundle->content);
	g_free(bundle->origin);
	g_free(bundle);
}

/* An embedded archive is ours: one that cannot be read is a bug. */
static GPtrArray *read_embedded(GBytes *archive)
{
	g_autoptr(GError) error = NULL;
	UnpackSource source = unpack_source_of_bytes(archive, "the embedded stacks");
	GPtrArray *files = unpack_into_memory(&source, &stack_limits, STACKS_MAX_BYTES, &error);

	if (!files)
		g_error("%s", error->message);
	return files;
}

const char *const *stacks_embedded_names(void)
{
	return embedded_stack_names;
}

static UnpackFile *find_file(const GPtrArray *files, const char *path)
{
	for (guint i = 0; i < files->len; i++) {
		UnpackFile *file = g_ptr_array_index(files, i);

		if (strcmp(file->path, path) == 0)
			return file;
	}

	return NULL;
}

/* Returns: (transfer full): those of @files below @prefix, which is taken off. */
static GPtrArray *files_below(const GPtrArray *files, const char *prefix)
{
	GPtrArray *below = g_ptr_array_new_with_free_func((GDestroyNotify)unpack_file_free);

	for (guint i = 0; i < files->len; i++) {
		const UnpackFile *file = g_ptr_array_index(files, i);
		UnpackFile *copy = NULL;

		if (!g_str_has_prefix(file->path, prefix))
			continue;
		copy = g_new0(UnpackFile, 1);
		copy->path = g_strdup(file->path + strlen(prefix));
		copy->is_executable = file->is_executable;
		copy->content = g_bytes_ref(file->content);
		g_ptr_array_add(below, copy);
	}

	return below;
}

static gint by_path(gconstpointer a, gconstpointer b)
{
	const UnpackFile *const *left = a;
	const UnpackFile *const *right = b;

	return strcmp((*left)->path, (*right)->path);
}

static char *digest_of(const GPtrArray *files)
{
	GString *lines = g_string_new(NULL);

	for (guint i = 0; i < files->len; i++) {
		const UnpackFile *file = g_ptr_array_index(files, i);
		g_autofree char *content = file_digest_bytes(file->content);

		g_string_append_printf(lines, "%s %s %s\n", file->is_executable ? "755" : "644",
		                       content, file->path);
	}

	g_autoptr(GBytes) text = g_string_free_to_bytes(lines);
	return file_digest_bytes(text);
}

/* @stack: (transfer full).  @files: (transfer full) (nullable) */
static StackBundle *bundle_new(Stack *stack, GPtrArray *files, const char *origin)
{
	StackBundle *bundle = g_new0(StackBundle, 1);

	if (files)
		g_ptr_array_sort(files, by_path);
	bundle->stack = stack;
	bundle->content = g_new0(Content, 1);
	bundle->content->files = files;
	bundle->origin = g_strdup(origin);
	return bundle;
}

bool stacks_need_engine(const char *word)
{
	g_autoptr(GBytes) ini = embedded_stack_ini(word);
	g_autofree char *engine = ini ? ini_peek(ini, "needs", "engine") : NULL;

	return engine != NULL;
}

/* @files: (transfer full).  @ini_name: stands in messages. */
static StackBundle *make_bundle(GPtrArray *files, const char *ini_name, const char *origin,
                                GError **error)
{
	const UnpackFile *ini = find_file(files, STACK_INI);
	Stack *stack = ini ? stack_parse(ini->content, ini_name, error) : NULL;

	if (!ini)
		fault_set(error, STATUS_CONFIG, NULL, "%s has no " STACK_INI, origin);
	if (stack)
		return bundle_new(stack, files, origin);
	g_ptr_array_unref(files);
	return NULL;
}

/* Its sections fit together: the tests open it from a directory, too. */
static StackBundle *open_embedded(const char *name, GError **error)
{
	g_autofree char *ini_name = g_strconcat(name, "/" STACK_INI, NULL);
	g_autoptr(GBytes) ini = embedded_stack_ini(name);
	Stack *stack = stack_read(ini, ini_name, error);

	return stack ? bundle_new(stack, NULL, "embedded") : NULL;
}

static const GPtrArray *files_of(const StackBundle *bundle)
{
	Content *content = bundle->content;

	if (!content->files) {
		g_autofree char *prefix = g_strconcat(bundle->stack->name, "/", NULL);
		g_autoptr(GBytes) archive = embedded_stacks();
		g_autoptr(GPtrArray) all = read_embedded(archive);

		content->files = files_below(all, prefix);
		g_ptr_array_sort(content->files, by_path);
	}

	return content->files;
}

static StackBundle *open_directory(const char *path, const char *origin, GError **error)
{
	g_autofree char *ini_name = g_build_filename(path, STACK_INI, NULL);
	GPtrArray *files = NULL;

	if (!file_exists(ini_name)) {
		fault_set(error, STATUS_CONFIG, NULL, "%s has no " STACK_INI, path);
		return NULL;
	}

	files = stacks_read_directory(path, error);
	return files ? make_bundle(files, ini_name, origin, error) : NULL;
}

/* Returns: (transfer full): "" when stack.ini stands on top, "x/" when everything lies in x. */
static char *common_prefix(const GPtrArray *files)
{
	const UnpackFile *first = files->len > 0 ? g_ptr_array_index(files, 0) : NULL;
	const char *slash = first ? strchr(first->path, '/') : NULL;

	return slash && !find_file(files, STACK_INI)
	               ? g_strndup(first->path, (gsize)(slash - first->path) + 1)
	               : g_strdup("");
}

static StackBundle *open_archive(const char *path, const char *origin, GError **error)
{
	UnpackSource source = { 0 };

	if (!unpack_source_open(path, &source, error))
		return NULL;

	g_autoptr(GPtrArray) all =
		unpack_into_memory(&source, &stack_limits, STACKS_MAX_BYTES, error);
	(void)close(source.fd);
	if (!all)
		return NULL;
	if (all->len == 0) {
		fault_set(error, STATUS_DATA, NULL, "%s: an archive without files", path);
		return NULL;
	}

	g_autofree char *prefix = common_prefix(all);
	g_autofree char *ini_name = g_strconcat(path, ":", prefix, STACK_INI, NULL);
	return make_bundle(files_below(all, prefix), ini_name, origin, error);
}

StackBundle *stacks_open(const char *word, GError **error)
{
	if (!strchr(word, '/') && g_strv_contains(stacks_embedded_names(), word))
		return open_embedded(word, error);

	g_autofree char *origin = g_canonicalize_filename(word, NULL);
	if (*word && g_file_test(word, G_FILE_TEST_IS_DIR))
		return open_directory(word, origin, error);
	if (*word && file_exists(word))
		return open_archive(word, origin, error);

	g_autoptr(GString) names = g_string_new(NULL);
	for (gsize i = 0; stacks_embedded_names()[i]; i++)
		g_string_append_printf(names, "%s%s", i > 0 ? ", " : "",
		                       stacks_embedded_names()[i]);
	fault_set(error, STATUS_USAGE,
	          "Name one of those, or a directory with a " STACK_INI ", or an archive of one.",
	          "there is no stack \"%s\"; the embedded ones are: %s", word, names->str);
	return NULL;
}

const Stack *stacks_definition(const StackBundle *bundle)
{
	return bundle->stack;
}

const char *stacks_digest(const StackBundle *bundle)
{
	if (!bundle->content->digest)
		bundle->content->digest = digest_of(files_of(bundle));
	return bundle->content->digest;
}

const char *stacks_origin(const StackBundle *bundle)
{
	return bundle->origin;
}

static bool write_one(const UnpackSink *sink, const UnpackFile *file, GError **error)
{
	gsize size_bytes = 0;
	const void *content = g_bytes_get_data(file->content, &size_bytes);
	const UnpackEntry entry = {
		.kind = UNPACK_FILE,
		.path = file->path,
		.size_bytes = size_bytes,
		.is_executable = file->is_executable,
	};

	return sink->entry(sink->data, &entry, error) &&
	       sink->block(sink->data, content, size_bytes, 0, error) &&
	       sink->end(sink->data, &entry, error);
}

bool stacks_unpack(const StackBundle *bundle, const char *directory, GError **error)
{
	g_autoptr(UnpackWriter) writer = unpack_writer_new(directory, error);

	if (!writer)
		return false;

	UnpackSink sink = unpack_writer_sink(writer);
	const GPtrArray *files = files_of(bundle);
	for (guint i = 0; i < files->len; i++)
		if (!write_one(&sink, g_ptr_array_index(files, i), error))
			return false;

	return unpack_writer_commit(writer, error);
}

GBytes *stacks_read(const StackBundle *bundle, const char *member, GError **error)
{
	const UnpackFile *file = find_file(files_of(bundle), member);

	if (!file) {
		fault_set(error, STATUS_CONFIG, NULL, "stack %s has no file %s",
		          bundle->stack->name, member);
		return NULL;
	}

	return g_bytes_ref(file->content);
}
