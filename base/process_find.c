/* base/process_find.c - where programs are, and the environment they get
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process_private.h"

static const char *const search_path[] = {
	"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",         "/usr/bin",
	"/sbin",           "/bin",           "/opt/homebrew/bin", "/home/linuxbrew/.linuxbrew/bin",
};

/** Names that children keep, one pattern each. */
static const char *const kept_variables[] = {
	"HOME",
	"USER",
	"LOGNAME",
	"TERM",
	"XDG_*",
	"http_proxy",
	"https_proxy",
	"ftp_proxy",
	"all_proxy",
	"no_proxy",
	"HTTP_PROXY",
	"HTTPS_PROXY",
	"FTP_PROXY",
	"ALL_PROXY",
	"NO_PROXY",
	"SSL_CERT_FILE",
	"SSL_CERT_DIR",
	"CURL_CA_BUNDLE",
	"REQUESTS_CA_BUNDLE",
	"PIP_CERT",
	"GIT_SSL_CAINFO",
	"NODE_EXTRA_CA_CERTS",
	"DOCKER_HOST",
	"DOCKER_CONFIG",
	"DBUS_SESSION_BUS_ADDRESS",
};

/* Whether only root and ourselves can change what is at @path; symlinks are followed. */
static bool is_ours_alone(const char *path, mode_t type)
{
	struct stat status = { 0 };

	if (stat(path, &status) != 0 || (status.st_mode & S_IFMT) != type)
		return false;
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return false;
	if (type == S_IFDIR && (status.st_mode & S_ISVTX))
		return true; /* others can add names there, not replace ours */
	return !(status.st_mode & S_IWOTH) &&
	       (!(status.st_mode & S_IWGRP) || process_group_is_trusted(status.st_gid));
}

/* The file itself may lie elsewhere, behind a symlink: that place counts too. */
static bool is_trusted_program(const char *path)
{
	char *real = realpath(path, NULL);
	if (!real)
		return false;

	g_autofree char *directory = g_path_get_dirname(real);
	bool is_trusted = is_ours_alone(real, S_IFREG) && is_ours_alone(directory, S_IFDIR) &&
	                  access(real, X_OK) == 0;
	free(real);
	return is_trusted;
}

char *process_find(const char *name)
{
	g_return_val_if_fail(name && *name, NULL);

	if (strchr(name, '/'))
		return NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(search_path); i++) {
		g_autofree char *path = g_build_filename(search_path[i], name, NULL);

		if (access(path, X_OK) == 0 && is_ours_alone(search_path[i], S_IFDIR) &&
		    is_trusted_program(path))
			return g_steal_pointer(&path);
	}
	return NULL;
}

static bool is_kept(const char *variable)
{
	for (gsize i = 0; i < G_N_ELEMENTS(kept_variables); i++)
		if (g_pattern_match_simple(kept_variables[i], variable))
			return true;
	return false;
}

static char *path_variable(void)
{
	GString *path = g_string_new("PATH=");

	for (gsize i = 0; i < G_N_ELEMENTS(search_path); i++)
		g_string_append_printf(path, "%s%s", i ? ":" : "", search_path[i]);
	return g_string_free(path, FALSE);
}

char **process_environment(void)
{
	g_auto(GStrv) ours = g_get_environ();
	GPtrArray *kept = g_ptr_array_new();

	g_ptr_array_add(kept, path_variable());
	g_ptr_array_add(kept, g_strdup("LANG=C.UTF-8"));
	for (gsize i = 0; ours[i]; i++) {
		g_autofree char *name = g_strndup(ours[i], strcspn(ours[i], "="));
		if (is_kept(name))
			g_ptr_array_add(kept, g_strdup(ours[i]));
	}
	g_ptr_array_add(kept, NULL);
	return (char **)g_ptr_array_free(kept, FALSE);
}
