/* tests/base_fixture.h - a throw-away directory for each test of base/
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tree.h"

/** The directory of one test, removed behind it. */
typedef struct {
	char *path;
} Fixture;

static inline void set_up(Fixture *fixture, gconstpointer data)
{
	(void)data;
	fixture->path = g_dir_make_tmp("slipway-XXXXXX", NULL);
	g_assert_nonnull(fixture->path);
}

static inline void tear_down(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	(void)data;
	g_assert_true(tree_remove(fixture->path, &error));
	g_assert_no_error(error);
	g_assert_false(file_exists(fixture->path));
	g_free(fixture->path);
}

static inline char *in(const Fixture *fixture, const char *name)
{
	return g_build_filename(fixture->path, name, NULL);
}

static inline void put(const Fixture *fixture, const char *name, const char *text, mode_t mode)
{
	g_autofree char *path = in(fixture, name);
	g_autofree char *parent = g_path_get_dirname(path);
	g_autoptr(GError) error = NULL;

	g_assert_true(file_make_dirs(parent, 0755, NULL, &error));
	g_assert_true(file_write(path, text, strlen(text), mode, &error));
	g_assert_no_error(error);
}

static inline void put_link(const Fixture *fixture, const char *name, const char *target)
{
	g_autofree char *path = in(fixture, name);

	g_assert_cmpint(symlink(target, path), ==, 0);
}

static inline bool is_there(const Fixture *fixture, const char *name)
{
	g_autofree char *path = in(fixture, name);

	return file_exists(path);
}

static inline guint count_entries(const char *path)
{
	g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
	guint count = 0;

	while (g_dir_read_name(directory))
		count++;
	return count;
}

static inline void assert_content(const char *path, const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = file_read(path, 1 << 20, &error);
	g_autoptr(GBytes) expected = g_bytes_new_static(text, strlen(text));

	g_assert_no_error(error);
	g_assert_true(g_bytes_equal(bytes, expected));
}

/* Adds a test that gets a Fixture. */
static inline void add(const char *path, void (*test)(Fixture *fixture, gconstpointer data))
{
	g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}
