/* installer/step_group.c - step kind "group": a user is a member of it from the next login on
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "base/file.h"
#include "base/process.h"
#include "installer/as_root.h"
#include "installer/machine_setting.h"
#include "installer/recipe.h"
#include "installer/undo_parts.h"

#define GROUPS_MAX_BYTES ((gsize)1024 * 1024)

static const char *const keys[] = { NULL };

bool group_check_name(const char *group, GError **error)
{
	return g_str_equal(group, "docker") ||
	       undo_refuse(error, group, "a group that is not slipway's business");
}

char **group_argv(const char *user, const char *group, bool is_added)
{
	g_autofree char *usual = process_find(is_added ? "usermod" : "gpasswd");
	g_autofree char *small = process_find(is_added ? "addgroup" : "delgroup");
	const char *const add[] = { usual, "-aG", group, user, NULL };
	const char *const take[] = { usual, "-d", user, group, NULL };
	const char *const other[] = { small, user, group, NULL };

	if (usual)
		return g_strdupv((char **)(guintptr)(is_added ? add : take));
	return small ? g_strdupv((char **)(guintptr)other) : NULL;
}

/* Returns: (transfer full) (nullable): the four fields of the group's line. */
static char **find_line(const char *group)
{
	g_autoptr(GBytes) bytes = file_read("/etc/group", GROUPS_MAX_BYTES, NULL);
	g_autofree char *text = bytes ? recipe_text(bytes) : g_strdup("");
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) fields = g_strsplit(*line, ":", 4);

		if (g_strv_length(fields) == 4 && g_str_equal(fields[0], group))
			return g_steal_pointer(&fields);
	}
	return NULL;
}

bool group_has(const char *user, const char *group)
{
	g_auto(GStrv) line = find_line(group);
	g_auto(GStrv) members = line ? g_strsplit(line[3], ",", -1) : NULL;

	return members && g_strv_contains((const char *const *)members, user);
}

guint64 group_number(const char *group)
{
	g_auto(GStrv) line = find_line(group);
	guint64 number = G_MAXUINT64;

	if (line && g_ascii_string_to_unsigned(line[2], 10, 0, G_MAXUINT32, &number, NULL))
		return number;
	return G_MAXUINT64;
}

/* What the step is to do; (transfer none). */
typedef struct {
	const char *user, *group;
} Membership;

static bool read_membership(const StepRun *run, Membership *wanted, GError **error)
{
	wanted->user = recipe_input(run, "user", error);
	wanted->group = wanted->user ? recipe_input(run, "group", error) : NULL;
	return wanted->group && group_check_name(wanted->group, error);
}

static bool probe_group(const StepRun *run, Probe *probe, GError **error)
{
	Membership wanted;

	if (!read_membership(run, &wanted, error))
		return false;
	*probe = group_has(wanted.user, wanted.group) ? PROBE_OURS : PROBE_ABSENT;
	return true;
}

static json_t *prepare_group(const StepRun *run, GError **error)
{
	Membership wanted;

	if (!read_membership(run, &wanted, error))
		return NULL;

	json_t *recipe = json_array();
	recipe_add(recipe, "group_leave", "user", wanted.user, "group", wanted.group, NULL);
	json_object_set(json_array_get(recipe, 0), "as_root",
	                json_object_get(run->step->inputs, "as_root"));
	return recipe;
}

static json_t *apply_group(const StepRun *run, GError **error)
{
	Membership wanted;

	if (!read_membership(run, &wanted, error))
		return NULL;

	g_auto(GStrv) argv = group_argv(wanted.user, wanted.group, true);
	if (!argv) {
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "there is no usermod program");
		return NULL;
	}
	if (!as_root_run((const char *const *)argv, NULL, error))
		return NULL;
	if (!group_has(wanted.user, wanted.group)) {
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "%s is not in the group %s after all",
		          wanted.user, wanted.group);
		return NULL;
	}
	return json_pack("{s:s, s:s, s:s}", "user", wanted.user, "group", wanted.group, "note",
	                 "The group holds from your next login on.");
}

bool undo_group_leave(const Undo *undo G_GNUC_UNUSED, const json_t *part, GError **error)
{
	const char *user = json_need_text(part, "user", error);
	const char *group = user ? json_need_text(part, "group", error) : NULL;

	if (!group || !group_check_name(group, error))
		return false;
	if (!group_has(user, group))
		return true;

	g_auto(GStrv) argv = group_argv(user, group, false);
	if (argv)
		return as_root_run((const char *const *)argv, NULL, error);
	fault_set(error, STATUS_CANNOT_CREATE, NULL, "there is no gpasswd program");
	return false;
}

const StepKind step_kind_group = {
	.name = "group",
	.verb = "join",
	.keys = keys,
	.weight = 1,
	.probe = probe_group,
	.prepare = prepare_group,
	.apply = apply_group,
};
