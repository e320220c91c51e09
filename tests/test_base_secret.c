/* tests/test_base_secret.c - base/secret and base/log: nothing in the clear
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/tree.h"

#define CANARY "sk-c4n4ry/+?&=end"

static void test_keeps_the_bytes(void)
{
	g_autoptr(GBytes) secret = secret_new("abc", 3);
	g_autoptr(GBytes) empty = secret_new(NULL, 0);
	g_autoptr(GBytes) taken = secret_new_take(g_strdup("taken-value"), 11);

	g_assert_cmpuint(g_bytes_get_size(secret), ==, 3);
	g_assert_cmpstr(secret_text(secret), ==, "abc");
	g_assert_cmpuint(g_bytes_get_size(empty), ==, 0);
	g_assert_cmpstr(secret_text(empty), ==, "");
	g_assert_cmpstr(secret_text(taken), ==, "taken-value");
}

static void test_random_hex(void)
{
	g_autoptr(GBytes) first = secret_new_random_hex(16);
	g_autoptr(GBytes) second = secret_new_random_hex(16);

	g_assert_cmpuint(g_bytes_get_size(first), ==, 32);
	g_assert_cmpuint(strspn(secret_text(first), "0123456789abcdef"), ==, 32);
	g_assert_false(g_bytes_equal(first, second));

	g_autofree char *masked = secret_mask(secret_text(first));
	g_assert_cmpstr(masked, ==, "[masked]");
}

static void test_masks_every_form(void)
{
	static const struct {
		const char *text;
		const char *masked;
	} rows[] = {
		{ "", "" },
		{ "nothing here", "nothing here" },
		{ CANARY, "[masked]" },
		{ "a " CANARY " b " CANARY, "a [masked] b [masked]" },
		{ CANARY CANARY, "[masked][masked]" },
		{ "sk-c4n4ry", "sk-c4n4ry" },
		{ "q=sk-c4n4ry%2F%2B%3F%26%3Dend&", "q=[masked]&" },
		{ "q=sk-c4n4ry%2f%2b%3f%26%3dend", "q=[masked]" },
		{ "c2stYzRuNHJ5Lys/Jj1lbmQ=", "[masked]=" },
		{ "c2stYzRuNHJ5Lys_Jj1lbmQ", "[masked]" },
		{ "http://user:hunter2@host/x@y", "http://[masked]@host/x@y" },
		{ "http://u:p@ss@host:80", "http://[masked]@host:80" },
		{ "see http://host/a@b?c@d", "see http://host/a@b?c@d" },
		{ "<ssh://git@host/r> mail@host", "<ssh://[masked]@host/r> mail@host" },
		{ "http://@host http://", "http://@host http://" },
		{ "http://user:" CANARY "@host", "http://user:[masked]@host" },
	};

	secret_mask_value(CANARY, strlen(CANARY));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *masked = secret_mask(rows[i].text);
		g_assert_cmpstr(masked, ==, rows[i].masked);
	}
}

/* "Basic" authentication encodes the secret behind a user name of any length. */
static void test_masks_inside_base64(void)
{
	static const char *const users[] = { "", "a:", "ab:", "abc:", "abcd:" };
	g_autoptr(GBytes) secret = secret_new("canary-value-0123456789", 23);

	for (gsize i = 0; i < G_N_ELEMENTS(users); i++) {
		g_autofree char *plain = g_strconcat(users[i], secret_text(secret), "!", NULL);
		g_autofree char *text = g_base64_encode((guchar *)plain, strlen(plain));
		g_autofree char *masked = secret_mask(text);

		g_assert_nonnull(strstr(masked, "[masked]"));
		g_assert_cmpuint(strlen(masked), <=, strlen("[masked]") + 12);
	}
}

