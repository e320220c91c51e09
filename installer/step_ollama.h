/* installer/step_ollama.h - Ollama and models: what the planner adds to their steps
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/ollama_release.h"
#include "installer/settings.h"
#include "installer/step.h"

/** What the planner knows. */
typedef struct {
	const Settings *settings;
	const Facts *facts;
	const char *state;     /* directory */
	const json_t *receipt; /* (nullable): of the step */
	const json_t *tools;   /* those of the packages step */
} OllamaPlace;

/** Says whether a step of kind "ollama" gets its program from the package manager: its package works
 *  on machines without a card that takes further libraries, and no Ollama is installed yet.
 *
 *  @record: (nullable): what the receipt says of the packages step: what was so stays so. */
bool step_ollama_is_packaged(const Facts *facts, const char *minimum, const json_t *record);

/** Adds to a step of kind "ollama" the files of its release for this machine, where they come from,
 *  and the service.  Returns: false with CONFIG or UNAVAILABLE set. */
bool step_ollama_place(Step *step, const OllamaPlace *place,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Adds to a step of kind "model" the registry, and what the machine has for it.  Returns: false with
 *  CONFIG set. */
bool step_model_place(Step *step, const OllamaPlace *place,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
