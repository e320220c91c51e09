/* installer/stack_lint_files.c - a profile's files, where an installation would put them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "installer/stack_lint_private.h"
#include "installer/template.h"

/** What all files of one step share. */
typedef struct {
	const Lint *lint;
	const json_t *vars;
	LintFiles *files;
} Writing;

void lint_files_clear(LintFiles *files)
{
	g_free(files->directory);
	g_clear_pointer(&files->members, g_hash_table_unref);
	json_decref(files->inputs);
}

static json_t *make_vars(const Stack *stack, const char *directory)
{
	json_t *vars =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", stack->name, "prefix",
	                  directory, "bin", "/usr/local/bin", "stack", "/stack", "state", "/state",
	                  "slipway", "/usr/local/bin/slipway", "arch", "amd64");

	for (guint i = 0; i < stack->ports->len; i++) {
		const StackPort *port = stack->ports->pdata[i];
		g_autofree char *name =
			g_strdelimit(g_strconcat("port_", port->name, NULL), "-", '_');
		g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, port->number);

		json_put(vars, name, number);
	}
	return vars;
}

/* Returns: (transfer full) (nullable): the step's value of @key, names replaced. */
static char *value_of(const Writing *writing, const StackStep *step, const char *key)
{
	const char *value = g_hash_table_lookup(step->values, key);

	return value ? template_expand(value, writing->vars, NULL) : NULL;
}

static char *content_of(const Writing *writing, const StackStep *step, const char *member,
                        gsize *size_bytes, GError **error)
{
	g_autoptr(GBytes) bytes = stacks_read(writing->lint->bundle, member, error);
	bool is_template = g_strcmp0(g_hash_table_lookup(step->values, "template"), "yes") == 0;

	if (!bytes)
		return NULL;

	const char *data = g_bytes_get_data(bytes, size_bytes);
	g_autofree char *text = g_malloc0(*size_bytes + 1);
	if (*size_bytes > 0)
		memcpy(text, data, *size_bytes);
	if (!is_template)
		return g_steal_pointer(&text);

	char *expanded = template_expand(text, writing->vars, error);
	*size_bytes = expanded ? strlen(expanded) : 0;
	return expanded;
}

/* A step of kind file whose place is below the prefix; others have nothing to do with compose. */
static bool write_file(const Writing *writing, const StackStep *step, GError **error)
{
	g_autofree char *path = value_of(writing, step, "path");
	g_autofree char *member = value_of(writing, step, "from");
	g_autofree char *below = g_strconcat(writing->files->directory, "/", NULL);
	g_autofree char *canonical = path ? g_canonicalize_filename(path, "/") : NULL;
	gsize size_bytes = 0;

	if (!path || !member || !g_str_has_prefix(canonical, below))
		return true;

	g_autofree char *parent = g_path_get_dirname(canonical);
	g_autofree char *content = content_of(writing, step, member, &size_bytes, error);
	if (!content || !file_make_dirs(parent, 0700, NULL, error) ||
	    !file_write(canonical, content, size_bytes, 0600, error))
		return false;

	g_hash_table_insert(writing->files->members, g_steal_pointer(&canonical),
	                    g_steal_pointer(&member));
	return true;
}

static void fill_inputs(const Writing *writing, const StackStep *step)
{
	static const char *const keys[] = { "project", "directory", "files", "env_file" };
	json_t *inputs = writing->files->inputs;

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autofree char *value = value_of(writing, step, keys[i]);
		g_auto(GStrv) words = ini_list(value ? value : "");

		if (value && g_str_equal(keys[i], "files"))
			json_object_set_new(inputs, keys[i],
			                    json_from_strv((const char *const *)words));
		else
			json_put(inputs, keys[i], value);
	}
}

bool lint_files_write(const Lint *lint, const char *profile, const StackStep *step,
                      const char *directory, LintFiles *files, GError **error)
{
	g_autoptr(json_t) vars = make_vars(lint->stack, directory);
	const Writing writing = { lint, vars, files };

	*files = (LintFiles){ g_strdup(directory),
		              g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
		              json_object() };
	fill_inputs(&writing, step);
	for (guint i = 0; i < lint->stack->steps->len; i++) {
		const StackStep *one = lint->stack->steps->pdata[i];
		if (g_str_equal(one->kind, "file") && stack_in_profile(one->profiles, profile) &&
		    !write_file(&writing, one, error))
			return false;
	}
	return true;
}
