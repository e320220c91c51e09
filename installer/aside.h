/* installer/aside.h - a file that is written beside the one whose place it takes
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/file.h"

/** One that is being written.  Whoever is killed leaves it; whoever comes next takes it away. */
typedef struct {
	char *path; /* (nullable): NULL: it has its place, and stays */
	int fd;     /* to be written to and closed */
	FileFd lock;
} Aside;

/**
 * Makes an empty file in @directory, mode 0600, and takes away those that killed runs of this user
 * left there.
 *
 * Returns: false with CANNOT_CREATE, DENIED or IO set.
 */
bool aside_open(Aside *aside, const char *directory, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Forgets it, and removes it unless it got its place.  Does not close fd. */
void aside_clear(Aside *aside);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Aside, aside_clear)

/** Returns: how many files of killed runs are in @directory; changes nothing. */
guint aside_count_abandoned(const char *directory);
