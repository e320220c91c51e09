/* base/process.c - run a program and know how it ended
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process_private.h"
#include "base/secret.h"

#define DEFAULT_TIMEOUT_MS 60000
#define TERM_TO_KILL_US 5000000
/** After SIGKILL; a process of another user (sudo) or in the kernel may outlast that. */
#define KILL_TO_ABANDON_US 2000000
/** For what a grandchild that holds the pipe still writes when the child has ended. */
#define DRAIN_US 500000
/** How often we look where the kernel does not tell us: is the group empty, did the file grow. */
#define GROUP_TICK_MS 20
#define FILE_TICK_MS 100
#define NO_DEV_HINT "There is no /dev/null here: mount /dev and run the command again."
#define TAIL_LINES 3
#define TAIL_LINE_BYTES 300

typedef enum {
	RUN_GOING,
	RUN_TERMINATED, /* SIGTERM was sent */
	RUN_KILLED,     /* SIGKILL was sent */
	RUN_ABANDONED,  /* and did not help */
} RunState;

typedef struct {
	const ProcessSpec *spec;
	GSubprocess *child;
	GThread *waiter;
	pid_t pid;       /* its process group too, but for PROCESS_ON_TERMINAL */
	FileFd exit_fd;  /* readable when the child has ended */
	FileFd input_fd; /* -1 when all is written */
	gsize input_done;
	ProcessStream out;
	ProcessStream err;
	bool has_exited;
	RunState state;
	gint64 until_us; /* when the next state is due; after the exit, when to stop reading */
	GError *stop;    /* why we ended it */
} Run;

static void run_clear(Run *run)
{
	if (run->child)
		g_object_unref(run->child);
	if (run->waiter)
		g_thread_unref(run->waiter);
	file_fd_clear(&run->exit_fd);
	file_fd_clear(&run->input_fd);
	process_stream_clear(&run->out);
	process_stream_clear(&run->err);
	g_clear_error(&run->stop);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

void process_result_clear(ProcessResult *result)
{
	g_clear_pointer(&result->out, g_free);
	g_clear_pointer(&result->err, g_free);
}

typedef struct {
	GSubprocess *child;
	int fd;
} Waiter;

/* A thread, because a GSubprocess has no descriptor to poll, and pidfd_open(2) is Linux alone.  It
 * owns what it uses: where the child cannot be ended, nobody waits for this thread. */
static gpointer wait_for_child(gpointer data)
{
	Waiter *waiter = data;

	(void)g_subprocess_wait(waiter->child, NULL, NULL);
	(void)!write(waiter->fd, "", 1);
	(void)close(waiter->fd);
	g_object_unref(waiter->child);
	g_free(waiter);
	return NULL;
}

static void start_waiter(Run *run, int fd)
{
	Waiter *waiter = g_new0(Waiter, 1);

	waiter->child = g_object_ref(run->child);
	waiter->fd = fd;
	run->waiter = g_thread_new("wait", wait_for_child, waiter);
}

typedef struct {
	ProcessFlags flags;
	pid_t parent;
} Setup;

/* Between fork and exec: async-signal-safe calls only. */
static void set_up_child(gpointer data)
{
	const Setup *setup = data;
	sigset_t none;

	(void)umask(022);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (!(setup->flags & PROCESS_ON_TERMINAL))
		(void)setpgid(0, 0);
	if (!(setup->flags & PROCESS_SURVIVES))
		process_die_with(setup->parent);
}

static char **environment_of(const ProcessSpec *spec)
{
	char **environment = process_environment();

	for (gsize i = 0; spec->env && spec->env[i]; i++) {
		gsize name_bytes = strcspn(spec->env[i], "=");
		g_autofree char *name = g_strndup(spec->env[i], name_bytes);

		if (spec->env[i][name_bytes])
			environment = g_environ_setenv(environment, name,
			                               spec->env[i] + name_bytes + 1, TRUE);
		else
			environment = g_environ_unsetenv(environment, name);
	}
	return environment;
}

/** Both ends of a pipe, or one file twice. */
typedef struct {
	FileFd ours;
	FileFd theirs;
} Channel;

static void channel_clear(Channel *channel)
{
	file_fd_clear(&channel->ours);
	file_fd_clear(&channel->theirs);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Channel, channel_clear)

static bool open_pipe(Channel *channel, bool is_input, GError **error)
{
	int fds[2] = { -1, -1 };

	if (!g_unix_open_pipe(fds, FD_CLOEXEC, error))
		return false;
	channel->ours = fds[is_input ? 1 : 0];
	channel->theirs = fds[is_input ? 0 : 1];
	return g_unix_set_fd_nonblocking(channel->ours, TRUE, error);
}

/* A program that is to outlive us must not meet a broken pipe: it gets a file without a name. */
static bool open_file(Channel *channel, GError **error)
{
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "slipway-XXXXXX", NULL);

	channel->ours = mkostemp(path, O_CLOEXEC);
	if (channel->ours >= 0)
		(void)unlink(path);
	channel->theirs = channel->ours < 0 ? -1 : fcntl(channel->ours, F_DUPFD_CLOEXEC, 3);
	if (channel->theirs >= 0)
		return true;
	fault_set_errno(error, errno, "cannot create a file in %s", g_get_tmp_dir());
	return false;
}

