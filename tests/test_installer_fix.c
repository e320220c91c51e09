/* tests/test_installer_fix.c - what "check --fix" offers on machines that we do not have
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <unistd.h>

#include "base/tree.h"
#include "installer/desktop.h"
#include "installer/fix.h"
#include "installer/preflight.h"
#include "tests/checks_fixture.h"

/* The settings file of a machine of tests/data/facts lies here. */
static char *place;

typedef struct {
	const char *name;
	const char *machine;  /* in tests/data/facts */
	const char *settings; /* (nullable): text of Docker Desktop's settings file */
	const char *offered;  /* ids, and settings */
} Offer;

static const Offer offers[] = {
	{ "nothing-to-mend", "linux", NULL, "" },
	{ "kernel", "ubuntu-22.04", NULL, "map-count overcommit" },
	{ "container", "kubernetes-pod", NULL, "" },
	{ "too-small-for-more", "macos-small", "{\"SettingsVersion\": 45}", "" },
	{ "locked", "macos-desktop-locked", "{\"SettingsVersion\": 45}", "" },
	{ "other-monitor", "macos-desktop-vmm", "{\"SettingsVersion\": 45}",
	  "desktop-settings{\"SwapMiB\":1024}" },
	{ "older", "macos-intel-desktop-old", "{\"settingsVersion\": 17}",
	  "desktop-settings{\"Cpus\":4,\"MemoryMiB\":17920,\"SwapMiB\":1024,"
	  "\"UseVirtualizationFrameworkVirtioFS\":true}" },
	{ "more-memory", "macos-desktop-pending", "{\"SettingsVersion\": 45}",
	  "desktop-settings{\"MemoryMiB\":17920}" },
	{ "file-not-ours", "macos-desktop-vmm", NULL, "" },
	{ "on-the-other-side", "windows-containers", "{\"SettingsVersion\": 45}", "" },
};

static char *describe(const Plan *plan)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = g_ptr_array_index(plan->items, i);
		json_t *wanted = json_object_get(item->step->inputs, "wanted");
		g_autofree char *settings = wanted != NULL ? json_canonical(wanted) : g_strdup("");

		g_string_append_printf(text, "%s%s%s", i > 0 ? " " : "", item->step->id, settings);
	}
	return g_string_free(text, FALSE);
}

static void test_offer(gconstpointer data)
{
	const Offer *row = data;
	g_autoptr(StackBundle) bundle = stacks_open("octollm", NULL);
	const Stack *stack = stacks_definition(bundle);
	g_autoptr(Facts) facts = fixture_facts(row->machine);
	g_autofree char *file = g_build_filename(place, "settings-store.json", NULL);
	g_autoptr(Preflight) preflight =
		preflight_new_elsewhere(stack, stack_default_profile(stack), NULL, place);
	g_autoptr(GPtrArray) findings = check_run_all(facts, &preflight->needs, NULL);
	Paths paths = { .home = place, .state = place };
	g_autoptr(json_t) receipt = json_pack("{s:{}}", "stacks");

	g_free(facts->desktop.file);
	facts->desktop.file = row->settings != NULL ? g_strdup(file) : NULL;
	g_assert_true(row->settings == NULL || g_file_set_contents(file, row->settings, -1, NULL));

	g_autoptr(Plan) plan = fix_plan(&(FixRequest){ .facts = facts,
	                                               .needs = &preflight->needs,
	                                               .findings = findings,
	                                               .paths = &paths,
	                                               .receipt = receipt });
	g_autofree char *offered = describe(plan);
	g_assert_cmpstr(offered, ==, row->offered);
}

int main(int argc, char **argv)
{
	g_autofree char *made = g_dir_make_tmp("slipway-fix-XXXXXX", NULL);
	int status;

	g_test_init(&argc, &argv, NULL);
	place = made;
	for (gsize i = 0; i < G_N_ELEMENTS(offers); i++) {
		g_autofree char *path = g_strconcat("/fix/offer/", offers[i].name, NULL);

		g_test_add_data_func(path, &offers[i], test_offer);
	}
	status = g_test_run();
	g_assert_true(tree_remove(place, NULL));
	return status;
}
