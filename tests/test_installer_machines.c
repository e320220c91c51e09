/* tests/test_installer_machines.c - machines that we do not have, judged for every embedded stack
 *
 * Each file in tests/data/facts is a machine, or what it has otherwise than its "base".  Each line of
 * expected.txt there is what does not pass on it, for one stack.  A row of check_table[] that is new and
 * reads what no file says changes the lines of the bases alone: what is unknown on a base is not told
 * again of those that build on it.
 *
 * FACTS_ACCEPT=1 writes expected.txt anew: read the difference before you commit it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <unistd.h>

#include "base/tree.h"
#include "installer/preflight.h"
#include "tests/checks_fixture.h"

#define EXPECTED_MAX_BYTES ((gsize)256 * 1024)

/* So many are there at least. */
#define MACHINES_MIN 60

static GHashTable *expected; /* "NAME STACK" -> verdicts */
static GPtrArray *machines;  /* (element-type utf8): names of files */

/* Ids with that verdict, once each, after @word; nothing when there is none. */
static void add_ids(GString *line, const GPtrArray *findings, CheckVerdict verdict,
                    const char *const *known)
{
	const char *last = "";
	bool is_first = true;

	for (guint i = 0; i < findings->len; i++) {
		const CheckFinding *finding = g_ptr_array_index(findings, i);

		if (finding->verdict != verdict || strcmp(finding->id, last) == 0 ||
		    (known != NULL && g_strv_contains(known, finding->id)))
			continue;
		if (is_first)
			g_string_append_printf(line, "%s%s", line->len > 0 ? "; " : "",
			                       check_verdict_name(verdict));
		g_string_append_printf(line, " %s", finding->id);
		last = finding->id;
		is_first = false;
	}
}

static GPtrArray *judge(const Facts *facts, const Stack *stack)
{
	const char *home = facts->system.home != NULL ? facts->system.home : "/root";
	g_autoptr(Preflight) preflight =
		preflight_new_elsewhere(stack, stack_default_profile(stack), NULL, home);

	return check_run_all(facts, &preflight->needs, NULL);
}

/* Returns: (transfer full): ids that are unknown on the machine at the bottom of @name. */
static char **unknown_on_base(const char *name, const Stack *stack)
{
	g_autofree char *base = g_strdup(name);
	g_autoptr(Facts) facts = NULL;
	g_autoptr(GPtrArray) findings = NULL;
	GPtrArray *ids = g_ptr_array_new();

	for (;;) {
		g_autofree char *path = g_strconcat(base, ".json", NULL);
		g_autofree char *file = fixture_path(path);
		g_autoptr(json_t) object = json_read(file, 1024 * 1024, NULL);
		const char *below = json_string_value(json_object_get(object, "base"));

		if (below == NULL)
			break;
		g_free(base);
		base = g_strdup(below);
	}
	if (strcmp(base, name) != 0) {
		facts = fixture_facts(base);
		findings = judge(facts, stack);
	}
	for (guint i = 0; findings != NULL && i < findings->len; i++) {
		const CheckFinding *finding = g_ptr_array_index(findings, i);

		if (finding->verdict == CHECK_UNKNOWN)
			g_ptr_array_add(ids, g_strdup(finding->id));
	}
	g_ptr_array_add(ids, NULL);
	return (char **)g_ptr_array_free(ids, FALSE);
}

static char *describe(const char *name, const Facts *facts, const Stack *stack)
{
	g_auto(GStrv) known = unknown_on_base(name, stack);
	g_autoptr(GPtrArray) findings = judge(facts, stack);
	GString *line = g_string_new(NULL);

	add_ids(line, findings, CHECK_FAIL, NULL);
	add_ids(line, findings, CHECK_WARN, NULL);
	add_ids(line, findings, CHECK_UNKNOWN, (const char *const *)known);
	if (line->len == 0)
		g_string_append(line, "pass");
	return g_string_free(line, FALSE);
}

static bool is_accepting(void)
{
	return g_strcmp0(g_getenv("FACTS_ACCEPT"), "1") == 0;
}

static void compare(const char *name, const char *stack, const char *verdicts)
{
	g_autofree char *key = g_strdup_printf("%s %s", name, stack);
	const char *wanted = g_hash_table_lookup(expected, key);

	if (is_accepting()) {
		g_hash_table_insert(expected, g_strdup(key), g_strdup(verdicts));
	} else if (g_strcmp0(verdicts, wanted) != 0) {
		g_test_message("%s: %s", key, verdicts);
		g_test_message("expected: %s", wanted != NULL ? wanted : "nothing");
		g_test_fail();
	}
}

