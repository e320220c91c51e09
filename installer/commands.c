/* installer/commands.c - the command table
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/nearest.h"
#include "installer/command.h"

/* One row, one command, in the order in which help shows them. */
/* clang-format off */
const Command command_table[] = {
	{ "check", "[STACK] [CHECK...]", "Judge this machine against what a stack needs",
	  command_check_options, 0, -1, command_check },
	{ "check explain", "CHECK...", "Say what a check judges, why, and how to mend it",
	  NULL, 1, -1, command_check_explain },
	{ "plan", "STACK", "Show what install would do, and why",
	  command_plan_options, 1, 1, command_plan },
	{ "install", "STACK...", "Install: plan, confirm, apply, verify",
	  command_install_options, 1, -1, command_install },
	{ "resume", "", "Finish an interrupted run, or do what was deferred",
	  NULL, 0, 0, command_resume },
	{ "rollback", "", "Take an interrupted run back",
	  NULL, 0, 0, command_rollback },
	{ "uninstall", "STACK", "Take away exactly what install added",
	  command_uninstall_options, 1, 1, command_uninstall },
	{ "up", "STACK", "Start a stack, and wait until it is healthy",
	  NULL, 1, 1, command_up },
	{ "down", "STACK", "Stop a stack; its data stays, its keys leave the memory",
	  NULL, 1, 1, command_down },
	{ "restart", "STACK [SERVICE...]", "Start a stack's services again",
	  NULL, 1, -1, command_restart },
	{ "reset", "STACK", "Remove a stack's containers and data, to start anew",
	  NULL, 1, 1, command_reset },
	{ "history", "[STACK]", "Show what this program did here",
	  NULL, 0, 1, command_history },
	{ "doctor", "", "Show what is wrong with what this program did here",
	  NULL, 0, 0, command_doctor },
	{ "status", "[STACK]", "Show what is installed, and how its services are",
	  command_status_options, 0, 1, command_status },
	{ "logs", "STACK [SERVICE...]", "Show what a stack's services write, merged by time",
	  command_logs_options, 1, -1, command_logs },
	{ "test", "STACK", "Run the tests that a stack brings for itself",
	  NULL, 1, 1, command_test },
	{ "exec", "STACK SERVICE COMMAND...", "Run a command in the container of a service",
	  NULL, 3, -1, command_exec },
	{ "open", "STACK [SERVICE]", "Show where a stack's pages are, or open one",
	  NULL, 1, 2, command_open },
	{ "backup", "STACK [DIR]", "Keep a stack's data in a directory",
	  command_backup_options, 1, 2, command_backup },
	{ "restore", "STACK DIR", "Put a stack's data back",
	  NULL, 2, 2, command_restore },
	{ "deploy", "STACK [IMAGE]", "Put a new version in the place of the old one, without a pause",
	  command_deploy_options, 1, 2, command_deploy },
	{ "stacks", "[STACK]", "Show the stacks that can be had",
	  NULL, 0, 1, command_stacks },
	{ "unpack", "STACK DIR", "Write a stack's files into a new directory",
	  NULL, 2, 2, command_unpack },
	{ "stack new", "MY-STACK", "Write a small stack of your own, to begin with",
	  NULL, 1, 1, command_stack_new },
	{ "stack lint", "[STACK]", "Judge a definition: is it as good as it has to be",
	  command_stack_lint_options, 0, 1, command_stack_lint },
	{ "stack lock", "[STACK]", "Write the digest of each image behind its tag",
	  command_stack_lock_options, 0, 1, command_stack_lock },
	{ "keys set", "NAME", "Keep a secret; asks for it, or reads it with --stdin",
	  command_keys_set_options, 1, 1, command_keys_set },
	{ "keys get", "NAME", "Print a secret, to a pipe",
	  command_keys_get_options, 1, 1, command_keys_get },
	{ "keys list", "", "List the names of the secrets",
	  command_keys_list_options, 0, 0, command_keys_list },
	{ "keys remove", "NAME", "Forget a secret",
	  NULL, 1, 1, command_keys_remove },
	{ "keys profiles", "", "List the profiles; rename one, or remove it with its keys",
	  command_keys_profiles_options, 0, 0, command_keys_profiles },
	{ "keys import", "FILE", "Take secrets over from a .env file or an exported one",
	  command_keys_import_options, 1, 1, command_keys_import },
	{ "keys export", "FILE", "Write secrets into one encrypted file",
	  command_keys_export_options, 1, 1, command_keys_export },
	{ "keys sync", "[STACK]", "Hand keys over to containers again",
	  command_keys_sync_options, 0, 1, command_keys_sync },
	{ "keys verify", "[NAME...]", "Ask the providers whether they take the keys",
	  command_keys_verify_options, 0, -1, command_keys_verify },
	{ "keys rotate", "NAME", "Put a new secret in the place of one, in two steps",
	  command_keys_rotate_options, 1, 1, command_keys_rotate },
	{ "keys audit", "", "Show what was done with keys, and whether that was changed",
	  command_keys_audit_options, 0, 0, command_keys_audit },
	{ "keys rekey", "", "Show or change what opens the encrypted file",
	  command_keys_rekey_options, 0, 0, command_keys_rekey },
	{ "keys recover", "", "Put back the version before, when the encrypted file is damaged",
	  NULL, 0, 0, command_keys_recover },
	{ "keys doctor", "", "Show how well keys are kept here, and what can be done",
	  NULL, 0, 0, command_keys_doctor },
	{ "keys exec", "-- COMMAND...", "Run a command with secrets in its environment",
	  command_keys_exec_options, 1, -1, command_keys_exec },
	{ "docker-credential", "[ACTION]", "Keep docker's registry passwords, by docker's own protocol",
	  NULL, 0, -1, command_docker_credential },
	{ "facts", "", "Dump what is known about this machine, as JSON",
	  command_facts_options, 0, 0, command_facts },
	{ "update", "", "Replace this program by its newest release",
	  command_update_options, 0, 0, command_update },
	{ "config", "", "Show every setting and where its value comes from",
	  NULL, 0, 0, command_config },
	{ "completion", "SHELL [WORD...]", "Print the completion script for bash, zsh or fish",
	  NULL, 0, -1, command_completion, .is_bare = true },
	{ "help", "[COMMAND...]", "Show the commands, or the options of one",
	  command_help_options, 0, 2, command_help, .is_bare = true },
	{ "version", "", "Show the version",
	  NULL, 0, 0, command_version, .is_bare = true },
};
/* clang-format on */
const gsize command_count = G_N_ELEMENTS(command_table);

static const Command *find_named(const char *name)
{
	for (gsize i = 0; i < command_count; i++)
		if (g_str_equal(command_table[i].name, name))
			return &command_table[i];

	return NULL;
}

/* "check explain" is not "check" with an argument. */
const Command *command_find(const char *first, const char *second)
{
	g_autofree char *both = second ? g_strdup_printf("%s %s", first, second) : NULL;
	const Command *command = both ? find_named(both) : NULL;

	return command ? command : find_named(first);
}

char *command_hint(const char *first, const char *second)
{
	g_autofree char *both = second ? g_strdup_printf("%s %s", first, second) : g_strdup("");
	Nearest alone = { .word = first };
	Nearest halves = { .word = both };

	for (gsize i = 0; i < command_count; i++) {
		nearest_try(&alone, command_table[i].name);
		if (strchr(command_table[i].name, ' '))
			nearest_try(&halves, command_table[i].name);
	}

	return nearest_hint(halves.best ? &halves : &alone);
}
