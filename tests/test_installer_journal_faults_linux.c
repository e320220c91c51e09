/* tests/test_installer_journal_faults_linux.c - a journal on a disk that is full, dying or not ours
 *
 * Some functions are replaced when this program is linked: see the Makefile.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "base/tree.h"
#include "installer/journal.h"

#define BALLAST ".ballast"

typedef enum { CALL_NONE, CALL_SEEK, CALL_CUT, CALL_WRITE, CALL_SYNC, CALL_SYNC_DIR } Call;

/* The next @times calls of that function fail. */
static struct {
	Call call;
	guint times;
} plan;

/* What file_read() answers instead of reading; with an error: DENIED. */
static GBytes *answer;
static bool is_denied;

off_t __real_lseek(int fd, off_t offset, int whence);
int __real_ftruncate(int fd, off_t size);
bool __real_file_write_all(int fd, const void *data, gsize size_bytes, GError **error);
bool __real_file_sync_data(int fd);
bool __real_file_sync_dir(const char *path, GError **error);
GBytes *__real_file_read(const char *path, gsize max_bytes, GError **error);

off_t __wrap_lseek(int fd, off_t offset, int whence);
int __wrap_ftruncate(int fd, off_t size);
bool __wrap_file_write_all(int fd, const void *data, gsize size_bytes, GError **error);
bool __wrap_file_sync_data(int fd);
bool __wrap_file_sync_dir(const char *path, GError **error);
GBytes *__wrap_file_read(const char *path, gsize max_bytes, GError **error);

static bool fails(Call call)
{
	if (plan.call != call || plan.times == 0)
		return false;

	plan.times--;
	errno = ENOSPC;
	return true;
}

off_t __wrap_lseek(int fd, off_t offset, int whence)
{
	return fails(CALL_SEEK) ? -1 : __real_lseek(fd, offset, whence);
}

int __wrap_ftruncate(int fd, off_t size)
{
	return fails(CALL_CUT) ? -1 : __real_ftruncate(fd, size);
}

/* Half of a record is what a full disk takes. */
bool __wrap_file_write_all(int fd, const void *data, gsize size_bytes, GError **error)
{
	if (!fails(CALL_WRITE))
		return __real_file_write_all(fd, data, size_bytes, error);

	g_assert_true(__real_file_write_all(fd, data, size_bytes / 2, NULL));
	fault_set_errno(error, ENOSPC, "cannot write");
	return false;
}

bool __wrap_file_sync_data(int fd)
{
	return !fails(CALL_SYNC) && __real_file_sync_data(fd);
}

bool __wrap_file_sync_dir(const char *path, GError **error)
{
	if (!fails(CALL_SYNC_DIR))
		return __real_file_sync_dir(path, error);

	fault_set_errno(error, EIO, "cannot sync %s", path);
	return false;
}

GBytes *__wrap_file_read(const char *path, gsize max_bytes, GError **error)
{
	if (is_denied)
		fault_set(error, STATUS_DENIED, NULL, "cannot open %s", path);
	else if (!answer)
		return __real_file_read(path, max_bytes, error);

	return is_denied ? NULL : g_bytes_ref(answer);
}

typedef struct {
	char *dir;
	char *path;
	char *ballast;
} Fixture;

static void set_up(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	it->dir = g_dir_make_tmp("slipway-journal-XXXXXX", NULL);
	it->path = g_build_filename(it->dir, "journal", NULL);
	it->ballast = g_strconcat(it->path, BALLAST, NULL);
}

static void tear_down(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_cmpuint(plan.times, ==, 0);
	g_assert_true(tree_remove(it->dir, NULL));
	g_free(it->ballast);
	g_free(it->path);
	g_free(it->dir);
}

static bool append(Journal *journal, GError **error)
{
	return journal_append(journal, json_pack("{s:s}", "type", "step"), error);
}

static gsize count_records(const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) records = journal_read(path, &error);

	g_assert_no_error(error);
	return json_array_size(records);
}

/* Once: the ballast makes room.  Twice: an error, and a later record stands where the failed one
 * would have stood. */
