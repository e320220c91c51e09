/* installer/ollama_find.h - is there an Ollama of somebody else's
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Looks for files only: programs, units and the app, where Ollama's own installer, packages and
 *  people put them.
 *
 *  @root: (nullable): stands for "/", for tests.
 *  Returns: (transfer full) (nullable): the path that says so; NULL: none is installed. */
char *ollama_find_installed(const char *root);

/** An Ollama that was found, and may be used. */
typedef struct {
	char *where;   /* a path, or the URL where it answers */
	char *version; /* (nullable): not known */
} OllamaFound;

void ollama_found_clear(OllamaFound *found);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(OllamaFound, ollama_found_clear)

/**
 * Asks: at OLLAMA_HOST and at @url, and an installed program for its version.  It may take a second
 * or two; nothing is started.
 *
 * Returns: whether there is one.
 */
bool ollama_find(const char *url, OllamaFound *found);
