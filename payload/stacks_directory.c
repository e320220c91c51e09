/* payload/stacks_directory.c - a stack that somebody keeps in a directory
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/file.h"
#include "payload/stacks_private.h"
#include "payload/unpack_private.h"

typedef struct {
	const char *root;   /* real path */
	GPtrArray *files;   /* (element-type UnpackFile) */
	UnpackRules *rules; /* the names are as good as those of an archive */
} Reading;

static bool refuse(const char *path, GError **error, const char *why)
{
	g_autofree char *shown = unpack_escape(path);

	fault_set(error, STATUS_DATA, NULL, "%s %s", shown, why);
	return false;
}

static bool admit(const Reading *reading, const char *name, UnpackKind kind, const struct stat *st,
                  GError **error)
{
	g_auto(UnpackEntry) entry = { 0 };
	UnpackClaim claim = {
		.name = name,
		.kind = kind,
		.mode = (guint)st->st_mode & 0111,
		.size_bytes = kind == UNPACK_FILE ? (gint64)st->st_size : 0,
		.typeflag = '0',
	};

	return unpack_rules_admit(reading->rules, &claim, &entry, error);
}

static bool add_file(const Reading *reading, const char *path, const char *name,
                     const struct stat *st, GError **error)
{
	UnpackFile *file = NULL;
	GBytes *content = NULL;

	if (!admit(reading, name, UNPACK_FILE, st, error))
		return false;
	content = file_read(path, STACKS_MAX_FILE_BYTES, error);
	if (!content)
		return false;

	file = g_new0(UnpackFile, 1);
	file->path = g_strdup(name);
	file->is_executable = (st->st_mode & S_IXUSR) != 0;
	file->content = content;
	g_ptr_array_add(reading->files, file);
	return true;
}

/* Returns: (transfer full): where the symlink @path ends, a regular file inside; NULL with DATA. */
static char *resolve(const Reading *reading, const char *path, struct stat *st, GError **error)
{
	char *real = realpath(path, NULL);
	gsize length = strlen(reading->root);

	if (!real || strncmp(real, reading->root, length) != 0 || real[length] != '/')
		(void)refuse(path, error, "is a symbolic link that leads out of the stack");
	else if (lstat(real, st) < 0 || !S_ISREG(st->st_mode))
		(void)refuse(path, error, "is a symbolic link to something else than a file");
	else
		return real;

	free(real);
	return NULL;
}

static bool read_tree(const Reading *reading, const char *path, const char *name, GError **error);

static bool read_one(const Reading *reading, const char *path, const char *name, GError **error)
{
	struct stat st = { 0 };

	if (lstat(path, &st) < 0) {
		fault_set_errno(error, errno, "cannot read %s", path);
		return false;
	}
	if (S_ISDIR(st.st_mode))
		return admit(reading, name, UNPACK_DIRECTORY, &st, error) &&
		       read_tree(reading, path, name, error);
	if (S_ISREG(st.st_mode))
		return add_file(reading, path, name, &st, error);
	if (!S_ISLNK(st.st_mode))
		return refuse(path, error, "is a device, a FIFO or a socket");

	char *real = resolve(reading, path, &st, error);
	bool is_added = real && add_file(reading, real, name, &st, error);

	free(real);
	return is_added;
}

/* The rules bound the depth: unpack_rules_admit() refuses a name that lies too deep. */
static bool read_tree(const Reading *reading, const char *path, const char *name, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autoptr(GDir) dir = g_dir_open(path, 0, &cause);
	const char *leaf = NULL;

	if (!dir) {
		fault_set(error, STATUS_DENIED, NULL, "cannot read %s", path);
		return false;
	}
	while ((leaf = g_dir_read_name(dir)) != NULL) {
		g_autofree char *child = g_build_filename(path, leaf, NULL);
		g_autofree char *child_name =
			*name ? g_strconcat(name, "/", leaf, NULL) : g_strdup(leaf);

		if (strcmp(leaf, ".git") != 0 && !read_one(reading, child, child_name, error))
			return false;
	}

	return true;
}

GPtrArray *stacks_read_directory(const char *path, GError **error)
{
	const ArchiveLimits limits = {
		.max_entries = STACKS_MAX_FILES,
		.max_file_bytes = STACKS_MAX_FILE_BYTES,
		.max_total_bytes = STACKS_MAX_BYTES,
	};
	char *root = realpath(path, NULL);
	g_autoptr(UnpackRules) rules = unpack_rules_new(&limits, G_MAXUINT64);
	g_autoptr(GPtrArray) files =
		g_ptr_array_new_with_free_func((GDestroyNotify)unpack_file_free);
	Reading reading = { .root = root, .files = files, .rules = rules };
	bool is_read = false;

	if (!root)
		fault_set_errno(error, errno, "cannot read %s", path);
	else
		is_read = read_tree(&reading, root, "", error);
	free(root);

	return is_read ? g_steal_pointer(&files) : NULL;
}