static void test_failing_writes(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	static const Call calls[] = { CALL_SEEK, CALL_CUT, CALL_WRITE, CALL_SYNC };

	for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(Journal) journal = journal_create(it->path, &error);

		g_assert_no_error(error);
		g_assert_true(append(journal, &error));
		g_assert_true(file_exists(it->ballast));
		plan.call = calls[i];
		plan.times = 1;
		g_assert_true(append(journal, &error));
		g_assert_no_error(error);
		g_assert_false(file_exists(it->ballast));
		plan.times = 2;
		g_assert_false(append(journal, &error));
		g_assert_error(error, FAULT, STATUS_IO);
		g_assert_cmpuint(plan.times, ==, 0);
		g_clear_error(&error);
		g_assert_true(append(journal, &error));
		g_assert_cmpuint(count_records(it->path), ==, 3);
		g_assert_cmpint(g_unlink(it->path), ==, 0);
	}
}

static void test_no_journal_that_a_power_loss_could_hide(Fixture *it,
                                                         gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	plan.call = CALL_SYNC_DIR;
	plan.times = 1;
	g_autoptr(Journal) journal = journal_create(it->path, &error);
	g_assert_null(journal);
	g_assert_error(error, FAULT, STATUS_IO);
	g_assert_false(file_exists(it->ballast));
}

/* Where no ballast can be had, the journal does without. */
static void test_without_ballast(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(g_mkdir(it->ballast, 0700), ==, 0);
	g_autoptr(Journal) journal = journal_create(it->path, &error);
	g_assert_no_error(error);
	plan.call = CALL_WRITE;
	plan.times = 1;
	g_assert_true(append(journal, &error));
	journal_drop_ballast(journal);
	g_assert_cmpuint(count_records(it->path), ==, 1);
	journal_free(NULL);
}

static void test_ballast_given_up(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Journal) journal = journal_create(it->path, NULL);

	g_assert_true(file_exists(it->ballast));
	journal_drop_ballast(journal);
	g_assert_false(file_exists(it->ballast));
	g_assert_true(append(journal, NULL));
}

static void add_u32(GByteArray *bytes, guint32 value)
{
	value = GUINT32_TO_LE(value);
	g_byte_array_append(bytes, (const guint8 *)&value, sizeof(value));
}

/* Whole records, with a checksum that is right, in which something else is not. */
static void test_sound_records_of_no_sense(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const bad[] = {
		"",
		"not JSON",
		"[]",
		"{}",
		"{\"n\":0}",
		"{\"n\":1,\"type\":\"step\"}",
		"{\"n\":0}",
		"{\"type\":\"step\"",
		"{\"n\":0,\"type\":5}",
		"{\"n\":-1,\"type\":\"step\"}",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		guint32 length = (guint32)strlen(bad[i]);
		g_autoptr(GError) error = NULL;
		json_t *before = NULL;

		g_test_message("%s", bad[i]);
		add_u32(bytes, length);
		add_u32(bytes, ~length);
		add_u32(bytes, (guint32)crc32(0, (const guint8 *)bad[i], length));
		g_byte_array_append(bytes, (const guint8 *)bad[i], length);
		g_assert_true(file_write(it->path, bytes->data, bytes->len, 0600, NULL));
		g_autoptr(Journal) journal = journal_resume(it->path, &before, &error);
		g_assert_null(journal);
		g_assert_null(before);
		g_assert_error(error, FAULT, STATUS_FOREIGN);
	}
}

static void test_not_ours_to_read(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	is_denied = true;
	g_autoptr(json_t) records = journal_read(it->path, &error);
	is_denied = false;
	g_assert_null(records);
	g_assert_error(error, FAULT, STATUS_DENIED);
}

/* It could be read, and is gone when it is to be written. */
static void test_gone_before_it_goes_on(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	json_t *before = NULL;

	answer = g_bytes_new_static("", 0);
	g_autoptr(Journal) journal = journal_resume(it->path, &before, &error);
	g_clear_pointer(&answer, g_bytes_unref);
	g_assert_null(journal);
	g_assert_null(before);
	g_assert_nonnull(error);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*run)(Fixture *, gconstpointer);
	} tests[] = {
		{ "/journal/failing-writes", test_failing_writes },
		{ "/journal/no-journal-that-could-hide",
		  test_no_journal_that_a_power_loss_could_hide },
		{ "/journal/without-ballast", test_without_ballast },
		{ "/journal/ballast-given-up", test_ballast_given_up },
		{ "/journal/sound-records-of-no-sense", test_sound_records_of_no_sense },
		{ "/journal/not-ours-to-read", test_not_ours_to_read },
		{ "/journal/gone-before-it-goes-on", test_gone_before_it_goes_on },
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
	return g_test_run();
}
