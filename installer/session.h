/* installer/session.h - what the commands that change the machine have in common
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/lock.h"
#include "installer/document.h"
#include "installer/host.h"
#include "installer/txn.h"

/** Takes the lock of the state directory and opens the log of this run.
 *  Returns: (transfer full): the lock; NULL with BUSY, DENIED or CANNOT_CREATE set. */
Lock *session_begin(App *app, const char *command, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Asks "@question"; with --yes the answer is yes; where nobody can answer, USAGE is set, and when
 *  the answer is no, FAILED. */
bool session_confirm(App *app, const char *question, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Makes sure that the root commands of what is due in @plan can run, before anything is changed: on a
 *  terminal sudo may ask for a password, once.  Errors: DENIED. */
bool session_acquire(App *app, StepHost *host, const Plan *plan,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The same for taking back what @txn did. */
bool session_acquire_undo(Txn *txn, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Deals with a run that was interrupted, before a new one: taken back, with a word to the user.
 *  Errors: USAGE (needs --yes), those of txn_open() and txn_roll_back(). */
bool session_settle(App *app, const StepHost *host, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Applies, verifies and commits; or takes everything back and says so in the message.
 *  Puts "changed", "deferred" and "left_in_place" into app->document. */
bool session_run(Txn *txn, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Tells the user what was left in place, and why.  @left: (element-type utf8). */
void session_report_left(App *app, const GPtrArray *left);

/** Tells the user what steps have to say when all is done. */
void session_print_notes(const Txn *txn);

/** Tells the user what a finished installation kept and put off, and what comes next. */
void session_summarize(const Txn *txn);

/** Installs with the plan as it is now, deferred steps included; the lock is held. */
bool install_now(App *app, const char *word, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Takes away what the receipt says of @name, once that is confirmed; nothing is not an error. */
bool uninstall_now(App *app, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Takes a stack away that txn_begin_uninstall() or txn_open() loaded; the lock is held. */
bool uninstall_run(Txn *txn, GError **error) G_GNUC_WARN_UNUSED_RESULT;
