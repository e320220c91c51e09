/* keystore/message.c - frames on a socket, secrets in wiped memory
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/message.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/secret.h"
#include "keystore/bytes.h"
#include "keystore/crypto.h"
#include "keystore/error.h"

/** "SLK" and a version: two versions of the program do not understand one another. */
#define MESSAGE_MAGIC 0x024b4c53u
#define HEADER_BYTES 12
#define SIZES_BYTES 8

static void part_free(MessagePart *part)
{
	g_free(part->text);
	if (part->secret)
		g_bytes_unref(part->secret);
	g_free(part);
}

void message_clear(Message *message)
{
	g_clear_pointer(&message->parts, g_ptr_array_unref);
}

void message_add(Message *message, char *text, GBytes *secret)
{
	MessagePart *part = g_new0(MessagePart, 1);

	part->text = text;
	part->secret = secret ? g_bytes_ref(secret) : NULL;
	if (!message->parts)
		message->parts = g_ptr_array_new_with_free_func((GDestroyNotify)part_free);
	g_ptr_array_add(message->parts, part);
}

guint message_count(const Message *message)
{
	return message->parts ? message->parts->len : 0;
}

const MessagePart *message_part(const Message *message, guint index)
{
	return g_ptr_array_index(message->parts, index);
}

static bool write_all(int fd, const void *data, gsize size, GError **error)
{
	const guint8 *at = data;

	while (size > 0) {
		gssize done = write(fd, at, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			fault_set(error, STATUS_UNAVAILABLE, NULL, "the keyring helper is gone: %s",
			          g_strerror(errno));
			return false;
		}
		at += done;
		size -= (gsize)done;
	}
	return true;
}

static bool write_part(int fd, const MessagePart *part, GError **error)
{
	guint8 sizes[SIZES_BYTES];
	gsize text_size = strlen(part->text);
	gsize secret_size = 0;
	gconstpointer secret = part->secret ? g_bytes_get_data(part->secret, &secret_size) : NULL;

	(void)bytes_store(bytes_store(sizes, text_size, 4), secret_size, 4);
	return write_all(fd, sizes, sizeof(sizes), error) &&
	       write_all(fd, part->text, text_size, error) &&
	       write_all(fd, secret, secret_size, error);
}

bool message_write(int fd, const Message *message, GError **error)
{
	guint8 header[HEADER_BYTES];
	guint8 *at = bytes_store(header, MESSAGE_MAGIC, 4);

	at = bytes_store(at, message->code, 4);
	(void)bytes_store(at, message_count(message), 4);
	if (!write_all(fd, header, sizeof(header), error))
		return false;
	for (guint i = 0; i < message_count(message); i++)
		if (!write_part(fd, message_part(message, i), error))
			return false;
	return true;
}

/** A read that has to be over by some time. */
typedef struct {
	int fd;
	gint64 until_us; /* G_MAXINT64: never */
} Wait;

static bool wait_for_bytes(const Wait *wait, GError **error)
{
	for (;;) {
		gint64 left_ms = (wait->until_us - g_get_monotonic_time() + 999) / 1000;
		struct pollfd fds[] = {
			{ .fd = wait->fd, .events = POLLIN },
			{ .fd = cancel_fd(), .events = POLLIN },
		};
		int count =
			poll(fds, G_N_ELEMENTS(fds),
		             wait->until_us == G_MAXINT64 ? -1 : (int)CLAMP(left_ms, 0, G_MAXINT));

		if (!cancel_check(error))
			return false;
		if (count > 0 && fds[0].revents)
			return true;
		if (count < 0 && errno == EINTR)
			continue;
		if (g_get_monotonic_time() < wait->until_us)
			continue;
		fault_set(error, STATUS_DEADLINE, NULL, "there is no answer");
		return false;
	}
}

static bool read_all(const Wait *wait, void *data, gsize size, GError **error)
{
	guint8 *at = data;

	while (size > 0) {
		if (!wait_for_bytes(wait, error))
			return false;
		gssize got = read(wait->fd, at, size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			fault_set(error, STATUS_UNAVAILABLE, NULL, "the keyring helper ended");
			return false;
		}
		at += got;
		size -= (gsize)got;
	}
	return true;
}

static GBytes *read_secret(const Wait *wait, gsize size, GError **error)
{
	guint8 *data = crypto_alloc(size);
	GBytes *secret = read_all(wait, data, size, error) ? secret_new(data, size) : NULL;

	crypto_free(data, size);
	return secret;
}

static bool fail_language(GError **error)
{
	fault_set(error, STATUS_DATA, "Run the command again.",
	          "the keyring helper does not speak our language; slipway was replaced while it "
	          "ran");
	return false;
}

static bool read_part(const Wait *wait, Message *message, GError **error)
{
	guint8 sizes[SIZES_BYTES];

	if (!read_all(wait, sizes, sizeof(sizes), error))
		return false;
	gsize text_size = bytes_load(sizes, 4);
	gsize secret_size = bytes_load(sizes + 4, 4);
	if (text_size > MESSAGE_TEXT_MAX || secret_size > KEYSTORE_SECRET_MAX)
		return fail_language(error);

	g_autofree char *text = g_malloc0(text_size + 1);
	if (!read_all(wait, text, text_size, error))
		return false;
	g_autoptr(GBytes) secret = secret_size > 0 ? read_secret(wait, secret_size, error) : NULL;
	if (secret_size > 0 && !secret)
		return false;
	message_add(message, g_steal_pointer(&text), secret);
	return true;
}

static bool read_message(const Wait *wait, Message *message, GError **error)
{
	guint8 header[HEADER_BYTES];

	if (!read_all(wait, header, sizeof(header), error))
		return false;
	guint32 count = (guint32)bytes_load(header + 8, 4);
	if (bytes_load(header, 4) != MESSAGE_MAGIC || count > MESSAGE_PARTS_MAX)
		return fail_language(error);

	message->code = (guint32)bytes_load(header + 4, 4);
	for (guint32 i = 0; i < count; i++)
		if (!read_part(wait, message, error))
			return false;
	return true;
}

bool message_read(int fd, int timeout_ms, Message *message, GError **error)
{
	g_auto(Message) fresh = { 0 };
	Wait wait = { fd, timeout_ms < 0
		                  ? G_MAXINT64
		                  : g_get_monotonic_time() + timeout_ms * G_GINT64_CONSTANT(1000) };

	if (!read_message(&wait, &fresh, error))
		return false;
	*message = fresh;
	fresh = (Message){ 0 };
	return true;
}
