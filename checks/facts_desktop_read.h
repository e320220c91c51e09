/* checks/facts_desktop_read.h - reading the settings of Docker Desktop and of WSL
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_private.h"

/** Reads the settings of either generation, an administrator's, the disk image, and .wslconfig.  Takes
 *  from @facts which system this is. */
void facts_read_desktop(const FactsSource *source, Facts *facts);

/** Judges the text of a settings file: sets state, why and the settings. */
void desktop_parse(GBytes *text, FactsDesktop *desktop);

/** Names the settings that the text of an older file has otherwise, in "differing". */
void desktop_compare(GBytes *older, FactsDesktop *desktop);

/** Fills what an administrator has set.  @directory: (transfer none): where those files are. */
void desktop_read_admin(const FactsSource *source, const char *directory, FactsDesktop *desktop);

/** Judges the text of a .wslconfig: sets state, why and the settings. */
void wsl_config_parse(GBytes *text, FactsWsl *wsl);
