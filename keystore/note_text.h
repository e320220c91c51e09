/* keystore/note_text.h - a note as one line of text: an attribute of a keyring's item
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "keystore/note.h"

/** Returns: (transfer full): "created=1700000000 changed=1700000000 origin=prompt fingerprint=0123abcd";
 *  what is 0 or empty is left out. */
char *note_to_text(const KeystoreNote *note);

/** Reads what note_to_text() wrote, and anything else: words that it does not know, or that make no
 *  sense, are passed over.  @note: set as a whole. */
void note_from_text(const char *text, KeystoreNote *note);
