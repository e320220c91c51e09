/* keystore/guard.c - owner, mode and place of files that hold secrets
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/guard.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "keystore/error.h"

#define NAMES_MAX_BYTES 8192

/* Distributions that give each user a group of their own also give them umask 002. */
static bool is_own_group(gid_t gid)
{
	char user_names[NAMES_MAX_BYTES];
	char group_names[NAMES_MAX_BYTES];
	struct passwd user;
	struct passwd *found_user = NULL;
	struct group group;
	struct group *found_group = NULL;

	if (getpwuid_r(geteuid(), &user, user_names, NAMES_MAX_BYTES, &found_user) != 0 ||
	    !found_user || user.pw_gid != gid ||
	    getgrgid_r(gid, &group, group_names, NAMES_MAX_BYTES, &found_group) != 0 ||
	    !found_group || strcmp(group.gr_name, user.pw_name) != 0)
		return false;
	for (char **member = group.gr_mem; *member; member++)
		if (strcmp(*member, user.pw_name) != 0)
			return false;
	return true;
}

static bool others_can_write(const struct stat *status)
{
	if (status->st_mode & S_ISVTX)
		return false;
	return (status->st_mode & S_IWOTH) ||
	       ((status->st_mode & S_IWGRP) && !is_own_group(status->st_gid));
}

/* @has_link: (inout): becomes true when @path is a symbolic link. */
static bool guard_directory(const char *path, bool *has_link, GError **error)
{
	struct stat status;

	if (lstat(path, &status) != 0) {
		fault_set_errno(error, errno, "cannot look at %s", path);
		return false;
	}
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return keystore_fail(error, KEYSTORE_ERROR_DENIED,
		                     "Put the keystore into a directory of your own.",
		                     "%s belongs to somebody else (uid %u)", path,
		                     (guint)status.st_uid);
	*has_link = *has_link || S_ISLNK(status.st_mode);
	if (S_ISLNK(status.st_mode) || !others_can_write(&status))
		return true;

	g_autofree char *quoted = g_shell_quote(path);
	g_autofree char *hint = g_strdup_printf("Run: chmod go-w %s", quoted);
	return keystore_fail(error, KEYSTORE_ERROR_DENIED, hint,
	                     "others could replace files in %s (mode %04o)", path,
	                     (guint)status.st_mode & 07777);
}

static bool guard_chain(const char *directory, bool *has_link, GError **error)
{
	g_autofree char *at = g_strdup(directory);

	while (guard_directory(at, has_link, error)) {
		if (strcmp(at, "/") == 0)
			return true;
		char *parent = g_path_get_dirname(at);
		g_free(at);
		at = parent;
	}
	return false;
}

bool guard_directories(const char *path, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(path);
	char real[PATH_MAX];
	bool has_link = false;

	g_return_val_if_fail(g_path_is_absolute(path), false);
	if (!guard_chain(directory, &has_link, error))
		return false;
	if (!has_link)
		return true;

	/* Somebody could replace a symlink on the way, or what it points to. */
	if (realpath(directory, real))
		return guard_chain(real, &has_link, error);
	fault_set_errno(error, errno, "cannot look at %s", directory);
	return false;
}

static const char *owner_hint(uid_t owner)
{
	const char *sudo_uid = g_getenv("SUDO_UID");

	if (geteuid() == 0 && sudo_uid && g_ascii_strtoull(sudo_uid, NULL, 10) == owner)
		return "Run slipway without sudo: it asks for privilege where it needs it.";
	return "Run slipway as the user who owns it, or choose another file.";
}

bool guard_file(const char *path, const struct stat *status, bool allow_root, GError **error)
{
	g_autofree char *quoted = g_shell_quote(path);
	g_autofree char *hint = g_strdup_printf("Run: chmod 600 %s", quoted);

	if (!S_ISREG(status->st_mode))
		return keystore_fail(error, KEYSTORE_ERROR_DENIED,
		                     "Move what is there out of the way, or choose another file.",
		                     "%s is not a regular file", path);
	if (status->st_uid != geteuid() && !(allow_root && status->st_uid == 0))
		return keystore_fail(error, KEYSTORE_ERROR_DENIED, owner_hint(status->st_uid),
		                     "%s belongs to somebody else (uid %u)", path,
		                     (guint)status->st_uid);
	if (status->st_mode & 077)
		return keystore_fail(error, KEYSTORE_ERROR_DENIED, hint,
		                     "others have access to %s (mode %04o)", path,
		                     (guint)status->st_mode & 07777);
	return true;
}
