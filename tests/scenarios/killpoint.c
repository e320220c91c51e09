/* tests/scenarios/killpoint.c - ends a program at its n-th call that changes something
 *
 * A tracer (ptrace(2)), because a static program loads no library that could count.  Usage:
 *
 *     killpoint N PROGRAM [ARGUMENT...]      kills it with SIGKILL at its N-th such call
 *     killpoint end PROGRAM [ARGUMENT...]    kills it when it removes its journal
 *     killpoint /FILE PROGRAM [ARGUMENT...]  counts, up to the removal of the journal, into FILE
 *
 * The call at which the program is killed is not made any more.  All of its threads are counted
 * together; its children are not traced.  Synchronizing changes nothing that a kill could leave,
 * so it is no point of its own; nor is what is printed, or a line of the log.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#define JOURNAL "/journal"
#define SYSCALL_STOP (SIGTRAP | 0x80) /* of PTRACE_O_TRACESYSGOOD */

/* clang-format off */
static const uint64_t change_table[] = {
	SYS_write, SYS_writev, SYS_pwrite64, SYS_pwritev, SYS_renameat, SYS_renameat2, SYS_linkat,
	SYS_symlinkat, SYS_mkdirat, SYS_unlinkat, SYS_fchmod, SYS_fchmodat, SYS_ftruncate,
	SYS_fallocate, SYS_openat, SYS_clone,
#ifdef SYS_open /* the older calls; new architectures have none of them */
	SYS_rename, SYS_link, SYS_symlink, SYS_mkdir, SYS_rmdir, SYS_unlink, SYS_chmod, SYS_open,
	SYS_fork, SYS_vfork,
#endif
};
/* clang-format on */

static struct {
	const char *point;
	long kill_at; /* 0: not by number */
	long calls;
	long calls_to_end;
} self;

static bool is_listed(uint64_t number)
{
	for (size_t i = 0; i < sizeof(change_table) / sizeof(*change_table); i++)
		if (change_table[i] == number)
			return true;
	return false;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);

	return length > strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* Nobody reads back what goes to a stream, a pipe or the log. */
static bool is_kept(pid_t thread, uint64_t descriptor)
{
	char link[64];
	char path[4096] = "";

	(void)snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)thread, (int)descriptor);
	if (readlink(link, path, sizeof(path) - 1) < 0)
		return true;
	return path[0] == '/' && strncmp(path, "/dev/", strlen("/dev/")) != 0 &&
	       !ends_with(path, ".log");
}

/* Opening is a change only when it creates or cuts; a thread is not a new process. */
static bool is_change(pid_t thread, uint64_t number, const uint64_t *args)
{
	if (!is_listed(number))
		return false;
	if (number == SYS_write || number == SYS_writev)
		return is_kept(thread, args[0]);
	if (number == SYS_clone)
		return !(args[0] & CLONE_THREAD);
	if (number == SYS_openat)
		return args[2] & (O_CREAT | O_TRUNC);
#ifdef SYS_open
	if (number == SYS_open)
		return args[1] & (O_CREAT | O_TRUNC);
#endif
	return true;
}

/* The text at an address of the traced program. */
static void read_text(pid_t thread, uint64_t address, char *text, size_t size_bytes)
{
	for (size_t i = 0; i + 1 < size_bytes; i++) {
		/* A byte at a time: the word beside it may be another page. */
		uint64_t at = address + i;
		long word = ptrace(PTRACE_PEEKDATA, thread, at & ~7UL, 0);

		text[i] = (char)((uint64_t)word >> (at % 8 * 8));
		text[i + 1] = '\0';
		if (!text[i])
			return;
	}
}

static bool removes_journal(pid_t thread, uint64_t number, const uint64_t *args)
{
	char path[4096] = "";

	if (number == SYS_unlinkat)
		read_text(thread, args[1], path, sizeof(path));
#ifdef SYS_open
	if (number == SYS_unlink)
		read_text(thread, args[0], path, sizeof(path));
#endif
	return ends_with(path, JOURNAL);
}

/* A thread stands before a call, or behind it. */
static void on_call(pid_t thread, pid_t program)
{
	struct ptrace_syscall_info info = { 0 };

	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY ||
	    !is_change(thread, info.entry.nr, (void *)info.entry.args))
		return;
	bool is_due = ++self.calls == self.kill_at;
	if (removes_journal(thread, info.entry.nr, (void *)info.entry.args)) {
		self.calls_to_end = self.calls;
		is_due = is_due || strcmp(self.point, "end") == 0;
	}
	if (is_due)
		(void)kill(program, SIGKILL);
}

/* Returns: the signal to hand on when the thread goes on. */
static int on_stop(pid_t thread, pid_t program, int status)
{
	int number = WSTOPSIG(status);

	if (number == SYSCALL_STOP)
		on_call(thread, program);
	/* A new thread begins with SIGSTOP, an event is a SIGTRAP: neither is the program's. */
	if (number == SYSCALL_STOP || status >> 16 || number == SIGSTOP)
		return 0;
	return number;
}

/* Returns: how the program ended, as of wait(2). */
static int trace(pid_t program)
{
	int status = 0;

	for (;;) {
		pid_t thread = waitpid(-1, &status, __WALL);

		if (thread < 0)
			return -1;
		if (WIFSTOPPED(status)) {
			int number = on_stop(thread, program, status);
			(void)ptrace(PTRACE_SYSCALL, thread, 0, number);
		} else if (thread == program) {
			return status;
		}
	}
}

static pid_t start(char **argv)
{
	pid_t program = fork();

	if (program == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, 0, 0);
		(void)raise(SIGSTOP);
		(void)execv(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	if (program < 0 || waitpid(program, NULL, 0) != program)
		return -1;
	if (ptrace(PTRACE_SETOPTIONS, program, 0,
	           PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
	                   PTRACE_O_EXITKILL) < 0 ||
	    ptrace(PTRACE_SYSCALL, program, 0, 0) < 0)
		return -1;
	return program;
}

static bool write_count(void)
{
	FILE *file = self.point[0] == '/' ? fopen(self.point, "w") : NULL;

	return !file || (fprintf(file, "%ld\n", self.calls_to_end) > 0 && fclose(file) == 0);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 64;
	self.point = argv[1];
	self.kill_at = strtol(argv[1], NULL, 10);

	pid_t program = start(argv + 2);
	if (program < 0) {
		perror("killpoint");
		return 70;
	}
	int status = trace(program);
	if (!write_count())
		return 74;
	if (WIFSIGNALED(status))
		(void)kill(getpid(), WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
}
