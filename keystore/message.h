/* keystore/message.h - what this program and its keyring helper say to one another
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** What is asked; the parts are those of keystore/message_key.h. */
typedef enum {
	MESSAGE_READ =
		1, /* NOTE, where the note is wanted too; the answer has the same parts, filled */
	MESSAGE_APPLY,
	MESSAGE_LIST, /* the answer has a part for each key */
} MessageRequest;

/** Added to a request: a person is there, a dialog may ask them to unlock. */
#define MESSAGE_MAY_PROMPT 0x100u

/** The code of an answer: done; else 1 + KeystoreError, and the text of the one part says what failed. */
#define MESSAGE_DONE 0u

typedef struct {
	char *text;
	GBytes *secret; /* (nullable): from secret_new() */
} MessagePart;

/** A request or an answer: three numbers of 32 bits, little endian (MESSAGE_MAGIC, code, how many
 *  parts), then for each part two more (the sizes), its text, its secret. */
typedef struct {
	guint32 code;
	GPtrArray *parts; /* (nullable) (element-type MessagePart): none */
} Message;

void message_clear(Message *message);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Message, message_clear)

/** Most parts, and longest text of one, in bytes.  Source: our own bounds. */
#define MESSAGE_PARTS_MAX 16384u
#define MESSAGE_TEXT_MAX ((gsize)4096)

/** Adds a part.  @text: (transfer full).  @secret: (nullable) (transfer none). */
void message_add(Message *message, char *text, GBytes *secret);

/** Returns: how many parts there are. */
guint message_count(const Message *message);

/** Returns: (transfer none): the part at @index. */
const MessagePart *message_part(const Message *message, guint index);

/** Writes a message to the socket @fd; SIGPIPE is ignored.  Returns: false with domain FAULT, UNAVAILABLE (the other end
 *  is gone), set. */
bool message_write(int fd, const Message *message, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Reads a message from the socket @fd.
 *
 * @timeout_ms: for the whole of it; -1: none.  A signal to this run (base/cancel.h) ends it too.
 * Returns: false with domain FAULT, UNAVAILABLE (the other end is gone), DEADLINE, DATA (it is no
 * message) or a cancellation set.
 */
bool message_read(int fd, int timeout_ms, Message *message,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
