/* tests/test_keystore_audit_file.c - what an audit log holds, in which files, and whom it trusts
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/json.h"
#include "keystore/error.h"
#include "tests/audit_fixture.h"

static void test_fields(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const AuditEvent event = {
		"set", "work", "A.pending", "secret-service", "secret-service", "wrong-key"
	};
	static const char *const words[] = { "time", "parent", "exe", "store", "prev", "mac" };
	g_autoptr(GError) error = NULL;

	g_assert_true(audit_append(&fixture->log, &event, 1, true, NULL, &error));
	g_autoptr(AuditReport) report = read_log(&fixture->log);
	const json_t *line = g_ptr_array_index(report->records, 0);
	g_assert_cmpstr(json_text(line, "op"), ==, "set");
	g_assert_cmpstr(json_text(line, "profile"), ==, "work");
	g_assert_cmpstr(json_text(line, "name"), ==, "A.pending");
	g_assert_cmpstr(json_text(line, "backend"), ==, "secret-service");
	g_assert_cmpstr(json_text(line, "result"), ==, "wrong-key");
	g_assert_cmpint(json_integer_value(json_object_get(line, "pid")), ==, getpid());
	g_assert_cmpint(json_integer_value(json_object_get(line, "uid")), ==, (gint64)getuid());
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		g_assert_cmpuint(strlen(json_text(line, words[i])), >, 0);
}

static void test_line_bound(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *name = g_strnfill(73, 'N');
	g_autofree char *profile = g_strnfill(32, 'p');
	AuditEvent event = { "remove",         profile,          name,
		             "secret-service", "secret-service", "unavailable" };
	g_autoptr(GError) error = NULL;

	fixture->log.sealed.seq = G_MAXUINT32;
	g_assert_true(audit_append(&fixture->log, &event, 1, false, NULL, &error));
	g_auto(GStrv) lines = get_lines(&fixture->log);
	g_assert_cmpuint(strlen(lines[0]), <, AUDIT_LINE_MAX);
}

/* More than two segments. */
static void test_rotated(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const AuditEvent event = { "get", "default", "SOME_KEY", "file", "file", "ok" };
	const guint count = 500;
	g_autofree AuditEvent *events = g_new0(AuditEvent, count);
	g_autofree char *first = g_strconcat(fixture->log.path, ".1", NULL);
	g_autofree char *second = g_strconcat(fixture->log.path, ".2", NULL);
	g_autofree char *third = g_strconcat(fixture->log.path, ".3", NULL);

	for (guint i = 0; i < count; i++)
		events[i] = event;
	while (!g_file_test(second, G_FILE_TEST_EXISTS)) {
		g_autoptr(GError) error = NULL;
		g_assert_true(audit_append(&fixture->log, events, count, false,
		                           &fixture->log.sealed, &error));
	}
	g_assert_false(g_file_test(third, G_FILE_TEST_EXISTS));
	expect_whole(&fixture->log, (guint)fixture->log.sealed.seq, 0, 0);

	g_assert_cmpint(g_unlink(first), ==, 0);
	g_autoptr(AuditReport) report = read_log(&fixture->log);
	const AuditFault *fault = g_ptr_array_index(report->faults, 0);
	g_assert_cmpstr(fault->file, ==, fixture->log.path);
	g_assert_nonnull(strstr(fault->what, "missing"));

	g_assert_cmpint(g_unlink(second), ==, 0);
	g_autoptr(AuditReport) rest = read_log(&fixture->log);
	fault = g_ptr_array_index(rest->faults, 0);
	g_assert_nonnull(strstr(fault->what, "older parts"));
}

static void test_at_once(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	const guint writers = 4;
	const guint each = 50;

	for (guint i = 0; i < writers; i++) {
		pid_t pid = fork();

		g_assert_cmpint(pid, >=, 0);
		if (pid == 0) {
			append(&fixture->log, each);
			_exit(0);
		}
	}
	for (guint i = 0; i < writers; i++) {
		int status = 0;

		g_assert_cmpint(wait(&status), >, 0);
		g_assert_cmpint(status, ==, 0);
	}
	expect_whole(&fixture->log, writers * each, 0, 0);
}

