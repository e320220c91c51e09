/* base/paths.h - where things are: the XDG directories of this user
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** The directories of one run; absolute, without trailing slash; none of them is made here.
 *  Source: XDG Base Directory Specification 0.8. */
typedef struct {
	char *home;
	char *config; /* $XDG_CONFIG_HOME/slipway */
	char *data;   /* $XDG_DATA_HOME/slipway */
	char *state;  /* $XDG_STATE_HOME/slipway */
	char *cache;  /* $XDG_CACHE_HOME/slipway */
	char *bin;    /* ~/.local/bin */
} Paths;

/** Returns: (transfer full): the directories, or NULL with CONFIG (HOME unset and unknown, empty,
 *  relative, or "/" for another user than root) or DENIED (HOME belongs to somebody else) set. */
Paths *paths_new(GError **error) G_GNUC_WARN_UNUSED_RESULT;
void paths_free(Paths *paths);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Paths, paths_free)

/** Returns: (transfer full): @text with a leading "~" replaced by the home directory, made
 *  canonical; or NULL with CONFIG set when it is not absolute then ("~user" is not known). */
char *paths_expand(const Paths *paths, const char *text, GError **error);

/** Returns: (transfer full): the nearest ancestor of @path (or itself) that exists. */
char *paths_existing_ancestor(const char *path);

/** Returns: whether @path is @directory or lies below it; both canonical. */
bool paths_is_below(const char *path, const char *directory);
