/* checks/facts_gpu_private.h - the parts of reading graphics cards
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_private.h"

/** Fills what ROCm needs, and the target of each card of AMD. */
void amd_read(const FactsSource *source, Facts *facts);

/** Takes what nvidia-smi wrote into the cards that it names; adds those that no bus shows (WSL), and the
 *  driver's version where no file had it. */
void nvidia_parse(const char *text, Facts *facts);

/** Asks nvidia-smi for the cards' memory, where NVIDIA's driver is; blocks for 10 s at most. */
void nvidia_ask(const FactsSource *source, Facts *facts);