static void expect_refusal(const AuditLog *log, const char *pattern)
{
	static const AuditEvent event = { "get", "default", "A", "file", "file", "ok" };
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) cause = NULL;

	g_assert_false(audit_append(log, &event, 1, false, NULL, &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_DENIED);
	g_assert_nonnull(strstr(error->message, pattern));
	g_autoptr(AuditReport) report = audit_read(log, &cause);
	g_assert_null(report);
	g_assert_error(cause, KEYSTORE_ERROR, KEYSTORE_ERROR_DENIED);
}

static void test_hostile_files(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	const char *path = fixture->log.path;
	g_autofree char *other = g_build_filename(fixture->directory, "other", NULL);
	g_autofree char *text = NULL;

	g_assert_true(g_file_set_contents(other, "mine\n", -1, NULL));
	g_assert_cmpint(g_chmod(other, 0600), ==, 0);
	g_assert_cmpint(symlink(other, path), ==, 0);
	expect_refusal(&fixture->log, "symbolic link");
	g_assert_cmpint(g_unlink(path), ==, 0);

	g_assert_cmpint(link(other, path), ==, 0);
	expect_refusal(&fixture->log, "hard links");
	g_assert_cmpint(g_unlink(path), ==, 0);

	g_assert_cmpint(mkfifo(path, 0600), ==, 0);
	expect_refusal(&fixture->log, "not a regular file");
	g_assert_cmpint(g_unlink(path), ==, 0);

	append(&fixture->log, 1);
	g_assert_cmpint(g_chmod(path, 0644), ==, 0);
	expect_refusal(&fixture->log, "others have access");
	g_assert_true(g_file_get_contents(other, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "mine\n");
}

static void test_head_text(void)
{
	AuditHead head = { 17, { 0xab, 1, 2 } };
	g_autofree char *text = audit_head_print(&head);
	AuditHead back = audit_head_parse(text);
	static const char *const bad[] = {
		NULL, "", "17", "17 ab", "x ab0102", "-1 00", "17 zb010200000000000000000000000000"
	};

	g_assert_cmpuint(back.seq, ==, 17);
	g_assert_true(memcmp(back.hash, head.hash, AUDIT_HASH_BYTES) == 0);
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_cmpuint(audit_head_parse(bad[i]).seq, ==, 0);
}

static void test_results(void)
{
	g_autoptr(GError) locked = NULL;
	g_autoptr(GError) other = NULL;

	keystore_fail(&locked, KEYSTORE_ERROR_LOCKED, NULL, "locked");
	fault_set(&other, STATUS_IO, NULL, "disk");
	g_assert_cmpstr(audit_result(NULL), ==, "ok");
	g_assert_cmpstr(audit_result(locked), ==, "locked");
	g_assert_cmpstr(audit_result(other), ==, "failed");
}

static void test_delete(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *older = g_strconcat(fixture->log.path, ".3", NULL);
	g_autoptr(GError) error = NULL;

	append(&fixture->log, 1);
	g_assert_true(g_file_set_contents(older, "x", 1, NULL));
	g_assert_true(audit_delete(fixture->log.path, &error));
	g_assert_true(audit_delete(fixture->log.path, &error));
	g_assert_false(g_file_test(fixture->log.path, G_FILE_TEST_EXISTS));
	g_assert_false(g_file_test(older, G_FILE_TEST_EXISTS));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	AUDIT_TEST("fields", test_fields);
	AUDIT_TEST("line-bound", test_line_bound);
	AUDIT_TEST("rotated", test_rotated);
	AUDIT_TEST("at-once", test_at_once);
	AUDIT_TEST("hostile-files", test_hostile_files);
	AUDIT_TEST("delete", test_delete);
	g_test_add_func("/keystore/audit/head-text", test_head_text);
	g_test_add_func("/keystore/audit/results", test_results);
	return g_test_run();
}
