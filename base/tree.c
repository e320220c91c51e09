/* base/tree.c - directory trees that belong to us
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/** An entry of a directory, as the walks below meet it. */
typedef struct {
	int dir_fd;       /* of the directory it lies in */
	const char *name; /* in that directory */
	const char *path; /* whole, for messages and lists */
	struct stat status;
} Entry;

typedef DIR DirStream;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DirStream, closedir)

/* Always false, so that a caller can return it. */
static bool fail(const char *verb, const char *path, GError **error)
{
	fault_set_errno(error, errno, "cannot %s %s", verb, path);
	return false;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns: (transfer full) (element-type utf8): the names in the directory, sorted; NULL with
 * errno set. */
static GPtrArray *names_in(int fd)
{
	int own_fd = openat(fd, ".", OPEN_DIR);
	g_autoptr(DirStream) stream = own_fd >= 0 ? fdopendir(own_fd) : NULL;
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	const struct dirent *entry = NULL;

	if (!stream)
		return NULL;
	for (errno = 0; (entry = readdir(stream)); errno = 0)
		if (!g_str_equal(entry->d_name, ".") && !g_str_equal(entry->d_name, ".."))
			g_ptr_array_add(names, g_strdup(entry->d_name));
	if (errno != 0)
		return NULL;

	g_ptr_array_sort(names, compare_names);
	return g_steal_pointer(&names);
}

typedef bool (*EntryFunc)(const Entry *entry, gpointer data, GError **error);

/* Calls @visit for each entry of the directory @fd, in order of names. */
static bool each_entry(int fd, const char *path, EntryFunc visit, gpointer data, GError **error)
{
	g_autoptr(GPtrArray) names = names_in(fd);
	if (!names)
		return fail("read", path, error);

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *child = g_build_filename(path, name, NULL);
		Entry entry = { .dir_fd = fd, .name = name, .path = child };

		if (fstatat(fd, name, &entry.status, AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno == ENOENT) /* gone since */
				continue;
			return fail("read", child, error);
		}
		if (!visit(&entry, data, error))
			return false;
	}
	return true;
}

/* Opens a directory of ours and makes sure that we can read, enter and change it. */
static int open_to_change(const Entry *entry, GError **error)
{
	bool is_locked = (entry->status.st_mode & S_IRWXU) != S_IRWXU;
	mode_t mode = (entry->status.st_mode & 07777) | S_IRWXU;
	int fd = openat(entry->dir_fd, entry->name, OPEN_DIR);

	/* Only where we may not even read it: fchmodat(2) has no way not to follow a symlink. */
	if (fd < 0 && errno == EACCES && is_locked &&
	    fchmodat(entry->dir_fd, entry->name, mode, 0) == 0) {
		is_locked = false;
		fd = openat(entry->dir_fd, entry->name, OPEN_DIR);
	}
	if (fd >= 0 && is_locked && fchmod(fd, mode) != 0)
		file_fd_clear(&fd);
	if (fd < 0)
		(void)fail("open", entry->path, error);
	return fd;
}

typedef enum {
	ENTER_FAILED, /* with the error set */
	ENTER_GONE,   /* it was empty and is removed */
	ENTER_MOUNT,  /* something is mounted there */
	ENTER_OPEN,
} Enter;

/* Goes into a directory in order to empty it.  The kernel answers rmdir(2) with EBUSY for a mount
 * point, a bind mount too, before it asks whether the directory is empty. */
