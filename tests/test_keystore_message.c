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
#include "keystore/message.h"

#define MAGIC 0x014b4c53u

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

static void test_round_trip(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *large = g_strnfill(KEYSTORE_SECRET_MAX, 'k');
	const Message cases[] = {
		{ MESSAGE_LIST, NULL, NULL },
		{ MESSAGE_LOOKUP | MESSAGE_MAY_PROMPT, g_strdup("NAME"), NULL },
		{ MESSAGE_SAVE, g_strdup("NAME"), secret_new("\xff value \n", 9) },
		{ MESSAGE_DONE, g_strdup(""), secret_new(large, KEYSTORE_SECRET_MAX) },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(Message) got = { 0 };
		g_auto(Message) sent = cases[i];
		g_autoptr(GError) error = NULL;

		g_assert_true(message_write(fixture->fds[0], &sent, &error));
		g_assert_true(message_read(fixture->fds[1], 5000, &got, &error));
		g_assert_no_error(error);
		g_assert_cmpuint(got.code, ==, sent.code);
		g_assert_cmpstr(got.text, ==, sent.text ? sent.text : "");
		g_assert_true(!got.secret == !sent.secret);
		g_assert_true(!got.secret || g_bytes_equal(got.secret, sent.secret));
	}
}

static void put_header(int fd, guint32 magic, guint32 text_size, guint32 secret_size)
{
	guint8 header[16];
	guint8 *at = bytes_store(header, magic, 4);

	at = bytes_store(at, 0, 4);
	at = bytes_store(at, text_size, 4);
	(void)bytes_store(at, secret_size, 4);
	g_assert_cmpint(write(fd, header, sizeof(header)), ==, sizeof(header));
}

static void test_hostile(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		guint32 magic;
		guint32 text_size;
		guint32 secret_size;
	} cases[] = {
		{ 0, 0, 0 },
		{ MAGIC + 0x01000000u, 0, 0 },
		{ MAGIC, MESSAGE_TEXT_MAX + 1, 0 },
		{ MAGIC, 0xffffffffu, 0 },
		{ MAGIC, 0, KEYSTORE_SECRET_MAX + 1 },
		{ MAGIC, 0, 0xffffffffu },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(Message) got = { 0 };
		g_autoptr(GError) error = NULL;

		put_header(fixture->fds[0], cases[i].magic, cases[i].text_size,
		           cases[i].secret_size);
		g_assert_false(message_read(fixture->fds[1], 5000, &got, &error));
		g_assert_error(error, FAULT, STATUS_DATA);
	}
}

static void test_cut(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(Message) got = { 0 };
	g_autoptr(GError) error = NULL;

	put_header(fixture->fds[0], MAGIC, 4, 4);
	g_assert_cmpint(write(fixture->fds[0], "NAMEab", 6), ==, 6);
	hang_up(fixture);
	g_assert_false(message_read(fixture->fds[1], 5000, &got, &error));
	g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
	g_assert_null(got.text);
}

static void test_late(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(Message) got = { 0 };
	g_autoptr(GError) error = NULL;

	put_header(fixture->fds[0], MAGIC, 4, 0);
	gint64 start_us = g_get_monotonic_time();
	g_assert_false(message_read(fixture->fds[1], 50, &got, &error));
	g_assert_error(error, FAULT, STATUS_DEADLINE);
	g_assert_cmpint(g_get_monotonic_time() - start_us, >=, 50000);
}

static void test_gone(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	const Message message = { MESSAGE_LIST, NULL, NULL };
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
	ADD("/message/hostile", test_hostile);
	ADD("/message/cut", test_cut);
	ADD("/message/late", test_late);
	ADD("/message/gone", test_gone);
	return g_test_run();
}
