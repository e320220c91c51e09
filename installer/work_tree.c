/* installer/work_tree.c - asks git whether a file is ignored or tracked
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/work_tree.h"

#include <string.h>

#include "base/file.h"
#include "base/process.h"

#define TIMEOUT_MS 5000

/* Returns: (transfer full) (nullable): the nearest directory above @path that has a .git. */
static char *find_top(const char *path)
{
	g_autofree char *directory = g_path_get_dirname(path);

	while (true) {
		g_autofree char *mark = g_build_filename(directory, ".git", NULL);

		if (file_exists(mark))
			return g_steal_pointer(&directory);
		if (strcmp(directory, "/") == 0)
			return NULL;
		char *above = g_path_get_dirname(directory);
		g_free(directory);
		directory = above;
	}
}

/* Returns: whether "git WORD FLAG -- PATH" says yes. */
static bool ask(const char *git, const char *top, const char *word, const char *flag,
                const char *path)
{
	const char *const argv[] = { git,  "-C", top,  "-c", "core.fsmonitor=false",
		                     word, flag, "--", path, NULL };
	ProcessSpec spec = { .argv = argv, .timeout_ms = TIMEOUT_MS };
	g_auto(ProcessResult) result = { 0 };

	return process_run(&spec, &result, NULL) && result.exit_code == 0;
}

WorkTree work_tree_of(const char *path)
{
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);
	g_autofree char *top = find_top(absolute);
	g_autofree char *git = top ? process_find("git") : NULL;

	if (!top)
		return WORK_TREE_NONE;
	if (git && ask(git, top, "ls-files", "--error-unmatch", absolute))
		return WORK_TREE_TRACKED;
	return git && ask(git, top, "check-ignore", "--quiet", absolute) ? WORK_TREE_IGNORED
	                                                                 : WORK_TREE_OPEN;
}
