/* keystore/key_file.c - makes the file that opens a store unattended
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "keystore/crypto.h"
#include "keystore/keystore.h"

/* The lock is on the file itself: of two makers one finds it taken or not empty.  A maker that was
 * killed leaves an empty file, which the next one fills. */
static bool fill(int fd, const char *path, GError **error)
{
	g_auto(CryptoKey) key = { 0 };
	struct stat status;

	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &status) != 0) {
		fault_set_errno(error, errno, "cannot lock %s", path);
		return false;
	}
	if (!S_ISREG(status.st_mode) || status.st_size > 0) {
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "%s exists", path);
		return false;
	}
	crypto_random(key.data, sizeof(key.data));
	if (fchmod(fd, 0600) != 0) {
		fault_set_errno(error, errno, "cannot set the mode of %s", path);
		return false;
	}
	if (!file_write_all(fd, key.data, sizeof(key.data), error))
		return false;
	if (fsync(fd) == 0)
		return true;
	fault_set_errno(error, errno, "cannot write %s", path);
	return false;
}

bool keystore_make_key_file(const char *path, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(path);

	if (!file_make_dirs(directory, 0700, NULL, error))
		return false;
	int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (fd < 0) {
		fault_set_errno(error, errno, "cannot create %s", path);
		return false;
	}

	bool is_filled = fill(fd, path, error);
	if (close(fd) != 0 && is_filled) {
		fault_set_errno(error, errno, "cannot write %s", path);
		return false;
	}
	return is_filled && file_sync_dir(directory, error);
}
