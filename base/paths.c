/* base/paths.c - where things are: the XDG directories of this user
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/paths.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"

#define HOME_HINT "Set HOME to the absolute path of your home directory and run the command again."

/* Returns: (transfer full): the home directory as it was given; not checked. */
static char *home_given(void)
{
	const char *home = g_getenv("HOME");
	if (home)
		return g_strdup(home);

	const struct passwd *user = getpwuid(geteuid());
	return g_strdup(user && user->pw_dir ? user->pw_dir : "");
}

static bool home_is_valid(const char *home, GError **error)
{
	bool is_root = geteuid() == 0;
	struct stat status = { 0 };

	if (!g_path_is_absolute(home) || (g_str_equal(home, "/") && !is_root)) {
		fault_set(error, STATUS_CONFIG, HOME_HINT, "\"%s\" cannot be the home directory",
		          home);
		return false;
	}
	/* One that does not exist yet is made like any other directory. */
	if (stat(home, &status) != 0) {
		if (errno == ENOENT)
			return true;
		fault_set_errno(error, errno, "cannot read the home directory %s", home);
		return false;
	}
	if (!is_root && status.st_uid != geteuid()) {
		fault_set(error, STATUS_DENIED, HOME_HINT,
		          "the home directory %s belongs to another user (uid %u)", home,
		          (unsigned)status.st_uid);
		return false;
	}
	return true;
}

static char *canonical_path(const char *path)
{
	/* POSIX lets two leading slashes mean something else; here they never do. */
	while (path[0] == '/' && path[1] == '/')
		path++;
	return g_canonicalize_filename(path, "/");
}

/* The XDG specification wants a relative path to be ignored. */
static char *xdg_directory(const char *variable, const char *home, const char *fallback)
{
	const char *value = g_getenv(variable);
	g_autofree char *root = value && g_path_is_absolute(value)
	                                ? canonical_path(value)
	                                : g_build_filename(home, fallback, NULL);

	return g_build_filename(root, "slipway", NULL);
}

Paths *paths_new(GError **error)
{
	g_autofree char *given = home_given();
	g_autofree char *home = g_path_is_absolute(given) ? canonical_path(given) : g_strdup(given);

	if (!home_is_valid(home, error))
		return NULL;

	Paths *paths = g_new0(Paths, 1);
	paths->config = xdg_directory("XDG_CONFIG_HOME", home, ".config");
	paths->data = xdg_directory("XDG_DATA_HOME", home, ".local/share");
	paths->state = xdg_directory("XDG_STATE_HOME", home, ".local/state");
	paths->cache = xdg_directory("XDG_CACHE_HOME", home, ".cache");
	paths->bin = g_build_filename(home, ".local/bin", NULL);
	paths->home = g_steal_pointer(&home);
	return paths;
}

void paths_free(Paths *paths)
{
	if (!paths)
		return;

	g_free(paths->home);
	g_free(paths->config);
	g_free(paths->data);
	g_free(paths->state);
	g_free(paths->cache);
	g_free(paths->bin);
	g_free(paths);
}

char *paths_expand(const Paths *paths, const char *text, GError **error)
{
	g_return_val_if_fail(paths && text, NULL);

	bool is_home = text[0] == '~' && (text[1] == '/' || text[1] == '\0');
	g_autofree char *path = is_home ? g_strconcat(paths->home, text + 1, NULL) : g_strdup(text);

	if (!g_path_is_absolute(path)) {
		fault_set(error, STATUS_CONFIG, NULL,
		          "\"%s\" is not an absolute path and does not start with \"~/\"", text);
		return NULL;
	}
	return canonical_path(path);
}

char *paths_existing_ancestor(const char *path)
{
	g_autofree char *here = g_strdup(path);
	struct stat status = { 0 };

	while (stat(here, &status) != 0 && !g_str_equal(here, "/") && !g_str_equal(here, ".")) {
		char *parent = g_path_get_dirname(here);
		g_free(here);
		here = parent;
	}
	return g_steal_pointer(&here);
}

bool paths_is_below(const char *path, const char *directory)
{
	gsize length = strlen(directory);

	if (!g_str_has_prefix(path, directory))
		return false;
	return path[length] == '\0' || path[length] == '/' ||
	       (length > 0 && directory[length - 1] == '/');
}
