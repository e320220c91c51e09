/* tests/test_base_fault.c - base/fault: statuses, hints, and what errno becomes
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <gio/gio.h>

#include "base/fault.h"

static void test_table_is_sound(void)
{
	static const int documented[] = { 0,  1,  2,  3,  4,  64, 65,  66,  69,  70,
		                          73, 74, 75, 76, 77, 78, 124, 129, 130, 143 };
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	g_assert_cmpuint(exit_status_count, ==, G_N_ELEMENTS(documented));
	for (gsize i = 0; i < exit_status_count; i++) {
		const ExitStatusRow *row = &exit_status_table[i];

		g_assert_cmpint(row->status, ==, documented[i]);
		g_assert_true(g_hash_table_add(names, (gpointer)(guintptr)row->name));
		g_assert_cmpuint(strlen(row->meaning), >, 0);
		g_assert_cmpstr(exit_status_name(documented[i]), ==, row->name);
	}
	g_assert_cmpstr(exit_status_name(STATUS_UNAVAILABLE), ==, "unavailable");
	g_assert_cmpstr(exit_status_name(5), ==, "unknown");
	g_assert_cmpstr(exit_status_name(-1), ==, "unknown");
}

static void test_hint_survives_prefixes(void)
{
	g_autoptr(GError) error = NULL;

	fault_set(&error, STATUS_BUSY, "Wait, then run \"slipway resume\".", "%s is locked",
	          "dpkg");
	g_prefix_error(&error, "cannot install %s: ", "git");
	g_assert_error(error, FAULT, STATUS_BUSY);

	g_autofree char *message = fault_message(error);
	g_assert_cmpstr(message, ==, "cannot install git: dpkg is locked");
	g_assert_cmpstr(fault_hint(error), ==, "Wait, then run \"slipway resume\".");
	g_assert_cmpint(fault_status(error), ==, STATUS_BUSY);
}

static void test_message_is_one_line(void)
{
	g_autoptr(GError) error = NULL;

	fault_set(&error, STATUS_FAILED, NULL, "%s", "one\ntwo\r\n\x1b[31mthree\n");
	g_assert_cmpstr(error->message, ==, "one two   [31mthree");
	g_assert_null(fault_hint(error));

	g_autofree char *message = fault_message(error);
	g_assert_cmpstr(message, ==, error->message);
}

static void test_nobody_listens(void)
{
	fault_set(NULL, STATUS_FAILED, "Hint.", "message");
	fault_set_errno(NULL, EIO, "message");
}

static void test_maps_errno(void)
{
	static const struct {
		int errnum;
		ExitStatus status;
	} rows[] = {
		{ EACCES, STATUS_DENIED },
		{ EPERM, STATUS_DENIED },
		{ ENOSPC, STATUS_IO },
		{ EDQUOT, STATUS_IO },
		{ EIO, STATUS_IO },
		{ EROFS, STATUS_CANNOT_CREATE },
		{ ENOENT, STATUS_CANNOT_CREATE },
		{ ENOTDIR, STATUS_CANNOT_CREATE },
		{ ELOOP, STATUS_CANNOT_CREATE },
		{ ENAMETOOLONG, STATUS_CANNOT_CREATE },
		{ EAGAIN, STATUS_BUSY },
		{ EBUSY, STATUS_BUSY },
		{ ETIMEDOUT, STATUS_DEADLINE },
		{ EMFILE, STATUS_IO },
		{ EXDEV, STATUS_IO },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *expected =
			g_strdup_printf("cannot x: %s", g_strerror(rows[i].errnum));

		fault_set_errno(&error, rows[i].errnum, "cannot %s", "x");
		g_assert_error(error, FAULT, (int)rows[i].status);
		g_assert_cmpstr(error->message, ==, expected);
	}
}

static void test_status_of_other_domains(void)
{
	const struct {
		GQuark domain;
		ExitStatus status;
	} rows[] = {
		{ G_IO_ERROR, STATUS_IO },
		{ G_FILE_ERROR, STATUS_IO },
		{ G_OPTION_ERROR, STATUS_FAILED },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = g_error_new_literal(rows[i].domain, 1, "x");
		g_assert_cmpint(fault_status(error), ==, rows[i].status);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/fault/table-is-sound", test_table_is_sound);
	g_test_add_func("/base/fault/hint-survives-prefixes", test_hint_survives_prefixes);
	g_test_add_func("/base/fault/message-is-one-line", test_message_is_one_line);
	g_test_add_func("/base/fault/nobody-listens", test_nobody_listens);
	g_test_add_func("/base/fault/maps-errno", test_maps_errno);
	g_test_add_func("/base/fault/status-of-other-domains", test_status_of_other_domains);
	return g_test_run();
}