static void test_masks_lines_and_overlaps(void)
{
	secret_mask_value("-----BEGIN-----\nMIIEvQIBADAN\nabc\n", 33);
	secret_mask_value("overlap-one-two", 15);
	secret_mask_value("one-two-three", 13);
	secret_mask_value("one-two", 7);
	secret_mask_value("tiny", 4);
	secret_mask_value(NULL, 0);

	static const struct {
		const char *text;
		const char *masked;
	} rows[] = {
		{ "key MIIEvQIBADAN.", "key [masked]." },
		{ "abc tiny", "abc tiny" },
		{ "overlap-one-two-three.", "[masked]." },
		{ "x one-two y", "x [masked] y" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *masked = secret_mask(rows[i].text);
		g_assert_cmpstr(masked, ==, rows[i].masked);
	}
}

static gpointer mask_many(gpointer data)
{
	for (int i = 0; i < 200; i++) {
		g_autofree char *value = g_strdup_printf("thread-%p-%d", data, i);
		secret_mask_value(value, strlen(value));

		g_autofree char *masked = secret_mask(value);
		g_assert_cmpstr(masked, ==, "[masked]");
	}
	return NULL;
}

static void test_threads_share_the_registry(void)
{
	GThread *threads[4];

	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("mask", mask_many, &threads[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		(void)g_thread_join(threads[i]);
}

/* In a child: secret_init() would keep a leak checker from looking at this process. */
static void test_init_locks_the_process_down(void)
{
	pid_t child = fork();
	g_assert_cmpint(child, >=, 0);

	if (child == 0) {
		struct rlimit core = { 1, 1 };

		secret_init();
		bool is_good = getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0;
		for (int i = 0; i < 20; i++) { /* more than the secure heap holds */
			g_autofree char *big = g_strnfill(16384, (char)('a' + i));
			GBytes *secret = secret_new(big, 16384);
			is_good = is_good && g_str_equal(secret_text(secret), big);
			g_bytes_unref(secret);
		}
		_exit(is_good ? 0 : 1);
	}

	int status = 0;
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_cmpint(status, ==, 0);
}

static void test_state_says_what_init_got(void)
{
	pid_t child = fork();
	g_assert_cmpint(child, >=, 0);

	if (child == 0) {
		SecretState before = secret_state();
		secret_init();
		SecretState after = secret_state();
		_exit(before.has_heap && after.has_heap && !after.can_dump ? 0 : 1);
	}

	int status = 0;
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_cmpint(status, ==, 0);
}

static void test_environment_is_moved(void)
{
	pid_t child = fork();
	g_assert_cmpint(child, >=, 0);

	if (child == 0) {
		const char *shown = g_getenv("PATH");
		g_autofree char *path = g_strdup(shown);

		secret_hide_environment();
		_exit(shown && shown[0] == '\0' && g_strcmp0(g_getenv("PATH"), path) == 0 ? 0 : 1);
	}

	int status = 0;
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_cmpint(status, ==, 0);
}

static char *make_temp_dir(void)
{
	char *directory = g_dir_make_tmp("slipway-XXXXXX", NULL);

	g_assert_nonnull(directory);
	return directory;
}

static char *read_text(const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = file_read(path, 1 << 20, &error);

	g_assert_no_error(error);
	return g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static void remove_temp_dir(const char *directory)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(tree_remove(directory, &error));
	g_assert_no_error(error);
}

static void test_log_masks_and_escapes(void)
{
	g_autofree char *directory = make_temp_dir();
	g_autoptr(GError) error = NULL;

	secret_mask_value(CANARY, strlen(CANARY));
	log_line("nobody", "is not written");
	g_assert_null(log_path());
	g_assert_true(log_open(directory, "one.log", &error));
	g_assert_no_error(error);
	log_line("apt", "key %s\n\x1b[31m\xff\xc2\x85 %d", CANARY, 7);
	log_line("apt", "gr\xc3\xbc\xc3\x9f");

	g_autofree char *path = g_strdup(log_path());
	log_close();
	log_line("apt", "is not written");

	struct stat status = { 0 };
	g_assert_cmpint(stat(path, &status), ==, 0);
	g_assert_cmpuint(status.st_mode & 07777, ==, 0600);

	g_autofree char *text = read_text(path);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 3);
	g_assert_true(g_regex_match_simple(
		"^\\d{4}-\\d\\d-\\d\\dT[0-9:]{8}\\.\\d{3}Z \\d+ apt: ", lines[0], 0, 0));
	g_assert_true(
		g_str_has_suffix(lines[0], " apt: key [masked]\\x0a\\x1b[31m\\xff\\xc2\\x85 7"));
	g_assert_true(g_str_has_suffix(lines[1], " apt: gr\xc3\xbc\xc3\x9f"));
	remove_temp_dir(directory);
}

static void make_old_log(const char *directory, const char *name, time_t age_seconds)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	struct utimbuf times = { time(NULL) - age_seconds, time(NULL) - age_seconds };

	g_assert_true(g_file_set_contents(path, "x", 1, NULL));
	g_assert_cmpint(utime(path, &times), ==, 0);
}

static bool is_there(const char *directory, const char *name)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);

	return file_exists(path);
}

static void test_log_keeps_the_newest(void)
{
	g_autofree char *directory = make_temp_dir();
	g_autoptr(GError) error = NULL;

	for (int i = 1; i <= 14; i++) {
		g_autofree char *name = g_strdup_printf("old-%02d.log", i);
		make_old_log(directory, name, 100 * i);
	}
	make_old_log(directory, "note.txt", 100000);
	g_assert_true(log_open(directory, "new.log", &error));
	g_assert_no_error(error);
	log_close();

	g_assert_true(is_there(directory, "new.log"));
	g_assert_true(is_there(directory, "old-09.log"));
	g_assert_false(is_there(directory, "old-10.log"));
	g_assert_false(is_there(directory, "old-14.log"));
	g_assert_true(is_there(directory, "note.txt"));
	remove_temp_dir(directory);
}

static void test_log_refuses_bad_places(void)
{
	g_autofree char *directory = make_temp_dir();
	g_autofree char *link = g_build_filename(directory, "link.log", NULL);
	g_autoptr(GError) no_directory = NULL;
	g_autoptr(GError) is_link = NULL;

	g_assert_false(log_open("/nonexistent/directory", "a.log", &no_directory));
	g_assert_error(no_directory, FAULT, STATUS_CANNOT_CREATE);

	g_assert_cmpint(symlink("/etc/passwd", link), ==, 0);
	g_assert_false(log_open(directory, "link.log", &is_link));
	g_assert_error(is_link, FAULT, STATUS_CANNOT_CREATE);
	g_assert_null(log_path());
	remove_temp_dir(directory);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/secret/keeps-the-bytes", test_keeps_the_bytes);
	g_test_add_func("/base/secret/random-hex", test_random_hex);
	g_test_add_func("/base/secret/masks-every-form", test_masks_every_form);
	g_test_add_func("/base/secret/masks-inside-base64", test_masks_inside_base64);
	g_test_add_func("/base/secret/masks-lines-and-overlaps", test_masks_lines_and_overlaps);
	g_test_add_func("/base/secret/threads", test_threads_share_the_registry);
	g_test_add_func("/base/secret/init", test_init_locks_the_process_down);
	g_test_add_func("/base/secret/state", test_state_says_what_init_got);
	g_test_add_func("/base/secret/environment", test_environment_is_moved);
	g_test_add_func("/base/log/masks-and-escapes", test_log_masks_and_escapes);
	g_test_add_func("/base/log/keeps-the-newest", test_log_keeps_the_newest);
	g_test_add_func("/base/log/refuses-bad-places", test_log_refuses_bad_places);
	return g_test_run();
}
