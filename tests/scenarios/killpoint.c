/* tests/scenarios/killpoint.c - ends a program, or fails it, at one of its calls
 *
 * A tracer (ptrace(2)), because a static program loads no library that could count.  Usage:
 *
 *     killpoint N PROGRAM [ARGUMENT...]     kills it with SIGKILL at its N-th call that changes something
 *     killpoint end PROGRAM [ARGUMENT...]   kills it when it removes its journal
 *     killpoint sync:N:E PROGRAM ...        its N-th call that synchronizes fails with errno E
 *     killpoint room:N:E PROGRAM ...        its N-th call that needs room on a disk fails with errno E
 *     killpoint sync:0:0 PROGRAM ...        no call synchronizes anything, and each says that it did
 *     killpoint none PROGRAM ...            lets it run
 *
 * The call at which the program is killed, or that fails, is not made.  All of its threads are
 * counted together; its children are not traced, but waited for.  Synchronizing changes nothing that
 * a kill could leave, so it is no point of its own; nor is what is printed, or a line of the log.
 * KILLPOINT_LEAVES_ORPHANS: what it started and what goes on is not waited for.
 * KILLPOINT_USER=ID: the program runs as that user; the tracer has to be root, to see what its
 * descriptors are.  KILLPOINT_COUNTS=FILE: how many calls changed something (up to the removal of the journal), needed
 * room, and synchronized, is written into it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/elf.h>
#include <linux/ptrace.h>

#define JOURNAL "journal"
#define SYSCALL_STOP (SIGTRAP | 0x80) /* of PTRACE_O_TRACESYSGOOD */
#define MAX_FAILING 64                /* threads in a call that fails, at one time */

typedef struct {
	const uint64_t *calls;
	size_t count;
} CallList;

/* clang-format off */
static const uint64_t room_calls[] = {
	SYS_write, SYS_writev, SYS_pwrite64, SYS_pwritev, SYS_renameat, SYS_renameat2, SYS_linkat,
	SYS_symlinkat, SYS_mkdirat, SYS_fallocate, SYS_openat, SYS_copy_file_range, SYS_sendfile,
#ifdef SYS_open /* the older calls; new architectures have none of them */
	SYS_rename, SYS_link, SYS_symlink, SYS_mkdir, SYS_open,
#endif
};
static const uint64_t other_calls[] = {
	SYS_unlinkat, SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_ftruncate,
	SYS_utimensat, SYS_fsetxattr, SYS_clone,
#ifdef SYS_open
	SYS_rmdir, SYS_unlink, SYS_chmod, SYS_fork, SYS_vfork,
#endif
};
static const uint64_t sync_calls[] = {
	SYS_fsync, SYS_fdatasync, SYS_sync, SYS_syncfs, SYS_msync, SYS_sync_file_range,
};
/* clang-format on */

static const CallList room = { room_calls, sizeof(room_calls) / sizeof(*room_calls) };
static const CallList other = { other_calls, sizeof(other_calls) / sizeof(*other_calls) };
static const CallList syncing = { sync_calls, sizeof(sync_calls) / sizeof(*sync_calls) };

static struct {
	const char *point;
	long kill_at; /* 0: not by number */
	char fail_class[8];
	long fail_at; /* 0: each */
	int fail_errno;
	long changes, changes_to_end, rooms, syncs;
	pid_t failing[MAX_FAILING]; /* 0: free */
} self;

static bool is_listed(const CallList *list, uint64_t number)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->calls[i] == number)
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
	if (!is_listed(&room, number) && !is_listed(&other, number))
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
	return strcmp(path, JOURNAL) == 0 || ends_with(path, "/" JOURNAL);
}

/* At the entry of a call: none is made.  At its exit: what it returned.  The kernel numbers registers
 * for each architecture. */
