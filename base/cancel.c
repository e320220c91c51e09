/* base/cancel.c - SIGINT, SIGTERM and SIGHUP as a question that code can ask
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/cancel.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"

/** timeout(1) signals its child and then the child's group; a closing terminal does likewise. */
#define SAME_SIGNAL_MS 200

/* What the handler touches is lock-free atomics and a pipe only. */
static atomic_int received;
static atomic_llong received_ms;
static atomic_bool has_expired;
static atomic_int suspensions;
static int wakeup_pipe[2] = { -1, -1 };

static const int ignored[] = { SIGPIPE, SIGXFSZ };
static struct sigaction before_ignored[G_N_ELEMENTS(ignored)];

static long long now_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_signal(int number)
{
	int saved_errno = errno;
	int none = 0;

	if (atomic_compare_exchange_strong(&received, &none, number)) {
		atomic_store(&received_ms, now_ms());
		(void)!write(wakeup_pipe[1], "", 1);
	} else if (now_ms() - atomic_load(&received_ms) > SAME_SIGNAL_MS) {
		_exit(128 + number);
	}
	errno = saved_errno;
}

/* No second signal: who then interrupts us by hand does that for the first time. */
static void on_alarm(int number G_GNUC_UNUSED)
{
	int saved_errno = errno;

	atomic_store(&has_expired, true);
	(void)!write(wakeup_pipe[1], "", 1);
	errno = saved_errno;
}

void cancel_set_deadline(guint timeout_s)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	sigset_t alone;

	g_return_if_fail(wakeup_pipe[0] >= 0);

	(void)sigaction(SIGALRM, &action, NULL);
	(void)sigemptyset(&alone);
	(void)sigaddset(&alone, SIGALRM);
	(void)pthread_sigmask(SIG_UNBLOCK, &alone, NULL); /* our parent may have blocked it */
	(void)alarm(timeout_s);
}

/* A signal that our parent told us to ignore (nohup, a background job) stays ignored. */
static void catch (int number)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct sigaction before = { 0 };

	if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
		return;
	(void)sigaction(number, &action, NULL);
}

void cancel_init(void)
{
	g_autoptr(GError) error = NULL;

	if (wakeup_pipe[0] >= 0)
		return;
	if (!g_unix_open_pipe(wakeup_pipe, FD_CLOEXEC, &error))
		g_error("cannot make a pipe: %s", error->message);
	(void)g_unix_set_fd_nonblocking(wakeup_pipe[1], TRUE, NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(ignored); i++)
		(void)sigaction(ignored[i], &(struct sigaction){ .sa_handler = SIG_IGN },
		                &before_ignored[i]);
	catch (SIGINT);
	catch (SIGTERM);
	catch (SIGHUP);
}

void cancel_restore(void)
{
	if (wakeup_pipe[0] < 0)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(ignored); i++)
		(void)sigaction(ignored[i], &before_ignored[i], NULL);
}

int cancel_signal(void)
{
	int number = atomic_load(&received);

	if (atomic_load(&suspensions) > 0)
		return 0;
	return number == 0 && atomic_load(&has_expired) ? SIGALRM : number;
}

int cancel_fd(void)
{
	/* poll(2) passes over -1: a signal must not spin the loop of a rollback. */
	return atomic_load(&suspensions) > 0 ? -1 : wakeup_pipe[0];
}

bool cancel_check(GError **error)
{
	switch (cancel_signal()) {
	case 0:
		return true;
	case SIGINT:
		fault_set(error, STATUS_INTERRUPTED, NULL, "interrupted");
		return false;
	case SIGALRM:
		fault_set(error, STATUS_DEADLINE, NULL, "the time for this run is over");
		return false;
	case SIGHUP:
		fault_set(error, STATUS_HANGUP, NULL, "the terminal was closed (SIGHUP)");
		return false;
	default:
		fault_set(error, STATUS_TERMINATED, NULL, "terminated (SIGTERM)");
		return false;
	}
}

void cancel_suspend(bool is_suspended)
{
	int before = atomic_fetch_add(&suspensions, is_suspended ? 1 : -1);

	g_assert(is_suspended || before > 0);
}

bool cancel_pause(guint pause_ms, GError **error)
{
	struct pollfd wait = { .fd = cancel_fd(), .events = POLLIN };

	(void)poll(&wait, 1, (int)pause_ms); /* a descriptor of -1 is passed over */
	return cancel_check(error);
}
