/* installer/service_process.c - a program in the background, where nobody watches over services
 *
 * The running program holds an fcntl(2) lock on its pid file, which it inherits through exec and
 * loses when it ends, however it does: whether it runs, and as which process, is asked of the
 * kernel.  A number in a file would be somebody else's one day.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/process.h"
#include "installer/service_private.h"

#define TERMINATE_MS 10000
#define KILL_MS 5000
#define POLL_MS 50
/* Libraries of ours may have opened some without O_CLOEXEC; more of them there never are. */
#define DESCRIPTORS_MAX 1024

static bool is_here(void)
{
	return true;
}

static void place(json_t *service)
{
	(void)service;
}

/* Returns: the process that holds the lock; 0 for none. */
static pid_t holder_of(const json_t *service)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	g_auto(FileFd) fd =
		open(service_text(service, "pid"), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid;
}

static bool is_running(const json_t *service)
{
	return holder_of(service) > 0;
}

/* What the child does between fork and exec; only calls that may stand there. */
typedef struct {
	char *const *argv;
	char *const *env;
	const char *pid_path;
	const char *log_path;
	int report_fd; /* closed by exec; an errno comes through it when there is none */
} Launch;

static void set_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		if (i != SIGKILL && i != SIGSTOP)
			(void)signal(i, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_others(void)
{
	for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS_MAX; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* The lock stays with the process; its descriptor is the one thing of ours that it keeps.
 * Returns: that descriptor; -1 with errno set. */
static int take_lock(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600);

	return fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0 ? fd : -1;
}

static bool set_streams(const char *log_path)
{
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int log_fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

	return null_fd >= 0 && log_fd >= 0 && dup2(null_fd, STDIN_FILENO) >= 0 &&
	       dup2(log_fd, STDOUT_FILENO) >= 0 && dup2(log_fd, STDERR_FILENO) >= 0;
}

/* Without the lock again before it is said that there is no program. */
static void become(const Launch *launch)
{
	int lock_fd = -1;

	set_signals();
	close_others();
	(void)umask(022);
	if (chdir("/") == 0 && set_streams(launch->log_path) &&
	    (lock_fd = take_lock(launch->pid_path)) >= 0)
		(void)execve(launch->argv[0], launch->argv, launch->env);

	int errnum = errno;
	(void)close(lock_fd);
	(void)!write(launch->report_fd, &errnum, sizeof(errnum));
	_exit(127);
}

/* Twice, so that what goes on running is nobody's child and in no session of ours. */
static bool fork_twice(const Launch *launch)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		if (setsid() < 0)
			_exit(1);
		pid_t grandchild = fork();
		if (grandchild == 0)
			become(launch);
		_exit(grandchild < 0);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return child > 0 && status == 0;
}

static char **environment_of(const json_t *service)
{
	g_auto(GStrv) own = json_to_strv(json_object_get(service, "env"));
	char **env = process_environment();

	for (char **entry = own; *entry; entry++) {
		g_auto(GStrv) parts = g_strsplit(*entry, "=", 2);
		env = g_environ_setenv(env, parts[0], parts[1] ? parts[1] : "", TRUE);
	}
	return env;
}

/* Returns: whether the program was executed; else with errno of what failed. */
static bool hear_report(int fd)
{
	int errnum = 0;

	if (file_read_fd(fd, &errnum, sizeof(errnum)) == (gssize)sizeof(errnum)) {
		errno = errnum;
		return false;
	}
	return true;
}

static bool start(const json_t *service, GError **error)
{
	g_auto(GStrv) argv = json_to_strv(json_object_get(service, "argv"));
	g_auto(GStrv) env = environment_of(service);
	int ends[2] = { -1, -1 };

	if (!*argv || !g_path_is_absolute(*argv)) {
		fault_set(error, STATUS_DATA, NULL, "the description of a service is damaged");
		return false;
	}
	if (!g_unix_open_pipe(ends, FD_CLOEXEC, error))
		return false;

	Launch launch = { argv, env, service_text(service, "pid"), service_text(service, "log"),
		          ends[1] };
	bool is_forked = fork_twice(&launch);
	(void)close(ends[1]);
	g_auto(FileFd) report = ends[0];
	if (is_forked && hear_report(report))
		return true;

	fault_set(error, STATUS_UNAVAILABLE, NULL, "cannot start %s: %s", *argv, g_strerror(errno));
	return false;
}

/* Waits until the process has let go of its lock. */
static bool wait_for_end(const json_t *service, pid_t pid, guint timeout_ms)
{
	gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;

	while (holder_of(service) == pid) {
		if (g_get_monotonic_time() > deadline)
			return false;
		(void)poll(NULL, 0, POLL_MS);
	}
	return true;
}

static bool stop(const json_t *service, GError **error)
{
	static const struct {
		int signal;
		guint timeout_ms;
	} ways[] = { { SIGTERM, TERMINATE_MS }, { SIGKILL, KILL_MS } };
	pid_t pid = holder_of(service);

	for (gsize i = 0; pid > 0 && i < G_N_ELEMENTS(ways); i++)
		if (kill(pid, ways[i].signal) == 0 || errno == ESRCH)
			if (wait_for_end(service, pid, ways[i].timeout_ms))
				return true;
	if (pid == 0)
		return true;

	fault_set(error, STATUS_DENIED, NULL, "process %d, %s, does not end", (int)pid,
	          service_text(service, "title"));
	return false;
}

static char *note(const json_t *service)
{
	return g_strdup_printf("nothing here starts services for you: after a restart of the "
	                       "machine, \"slipway up\" starts %s again",
	                       service_text(service, "title"));
}

const ServiceManager service_process = {
	.name = "process",
	.is_here = is_here,
	.place = place,
	.note = note,
	.is_running = is_running,
	.start = start,
	.stop = stop,
};
