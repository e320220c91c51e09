/* installer/keys.h - the keystore of this run
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/command.h"
#include "keystore/keystore.h"

/**
 * Opens the keystore that the settings name, by default in the data directory, with the key sources
 * of the settings, by default the key file in the state directory, else with a question where
 * somebody can answer.
 *
 * Returns: (transfer full): the keystore, not unlocked yet; or NULL with CONFIG set.
 */
Keystore *keys_open(App *app, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): the path of that keystore. */
char *keys_path(const App *app);

/** Gives an error of the keystore the exit status that fits, in domain FAULT; leaves others, and no
 *  error, alone. */
void keys_translate(GError **error);

/** Returns: whether @name can be the name of an environment variable. */
bool keys_is_variable(const char *name);

/** Returns: whether @name is a variable by which a loader, shell or interpreter lets itself be
 *  steered (LD_PRELOAD, PATH, ...): never a key. */
bool keys_is_steering(const char *name);
