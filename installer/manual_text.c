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
	{ "keystore", "~/.local/share/slipway/keystore",
	  "the encrypted keys; beside it keystore.audit, the log of what was done with them" },
};
/* clang-format on */
const gsize manual_file_count = G_N_ELEMENTS(manual_file_table);

#define CHANGES "failed incomplete foreign unavailable io busy untrusted denied config deadline "
#define OPENS_KEYS "key-file passphrase-file passphrase-fd keystore accept-rollback"

const ManualText manual_text_table[] = {
	{ .name = "check",
	  .details =
	          "Reads the machine once and judges what it read against what STACK needs; "
	          "without STACK, against what a small one needs. With CHECKs, or patterns as "
	          "\"disk.*\", judges these alone. Without --fix it changes nothing; runs no "
	          "program; with --all, "
	          "or where CHECKs are named, nvidia-smi and the compose plugin are asked what no "
	          "file tells. With --network the servers that STACK is loaded from are asked, "
	          "all at once.\n\n"
	          "Each check passes, warns or fails; a number that could not be read is unknown. "
	          "Each names what was measured, what is needed, where both come from, and what "
	          "can be done. What fails can be let pass with --ignore. The page of --html "
	          "names no user, no home directory and no host.\n\n"
	          "With --fix what can be mended safely is shown, done once that is confirmed, "
	          "and judged again: settings of the kernel (a file for each in /etc/sysctl.d), "
	          "the group docker, a link to the compose plugin, and Docker Desktop's settings, "
	          "for which it is stopped and started again. The rest is left alone, with its "
	          "remedy. It is one run with a journal, as an installation is: \"slipway "
	          "resume\" and \"slipway rollback\" deal with one that was killed, and --fix "
	          "--undo takes back all of it, but what somebody has changed since.",
	  .example = "slipway check localagent\n"
	             "slipway check localagent mem.total 'disk.*'\n"
	             "slipway check localagent --network 'net.*'\n"
	             "slipway check localagent --fix\n"
	             "# judge a machine that is not this one\n"
	             "ssh that-machine slipway facts | slipway check --facts - localagent",
	  .settings = "profile prefix ignore mirror ca-bundle check-timeout html user yes json",
	  .statuses = "ok failed usage data cannot-create denied config",
	  .files = "state" },
	{ .name = "check explain",
	  .details =
	          "Prints what the table knows of a check: why it matters, where its number comes "
	          "from, what can be done.",
	  .example = "slipway check --list\nslipway check explain mem.total",
	  .settings = "json",
	  .statuses = "ok",
	  .files = "" },
	{ .name = "plan",
	  .details = "Shows each step that an installation of STACK would take, in order: what it "
	             "does, which line of the stack asks for it, and whether it is there already. "
	             "The commands that would run as root are shown to the letter, and so is what "
	             "could not be taken back. Changes nothing.",
	  .example = "slipway plan localagent\n"
	             "# in a script: 4 when something would be done, 0 when not\n"
	             "slipway plan localagent --detailed-exitcode --json > plan.json",
	  .settings = "profile prefix bin add-to-path only skip set mirror json",
	  .statuses = "ok pending foreign config",
	  .files = "state" },
	{ .name = "install",
	  .details =
	          "Makes a plan, asks, writes the plan into a journal, and takes its steps, side "
	          "by side where they do not depend on one another. What the machine lacks comes "
	          "from its own package manager. At the end the stack's own tests run; only when "
	          "they pass is the installation done and the receipt written.\n\n"
	          "A failure takes back everything that was done, unless --keep-partial is given. "
	          "A run that was killed is finished by \"slipway resume\" or taken back by "
	          "\"slipway rollback\". A second run changes nothing, asks for no privilege and "
	          "opens no network connection.\n\n"
	          "With another --profile, an installed stack becomes that: containers that the "
	          "profile does not have are removed; the others, data and keys stay.\n\n"
	          "What is there already and is not slipway's is never overwritten, and neither "
	          "is a file that a person edited.",
	  .example = "slipway install localagent\n"
	             "# on a CI runner\n"
	             "slipway install localagent --yes --json > result.json\n"
	             "# do what can be done without network, the rest later\n"
	             "slipway install localagent --defer\n"
	             "# root is somebody else\n"
	             "slipway install localagent --print-root-script > for-root.sh\n"
	             "slipway install localagent --user",
	  .settings = "yes defer user reversible-only accept timeout keep-partial only skip prefix "
	              "bin add-to-path profile set mirror python-index "
	              "python-wheels ignore lock-timeout package-lock-timeout network-timeout jobs "
	              "html json events " OPENS_KEYS,
	  .statuses = "ok unverified " CHANGES "interrupted",
	  .files = "state keystore" },
	{ .name = "resume",
	  .details =
	          "Goes on with an installation or an uninstallation that was interrupted, from "
	          "its journal. When no run was interrupted, does the steps that --defer put off.",
	  .example = "slipway resume --yes",
	  .settings = "yes defer mirror redirect-hosts network-timeout html json " OPENS_KEYS,
	  .statuses = "ok unverified " CHANGES "interrupted",
	  .files = "state keystore" },
	{ .name = "rollback",
	  .details =
	          "Takes an installation that was interrupted back, last step first, from the "
	          "recipes that were written down before each step. An uninstallation can only be "
	          "finished: see \"slipway resume\".",
	  .example = "slipway rollback --yes",
	  .settings = "yes lock-timeout package-lock-timeout html json",
	  .statuses = "ok " CHANGES,
	  .files = "state" },
	{ .name = "uninstall",
	  .details =
	          "Takes away exactly what the receipt says that slipway added, packages "
	          "included. What was there before stays, and so does every file that a person "
	          "edited; both are named. The keys stay unless --keys is given, the models that "
	          "were pulled unless --models is.",
	  .example = "slipway uninstall localagent\n"
	             "slipway uninstall localagent --keys --yes",
	  .settings = "yes lock-timeout package-lock-timeout html json " OPENS_KEYS,
	  .statuses = "ok " CHANGES,
	  .files = "state keystore" },
	{ .name = "history",
	  .details =
	          "Lists the runs that changed something, oldest first, and how each ended: done, "
	          "or taken back. A run that was interrupted is shown as such.",
	  .example = "slipway history\n"
	             "slipway history localagent --json",
	  .settings = "json",
	  .statuses = "ok data io denied config",
	  .files = "state" },
	{ .name = "doctor",
	  .details = "Looks at what slipway left here, and changes nothing: runs that were "
	             "interrupted, journals and receipts that are damaged, definitions and copies "
	             "that are gone, files that are missing, replaced or edited, what is of no use "
	             "any more. Each finding says what can be done. Ends with 1 when one of them "
	             "fails.",
	  .example = "slipway doctor --json",
	  .settings = "json " OPENS_KEYS,
	  .statuses = "ok failed config",
	  .files = "state keystore" },
	{ .name = "status",
	  .details =
	          "Shows every stack that is installed, or one: its services as the engine has "
	          "them now, where they are, the keys that they have, and what is no longer as it "
	          "was installed: missing, changed, edited or replaced. A service on standby waits "
	          "for \"slipway deploy\" and need not run. Says what was deferred, "
	          "and whether a run was interrupted. With STACK, ends with 1 when a service is "
	          "not well.",
	  .example = "slipway status\n"
	             "slipway status localagent --json",
	  .settings = "json",
	  .statuses = "ok failed foreign unavailable denied deadline",
	  .files = "state" },
	{ .name = "stacks",
	  .details = "Lists the stacks that the program carries. With STACK, shows one: its "
	             "profiles, what it needs, its keys, ports and services. STACK may be a "
	             "directory or an archive here, too.",
	  .example = "slipway stacks\n"
	             "slipway stacks octollm\n"
	             "slipway stacks ./my-stack.tar.zst",
	  .settings = "json",
	  .statuses = "ok data config",
	  .files = "" },
	{ .name = "unpack",
	  .details = "Writes the files of STACK into DIR, which must not exist. Installs nothing. "
	             "The directory can be changed and then be given to every command in place of "
	             "STACK.",
	  .example = "slipway unpack localagent ./my-agent\n"
	             "slipway plan ./my-agent",
	  .settings = "json",
	  .statuses = "ok data cannot-create io config",
	  .files = "" },
	{ .name = "keys set",
	  .details =
	          "Keeps a secret under NAME in the keystore. On a terminal it is asked for "
	          "without echo; a script writes it to stdin with --stdin, or to another "
	          "descriptor with --fd, or takes it over from a variable with --from-env. It is "
	          "never an argument, where other users of the machine could see it.\n\n"
	          "A set of keys of their own, for a customer or a second account, is a profile: "
	          "--profile names one, for every command of the keystore.\n\n"
	          "With --verify the provider is asked first: see \"slipway help keys verify\".",
	  .example = "slipway keys set OPENAI_API_KEY\n"
	             "slipway keys set OPENAI_API_KEY --stdin < key.txt\n"
	             "slipway keys set OPENAI_API_KEY --profile work --expires 90",
	  .settings = "profile key-profile " OPENS_KEYS " mirror ca-bundle json",
	  .statuses = "ok failed unavailable busy denied config",
	  .files = "keystore" },
	{ .name = "keys get",
	  .details =
	          "Prints the secret, with a line break, to a pipe or a file; to a terminal only "
	          "with --show. An environment variable of that name wins over the keystore.",
	  .example = "slipway keys get OPENAI_API_KEY | other-program --key-from-stdin",
	  .settings = "profile key-profile " OPENS_KEYS,
	  .statuses = "ok failed unavailable denied config",
	  .files = "keystore" },
	{ .name = "keys list",
	  .details =
	          "Lists the names of all keys of the profile: where each comes from, when it was "
	          "made and changed, when it expires, when its provider last accepted it, how it "
	          "came into the keystore, and a fingerprint by which two values can be compared. "
	          "A key that expires within a fortnight is marked soon, one that did, past. "
	          "Shows no secret.",
	  .example = "slipway keys list\n"
	             "slipway keys list --all-profiles --json",
	  .settings = "profile key-profile " OPENS_KEYS " json",
	  .statuses = "ok unavailable denied config",
	  .files = "keystore" },
	{ .name = "keys remove",
	  .details =
	          "Takes the key out of the keystore. A variable of that name in the environment "
	          "is not touched, and is mentioned.",
	  .example = "slipway keys remove OPENAI_API_KEY",
	  .settings = "profile key-profile " OPENS_KEYS,
	  .statuses = "ok failed unavailable busy denied config",
	  .files = "keystore" },
	{ .name = "keys profiles",
	  .details =
	          "Lists the profiles that have keys. A profile is there as long as it has one. "
	          "With --remove, takes away all keys of a profile, after it has named them and "
	          "asked. With --rename, gives them another profile; a run that is killed leaves "
	          "each key under one of the two names, or under both, and the same command goes "
	          "on.",
	  .example = "slipway keys profiles\n"
	             "slipway keys profiles --rename work=office\n"
	             "slipway keys profiles --remove work",
	  .settings = "yes " OPENS_KEYS " json",
	  .statuses = "ok failed unavailable busy denied config",
	  .files = "keystore" },
	{ .name = "keys import",
	  .details =
	          "Takes keys over from FILE: a .env file, or one that \"slipway keys export\" "
	          "wrote. Shows their names, saves them, reads them back and compares. A value "
	          "that is there and differs is replaced after a question only, or with --yes.\n\n"
	          "A .env file has no standard, so a line that programs read differently is "
	          "refused with its number: put such a value into single quotes. Afterwards the "
	          "keys can be taken out of FILE: each line becomes a comment without the value, "
	          "if nobody changed the file meanwhile, and the old bytes are overwritten. What "
	          "a journal, a snapshot, a backup or a flash disk has of them is out of reach.",
	  .example = "slipway keys import .env --only OPENAI_API_KEY,ANTHROPIC_API_KEY\n"
	             "slipway keys import .env --shred\n"
	             "slipway keys import team.keys --profile work",
	  .settings = "profile key-profile yes " OPENS_KEYS " json",
	  .statuses = "ok failed data unavailable cannot-create io busy denied config",
	  .files = "keystore" },
	{ .name = "keys export",
	  .details =
	          "Writes keys of the profile into FILE, which must not exist: encrypted under a "
	          "passphrase of its own, in the format of the keystore itself. It is asked for "
	          "twice, or comes from --bundle-passphrase-fd or --bundle-passphrase-file. There "
	          "is no way to write keys in the clear.",
	  .example = "slipway keys export team.keys --only OPENAI_API_KEY\n"
	             "# on the other machine\n"
	             "slipway keys import team.keys",
	  .settings = "profile key-profile " OPENS_KEYS " json",
	  .statuses = "ok failed unavailable cannot-create io denied config",
	  .files = "keystore" },
	{ .name = "keys sync",
	  .details =
	          "Writes the keys that installed stacks declare for their containers into memory "
	          "again, from where the containers read them: after a restart of the machine, and "
	          "after a key was changed. A running container goes on seeing what was there "
	          "when it was made; with --up the services whose keys changed get new containers, "
	          "and all others are started if they do not run. The file of a key that was "
	          "removed stays, empty, until then.\n\n"
	          "The keys lie in /run/slipway/secrets, or in slipway/secrets below "
	          "$XDG_RUNTIME_DIR, readable by their owner alone, and never on a disk. Where the "
	          "engine has a file system of its own, as that of Docker Desktop, compose copies "
	          "them into the containers, which it can do when services are started, not "
	          "before.\n\n"
	          "A stack can bring a unit of systemd that runs \"slipway keys sync STACK "
	          "--at-boot\". It needs a keystore that opens without a person: a key file, "
	          "named in slipway.ini. A user's own unit runs at the first login, or at the "
	          "start of the machine after \"loginctl enable-linger\".",
	  .example = "slipway keys sync\n"
	             "# a new value for a running stack\n"
	             "slipway keys set OPENAI_API_KEY && slipway keys sync localagent --up",
	  .settings = OPENS_KEYS " lock-timeout json",
	  .statuses = "ok failed unavailable unverified foreign io busy denied config deadline",
	  .files = "state keystore" },
	{ .name = "keys verify",
	  .details =
	          "Asks the provider of each NAME whether it takes the key, with a request that "
	          "reads and costs nothing; without NAME, for every key whose provider is known. "
	          "The key goes to that provider's fixed https address alone: the certificate is "
	          "checked, no redirect is followed, and only --mirror and SLIPWAY_MIRROR can "
	          "lead it elsewhere, no file. That a key was found good is written down beside "
	          "it.\n\n"
	          "A key is valid, refused, limited (it is known, its quota is used up), unclear, "
	          "unreachable, unverifiable (there is no address to ask) or missing.",
	  .example = "slipway keys verify\n"
	             "slipway keys verify OPENAI_API_KEY\n"
	             "slipway keys verify --stack localagent",
	  .settings = "profile key-profile " OPENS_KEYS " mirror ca-bundle json",
	  .statuses = "ok failed unavailable denied",
	  .files = "keystore" },
	{ .name = "keys rotate",
	  .details =
	          "Puts a new secret in the place of NAME. It is first kept as NAME.pending, then "
	          "its provider is asked whether it takes it, then it becomes NAME and the old "
	          "one becomes NAME.previous. Killed at any point, NAME is one of the two, and "
	          "the same command goes on. A new secret that the provider refuses is dropped; "
	          "one that could not be verified stays pending.\n\n"
	          "A key that a stack generates gets a random value. Services that run go on with "
	          "the old one until they are given the new one, and what was made with the old "
	          "one, a database for one, still asks for it.",
	  .example = "slipway keys rotate OPENAI_API_KEY\n"
	             "# after the old one was revoked\n"
	             "slipway keys rotate OPENAI_API_KEY --retire",
	  .settings = "profile key-profile " OPENS_KEYS " mirror ca-bundle json",
	  .statuses = "ok failed unavailable busy denied",
	  .files = "keystore" },
	{ .name = "keys audit",
	  .details =
	          "Shows the log of what was done with keys, the newest last: when, what, with "
	          "which key, from where, how it ended, and by whom. No secret is in it. Then "
	          "checks it, and names the line at which it was altered, taken out or moved.\n\n"
	          "What cannot be noticed: lines behind the last change of a key that were taken "
	          "off the end, and anything done by who can open the keystore. A line that says "
	          "\"no seal\" was written while the keystore was not open; the next line that "
	          "has a seal covers it. A key is never refused because the log cannot be "
	          "written; then a change warns. The log holds up to 1 MiB, and four such parts "
	          "before it are kept.",
	  .example = "slipway keys audit --since 7\n"
	             "slipway keys audit --name OPENAI_API_KEY --json",
	  .settings = OPENS_KEYS " json",
	  .statuses = "ok unavailable untrusted denied",
	  .files = "keystore" },
	{ .name = "keys rekey",
	  .details =
	          "The encrypted file has one to eight slots; each opens it: a passphrase, a key "
	          "file (or a systemd credential with the same 32 bytes), or a key that the "
	          "desktop's keyring keeps, which asks nothing while the keyring is open. --list "
	          "shows them.\n\n"
	          "A slot that is removed would still open an older copy of the file, and with it "
	          "the new one. So a new data key is made, all is encrypted anew, and the version "
	          "before is overwritten. Each slot that stays has to be opened for that: what "
	          "opened the keystore is known; other key files and passphrases are named with "
	          "--with-key-file and --with-passphrase-file, or asked for.",
	  .example = "slipway keys rekey --list\n"
	             "slipway keys rekey --add-key-file ~/slipway.key --label laptop\n"
	             "# change the passphrase in slot 1\n"
	             "slipway keys rekey --add-passphrase --remove 1",
	  .settings = OPENS_KEYS " json",
	  .statuses = "ok usage data busy denied config",
	  .files = "keystore" },
	{ .name = "keys recover",
	  .details =
	          "Tries to open the encrypted file and the version before the last change, which "
	          "is kept beside it, and says which of them can be read. Where only the version "
	          "before can, says what is lost, asks, and puts it in the file's place; what was "
	          "there is kept as FILE.damaged. Needs what opens the keystore.",
	  .example = "slipway keys recover\n"
	             "slipway keys recover --yes --json",
	  .settings = "yes " OPENS_KEYS " json",
	  .statuses = "ok failed usage data denied config",
	  .files = "keystore" },
	{ .name = "keys doctor",
	  .details = "Says where keys are kept and why, what that protects from and what not, what "
	             "opens it, whether it is open, who else could touch its files, and how this "
	             "process keeps secrets in memory; each with what can be done. Asks nothing, "
	             "unlocks nothing, starts nothing.",
	  .example = "slipway keys doctor\n"
	             "slipway keys doctor --json",
	  .settings = OPENS_KEYS " json",
	  .statuses = "ok failed",
	  .files = "keystore" },
	{ .name = "keys exec",
	  .details =
	          "Becomes COMMAND, with keys as variables in its environment: all of the "
	          "profile, those that --only names, or those that a stack declares. What opens "
	          "the keystore is not passed on. With --pristine COMMAND gets the keys, PATH, "
	          "HOME, LANG, TERM, TZ, USER, LOGNAME, SHELL and TMPDIR, and no other variable. "
	          "A variable that is set already wins over the key. The exit status is that of "
	          "COMMAND.\n\n"
	          "With --stack, --profile is one of the stack's, and the keys are those of "
	          "--key-profile. Inside the \"keys exec\" of another profile this is refused "
	          "unless --nested is given, which takes that one's keys away first.",
	  .example = "slipway keys exec --only OPENAI_API_KEY -- python3 ask.py\n"
	             "slipway keys exec --profile work --pristine -- make test\n"
	             "slipway keys exec --stack localagent --optional -- localagent",
	  .settings = "profile key-profile " OPENS_KEYS,
	  .statuses = "failed unavailable denied config",
	  .files = "keystore" },
	{ .name = "docker-credential",
	  .details =
	          "Speaks the protocol of docker's credential helpers: ACTION is store, get, "
	          "erase, list or version, the question comes over stdin, the answer, also why "
	          "there is none, goes to stdout. The passwords are keys of the profile docker. "
	          "The name docker-credential-slipway, as a link to slipway, is the same command: "
	          "docker runs it when its configuration has \"credsStore\": \"slipway\". Nobody "
	          "is asked, so the keystore has to open without a person.",
	  .example = "ln -s slipway ~/.local/bin/docker-credential-slipway\n"
	             "slipway docker-credential list",
	  .settings = OPENS_KEYS,
	  .statuses = "ok failed",
	  .files = "keystore" },
	{ .name = "facts",
	  .details =
	          "Prints what \"slipway check\" reads, as JSON: a description of the machine "
	          "that can be judged elsewhere and attached to a bug report. It has no secrets; "
	          "it does have the name of the home directory.",
	  .example = "slipway facts > facts.json",
	  .settings = "json",
	  .statuses = "ok",
	  .files = "" },
	{ .name = "update",
	  .details =
	          "Asks for the newest release, checks its signature and digest, lets the new "
	          "program test itself, and puts it in place of this one; the previous one is "
	          "kept for --revert. An older release is refused unless --allow-downgrade is "
	          "given.\n\n"
	          "Where a package manager owns the program, this is refused, and the command of "
	          "that package manager is shown. Nothing is asked for on any other occasion: "
	          "slipway never looks for releases by itself.",
	  .example = "slipway update --check\n"
	             "slipway update\n"
	             "slipway update --revert",
	  .settings = "yes release-url redirect-hosts ca-bundle json",
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
	          "what could stand in place of the last one. The first line says what the shell "
	          "is to add: words (nothing), files, directories, or command N, when the command "
	          "line of another program begins at word N.",
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

static const ManualText *find_in(const ManualText *table, gsize count, const char *name)
{
	for (gsize i = 0; i < count; i++)
		if (g_str_equal(table[i].name, name))
			return &table[i];

	return NULL;
}

const ManualText *manual_text_find(const char *name)
{
	const ManualText *text = find_in(manual_text_table, manual_text_count, name);

	return text ? text : find_in(manual_life_table, manual_life_count, name);
}
