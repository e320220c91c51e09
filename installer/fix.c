/* installer/fix.c - what "slipway check --fix" can mend by itself
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/fix.h"

#include <string.h>

#include "base/file.h"
#include "installer/as_root.h"
#include "installer/fix_private.h"
#include "installer/machine_setting.h"
#include "installer/privilege.h"
#include "installer/receipt.h"

/** A setting of the kernel for a check.  The values are those that makers of programs ask for; each is
 *  beyond what the check does. */
typedef struct {
	const char *id, *check, *setting, *value;
	bool is_minimum; /* more will do, too */
} SysctlFix;

static const SysctlFix sysctl_table[] = {
	{ "map-count", "limit.map_count", "vm.max_map_count", "262144", true },
	{ "inotify-instances", "limit.inotify.instances", "fs.inotify.max_user_instances", "512",
	  true },
	{ "inotify-watches", "limit.inotify.watches", "fs.inotify.max_user_watches", "524288",
	  true },
	{ "backlog", "limit.backlog", "net.core.somaxconn", "4096", true },
	{ "overcommit", "mem.overcommit", "vm.overcommit_memory", "1", false },
	{ "ip-forward", "engine.forward", "net.ipv4.ip_forward", "1", false },
};

bool fix_is_unmet(const GPtrArray *findings, const char *id)
{
	for (guint i = 0; i < findings->len; i++) {
		const CheckFinding *finding = findings->pdata[i];

		if (g_str_equal(finding->check->id, id) &&
		    (finding->verdict == CHECK_FAIL || finding->verdict == CHECK_WARN))
			return true;
	}
	return false;
}

Step *fix_step_new(const StepKind *kind, const char *id, const char *checks, char *text,
                   json_t *inputs)
{
	g_auto(GStrv) words = g_strsplit(checks, " ", -1);
	Step *step = g_new0(Step, 1);

	step->id = g_strdup(id);
	step->kind = kind;
	step->text = text;
	step->why = g_strdup_printf("check %s", checks);
	step->inputs = inputs;
	step->weight = kind->weight;
	step->after = g_new0(char *, 1);
	step->sources = g_new0(char *, 1);
	step->commands = g_new0(char *, 1);
	json_object_set_new(inputs, "checks", json_from_strv((const char *const *)words));
	return step;
}

/* @first, @second: (transfer full). */
static void set_commands(Step *step, char *first, char *second)
{
	g_strfreev(step->commands);
	step->commands = g_new0(char *, 3);
	step->commands[0] = first;
	step->commands[1] = second;
}

static void add(Plan *plan, Step *step)
{
	PlanItem *item = g_new0(PlanItem, 1);

	item->step = step;
	item->record = receipt_step(plan->receipt, step->id);
	g_ptr_array_add(plan->items, item);
}

/* Settings of the kernel are not a container's to change. */
static bool has_own_kernel(const Facts *facts)
{
	const char *container = facts->system.container;

	return g_strcmp0(facts->system.name, "Linux") == 0 &&
	       (!container || g_str_equal(container, "chroot"));
}

static Step *sysctl_step(const SysctlFix *fix)
{
	g_autofree char *before = sysctl_current(fix->setting);
	g_autofree char *path = g_strdup_printf(SYSCTL_PREFIX "%s.conf", fix->id);
	g_autofree char *place = sysctl_place(fix->setting);
	g_autofree char *remove = as_root_remove_line(path);
	g_autofree char *text =
		g_strdup_printf("# Made by \"slipway check --fix\"; \"slipway check --fix --undo\" "
	                        "takes it away.\n%s = %s\n",
	                        fix->setting, fix->value);
	char *set = as_root_set_line(place);
	Step *step;

	step = fix_step_new(&step_kind_sysctl, fix->id, fix->check,
	                    g_strdup_printf("set %s from %s to %s, for good in %s", fix->setting,
	                                    before ? before : "?", fix->value, path),
	                    json_pack("{s:s, s:s, s:s, s:s, s:b, s:[s, s], s:[s, s]}", "path", path,
	                              "setting", fix->setting, "value", fix->value, "text", text,
	                              "is_minimum", fix->is_minimum, "root_input", fix->value, text,
	                              "as_root", remove, set));
	set_commands(step, set, as_root_put_line(path));
	return step;
}

