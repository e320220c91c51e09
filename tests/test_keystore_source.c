/* tests/test_keystore_source.c - where the key of a store comes from
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <unistd.h>

#include "base/file.h"
#include "tests/keystore_fixture.h"

#define PASSPHRASE "correct horse battery staple"

static void test_no_source(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	KeystoreOptions options = { .path = fixture->path, .passphrase_fd = -1 };
	g_autoptr(Keystore) store = keystore_open(&options);
	g_autoptr(Keystore) owner = fixture_open(fixture);
	g_autoptr(GBytes) secret = secret_new("some-value", 10);
	g_autoptr(GError) error = NULL;

	g_assert_false(keystore_is_unattended(store));
	g_assert_false(keystore_save(store, "KEY", secret, &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_UNAVAILABLE);
	g_assert_nonnull(strstr(error->message, "--key-file"));
	g_assert_nonnull(strstr(error->message, "--passphrase-file"));
	g_assert_nonnull(strstr(error->message, "environment variable"));

	fixture_save(owner, "ANY", "some-value");
	fixture_expect_refusal(store, KEYSTORE_ERROR_LOCKED);
}

static void test_bad_key_files(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		gsize size;
		mode_t mode;
		KeystoreError code;
	} cases[] = {
		{ 0, 0600, KEYSTORE_ERROR_LOCKED },  { 31, 0600, KEYSTORE_ERROR_LOCKED },
		{ 33, 0600, KEYSTORE_ERROR_LOCKED }, { 5000, 0600, KEYSTORE_ERROR_LOCKED },
		{ 32, 0640, KEYSTORE_ERROR_DENIED }, { 32, 0604, KEYSTORE_ERROR_DENIED },
	};
	static const char bytes[5000] = "key";
	g_autoptr(Keystore) store = fixture_open(fixture);

	fixture_save(store, "ANY", "some-value");
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Keystore) fresh = fixture_open(fixture);

		fixture_put(fixture->key_file, bytes, cases[i].size);
		g_assert_cmpint(g_chmod(fixture->key_file, cases[i].mode), ==, 0);
		fixture_expect_refusal(fresh, cases[i].code);
	}
	g_unlink(fixture->key_file);
	g_autoptr(Keystore) fresh = fixture_open(fixture);
	fixture_expect_refusal(fresh, KEYSTORE_ERROR_LOCKED);
}

static void test_make_key_file(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = g_build_filename(fixture->directory, "new", "dir", "key", NULL);
	g_autofree char *empty = g_build_filename(fixture->directory, "empty", NULL);
	g_autoptr(GError) error = NULL;
	GStatBuf status;

	g_assert_true(keystore_make_key_file(path, &error));
	g_assert_no_error(error);
	g_assert_cmpint(g_stat(path, &status), ==, 0);
	g_assert_cmpint(status.st_size, ==, 32);
	g_assert_cmpuint(status.st_mode & 07777, ==, 0600);
	g_assert_false(keystore_make_key_file(path, &error));
	g_assert_nonnull(error);

	fixture_put(empty, "", 0); /* left by one that was killed */
	g_assert_true(keystore_make_key_file(empty, NULL));
}

/* Answers questions: the words in turn, then nothing. */
typedef struct {
	const char *const *words;
	guint asked;
} Person;

static GBytes *answer(const char *prompt, gpointer data, GError **error G_GNUC_UNUSED)
{
	Person *person = data;
	const char *word = person->words[person->asked++];

	g_assert_nonnull(prompt);
	g_assert_nonnull(word);
	return secret_new(word, strlen(word));
}

