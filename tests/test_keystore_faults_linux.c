/* tests/test_keystore_faults_linux.c - a write that fails or is killed at each of its system calls
 *
 * Some functions of the C library are replaced when this program is linked: see the Makefile.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/lock.h"
#include "tests/keystore_fixture.h"

enum { WRITERS = 8, SAVES = 250, POINTS_MAX = 2000 };

typedef enum {
	FAULT_ERROR, /* the call fails with plan.error */
	FAULT_SHORT, /* a write writes half */
	FAULT_EINTR, /* a write is interrupted */
} FaultKind;

/* Which call goes wrong; @at 0: none. */
static struct {
	FaultKind kind;
	int error;
	guint at;
	guint seen;
} plan;

static bool is_sync_off;
static bool is_lock_off;

int __real_open(const char *path, int flags, mode_t mode);
int __real_openat(int dir_fd, const char *path, int flags, mode_t mode);
ssize_t __real_write(int fd, const void *data, size_t size);
int __real_fsync(int fd);
int __real_fchmod(int fd, mode_t mode);
int __real_close(int fd);
int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
Lock *__real_vault_lock(const char *path, GError **error);

int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int dir_fd, const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *data, size_t size);
int __wrap_fsync(int fd);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_close(int fd);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
Lock *__wrap_vault_lock(const char *path, GError **error);

static bool is_due(void)
{
	return plan.at > 0 && ++plan.seen == plan.at;
}

static bool fails(void)
{
	if (plan.kind != FAULT_ERROR || !is_due())
		return false;
	errno = plan.error;
	return true;
}

static mode_t mode_of(int flags, va_list rest)
{
	return flags & O_CREAT ? va_arg(rest, mode_t) : 0;
}

int __wrap_open(const char *path, int flags, ...)
{
	va_list rest;

	va_start(rest, flags);
	mode_t mode = mode_of(flags, rest);
	va_end(rest);
	return fails() ? -1 : __real_open(path, flags, mode);
}

int __wrap_openat(int dir_fd, const char *path, int flags, ...)
{
	va_list rest;

	va_start(rest, flags);
	mode_t mode = mode_of(flags, rest);
	va_end(rest);
	return fails() ? -1 : __real_openat(dir_fd, path, flags, mode);
}

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	if (plan.kind == FAULT_ERROR)
		return fails() ? -1 : __real_write(fd, data, size);
	if (!is_due())
		return __real_write(fd, data, size);
	if (plan.kind == FAULT_SHORT)
		return __real_write(fd, data, (size + 1) / 2);
	errno = EINTR;
	return -1;
}

int __wrap_fsync(int fd)
{
	if (fails())
		return -1;
	return is_sync_off ? 0 : __real_fsync(fd);
}

int __wrap_fchmod(int fd, mode_t mode)
{
	return fails() ? -1 : __real_fchmod(fd, mode);
}

/* It is closed even so, as close(2) says. */
int __wrap_close(int fd)
{
	int result = __real_close(fd);

	return fails() ? -1 : result;
}

int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return fails() ? -1 : __real_renameat(from_fd, from, to_fd, to);
}

/* Off: each process has a lock of its own, which keeps nobody out. */
Lock *__wrap_vault_lock(const char *path, GError **error)
{
	g_autofree char *own = g_strdup_printf("%s.lock.%d", path, (int)getpid());

	return is_lock_off ? lock_take(own, "keystore", 0, error) : __real_vault_lock(path, error);
}

static guint count_leftovers(const Fixture *fixture)
{
	g_autoptr(GDir) listing = g_dir_open(fixture->directory, 0, NULL);
	const char *name = NULL;
	guint count = 0;

	while ((name = g_dir_read_name(listing)))
		count += g_str_has_suffix(name, ".tmp") ? 1 : 0;
	return count;
}

/* Opens the store; what was seen of it is remembered. */
static Keystore *open_seeing(const Fixture *fixture)
{
	g_autofree char *seen = g_build_filename(fixture->directory, "seen", NULL);
	KeystoreOptions options = { .path = fixture->path,
		                    .seen_path = seen,
		                    .passphrase_fd = -1,
		                    .key_file = fixture->key_file };

	return keystore_open(&options);
}

static bool save(const Fixture *fixture, const char *name, const char *value, GError **error)
{
	g_autoptr(Keystore) store = open_seeing(fixture);
	g_autoptr(GBytes) secret = secret_new(value, strlen(value));

	return keystore_save(store, name, secret, error);
}

static char *read_back(const Fixture *fixture)
{
	g_autoptr(Keystore) store = open_seeing(fixture);
	g_autoptr(GError) error = NULL;

	fixture_expect(store, "STEADY", "steady-value");
	g_autoptr(GBytes) secret = keystore_lookup(store, "CHANGING", NULL, &error);
	g_assert_no_error(error);
	return g_strdup(secret_text(secret));
}

/* One save in which the call number @at goes wrong.  Returns: whether there was such a call. */
static bool try_fault(const Fixture *fixture, guint at, guint *after)
{
	g_autofree char *value = g_strdup_printf("value-%d-%d-%u", plan.kind, plan.error, at);
	g_autofree char *before = read_back(fixture);
	g_autoptr(GError) error = NULL;

	plan.at = at;
	plan.seen = 0;
	bool is_saved = save(fixture, "CHANGING", value, &error);
	plan.at = 0;
	g_assert_true(is_saved == (error == NULL));
	g_autofree char *now = read_back(fixture);

	/* A failure after the new file got its name (its directory could not be synced) is a failure. */
	if (is_saved)
		g_assert_cmpstr(now, ==, value);
	else if (strcmp(now, value) == 0)
		(*after)++;
	else
		g_assert_cmpstr(now, ==, before);
	g_assert_cmpuint(count_leftovers(fixture), ==, 0);
	return plan.seen >= at;
}

