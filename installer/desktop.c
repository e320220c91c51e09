/* installer/desktop.c - Docker Desktop: stopped, its settings changed, started
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/desktop.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "base/process.h"

/* Largest settings file.  Source: our own bound; a dense one has about 8 KiB. */
#define SETTINGS_MAX_BYTES ((gsize)1024 * 1024)

/* Its machine takes a minute to stop and two to start on a slow laptop. */
#define STOP_TIMEOUT_MS (3 * 60 * 1000)
#define START_TIMEOUT_MS (5 * 60 * 1000)
#define LOOK_US ((gulong)200 * 1000)

static bool is_heard(const char *place)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_autofree char *path = g_build_filename(g_get_home_dir(), place, NULL);
	FileFd fd = -1;
	bool is_heard = false;

	if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	is_heard = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
	file_fd_clear(&fd);
	return is_heard;
}

static bool is_up(void)
{
	return is_heard(desktop_host.engine);
}

bool desktop_is_running(void)
{
	return is_heard(desktop_host.own) || is_up();
}

static bool is_down(void)
{
	return !desktop_is_running();
}

/* Nothing tells of it: it is looked at until it is so. */
static bool wait_until(bool (*is_so)(void), guint timeout_ms, const char *what, GError **error)
{
	gint64 end_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;

	while (!is_so()) {
		if (!cancel_check(error))
			return false;
		if (g_get_monotonic_time() > end_us) {
			fault_set(error, STATUS_DEADLINE, NULL, "Docker Desktop did not %s in %u s",
			          what, timeout_ms / 1000);
			return false;
		}
		g_usleep(LOOK_US);
	}
	return true;
}

/* Returns: whether the program is there and said that it did it; else @why, (transfer full), has its words. */
static bool tell(const char *const *argv, guint timeout_ms, char **why)
{
	g_autofree char *program = process_find(*argv);
	g_auto(GStrv) words = g_strdupv((char **)(guintptr)argv);
	g_auto(ProcessResult) result = { 0 };
	const ProcessSpec spec = { .argv = (const char *const *)words, .timeout_ms = timeout_ms };
	g_autoptr(GError) cause = NULL;

	g_free(*why);
	*why = NULL;
	if (!program) {
		*why = g_strdup_printf("there is no %s program", *argv);
		return false;
	}
	g_free(words[0]);
	words[0] = g_strdup(program);
	if (!process_run(&spec, &result, &cause))
		*why = fault_message(cause);
	else if (result.exit_code != 0)
		*why = g_strdup_printf("%s: %s", *argv, g_strstrip(result.err));
	return *why == NULL;
}

/* Its own command line first, which older versions have not. */
static bool tell_desktop(const char *verb, const char *const *other, guint timeout_ms,
                         GError **error)
{
	const char *const own[] = { "docker", "desktop", verb, NULL };
	g_autofree char *why = NULL;

	if (tell(own, timeout_ms, &why) || tell(other, timeout_ms, &why))
		return true;
	if (!cancel_check(error))
		return false;
	fault_set(error, STATUS_CANNOT_CREATE, NULL, "cannot %s Docker Desktop: %s", verb, why);
	return false;
}

bool desktop_stop(GError **error)
{
	return tell_desktop("stop", desktop_host.stop, STOP_TIMEOUT_MS, error) &&
	       wait_until(is_down, STOP_TIMEOUT_MS, "stop", error);
}

bool desktop_start(GError **error)
{
	return tell_desktop("start", desktop_host.start, START_TIMEOUT_MS, error) &&
	       wait_until(is_up, START_TIMEOUT_MS, "start", error);
}

json_t *desktop_read(const char *path, GError **error)
{
	struct stat st = { 0 };

	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid()) {
		fault_set(error, STATUS_FOREIGN, NULL, "%s is no file of this user", path);
		return NULL;
	}

	g_autoptr(json_t) settings = json_read(path, SETTINGS_MAX_BYTES, error);
	if (settings && !json_is_object(settings)) {
		fault_set(error, STATUS_DATA, NULL, "%s: not a JSON object", path);
		return NULL;
	}
	return g_steal_pointer(&settings);
}

static char *older_spelling(const char *name)
{
	char *older = g_strdup(name);

	older[0] = g_ascii_tolower(older[0]);
	return older;
}

/* Docker Desktop up to 4.34 wrote nearly all keys, its version among them, with a small first letter. */
char *desktop_spelling(const json_t *settings, const char *name)
{
	g_autofree char *older = older_spelling(name);
	bool is_older = json_object_get(settings, "settingsVersion") &&
	                !json_object_get(settings, "SettingsVersion");

	if (json_object_get(settings, name))
		return g_strdup(name);
	return json_object_get(settings, older) || is_older ? g_steal_pointer(&older)
	                                                    : g_strdup(name);
}

json_t *desktop_pick(const json_t *settings, const json_t *wanted)
{
	json_t *picked = json_object();
	const char *name = NULL;
	json_t *value = NULL;

	json_object_foreach((json_t *)(guintptr)wanted, name, value)
	{
		g_autofree char *spelling = desktop_spelling(settings, name);
		json_t *found = json_object_get(settings, spelling);

		if (found)
			json_object_set(picked, spelling, found);
	}
	return picked;
}

bool desktop_has(const json_t *settings, const json_t *wanted)
{
	const char *name = NULL;
	json_t *value = NULL;

	json_object_foreach((json_t *)(guintptr)wanted, name, value)
	{
		g_autofree char *spelling = desktop_spelling(settings, name);

		if (!json_equal(json_object_get(settings, spelling), value))
			return false;
	}
	return true;
}

void desktop_patch(json_t *settings, const json_t *wanted)
{
	const char *name = NULL;
	json_t *value = NULL;

	json_object_foreach((json_t *)(guintptr)wanted, name, value)
	{
		g_autofree char *spelling = desktop_spelling(settings, name);

		json_object_set(settings, spelling, value);
	}
}

bool desktop_unpatch(json_t *settings, const json_t *wanted, const json_t *before)
{
	bool is_changed = false;
	const char *name = NULL;
	json_t *value = NULL;

	json_object_foreach((json_t *)(guintptr)wanted, name, value)
	{
		g_autofree char *spelling = desktop_spelling(settings, name);
		json_t *old = json_object_get(before, spelling);

		if (!json_equal(json_object_get(settings, spelling), value) ||
		    json_equal(old, value))
			continue;
		if (old)
			json_object_set(settings, spelling, old);
		else
			json_object_del(settings, spelling);
		is_changed = true;
	}
	return is_changed;
}
