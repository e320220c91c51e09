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
#define MESSAGE_MAGIC 0x014b4c53u
#define HEADER_BYTES 16

void message_clear(Message *message)
{
	g_clear_pointer(&message->text, g_free);
	g_clear_pointer(&message->secret, g_bytes_unref);
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

bool message_write(int fd, const Message *message, GError **error)
{
	guint8 header[HEADER_BYTES];
	gsize text_size = message->text ? strlen(message->text) : 0;
	gsize secret_size = 0;
	gconstpointer secret =
		message->secret ? g_bytes_get_data(message->secret, &secret_size) : NULL;
	guint8 *at = bytes_store(header, MESSAGE_MAGIC, 4);

	at = bytes_store(at, message->code, 4);
	at = bytes_store(at, text_size, 4);
	(void)bytes_store(at, secret_size, 4);
	return write_all(fd, header, sizeof(header), error) &&
	       write_all(fd, message->text, text_size, error) &&
	       write_all(fd, secret, secret_size, error);
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

static bool read_parts(const Wait *wait, const guint8 *header, Message *message, GError **error)
{
	gsize text_size = bytes_load(header + 8, 4);
	gsize secret_size = bytes_load(header + 12, 4);

	if (bytes_load(header, 4) != MESSAGE_MAGIC || text_size > MESSAGE_TEXT_MAX ||
	    secret_size > KEYSTORE_SECRET_MAX) {
		fault_set(error, STATUS_DATA, "Run the command again.",
		          "the keyring helper does not speak our language; slipway was replaced "
		          "while it ran");
		return false;
	}

	message->code = (guint32)bytes_load(header + 4, 4);
	message->text = g_malloc0(text_size + 1);
	if (!read_all(wait, message->text, text_size, error))
		return false;
	message->secret = secret_size > 0 ? read_secret(wait, secret_size, error) : NULL;
	return secret_size == 0 || message->secret;
}

bool message_read(int fd, int timeout_ms, Message *message, GError **error)
{
	guint8 header[HEADER_BYTES];
	g_auto(Message) fresh = { 0 };
	Wait wait = { fd, timeout_ms < 0
		                  ? G_MAXINT64
		                  : g_get_monotonic_time() + timeout_ms * G_GINT64_CONSTANT(1000) };

	if (!read_all(&wait, header, sizeof(header), error) ||
	    !read_parts(&wait, header, &fresh, error))
		return false;
	*message = fresh;
	fresh = (Message){ 0 };
	return true;
}
