/* payload/stacks.h - where stack definitions come from
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "payload/stack.h"

/** A definition and the files that belong to it. */
typedef struct StackBundle StackBundle;

/** Returns: (transfer none): names of the embedded stacks, sorted, NULL-terminated. */
const char *const *stacks_embedded_names(void);

/**
 * Opens a stack: an embedded name, a directory with a stack.ini, or an archive (.tar.zst, .tar.gz,
 * .tar.xz) of one.  A word without "/" that is an embedded name is that one.
 *
 * Returns: (transfer full): the bundle; or NULL with USAGE (no such stack; the message lists the
 * names), CONFIG (stack.ini), DATA (archive) set.
 */
StackBundle *stacks_open(const char *word, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: whether @word is an embedded stack, each profile of which needs a container engine; in a hundredth of the
 *  time of stacks_open(). */
bool stacks_need_engine(const char *word);

void stacks_bundle_free(StackBundle *bundle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StackBundle, stacks_bundle_free)

/** Returns: (transfer none): its definition. */
const Stack *stacks_definition(const StackBundle *bundle);

/** Returns: (transfer none): lower-case hex SHA-256 over every file's name, mode and content; made when
 *  it is first asked for, by one thread. */
const char *stacks_digest(const StackBundle *bundle);

/** Returns: (transfer none): "embedded", or the absolute path that it came from. */
const char *stacks_origin(const StackBundle *bundle);

/** Writes its files into @directory, which must not exist (errors as archive_unpack_file()). */
bool stacks_unpack(const StackBundle *bundle, const char *directory,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): one file of it; or NULL with CONFIG (no such file) or DATA set. */
GBytes *stacks_read(const StackBundle *bundle, const char *member,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
