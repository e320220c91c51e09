/* tests/test_installer_journal.c - a journal that was cut, torn or changed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "base/tree.h"
#include "installer/journal.h"

#define RECORDS 5

typedef struct {
	char *dir;
	char *path;
	GBytes *whole; /* a good journal of RECORDS records */
} Fixture;

static void set_up(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	it->dir = g_dir_make_tmp("slipway-journal-XXXXXX", NULL);
	it->path = g_build_filename(it->dir, "journal", NULL);

	g_autoptr(Journal) journal = journal_create(it->path, NULL);
	g_assert_nonnull(journal);
	for (int i = 0; i < RECORDS; i++)
		g_assert_true(journal_append(journal,
		                             json_pack("{s:s, s:i, s:s}", "type", "step", "value",
		                                       i, "text", "zero \xe2\x82\xac"),
		                             NULL));
	it->whole = file_read(it->path, JOURNAL_MAX_BYTES, NULL);
}

static void tear_down(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_true(tree_remove(it->dir, NULL));
	g_bytes_unref(it->whole);
	g_free(it->path);
	g_free(it->dir);
}

static void put(const Fixture *it, const guint8 *data, gsize size_bytes)
{
	g_assert_true(file_write(it->path, data, size_bytes, 0600, NULL));
}

/* Whatever was done to the file: what is read is a prefix of what was written. */
static void assert_prefix(const json_t *records)
{
	for (gsize i = 0; i < json_array_size(records); i++) {
		const json_t *record = json_array_get(records, i);
		g_assert_cmpint(json_integer_value(json_object_get(record, "value")), ==,
		                (gint64)i);
		g_assert_cmpint(json_integer_value(json_object_get(record, "n")), ==, (gint64)i);
	}
}

static void test_reads_what_was_written(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(json_t) records = journal_read(it->path, NULL);

	g_assert_cmpuint(json_array_size(records), ==, RECORDS);
	assert_prefix(records);
}

static void test_cut_at_each_byte(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	gsize size_bytes = 0;
	const guint8 *bytes = g_bytes_get_data(it->whole, &size_bytes);

	for (gsize i = 0; i <= size_bytes; i++) {
		g_autoptr(GError) error = NULL;

		put(it, bytes, i);
		g_autoptr(json_t) records = journal_read(it->path, &error);
		g_assert_no_error(error);
		g_assert_cmpuint(json_array_size(records), ==, i * RECORDS / size_bytes);
		assert_prefix(records);
	}
}

/* A changed byte costs at most the last record; anywhere else the journal is refused. */
static void test_flip_in_each_byte(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	gsize size_bytes = 0;
	const guint8 *bytes = g_bytes_get_data(it->whole, &size_bytes);
	g_autofree guint8 *copy = g_malloc(size_bytes);
	memcpy(copy, bytes, size_bytes);
	gsize last = size_bytes - size_bytes / RECORDS;

	for (gsize i = 0; i < size_bytes; i++) {
		g_autoptr(GError) error = NULL;

		copy[i] ^= (guint8)(1 << (i % 8));
		put(it, copy, size_bytes);
		copy[i] = bytes[i];
		g_autoptr(json_t) records = journal_read(it->path, &error);
		if (records) {
			g_assert_cmpuint(i, >=, last);
			g_assert_cmpuint(json_array_size(records), ==, RECORDS - 1);
			assert_prefix(records);
		} else {
			g_assert_error(error, FAULT, STATUS_FOREIGN);
		}
	}
}

static void test_zeros_at_the_end_are_a_torn_tail(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	gsize size_bytes = 0;
	const guint8 *bytes = g_bytes_get_data(it->whole, &size_bytes);
	g_autofree guint8 *grown = g_malloc0(size_bytes + 4096);

	memcpy(grown, bytes, size_bytes);
	put(it, grown, size_bytes + 4096);

	g_autoptr(json_t) records = journal_read(it->path, NULL);
	g_assert_cmpuint(json_array_size(records), ==, RECORDS);
}

static void test_goes_on_behind_a_torn_tail(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	gsize size_bytes = 0;
	const guint8 *bytes = g_bytes_get_data(it->whole, &size_bytes);
	g_autoptr(json_t) before = NULL;

	put(it, bytes, size_bytes - 3);
	g_autoptr(Journal) journal = journal_resume(it->path, &before, NULL);
	g_assert_cmpuint(json_array_size(before), ==, RECORDS - 1);
	g_assert_true(journal_append(
		journal, json_pack("{s:s, s:i}", "type", "step", "value", RECORDS - 1), NULL));

	g_autoptr(json_t) after = journal_read(it->path, NULL);
	g_assert_cmpuint(json_array_size(after), ==, RECORDS);
	assert_prefix(after);
}

static void assert_refused(const Fixture *it)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) records = journal_read(it->path, &error);

	g_assert_null(records);
	g_assert_error(error, FAULT, STATUS_FOREIGN);
}

static void test_other_things_are_refused(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	static const char text[] = "this is no journal, whatever its name says";

	put(it, (const guint8 *)text, sizeof(text));
	assert_refused(it);

	g_assert_cmpint(g_unlink(it->path), ==, 0);
	g_assert_cmpint(mkfifo(it->path, 0600), ==, 0);
	assert_refused(it);

	g_assert_cmpint(g_unlink(it->path), ==, 0);
	g_assert_cmpint(symlink("/etc/passwd", it->path), ==, 0);
	assert_refused(it);

	g_assert_cmpint(g_unlink(it->path), ==, 0);
	assert_refused(it);
}

static void test_create_takes_no_existing_file(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Journal) journal = journal_create(it->path, &error);

	g_assert_null(journal);
	g_assert_nonnull(error);
}

static gpointer append_many(gpointer data)
{
	for (int i = 0; i < 50; i++)
		g_assert_true(journal_append(data, json_pack("{s:s}", "type", "step"), NULL));
	return NULL;
}

static void test_threads_do_not_mix(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	GThread *threads[4];
	g_autoptr(json_t) before = NULL;
	g_autoptr(Journal) journal = journal_resume(it->path, &before, NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("append", append_many, journal);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);

	g_autoptr(json_t) records = journal_read(it->path, NULL);
	g_assert_cmpuint(json_array_size(records), ==, RECORDS + 200);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*run)(Fixture *, gconstpointer);
	} tests[] = {
		{ "/journal/reads-what-was-written", test_reads_what_was_written },
		{ "/journal/cut-at-each-byte", test_cut_at_each_byte },
		{ "/journal/flip-in-each-byte", test_flip_in_each_byte },
		{ "/journal/zeros-are-a-torn-tail", test_zeros_at_the_end_are_a_torn_tail },
		{ "/journal/goes-on-behind-a-torn-tail", test_goes_on_behind_a_torn_tail },
		{ "/journal/other-things-are-refused", test_other_things_are_refused },
		{ "/journal/create-takes-no-existing-file", test_create_takes_no_existing_file },
		{ "/journal/threads-do-not-mix", test_threads_do_not_mix },
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
	return g_test_run();
}
