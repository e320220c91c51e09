/* tests/test_keystore_audit.c - every change of an audit log is noticed, at its line
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/json.h"
#include "base/tree.h"
#include "keystore/audit.h"
#include "keystore/error.h"

#define LINES 30
#define KEY_BYTES 32

static const guint8 some_key[KEY_BYTES] = { 1, 2, 3 };
static const guint8 other_key[KEY_BYTES] = { 3, 2, 1 };

typedef struct {
	char *directory;
	AuditLog log;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	fixture->directory = g_dir_make_tmp("slipway-audit-XXXXXX", &error);
	g_assert_no_error(error);
	fixture->log.path = g_build_filename(fixture->directory, "keystore.audit", NULL);
	fixture->log.key = some_key;
}

static void tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(tree_remove(fixture->directory, &error));
	g_assert_no_error(error);
	g_free(fixture->directory);
	g_free((char *)(guintptr)fixture->log.path);
}

static AuditHead append(const AuditLog *log, guint count)
{
	static const AuditEvent event = {
		"get", "default", "OPENAI_API_KEY", "file", "file", "ok"
	};
	AuditHead head = { 0 };

	for (guint i = 0; i < count; i++) {
		g_autoptr(GError) error = NULL;

		g_assert_true(audit_append(log, &event, 1, false, &head, &error));
		g_assert_no_error(error);
	}
	return head;
}

static AuditReport *read_log(const AuditLog *log)
{
	g_autoptr(GError) error = NULL;
	AuditReport *report = audit_read(log, &error);

	g_assert_no_error(error);
	return report;
}

static void expect_whole(const AuditLog *log, guint checked, guint unsealed, guint foreign)
{
	g_autoptr(AuditReport) report = read_log(log);

	for (guint i = 0; i < report->faults->len; i++) {
		const AuditFault *fault = g_ptr_array_index(report->faults, i);
		g_test_message("%s:%u: %s", fault->file, fault->line, fault->what);
	}
	g_assert_cmpuint(report->faults->len, ==, 0);
	g_assert_cmpuint(report->checked, ==, checked);
	g_assert_cmpuint(report->unsealed, ==, unsealed);
	g_assert_cmpuint(report->foreign, ==, foreign);
	g_assert_cmpuint(report->records->len, ==, checked + unsealed + foreign);
}

/* The first fault is at @line. */
static void expect_fault(const AuditLog *log, guint line, const char *what)
{
	g_autoptr(AuditReport) report = read_log(log);

	g_assert_cmpuint(report->faults->len, >, 0);
	const AuditFault *fault = g_ptr_array_index(report->faults, 0);
	g_assert_cmpstr(fault->file, ==, log->path);
	g_assert_cmpuint(fault->line, ==, line);
	g_assert_nonnull(strstr(fault->what, what));
}

static char **get_lines(const AuditLog *log)
{
	g_autofree char *text = NULL;

	g_assert_true(g_file_get_contents(log->path, &text, NULL, NULL));
	g_assert_true(g_str_has_suffix(text, "\n"));
	text[strlen(text) - 1] = '\0';
	return g_strsplit(text, "\n", -1);
}

/* Without waiting for the disk. */
static void put_text(const AuditLog *log, const GString *text)
{
	FILE *file = fopen(log->path, "w");

	g_assert_nonnull(file);
	g_assert_cmpuint(fwrite(text->str, 1, text->len, file), ==, text->len);
	g_assert_cmpint(fclose(file), ==, 0);
	g_assert_cmpint(g_chmod(log->path, 0600), ==, 0);
}

static void put_lines(const AuditLog *log, char *const *lines, guint count)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < count; i++)
		g_string_append_printf(text, "%s\n", lines[i]);
	put_text(log, text);
}

