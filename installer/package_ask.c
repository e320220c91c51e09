/* installer/package_ask.c - ask a package manager, which changes nothing
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/package_ask.h"

#include "base/cancel.h"
#include "base/fault.h"
#include "installer/package_said.h"
#include "installer/privilege.h"

#define QUESTION_MS 60000
#define OUTPUT_MAX_BYTES ((gsize)8 * 1024 * 1024)

static bool needs_root_to_ask(const PackageManager *manager, const char *const *command)
{
	return manager->is_asked_as_root &&
	       (command == manager->simulate || command == manager->simulate_removal ||
	        command == manager->list_automatic);
}

static bool ask_once(const PackageManager *manager, const char *const *command,
                     const char *const *argv, ProcessResult *result, GError **error)
{
	const ProcessSpec spec = {
		.argv = argv,
		.env = manager->env,
		.timeout_ms = QUESTION_MS,
		.max_output_bytes = OUTPUT_MAX_BYTES,
	};

	process_result_clear(result);
	return needs_root_to_ask(manager, command) ? privilege_run(&spec, result, error)
	                                           : process_run(&spec, result, error);
}

/* The same, again and again as long as somebody holds a lock that answering takes. */
static bool ask_until_free(const PackageManager *manager, const char *const *command,
                           const char *const *argv, ProcessResult *result, GError **error)
{
	gint64 deadline_us = g_get_monotonic_time() + (gint64)QUESTION_MS * 1000;

	for (;;) {
		if (!ask_once(manager, command, argv, result, error))
			return false;
		if (package_said_verdict(manager, result) != PACKAGE_BUSY ||
		    g_get_monotonic_time() >= deadline_us)
			return true;
		if (!cancel_check(error))
			return false;
		g_usleep(G_USEC_PER_SEC / 2);
	}
}

char *packages_ask(const PackageManager *manager, const char *const *command,
                   const char *const *names, GError **error)
{
	g_auto(GStrv) argv = package_manager_argv(manager, command, names, error);
	g_auto(ProcessResult) result = { 0 };
	PackageVerdict verdict;

	if (!argv || !ask_until_free(manager, command, (const char *const *)argv, &result, error))
		return NULL;
	verdict = package_said_verdict(manager, &result);
	if (verdict != PACKAGE_DONE && verdict != PACKAGE_DECLINED && verdict != PACKAGE_WARNED) {
		package_said_fault(error, manager, *command, &result);
		return NULL;
	}
	if (result.was_cut) {
		fault_set(error, STATUS_DATA, NULL, "%s said more than expected", *command);
		return NULL;
	}
	return g_steal_pointer(&result.out);
}

static void read_names(const char *text, PackageSet *set)
{
	g_auto(GStrv) names = g_strsplit(text, "\n", -1);

	for (char **name = names; *name; name++)
		if (**name)
			g_hash_table_add(set->automatic, g_strdup(*name));
}

static bool read_automatic(const PackageManager *manager, PackageSet *set, GError **error)
{
	g_autofree char *text = NULL;

	if (manager->automatic && !g_file_get_contents(manager->automatic, &text, NULL, NULL))
		return true; /* no mark yet */
	if (!text && !manager->list_automatic)
		return true;
	if (!text)
		text = packages_ask(manager, manager->list_automatic, NULL, error);
	if (text && manager->dialect->parse_automatic)
		manager->dialect->parse_automatic(text, set);
	else if (text)
		read_names(text, set);
	return text != NULL;
}

PackageSet *packages_read_installed(const PackageManager *manager, GError **error)
{
	g_autoptr(PackageSet) set = package_set_new();
	g_autofree char *text = packages_ask(manager, manager->list, NULL, error);

	return text && manager->dialect->parse_list(text, set, error) ? g_steal_pointer(&set)
	                                                              : NULL;
}

PackageSet *packages_read(const PackageManager *manager, GError **error)
{
	g_autoptr(PackageSet) set = packages_read_installed(manager, error);

	return set && read_automatic(manager, set, error) ? g_steal_pointer(&set) : NULL;
}

/* Returns: (transfer full): what @command would do with @names. */
static PackageChanges *simulate(const PackageManager *manager, const char *const *command,
                                const char *const *names, GError **error)
{
	g_autofree char *text = packages_ask(manager, command, names, error);
	PackageChanges *changes = text ? manager->dialect->parse_changes(text) : NULL;

	if (text && !changes)
		fault_set(error, STATUS_UNAVAILABLE, NULL, "%s does not say what it would do",
		          *command);
	return changes;
}

PackageChanges *packages_simulate(const PackageManager *manager, const char *const *packages,
                                  GError **error)
{
	return simulate(manager, manager->simulate, packages, error);
}

PackageChanges *packages_simulate_removal(const PackageManager *manager, const char *const *names,
                                          GError **error)
{
	g_autofree char *text = NULL;

	if (!manager->dialect->parse_users)
		return simulate(manager, manager->simulate_removal, names, error);
	text = packages_ask(manager, manager->simulate_removal, NULL, error);
	return text ? manager->dialect->parse_users(text, names) : NULL;
}
