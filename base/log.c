/* base/log.c - the log file of one run
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"

#define KEPT_LOGS 10

/* Guarded by log_lock. */
static GMutex log_lock;
static FileFd log_fd = -1;
static char *log_file;

typedef struct {
	char *path;
	time_t changed;
} OldLog;

static void old_log_free(gpointer data)
{
	OldLog *old = data;

	g_free(old->path);
	g_free(old);
}

static gint compare_newest_first(gconstpointer a, gconstpointer b)
{
	const OldLog *first = *(const OldLog *const *)a;
	const OldLog *second = *(const OldLog *const *)b;

	if (first->changed != second->changed)
		return first->changed < second->changed ? 1 : -1;
	return strcmp(second->path, first->path);
}

/* Returns: (transfer full) (element-type OldLog): the regular *.log files, newest first. */
static GPtrArray *logs_in(const char *directory)
{
	GPtrArray *logs = g_ptr_array_new_with_free_func(old_log_free);
	GDir *stream = g_dir_open(directory, 0, NULL);
	const char *name = NULL;

	while (stream && (name = g_dir_read_name(stream))) {
		g_autofree char *path = g_build_filename(directory, name, NULL);
		struct stat status = { 0 };

		if (!g_str_has_suffix(name, ".log") || lstat(path, &status) != 0 ||
		    !S_ISREG(status.st_mode))
			continue;

		OldLog *old = g_new0(OldLog, 1);
		old->path = g_steal_pointer(&path);
		old->changed = status.st_mtime;
		g_ptr_array_add(logs, old);
	}
	if (stream)
		g_dir_close(stream);
	g_ptr_array_sort(logs, compare_newest_first);
	return logs;
}

/* Best effort: an old log that stays harms nobody.  The one at @current counts as the newest. */
static void remove_old_logs(const char *directory, const char *current)
{
	g_autoptr(GPtrArray) logs = logs_in(directory);
	guint kept = 1;

	for (guint i = 0; i < logs->len; i++) {
		const OldLog *old = g_ptr_array_index(logs, i);

		if (g_str_equal(old->path, current))
			continue;
		if (kept < KEPT_LOGS)
			kept++;
		else
			(void)unlink(old->path);
	}
}

bool log_open(const char *directory, const char *name, GError **error)
{
	g_return_val_if_fail(directory && name, false);

	g_autofree char *path = g_build_filename(directory, name, NULL);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
	              0600);

	if (fd < 0 || fchmod(fd, 0600) != 0) {
		fault_set_errno(error, errno, "cannot open the log %s", path);
		file_fd_clear(&fd);
		return false;
	}
	remove_old_logs(directory, path);

	log_close();
	g_mutex_lock(&log_lock);
	log_fd = fd;
	log_file = g_steal_pointer(&path);
	g_mutex_unlock(&log_lock);
	return true;
}

/* Control characters, C1 too, and bytes that are not UTF-8 could drive a terminal. */
static void append_escaped(GString *line, const char *text)
{
	while (*text) {
		gunichar character = g_utf8_get_char_validated(text, -1);
		bool is_valid = character < (gunichar)-2;
		int length = is_valid ? g_unichar_to_utf8(character, NULL) : 1;

		if (is_valid && !g_unichar_iscntrl(character))
			g_string_append_len(line, text, length);
		else
			for (int i = 0; i < length; i++)
				g_string_append_printf(line, "\\x%02x", (guint8)text[i]);
		text += length;
	}
}

static char *line_of(const char *who, const char *text)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *wall_clock = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");
	GString *line = g_string_new(wall_clock);

	g_string_append_printf(line, ".%03dZ %" G_GINT64_FORMAT " ",
	                       g_date_time_get_microsecond(now) / 1000,
	                       g_get_monotonic_time() / 1000);
	append_escaped(line, who);
	g_string_append(line, ": ");
	append_escaped(line, text);
	g_string_append_c(line, '\n');
	return g_string_free(line, FALSE);
}

static bool is_open(void)
{
	g_mutex_lock(&log_lock);
	bool answer = log_fd >= 0;
	g_mutex_unlock(&log_lock);
	return answer;
}

void log_line(const char *who, const char *format, ...)
{
	int saved_errno = errno;
	if (!is_open())
		return;

	va_list arguments;
	va_start(arguments, format);
	char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);

	g_autofree char *masked = secret_mask(text);
	g_autofree char *line = line_of(who, masked);
	secret_wipe(text, strlen(text));
	g_free(text);

	g_mutex_lock(&log_lock);
	if (log_fd >= 0)
		(void)!write(log_fd, line, strlen(line));
	g_mutex_unlock(&log_lock);
	errno = saved_errno;
}

const char *log_path(void)
{
	return log_file;
}

void log_close(void)
{
	g_mutex_lock(&log_lock);
	file_fd_clear(&log_fd);
	g_clear_pointer(&log_file, g_free);
	g_mutex_unlock(&log_lock);
}