static void test_whole(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	struct stat status;

	expect_whole(&fixture->log, 0, 0, 0);
	fixture->log.sealed = append(&fixture->log, LINES);
	g_assert_cmpuint(fixture->log.sealed.seq, ==, LINES);
	expect_whole(&fixture->log, LINES, 0, 0);
	g_assert_cmpint(stat(fixture->log.path, &status), ==, 0);
	g_assert_cmpint(status.st_mode & 07777, ==, 0600);
}

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

/* Alters one byte of each line. */
static void test_altered(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	fixture->log.sealed = append(&fixture->log, LINES);
	g_auto(GStrv) lines = get_lines(&fixture->log);

	for (guint i = 0; i < LINES; i++) {
		char *name = strstr(lines[i], "OPENAI");

		name[0] = 'o';
		put_lines(&fixture->log, lines, LINES);
		expect_fault(&fixture->log, i + 1, "altered");
		name[0] = 'O';
		lines[i][0] = '[';
		put_lines(&fixture->log, lines, LINES);
		expect_fault(&fixture->log, i + 1, "damaged");
		lines[i][0] = '{';
	}
	put_lines(&fixture->log, lines, LINES);
	expect_whole(&fixture->log, LINES, 0, 0);
}

/* Each byte of one line. */
static void test_every_byte(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	append(&fixture->log, 3);
	g_auto(GStrv) lines = get_lines(&fixture->log);

	for (gsize i = 0; lines[1][i]; i++) {
		lines[1][i] ^= 1;
		put_lines(&fixture->log, lines, 3);
		g_autoptr(AuditReport) report = read_log(&fixture->log);
		g_assert_cmpuint(report->faults->len, >, 0);
		const AuditFault *fault = g_ptr_array_index(report->faults, 0);
		g_assert_cmpuint(fault->line, ==, 2);
		lines[1][i] ^= 1;
	}
}

static void test_deleted(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	fixture->log.sealed = append(&fixture->log, LINES);
	g_auto(GStrv) lines = get_lines(&fixture->log);

	for (guint i = 0; i < LINES; i++) {
		g_autofree char **rest = g_new0(char *, LINES);
		guint count = 0;

		for (guint j = 0; j < LINES; j++)
			if (j != i)
				rest[count++] = lines[j];
		put_lines(&fixture->log, rest, count);
		expect_fault(&fixture->log, i + 1, "missing");
	}
}

static void test_reordered(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	append(&fixture->log, LINES);
	g_auto(GStrv) lines = get_lines(&fixture->log);

	for (guint i = 0; i + 1 < LINES; i++) {
		for (guint j = i + 1; j < LINES; j++) {
			char *line = lines[i];

			lines[i] = lines[j];
			lines[j] = line;
			put_lines(&fixture->log, lines, LINES);
			expect_fault(&fixture->log, i + 1, "");
			lines[j] = lines[i];
			lines[i] = line;
		}
	}
}

static void test_doubled(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	append(&fixture->log, LINES);
	g_auto(GStrv) lines = get_lines(&fixture->log);
	g_autofree char **more = g_new0(char *, LINES + 1);

	for (guint i = 0; i <= LINES; i++)
		more[i] = lines[i > 11 ? i - 1 : i];
	put_lines(&fixture->log, more, LINES + 1);
	expect_fault(&fixture->log, 13, "place");
}

/* Up to the head that the store remembers; nothing can notice more. */
static void test_truncated(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	AuditHead head = append(&fixture->log, LINES - 5);

	append(&fixture->log, 5);
	g_auto(GStrv) lines = get_lines(&fixture->log);
	fixture->log.sealed = head;
	for (guint count = 0; count < LINES; count++) {
		put_lines(&fixture->log, lines, count);
		if (count < head.seq)
			expect_fault(&fixture->log, count + 1, "missing at the end");
		else
			expect_whole(&fixture->log, count, 0, 0);
	}
	g_assert_cmpint(g_unlink(fixture->log.path), ==, 0);
	expect_fault(&fixture->log, 1, "missing at the end");
}

