/* payload/stack_check_deploy.c - what has to hold in [deploy], and between it and the other sections
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "payload/stack_private.h"

const char *const stack_colours[STACK_COLOURS] = { "blue", "green" };

static bool fail(const Stack *stack, const char *key, GError **error, const char *why,
                 const char *what)
{
	const IniEntry *entry = ini_find(stack->ini, "deploy", key);

	return ini_fail(stack->ini, entry, error, "%s%s%s", what, *what ? " " : "", why);
}

static bool variables_are_good(const Stack *stack, const char *key, char **names, GError **error)
{
	for (char **name = names; *name; name++)
		if (!stack_variable_is_good(*name))
			return fail(stack, key, error, "is not the name of an environment variable",
			            *name);
	if (g_strv_length(names) == STACK_COLOURS && strcmp(names[0], names[1]) != 0)
		return true;

	return fail(stack, key, error, "two variables are needed, one for each colour", "");
}

static bool has_service(const Stack *stack, const char *name)
{
	for (guint i = 0; i < stack->services->len; i++)
		if (strcmp(((StackService *)stack->services->pdata[i])->name, name) == 0)
			return true;

	return false;
}

static bool colours_are_good(const Stack *stack, GError **error)
{
	for (guint i = 0; i < STACK_COLOURS; i++) {
		g_autofree char *name =
			g_strdup_printf("%s-%s", stack->deploy.service, stack_colours[i]);

		if (!has_service(stack, name))
			return fail(stack, "service", error, "has no section [service]", name);
	}

	return true;
}

static bool admin_is_good(const Stack *stack, GError **error)
{
	for (guint i = 0; i < stack->ports->len; i++)
		if (strcmp(((StackPort *)stack->ports->pdata[i])->name, stack->deploy.admin) == 0)
			return true;

	return fail(stack, "admin", error, "has no section [port]", stack->deploy.admin);
}

static bool command_is_good(const Stack *stack, const char *key, const char *command,
                            GError **error)
{
	g_autoptr(GError) cause = NULL;

	if (!command || g_shell_parse_argv(command, NULL, NULL, &cause))
		return true;

	return fail(stack, key, error, cause->message, "cannot be split into words:");
}

static bool path_is_good(const Stack *stack, const char *key, const char *path, GError **error)
{
	return *path == '/' ||
	       fail(stack, key, error, "is not a path of a URL; it starts with \"/\"", path);
}

/* Source: HAProxy's manual, 2.4 "Names"; anything else would end the command of its Runtime API. */
static bool backend_is_good(const Stack *stack, GError **error)
{
	const char *backend = stack->deploy.backend;

	return backend[strspn(backend, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.:-")] == '\0' ||
	       fail(stack, "backend", error,
	            "is not a name for HAProxy: A to Z, a to z, digits, and _ . : -", backend);
}

bool stack_check_deploy(const Stack *stack, GError **error)
{
	const StackDeploy *deploy = &stack->deploy;

	return !deploy->service || (variables_are_good(stack, "images", deploy->images, error) &&
	                            variables_are_good(stack, "ids", deploy->ids, error) &&
	                            colours_are_good(stack, error) && admin_is_good(stack, error) &&
	                            backend_is_good(stack, error) &&
	                            path_is_good(stack, "ready", deploy->ready, error) &&
	                            path_is_good(stack, "version", deploy->version, error) &&
	                            command_is_good(stack, "get", deploy->get, error) &&
	                            command_is_good(stack, "test", deploy->test, error));
}