static bool open_output(Channel *channel, ProcessFlags flags, GError **error)
{
	return flags & PROCESS_SURVIVES ? open_file(channel, error)
	                                : open_pipe(channel, false, error);
}

/* Connects stdin, stdout and stderr of the child that @launcher makes. */
static bool connect_streams(Run *run, GSubprocessLauncher *launcher, GError **error)
{
	g_auto(Channel) in = { -1, -1 };
	g_auto(Channel) out = { -1, -1 };
	g_auto(Channel) err = { -1, -1 };
	const ProcessSpec *spec = run->spec;
	bool is_file = spec->flags & PROCESS_SURVIVES;

	if (spec->flags & PROCESS_ON_TERMINAL)
		return true;
	if ((spec->input && !open_pipe(&in, true, error)) ||
	    !open_output(&out, spec->flags, error) || !open_output(&err, spec->flags, error))
		return false;

	if (spec->input)
		g_subprocess_launcher_take_stdin_fd(launcher, file_fd_take(&in.theirs));
	g_subprocess_launcher_take_stdout_fd(launcher, file_fd_take(&out.theirs));
	g_subprocess_launcher_take_stderr_fd(launcher, file_fd_take(&err.theirs));
	run->input_fd = file_fd_take(&in.ours);
	run->out.fd = file_fd_take(&out.ours);
	run->err.fd = file_fd_take(&err.ours);
	run->out.is_file = is_file;
	run->err.is_file = is_file;
	return true;
}

static void log_start(const ProcessSpec *spec)
{
	GString *command = g_string_new(spec->argv[0]);

	for (gsize i = 1; spec->argv[i]; i++)
		g_string_append_printf(command, " %s", spec->argv[i]);
	log_line("run", "%s", command->str);
	g_string_free(command, TRUE);
}

static bool spawn(Run *run, GError **error)
{
	const ProcessSpec *spec = run->spec;
	bool is_on_terminal = spec->flags & PROCESS_ON_TERMINAL;
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
		is_on_terminal ? G_SUBPROCESS_FLAGS_STDIN_INHERIT : G_SUBPROCESS_FLAGS_NONE);
	g_auto(GStrv) environment = environment_of(spec);
	g_auto(Channel) end = { -1, -1 };
	Setup setup = { spec->flags, getpid() };

	process_adopt_orphans();
	if (!connect_streams(run, launcher, error) || !open_pipe(&end, false, error))
		return false;

	g_subprocess_launcher_set_environ(launcher, environment);
	g_subprocess_launcher_set_cwd(launcher, spec->cwd ? spec->cwd : "/");
	g_subprocess_launcher_set_child_setup(launcher, set_up_child, &setup, NULL);
	run->child = g_subprocess_launcher_spawnv(launcher, spec->argv, error);
	if (!run->child)
		return false;

	/* No name: it has ended already, and there is nothing to signal. */
	const char *pid = g_subprocess_get_identifier(run->child);
	run->pid = pid ? (pid_t)g_ascii_strtoll(pid, NULL, 10) : 0;
	run->exit_fd = file_fd_take(&end.ours);
	start_waiter(run, file_fd_take(&end.theirs));
	return true;
}

