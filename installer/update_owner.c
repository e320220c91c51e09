/* installer/update_owner.c - whether a package manager looks after this program
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/process.h"
#include "installer/update.h"

#define MARKER_MAX_BYTES 1024
#define ASK_TIMEOUT_MS 10000

/* Asked with the path of the program behind these words; they answer 0 if a package owns it. */
static const struct {
	const char *words[4];
	const char *command; /* what updates it then */
} owner_table[] = {
	{ { "dpkg-query", "--search" }, "apt-get install --only-upgrade slipway" },
	{ { "rpm", "--query", "--file" }, "dnf upgrade slipway" },
	{ { "pacman", "--query", "--owns" }, "pacman -Syu slipway" },
	{ { "apk", "info", "--who-owns" }, "apk upgrade slipway" },
};

static bool refuse(const char *program, const char *command, GError **error)
{
	g_autofree char *hint = g_strdup_printf("Run \"%s\".", command);

	fault_set(error, STATUS_DENIED, hint, "%s belongs to a package, which updates it", program);
	return false;
}

/* Returns: (transfer full) (nullable): the first line of what a package left for us. */
static char *read_marker(const char *program)
{
	g_autofree char *bin = g_path_get_dirname(program);
	g_autofree char *path = g_build_filename(bin, "..", "lib", "slipway", "installed-by", NULL);
	g_autoptr(GBytes) text = file_read(path, MARKER_MAX_BYTES, NULL);
	g_autofree char *line = NULL;

	if (!file_exists(path))
		return NULL;
	line = text && g_bytes_get_size(text) > 0
	               ? g_strndup(g_bytes_get_data(text, NULL), g_bytes_get_size(text))
	               : g_strdup("");
	line[strcspn(line, "\n")] = '\0';
	return *line ? g_steal_pointer(&line) : g_strdup("your package manager");
}

static bool is_owned(const char *const *words, const char *program)
{
	g_autofree char *tool = process_find(words[0]);
	const char *argv[] = { tool, words[1], words[2] ? words[2] : program,
		               words[2] ? program : NULL, NULL };
	g_auto(ProcessResult) result = { 0 };
	ProcessSpec spec = { .argv = argv, .timeout_ms = ASK_TIMEOUT_MS };

	return tool && process_run(&spec, &result, NULL) && result.exit_code == 0 && *result.out;
}

bool update_check_owner(const char *program, GError **error)
{
	g_autofree char *command = read_marker(program);

	if (command)
		return refuse(program, command, error);
	if (strstr(program, "/Cellar/"))
		return refuse(program, "brew upgrade slipway", error);
	for (gsize i = 0; i < G_N_ELEMENTS(owner_table); i++)
		if (is_owned(owner_table[i].words, program))
			return refuse(program, owner_table[i].command, error);

	return true;
}
