/* keystore/message.h - what this program and its keyring helper say to one another
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** What is asked. */
typedef enum {
	MESSAGE_LOOKUP = 1, /* text: name; the answer has the secret */
	MESSAGE_SAVE,       /* text: name; secret */
	MESSAGE_REMOVE,     /* text: name */
	MESSAGE_LIST,       /* the answer's text: lines "NAME CREATED MODIFIED" */
} MessageRequest;

/** Added to a request: a person is there, a dialog may ask them to unlock. */
#define MESSAGE_MAY_PROMPT 0x100u

/** The code of an answer: done; else 1 + KeystoreError, and the text says what failed. */
#define MESSAGE_DONE 0u

/** A request or an answer: four numbers of 32 bits, little endian (MESSAGE_MAGIC, code, and the sizes
 *  of what follows), then text, then secret. */
typedef struct {
	guint32 code;
	char *text;     /* (nullable) */
	GBytes *secret; /* (nullable): from secret_new() */
} Message;

void message_clear(Message *message);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Message, message_clear)

/** Longest text, in bytes.  Source: our own bound; a list of 10,000 keys has about 1 MB. */
#define MESSAGE_TEXT_MAX ((gsize)1 << 20)

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
