/* installer/step_unit.c - step kind "unit": a command of ours that runs when the machine starts
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/step_unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "installer/recipe.h"
#include "installer/service_private.h"
#include "installer/step_file.h"

/* sd_booted(3) looks for this directory. */
#define BOOTED "/run/systemd/system"
#define WANTS "default.target.wants"

static const char *const keys[] = { "!name", "!run", NULL };

void step_unit_place(json_t *inputs, const char *key_profile)
{
	bool is_root = geteuid() == 0;
	g_autofree char *directory =
		is_root ? g_strdup("/etc/systemd/system")
			: g_build_filename(g_get_user_config_dir(), "systemd", "user", NULL);
	g_autofree char *file = g_strconcat(json_text_or(inputs, "name", ""), ".service", NULL);
	g_autofree char *path = g_build_filename(directory, file, NULL);

	json_put(inputs, "path", path);
	json_put(inputs, "key_profile", key_profile);
	json_put(inputs, "systemd", g_file_test(BOOTED, G_FILE_TEST_IS_DIR) ? "yes" : "no");
}

static bool has_systemd(const StepRun *run)
{
	return g_str_equal(json_text_or(run->step->inputs, "systemd", "no"), "yes");
}

static bool check_name(const StepRun *run, GError **error)
{
	const char *name = recipe_input(run, "name", error);

	if (!name || name[strspn(name, G_CSET_a_2_z G_CSET_DIGITS "-_")] == '\0')
		return name != NULL;

	fault_set(error, STATUS_CONFIG, NULL, "step %s: \"%s\" is no name for a unit",
	          run->step->id, name);
	return false;
}

/* Which keys these are, where the settings of this run say so. */
static char *options_of(const StepRun *run)
{
	const char *profile = json_text(run->step->inputs, "key_profile");
	const char *store = run->host ? run->host->keystore_path : NULL;
	g_autofree char *keystore = store ? service_systemd_quote(store, "$$") : NULL;
	g_autofree char *name = profile ? service_systemd_quote(profile, "$$") : NULL;

	return g_strconcat(keystore ? " --keystore " : "", keystore ? keystore : "",
	                   name ? " --key-profile " : "", name, NULL);
}

/* In front of the engine, whose containers look for their keys when they start again. */
static GBytes *render_unit(const StepRun *run, GError **error)
{
	const json_t *vars = json_object_get(run->step->inputs, "vars");
	const char *words = recipe_input(run, "run", error);

	if (!words || !check_name(run, error))
		return NULL;

	g_autofree char *home = g_path_get_dirname(json_text_or(vars, "state", "/"));
	g_autofree char *assignment = g_strconcat("XDG_STATE_HOME=", home, NULL);
	g_autofree char *environment = service_systemd_quote(assignment, "$");
	g_autofree char *program =
		service_systemd_quote(json_text_or(vars, "slipway", "slipway"), "$$");
	g_autofree char *options = options_of(run);
	char *text = g_strdup_printf("# Written by slipway for %s.\n"
	                             "[Unit]\n"
	                             "Description=slipway %s\n"
	                             "Before=docker.service\n"
	                             "\n"
	                             "[Service]\n"
	                             "Type=oneshot\n"
	                             "RemainAfterExit=yes\n"
	                             "TimeoutStartSec=15min\n"
	                             "Environment=%s\n"
	                             "ExecStart=%s %s%s\n"
	                             "\n"
	                             "[Install]\n"
	                             "WantedBy=default.target\n",
	                             json_text_or(vars, "name", "a stack"), words, environment,
	                             program, words, options);
	return g_bytes_new_take(text, strlen(text));
}

/* What "systemctl enable" makes. */
static void link_of(const StepRun *run, char **link, char **target)
{
	const char *path = json_text_or(run->step->inputs, "path", "/");
	g_autofree char *directory = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);

	*link = g_build_filename(directory, WANTS, name, NULL);
	*target = g_build_filename("..", name, NULL);
}

/* A file that is right and a link that is gone: somebody has disabled it, which is an edit. */
static bool probe_unit(const StepRun *run, Probe *probe, GError **error)
{
	if (has_systemd(run))
		return step_file_probe(run, probe, error);

	*probe = recipe_is_recorded(run) ? PROBE_OURS : PROBE_ABSENT;
	return true;
}

static json_t *prepare_unit(const StepRun *run, GError **error)
{
	g_autofree char *link = NULL;
	g_autofree char *target = NULL;

	if (!has_systemd(run))
		return json_array();

	json_t *recipe = step_file_prepare(run, error);
	if (!recipe)
		return NULL;

	link_of(run, &link, &target);
	g_autofree char *directory = g_path_get_dirname(link);
	recipe_add_missing_dirs(recipe, directory);
	recipe_add(recipe, "unlink_link", "path", link, "target", target, NULL);
	return recipe;
}

static bool make_link(const StepRun *run, GError **error)
{
	g_autofree char *link = NULL;
	g_autofree char *target = NULL;

	link_of(run, &link, &target);
	g_autofree char *directory = g_path_get_dirname(link);
	if (!file_make_dirs(directory, 0755, NULL, error))
		return false;
	if (file_exists(link) || symlink(target, link) == 0)
		return file_sync_dir(directory, error);

	fault_set_errno(error, errno, "cannot make the link %s", link);
	return false;
}

/* A user's own units wait for the first login, unless that user "lingers". */
static bool needs_login(void)
{
	g_autofree char *path =
		g_build_filename("/var/lib/systemd/linger", g_get_user_name(), NULL);

	return geteuid() != 0 && !file_exists(path);
}

static json_t *apply_unit(const StepRun *run, GError **error)
{
	if (!has_systemd(run)) {
		g_autofree char *note = g_strdup_printf("systemd does not run here: after each "
		                                        "restart of the machine, run slipway %s",
		                                        json_text_or(run->step->inputs, "run", ""));
		return json_pack("{s:s}", "note", note);
	}

	json_t *result = step_file_apply(run, error);
	if (result && !make_link(run, error))
		g_clear_pointer(&result, json_decref);
	if (result && needs_login())
		json_put(result, "note",
		         "the keys of the containers are handed over again when you log in; "
		         "\"loginctl enable-linger\" has it done when the machine starts");
	return result;
}

const StepKind step_kind_unit = {
	.name = "unit",
	.verb = "run at each start of the machine:",
	.keys = keys,
	.weight = 1,
	.render = render_unit,
	.probe = probe_unit,
	.prepare = prepare_unit,
	.apply = apply_unit,
};
