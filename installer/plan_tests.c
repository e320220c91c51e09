/* installer/plan_tests.c - a stack's own tests, out of its definition
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "installer/plan_private.h"
#include "installer/template.h"

#define TIMEOUT_S 60
#define TIMEOUT_MAX_S 3600

static bool fail(const Stack *stack, const char *section, const char *why, GError **error)
{
	fault_set(error, STATUS_CONFIG, NULL, "%s: [%s] %s", stack->ini_name, section, why);
	return false;
}

/* Words as a shell would split them, quotes taken in; no shell runs. */
static bool add_command(json_t *test, const char *command, bool is_inside, GError **error)
{
	g_auto(GStrv) argv = NULL;
	g_autoptr(GError) cause = NULL;

	if (!g_shell_parse_argv(command, NULL, &argv, &cause)) {
		fault_set(error, STATUS_CONFIG, NULL, "run cannot be split into words: %s",
		          cause->message);
		return false;
	}
	if (!is_inside && !g_path_is_absolute(argv[0])) {
		fault_set(error, STATUS_CONFIG, NULL, "run has no absolute path: %s", argv[0]);
		return false;
	}
	json_object_set_new(test, "argv", json_from_strv((const char *const *)argv));
	return true;
}

static bool fill(const Stack *stack, const char *section, const json_t *vars, json_t *test,
                 GError **error)
{
	const char *url = ini_value(stack->ini, section, "url");
	const char *run = ini_value(stack->ini, section, "run");
	const char *service = ini_value(stack->ini, section, "service");

	if (!url == !run)
		return fail(stack, section, "needs either run or url", error);

	g_autofree char *text = template_expand(url ? url : run, vars, error);
	if (text && url)
		json_put(test, "url", text);
	if (!text || (run && !add_command(test, text, service != NULL, error))) {
		g_prefix_error(error, "%s: [%s] ", stack->ini_name, section);
		return false;
	}
	json_put(test, "service", service);
	json_put(test, "expect", ini_value(stack->ini, section, "expect"));
	json_put(test, "title", ini_value(stack->ini, section, "title"));
	return true;
}

static json_t *make_test(const Stack *stack, const char *section, const json_t *vars,
                         GError **error)
{
	const IniEntry *timeout = ini_find(stack->ini, section, "timeout");
	const char *needs = ini_value(stack->ini, section, "needs");
	g_auto(GStrv) steps = ini_list(needs ? needs : "");
	guint64 timeout_s = TIMEOUT_S;

	if (timeout &&
	    !ini_number(stack->ini, timeout, (IniRange){ 1, TIMEOUT_MAX_S }, &timeout_s, error))
		return NULL;

	g_autoptr(json_t) test = json_pack("{s:s, s:o, s:I}", "name", section + strlen("test "),
	                                   "needs", json_from_strv((const char *const *)steps),
	                                   "timeout_s", (json_int_t)timeout_s);
	return fill(stack, section, vars, test, error) ? g_steal_pointer(&test) : NULL;
}

json_t *plan_tests(const Stack *stack, const char *profile, const json_t *vars, GError **error)
{
	const GPtrArray *sections = ini_sections(stack->ini);
	g_autoptr(json_t) tests = json_array();

	for (guint i = 0; i < sections->len; i++) {
		const char *section = sections->pdata[i];
		const char *profiles = ini_value(stack->ini, section, "profiles");
		g_auto(GStrv) in = ini_list(profiles ? profiles : "");

		if (!g_str_has_prefix(section, "test ") || !stack_in_profile(in, profile))
			continue;
		json_t *test = make_test(stack, section, vars, error);
		if (!test)
			return NULL;
		json_array_append_new(tests, test);
	}
	return g_steal_pointer(&tests);
}