static void test_errors(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		FaultKind kind;
		int error;
		const char *name;
	} cases[] = {
		{ FAULT_ERROR, ENOSPC, "ENOSPC" }, { FAULT_ERROR, EIO, "EIO" },
		{ FAULT_ERROR, EDQUOT, "EDQUOT" }, { FAULT_SHORT, 0, "short write" },
		{ FAULT_EINTR, 0, "EINTR" },
	};

	g_assert_true(save(fixture, "STEADY", "steady-value", NULL));
	g_assert_true(save(fixture, "CHANGING", "value-first", NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		guint at = 1;
		guint after = 0;

		plan.kind = cases[i].kind;
		plan.error = cases[i].error;
		while (at < POINTS_MAX && try_fault(fixture, at, &after))
			at++;
		g_assert_cmpuint(at, >, 2);
		g_assert_cmpuint(after, <=, 2);
		g_test_message("%s at each of %u calls: never torn, %u after the rename",
		               cases[i].name, at - 1, after);
	}
}

/* Stops the child at its system calls, on the way in and out.  Returns: whether it got to number
 * @stop, and was killed there. */
static bool kill_at(pid_t child, guint stop)
{
	int status = 0;

	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_true(WIFSTOPPED(status));
	g_assert_cmpint(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_EXITKILL), ==, 0);
	for (guint i = 0; i < stop; i++) {
		g_assert_cmpint(ptrace(PTRACE_SYSCALL, child, NULL, NULL), ==, 0);
		g_assert_cmpint(waitpid(child, &status, 0), ==, child);
		if (WIFEXITED(status)) {
			g_assert_cmpint(WEXITSTATUS(status), ==, 0);
			return false;
		}
	}
	g_assert_cmpint(kill(child, SIGKILL), ==, 0);
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	return true;
}

static void be_traced(const Fixture *fixture, const char *value)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
		_exit(1);
	_exit(save(fixture, "CHANGING", value, NULL) ? 0 : 2);
}

static void test_killed_at_each_call(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	guint stop = 1;
	guint left = 0;
	bool is_killed = true;

	g_assert_true(save(fixture, "STEADY", "steady-value", NULL));
	g_assert_true(save(fixture, "CHANGING", "value-first", NULL));
	for (; is_killed && stop < POINTS_MAX; stop++) {
		g_autofree char *value = g_strdup_printf("value-%u", stop);
		g_autofree char *before = read_back(fixture);
		pid_t child = fork();

		if (child == 0)
			be_traced(fixture, value);
		is_killed = kill_at(child, stop);
		g_autofree char *now = read_back(fixture);
		g_assert_true(strcmp(now, value) == 0 || (is_killed && strcmp(now, before) == 0));
		left += count_leftovers(fixture) > 0;
	}
	g_assert_cmpuint(stop, >, 50);
	g_assert_true(save(fixture, "CHANGING", "last-value", NULL));
	g_assert_cmpuint(count_leftovers(fixture), ==, 0);
	g_test_message("killed at %u points of a save: old or new, %u with leftovers, all swept",
	               stop - 2, left);
}

static void write_many(const Fixture *fixture, guint writer)
{
	for (guint i = 0; i < SAVES; i++) {
		g_autofree char *name = g_strdup_printf("W%u.%u", writer, i);
		g_autoptr(GError) error = NULL;

		while (!save(fixture, name, "some-value", &error)) {
			bool is_busy =
				g_error_matches(error, KEYSTORE_ERROR, KEYSTORE_ERROR_TIMEOUT);

			/* Without the lock two may sweep each other's files away. */
			if (!is_busy && is_lock_off)
				break;
			if (!is_busy)
				_exit(1);
			g_clear_error(&error);
		}
	}
	_exit(0);
}

/* Returns: how many of the keys are there in the end. */
static guint run_writers(const Fixture *fixture)
{
	pid_t children[WRITERS];
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < WRITERS; i++) {
		children[i] = fork();
		if (children[i] == 0)
			write_many(fixture, i);
	}
	for (guint i = 0; i < WRITERS; i++) {
		int status = 0;

		g_assert_cmpint(waitpid(children[i], &status, 0), ==, children[i]);
		g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	g_autoptr(GPtrArray) entries = keystore_list(store, &error);
	g_assert_no_error(error);
	return entries->len;
}

/* The negative control shows that the writers do collide. */
static void test_writers(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	bool has_lock = GPOINTER_TO_INT(data) != 0;
	gint64 start_us = g_get_monotonic_time();

	is_sync_off = true;
	is_lock_off = !has_lock;
	guint found = run_writers(fixture);
	is_sync_off = false;
	is_lock_off = false;
	g_test_message("%s the lock: %u of %d updates are there, %" G_GINT64_FORMAT " ms",
	               has_lock ? "with" : "without", found, WRITERS * SAVES,
	               (g_get_monotonic_time() - start_us) / 1000);
	if (has_lock)
		g_assert_cmpuint(found, ==, WRITERS * SAVES);
	else
		g_assert_cmpuint(found, <, WRITERS * SAVES);
}

int main(int argc, char **argv)
{
	secret_init();
	cancel_init();
	g_test_init(&argc, &argv, NULL);
	FIXTURE_TEST("/keystore/faults/errors", test_errors);
	FIXTURE_TEST("/keystore/faults/killed-at-each-call", test_killed_at_each_call);
	g_test_add("/keystore/faults/writers", Fixture, GINT_TO_POINTER(1), fixture_set_up,
	           test_writers, fixture_tear_down);
	g_test_add("/keystore/faults/writers-without-lock", Fixture, NULL, fixture_set_up,
	           test_writers, fixture_tear_down);
	return g_test_run();
}