/* Who may use the engine's socket can become root: only what the machine already calls by that name. */
static Step *group_step(const Facts *facts)
{
	const FactsEngine *engine = &facts->engine;
	const char *user = g_get_user_name();
	g_auto(GStrv) join = group_argv(user, "docker", true);
	g_auto(GStrv) leave = group_argv(user, "docker", false);
	g_autofree char *leave_line = NULL;
	Step *step;

	if (engine->state != ENGINE_DENIED || engine->is_group_listed == FACT_YES ||
	    facts->system.uid == 0 || !join || !leave ||
	    group_number("docker") != engine->socket_gid || engine->socket_gid == FACTS_UNKNOWN)
		return NULL;

	leave_line = privilege_text(NULL, (const char *const *)leave);
	step = fix_step_new(&step_kind_group, "docker-group", "engine.reachable",
	                    g_strdup_printf("make %s a member of the group docker, which lets %s "
	                                    "become root through the engine",
	                                    user, user),
	                    json_pack("{s:s, s:s, s:[s]}", "user", user, "group", "docker",
	                              "as_root", leave_line));
	set_commands(step, privilege_text(NULL, (const char *const *)join), NULL);
	return step;
}

static Step *plugin_step(const Facts *facts)
{
	const char *target = facts->client.compose_elsewhere;
	const char *set = g_getenv("DOCKER_CONFIG");
	g_autofree char *directory =
		set ? g_strdup(set) : g_build_filename(g_get_home_dir(), ".docker", NULL);
	g_autofree char *path = g_build_filename(directory, "cli-plugins", "docker-compose", NULL);

	if (!target || !g_path_is_absolute(path) || file_exists(path))
		return NULL;
	return fix_step_new(&step_kind_link, "compose-plugin", "compose.plugin",
	                    g_strdup_printf("link %s to %s", path, target),
	                    json_pack("{s:s, s:s}", "path", path, "target", target));
}

static Plan *plan_new(const FixRequest *request)
{
	Plan *plan = g_new0(Plan, 1);

	plan->stack = g_strdup(RECEIPT_FIXES);
	plan->title = g_strdup("slipway check --fix");
	plan->profile = g_strdup("");
	plan->prefix = g_strdup(request->paths->home);
	plan->stack_dir = g_build_filename(request->paths->state, "stacks", RECEIPT_FIXES, NULL);
	plan->identity = json_pack("{s:s, s:s, s:s}", "version", VERSION, "origin", plan->stack_dir,
	                           "digest", "");
	plan->tests = json_array();
	plan->receipt = json_incref(receipt_stack(request->receipt, RECEIPT_FIXES));
	plan->items = plan_items_new();
	return plan;
}

/* @step: (transfer full) (nullable). */
static void offer(Plan *plan, const FixRequest *request, Step *step)
{
	if (!step)
		return;
	if (request->is_user && *step->commands)
		step_free(step);
	else
		add(plan, step);
}

Plan *fix_plan(const FixRequest *request)
{
	const GPtrArray *findings = request->findings;
	const Facts *facts = request->facts;
	Plan *plan = plan_new(request);

	if (fix_is_unmet(findings, "compose.plugin"))
		offer(plan, request, plugin_step(facts));
	if (fix_is_unmet(findings, "engine.reachable"))
		offer(plan, request, group_step(facts));
	for (gsize i = 0; has_own_kernel(facts) && i < G_N_ELEMENTS(sysctl_table); i++)
		if (fix_is_unmet(findings, sysctl_table[i].check))
			offer(plan, request, sysctl_step(&sysctl_table[i]));
	offer(plan, request, fix_desktop(request));
	return plan;
}

/* What stands in the receipt has a definition, which other commands look for. */
bool fix_write_definition(const Plan *plan, GError **error)
{
	static const char text[] = "# What \"slipway check --fix\" made has no files of its own.\n";
	g_autofree char *path = g_build_filename(plan->stack_dir, "stack.ini", NULL);

	return file_make_dirs(plan->stack_dir, 0700, NULL, error) &&
	       file_write(path, text, strlen(text), 0600, error);
}

static bool is_mended(const Plan *plan, const char *check)
{
	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		g_auto(GStrv) checks = json_to_strv(json_object_get(item->step->inputs, "checks"));

		if (plan_item_is_due(item) && g_strv_contains((const char *const *)checks, check))
			return true;
	}
	return false;
}

GPtrArray *fix_left(const Plan *plan, const GPtrArray *findings)
{
	GPtrArray *left = g_ptr_array_new();

	for (guint i = 0; i < findings->len; i++) {
		CheckFinding *finding = findings->pdata[i];

		if ((finding->verdict == CHECK_FAIL || finding->verdict == CHECK_WARN) &&
		    !is_mended(plan, finding->check->id))
			g_ptr_array_add(left, finding);
	}
	return left;
}
