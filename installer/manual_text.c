/* installer/manual_text.c - what people are told about a command beyond its summary
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/manual_text.h"

/* clang-format off */
const ManualFile manual_file_table[] = {
	{ "system-ini", "/etc/slipway/slipway.ini", "the system's settings" },
	{ "user-ini", "~/.config/slipway/slipway.ini", "the user's settings" },
	{ "ini", "slipway.ini", "the settings of the directory in which slipway is started" },
	{ "state", "~/.local/state/slipway",
	  "receipts, journals, logs, the definitions of what is installed" },
	{ "keystore", "~/.local/share/slipway/keystore", "the encrypted keys" },
};
/* clang-format on */
const gsize manual_file_count = G_N_ELEMENTS(manual_file_table);

#define CHANGES "failed incomplete foreign unavailable io busy untrusted denied config deadline "
#define OPENS_KEYS "key-file passphrase-file passphrase-fd keystore"

const ManualText manual_text_table[] = {
	{ .name = "check",
	  .details =
	          "Reads the machine once: memory, disk, processors, ports, the Docker engine, the "
	          "keyring. Judges what it read against what STACK needs; without STACK, against "
	          "what a small one needs. Changes nothing and runs no program.\n\n"
	          "Each check passes, warns or fails; a number that could not be read is unknown. "
	          "Each names the figure that was measured, the one that is needed, where both "
	          "come "
	          "from, and what can be done. A check that fails can be let pass with --ignore, "
	          "and is then shown as ignored.",
	  .example = "slipway check localagent\n"
	             "# judge a machine that is not this one\n"
	             "slipway facts > that-machine.json\n"
	             "slipway check --facts that-machine.json localagent",
	  .settings = "profile prefix ignore json",
	  .statuses = "ok failed data config",
	  .files = "" },
	{ .name = "plan",
	  .details =
	          "Shows each step that an installation of STACK would take, in order: what it "
	          "does, "
	          "which line of the stack asks for it, and whether it is there already. The "
	          "commands that would run as root are shown to the letter, and so is what could "
	          "not be taken back. Changes nothing.",
	  .example = "slipway plan localagent\n"
	             "# in a script: 4 when something would be done, 0 when not\n"
	             "slipway plan localagent --detailed-exitcode --json > plan.json",
	  .settings = "profile prefix bin only skip set mirror json",
	  .statuses = "ok pending foreign config",
	  .files = "state" },
	{ .name = "install",
	  .details =
	          "Makes a plan, asks, writes the plan into a journal, and takes its steps, side "
	          "by "
	          "side where they do not depend on one another. What the machine lacks comes from "
	          "its own package manager. At the end the stack's own tests run; only when they "
	          "pass is the installation done and the receipt written.\n\n"
	          "A failure takes back everything that was done, unless --keep-partial is given. "
	          "A run that was killed is finished by \"slipway resume\" or taken back by "
	          "\"slipway rollback\". A second run changes nothing, asks for no privilege and "
	          "opens no network connection.\n\n"
	          "What is there already and is not slipway's is never overwritten, and neither is "
	          "a file that a person edited.",
	  .example = "slipway install localagent\n"
	             "# on a CI runner\n"
	             "slipway install localagent --yes --json > result.json\n"
	             "# do what can be done without network, the rest later\n"
	             "slipway install localagent --defer",
	  .settings = "yes defer keep-partial only skip prefix bin profile set mirror python-index "
	              "python-wheels ignore lock-timeout package-lock-timeout network-timeout json "
	              "events " OPENS_KEYS,
	  .statuses = "ok unverified " CHANGES "interrupted",
	  .files = "state keystore" },
	{ .name = "resume",
	  .details = "Goes on with an installation or an uninstallation that was interrupted, from "
	             "its "
	             "journal. When no run was interrupted, does the steps that --defer put off.",
	  .example = "slipway resume --yes",
	  .settings = "yes defer mirror network-timeout json " OPENS_KEYS,
	  .statuses = "ok unverified " CHANGES "interrupted",
	  .files = "state keystore" },
	{ .name = "rollback",
	  .details =
	          "Takes an installation that was interrupted back, last step first, from the "
	          "recipes that were written down before each step. An uninstallation can only be "
	          "finished: see \"slipway resume\".",
	  .example = "slipway rollback --yes",
	  .settings = "yes lock-timeout package-lock-timeout json",
	  .statuses = "ok " CHANGES,
	  .files = "state" },
	{ .name = "uninstall",
	  .details =
	          "Takes away exactly what the receipt says that slipway added, packages included. "
	          "What was there before stays, and so does every file that a person edited; both "
	          "are named. The keys stay unless --keys is given.",
	  .example = "slipway uninstall localagent\n"
	             "slipway uninstall localagent --keys --yes",
	  .settings = "yes lock-timeout package-lock-timeout json " OPENS_KEYS,
	  .statuses = "ok " CHANGES,
	  .files = "state keystore" },
	{ .name = "status",
	  .details =
	          "Shows every stack that is installed, or one, and looks at each step: it is ok, "
	          "missing, changed, edited or replaced. Says what was deferred, and whether a run "
	          "was interrupted.",
	  .example = "slipway status\n"
	             "slipway status localagent --json",
	  .settings = "json",
	  .statuses = "ok foreign denied",
	  .files = "state" },
	{ .name = "stacks",
	  .details =
	          "Lists the stacks that the program carries. With STACK, shows one: its profiles, "
	          "what it needs, its keys, ports and services. STACK may be a directory or an "
	          "archive here, too.",
	  .example = "slipway stacks\n"
	             "slipway stacks octollm\n"
	             "slipway stacks ./my-stack.tar.zst",
	  .settings = "json",
	  .statuses = "ok data config",
	  .files = "" },
	{ .name = "unpack",
	  .details =
	          "Writes the files of STACK into DIR, which must not exist. Installs nothing. The "
	          "directory can be changed and then be given to every command in place of STACK.",
	  .example = "slipway unpack localagent ./my-agent\n"
	             "slipway plan ./my-agent",
	  .settings = "json",
	  .statuses = "ok data cannot-create io config",
	  .files = "" },
	{ .name = "keys set",
	  .details =
	          "Keeps a secret under NAME in the keystore. On a terminal it is asked for "
	          "without "
	          "echo; a script writes it to stdin with --stdin. It is never an argument, where "
	          "other users of the machine could see it.",
	  .example = "slipway keys set OPENAI_API_KEY\n"
	             "slipway keys set OPENAI_API_KEY --stdin < key.txt",
	  .settings = OPENS_KEYS,
	  .statuses = "ok failed unavailable busy denied",
	  .files = "keystore" },
	{ .name = "keys get",
	  .details =
	          "Prints the secret, with a line break, to a pipe or a file; to a terminal only "
	          "with --show. An environment variable of that name wins over the keystore.",
	  .example = "slipway keys get OPENAI_API_KEY | other-program --key-from-stdin",
	  .settings = OPENS_KEYS,
	  .statuses = "ok failed unavailable denied",
	  .files = "keystore" },
	{ .name = "keys list",
	  .details =
	          "Lists the names of all keys, where each comes from, when it was changed, and a "
	          "fingerprint by which two values can be compared. Shows no secret.",
	  .example = "slipway keys list\n"
	             "slipway keys list --json",
	  .settings = OPENS_KEYS " json",
	  .statuses = "ok unavailable denied",
	  .files = "keystore" },
	{ .name = "keys remove",
	  .details = "Takes the key out of the keystore. A variable of that name in the "
	             "environment is "
	             "not touched, and is mentioned.",
	  .example = "slipway keys remove OPENAI_API_KEY",
	  .settings = OPENS_KEYS,
	  .statuses = "ok failed unavailable busy denied",
	  .files = "keystore" },
	{ .name = "keys exec",
	  .details =
	          "Becomes COMMAND, with keys as variables in its environment: all of them, those "
	          "that --only names, or those that a stack declares. What opens the keystore is "
	          "not passed on. The exit status is that of COMMAND.",
	  .example = "slipway keys exec --only OPENAI_API_KEY -- python3 ask.py\n"
	             "slipway keys exec --stack localagent --optional -- localagent",
	  .settings = OPENS_KEYS " profile",
	  .statuses = "failed unavailable denied",
	  .files = "keystore" },
	{ .name = "facts",
	  .details =
	          "Prints what \"slipway check\" reads, as JSON: a description of the machine that "
	          "can be judged elsewhere and attached to a bug report. It has no secrets; it "
	          "does "
	          "have the name of the home directory.",
	  .example = "slipway facts > facts.json",
	  .settings = "json",
	  .statuses = "ok",
	  .files = "" },
	{ .name = "update",
	  .details =
	          "Asks for the newest release, checks its signature and digest, lets the new "
	          "program test itself, and puts it in place of this one; the previous one is kept "
	          "for --revert. An older release is refused unless --allow-downgrade is given.\n\n"
	          "Where a package manager owns the program, this is refused, and the command of "
	          "that package manager is shown. Nothing is asked for on any other occasion: "
	          "slipway never looks for releases by itself.",
	  .example = "slipway update --check\n"
	             "slipway update\n"
	             "slipway update --revert",
	  .settings = "yes release-url ca-bundle json",
	  .statuses = "ok failed unavailable io busy untrusted denied config deadline",
	  .files = "state" },
	{ .name = "config",
	  .details =
	          "Shows the value of each setting and where it comes from: a flag, a variable, a "
	          "line of a file, or the default.",
	  .example = "slipway config\n"
	             "SLIPWAY_DEFER=yes slipway config --json",
	  .settings = "json",
	  .statuses = "ok config",
	  .files = "system-ini user-ini ini" },
	{ .name = "completion",
	  .details =
	          "Prints the completion script for a shell. The script asks the slipway on the "
	          "PATH what fits, so it does not age. No key is shown and no keystore is opened "
	          "for it: the names of keys that are offered are those that the embedded stacks "
	          "declare.\n\n"
	          "With WORDS, which are the words of a command line behind \"slipway\", prints "
	          "what "
	          "could stand in place of the last one. The first line says what the shell is to "
	          "add: words (nothing), files, directories, or command N, when the command line "
	          "of "
	          "another program begins at word N.",
	  .example =
	          "# bash\n"
	          "slipway completion bash > ~/.local/share/bash-completion/completions/slipway\n"
	          "# bash without the package bash-completion\n"
	          "echo 'eval \"$(slipway completion bash)\"' >> ~/.bashrc\n"
	          "# zsh, into a directory of $fpath\n"
	          "slipway completion zsh > ~/.zsh/completions/_slipway\n"
	          "# fish\n"
	          "slipway completion fish > ~/.config/fish/completions/slipway.fish",
	  .settings = "",
	  .statuses = "ok",
	  .files = "" },
	{ .name = "help",
	  .details =
	          "Shows the commands, or all about one. With --manual, prints a manual page in "
	          "mdoc(7): of slipway, of a command, slipway.ini or slipway-stack. With --json, "
	          "prints commands, options, settings and exit statuses as a document.",
	  .example = "slipway help keys set\n"
	             "slipway help --manual install | man -l -\n"
	             "slipway help --manual --all ~/.local/share/man",
	  .settings = "json",
	  .statuses = "ok cannot-create io",
	  .files = "" },
	{ .name = "version",
	  .details = "Shows the version of slipway and of the libraries in it.",
	  .example = "slipway version\n"
	             "slipway version --json",
	  .settings = "json",
	  .statuses = "ok",
	  .files = "" },
};
const gsize manual_text_count = G_N_ELEMENTS(manual_text_table);

const ManualText *manual_text_find(const char *name)
{
	for (gsize i = 0; i < manual_text_count; i++)
		if (g_str_equal(manual_text_table[i].name, name))
			return &manual_text_table[i];

	return NULL;
}
