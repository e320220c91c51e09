/* installer/stack_new.c - a small stack to begin one's own with
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/stack_new.h"

#include <string.h>

#include "base/embed.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "payload/stacks.h"

#define EXAMPLE "my-stack"

EMBED_FILE(slipway_new_stack_ini, "payload/new-stack/stack.ini");
EMBED_FILE(slipway_new_compose, "payload/new-stack/compose.yaml");
EMBED_FILE(slipway_new_env, "payload/new-stack/env");
EMBED_FILE(slipway_new_page, "payload/new-stack/www/index.html");
EMBED_FILE(slipway_new_readme, "payload/new-stack/README.md");

static GBytes *read_ini(void)
{
	return EMBED_BYTES(slipway_new_stack_ini);
}

static GBytes *read_compose(void)
{
	return EMBED_BYTES(slipway_new_compose);
}

static GBytes *read_env(void)
{
	return EMBED_BYTES(slipway_new_env);
}

static GBytes *read_page(void)
{
	return EMBED_BYTES(slipway_new_page);
}

static GBytes *read_readme(void)
{
	return EMBED_BYTES(slipway_new_readme);
}

const NewStackFile new_stack_table[] = {
	{ "stack.ini", read_ini },       { "compose.yaml", read_compose }, { "env", read_env },
	{ "www/index.html", read_page }, { "README.md", read_readme },
};
const gsize new_stack_count = G_N_ELEMENTS(new_stack_table);

static bool write_file(const NewStackFile *file, const char *name, const char *directory,
                       GError **error)
{
	g_autofree char *path = g_build_filename(directory, file->path, NULL);
	g_autofree char *parent = g_path_get_dirname(path);
	g_autoptr(GBytes) bytes = file->read();
	gsize size_bytes = 0;
	const char *data = g_bytes_get_data(bytes, &size_bytes);
	g_autofree char *text = g_strndup(data, size_bytes);
	g_auto(GStrv) parts = g_strsplit(text, EXAMPLE, -1);
	g_autofree char *whole = g_strjoinv(name, parts);

	return file_make_dirs(parent, 0755, NULL, error) &&
	       file_write(path, whole, strlen(whole), 0644, error);
}

/* The name is that of a stack when the definition with it is one. */
static bool check_name(const char *name, GError **error)
{
	g_autofree char *text = g_strdup_printf("[stack]\nschema = 1\nname = %s\ntitle = t\n"
	                                        "version = 1\nsummary = s\nprefix = ~/.s\n",
	                                        name);
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	g_autoptr(Stack) stack =
		strpbrk(name, "\n\r") ? NULL : stack_parse(bytes, "stack.ini", NULL);

	if (stack && !g_strv_contains(stacks_embedded_names(), name))
		return true;
	if (stack)
		fault_set(error, STATUS_USAGE, NULL, "%s is an embedded stack already", name);
	else
		fault_set(error, STATUS_USAGE, NULL,
		          "\"%s\" is no name of a stack: 2 to 32 of a-z, 0-9 and -, a letter first",
		          name);
	return false;
}

bool stack_new(const char *name, const char *directory, GError **error)
{
	bool is_done = true;

	if (!check_name(name, error))
		return false;
	if (file_exists(directory)) {
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "%s is there already", directory);
		return false;
	}

	for (gsize i = 0; i < new_stack_count && is_done; i++)
		is_done = write_file(&new_stack_table[i], name, directory, error);
	if (!is_done && !tree_remove(directory, NULL))
		g_prefix_error(error, "%s is not whole: ", directory);
	return is_done;
}
