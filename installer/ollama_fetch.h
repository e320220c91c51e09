/* installer/ollama_fetch.h - the files of a release, loaded and unpacked
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/step.h"

/** Loads what the step's inputs "assets" and "urls" name, each with the digest that the stack pins or
 *  that the release publishes, and unpacks all of it into the tree @directory, which does not exist.
 *
 *  Returns: false with UNTRUSTED, DATA, UNAVAILABLE, IO, DEADLINE, CONFIG or a cancellation set. */
bool ollama_fetch(const StepRun *run, const char *directory,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