static void test_asks(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const good[] = { PASSPHRASE, PASSPHRASE, NULL };
	static const char *const typos[] = { "mistyped phrase", "another mistake", PASSPHRASE,
		                             NULL };
	static const char *const wrong[] = { "mistake no. 1", "mistake no. 2", "mistake no. 3",
		                             NULL };
	Person person = { good, 0 };
	KeystoreOptions options = {
		.path = fixture->path, .passphrase_fd = -1, .ask = answer, .data = &person
	};
	g_autoptr(Keystore) maker = keystore_open(&options);

	fixture_save(maker, "ANY", "some-value");
	fixture_save(maker, "SECOND", "some-value");
	fixture_expect(maker, "ANY", "some-value");
	g_assert_cmpuint(person.asked, ==, 2);

	person = (Person){ typos, 0 };
	g_autoptr(Keystore) reader = keystore_open(&options);
	fixture_expect(reader, "ANY", "some-value");
	gint64 start_us = g_get_monotonic_time();
	for (guint i = 0; i < 100; i++)
		fixture_expect(reader, "SECOND", "some-value");
	g_assert_cmpint(g_get_monotonic_time() - start_us, <, 2 * G_USEC_PER_SEC);
	g_assert_cmpuint(person.asked, ==, 3);

	person = (Person){ wrong, 0 };
	g_autoptr(Keystore) stranger = keystore_open(&options);
	fixture_expect_refusal(stranger, KEYSTORE_ERROR_WRONG_KEY);
	g_assert_cmpuint(person.asked, ==, 3);
}

static void test_new_passphrases(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const cases[][3] = {
		{ "eleven char", NULL },              /* 11 */
		{ "ééééééé", NULL },                  /* 14 bytes, 7 characters */
		{ PASSPHRASE, PASSPHRASE ".", NULL }, /* differ */
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		Person person = { cases[i], 0 };
		KeystoreOptions options = {
			.path = fixture->path, .passphrase_fd = -1, .ask = answer, .data = &person
		};
		g_autoptr(Keystore) store = keystore_open(&options);
		g_autoptr(GBytes) secret = secret_new("some-value", 10);
		g_autoptr(GError) error = NULL;

		g_assert_false(keystore_save(store, "KEY", secret, &error));
		g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_BAD_SECRET);
		g_assert_null(strstr(error->message, cases[i][0]));
		g_assert_false(keystore_exists(store));
	}
}

/* Puts the golden store, whose passphrase slot is cheap, in the fixture's place. */
static void use_golden(const Fixture *fixture)
{
	const char *data = g_getenv("TEST_DATA") ? g_getenv("TEST_DATA") : "tests/data";
	const char *const pairs[][2] = { { "v1.0.keystore", fixture->path },
		                         { "v1.0.key", fixture->key_file } };

	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autofree char *from = g_build_filename(data, "keystore", pairs[i][0], NULL);
		g_autofree char *content = NULL;
		gsize size = 0;

		g_assert_true(g_file_get_contents(from, &content, &size, NULL));
		fixture_put(pairs[i][1], content, size);
	}
}

static int pipe_with(const char *text)
{
	int ends[2];

	g_assert_cmpint(pipe(ends), ==, 0);
	g_assert_true(file_write_all(ends[1], text, strlen(text), NULL));
	close(ends[1]);
	return ends[0];
}

static void test_golden_sources(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const good[] = { PASSPHRASE, PASSPHRASE "\n", PASSPHRASE "\r\n" };
	g_autofree char *words = g_build_filename(fixture->directory, "words", NULL);
	g_autoptr(Keystore) by_key = fixture_open(fixture);

	use_golden(fixture);
	fixture_expect(by_key, "OPENAI_API_KEY", "sk-golden-0123456789");
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		KeystoreOptions by_fd = { .path = fixture->path,
			                  .passphrase_fd = pipe_with(good[i]) };
		KeystoreOptions by_file = { .path = fixture->path,
			                    .passphrase_fd = -1,
			                    .passphrase_file = words };
		g_autoptr(Keystore) first = keystore_open(&by_fd);
		g_autoptr(Keystore) second = keystore_open(&by_file);

		fixture_put(words, good[i], strlen(good[i]));
		fixture_expect(first, "OPENAI_API_KEY", "sk-golden-0123456789");
		fixture_expect(first, "db.password", "quote\" new\nline = # \xff\xfe end");
		fixture_expect(second, "OPENAI_API_KEY", "sk-golden-0123456789");
		close(by_fd.passphrase_fd);
	}
}