static bool start(Run *run, GError **error)
{
	g_autoptr(GError) cause = NULL;
	const ProcessSpec *spec = run->spec;
	guint timeout_ms = spec->timeout_ms ? spec->timeout_ms : DEFAULT_TIMEOUT_MS;

	log_start(spec);
	process_stream_init(&run->out, spec);
	process_stream_init(&run->err, spec);
	run->until_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
	if (spawn(run, &cause))
		return true;
	fault_set(error, STATUS_UNAVAILABLE, file_exists("/dev/null") ? NULL : NO_DEV_HINT,
	          "cannot start %s: %s", spec->argv[0], cause->message);
	return false;
}

static void signal_child(const Run *run, int number)
{
	if (run->pid <= 0)
		return;
	if (run->spec->flags & PROCESS_ON_TERMINAL)
		(void)kill(run->pid, number);
	else
		(void)killpg(run->pid, number);
}

/* Takes @stop. */
static void terminate(Run *run, GError *stop)
{
	run->stop = stop;
	run->state = RUN_TERMINATED;
	run->until_us = g_get_monotonic_time() + TERM_TO_KILL_US;
	signal_child(run, SIGTERM);
	signal_child(run, SIGCONT);
}

static void on_deadline(Run *run)
{
	const ProcessSpec *spec = run->spec;
	guint timeout_ms = spec->timeout_ms ? spec->timeout_ms : DEFAULT_TIMEOUT_MS;
	GError *stop = NULL;

	switch (run->state) {
	case RUN_GOING:
		fault_set(&stop, STATUS_DEADLINE, NULL, "%s did not end within %g s", run->out.who,
		          timeout_ms / 1000.0);
		terminate(run, stop);
		break;
	case RUN_TERMINATED:
		signal_child(run, SIGKILL);
		run->state = RUN_KILLED;
		run->until_us = g_get_monotonic_time() + KILL_TO_ABANDON_US;
		break;
	case RUN_KILLED:
	case RUN_ABANDONED:
	default:
		if (!run->has_exited)
			g_prefix_error(&run->stop, "process %d cannot be ended: ", (int)run->pid);
		run->state = RUN_ABANDONED;
		break;
	}
}

static void write_input(Run *run)
{
	gsize size_bytes = 0;
	const char *data = g_bytes_get_data(run->spec->input, &size_bytes);

	while (run->input_done < size_bytes) {
		ssize_t written =
			write(run->input_fd, data + run->input_done, size_bytes - run->input_done);

		if (written < 0 && errno == EAGAIN)
			return;
		if (written < 0 && errno != EINTR)
			break; /* it does not want more; cancel_init() ignores SIGPIPE */
		run->input_done += written > 0 ? (gsize)written : 0;
	}
	file_fd_clear(&run->input_fd);
}

static void on_exit_seen(Run *run)
{
	run->has_exited = true;
	file_fd_clear(&run->exit_fd);
	file_fd_clear(&run->input_fd);
	if (run->state == RUN_GOING)
		run->until_us = g_get_monotonic_time() + DRAIN_US;
}

/* Once the leader is reaped.  Its orphans are ours to reap, or init's. */
static bool group_is_gone(const Run *run)
{
	while (run->pid > 0 && waitpid(-run->pid, NULL, WNOHANG) > 0)
		;
	return run->pid <= 0 || (run->spec->flags & PROCESS_ON_TERMINAL) ||
	       (killpg(run->pid, 0) != 0 && errno == ESRCH);
}

static bool is_over(const Run *run)
{
	if (run->state == RUN_ABANDONED)
		return true;
	if (!run->has_exited)
		return false;
	if (run->state != RUN_GOING)
		return group_is_gone(run);
	return g_get_monotonic_time() >= run->until_us || run->out.is_file ||
	       (run->out.fd < 0 && run->err.fd < 0);
}

static int wait_ms(const Run *run)
{
	gint64 rest_ms = (run->until_us - g_get_monotonic_time() + 999) / 1000;

	if (run->out.is_file)
		rest_ms = MIN(rest_ms, FILE_TICK_MS);
	if (run->has_exited && run->state != RUN_GOING)
		rest_ms = MIN(rest_ms, GROUP_TICK_MS);
	return (int)CLAMP(rest_ms, 0, G_MAXINT);
}

