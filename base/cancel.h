/* base/cancel.h - SIGINT, SIGTERM and SIGHUP as a question that code can ask
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Installs the handlers, and ignores SIGPIPE and SIGXFSZ, which are errors of a write then.  The first signal asks the run to stop and roll
 *  back; the second ends the process at once (the journal stays); one within 200 ms counts as the
 *  same, for timeout(1) and terminals send two.  What our parent ignores (nohup) stays ignored. */
void cancel_init(void);

/** Lets the signals that cancel_init() ignores be what they were before: an exec'ed program inherits
 *  that.  Handlers need no such thing. */
void cancel_restore(void);

/** After @timeout_s seconds (0: never) the run is asked to stop, as by a signal.  A program that we
 *  exec'ed, not one that we start, would inherit the alarm. */
void cancel_set_deadline(guint timeout_s);

/** Returns: the signal that asked us to stop, SIGALRM for the deadline, 0 if nothing did. */
int cancel_signal(void);

/** Returns: a descriptor that becomes readable, and stays so, once a signal arrived.  Poll only. */
int cancel_fd(void);

/** Returns: true when nobody asked us to stop; else false with INTERRUPTED, TERMINATED, HANGUP or
 *  DEADLINE set. */
bool cancel_check(GError **error);

/** Waits for @pause_ms, or until a signal comes.  Returns: as cancel_check(). */
bool cancel_pause(guint pause_ms, GError **error);

/** While suspended, cancel_signal() and cancel_check() see nothing and cancel_fd() must not be
 *  relied on: the rollback that a signal asked for has to run to its end.  Nests. */
void cancel_suspend(bool is_suspended);
