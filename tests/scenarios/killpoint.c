/* tests/scenarios/killpoint.c - ends the program at its n-th call that changes something
 *
 * Synchronizing changes nothing that a kill could leave, so it is no point of its own.
 * Preloaded into slipway only: its children get a clean environment.  KILLPOINT=N kills with
 * SIGKILL just before the N-th such call, KILLPOINT=end just before the journal goes; without it the calls are counted, and the count, up to
 * the removal of the journal that ends the run, is written to the file KILLPOINT_COUNT names.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;
static atomic_long last;
static long kill_at;
static bool is_at_end;
static pid_t self;

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("KILLPOINT");

	is_at_end = text && strcmp(text, "end") == 0;
	kill_at = text ? strtol(text, NULL, 10) : 0;
	self = getpid();
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("KILLPOINT_COUNT");
	FILE *file = path && getpid() == self ? fopen(path, "w") : NULL;

	if (!file)
		return;
	fprintf(file, "%ld\n", atomic_load(&last));
	fclose(file);
}

static void point(void)
{
	if (getpid() == self && atomic_fetch_add(&calls, 1) + 1 == kill_at)
		kill(self, SIGKILL);
}

#define NEXT(type, name) ((type)dlsym(RTLD_NEXT, name))

#define WRAP(result, name, parameters, arguments)                  \
	result name parameters                                     \
	{                                                          \
		static result(*next) parameters;                   \
		if (!next)                                         \
			*(void **)&next = dlsym(RTLD_NEXT, #name); \
		point();                                           \
		return next arguments;                             \
	}

/* clang-format off */
WRAP(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
WRAP(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t offset), (fd, data, size, offset))
WRAP(int, rename, (const char *from, const char *to), (from, to))
WRAP(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
WRAP(int, renameat2, (int a, const char *from, int b, const char *to, unsigned int f), (a, from, b, to, f))
WRAP(int, link, (const char *from, const char *to), (from, to))
WRAP(int, linkat, (int a, const char *from, int b, const char *to, int f), (a, from, b, to, f))
WRAP(int, symlink, (const char *to, const char *path), (to, path))
WRAP(int, symlinkat, (const char *to, int dir, const char *path), (to, dir, path))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(int, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode))
WRAP(int, rmdir, (const char *path), (path))
WRAP(int, chmod, (const char *path, mode_t mode), (path, mode))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, fchmodat, (int dir, const char *path, mode_t mode, int flags), (dir, path, mode, flags))
WRAP(int, ftruncate, (int fd, off_t size), (fd, size))
WRAP(int, posix_fallocate, (int fd, off_t from, off_t size), (fd, from, size))
WRAP(pid_t, fork, (void), ())
/* clang-format on */

/* The journal's end is the end of the installation: later calls are not counted. */
static void note_end(const char *path)
{
	size_t length = strlen(path);

	if (getpid() != self || length <= 8 || strcmp(path + length - 8, "/journal") != 0)
		return;
	atomic_store(&last, atomic_load(&calls));
	if (is_at_end)
		kill(self, SIGKILL);
}

int unlink(const char *path)
{
	point();
	note_end(path);
	return NEXT(int (*)(const char *), "unlink")(path);
}

int unlinkat(int dir, const char *path, int flags)
{
	point();
	note_end(path);
	return NEXT(int (*)(int, const char *, int), "unlinkat")(dir, path, flags);
}

/* Opening is a change only when it creates or cuts. */
static mode_t mode_of(int flags, va_list list)
{
	return flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(list, unsigned int) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list list;

	va_start(list, flags);
	mode_t mode = mode_of(flags, list);
	va_end(list);
	if (flags & (O_CREAT | O_TRUNC))
		point();
	return NEXT(int (*)(const char *, int, ...), "open")(path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	va_list list;

	va_start(list, flags);
	mode_t mode = mode_of(flags, list);
	va_end(list);
	if (flags & (O_CREAT | O_TRUNC))
		point();
	return NEXT(int (*)(int, const char *, int, ...), "openat")(dir, path, flags, mode);
}
