/* base/lock.c - one writer at a time
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"

#define ASK_AGAIN_MS 100
#define HOLDER_MAX_BYTES 256

struct Lock {
	FileFd fd;
};

static int open_lock(const char *path, GError **error)
{
	struct stat status = { 0 };
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd < 0) {
		fault_set_errno(error, errno, "cannot open the lock %s", path);
		return -1;
	}
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "the lock %s is not a regular file",
		          path);
		file_fd_clear(&fd);
	}
	return fd;
}

/* Returns: (transfer full): what the holder wrote about itself, e.g. "pid 12 (slipway install)". */
static char *holder_of(int fd)
{
	char text[HOLDER_MAX_BYTES] = "";
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);

	if (length <= 0) /* it took the lock this moment */
		return g_strdup("another process");
	text[length] = '\0';
	g_strchomp(text);
	return g_utf8_make_valid(text, -1);
}

/* For people and messages only: the lock is held without it. */
static void write_holder(int fd, const char *purpose)
{
	g_autofree char *text = g_strdup_printf("pid %d (%s)\n", (int)getpid(), purpose);

	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, text, strlen(text), 0);
}

static void set_busy(int fd, const char *path, GError **error)
{
	g_autofree char *holder = holder_of(fd);

	fault_set(error, STATUS_BUSY, "Wait until it has ended and run the command again.",
	          "%s is locked by %s", path, holder);
}

/* Waits a moment, or less when a signal arrives. */
static bool wait_a_moment(gint64 rest_ms, GError **error)
{
	struct pollfd cancelled = { .fd = cancel_fd(), .events = POLLIN };

	(void)poll(&cancelled, 1, (int)MIN(rest_ms, ASK_AGAIN_MS));
	return cancel_check(error);
}

static bool take(int fd, const char *path, guint timeout_ms, GError **error)
{
	gint64 deadline_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int reason = errno;
		gint64 rest_ms = (deadline_us - g_get_monotonic_time() + 999) / 1000;

		if (reason == EINTR)
			continue;
		if (reason != EWOULDBLOCK) {
			fault_set_errno(error, reason, "cannot lock %s", path);
			return false;
		}
		if (rest_ms <= 0) {
			set_busy(fd, path, error);
			return false;
		}
		if (!wait_a_moment(rest_ms, error))
			return false;
	}
	return true;
}

static Lock *lock_new(FileFd *fd)
{
	Lock *lock = g_new0(Lock, 1);

	lock->fd = file_fd_take(fd);
	return lock;
}

Lock *lock_take(const char *path, const char *purpose, guint timeout_ms, GError **error)
{
	g_return_val_if_fail(path && purpose, NULL);

	g_auto(FileFd) fd = open_lock(path, error);
	if (fd < 0 || !take(fd, path, timeout_ms, error))
		return NULL;

	write_holder(fd, purpose);
	return lock_new(&fd);
}

Lock *lock_take_directory(const char *path, guint timeout_ms, GError **error)
{
	g_return_val_if_fail(path, NULL);

	g_auto(FileFd) fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fault_set_errno(error, errno, "cannot lock %s", path);
	if (fd < 0 || !take(fd, path, timeout_ms, error))
		return NULL;

	return lock_new(&fd);
}

void lock_free(Lock *lock)
{
	if (!lock)
		return;

	(void)!ftruncate(lock->fd, 0);
	(void)flock(lock->fd, LOCK_UN); /* a child between fork and exec holds the file too */
	file_fd_clear(&lock->fd);
	g_free(lock);
}
