/* tests/keystore_fixture.h - a directory with a key file, and stores in it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/secret.h"
#include "base/tree.h"
#include "keystore/keystore.h"

typedef struct {
	char *directory;
	char *path;     /* of the store; not there yet */
	char *key_file; /* there */
} Fixture;

static inline void fixture_set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	fixture->directory = g_dir_make_tmp("slipway-keystore-XXXXXX", &error);
	g_assert_no_error(error);
	fixture->path = g_build_filename(fixture->directory, "keystore", NULL);
	fixture->key_file = g_build_filename(fixture->directory, "key", NULL);
	g_assert_true(keystore_make_key_file(fixture->key_file, &error));
	g_assert_no_error(error);
}

static inline void fixture_tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(tree_remove(fixture->directory, &error));
	g_assert_no_error(error);
	g_free(fixture->directory);
	g_free(fixture->path);
	g_free(fixture->key_file);
}

/* Opens the store with the fixture's key file. */
static inline Keystore *fixture_open(const Fixture *fixture)
{
	KeystoreOptions options = {
		.path = fixture->path,
		.passphrase_fd = -1,
		.key_file = fixture->key_file,
	};

	return keystore_open(&options);
}

static inline void fixture_save(Keystore *store, const char *name, const char *value)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) secret = secret_new(value, strlen(value));

	g_assert_true(keystore_save(store, name, secret, &error));
	g_assert_no_error(error);
}

static inline void fixture_expect(Keystore *store, const char *name, const char *value)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) secret = keystore_lookup(store, name, NULL, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(secret_text(secret), ==, value);
}

/* Expects that nothing can be looked up, and why. */
static inline void fixture_expect_refusal(Keystore *store, KeystoreError code)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) secret = keystore_lookup(store, "ANY", NULL, &error);

	g_assert_null(secret);
	g_assert_error(error, KEYSTORE_ERROR, (int)code);
}

static inline void fixture_put(const char *path, gconstpointer data, gsize size)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(g_file_set_contents(path, data, (gssize)size, &error));
	g_assert_no_error(error);
	g_assert_cmpint(g_chmod(path, 0600), ==, 0);
}

#define FIXTURE_TEST(name, function) \
	g_test_add(name, Fixture, NULL, fixture_set_up, function, fixture_tear_down)