static Enter enter(const Entry *entry, int *fd, GError **error)
{
	if (unlinkat(entry->dir_fd, entry->name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return ENTER_GONE;
	if (errno == EBUSY)
		return ENTER_MOUNT;
	if (errno != ENOTEMPTY && errno != EEXIST) {
		(void)fail("remove", entry->path, error);
		return ENTER_FAILED;
	}
	*fd = open_to_change(entry, error);
	return *fd < 0 ? ENTER_FAILED : ENTER_OPEN;
}

static bool unlink_entry(const Entry *entry, int flags, GError **error)
{
	if (unlinkat(entry->dir_fd, entry->name, flags) == 0 || errno == ENOENT)
		return true;
	return fail("remove", entry->path, error);
}

static bool remove_entry(const Entry *entry, gpointer data, GError **error)
{
	g_auto(FileFd) fd = -1;

	if (!S_ISDIR(entry->status.st_mode))
		return unlink_entry(entry, 0, error);

	switch (enter(entry, &fd, error)) {
	case ENTER_GONE:
		return true;
	case ENTER_OPEN:
		return each_entry(fd, entry->path, remove_entry, data, error) &&
		       unlink_entry(entry, AT_REMOVEDIR, error);
	case ENTER_MOUNT:
		fault_set(error, STATUS_BUSY, NULL, "something is mounted on %s", entry->path);
		return false;
	case ENTER_FAILED:
	default:
		return false;
	}
}

/** The root of a tree, as an entry of the directory above it. */
typedef struct {
	char *path;
	char *name;
	FileFd parent_fd;
	bool is_there;
	Entry entry;
} Root;

static void root_clear(Root *root)
{
	g_free(root->path);
	g_free(root->name);
	file_fd_clear(&root->parent_fd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Root, root_clear)

/* Returns: false with the error set; true, whether there is something at @path or not. */
static bool root_open(Root *root, const char *path, GError **error)
{
	root->path = g_canonicalize_filename(path, NULL);
	root->name = g_path_get_basename(root->path);
	if (g_str_equal(root->name, "/")) { /* of "//" too */
		fault_set(error, STATUS_DENIED, NULL, "/ is not a tree of ours");
		return false;
	}

	g_autofree char *parent = g_path_get_dirname(root->path);
	root->parent_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	root->entry.dir_fd = root->parent_fd;
	root->entry.name = root->name;
	root->entry.path = root->path;
	root->is_there =
		root->parent_fd >= 0 &&
		fstatat(root->parent_fd, root->name, &root->entry.status, AT_SYMLINK_NOFOLLOW) == 0;
	return root->is_there || errno == ENOENT || errno == ENOTDIR ||
	       fail("read", root->path, error);
}

static bool sync_parent(const Root *root, GError **error)
{
	return fsync(root->parent_fd) == 0 || errno == EINVAL || fail("sync", root->path, error);
}

bool tree_remove(const char *path, GError **error)
{
	g_return_val_if_fail(path && *path, false);

	g_auto(Root) root = { .parent_fd = -1 };
	if (!root_open(&root, path, error))
		return false;

	return !root.is_there ||
	       (remove_entry(&root.entry, NULL, error) && sync_parent(&root, error));
}

static bool is_python_cache(const char *name)
{
	return g_str_equal(name, "__pycache__") || g_str_has_suffix(name, ".pyc");
}

/* JSON is UTF-8 and file names are bytes. */
static char *utf8_of(const char *bytes)
{
	return g_utf8_validate(bytes, -1, NULL) ? g_strdup(bytes) : g_strescape(bytes, NULL);
}

static char *describe_link(const Entry *entry, GError **error)
{
	char target[PATH_MAX] = "";
	ssize_t length = readlinkat(entry->dir_fd, entry->name, target, sizeof(target) - 1);

	if (length < 0) {
		(void)fail("read", entry->path, error);
		return NULL;
	}
	target[length] = '\0';

	g_autofree char *text = utf8_of(target);
	return g_strconcat("l ", text, NULL);
}

/* Returns: (transfer full): the value of @entry in a listing; "" for what cannot be listed
 * (sockets, devices); NULL with the error set. */
static char *describe(const Entry *entry, GError **error)
{
	if (S_ISDIR(entry->status.st_mode))
		return g_strdup("d");
	if (S_ISLNK(entry->status.st_mode))
		return describe_link(entry, error);
	if (!S_ISREG(entry->status.st_mode))
		return g_strdup("");

	g_autofree char *digest = file_digest_at(entry->dir_fd, entry->name, error);
	if (!digest) {
		g_prefix_error(error, "%s: ", entry->path);
		return NULL;
	}
	return g_strdup_printf("f %04o %" G_GUINT64_FORMAT " %s",
	                       (unsigned)entry->status.st_mode & 07777U,
	                       (guint64)entry->status.st_size, digest);
}

/** State of the walks that make or follow a listing. */
typedef struct {
	json_t *listing;   /* (transfer none) */
	gsize root_length; /* of the root's path and the slash behind it */
	GPtrArray *kept;
} Listing;

static char *key_of(const Listing *walk, const Entry *entry)
{
	return utf8_of(entry->path + walk->root_length);
}

static bool list_entry(const Entry *entry, gpointer data, GError **error)
{
	Listing *walk = data;
	if (is_python_cache(entry->name))
		return true;

	g_autofree char *value = describe(entry, error);
	if (!value)
		return false;

	g_autofree char *key = key_of(walk, entry);
	if (*value)
		json_object_set_new(walk->listing, key, json_string(value));
	if (!S_ISDIR(entry->status.st_mode))
		return true;

	g_auto(FileFd) fd = openat(entry->dir_fd, entry->name, OPEN_DIR);
	return fd < 0 ? fail("read", entry->path, error)
	              : each_entry(fd, entry->path, list_entry, walk, error);
}

json_t *tree_list(const char *path, GError **error)
{
	g_return_val_if_fail(path && *path, NULL);

	g_autofree char *root = g_canonicalize_filename(path, NULL);
	g_auto(FileFd) fd = open(root, OPEN_DIR);
	if (fd < 0) {
		(void)fail("read", root, error);
		return NULL;
	}

	g_autoptr(json_t) listing = json_object();
	Listing walk = { .listing = listing, .root_length = strlen(root) + 1 };

	return each_entry(fd, root, list_entry, &walk, error) ? g_steal_pointer(&listing) : NULL;
}

static bool remove_listed_entry(const Entry *entry, gpointer data, GError **error);

static bool remove_listed_dir(const Entry *entry, Listing *walk, GError **error)
{
	g_auto(FileFd) fd = -1;

	switch (enter(entry, &fd, error)) {
	case ENTER_GONE:
		return true;
	case ENTER_MOUNT:
		g_ptr_array_add(walk->kept, g_strdup(entry->path));
		return true;
	case ENTER_OPEN:
		break;
	case ENTER_FAILED:
	default:
		return false;
	}
	if (!each_entry(fd, entry->path, remove_listed_entry, walk, error))
		return false;
	if (unlinkat(entry->dir_fd, entry->name, AT_REMOVEDIR) == 0 || errno == ENOTEMPTY ||
	    errno == EEXIST)
		return true;
	return fail("remove", entry->path, error);
}

static bool remove_listed_entry(const Entry *entry, gpointer data, GError **error)
{
	Listing *walk = data;

	if (is_python_cache(entry->name))
		return remove_entry(entry, NULL, error);
	if (S_ISDIR(entry->status.st_mode))
		return remove_listed_dir(entry, walk, error);

	g_autofree char *key = key_of(walk, entry);
	g_autofree char *now = NULL;
	const char *then = json_string_value(json_object_get(walk->listing, key));

	/* Its content is of interest only where it can decide something. */
	if (then) {
		now = describe(entry, error);
		if (!now)
			return false;
	}
	if (now && g_str_equal(now, then))
		return unlink_entry(entry, 0, error);
	g_ptr_array_add(walk->kept, g_strdup(entry->path));
	return true;
}

bool tree_remove_listed(const char *path, json_t *listing, GPtrArray *kept, GError **error)
{
	g_return_val_if_fail(path && *path && listing && kept, false);

	g_auto(Root) root = { .parent_fd = -1 };
	if (!root_open(&root, path, error))
		return false;
	if (!root.is_there)
		return true;

	Listing walk = { .listing = listing, .root_length = strlen(root.path) + 1, .kept = kept };
	if (!S_ISDIR(root.entry.status.st_mode)) {
		/* Somebody put something else in the place of our directory. */
		g_ptr_array_add(kept, g_strdup(root.path));
		return true;
	}
	return remove_listed_dir(&root.entry, &walk, error) && sync_parent(&root, error);
}

static bool sync_entry(const Entry *entry, gpointer data, GError **error)
{
	bool is_dir = S_ISDIR(entry->status.st_mode);
	if (!is_dir && !S_ISREG(entry->status.st_mode))
		return true;

	g_auto(FileFd) fd =
		openat(entry->dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return fail("sync", entry->path, error);
	if (is_dir && !each_entry(fd, entry->path, sync_entry, data, error))
		return false;
	return fsync(fd) == 0 || fail("sync", entry->path, error);
}

bool tree_sync(const char *path, GError **error)
{
	g_return_val_if_fail(path && *path, false);

	g_auto(Root) root = { .parent_fd = -1 };
	if (!root_open(&root, path, error))
		return false;
	if (root.is_there)
		return sync_entry(&root.entry, NULL, error);

	errno = ENOENT;
	return fail("sync", root.path, error);
}
