/* tests/test_keystore_audit.c - every change of an audit log is noticed, at its line
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <sys/stat.h>

#include "tests/audit_fixture.h"

#define LINES 30

static const guint8 other_key[KEY_BYTES] = { 3, 2, 1 };

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

/* What a kill or a power loss leaves of a line, from nothing to all but the line break: it was never acknowledged.
 * One that the keystore remembers, somebody else has cut. */
static void test_torn(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	const AuditHead none = fixture->log.sealed;
	AuditHead head = append(&fixture->log, 5);
	g_auto(GStrv) lines = get_lines(&fixture->log);

	for (gsize kept = 0; kept <= strlen(lines[4]); kept++) {
		guint whole = kept == strlen(lines[4]) ? 5 : 4;
		g_autoptr(GString) text = g_string_new(NULL);

		for (guint i = 0; i < 4; i++)
			g_string_append_printf(text, "%s\n", lines[i]);
		g_string_append_len(text, lines[4], (gssize)kept);
		put_text(&fixture->log, text);
		fixture->log.sealed = none;
		expect_whole(&fixture->log, whole, 0, 0);
		fixture->log.sealed = head;
		if (whole == 4)
			expect_fault(&fixture->log, 5, "missing at the end");
		fixture->log.sealed = none;
		append(&fixture->log, 3);
		expect_whole(&fixture->log, whole + 3, 0, 0);
	}
}

/* The first line of all. */
static void test_torn_at_the_start(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GString) text = g_string_new("{\"seq\":1,\"seg");

	put_text(&fixture->log, text);
	expect_whole(&fixture->log, 0, 0, 0);
	append(&fixture->log, 2);
	expect_whole(&fixture->log, 2, 0, 0);
}

/* What is longer than any line is nobody's rest of one: it stays, and is named. */
static void test_rubbish_at_the_end(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *rubbish = g_strnfill(5000, 'x');

	append(&fixture->log, 2);
	g_auto(GStrv) lines = get_lines(&fixture->log);
	g_autoptr(GString) text = g_string_new(NULL);
	g_string_append_printf(text, "%s\n%s\n%s", lines[0], lines[1], rubbish);
	put_text(&fixture->log, text);
	expect_fault(&fixture->log, 3, "damaged");
	append(&fixture->log, 3);
	expect_fault(&fixture->log, 3, "damaged");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	AUDIT_TEST("whole", test_whole);
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
	AUDIT_TEST("torn-at-the-start", test_torn_at_the_start);
	AUDIT_TEST("rubbish-at-the-end", test_rubbish_at_the_end);
	return g_test_run();
}
