/* keystore/secret_transport.h - how secrets come over the bus: encrypted for one session
 *
 * The algorithm "dh-ietf1024-sha256-aes128-cbc-pkcs7" of the Secret Service API draft, for reading.  libsecret
 * has it too, and is what we write through; but it begins when all else is done, and takes as long as all
 * else together.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef struct SecretTransport SecretTransport;

/** Returns: (transfer full): our half, which is made on a thread of its own. */
SecretTransport *secret_transport_new(void);

/** Returns: (transfer floating): the arguments of OpenSession. */
GVariant *secret_transport_offer(SecretTransport *transport);

/** Takes the answer of OpenSession, of type SECRET_TRANSPORT_ANSWER.  Returns: false with UNAVAILABLE set. */
bool secret_transport_accept(SecretTransport *transport, GVariant *answer,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
#define SECRET_TRANSPORT_ANSWER "(vo)"

/** Returns: (transfer none) (nullable): the path of the session; NULL: nothing was accepted yet. */
const char *secret_transport_path(const SecretTransport *transport);

/** Returns: (transfer full): what is in @sealed, of type SECRET_TRANSPORT_SEALED; NULL with CORRUPT set. */
GBytes *secret_transport_read(const SecretTransport *transport, GVariant *sealed,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
#define SECRET_TRANSPORT_SEALED "(oayays)"
