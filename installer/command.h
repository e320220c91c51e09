/* installer/command.h - the subcommands
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

#include "base/json.h"
#include "base/paths.h"
#include "base/term.h"
#include "installer/settings.h"

/** What one run of the program has; made in main() and passed along. */
typedef struct {
	Term *term;
	Paths *paths; /* (nullable): for a bare command only */
	Settings *settings;
	json_t *document; /* (nullable) (transfer full): what --json prints; main() adds how it ended */
	struct Timeline *timeline; /* (nullable): of a run that changes something */
	GPtrArray *left;           /* (nullable): what is not freed: the process is about to end */
	bool has_spoken; /* the command has a protocol of its own: main() prints nothing */
} App;

/** One subcommand.  Parsing, help, shell completion and the manual page are all made from
 *  command_table[]; nothing about a command is said a second time. */
typedef struct {
	const char *name;            /* "check"; "keys set" for a command of a group */
	const char *arguments;       /* as in the usage line, e.g. "STACK" */
	const char *summary;         /* one line, imperative, no full stop */
	const GOptionEntry *options; /* NULL if it has none; NULL-terminated; static storage */
	int min_arguments;
	int max_arguments; /* -1: any number */
	/** @argv: the arguments, options taken out, NULL-terminated; @argc of them. */
	bool (*run)(App *app, int argc, char **argv, GError **error);
	/** It runs with the defaults, and perhaps without paths, where the settings cannot be read. */
	bool is_bare;
} Command;

extern const Command command_table[];
extern const gsize command_count;

/** Returns: (transfer none) (nullable): the command "FIRST" or "FIRST SECOND". */
const Command *command_find(const char *first, const char *second);

/** @second: (nullable).  Returns: (transfer full): "; did you mean \"NAME\"?" where a command has a name
 *  like "FIRST SECOND" or FIRST, or "". */
char *command_hint(const char *first, const char *second);

/* Each in installer/command_NAME.c, with its options beside it. */
bool command_check(App *app, int argc, char **argv, GError **error);
bool command_check_explain(App *app, int argc, char **argv, GError **error);
bool command_facts(App *app, int argc, char **argv, GError **error);
bool command_stacks(App *app, int argc, char **argv, GError **error);
bool command_unpack(App *app, int argc, char **argv, GError **error);
bool command_stack_new(App *app, int argc, char **argv, GError **error);
bool command_stack_lint(App *app, int argc, char **argv, GError **error);
bool command_stack_lock(App *app, int argc, char **argv, GError **error);
bool command_keys_set(App *app, int argc, char **argv, GError **error);
bool command_keys_get(App *app, int argc, char **argv, GError **error);
bool command_keys_list(App *app, int argc, char **argv, GError **error);
bool command_keys_remove(App *app, int argc, char **argv, GError **error);
bool command_keys_profiles(App *app, int argc, char **argv, GError **error);
bool command_keys_import(App *app, int argc, char **argv, GError **error);
bool command_keys_export(App *app, int argc, char **argv, GError **error);
bool command_keys_sync(App *app, int argc, char **argv, GError **error);
bool command_keys_verify(App *app, int argc, char **argv, GError **error);
bool command_keys_rotate(App *app, int argc, char **argv, GError **error);
bool command_keys_audit(App *app, int argc, char **argv, GError **error);
bool command_keys_doctor(App *app, int argc, char **argv, GError **error);
bool command_keys_exec(App *app, int argc, char **argv, GError **error);
bool command_keys_rekey(App *app, int argc, char **argv, GError **error);
bool command_keys_recover(App *app, int argc, char **argv, GError **error);
bool command_docker_credential(App *app, int argc, char **argv, GError **error);
bool command_plan(App *app, int argc, char **argv, GError **error);
bool command_install(App *app, int argc, char **argv, GError **error);
bool command_resume(App *app, int argc, char **argv, GError **error);
bool command_rollback(App *app, int argc, char **argv, GError **error);
bool command_uninstall(App *app, int argc, char **argv, GError **error);
bool command_up(App *app, int argc, char **argv, GError **error);
bool command_down(App *app, int argc, char **argv, GError **error);
bool command_restart(App *app, int argc, char **argv, GError **error);
bool command_reset(App *app, int argc, char **argv, GError **error);
bool command_logs(App *app, int argc, char **argv, GError **error);
bool command_test(App *app, int argc, char **argv, GError **error);
bool command_exec(App *app, int argc, char **argv, GError **error);
bool command_open(App *app, int argc, char **argv, GError **error);
bool command_history(App *app, int argc, char **argv, GError **error);
bool command_doctor(App *app, int argc, char **argv, GError **error);
bool command_backup(App *app, int argc, char **argv, GError **error);
bool command_deploy(App *app, int argc, char **argv, GError **error);
bool command_restore(App *app, int argc, char **argv, GError **error);
bool command_status(App *app, int argc, char **argv, GError **error);
bool command_update(App *app, int argc, char **argv, GError **error);
bool command_config(App *app, int argc, char **argv, GError **error);
bool command_completion(App *app, int argc, char **argv, GError **error);
bool command_help(App *app, int argc, char **argv, GError **error);
bool command_version(App *app, int argc, char **argv, GError **error);
extern const GOptionEntry command_check_options[], command_facts_options[],
	command_stack_lint_options[], command_stack_lock_options[], command_keys_set_options[],
	command_keys_get_options[], command_keys_sync_options[], command_keys_list_options[],
	command_keys_profiles_options[], command_keys_import_options[],
	command_keys_export_options[], command_keys_verify_options[], command_keys_rotate_options[],
	command_keys_audit_options[], command_keys_exec_options[], command_keys_rekey_options[],
	command_logs_options[], command_status_options[], command_backup_options[],
	command_deploy_options[], command_plan_options[], command_install_options[],
	command_uninstall_options[], command_help_options[], command_update_options[];