static void judge_for_all(const char *name, const char *base, const Facts *facts)
{
	for (const char *const *stack = stacks_embedded_names(); *stack != NULL; stack++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(StackBundle) bundle = stacks_open(*stack, &error);
		g_autofree char *verdicts = NULL;

		g_assert_no_error(error);
		verdicts = describe(base, facts, stacks_definition(bundle));
		compare(name, *stack, verdicts);
	}
}

static void test_machine(gconstpointer data)
{
	g_autoptr(Facts) facts = fixture_facts(data);

	judge_for_all(data, data, facts);
}

/** What stands where Docker Desktop keeps its settings. */
typedef struct {
	const char *name;
	const char
		*store; /* (nullable): text of settings-store.json; "/": a directory; "@": a loop */
	const char *legacy; /* (nullable): text of settings.json */
	gsize blanks;       /* that stand behind the text */
	bool has_nul;       /* one stands behind it */
} SettingsCase;

/* clang-format off */
static const SettingsCase settings_table[] = {
	{ .name = "settings-empty", .store = "" },
	{ .name = "settings-fresh", .store = "{\"AutoStart\":false,\"LicenseTermsVersion\":2,\"SettingsVersion\":45}" },
	{ .name = "settings-tuned", .store = "{\"MemoryMiB\":20480,\"Cpus\":12,\"SwapMiB\":4096,\"DiskSizeMiB\":245760,\"LicenseTermsVersion\":2}" },
	{ .name = "settings-mark", .store = "\xef\xbb\xbf{\"MemoryMiB\":2048,\"LicenseTermsVersion\":2}" },
	{ .name = "settings-nul", .store = "{\"MemoryMiB\":2048,\"LicenseTermsVersion\":2}", .has_nul = true },
	{ .name = "settings-text-number", .store = "{\"MemoryMiB\":\"8192\",\"LicenseTermsVersion\":2}" },
	{ .name = "settings-real-number", .store = "{\"MemoryMiB\":8192.0,\"LicenseTermsVersion\":2}" },
	{ .name = "settings-negative", .store = "{\"MemoryMiB\":-1,\"LicenseTermsVersion\":2}" },
	{ .name = "settings-exponent", .store = "{\"MemoryMiB\":1e10,\"LicenseTermsVersion\":2}" },
	{ .name = "settings-huge-number", .store = "{\"MemoryMiB\":99999999999999999999,\"LicenseTermsVersion\":2}" },
	{ .name = "settings-twice", .store = "{\"MemoryMiB\":2048,\"MemoryMiB\":20480,\"LicenseTermsVersion\":2}" },
	{ .name = "settings-large", .store = "{\"MemoryMiB\":2048,\"LicenseTermsVersion\":2}", .blanks = 2 * MIB },
	{ .name = "settings-list", .store = "[{\"MemoryMiB\":2048}]" },
	{ .name = "settings-cut", .store = "{\"MemoryMiB\":2048,\"Cpus\":" },
	{ .name = "settings-lower-case", .store = "{\"memoryMiB\":2048,\"licenseTermsVersion\":2}" },
	{ .name = "settings-directory", .store = "/" },
	{ .name = "settings-loop", .store = "@" },
	{ .name = "settings-both", .store = "{\"MemoryMiB\":20480,\"LicenseTermsVersion\":2}", .legacy = "{\"memoryMiB\":2048}" },
	{ .name = "settings-old", .legacy = "{\"settingsVersion\":17,\"memoryMiB\":2048,\"cpus\":2,\"swapMiB\":0,\"diskSizeMiB\":20000}" },
	{ .name = "settings-broken-beside-old", .store = "{", .legacy = "{\"memoryMiB\":2048,\"licenseTermsVersion\":2}" },
};
/* clang-format on */

static void lay_file(const char *directory, const char *name, const char *text,
                     const SettingsCase *settings)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_autofree char *blanks = g_strnfill(settings->blanks, ' ');
	g_autofree char *content = text != NULL ? g_strconcat(text, blanks, NULL) : NULL;

	if (text == NULL)
		return;
	if (strcmp(text, "/") == 0)
		g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
	else if (strcmp(text, "@") == 0)
		g_assert_cmpint(symlink(name, path), ==, 0);
	else
		g_assert_true(
			file_write(path, content, strlen(content) + settings->has_nul, 0644, NULL));
}

/* What is read of those files, as "slipway facts" would say it. */
static json_t *read_desktop(const SettingsCase *settings)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *root = g_dir_make_tmp("slipway-machines-XXXXXX", &error);
	g_autofree char *directory = g_build_filename(root, "home/ana/.docker/desktop", NULL);
	char *environment[] = { (char[]){ "HOME=/home/ana" }, NULL };
	FactsRequest request = { .root = root, .environment = environment };
	g_autoptr(Facts) facts = NULL;
	g_autoptr(json_t) object = NULL;

	g_assert_no_error(error);
	g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
	lay_file(directory, "settings-store.json", settings->store, settings);
	lay_file(directory, "settings.json", settings->legacy, settings);
	facts = facts_read(&request);
	object = facts_to_json(facts);
	g_assert_true(tree_remove(root, NULL));
	return json_incref(json_object_get(object, "desktop"));
}

