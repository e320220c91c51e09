/* keystore/descriptor.c - reads a pipe into wiped memory, with a deadline
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/descriptor.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/secret.h"
#include "keystore/crypto.h"
#include "keystore/error.h"

/* A line break of two bytes may stand behind the secret, and one byte more tells that it is long. */
#define EXTRA_BYTES 3

/* Returns: bytes read; -1 with errno set, ETIMEDOUT when the end does not come. */
static gssize read_to_end(int fd, guint8 *data, gsize size)
{
	gint64 deadline_us =
		g_get_monotonic_time() + DESCRIPTOR_TIMEOUT_MS * G_GINT64_CONSTANT(1000);
	gsize done = 0;

	while (done < size) {
		gint64 left_ms = (deadline_us - g_get_monotonic_time()) / 1000;
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		int count = left_ms > 0 ? poll(&ready, 1, (int)left_ms) : 0;
		gssize got = count > 0 ? read(fd, data + done, size - done) : -1;

		if (count == 0)
			errno = ETIMEDOUT;
		if (got < 0 && (errno == EINTR || errno == EAGAIN) && cancel_signal() == 0)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (gsize)got;
	}
	return (gssize)done;
}

gsize descriptor_chomp(const char *data, gsize size)
{
	if (size == 0 || data[size - 1] != '\n')
		return size;
	return size > 1 && data[size - 2] == '\r' ? size - 2 : size - 1;
}

static GBytes *take_secret(const guint8 *data, gsize size, gsize max_bytes, GError **error)
{
	gsize length = descriptor_chomp((const char *)data, size);

	if (length > 0 && length <= max_bytes)
		return secret_new(data, length);

	if (length == 0)
		keystore_fail(error, KEYSTORE_ERROR_BAD_SECRET, NULL, "it is empty");
	else
		keystore_fail(error, KEYSTORE_ERROR_BAD_SECRET, NULL,
		              "it is longer than %" G_GSIZE_FORMAT " bytes", max_bytes);
	return NULL;
}

GBytes *descriptor_read_secret(int fd, gsize max_bytes, GError **error)
{
	gsize room = max_bytes + EXTRA_BYTES;
	guint8 *data = crypto_alloc(room);
	gssize size = read_to_end(fd, data, room);
	int errnum = errno;
	GBytes *secret = NULL;

	if (size >= 0)
		secret = take_secret(data, (gsize)size, max_bytes, error);
	else if (cancel_check(error))
		fault_set_errno(error, errnum, "cannot read descriptor %d", fd);
	crypto_free(data, room);
	return secret;
}
