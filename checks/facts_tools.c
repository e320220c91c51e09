/* checks/facts_tools.c - versions of tools that a stack names
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts_tools.h"

#include <string.h>

#include "checks/facts_client.h"

/* Versions of Python 3 that are looked for by name, the newest first. */
#define PYTHON_NEWEST 15
#define PYTHON_OLDEST 8

/* Returns: (transfer full) (nullable): the dotted number that @text begins with. */
static char *leading_number(const char *text)
{
	gsize length = strspn(text, "0123456789.");

	while (length > 0 && text[length - 1] == '.')
		length--;
	return length > 0 ? g_strndup(text, length) : NULL;
}

/* "/opt/homebrew/Cellar/git/2.45.1/bin/git".  Returns: (transfer full) (nullable) */
static char *cellar_version(const char *target)
{
	const char *at = target != NULL ? strstr(target, "/Cellar/") : NULL;
	const char *name = at != NULL ? at + strlen("/Cellar/") : NULL;
	const char *version = name != NULL ? strchr(name, '/') : NULL;

	return version != NULL ? leading_number(version + 1) : NULL;
}

/* A program of the system is of the system's package; one of /usr/local is not. */
static void read_git(const FactsSource *source, FactsTools *tools)
{
	static const char *const packages[] = { "git", NULL };
	g_autofree char *target = NULL;

	tools->git = source_program(source, "git");
	target = tools->git != NULL ? source_target(source, tools->git) : NULL;
	tools->git_version = cellar_version(target);
	if (tools->git_version == NULL && g_strcmp0(tools->git, "/usr/bin/git") == 0)
		tools->git_version = package_version(source, packages);
}

/* "python3" is a link to the one that the system calls so: its name says more. */
static void read_python(const FactsSource *source, FactsTools *tools)
{
	for (guint minor = PYTHON_NEWEST; minor >= PYTHON_OLDEST && tools->python == NULL;
	     minor--) {
		g_autofree char *name = g_strdup_printf("python3.%u", minor);

		tools->python = source_program(source, name);
		if (tools->python != NULL)
			tools->python_version = g_strdup_printf("3.%u", minor);
	}
	if (tools->python == NULL)
		tools->python = source_program(source, "python3");
}

void facts_read_tools(const FactsSource *source, FactsTools *tools)
{
	read_git(source, tools);
	read_python(source, tools);
}

/* "git version 2.39.5".  Returns: (transfer full) (nullable) */
static char *ask(const char *path)
{
	g_autofree char *answer = program_ask(path, "--version");

	return answer != NULL ? leading_number(answer + strcspn(answer, "0123456789")) : NULL;
}

/* On macOS /usr/bin/git opens a window where the developer tools are missing. */
void facts_ask_tools(Facts *facts)
{
	FactsTools *tools = &facts->tools;

	if (facts->system.has_developer_tools == FACT_NO)
		return;
	if (tools->git != NULL && tools->git_version == NULL)
		tools->git_version = ask(tools->git);
	if (tools->python != NULL && tools->python_version == NULL)
		tools->python_version = ask(tools->python);
}
