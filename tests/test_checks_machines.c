/* tests/test_checks_machines.c - facts as files, and what a check does where they are not known
 *
 * Which verdicts each machine gets stands in tests/test_installer_machines.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/checks_unknown.h"

#define FACTS_MAX_BYTES ((gsize)1024 * 1024)

static GPtrArray *machines; /* (element-type utf8): names of files */

/* Members of @object that are not in @other, whatever their values: typing errors. */
static void find_strange(const char *where, json_t *object, json_t *other)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		json_t *same = json_object_get(other, key);
		g_autofree char *path = g_strdup_printf("%s.%s", where, key);

		if (same == NULL) {
			g_test_message("no fact is called %s", path);
			g_test_fail();
		} else if (json_is_array(value) && json_array_size(value) > 0) {
			find_strange(path, json_array_get(value, 0), json_array_get(same, 0));
		} else {
			find_strange(path, value, same);
		}
	}
}

/* What is written is what is read, and each member of the file is a fact. */
static void test_round_trip(gconstpointer data)
{
	g_autofree char *name = g_strconcat(data, ".json", NULL);
	g_autofree char *path = fixture_path(name);
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) own = json_read(path, FACTS_MAX_BYTES, &error);
	g_autoptr(Facts) facts = fixture_facts(data);
	g_autoptr(json_t) once = facts_to_json(facts);
	g_autoptr(Facts) again = facts_from_json(once, &error);
	g_autoptr(json_t) twice = facts_to_json(again);

	g_assert_no_error(error);
	g_assert_true(json_equal(once, twice));
	g_assert_true(json_is_string(json_object_get(own, "machine")));
	(void)json_object_del(own, "machine");
	(void)json_object_del(own, "base");
	find_strange(data, own, once);
}

static void check_members(const char *name, const Facts *facts, gpointer object,
                          const Fields *fields)
{
	for (gsize i = 0; i < fields->count; i++) {
		const Field *field = &fields->rows[i];

		for (gsize j = 0; j < G_N_ELEMENTS(unknown_needs); j++) {
			const char *found = unknown_is_a_value(field)
			                            ? NULL
			                            : unknown_that_passes(facts, &unknown_needs[j],
			                                                  object, field);

			if (found == NULL)
				continue;
			g_test_message("%s: %s passes though %s.%s is not known", name, found,
			               field->group != NULL ? field->group : "", field->name);
			g_test_fail();
		}
	}
}

static void check_list(const char *name, const Facts *facts, const GPtrArray *list,
                       const Fields *fields)
{
	for (guint i = 0; i < list->len; i++)
		check_members(name, facts, list->pdata[i], fields);
}

/* No check passes by a number or a statement that could not be read. */
static void test_unknown(gconstpointer data)
{
	g_autoptr(Facts) facts = fixture_facts(data);

	check_members(data, facts, facts, &facts_fields);
	check_list(data, facts, facts->cards, &card_fields);
	check_list(data, facts, facts->directories, &directory_fields);
	check_list(data, facts, facts->ports, &port_fields);
}

static void test_this_machine(void)
{
	const char *directories[] = { "/", NULL };
	guint16 port = 1;
	FactsRequest request = { .directories = directories,
		                 .ports = &port,
		                 .port_count = 1,
		                 .is_engine_asked = true,
		                 .timeout_ms = 200 };
	g_autoptr(Facts) facts = facts_read(&request);
	g_autoptr(json_t) once = facts_to_json(facts);
	g_autoptr(GError) error = NULL;
	g_autoptr(Facts) again = facts_from_json(once, &error);
	g_autoptr(json_t) twice = again != NULL ? facts_to_json(again) : NULL;

	g_assert_no_error(error);
	g_assert_true(json_equal(once, twice));
	g_assert_cmpuint(facts->memory.total_bytes, !=, FACTS_UNKNOWN);
	g_assert_cmpuint(facts->memory.total_bytes, >, 0);
	g_assert_cmpuint(facts->cpu.count, >=, 1);
	g_assert_nonnull(facts->system.architecture);
	g_assert_nonnull(facts->system.id);
	g_assert_cmpuint(facts->elapsed_us, <, 1000000);
}

static void test_bad_document(gconstpointer data)
{
	const char *text = data;
	g_autofree char *quoted = g_strdelimit(g_strdup(text), "'", '"');
	g_autoptr(GBytes) bytes = g_bytes_new(quoted, strlen(quoted));
	g_autoptr(json_t) object = json_parse_bytes(bytes, "test", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(Facts) facts = facts_from_json(object, &error);

	g_assert_nonnull(object);
	g_assert_null(facts);
	g_assert_nonnull(error);
}

static const char *const bad_documents[] = {
	"[]",
	"{}",
	"{'schema':2}",
	"{'schema':'1'}",
	"{'schema':1,'memory':{'total_bytes':-1}}",
	"{'schema':1,'memory':{'total_bytes':'8'}}",
	"{'schema':1,'memory':{'total_bytes':8.5}}",
	"{'schema':1,'system':{'id':7}}",
	"{'schema':1,'system':{'has_sudo':'yes'}}",
	"{'schema':1,'engine':{'state':'sleepy'}}",
	"{'schema':1,'engine':{'state':0}}",
	"{'schema':1,'desktop':{'memory':'huge'}}",
	"{'schema':1,'directories':[{'path':1}]}",
	"{'schema':1,'ports':[{'number':'80'}]}",
};

static void add_tests(void)
{
	/* One for each way through the judges. */
	static const char *const examined[] = { "linux",          "macos",
		                                "wsl2-ubuntu",    "rhel-9",
		                                "kubernetes-pod", "workstation-nvidia",
		                                "macos-colima" };
	g_autofree char *path = fixture_path("");
	g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
	const char *name;

	machines = g_ptr_array_new_with_free_func(g_free);
	while ((name = g_dir_read_name(directory)) != NULL) {
		g_autofree char *trip = g_strconcat("/round-trip/", name, NULL);

		if (!g_str_has_suffix(name, ".json"))
			continue;
		g_ptr_array_add(machines, g_strndup(name, strlen(name) - strlen(".json")));
		g_test_add_data_func(trip, machines->pdata[machines->len - 1], test_round_trip);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(examined); i++) {
		g_autofree char *unknown = g_strconcat("/unknown/", examined[i], NULL);

		g_test_add_data_func(unknown, examined[i], test_unknown);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add_tests();
	for (gsize i = 0; i < G_N_ELEMENTS(bad_documents); i++) {
		g_autofree char *path = g_strdup_printf("/bad-document/%02zu", i);

		g_test_add_data_func(path, bad_documents[i], test_bad_document);
	}
	g_test_add_func("/machines/this-one", test_this_machine);
	return g_test_run();
}
