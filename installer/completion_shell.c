/* installer/completion_shell.c - the shells that there is a script for
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/embed.h"
#include "installer/completion.h"

EMBED_FILE(slipway_completion_bash, "packaging/completions/slipway.bash");
EMBED_FILE(slipway_completion_zsh, "packaging/completions/slipway.zsh");
EMBED_FILE(slipway_completion_fish, "packaging/completions/slipway.fish");

static GBytes *script_bash(void)
{
	return EMBED_BYTES(slipway_completion_bash);
}

static GBytes *script_zsh(void)
{
	return EMBED_BYTES(slipway_completion_zsh);
}

static GBytes *script_fish(void)
{
	return EMBED_BYTES(slipway_completion_fish);
}

const CompletionShell completion_shell_table[] = {
	{ "bash", "~/.local/share/bash-completion/completions/slipway", true, script_bash },
	{ "zsh", "a directory of $fpath, as _slipway", false, script_zsh },
	{ "fish", "~/.config/fish/completions/slipway.fish", false, script_fish },
};
const gsize completion_shell_count = G_N_ELEMENTS(completion_shell_table);

const CompletionShell *completion_shell_find(const char *name)
{
	for (gsize i = 0; i < completion_shell_count; i++)
		if (g_str_equal(completion_shell_table[i].name, name))
			return &completion_shell_table[i];

	return NULL;
}
