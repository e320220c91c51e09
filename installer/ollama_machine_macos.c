/* installer/ollama_machine_macos.c - a Mac's graphics share its memory
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/ollama_release.h"

void ollama_machine_read_cards(const char *root, OllamaMachine *machine)
{
	(void)root;
	(void)machine;
}
