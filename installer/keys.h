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

/** As keys_open(), and nobody is ever asked or told anything. */
Keystore *keys_open_unasked(App *app, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** As keys_open(), for a "keys" command, where --profile on the command line names the profile of
 *  keys, too; elsewhere it is one of a stack's. */
Keystore *keys_open_for_command(App *app, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer none): the profile that keys_open_for_command() takes. */
const char *keys_profile_of_command(const App *app);

/** As keys_open(), for the keys of @profile. */
Keystore *keys_open_profile(App *app, const char *profile,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** As keys_open(), for what is stored under @profile, whatever the environment says. */
Keystore *keys_open_stored(App *app, const char *profile, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Asks, unless --yes was given; "no" is the answer to an empty line.
 *  Returns: false with USAGE (nobody can be asked), FAILED (nobody agreed) or a cancellation set. */
bool keys_confirm(App *app, const char *question, GError **error);

/** Returns: whether a variable @name is set and not empty: then it wins over the key. */
bool keys_is_in_environment(const char *name);

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