/* A log that was taken away is missed even after more was written. */
static void test_truncated_and_continued(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	fixture->log.sealed = append(&fixture->log, LINES);
	g_assert_cmpint(g_unlink(fixture->log.path), ==, 0);
	fixture->log.sealed = append(&fixture->log, 3);
	g_assert_cmpuint(fixture->log.sealed.seq, ==, LINES + 3);
	expect_fault(&fixture->log, 1, "missing");
}

/* Somebody who can write the log, and has no key, forges a line. */
static void test_forged(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	AuditLog forger = fixture->log;

	append(&fixture->log, 10);
	forger.key = NULL;
	append(&forger, 1);
	fixture->log.sealed = append(&fixture->log, 10);
	expect_whole(&fixture->log, 20, 1, 0); /* flagged: it has no MAC */

	g_auto(GStrv) lines = get_lines(&fixture->log);
	strstr(lines[10], "OPENAI")[0] = 'o';
	put_lines(&fixture->log, lines, 21);
	expect_fault(&fixture->log, 11, "altered");
}

/* The MAC of a line is taken off, to make it one that needs none. */
static void test_unsealed_by_force(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	append(&fixture->log, 10);
	g_auto(GStrv) lines = get_lines(&fixture->log);
	char *store = strstr(lines[4], "\"store\":\"") + strlen("\"store\":\"");

	memmove(store + 1, store + 16, strlen(store + 16) + 1);
	store[0] = '-';
	put_lines(&fixture->log, lines, 10);
	expect_fault(&fixture->log, 5, "altered");
}

static void test_other_store(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	append(&fixture->log, 4);
	fixture->log.key = other_key;
	append(&fixture->log, 3);
	expect_whole(&fixture->log, 3, 0, 4);
	fixture->log.key = NULL;
	expect_whole(&fixture->log, 0, 0, 7);
}

/* What a power loss leaves: half a line.  It is named, and what follows can be checked. */
static void test_torn(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	append(&fixture->log, 5);
	g_auto(GStrv) lines = get_lines(&fixture->log);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < 4; i++)
		g_string_append_printf(text, "%s\n", lines[i]);
	g_string_append_len(text, lines[4], 100);
	put_text(&fixture->log, text);
	append(&fixture->log, 3);
	expect_fault(&fixture->log, 5, "damaged");
	g_autoptr(AuditReport) report = read_log(&fixture->log);
	g_assert_cmpuint(report->faults->len, ==, 1);
	g_assert_cmpuint(report->records->len, ==, 7);
	g_assert_cmpuint(report->checked, ==, 7);
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

#define AUDIT_TEST(name, function) \
	g_test_add("/keystore/audit/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	AUDIT_TEST("whole", test_whole);
	AUDIT_TEST("fields", test_fields);
	AUDIT_TEST("line-bound", test_line_bound);
	AUDIT_TEST("altered", test_altered);
	AUDIT_TEST("every-byte", test_every_byte);
	AUDIT_TEST("deleted", test_deleted);
	AUDIT_TEST("reordered", test_reordered);
	AUDIT_TEST("doubled", test_doubled);
	AUDIT_TEST("truncated", test_truncated);
	AUDIT_TEST("truncated-and-continued", test_truncated_and_continued);
	AUDIT_TEST("forged", test_forged);
	AUDIT_TEST("unsealed-by-force", test_unsealed_by_force);
	AUDIT_TEST("other-store", test_other_store);
	AUDIT_TEST("torn", test_torn);
	AUDIT_TEST("rotated", test_rotated);
	AUDIT_TEST("at-once", test_at_once);
	AUDIT_TEST("hostile-files", test_hostile_files);
	AUDIT_TEST("delete", test_delete);
	g_test_add_func("/keystore/audit/head-text", test_head_text);
	g_test_add_func("/keystore/audit/results", test_results);
	return g_test_run();
}
