/* tests/test_installer_receipt_faults_linux.c - a receipt where something cannot be read or removed
 *
 * Some functions are replaced when this program is linked: see the Makefile.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "base/tree.h"
#include "installer/receipt.h"

typedef enum { CALL_NONE, CALL_READ, CALL_REMOVE_TREE, CALL_REMOVE, CALL_WRITE } Call;

static Call failing; /* all of its calls are denied */

json_t *__real_json_read(const char *path, gsize max_bytes, GError **error);
bool __real_tree_remove(const char *path, GError **error);
bool __real_file_remove(const char *path, GError **error);
bool __real_file_write(const char *path, const void *data, gsize size_bytes, mode_t mode,
                       GError **error);

json_t *__wrap_json_read(const char *path, gsize max_bytes, GError **error);
bool __wrap_tree_remove(const char *path, GError **error);
bool __wrap_file_remove(const char *path, GError **error);
bool __wrap_file_write(const char *path, const void *data, gsize size_bytes, mode_t mode,
                       GError **error);

static bool is_denied(Call call, const char *path, GError **error)
{
	if (failing == call)
		fault_set(error, STATUS_DENIED, NULL, "not allowed: %s", path);
	return failing == call;
}

json_t *__wrap_json_read(const char *path, gsize max_bytes, GError **error)
{
	return is_denied(CALL_READ, path, error) ? NULL : __real_json_read(path, max_bytes, error);
}

bool __wrap_tree_remove(const char *path, GError **error)
{
	return !is_denied(CALL_REMOVE_TREE, path, error) && __real_tree_remove(path, error);
}

bool __wrap_file_remove(const char *path, GError **error)
{
	return !is_denied(CALL_REMOVE, path, error) && __real_file_remove(path, error);
}

bool __wrap_file_write(const char *path, const void *data, gsize size_bytes, mode_t mode,
                       GError **error)
{
	return !is_denied(CALL_WRITE, path, error) &&
	       __real_file_write(path, data, size_bytes, mode, error);
}

typedef struct {
	char *dir;
	json_t *receipt; /* the current one: generation 1, without a stack */
} Fixture;

static void set_up(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	it->dir = g_dir_make_tmp("slipway-receipt-XXXXXX", NULL);
	it->receipt = receipt_load(it->dir, NULL);
	g_assert_true(receipt_write(it->dir, it->receipt, NULL));
	g_assert_true(receipt_switch(it->dir, 1, NULL));
}

static void tear_down(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	failing = CALL_NONE;
	json_decref(it->receipt);
	g_assert_true(tree_remove(it->dir, NULL));
	g_free(it->dir);
}

/* Whatever failed: the receipt that was the current one still is. */
static void assert_unharmed(const Fixture *it)
{
	g_autoptr(GError) error = NULL;

	failing = CALL_NONE;
	g_autoptr(json_t) receipt = receipt_load(it->dir, &error);
	g_assert_no_error(error);
	g_assert_cmpint(json_integer_value(json_object_get(receipt, "generation")), ==, 1);
}

static void test_not_ours_to_read(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	failing = CALL_READ;
	g_assert_null(receipt_load(it->dir, &error));
	g_assert_error(error, FAULT, STATUS_DENIED);
	assert_unharmed(it);
}

static void test_not_to_be_written(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	static const Call calls[] = { CALL_REMOVE_TREE, CALL_WRITE };

	for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
		g_autoptr(json_t) next = json_deep_copy(it->receipt);
		g_autoptr(GError) error = NULL;

		failing = calls[i];
		g_assert_false(receipt_write(it->dir, next, &error));
		g_assert_error(error, FAULT, STATUS_DENIED);
		assert_unharmed(it);
	}
}

static void test_not_to_be_switched(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	failing = CALL_REMOVE;
	g_assert_false(receipt_switch(it->dir, 2, &error));
	g_assert_error(error, FAULT, STATUS_DENIED);
	assert_unharmed(it);
}

/* What cannot be swept stays, and harms nothing. */
static void test_not_to_be_swept(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *old = g_build_filename(it->dir, "gen", "0", NULL);

	g_assert_cmpint(g_mkdir(old, 0700), ==, 0);
	failing = CALL_REMOVE;
	receipt_sweep(it->dir, it->receipt);
	g_assert_false(file_exists(old));
	assert_unharmed(it);

	g_assert_cmpint(g_mkdir(old, 0700), ==, 0);
	json_object_set_new(it->receipt, "of-a-later-version", json_true());
	failing = CALL_REMOVE_TREE;
	receipt_sweep(it->dir, it->receipt);
	g_assert_true(file_exists(old));
	assert_unharmed(it);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*run)(Fixture *, gconstpointer);
	} tests[] = {
		{ "/receipt/not-ours-to-read", test_not_ours_to_read },
		{ "/receipt/not-to-be-written", test_not_to_be_written },
		{ "/receipt/not-to-be-switched", test_not_to_be_switched },
		{ "/receipt/not-to-be-swept", test_not_to_be_swept },
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
	return g_test_run();
}
