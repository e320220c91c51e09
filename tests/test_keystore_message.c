/* tests/test_keystore_message.c - what goes between program and helper: whole, cut, hostile, late
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/secret.h"
#include "keystore/bytes.h"
#include "keystore/error.h"
#include "keystore/message_key.h"
#include "keystore/note_text.h"

#define MAGIC 0x024b4c53u

typedef struct {
	int fds[2];
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fixture->fds), ==, 0);
}

static void tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	for (int i = 0; i < 2; i++)
		if (fixture->fds[i] >= 0)
			g_assert_cmpint(close(fixture->fds[i]), ==, 0);
}

static void hang_up(Fixture *fixture)
{
	g_assert_cmpint(close(fixture->fds[0]), ==, 0);
	fixture->fds[0] = -1;
}

static void expect_same(const Message *got, const Message *sent)
{
	g_assert_cmpuint(got->code, ==, sent->code);
	g_assert_cmpuint(message_count(got), ==, message_count(sent));
	for (guint i = 0; i < message_count(sent); i++) {
		const MessagePart *left = message_part(got, i);
		const MessagePart *right = message_part(sent, i);

		g_assert_cmpstr(left->text, ==, right->text);
		g_assert_true(!left->secret == !right->secret);
		g_assert_true(!left->secret || g_bytes_equal(left->secret, right->secret));
	}
}

static void test_round_trip(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *large = g_strnfill(KEYSTORE_SECRET_MAX, 'k');
	g_autoptr(GBytes) secret = secret_new("\xff value \n", 9);
	g_autoptr(GBytes) largest = secret_new(large, KEYSTORE_SECRET_MAX);

	for (guint parts = 0; parts < 5; parts++) {
		g_auto(Message) sent = { MESSAGE_READ | MESSAGE_MAY_PROMPT, NULL };
		g_auto(Message) got = { 0 };
		g_autoptr(GError) error = NULL;

		for (guint i = 0; i < parts; i++)
			message_add(&sent, g_strdup_printf("part %u", i),
			            i == 0   ? NULL
			            : i == 1 ? secret
			                     : largest);
		g_assert_true(message_write(fixture->fds[0], &sent, &error));
		g_assert_true(message_read(fixture->fds[1], 5000, &got, &error));
		g_assert_no_error(error);
		expect_same(&got, &sent);
	}
}

static void test_keys(void)
{
	const KeystoreNote note = { 1700000000, 1700000001, 0, 1700000002, "prompt", "0123abcd" };
	const BackEndChange changes[] = {
		{ "default", "A_KEY", NULL, note, BACK_END_NOTE },
		{ KEYSTORE_PROFILE_OWN, "master", NULL, { 0 }, BACK_END_ADD },
		{ "work-1", "a.b-c_d", NULL, { .expires_s = G_MAXINT64 }, BACK_END_PUT },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
		g_auto(Message) message = { 0 };
		g_auto(MessageKey) key = { 0 };

		message_add_key(&message, &changes[i]);
		g_assert_true(message_parse_key(message_part(&message, 0), &key));
		g_assert_cmpstr(key.profile, ==, changes[i].profile);
		g_assert_cmpstr(key.name, ==, changes[i].name);
		g_assert_cmpint(key.action, ==, changes[i].action);
		g_assert_true(memcmp(&key.note, &changes[i].note, sizeof(key.note)) == 0);
	}
}

static void test_no_keys(void)
{
	static const char *const cases[] = {
		"",
		"default",
		"default A_KEY",
		"default A_KEY put",
		"default A_KEY burn ",
		"default 1KEY put ",
		"Default A_KEY put ",
		".other A_KEY put ",
		" A_KEY put ",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(Message) message = { 0 };
		g_auto(MessageKey) key = { 0 };

		message_add(&message, g_strdup(cases[i]), NULL);
		g_assert_false(message_parse_key(message_part(&message, 0), &key));
	}
}

/* What other programs can put into an item's attribute. */
static void test_note_of_others(void)
{
	static const struct {
		const char *text;
		KeystoreNote note;
	} cases[] = {
		{ "", { 0 } },
		{ "hello world", { 0 } },
		{ "created=12 later=x changed=13", { .created_s = 12, .changed_s = 13 } },
		{ "created=-1 changed=99999999999999999999 expires=1x verified=", { 0 } },
		{ "origin=PROMPT origin=a-name-that-is-too-long fingerprint=XYZ", { 0 } },
		{ "origin=import fingerprint=0123456789", { .origin = "import" } },
		{ "  =  origin==", { 0 } },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		KeystoreNote note = { 1, 2, 3, 4, "stdin", "ffffffff" };

		note_from_text(cases[i].text, &note);
		g_assert_true(memcmp(&note, &cases[i].note, sizeof(note)) == 0);
	}
}

