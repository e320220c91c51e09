/* tests/unpack_fixture.h - archives that have to be refused, on disk, in memory and on the way
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib/gstdio.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "payload/archive_download.h"
#include "tests/tar.h"

/* A place with somebody else's file beside the directory that is unpacked into. */
typedef struct {
	char *root;
	char *victim;
	char *target;
	char *archive;
	json_t *before;
} Place;

static inline void place_make(Place *place, const GByteArray *bytes)
{
	g_autofree char *outside = NULL;
	g_autofree char *inside = NULL;

	place->root = g_dir_make_tmp("slipway-unpack-XXXXXX", NULL);
	outside = g_build_filename(place->root, "outside", NULL);
	inside = g_build_filename(place->root, "inside", NULL);
	place->victim = g_build_filename(outside, "victim", NULL);
	place->target = g_build_filename(inside, "target", NULL);
	place->archive = g_build_filename(place->root, "archive.tar", NULL);
	g_assert_cmpint(g_mkdir(outside, 0755), ==, 0);
	g_assert_cmpint(g_mkdir(inside, 0755), ==, 0);
	g_assert_true(g_file_set_contents(place->victim, "unharmed", -1, NULL));
	g_assert_true(g_file_set_contents(place->archive, (const char *)bytes->data,
	                                  (gssize)bytes->len, NULL));
	place->before = tree_list(place->root, NULL);
	g_assert_nonnull(place->before);
}

static inline void place_clear(Place *place)
{
	GError *error = NULL;

	g_assert_true(tree_remove(place->root, &error));
	json_decref(place->before);
	g_free(place->root);
	g_free(place->victim);
	g_free(place->target);
	g_free(place->archive);
}

/* The marker is what the fake zstd, gzip and xz in PATH would leave. */
static inline void assert_untouched(const Place *place)
{
	json_t *after = tree_list(place->root, NULL);
	struct stat st = { 0 };

	g_assert_true(json_equal(place->before, after));
	json_decref(after);
	g_assert_cmpint(stat(place->victim, &st), ==, 0);
	g_assert_cmpuint(st.st_nlink, ==, 1);
	g_assert_false(g_file_test(g_getenv("TEST_MARKER"), G_FILE_TEST_EXISTS));
}

/* The same when it is unpacked while it comes: one pass, and its size only said. */
static inline void assert_refused_on_the_way(const Place *place, const char *why,
                                             const ArchiveLimits *limits)
{
	const char *const urls[] = { place->archive, NULL };
	g_autofree char *digest = file_digest(place->archive, NULL);
	ArchiveDownload wanted = { .urls = urls, .sha256 = digest, .max_bytes = (guint64)1 << 30 };
	GError *error = NULL;

	if (limits)
		wanted.limits = *limits;
	g_assert_false(archive_download(&wanted, 1, place->target, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
	g_assert_nonnull(strstr(error->message, why));
	g_assert_nonnull(strstr(error->message, place->archive));
	g_clear_error(&error);
	assert_untouched(place);
}

static inline void assert_refused(const GByteArray *bytes, const char *why,
                                  const ArchiveLimits *limits)
{
	Place place = { 0 };
	GError *error = NULL;

	place_make(&place, bytes);
	g_assert_false(archive_unpack_file(place.archive, place.target, limits, &error));
	g_test_message("%s", error->message);
	g_assert_error(error, FAULT, STATUS_DATA);
	g_assert_nonnull(strstr(error->message, why));
	g_assert_nonnull(strstr(error->message, place.archive));
	g_clear_error(&error);
	assert_untouched(&place);

	g_autoptr(GBytes) memory = g_bytes_new(bytes->data, bytes->len);
	g_assert_false(archive_unpack_bytes(memory, "memory", place.target, limits, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
	g_clear_error(&error);
	assert_untouched(&place);
	assert_refused_on_the_way(&place, why, limits);
	place_clear(&place);
}

/* Programs of these names in PATH would leave a marker if the library ran one. */
static inline char *make_fakes(void)
{
	static const char *const names[] = {
		"zstd", "gzip", "xz", "bzip2", "lrzip", "lzop", "lz4"
	};
	char *directory = g_dir_make_tmp("slipway-fakes-XXXXXX", NULL);
	g_autofree char *marker = g_build_filename(directory, "ran", NULL);
	g_autofree char *script = g_strdup_printf("#!/bin/sh\n: >%s\n", marker);

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(directory, names[i], NULL);

		g_assert_true(g_file_set_contents(path, script, -1, NULL));
		g_assert_cmpint(g_chmod(path, 0755), ==, 0);
	}
	g_setenv("PATH", directory, TRUE);
	g_setenv("TEST_MARKER", marker, TRUE);
	return directory;
}