static void step(Run *run)
{
	bool may_cancel = run->state == RUN_GOING && !run->has_exited &&
	                  !(run->spec->flags & PROCESS_UNINTERRUPTED);
	struct pollfd fds[] = {
		{ .fd = run->exit_fd, .events = POLLIN },
		{ .fd = run->input_fd, .events = POLLOUT },
		{ .fd = run->out.is_file ? -1 : run->out.fd, .events = POLLIN },
		{ .fd = run->err.is_file ? -1 : run->err.fd, .events = POLLIN },
		{ .fd = may_cancel ? cancel_fd() : -1, .events = POLLIN },
	};
	GError *stop = NULL;

	if (poll(fds, G_N_ELEMENTS(fds), wait_ms(run)) < 0)
		return; /* EINTR: the caller comes back */

	process_stream_read(&run->out);
	process_stream_read(&run->err);
	if (fds[1].revents)
		write_input(run);
	if (fds[0].revents)
		on_exit_seen(run);
	else if (may_cancel && !cancel_check(&stop))
		terminate(run, stop);
	else if (!(run->has_exited && run->state == RUN_GOING) &&
	         g_get_monotonic_time() >= run->until_us)
		on_deadline(run);
}

static bool finish(Run *run, ProcessResult *result, GError **error)
{
	g_autofree char *out = process_stream_finish(&run->out);
	g_autofree char *err = process_stream_finish(&run->err);

	/* It has sent its last byte, or it may never end. */
	if (run->has_exited)
		g_thread_join(g_steal_pointer(&run->waiter));
	if (run->stop) {
		log_line("run", "%s: %s", run->out.who, run->stop->message);
		g_propagate_error(error, g_steal_pointer(&run->stop));
		return false;
	}

	bool is_exit = g_subprocess_get_if_exited(run->child);
	result->exit_code = is_exit ? g_subprocess_get_exit_status(run->child) : -1;
	result->signal = is_exit ? 0 : g_subprocess_get_term_sig(run->child);
	result->was_cut = run->out.was_cut || run->err.was_cut;
	result->out = g_steal_pointer(&out);
	result->err = g_steal_pointer(&err);
	log_line("run", "%s: exit status %d, signal %d", run->out.who, result->exit_code,
	         result->signal);
	return true;
}

bool process_run(const ProcessSpec *spec, ProcessResult *result, GError **error)
{
	g_return_val_if_fail(spec && result && spec->argv && spec->argv[0], false);
	g_return_val_if_fail(g_path_is_absolute(spec->argv[0]), false);

	g_auto(Run) run = { .spec = spec, .exit_fd = -1, .input_fd = -1 };
	if (!start(&run, error))
		return false;

	while (!is_over(&run))
		step(&run);
	return finish(&run, result, error);
}

/* Returns: (transfer full): the last lines of @text that say something, as one, masked. */
static char *tail_of(const char *text)
{
	g_autofree char *masked = secret_mask(text);
	g_auto(GStrv) lines = g_strsplit_set(masked, "\r\n", -1);
	GString *tail = g_string_new(NULL);

	for (guint i = g_strv_length(lines), taken = 0; i > 0 && taken < TAIL_LINES; i--) {
		const char *line = g_strstrip(lines[i - 1]);

		if (*line && taken++ > 0)
			g_string_prepend(tail, "; ");
		g_string_prepend_len(tail, line, (gssize)strnlen(line, TAIL_LINE_BYTES));
	}
	return g_string_free(tail, FALSE);
}

char *process_capture(const ProcessSpec *spec, GError **error)
{
	g_auto(ProcessResult) result = { 0 };
	if (!process_run(spec, &result, error))
		return NULL;

	if (result.exit_code == 0) {
		gsize length = strlen(result.out);
		while (length > 0 && strchr("\r\n", result.out[length - 1]))
			result.out[--length] = '\0';
		return g_steal_pointer(&result.out);
	}

	g_autofree char *tail = tail_of(result.err);
	g_autofree char *end = result.signal
	                               ? g_strdup_printf("was ended by signal %d (%s)",
	                                                 result.signal, g_strsignal(result.signal))
	                               : g_strdup_printf("ended with status %d", result.exit_code);
	fault_set(error, STATUS_UNAVAILABLE, NULL, "%s %s%s%s", spec->argv[0], end,
	          *tail ? ": " : "", tail);
	return NULL;
}