/* What other files say of Docker Desktop stays. */
static void keep_places(json_t *desktop, json_t *before)
{
	static const char *const places[] = { "image_file",       "image_bytes", "image_used_bytes",
		                              "image_free_bytes", "app",         "app_version" };

	for (gsize i = 0; i < G_N_ELEMENTS(places); i++)
		json_object_set(desktop, places[i], json_object_get(before, places[i]));
}

/* A Mac with Docker Desktop, whose settings are these. */
static void test_settings(gconstpointer data)
{
	const SettingsCase *settings = data;
	g_autoptr(json_t) machine = fixture_json("macos");
	g_autoptr(json_t) desktop = read_desktop(settings);
	g_autoptr(GError) error = NULL;
	g_autoptr(Facts) facts = NULL;

	keep_places(desktop, json_object_get(machine, "desktop"));
	json_object_set(machine, "desktop", desktop);
	facts = facts_from_json(machine, &error);
	g_assert_no_error(error);
	judge_for_all(settings->name, "macos", facts);
}

/* Where no number, no text and no statement is known, nothing passes but what only tells, and the proxy
 * that nobody named. */
static void test_nothing_known(void)
{
	for (const char *const *name = stacks_embedded_names(); *name != NULL; name++) {
		g_autoptr(StackBundle) bundle = stacks_open(*name, NULL);
		g_autoptr(Facts) facts = facts_new();
		g_autoptr(GPtrArray) findings = judge(facts, stacks_definition(bundle));

		for (guint i = 0; i < findings->len; i++) {
			const CheckFinding *finding = g_ptr_array_index(findings, i);

			if (finding->verdict != CHECK_PASS ||
			    finding->check->severity == CHECK_PASS ||
			    strcmp(finding->id, "net.proxy") == 0)
				continue;
			g_test_message("%s passes: %s", finding->id, finding->measured);
			g_test_fail();
		}
	}
}

static void read_expected(void)
{
	g_autofree char *path = fixture_path("expected.txt");
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = file_read(path, EXPECTED_MAX_BYTES, &error);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	expected = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	if (is_accepting())
		return;
	g_assert_no_error(error);
	text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		char *colon = strstr(*line, ": ");

		if (colon != NULL)
			g_hash_table_insert(expected, g_strndup(*line, (gsize)(colon - *line)),
			                    g_strdup(colon + 2));
	}
}

static int compare_keys(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

static void write_expected(void)
{
	g_autofree char *path = fixture_path("expected.txt");
	g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(expected), compare_keys);
	g_autoptr(GString) text = g_string_new(NULL);

	for (GList *key = keys; key != NULL; key = key->next)
		g_string_append_printf(text, "%s: %s\n", (const char *)key->data,
		                       (const char *)g_hash_table_lookup(expected, key->data));
	g_assert_true(file_write(path, text->str, text->len, 0644, NULL));
}

/* A line for each machine and stack, and none for what is not there any more. */
static void test_all_are_told(void)
{
	gsize count = machines->len + G_N_ELEMENTS(settings_table);
	gsize stacks = 0;

	while (stacks_embedded_names()[stacks] != NULL)
		stacks++;
	g_assert_cmpuint(machines->len, >=, MACHINES_MIN);
	g_assert_cmpuint(g_hash_table_size(expected), ==, count * stacks);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list_machines(void)
{
	g_autofree char *path = fixture_path("");
	g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
	const char *name;

	g_assert_nonnull(directory);
	machines = g_ptr_array_new_with_free_func(g_free);
	while ((name = g_dir_read_name(directory)) != NULL)
		if (g_str_has_suffix(name, ".json"))
			g_ptr_array_add(machines, g_strndup(name, strlen(name) - strlen(".json")));
	g_ptr_array_sort(machines, compare_names);
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	list_machines();
	read_expected();
	for (guint i = 0; i < machines->len; i++) {
		g_autofree char *path = g_strconcat("/machines/", machines->pdata[i], NULL);

		g_test_add_data_func(path, machines->pdata[i], test_machine);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(settings_table); i++) {
		g_autofree char *path = g_strconcat("/settings/", settings_table[i].name, NULL);

		g_test_add_data_func(path, &settings_table[i], test_settings);
	}
	g_test_add_func("/machines/nothing-known", test_nothing_known);
	g_test_add_func("/told/all", test_all_are_told);
	status = g_test_run();
	if (is_accepting())
		write_expected();
	return status;
}
