/* keystore/note_text.c - words "what=value", in any order
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/note_text.h"

#include <stddef.h>
#include <string.h>

/* clang-format off */
static const struct {
	const char *name;
	gsize offset;
} time_table[] = {
	{ "created",  offsetof(KeystoreNote, created_s) },
	{ "changed",  offsetof(KeystoreNote, changed_s) },
	{ "expires",  offsetof(KeystoreNote, expires_s) },
	{ "verified", offsetof(KeystoreNote, verified_s) },
};

static const struct {
	const char *name;
	gsize offset;
	gsize size;
	const char *letters;
} word_table[] = {
	{ "origin",      offsetof(KeystoreNote, origin),      sizeof(((KeystoreNote *)0)->origin),
	  "abcdefghijklmnopqrstuvwxyz" },
	{ "fingerprint", offsetof(KeystoreNote, fingerprint), sizeof(((KeystoreNote *)0)->fingerprint),
	  "0123456789abcdef" },
};
/* clang-format on */

char *note_to_text(const KeystoreNote *note)
{
	GString *text = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(time_table); i++) {
		gint64 time_s = 0;

		memcpy(&time_s, (const char *)note + time_table[i].offset, sizeof(time_s));
		if (time_s != 0)
			g_string_append_printf(text, "%s=%" G_GINT64_FORMAT " ", time_table[i].name,
			                       time_s);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(word_table); i++) {
		const char *word = (const char *)note + word_table[i].offset;

		if (*word)
			g_string_append_printf(text, "%s=%s ", word_table[i].name, word);
	}
	g_string_set_size(text, text->len > 0 ? text->len - 1 : 0);
	return g_string_free(text, FALSE);
}

static void take_time(KeystoreNote *note, const char *name, const char *value)
{
	gint64 time_s = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(time_table); i++)
		if (strcmp(name, time_table[i].name) == 0 &&
		    g_ascii_string_to_signed(value, 10, 0, G_MAXINT64, &time_s, NULL))
			memcpy((char *)note + time_table[i].offset, &time_s, sizeof(time_s));
}

static void take_word(KeystoreNote *note, const char *name, const char *value)
{
	for (gsize i = 0; i < G_N_ELEMENTS(word_table); i++)
		if (strcmp(name, word_table[i].name) == 0 && strlen(value) < word_table[i].size &&
		    strspn(value, word_table[i].letters) == strlen(value))
			(void)g_strlcpy((char *)note + word_table[i].offset, value,
			                word_table[i].size);
}

void note_from_text(const char *text, KeystoreNote *note)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);

	*note = (KeystoreNote){ 0 };
	for (char **word = words; *word; word++) {
		char *value = strchr(*word, '=');

		if (!value)
			continue;
		*value++ = '\0';
		take_time(note, *word, value);
		take_word(note, *word, value);
	}
}
