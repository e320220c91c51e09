/* installer/service.h - a program that goes on running: as a service of this system, or by itself
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/json.h"

/**
 * A service is data, so that a journal can hold it: a JSON object with
 *   manager   "systemd", "systemd-user", "openrc", "launchd", or "process": nobody watches it
 *   name      of the unit
 *   title     for people
 *   argv      the program, absolute, and its arguments
 *   env       "NAME=value"
 *   file      (absent for "process") what the manager reads; service_render() has its text
 *   link, target   (may be absent) the link that has it started with the machine
 *   log, pid  files in the state directory that the running program has
 *   account   "self"; or "dynamic": an account of its own, which systemd makes while it runs
 *   groups    further groups of that account
 */
typedef struct {
	const char *name;
	const char *title;
	const char *const *argv;
	const char *const *env;
	const char *state;   /* directory; log and pid file go below it */
	const char *manager; /* (nullable): NULL: what is here */
} ServiceRequest;

/** Returns: whether @manager is one of those above. */
bool service_manager_is_known(const char *manager);

/** Returns: (transfer full): the service; reads files only. */
json_t *service_new(const ServiceRequest *request);

/** Returns: (transfer full) (nullable): the text of its file. */
char *service_render(const json_t *service);

/** Returns: the mode of its file. */
unsigned int service_file_mode(const json_t *service);

/** Returns: (transfer full) (nullable): what a person has to know: when it does not start by itself. */
char *service_note(const json_t *service);

/** Returns: whether it runs; false too when its manager cannot be asked. */
bool service_is_running(const json_t *service);

/** Starts it, or starts it anew.  Its file is there.  Returns: false with UNAVAILABLE (its program or
 *  its manager does not start), DATA (not a service) or a cancellation set. */
bool service_start(const json_t *service, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Stops it and waits until it has ended; one that does not run is success. */
bool service_stop(const json_t *service, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Has the manager read its files again, after they changed. */
void service_reload(const json_t *service);

/** Removes what it leaves behind when it ran: log and pid file. */
bool service_sweep(const json_t *service, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Looks at the services of an installed stack, whose entry of the receipt @entry is.  @count: set to
 *  how many there are.  Returns: whether each of them runs (@is_up), or none does. */
bool service_all_are(const json_t *entry, bool is_up, guint *count);

/**
 * Starts (@is_up) those services of an installed stack that do not run, or stops those that do.  The
 * lock is held.
 *
 * @entry: the stack's entry of the receipt.
 * @changed: (element-type utf8): the title of each one concerned is appended.
 *
 * Returns: false with the error of service_start() or service_stop() set.
 */
bool service_switch(const json_t *entry, bool is_up, GPtrArray *changed,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
