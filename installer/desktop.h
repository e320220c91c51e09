/* installer/desktop.h - Docker Desktop: stopped, its settings changed, started
 *
 * It keeps its settings in memory and writes them down when it ends: a change counts only if it was made
 * while Docker Desktop did not run.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/** What the system has for it, where its own command line ("docker desktop", from 4.37 on) has no answer.
 *  Places are below the home directory, programs are found by base/process.h. */
typedef struct {
	const char *own;         /* a socket on which it listens itself */
	const char *engine;      /* that of its engine, which comes later and goes earlier */
	const char *const *stop; /* argv */
	const char *const *start;
} DesktopHost;

/** Of this system: installer/desktop_linux.c, installer/desktop_macos.c. */
extern const DesktopHost desktop_host;

/** Returns: whether Docker Desktop of this user runs. */
bool desktop_is_running(void);

/** Stops it, and waits until it has ended.  Errors: CANNOT_CREATE (nothing here can), DEADLINE (it did
 *  not in time), those of a cancellation. */
bool desktop_stop(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Starts it, and waits until its engine answers.  Errors: the same. */
bool desktop_start(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): the settings of the file @path; NULL with DATA, IO, DENIED or FOREIGN (no
 *  regular file of this user's) set. */
json_t *desktop_read(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): the name under which @settings have @name, "MemoryMiB": that, or with a small
 *  first letter, as the older generation spells it; where it is not set the spelling of the file. */
char *desktop_spelling(const json_t *settings, const char *name);

/** Returns: (transfer full): those of @wanted that @settings have, by their names there. */
json_t *desktop_pick(const json_t *settings, const json_t *wanted);

/** Returns: whether @settings have all of @wanted. */
bool desktop_has(const json_t *settings, const json_t *wanted);

/** Sets all of @wanted; the rest of @settings and its order stay. */
void desktop_patch(json_t *settings, const json_t *wanted);

/** Takes that back where nobody has changed it since: what @before has not is taken out.  Returns: whether
 *  there was something to take back. */
bool desktop_unpatch(json_t *settings, const json_t *wanted, const json_t *before);
