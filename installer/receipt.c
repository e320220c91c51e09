/* installer/receipt.c - generations of the receipt, swapped by one rename
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/receipt.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/tree.h"
#include "installer/undo.h"
#include "payload/stacks.h"

static bool refuse(GError **error, const char *path, const char *why)
{
	fault_set(
		error, STATUS_FOREIGN,
		"Nothing was changed. Use the slipway that wrote it, or restore it from a backup.",
		"the receipt %s %s", path, why);
	return false;
}

static bool step_is_sound(const json_t *step)
{
	const json_t *undo = json_object_get(step, "undo");
	gsize i = 0;
	json_t *primitive = NULL;

	if (!json_text(step, "id") || !json_text(step, "kind") || !json_is_array(undo))
		return false;

	json_array_foreach(undo, i, primitive) if (!undo_is_known(json_text_or(primitive, "do",
	                                                                       ""))) return false;

	return true;
}

static bool stack_is_sound(const json_t *stack)
{
	const json_t *steps = json_object_get(stack, "steps");
	gsize i = 0;
	json_t *step = NULL;

	if (!json_is_array(steps) || !json_text(stack, "prefix") || !json_text(stack, "stack_dir"))
		return false;

	json_array_foreach(steps, i, step) if (!step_is_sound(step)) return false;

	return true;
}

static bool check_receipt(const json_t *receipt, const char *path, GError **error)
{
	json_int_t schema = json_integer_value(json_object_get(receipt, "schema"));
	json_t *stacks = json_object_get(receipt, "stacks");
	const char *name = NULL;
	json_t *stack = NULL;

	if (schema > RECEIPT_SCHEMA)
		return refuse(error, path, "was written by a later version");
	if (schema < 1 || !json_is_object(stacks))
		return refuse(error, path, "is not one of ours");

	json_object_foreach(stacks, name, stack) if (!stack_is_sound(stack)) return refuse(
		error, path, "is damaged or was edited");

	return true;
}

json_t *receipt_load(const char *state_dir, GError **error)
{
	g_autofree char *current = g_build_filename(state_dir, "current", NULL);
	g_autofree char *path = g_build_filename(current, "receipt.json", NULL);
	g_autoptr(GError) cause = NULL;

	if (!file_exists(current))
		return json_pack("{s:i, s:i, s:{}}", "schema", RECEIPT_SCHEMA, "generation", 0,
		                 "stacks");

	g_autoptr(json_t) receipt = json_read(path, RECEIPT_MAX_BYTES, &cause);
	if (!receipt) {
		if (fault_status(cause) == STATUS_DENIED)
			g_propagate_error(error, g_steal_pointer(&cause));
		else
			refuse(error, path, cause->message);
		return NULL;
	}

	return check_receipt(receipt, path, error) ? g_steal_pointer(&receipt) : NULL;
}

json_t *receipt_stack(const json_t *receipt, const char *name)
{
	return json_object_get(json_object_get(receipt, "stacks"), name);
}

char *receipt_nearest_stack(const json_t *receipt, const char *name)
{
	Nearest nearest = { .word = name };
	const char *installed = NULL;
	json_t *entry = NULL;

	json_object_foreach(json_object_get(receipt, "stacks"), installed, entry)
	{
		if (!g_str_equal(installed, RECEIPT_FIXES))
			nearest_try(&nearest, installed);
	}
	for (const char *const *stack = stacks_embedded_names(); *stack; stack++)
		if (!g_str_equal(*stack, name))
			nearest_try(&nearest, *stack);

	return nearest_hint(&nearest);
}

bool receipt_fail_absent(const json_t *receipt, const char *name, GError **error)
{
	bool is_embedded = g_strv_contains(stacks_embedded_names(), name);
	g_autofree char *nearest = receipt_nearest_stack(receipt, name);
	g_autofree char *hint =
		is_embedded ? g_strdup_printf("Install it with \"slipway install %s\".", name)
			    : g_strdup("See \"slipway status\".");

	fault_set(error, STATUS_USAGE, hint, "%s is not installed%s", name, nearest);
	return false;
}

json_t *receipt_other_stack(const json_t *receipt, const char *name)
{
	json_t *stacks = json_object_get(receipt, "stacks");
	const char *other = NULL;
	json_t *entry = NULL;

	json_object_foreach(stacks, other, entry)
	{
		if (!g_str_equal(other, RECEIPT_FIXES) && !g_str_equal(other, name))
			return entry;
	}
	return NULL;
}

json_t *receipt_step(const json_t *stack, const char *id)
{
	const json_t *steps = json_object_get(stack, "steps");
	gsize i = 0;
	json_t *step = NULL;

	json_array_foreach(steps, i,
	                   step) if (g_strcmp0(json_text(step, "id"), id) == 0) return step;

	return NULL;
}

json_t *receipt_step_before(const json_t *stack, const char *id, const json_t *inputs)
{
	json_t *own = receipt_step(stack, id);
	const char *replaced = json_text(inputs, "replaces");

	return own || !replaced ? own : receipt_step(stack, replaced);
}

static char *generation_dir(const char *state_dir, json_int_t generation)
{
	return g_strdup_printf("%s/gen/%" JSON_INTEGER_FORMAT, state_dir, generation);
}

bool receipt_write(const char *state_dir, json_t *receipt, GError **error)
{
	json_int_t generation = json_integer_value(json_object_get(receipt, "generation")) + 1;
	g_autofree char *directory = generation_dir(state_dir, generation);
	g_autofree char *path = g_build_filename(directory, "receipt.json", NULL);

	json_object_set_new(receipt, "generation", json_integer(generation));

	g_autofree char *text = json_pretty(receipt);
	/* A run that was killed may have left one of that number, which never became the current one. */
	return tree_remove(directory, error) && file_make_dirs(directory, 0700, NULL, error) &&
	       file_write(path, text, strlen(text), 0600, error);
}

/* Nothing is installed, and no later version has put anything beside that. */
static bool is_bare(const json_t *receipt)
{
	return json_object_size(receipt) == 3 &&
	       json_object_size(json_object_get(receipt, "stacks")) == 0;
}

void receipt_sweep(const char *state_dir, const json_t *receipt)
{
	g_autofree char *keep =
		g_strdup_printf("%" JSON_INTEGER_FORMAT,
	                        json_integer_value(json_object_get(receipt, "generation")));
	g_autofree char *current = g_build_filename(state_dir, "current", NULL);
	g_autofree char *path = g_build_filename(state_dir, "gen", NULL);
	g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
	const char *name = NULL;

	if (is_bare(receipt) && file_remove(current, NULL))
		keep[0] = '\0';
	while (directory && (name = g_dir_read_name(directory))) {
		g_autofree char *child = g_build_filename(path, name, NULL);
		if (!g_str_equal(name, keep) && !tree_remove(child, NULL))
			continue;
	}
	(void)rmdir(path); /* it stays while something is in it */
}

bool receipt_switch(const char *state_dir, json_int_t generation, GError **error)
{
	g_autofree char *number = g_strdup_printf("%" JSON_INTEGER_FORMAT, generation);
	g_autofree char *target = g_build_filename("gen", number, NULL);
	g_autofree char *link = g_build_filename(state_dir, "current", NULL);
	g_autofree char *temporary = g_strconcat(link, ".new", NULL);

	if (!file_remove(temporary, error))
		return false;
	if (symlink(target, temporary) != 0) {
		fault_set_errno(error, errno, "cannot make the link %s", temporary);
		return false;
	}
	return file_rename(temporary, link, error);
}
