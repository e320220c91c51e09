/* installer/update.h - replacing this program by another release of it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/command.h"
#include "payload/release.h"

/** Returns: whether nobody but us looks after @program; else false with DENIED set, and the command
 *  that updates it as the hint: a package put it there, as the file "../lib/slipway/installed-by"
 *  beside it says, or as a package manager of this machine answers. */
bool update_check_owner(const char *program, GError **error);

/**
 * Finds out what the newest release is, or release @version where that is not NULL: from the root
 * of trust that is known here to the newest root, to the manifest that one of its keys signed.
 * Below the state directory, the newest root and the highest serial number are remembered.
 *
 * Returns: (transfer full): the release; or NULL with UNTRUSTED (not signed so; older than what was
 * seen before, or different at the same serial number; expired, which with @version is only said),
 * CONFIG (built without keys; no URL), UNAVAILABLE, DATA, DEADLINE or a cancellation set.
 */
Release *update_find_release(App *app, const char *version,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Checks the manifest at @path with the signatures beside it, and tells of it.  Root documents
 *  beside it are followed; nothing is asked of the network, nothing is remembered.
 *  Returns: false with UNTRUSTED, CONFIG, DATA or the error of file_read() set. */
bool update_verify_manifest(App *app, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): where @path is got from, below @base or its mirrors. */
char **update_places(const App *app, const char *base, const char *path);

/** Returns: (transfer full): this machine, as manifests name it: "linux-x86_64". */
char *update_platform(void);

/** Where the parts of the program are: the file, its directory, and what was before it. */
typedef struct {
	char *program;
	char *directory;
	char *previous;
} UpdatePlace;

/** Returns: (transfer full): those of @program, an absolute path. */
UpdatePlace *update_place_new(const char *program);
void update_place_free(UpdatePlace *place);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UpdatePlace, update_place_free)

/** Returns: whether we may replace the program; else false with DENIED or CANNOT_CREATE set. */
bool update_check_writable(const UpdatePlace *place, GError **error);

/**
 * Puts @program of @release in place of the file, which becomes the previous one: downloaded beside
 * it, compared with its digest, run once, renamed.  At any moment the one or the other is there whole.
 *
 * Returns: false with FAILED (the new one, or the present one, does not run as it should), BUSY,
 * UNTRUSTED, UNAVAILABLE, DENIED, IO, DEADLINE or a cancellation set; nothing has changed then.
 */
bool update_exchange(App *app, const UpdatePlace *place, const Release *release,
                     const ReleaseArtifact *program, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Exchanges the program and the previous one, which runs.
 *  Returns: (transfer full): the version that is in place now; or NULL as update_exchange(). */
char *update_revert(App *app, const UpdatePlace *place, GError **error) G_GNUC_WARN_UNUSED_RESULT;
