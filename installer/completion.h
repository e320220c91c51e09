/* installer/completion.h - what could stand next on a command line
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

#include "installer/command.h"

/** What the shell adds of its own. */
typedef enum {
	COMPLETION_WORDS, /* nothing */
	COMPLETION_FILES,
	COMPLETION_DIRECTORIES,
	COMPLETION_COMMAND, /* the command line of another program begins at @command_at */
} CompletionKind;

typedef struct {
	char *word;        /* without the stem */
	const char *about; /* (nullable): one phrase, static storage */
} CompletionWord;

typedef struct {
	CompletionKind kind;
	guint command_at; /* index into the words that were given */
	char *stem; /* of the last word, what stays in front: "--ignore=port.80,"; may be "" */
	GPtrArray *
		words; /* (element-type CompletionWord): all that fit there, whatever stands there */
} Completion;

/**
 * Says what could replace the last of @words, which may be "".  Reads the tables, and the embedded
 * stacks where one is wanted; asks nobody, opens no keystore, never fails.
 *
 * @words: what stands behind the program's name.
 * @installed: names of the stacks that are installed.  @services: names of the services of the installed
 * stack that the line is about.
 * Returns: (transfer full)
 */
Completion *completion_new(const char *const *words, const char *const *installed,
                           const char *const *services);
void completion_free(Completion *completion);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Completion, completion_free)

/**
 * Undoes what bash does at '=' and ':': "--prefix" "=" "/opt" is one word again.
 *
 * @at: (nullable): for each word that comes out, which of @words it began with; one more than there
 * are is room enough.
 * Returns: (transfer full)
 */
char **completion_join(const char *const *words, guint *at);

/** A shell that there is a script for: a row of completion_shell_table[]. */
typedef struct {
	const char *name;
	const char *place; /* where the script is found by itself; for help */
	bool is_literal;   /* it splits words at '=' and compares by itself what fits: bash */
	GBytes *(*script)(void);
} CompletionShell;

extern const CompletionShell completion_shell_table[];
extern const gsize completion_shell_count;

/** Returns: (transfer none) (nullable): the shell with that name. */
const CompletionShell *completion_shell_find(const char *name);
