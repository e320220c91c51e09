/* installer/lifecycle_up.h - a project is started, or stopped and its keys forgotten
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/lifecycle_services.h"

/** Looks whether @project runs as the receipt says: every service well, from the files and keys of then.
 *  Fast: one or two requests.  Returns: false with the errors of engine_get() set. */
bool lifecycle_is_up(const Lifecycle *life, const LifeProject *project, bool *is_up,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Starts @project and waits until its services and their health URLs answer; then writes the receipt.
 * The lock is held.  After a failure what it started is taken away, and the message says so; what ran
 * before goes on running.  Killed at any moment, the next call goes on.
 *
 * Returns: false with FAILED (a port is taken; somebody else's project has the name), UNVERIFIED (a
 * service is not well), a status of compose_fault_set(), of handover_make(), DEADLINE or a cancellation
 * set; INCOMPLETE when taking it back failed too.
 */
bool lifecycle_up(Lifecycle *life, LifeProject *project, const StepHost *host,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Stops and removes the containers and networks of @project, and with @has_volumes its data; then the
 * keys that were handed over, and says so in the receipt.  The lock is held.  Killed at any moment, the
 * next call goes on.  Networks that the engine keeps are added to life->left.
 *
 * @is_changed: set to whether there was anything.
 */
bool lifecycle_down(Lifecycle *life, LifeProject *project, bool has_volumes, bool *is_changed,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: whether nothing of @project is there: no container, no key; @has_volumes: no volume. */
bool lifecycle_is_down(const LifeProject *project, bool has_volumes, bool *is_down,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Waits until all of @services that run, or those of @only (nullable), are well, for the project's own
 *  time; then asks their health URLs.  Tells what is wrong.  Returns: false with UNVERIFIED, or the
 *  engine's error set. */
bool lifecycle_wait(const Lifecycle *life, const LifeProject *project, char *const *only,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