static bool set_call(pid_t thread, bool is_entry, int64_t value)
{
#if defined(__x86_64__)
	size_t at = is_entry ? offsetof(struct user_regs_struct, orig_rax)
	                     : offsetof(struct user_regs_struct, rax);

	return ptrace(PTRACE_POKEUSER, thread, at, value) == 0;
#elif defined(__aarch64__)
	struct user_regs_struct registers;
	int number = (int)value;
	struct iovec all = { &registers, sizeof(registers) };
	struct iovec one = { &number, sizeof(number) };

	if (is_entry)
		return ptrace(PTRACE_SETREGSET, thread, NT_ARM_SYSTEM_CALL, &one) == 0;
	if (ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &all) != 0)
		return false;
	registers.regs[0] = (uint64_t)value;
	return ptrace(PTRACE_SETREGSET, thread, NT_PRSTATUS, &all) == 0;
#endif
}

static pid_t *failing_slot(pid_t thread)
{
	for (size_t i = 0; i < MAX_FAILING; i++)
		if (self.failing[i] == thread)
			return &self.failing[i];
	return NULL;
}

static void fail(pid_t thread)
{
	pid_t *slot = failing_slot(0);

	if (slot && set_call(thread, true, -1))
		*slot = thread;
}

static void on_exit_of_call(pid_t thread)
{
	pid_t *slot = failing_slot(thread);

	if (!slot)
		return;
	*slot = 0;
	(void)set_call(thread, false, -self.fail_errno);
}

/* Counts a call of one class; fails it if it is the one. */
static bool is_failing(const char *class, long count)
{
	return strcmp(self.fail_class, class) == 0 && (self.fail_at == 0 || self.fail_at == count);
}

static void on_sync(pid_t thread)
{
	if (is_failing("sync", ++self.syncs))
		fail(thread);
}

/* A thread stands before a call, or behind it. */
static void on_call(pid_t thread, pid_t program)
{
	struct ptrace_syscall_info info = { 0 };

	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		on_exit_of_call(thread);
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return;

	uint64_t number = info.entry.nr;
	const uint64_t *args = (void *)info.entry.args;
	if (is_listed(&syncing, number))
		on_sync(thread);
	if (!is_change(thread, number, args))
		return;
	bool is_due = ++self.changes == self.kill_at;
	if (removes_journal(thread, number, args)) {
		self.changes_to_end = self.changes;
		is_due = is_due || strcmp(self.point, "end") == 0;
	}
	if (is_due)
		(void)kill(program, SIGKILL);
	else if (is_listed(&room, number) && is_failing("room", ++self.rooms))
		fail(thread);
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

/* Returns: how the program ended, as of wait(2); its orphans have ended too. */
static int trace(pid_t program)
{
	int ended = -1;
	int status = 0;

	for (;;) {
		pid_t thread = waitpid(-1, &status, __WALL);

		if (thread < 0)
			return ended;
		if (WIFSTOPPED(status)) {
			int number = on_stop(thread, program, status);
			(void)ptrace(PTRACE_SYSCALL, thread, 0, number);
		} else if (thread == program) {
			ended = status;
		}
	}
}

static void become(const char *user)
{
	uid_t id = user ? (uid_t)strtoul(user, NULL, 10) : 0;

	if (user && (setgroups(0, NULL) != 0 || setgid(id) != 0 || setuid(id) != 0)) {
		perror("killpoint");
		_exit(77);
	}
}

static pid_t start(char **argv)
{
	pid_t program = fork();

	if (program == 0) {
		become(getenv("KILLPOINT_USER"));
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

static bool write_counts(const char *path)
{
	FILE *file = path ? fopen(path, "w") : NULL;

	return !path || (file &&
	                 fprintf(file, "%ld %ld %ld\n",
	                         self.changes_to_end ? self.changes_to_end : self.changes,
	                         self.rooms, self.syncs) > 0 &&
	                 fclose(file) == 0);
}

int main(int argc, char **argv)
{
	const char *counts = getenv("KILLPOINT_COUNTS");

	if (argc < 3)
		return 64;
	self.point = argv[1];
	if (sscanf(argv[1], "%7[a-z]:%ld:%d", self.fail_class, &self.fail_at, &self.fail_errno) !=
	    3)
		self.kill_at = strtol(argv[1], NULL, 10);

	if (!getenv("KILLPOINT_LEAVES_ORPHANS"))
		(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t program = start(argv + 2);
	if (program < 0) {
		perror("killpoint");
		return 70;
	}
	int status = trace(program);
	if (!write_counts(counts))
		return 74;
	if (WIFSIGNALED(status))
		(void)kill(getpid(), WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
}
