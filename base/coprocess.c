/* base/coprocess.c - a child at the other end of a socket
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/coprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/secret.h"

/** What is kept of stderr: a pipe holds no more. */
#define COMPLAINT_MAX_BYTES 65536

struct Coprocess {
	GSubprocess *process;
	pid_t pid; /* 0: it has ended already */
	FileFd fd;
	FileFd complaints; /* its stderr */
};

/* Between fork and exec: async-signal-safe calls only.  No PR_SET_PDEATHSIG: that would follow the
 * thread that started it, which ends long before we do. */
static void set_up_child(gpointer data G_GNUC_UNUSED)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setpgid(0, 0);
}

/* Neither end of the pipe may make the child wait: what does not fit is lost. */
static bool open_pipe(FileFd *ours, FileFd *theirs, GError **error)
{
	int fds[2] = { -1, -1 };

	if (!g_unix_open_pipe(fds, FD_CLOEXEC, error))
		return false;
	*ours = fds[0];
	*theirs = fds[1];
	return g_unix_set_fd_nonblocking(fds[0], TRUE, error) &&
	       g_unix_set_fd_nonblocking(fds[1], TRUE, error);
}

static bool open_socket(FileFd *ours, FileFd *theirs, GError **error)
{
	int fds[2] = { -1, -1 };

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0) {
		*ours = fds[0];
		*theirs = fds[1];
		/* In two steps, as not every system can do it in one. */
		if (fcntl(fds[0], F_SETFD, FD_CLOEXEC) == 0 &&
		    fcntl(fds[1], F_SETFD, FD_CLOEXEC) == 0)
			return true;
	}
	fault_set_errno(error, errno, "cannot make a socket");
	return false;
}

static bool spawn(Coprocess *child, const char *const *argv, const char *environment,
                  GError **error)
{
	g_autoptr(GSubprocessLauncher) launcher =
		g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
	g_auto(GStrv) variables = process_environment();
	g_auto(FileFd) socket = -1;
	g_auto(FileFd) complaints = -1;

	if (!open_socket(&child->fd, &socket, error) ||
	    !open_pipe(&child->complaints, &complaints, error))
		return false;
	if (environment) {
		g_auto(GStrv) parts = g_strsplit(environment, "=", 2);
		variables = g_environ_setenv(variables, parts[0], parts[1], TRUE);
	}
	g_subprocess_launcher_set_environ(launcher, variables);
	g_subprocess_launcher_set_cwd(launcher, "/");
	g_subprocess_launcher_take_stdin_fd(launcher, file_fd_take(&socket));
	g_subprocess_launcher_take_stderr_fd(launcher, file_fd_take(&complaints));
	g_subprocess_launcher_set_child_setup(launcher, set_up_child, NULL, NULL);
	child->process = g_subprocess_launcher_spawnv(launcher, argv, error);
	return child->process != NULL;
}

Coprocess *coprocess_start(const char *const *argv, const char *environment, GError **error)
{
	g_return_val_if_fail(argv && argv[0] && g_path_is_absolute(argv[0]), NULL);

	g_autoptr(Coprocess) child = g_new0(Coprocess, 1);
	g_autoptr(GError) cause = NULL;

	child->fd = -1;
	child->complaints = -1;
	if (!spawn(child, argv, environment, &cause)) {
		fault_set(error, STATUS_UNAVAILABLE, NULL, "cannot start %s: %s", argv[0],
		          cause->message);
		return NULL;
	}

	const char *pid = g_subprocess_get_identifier(child->process);
	child->pid = pid ? (pid_t)g_ascii_strtoll(pid, NULL, 10) : 0;
	log_line("helper", "%s started as process %d", argv[0], (int)child->pid);
	return g_steal_pointer(&child);
}

int coprocess_fd(const Coprocess *child)
{
	return child->fd;
}

bool coprocess_is_alive(const Coprocess *child)
{
	struct pollfd poll_fd = { .fd = child->fd };

	return poll(&poll_fd, 1, 0) == 0;
}

static void log_complaints(Coprocess *child)
{
	g_autofree char *text = g_malloc0(COMPLAINT_MAX_BYTES + 1);

	if (child->complaints < 0 || read(child->complaints, text, COMPLAINT_MAX_BYTES) <= 0)
		return;

	g_autofree char *masked = secret_mask(text);
	g_auto(GStrv) lines = g_strsplit(masked, "\n", -1);
	for (char **line = lines; *line; line++)
		if (**line)
			log_line("helper", "%s", *line);
}

void coprocess_free(Coprocess *child)
{
	if (!child)
		return;

	/* Still named: not reaped yet, so the number is still its own. */
	if (child->process && g_subprocess_get_identifier(child->process) && child->pid > 0)
		(void)killpg(child->pid, SIGKILL);
	log_complaints(child);
	file_fd_clear(&child->fd);
	file_fd_clear(&child->complaints);
	if (child->process)
		g_object_unref(child->process);
	g_free(child);
}
