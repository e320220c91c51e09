/* installer/command_stacks.c - "slipway stacks" and "slipway unpack": what the program carries
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/command.h"
#include "installer/stack_json.h"
#include "payload/stacks.h"

#define COLUMNS 4

static void add_cells(GPtrArray *cells, const Stack *stack)
{
	g_ptr_array_add(cells, stack->name);
	g_ptr_array_add(cells, stack->title);
	g_ptr_array_add(cells, stack->version);
	g_ptr_array_add(cells, stack->summary);
}

static bool list_stacks(App *app, GError **error)
{
	static const char *const headings[COLUMNS] = { "NAME", "TITLE", "VERSION", "SUMMARY" };
	g_autoptr(GPtrArray) bundles =
		g_ptr_array_new_with_free_func((GDestroyNotify)stacks_bundle_free);
	g_autoptr(GPtrArray) cells = g_ptr_array_new();
	json_t *list = json_array();

	app->document = json_pack("{s:o}", "stacks", list);
	for (const char *const *name = stacks_embedded_names(); *name; name++) {
		StackBundle *bundle = stacks_open(*name, error);

		if (!bundle)
			return false;
		g_ptr_array_add(bundles, bundle);
		add_cells(cells, stacks_definition(bundle));
		json_array_append_new(list, stack_to_json(bundle));
	}

	term_table(app->term, headings, COLUMNS, cells);
	term_note(app->term,
	          "\"slipway stacks STACK\" shows one; \"slipway plan STACK\" what it would do.");
	return true;
}

bool command_stacks(App *app, int argc, char **argv, GError **error)
{
	if (argc == 0)
		return list_stacks(app, error);

	g_autoptr(StackBundle) bundle = stacks_open(argv[0], error);
	if (!bundle)
		return false;

	app->document = json_pack("{s:o}", "stack", stack_to_json(bundle));
	stack_show(app->term, bundle);
	return true;
}

bool command_unpack(App *app, G_GNUC_UNUSED int argc, char **argv, GError **error)
{
	g_autoptr(StackBundle) bundle = stacks_open(argv[0], error);
	g_autofree char *directory = NULL;
	const Stack *stack = NULL;

	if (!bundle)
		return false;

	directory = g_canonicalize_filename(argv[1], NULL);
	if (!stacks_unpack(bundle, directory, error))
		return false;

	stack = stacks_definition(bundle);
	app->document = json_pack("{s:s, s:s, s:s}", "stack", stack->name, "directory", directory,
	                          "digest", stacks_digest(bundle));
	term_print(app->term, "unpacked %s %s into %s\n", stack->name, stack->version, directory);
	term_note(
		app->term,
		"Nothing was installed.  \"slipway plan %s\" shows what an installation from there "
		"would do.",
		directory);
	return true;
}