static void test_source_order(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *missing = g_build_filename(fixture->directory, "missing", NULL);
	KeystoreOptions options = { .path = fixture->path,
		                    .passphrase_fd = pipe_with("not the passphrase"),
		                    .key_file = fixture->key_file };
	KeystoreOptions fallback = { .path = fixture->path,
		                     .passphrase_fd = -1,
		                     .default_key_file = fixture->key_file };

	use_golden(fixture);
	g_autoptr(Keystore) fd_first = keystore_open(&options);
	fixture_expect_refusal(fd_first, KEYSTORE_ERROR_WRONG_KEY);
	close(options.passphrase_fd);

	g_autoptr(Keystore) by_default = keystore_open(&fallback);
	g_assert_true(keystore_is_unattended(by_default));
	fixture_expect(by_default, "OPENAI_API_KEY", "sk-golden-0123456789");
	fallback.default_key_file = missing;
	g_autoptr(Keystore) locked = keystore_open(&fallback);
	g_assert_false(keystore_is_unattended(locked));
	fixture_expect_refusal(locked, KEYSTORE_ERROR_LOCKED);
}

static void test_bad_passphrase_sources(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *words = g_build_filename(fixture->directory, "words", NULL);
	g_autofree char *longer = g_strnfill(1025, 'x');
	const char *const bad[] = { "", "\n", longer };
	KeystoreOptions closed = { .path = fixture->path, .passphrase_fd = 999 };
	g_autoptr(Keystore) by_closed = keystore_open(&closed);

	use_golden(fixture);
	fixture_expect_refusal(by_closed, KEYSTORE_ERROR_LOCKED);
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		KeystoreOptions by_fd = { .path = fixture->path,
			                  .passphrase_fd = pipe_with(bad[i]) };
		KeystoreOptions by_file = { .path = fixture->path,
			                    .passphrase_fd = -1,
			                    .passphrase_file = words };
		g_autoptr(Keystore) first = keystore_open(&by_fd);
		g_autoptr(Keystore) second = keystore_open(&by_file);

		fixture_put(words, bad[i], strlen(bad[i]));
		fixture_expect_refusal(first, KEYSTORE_ERROR_LOCKED);
		fixture_expect_refusal(second, KEYSTORE_ERROR_LOCKED);
		close(by_fd.passphrase_fd);
	}
}

/* A golden file of an older minor version is written on, not only read. */
static void test_golden_is_written(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	KeystoreOptions by_fd = { .path = fixture->path, .passphrase_fd = pipe_with(PASSPHRASE) };
	g_autoptr(Keystore) by_key = fixture_open(fixture);
	g_autoptr(Keystore) by_phrase = keystore_open(&by_fd);

	use_golden(fixture);
	fixture_save(by_key, "NEW_KEY", "new-value");
	fixture_expect(by_phrase, "NEW_KEY", "new-value");
	fixture_expect(by_phrase, "OPENAI_API_KEY", "sk-golden-0123456789");
	close(by_fd.passphrase_fd);
}

int main(int argc, char **argv)
{
	secret_init();
	g_test_init(&argc, &argv, NULL);
	FIXTURE_TEST("/keystore/source/none", test_no_source);
	FIXTURE_TEST("/keystore/source/bad-key-files", test_bad_key_files);
	FIXTURE_TEST("/keystore/source/make-key-file", test_make_key_file);
	FIXTURE_TEST("/keystore/source/asks", test_asks);
	FIXTURE_TEST("/keystore/source/new-passphrases", test_new_passphrases);
	FIXTURE_TEST("/keystore/source/golden", test_golden_sources);
	FIXTURE_TEST("/keystore/source/order", test_source_order);
	FIXTURE_TEST("/keystore/source/bad-passphrases", test_bad_passphrase_sources);
	FIXTURE_TEST("/keystore/source/golden-is-written", test_golden_is_written);
	return g_test_run();
}
