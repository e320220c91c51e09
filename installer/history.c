/* installer/history.c - what this program did: one line for each run that changed something
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/history.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"

static char *history_path(const char *state_dir)
{
	return g_build_filename(state_dir, "history", NULL);
}

static bool append_line(const char *path, const char *line, GError **error)
{
	struct stat status = { 0 };
	g_auto(FileFd) fd = open(
		path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd < 0 || fstat(fd, &status) != 0) {
		fault_set_errno(error, errno, "cannot open %s", path);
		return false;
	}
	if (!S_ISREG(status.st_mode)) {
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "%s is not a regular file", path);
		return false;
	}
	if (!file_write_all(fd, line, strlen(line), error))
		return false;
	if (file_sync_data(fd))
		return true;

	fault_set_errno(error, errno, "cannot write %s", path);
	return false;
}

/* The newer half, from the beginning of a line. */
static bool shorten(const char *path, GError **error)
{
	g_autoptr(GBytes) bytes = file_read(path, 2 * HISTORY_MAX_BYTES, error);

	if (!bytes)
		return false;

	gsize size_bytes = 0;
	const char *text = g_bytes_get_data(bytes, &size_bytes);
	const char *half = memchr(text + size_bytes / 2, '\n', size_bytes - size_bytes / 2);
	return !half ||
	       file_write(path, half + 1, size_bytes - (gsize)(half + 1 - text), 0600, error);
}

bool history_append(const char *state_dir, json_t *run, GError **error)
{
	g_autoptr(json_t) owned = run;
	g_autofree char *path = history_path(state_dir);
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
	struct stat status = { 0 };

	json_put(owned, "time", time);
	g_autofree char *text = json_canonical(owned);
	/* A line that a power loss has cut ends here. */
	g_autofree char *line = g_strconcat("\n", text, "\n", NULL);
	if (stat(path, &status) != 0 || status.st_size == 0)
		memmove(line, line + 1, strlen(line));
	if (!append_line(path, line, error))
		return false;

	return stat(path, &status) != 0 || (gsize)status.st_size <= HISTORY_MAX_BYTES ||
	       shorten(path, error);
}

/* A run that was killed while it ended is written once more: the last word counts. */
static void add_run(json_t *runs, json_t *run)
{
	const char *id = json_text(run, "id");
	json_t *last = json_array_get(runs, json_array_size(runs) - 1);

	if (last && g_strcmp0(json_text(last, "id"), id) == 0)
		json_array_set(runs, json_array_size(runs) - 1, run);
	else if (id)
		json_array_append(runs, run);
}

json_t *history_read(const char *state_dir, GError **error)
{
	g_autofree char *path = history_path(state_dir);

	if (!file_exists(path))
		return json_array();

	g_autoptr(GBytes) bytes = file_read(path, 2 * HISTORY_MAX_BYTES, error);
	if (!bytes)
		return NULL;

	gsize size_bytes = 0;
	const char *data = g_bytes_get_data(bytes, &size_bytes);
	g_autofree char *text = g_strndup(data ? data : "", size_bytes);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	json_t *runs = json_array();
	for (char **line = lines; *line; line++) {
		g_autoptr(GBytes) one = g_bytes_new_static(*line, strlen(*line));
		g_autoptr(json_t) run = **line ? json_parse_bytes(one, path, NULL) : NULL;
		if (json_is_object(run))
			add_run(runs, run);
	}

	return runs;
}