static void put_header(int fd, guint32 magic, guint32 parts)
{
	guint8 header[12];
	guint8 *at = bytes_store(header, magic, 4);

	at = bytes_store(at, 0, 4);
	(void)bytes_store(at, parts, 4);
	g_assert_cmpint(write(fd, header, sizeof(header)), ==, sizeof(header));
}

static void put_sizes(int fd, guint32 text_size, guint32 secret_size)
{
	guint8 sizes[8];

	(void)bytes_store(bytes_store(sizes, text_size, 4), secret_size, 4);
	g_assert_cmpint(write(fd, sizes, sizeof(sizes)), ==, sizeof(sizes));
}

static void test_hostile(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		guint32 magic;
		guint32 parts;
		guint32 text_size;
		guint32 secret_size;
	} cases[] = {
		{ 0, 1, 0, 0 },
		{ MAGIC - 0x01000000u, 1, 0, 0 },
		{ MAGIC, MESSAGE_PARTS_MAX + 1, 0, 0 },
		{ MAGIC, 0xffffffffu, 0, 0 },
		{ MAGIC, 1, MESSAGE_TEXT_MAX + 1, 0 },
		{ MAGIC, 1, 0xffffffffu, 0 },
		{ MAGIC, 1, 0, KEYSTORE_SECRET_MAX + 1 },
		{ MAGIC, 1, 0, 0xffffffffu },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(Message) got = { 0 };
		g_autoptr(GError) error = NULL;

		tear_down(fixture, NULL);
		set_up(fixture, NULL);
		put_header(fixture->fds[0], cases[i].magic, cases[i].parts);
		put_sizes(fixture->fds[0], cases[i].text_size, cases[i].secret_size);
		g_assert_false(message_read(fixture->fds[1], 5000, &got, &error));
		g_assert_error(error, FAULT, STATUS_DATA);
	}
}

static void test_cut(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(Message) got = { 0 };
	g_autoptr(GError) error = NULL;

	put_header(fixture->fds[0], MAGIC, 1);
	put_sizes(fixture->fds[0], 4, 4);
	g_assert_cmpint(write(fixture->fds[0], "NAMEab", 6), ==, 6);
	hang_up(fixture);
	g_assert_false(message_read(fixture->fds[1], 5000, &got, &error));
	g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
	g_assert_null(got.parts);
}

static void test_late(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(Message) got = { 0 };
	g_autoptr(GError) error = NULL;

	put_header(fixture->fds[0], MAGIC, 1);
	put_sizes(fixture->fds[0], 4, 0);
	gint64 start_us = g_get_monotonic_time();
	g_assert_false(message_read(fixture->fds[1], 50, &got, &error));
	g_assert_error(error, FAULT, STATUS_DEADLINE);
	g_assert_cmpint(g_get_monotonic_time() - start_us, >=, 50000);
}

static void test_gone(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	const Message message = { MESSAGE_LIST, NULL };
	g_auto(Message) got = { 0 };
	g_autoptr(GError) on_write = NULL;
	g_autoptr(GError) on_read = NULL;

	hang_up(fixture);
	g_assert_false(message_write(fixture->fds[1], &message, &on_write));
	g_assert_error(on_write, FAULT, STATUS_UNAVAILABLE);
	g_assert_false(message_read(fixture->fds[1], -1, &got, &on_read));
	g_assert_error(on_read, FAULT, STATUS_UNAVAILABLE);
}

#define ADD(name, function) g_test_add(name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	g_test_init(&argc, &argv, NULL);
	ADD("/message/round-trip", test_round_trip);
	g_test_add_func("/message/keys", test_keys);
	g_test_add_func("/message/no-keys", test_no_keys);
	g_test_add_func("/message/note-of-others", test_note_of_others);
	ADD("/message/hostile", test_hostile);
	ADD("/message/cut", test_cut);
	ADD("/message/late", test_late);
	ADD("/message/gone", test_gone);
	return g_test_run();
}
