/* keystore/message_key.h - keys, and what is to be done with them, as parts of a message
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "keystore/back_end_private.h"
#include "keystore/message.h"

/** What the text of a part says: "PROFILE NAME ACTION NOTE". */
typedef struct {
	char *profile;
	char *name;
	BackEndAction action;
	KeystoreNote note;
} MessageKey;

void message_key_clear(MessageKey *key);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MessageKey, message_key_clear)

/** Adds a part for a key. */
void message_add_key(Message *message, const BackEndChange *change);

/** Returns: whether @part says what was written by message_add_key(); @key is set then. */
bool message_parse_key(const MessagePart *part, MessageKey *key);
