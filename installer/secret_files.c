/* installer/secret_files.c - keys as files in memory, for the containers of one project
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/secret_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"

#define OURS "slipway"
#define BELOW "secrets"
#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define PROJECT_BYTES "abcdefghijklmnopqrstuvwxyz0123456789_-"

/* The rule of compose itself for names of projects, which is a safe name for a directory too. */
static bool check_project(const char *project, GError **error)
{
	if (g_ascii_isalnum(project[0]) && project[strspn(project, PROJECT_BYTES)] == '\0' &&
	    strlen(project) <= NAME_MAX)
		return true;

	fault_set(error, STATUS_CONFIG, NULL,
	          "\"%s\" is no name for a compose project: a-z, 0-9, _ and -, a letter or digit "
	          "first",
	          project);
	return false;
}

/* Whether keys can be kept below @place: memory, and no other user can put things into it that
 * would be taken for ours. */
static bool is_good_place(const char *place)
{
	g_auto(FileFd) fd = place ? open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0 || !secret_files_are_in_memory(fd))
		return false;

	bool is_closed = (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 || (st.st_mode & S_ISVTX);
	return g_path_is_absolute(place) && is_closed && faccessat(fd, ".", W_OK | X_OK, 0) == 0 &&
	       (st.st_uid == geteuid() || st.st_uid == 0);
}

char *secret_files_directory(const char *project, GError **error)
{
	bool is_root = geteuid() == 0;
	g_autofree char *users = g_strdup_printf("/run/user/%u", (guint)geteuid());
	g_autofree char *shared = g_strdup_printf(OURS "-%u", (guint)geteuid());
	const struct {
		const char *place;
		const char *name;
	} table[] = {
		{ is_root ? "/run" : g_getenv("XDG_RUNTIME_DIR"), OURS },
		{ is_root ? NULL : users, OURS },
		{ "/dev/shm", shared },
	};

	if (!check_project(project, error))
		return NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		if (is_good_place(table[i].place))
			return g_build_filename(table[i].place, table[i].name, BELOW, project,
			                        NULL);

	fault_set(error, STATUS_UNAVAILABLE,
	          is_root ? "Mount a tmpfs on /run, as a running system has it."
	                  : "Log in so that /run/user has a directory of yours (loginctl "
	                    "enable-linger).",
	          "there is no directory in memory for the keys of the containers, and a disk is "
	          "none");
	return NULL;
}

/* Ours alone, symlinks not followed: whoever has made it first, it is refused if it is not. */
static int open_private(int parent, const char *name, bool is_made, GError **error)
{
	struct stat st;

	if (is_made && mkdirat(parent, name, 0700) != 0 && errno != EEXIST) {
		fault_set_errno(error, errno, "cannot make the directory %s", name);
		return -1;
	}
	g_auto(FileFd) fd = openat(parent, name, DIRECTORY_FLAGS);
	if (fd < 0 || fstat(fd, &st) != 0) {
		fault_set_errno(error, errno, "cannot open the directory %s", name);
		return -1;
	}
	if (st.st_uid == geteuid() && (st.st_mode & 077) == 0)
		return file_fd_take(&fd);

	fault_set(error, STATUS_DENIED, "Remove it, then run the command again.",
	          "the directory %s is not yours alone", name);
	return -1;
}

/* PLACE, "slipway", "secrets", PROJECT. */
typedef struct {
	char *place;
	char *words[3];
} Parts;

