/* installer/as_root.c - small changes that root alone can make
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/as_root.h"

#include <string.h>

#include "base/fault.h"
#include "installer/privilege.h"

/** A command, with room for the path at its end. */
typedef struct {
	const char *argv[7];
} RootCommand;

static RootCommand put_command(const char *path)
{
	return (RootCommand){ { "/usr/bin/install", "-D", "-m", "644", "/proc/self/fd/0", path,
		                NULL } };
}

static RootCommand set_command(const char *path)
{
	return (RootCommand){ { "/usr/bin/tee", path, NULL } };
}

static RootCommand remove_command(const char *path)
{
	return (RootCommand){ { "/bin/rm", "-f", path, NULL } };
}

bool as_root_run(const char *const *argv, GBytes *input, GError **error)
{
	g_auto(ProcessResult) result = { 0 };
	const ProcessSpec spec = { .argv = argv, .input = input, .flags = PROCESS_UNINTERRUPTED };

	if (!privilege_run(&spec, &result, error))
		return false;
	if (result.exit_code != 0)
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "%s failed: %s", argv[0],
		          g_strstrip(result.err));
	return result.exit_code == 0;
}

bool as_root_put(const char *path, GBytes *bytes, GError **error)
{
	RootCommand command = put_command(path);

	return as_root_run(command.argv, bytes, error);
}

bool as_root_set(const char *path, const char *text, GError **error)
{
	RootCommand command = set_command(path);
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	return as_root_run(command.argv, bytes, error);
}

bool as_root_remove(const char *path, GError **error)
{
	RootCommand command = remove_command(path);

	return as_root_run(command.argv, NULL, error);
}

char *as_root_put_line(const char *path)
{
	RootCommand command = put_command(path);

	return privilege_text(NULL, command.argv);
}

char *as_root_set_line(const char *path)
{
	RootCommand command = set_command(path);

	return privilege_text(NULL, command.argv);
}

char *as_root_remove_line(const char *path)
{
	RootCommand command = remove_command(path);

	return privilege_text(NULL, command.argv);
}
