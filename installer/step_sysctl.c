/* installer/step_sysctl.c - step kind "sysctl": a setting of the kernel, now and after a restart
 *
 * A file of our own in /etc/sysctl.d says it for good; other files are not touched.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "installer/as_root.h"
#include "installer/machine_setting.h"
#include "installer/recipe.h"
#include "installer/undo_parts.h"

#define TEXT_MAX_BYTES ((gsize)4096)
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789_"

static const char *const keys[] = { NULL };

/** What the step is to do; (transfer none). */
typedef struct {
	const char *path, *setting, *value, *text;
	bool is_minimum; /* more will do, too */
} Wanted;

bool sysctl_check_names(const char *path, const char *setting, GError **error)
{
	const char *name = path + strlen(SYSCTL_PREFIX);

	if (!g_str_has_prefix(path, SYSCTL_PREFIX) || !g_str_has_suffix(path, ".conf") ||
	    strspn(name, NAME_CHARACTERS "-.") != strlen(name))
		return undo_refuse(error, path, "which is no file of slipway's settings");
	if (strspn(setting, NAME_CHARACTERS ".") != strlen(setting) || strstr(setting, ".."))
		return undo_refuse(error, setting, "which is no setting of the kernel");
	return true;
}

static bool read_wanted(const StepRun *run, Wanted *wanted, GError **error)
{
	*wanted = (Wanted){ .path = recipe_input(run, "path", error) };
	if (!wanted->path || !(wanted->setting = recipe_input(run, "setting", error)) ||
	    !(wanted->value = recipe_input(run, "value", error)) ||
	    !(wanted->text = recipe_input(run, "text", error)))
		return false;
	wanted->is_minimum = json_flag(run->step->inputs, "is_minimum");
	return sysctl_check_names(wanted->path, wanted->setting, error);
}

/* Returns: (transfer full) (nullable) */
static char *read_text(const char *path)
{
	g_autoptr(GBytes) bytes = file_read(path, TEXT_MAX_BYTES, NULL);

	return bytes ? recipe_text(bytes) : NULL;
}

char *sysctl_place(const char *setting)
{
	g_autofree char *name = g_strdelimit(g_strdup(setting), ".", '/');

	return g_strconcat("/proc/sys/", name, NULL);
}

char *sysctl_current(const char *setting)
{
	g_autofree char *place = sysctl_place(setting);
	char *text = read_text(place);

	return text ? g_strstrip(text) : NULL;
}

/* Root's program that was cut off leaves the beginning of what we wrote. */
static bool is_our_text(const char *found, const char *text)
{
	return found && g_str_has_prefix(text, found);
}

static bool is_enough(const Wanted *wanted)
{
	g_autofree char *current = sysctl_current(wanted->setting);

	if (!current)
		return false;
	if (wanted->is_minimum)
		return g_ascii_strtoull(current, NULL, 10) >=
		       g_ascii_strtoull(wanted->value, NULL, 10);
	return g_str_equal(current, wanted->value);
}

static bool probe_sysctl(const StepRun *run, Probe *probe, GError **error)
{
	Wanted wanted;

	if (!read_wanted(run, &wanted, error))
		return false;

	g_autofree char *text = read_text(wanted.path);
	if (!file_exists(wanted.path))
		*probe = PROBE_ABSENT;
	else if (!is_our_text(text, wanted.text))
		*probe = run->receipt ? PROBE_EDITED : PROBE_FOREIGN;
	else
		*probe = g_str_equal(text, wanted.text) && is_enough(&wanted) ? PROBE_OURS
		                                                              : PROBE_PARTIAL;
	return true;
}

static json_t *prepare_sysctl(const StepRun *run, GError **error)
{
	Wanted wanted;

	if (!read_wanted(run, &wanted, error))
		return NULL;

	g_autofree char *before = sysctl_current(wanted.setting);
	json_t *recipe = json_array();
	recipe_add(recipe, "sysctl_restore", "path", wanted.path, "setting", wanted.setting,
	           "value", wanted.value, "text", wanted.text, NULL);
	json_put(json_array_get(recipe, 0), "before", before);
	json_object_set(json_array_get(recipe, 0), "as_root",
	                json_object_get(run->step->inputs, "as_root"));
	return recipe;
}

static bool set_setting(const char *setting, const char *value, GError **error)
{
	g_autofree char *place = sysctl_place(setting);

	return as_root_set(place, value, error);
}

/* The kernel first: a value that it refuses is not written down for good. */
static json_t *apply_sysctl(const StepRun *run, GError **error)
{
	Wanted wanted;

	if (!read_wanted(run, &wanted, error) ||
	    (!is_enough(&wanted) && !set_setting(wanted.setting, wanted.value, error)))
		return NULL;
	if (!is_enough(&wanted)) {
		fault_set(error, STATUS_CANNOT_CREATE, "In a container it is set outside.",
		          "the kernel did not take %s=%s", wanted.setting, wanted.value);
		return NULL;
	}
	g_autoptr(GBytes) bytes = g_bytes_new(wanted.text, strlen(wanted.text));
	if (!as_root_put(wanted.path, bytes, error))
		return NULL;
	return json_pack("{s:s, s:s}", "path", wanted.path, "setting", wanted.setting);
}

static bool remove_file(const Undo *undo, const char *path, const char *text, GError **error)
{
	g_autofree char *found = read_text(path);

	if (!file_exists(path))
		return true;
	if (is_our_text(found, text))
		return as_root_remove(path, error);
	undo_leave(undo, path, "changed since it was written");
	return true;
}

bool undo_sysctl_restore(const Undo *undo, const json_t *part, GError **error)
{
	const char *path = undo_need_path(part, "path", error);
	const char *setting = path ? json_need_text(part, "setting", error) : NULL;
	const char *value = setting ? json_need_text(part, "value", error) : NULL;
	const char *text = value ? json_need_text(part, "text", error) : NULL;
	const char *before = json_text(part, "before");

	if (!text || !sysctl_check_names(path, setting, error) ||
	    !remove_file(undo, path, text, error))
		return false;

	/* What somebody has set since stays. */
	g_autofree char *current = sysctl_current(setting);
	if (!before || g_strcmp0(current, value) != 0 || g_str_equal(before, value))
		return true;
	return set_setting(setting, before, error);
}

const StepKind step_kind_sysctl = {
	.name = "sysctl",
	.verb = "set",
	.keys = keys,
	.weight = 1,
	.keeps_foreign = true,
	.probe = probe_sysctl,
	.prepare = prepare_sysctl,
	.apply = apply_sysctl,
};