static void parts_clear(Parts *parts)
{
	g_free(parts->place);
	for (gsize i = 0; i < G_N_ELEMENTS(parts->words); i++)
		g_free(parts->words[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Parts, parts_clear)

static bool take_apart(const char *directory, Parts *parts, GError **error)
{
	g_autofree char *canonical = g_canonicalize_filename(directory, "/");
	char *rest = g_strdup(directory);

	for (gsize i = G_N_ELEMENTS(parts->words); i-- > 0;) {
		parts->words[i] = g_path_get_basename(rest);
		char *parent = g_path_get_dirname(rest);
		g_free(rest);
		rest = parent;
	}
	parts->place = rest;
	if (g_str_equal(directory, canonical) && check_project(parts->words[2], NULL) &&
	    g_str_equal(parts->words[1], BELOW) && g_str_has_prefix(parts->words[0], OURS))
		return true;

	fault_set(error, STATUS_FOREIGN, NULL, "%s is no directory for keys", directory);
	return false;
}

static int open_directory(const char *directory, bool is_made, GError **error)
{
	g_auto(Parts) parts = { 0 };

	if (!take_apart(directory, &parts, error))
		return -1;
	g_auto(FileFd) fd = open(parts.place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		fault_set_errno(error, errno, "cannot open %s", parts.place);
		return -1;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(parts.words); i++) {
		int next = open_private(fd, parts.words[i], is_made, error);
		if (next < 0) {
			g_prefix_error(error, "%s: ", directory);
			return -1;
		}
		file_fd_clear(&fd);
		fd = next;
	}
	if (secret_files_are_in_memory(fd))
		return file_fd_take(&fd);

	fault_set(error, STATUS_UNAVAILABLE, NULL,
	          "%s is not in memory: no key is written to a disk", directory);
	return -1;
}

static bool has_bytes(int dir_fd, const char *name, GBytes *secret)
{
	g_auto(FileFd) fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & 0777) != 0444 ||
	    (gsize)st.st_size != g_bytes_get_size(secret))
		return false;

	char *data = g_malloc((gsize)st.st_size + 1);
	ssize_t got = read(fd, data, (gsize)st.st_size + 1);
	bool is_equal = got == st.st_size &&
	                (got == 0 || memcmp(data, g_bytes_get_data(secret, NULL), (gsize)got) == 0);
	secret_wipe(data, (gsize)st.st_size + 1);
	g_free(data);
	return is_equal;
}

static bool write_one(const char *directory, const char *name, GBytes *secret, GError **error)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	gsize size_bytes = 0;
	const void *data = g_bytes_get_data(secret, &size_bytes);

	return file_write(path, data, size_bytes, 0444, error);
}

/* Removes every file but those of @names that have a secret; leftovers of a killed writer too. */
static bool remove_others(int dir_fd, const char *const *names, GBytes *const *secrets,
                          GPtrArray *changed, GError **error)
{
	int copy = openat(dir_fd, ".", DIRECTORY_FLAGS);
	DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
	bool is_done = list != NULL;

	for (const struct dirent *entry = NULL; is_done && (entry = readdir(list));) {
		bool is_kept = entry->d_name[0] == '.' &&
		               strspn(entry->d_name, ".") == strlen(entry->d_name);
		for (gsize i = 0; names && names[i] && !is_kept; i++)
			is_kept = secrets[i] && g_str_equal(names[i], entry->d_name);
		if (is_kept)
			continue;
		is_done = unlinkat(dir_fd, entry->d_name, 0) == 0 || errno == ENOENT;
		if (is_done && changed && entry->d_name[0] != '.')
			g_ptr_array_add(changed, g_strdup(entry->d_name));
	}
	if (!is_done)
		fault_set_errno(error, errno, "cannot remove keys that are no longer wanted");
	if (list)
		(void)closedir(list);
	return is_done;
}

bool secret_files_write(const char *directory, const char *const *names, GBytes *const *secrets,
                        GPtrArray *changed, GError **error)
{
	g_auto(FileFd) fd = open_directory(directory, true, error);

	if (fd < 0 || !remove_others(fd, names, secrets, changed, error))
		return false;
	for (gsize i = 0; names[i]; i++) {
		if (!secrets[i] || has_bytes(fd, names[i], secrets[i]))
			continue;
		if (!write_one(directory, names[i], secrets[i], error))
			return false;
		g_ptr_array_add(changed, g_strdup(names[i]));
	}
	return true;
}

bool secret_files_are_there(const char *directory, const char *const *names)
{
	for (; *names; names++) {
		g_autofree char *path = g_build_filename(directory, *names, NULL);
		if (!file_exists(path))
			return false;
	}
	return true;
}

bool secret_files_remove(const char *directory, GError **error)
{
	g_auto(Parts) parts = { 0 };

	if (!take_apart(directory, &parts, error))
		return false;
	if (!file_exists(directory))
		return true;

	g_auto(FileFd) fd = open_directory(directory, false, error);
	if (fd < 0 || !remove_others(fd, NULL, NULL, NULL, error))
		return false;
	if (rmdir(directory) != 0 && errno != ENOENT) {
		fault_set_errno(error, errno, "cannot remove the directory %s", directory);
		return false;
	}

	g_autofree char *below = g_path_get_dirname(directory);
	g_autofree char *ours = g_path_get_dirname(below);
	if (rmdir(below) == 0) /* they stay while other projects have keys in them */
		(void)rmdir(ours);
	return true;
}
