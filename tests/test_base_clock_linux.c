/* tests/test_base_clock_linux.c - a clock that is decades off, and set again each time it is asked
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/tree.h"

#define WAIT_MS 300

/* What base/ would get for the time of day: 1970, 2099, and each in turn. */
static const gint64 clock_table[][2] = {
	{ 0, 0 },
	{ G_GINT64_CONSTANT(4070908800), G_GINT64_CONSTANT(4070908800) },
	{ G_GINT64_CONSTANT(4070908800), 0 },
};
static const gint64 *now_s = clock_table[0];
static guint asked;

GDateTime *__wrap_g_date_time_new_now_utc(void);
gint64 __wrap_g_get_real_time(void);
time_t __wrap_time(time_t *seconds);

GDateTime *__wrap_g_date_time_new_now_utc(void)
{
	return g_date_time_new_from_unix_utc(now_s[asked++ % 2]);
}

/* Nothing in base/ measures with these; a GLib that is linked statically may ask, too. */
gint64 __wrap_g_get_real_time(void)
{
	return now_s[asked++ % 2] * G_USEC_PER_SEC;
}

time_t __wrap_time(time_t *seconds)
{
	time_t now = (time_t)now_s[asked++ % 2];

	if (seconds != NULL)
		*seconds = now;
	return now;
}

static void wait_for_lock(const char *directory)
{
	g_autofree char *path = g_build_filename(directory, "lock", NULL);
	g_autoptr(Lock) lock = lock_take(path, "test", 0, NULL);
	g_autoptr(GError) error = NULL;
	gint64 begun = g_get_monotonic_time();
	g_autoptr(Lock) second = lock_take(path, "test", WAIT_MS, &error);
	gint64 waited_ms = (g_get_monotonic_time() - begun) / 1000;

	g_assert_nonnull(lock);
	g_assert_null(second);
	g_assert_error(error, FAULT, STATUS_BUSY);
	g_assert_cmpint(waited_ms, >=, WAIT_MS);
	g_assert_cmpint(waited_ms, <, 20 * WAIT_MS);
}

static void write_log(const char *directory)
{
	g_autofree char *path = g_build_filename(directory, "one.log", NULL);
	g_autofree char *text = NULL;

	g_assert_true(log_open(directory, "one.log", NULL));
	log_line("test", "first");
	log_line("test", "second");
	log_close();
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_true(strstr(text, "first") < strstr(text, "second"));
}

static void test_clocks(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(clock_table); i++) {
		g_autofree char *directory = g_dir_make_tmp("slipway-XXXXXX", NULL);

		now_s = clock_table[i];
		wait_for_lock(directory);
		asked = 0;
		write_log(directory);
		g_assert_cmpuint(asked, >, 0);
		g_assert_true(tree_remove(directory, NULL));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/clock", test_clocks);
	return g_test_run();
}
