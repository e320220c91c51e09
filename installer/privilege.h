/* installer/privilege.h - commands that run as root
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/process.h"
#include "base/term.h"

/**
 * Runs @spec as root: directly if we are root; else through
 * "sudo -n -- /usr/bin/env -i NAME=value... PROGRAM...", or, where sudo allows only the program
 * itself, "sudo -n -- PROGRAM..." in sudo's own clean environment.  Never asks, never waits for a
 * password.  @spec->env holds "NAME=value" only; proxy and CA settings of ours are handed on,
 * but not a proxy with a password in it: that would stand in argv.
 *
 * Returns: true when the command ran, whatever its status; false with DENIED (no sudo, sudo
 * refuses; the hint has the command for a person to run) or an error of process_run() set.
 */
bool privilege_run(const ProcessSpec *spec, ProcessResult *result,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Says, before anybody is asked anything, that @commands (as for privilege_acquire()) cannot run: we are
 *  not root, and there is no sudo program.  Returns: false with DENIED set then. */
bool privilege_is_possible(const char *const *commands, GError **error);

/**
 * Makes sure, before anything is changed, that every one of @commands can run as root.  On a
 * terminal where a question can be answered it runs "sudo -v" once, which may ask for a password.
 *
 * @commands: lines as made by privilege_text(), NULL-terminated; none: nothing to do.
 *
 * Returns: false with DENIED set: no sudo program, not allowed, a password that nobody can give,
 * no_new_privs.  The hint has the commands for a person to run.
 */
bool privilege_acquire(Term *term, const char *const *commands,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): one line as it is shown in a plan: the environment that is added (@env,
 *  (nullable)) and the command, quoted so that a shell reads it back. */
char *privilege_text(const char *const *env, const char *const *argv);

/** Returns: (transfer none): in words, why sudo refused, from what it wrote to stderr; NULL when
 *  that is no refusal. */
const char *privilege_refusal(const char *stderr_text);
