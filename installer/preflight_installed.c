/* installer/preflight_installed.c - what is there already: tools, other stacks, files with secrets
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/file.h"
#include "installer/keys.h"
#include "installer/preflight_private.h"
#include "installer/receipt.h"

#define INI_MAX_BYTES ((gsize)256 * 1024)

static guint64 memory_of(const json_t *entry)
{
	g_autofree char *path =
		g_build_filename(json_text_or(entry, "stack_dir", "/"), "stack.ini", NULL);
	g_autoptr(GBytes) text = file_read(path, INI_MAX_BYTES, NULL);
	g_autoptr(Stack) stack = text != NULL ? stack_parse(text, path, NULL) : NULL;
	StackNeeds needs = { 0 };

	if (stack == NULL)
		return 0;
	stack_needs(stack, json_text_or(entry, "profile", ""), &needs);
	return needs.memory_bytes;
}

static void add_other(Preflight *preflight, const char *name, const json_t *entry)
{
	char *before = preflight->others;

	preflight->needs.others_memory_bytes += memory_of(entry);
	preflight->others = before != NULL ? g_strconcat(before, ", ", name, NULL) : g_strdup(name);
	g_free(before);
}

static void add_env_files(Preflight *preflight, const json_t *entry)
{
	const json_t *steps = json_object_get(entry, "steps");
	gsize i = 0;
	json_t *step = NULL;

	json_array_foreach(steps, i, step)
	{
		const json_t *inputs = json_object_get(step, "inputs");
		const char *file = json_text(inputs, "env_file");
		const char *directory = json_text_or(inputs, "directory", "/");

		if (file != NULL && g_path_is_absolute(directory))
			g_ptr_array_add(preflight->secrets,
			                g_canonicalize_filename(file, directory));
	}
}

void preflight_take_tools(Preflight *preflight, const Stack *stack, const char *profile)
{
	for (guint i = 0; i < stack->tools->len; i++) {
		const StackTool *tool = g_ptr_array_index(stack->tools, i);
		const char *minimum = tool->minimum != NULL ? tool->minimum : "";

		if (!stack_in_profile(tool->profiles, profile))
			continue;
		if (g_str_equal(tool->name, "git"))
			preflight->needs.git = minimum;
		if (g_str_equal(tool->name, "python"))
			preflight->needs.python = minimum;
	}
}

/* A receipt that cannot be read is for "slipway doctor" to tell of. */
void preflight_take_installed(Preflight *preflight, const App *app, const Stack *stack)
{
	g_autoptr(json_t) receipt = receipt_load(app->paths->state, NULL);
	json_t *stacks = json_object_get(receipt, "stacks");
	const char *name = NULL;
	json_t *entry = NULL;

	g_ptr_array_add(preflight->secrets, keys_path(app));
	g_ptr_array_add(preflight->secrets,
	                g_build_filename(app->paths->state, "keystore.key", NULL));
	json_object_foreach(stacks, name, entry)
	{
		bool is_own = stack != NULL && g_str_equal(name, stack->name);

		add_env_files(preflight, entry);
		if (!is_own && !g_str_equal(name, RECEIPT_FIXES))
			add_other(preflight, name, entry);
	}
	g_ptr_array_add(preflight->secrets, NULL);
	preflight->needs.others = preflight->others;
}
