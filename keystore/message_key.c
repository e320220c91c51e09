/* keystore/message_key.c - one line of text for each key
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/message_key.h"

#include <string.h>

#include "keystore/body.h"
#include "keystore/note_text.h"

static const char *const action_names[] = {
	[BACK_END_PUT] = "put",
	[BACK_END_ADD] = "add",
	[BACK_END_NOTE] = "note",
};

void message_key_clear(MessageKey *key)
{
	g_clear_pointer(&key->profile, g_free);
	g_clear_pointer(&key->name, g_free);
}

void message_add_key(Message *message, const BackEndChange *change)
{
	g_autofree char *note = note_to_text(&change->note);

	message_add(message,
	            g_strdup_printf("%s %s %s %s", change->profile, change->name,
	                            action_names[change->action], note),
	            change->secret);
}

static bool parse_action(const char *word, BackEndAction *action)
{
	for (gsize i = 0; i < G_N_ELEMENTS(action_names); i++) {
		*action = (BackEndAction)i;
		if (strcmp(action_names[i], word) == 0)
			return true;
	}
	return false;
}

bool message_parse_key(const MessagePart *part, MessageKey *key)
{
	g_auto(GStrv) words = g_strsplit(part->text, " ", 4);

	if (g_strv_length(words) != 4 || !body_name_is_valid(words[1]) ||
	    !(body_profile_is_valid(words[0]) || strcmp(words[0], KEYSTORE_PROFILE_OWN) == 0) ||
	    !parse_action(words[2], &key->action))
		return false;
	note_from_text(words[3], &key->note);
	key->profile = g_strdup(words[0]);
	key->name = g_strdup(words[1]);
	return true;
}
