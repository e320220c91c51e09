/* keystore/vault.c - reads with suspicion, writes so that a kill loses nothing
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"
#include "keystore/error.h"
#include "keystore/format.h"
#include "keystore/guard.h"

static int open_for_reading(const char *path, int flags)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags);
}

static int open_store(const char *path, bool *is_absent, GError **error)
{
	int fd = open_for_reading(path, O_NOFOLLOW);
	int errnum = errno;

	*is_absent = fd < 0 && (errnum == ENOENT || errnum == ENOTDIR);
	if (fd >= 0 || *is_absent)
		return fd;
	if (errnum == ELOOP)
		keystore_fail(error, KEYSTORE_ERROR_DENIED,
		              "Name the file itself, or move the link out of the way.",
		              "%s is a symbolic link", path);
	else if (errnum == ENXIO) /* a socket */
		keystore_fail(error, KEYSTORE_ERROR_DENIED, NULL, "%s is not a regular file", path);
	else
		fault_set_errno(error, errnum, "cannot read %s", path);
	return -1;
}

static bool guard_store(const char *path, int fd, struct stat *status, GError **error)
{
	if (fstat(fd, status) != 0) {
		fault_set_errno(error, errno, "cannot read %s", path);
		return false;
	}
	if (!guard_file(path, status, false, error) || !guard_directories(path, error))
		return false;
	if (status->st_nlink > 1)
		return keystore_fail(error, KEYSTORE_ERROR_DENIED,
		                     "Find and remove the other name of the file, or copy it.",
		                     "%s has %u hard links", path, (guint)status->st_nlink);
	if (status->st_size > (off_t)FORMAT_MAX_BYTES)
		return keystore_fail(error, KEYSTORE_ERROR_CORRUPT, NULL, "%s is too large", path);
	return true;
}

bool vault_read(const char *path, GBytes **bytes, GError **error)
{
	bool is_absent = false;
	g_auto(FileFd) fd = open_store(path, &is_absent, error);
	struct stat status;

	*bytes = NULL;
	if (is_absent)
		return true;
	if (fd < 0 || !guard_store(path, fd, &status, error))
		return false;

	/* One byte more than there was: a file that grows meanwhile does not look whole. */
	gsize room = (gsize)status.st_size + 1;
	g_autofree guint8 *data = g_malloc(room);
	gssize size = file_read_fd(fd, data, room);
	if (size < 0) {
		fault_set_errno(error, errno, "cannot read %s", path);
		return false;
	}
	*bytes = g_bytes_new_take(g_steal_pointer(&data), (gsize)size);
	return true;
}

GBytes *vault_read_key(const char *path, gsize max_bytes, GError **error)
{
	g_auto(FileFd) fd = open_for_reading(path, 0);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) != 0) {
		keystore_fail(error, KEYSTORE_ERROR_LOCKED, NULL, "cannot read %s: %s", path,
		              g_strerror(errno));
		return NULL;
	}
	if (!guard_file(path, &status, true, error))
		return NULL;

	gsize room = max_bytes + 1;
	guint8 *data = crypto_alloc(room);
	gssize size = file_read_fd(fd, data, room);
	GBytes *secret =
		size > 0 && (gsize)size <= max_bytes ? secret_new(data, (gsize)size) : NULL;
	crypto_free(data, room);
	if (!secret)
		keystore_fail(error, KEYSTORE_ERROR_LOCKED, NULL, "%s is %s", path,
		              size < 0    ? "not readable"
		              : size == 0 ? "empty"
		                          : "too large");
	return secret;
}

/* base/file.h names its temporary files ".NAME.XXXXXXXX.tmp".  A writer has the lock, so one that is
 * there when we have it was left by a writer that was killed. */
void vault_sweep(const char *path)
{
	g_autofree char *directory = g_path_get_dirname(path);
	g_autofree char *base = g_path_get_basename(path);
	g_autofree char *prefix = g_strdup_printf(".%s.", base);
	g_autoptr(GDir) listing = g_dir_open(directory, 0, NULL);
	const char *name = NULL;

	while (listing && (name = g_dir_read_name(listing))) {
		g_autofree char *leftover = g_build_filename(directory, name, NULL);

		if (g_str_has_prefix(name, prefix) && g_str_has_suffix(name, ".tmp"))
			(void)unlink(leftover);
	}
}

Lock *vault_lock(const char *path, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(path);
	g_autofree char *lock_path = g_strconcat(path, ".lock", NULL);
	g_autoptr(GError) cause = NULL;

	if (!file_make_dirs(directory, 0700, NULL, error) || !guard_directories(path, error))
		return NULL;
	Lock *lock = lock_take(lock_path, "keystore", VAULT_LOCK_TIMEOUT_MS, &cause);
	if (lock)
		vault_sweep(path);
	else if (g_error_matches(cause, FAULT, STATUS_BUSY))
		keystore_fail(error, KEYSTORE_ERROR_TIMEOUT, "Try again later.",
		              "another process is writing the keystore: %s", cause->message);
	else
		g_propagate_error(error, g_steal_pointer(&cause));
	return lock;
}

static bool write_bytes(const char *path, GBytes *bytes, GError **error)
{
	gsize size = 0;
	gconstpointer data = g_bytes_get_data(bytes, &size);

	return file_write(path, data, size, 0600, error);
}

bool vault_replace(const char *path, GBytes *old, GBytes *bytes, GError **error)
{
	g_autofree char *backup = g_strconcat(path, ".bak", NULL);

	if (old && !write_bytes(backup, old, error))
		return false;
	return write_bytes(path, bytes, error);
}

bool vault_delete(const char *path, bool has_store, GError **error)
{
	g_autofree char *backup = g_strconcat(path, ".bak", NULL);
	g_autofree char *damaged = g_strconcat(path, ".damaged", NULL);
	g_autofree char *lock_path = g_strconcat(path, ".lock", NULL);

	/* The store last: as long as it is there, a run that was killed in between is done again. */
	if (has_store && (!file_remove(backup, error) || !file_remove(damaged, error) ||
	                  !file_remove(path, error)))
		return false;
	return file_remove(lock_path, error);
}
