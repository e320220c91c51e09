/* installer/command_check.c - "slipway check" and "slipway facts"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/findings.h"
#include "installer/preflight.h"

/* Largest facts file.  Source: our own bound; one has about 6 KiB. */
#define FACTS_MAX_BYTES ((gsize)1024 * 1024)

static char *facts_file;
static gboolean is_all;

const GOptionEntry command_check_options[] = {
	{ "facts", 0, 0, G_OPTION_ARG_FILENAME, &facts_file,
	  "judge the machine that FILE, made by \"slipway facts\", describes", "FILE" },
	{ "all", 0, 0, G_OPTION_ARG_NONE, &is_all, "show what passes, too", NULL },
	{ 0 },
};

const GOptionEntry command_facts_options[] = {
	{ 0 },
};

static bool choose_profile(App *app, const Stack *stack, const char **profile, GError **error)
{
	const char *wanted = settings_text(app->settings, "profile");

	*profile = NULL;
	if (stack == NULL)
		return true;
	*profile = wanted != NULL ? wanted : stack_default_profile(stack);
	if (wanted == NULL || stack_find_profile(stack, wanted) != NULL)
		return true;

	fault_set(error, STATUS_USAGE, NULL, "%s has no profile \"%s\"", stack->name, wanted);
	return false;
}

/* "~" is the home directory of the machine that is judged. */
static char *choose_prefix(App *app, const Stack *stack, const Facts *facts, GError **error)
{
	const char *set = settings_text(app->settings, "prefix");
	const char *prefix = stack != NULL ? stack->prefix : "~";

	if (set != NULL)
		return g_strdup(set);
	if (facts != NULL && facts->system.home != NULL && *prefix == '~')
		return g_strconcat(facts->system.home, prefix + 1, NULL);
	return paths_expand(app->paths, prefix, error);
}

static char *choose_state(App *app, const Facts *facts)
{
	if (facts != NULL && facts->system.home != NULL)
		return g_build_filename(facts->system.home, ".local", "state", "slipway", NULL);
	return g_strdup(app->paths->state);
}

static Facts *read_facts_file(GError **error)
{
	g_autoptr(json_t) object = json_read(facts_file, FACTS_MAX_BYTES, error);
	Facts *facts = object != NULL ? facts_from_json(object, error) : NULL;

	if (object != NULL && facts == NULL)
		g_prefix_error(error, "%s: ", facts_file);
	return facts;
}

static void print_heading(App *app, const Stack *stack, const Facts *facts)
{
	const FactsSystem *system = &facts->system;
	g_autofree char *text = g_strdup_printf(
		"checks for %s on %s %s", stack != NULL ? stack->title : "a small stack",
		system->pretty != NULL ? system->pretty : "an unknown system",
		system->architecture != NULL ? system->architecture : "");
	g_autofree char *bold = term_styled(app->term, TERM_BOLD, text);

	term_print(app->term, "%s", bold);
	if (facts->elapsed_us != FACTS_UNKNOWN)
		term_print(app->term, "   %.1f ms", (double)facts->elapsed_us / 1000);
	term_print(app->term, "\n");
}

static void print_summary(App *app, const GPtrArray *findings)
{
	findings_print_rest(app->term, findings);
	term_print(app->term, "%u fail, %u warn, %u unknown.\n",
	           findings_count(findings, CHECK_FAIL), findings_count(findings, CHECK_WARN),
	           findings_count(findings, CHECK_UNKNOWN));
}

static void put_document(App *app, const Stack *stack, const Facts *facts,
                         const GPtrArray *findings)
{
	if (app->document == NULL)
		app->document = json_object();

	json_put(app->document, "stack", stack != NULL ? stack->name : NULL);
	(void)json_object_set_new(app->document, "elapsed_us",
	                          facts->elapsed_us <= G_MAXINT64
	                                  ? json_integer((json_int_t)facts->elapsed_us)
	                                  : json_null());
	(void)json_object_set_new(app->document, "ignored_count",
	                          json_integer(findings_count(findings, CHECK_IGNORED)));
	(void)json_object_set_new(app->document, "checks", findings_to_json(findings));
}

static bool judge(App *app, const Stack *stack, GError **error)
{
	const char *const *ignored = (const char *const *)settings_list(app->settings, "ignore");
	g_autoptr(Facts) facts = facts_file != NULL ? read_facts_file(error) : NULL;
	g_autofree char *prefix = NULL;
	g_autofree char *state = NULL;
	g_autoptr(Preflight) preflight = NULL;
	g_autoptr(GPtrArray) findings = NULL;
	const char *profile;

	if ((facts_file != NULL && facts == NULL) || !choose_profile(app, stack, &profile, error))
		return false;
	prefix = choose_prefix(app, stack, facts, error);
	if (prefix == NULL)
		return false;

	state = choose_state(app, facts);
	preflight = preflight_new(stack, profile, prefix, state);
	if (facts == NULL)
		facts = preflight_facts(preflight);
	else if (stack != NULL) /* which programs that machine has, its facts do not say */
		preflight->needs.needs_packages = stack->tools->len > 0;
	findings = check_run_all(facts, &preflight->needs, ignored);

	findings_warn_unknown(app->term, ignored);
	print_heading(app, stack, facts);
	findings_print(app->term, findings, is_all);
	print_summary(app, findings);
	put_document(app, stack, facts, findings);
	return findings_pass(findings, error);
}

bool command_check(App *app, int argc, char **argv, GError **error)
{
	g_autoptr(StackBundle) bundle = argc > 0 ? stacks_open(argv[0], error) : NULL;

	if (argc > 0 && bundle == NULL)
		return false;
	return judge(app, bundle != NULL ? stacks_definition(bundle) : NULL, error);
}

/* A facts file is to be judged against any stack: it has the ports of all that are embedded. */
static GArray *known_ports(void)
{
	GArray *ports = g_array_new(FALSE, FALSE, sizeof(guint16));
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

	for (const char *const *name = stacks_embedded_names(); *name != NULL; name++) {
		g_autoptr(StackBundle) bundle = stacks_open(*name, NULL);
		const GPtrArray *list = bundle != NULL ? stacks_definition(bundle)->ports : NULL;

		for (guint i = 0; list != NULL && i < list->len; i++) {
			const StackPort *port = g_ptr_array_index(list, i);
			guint16 number = (guint16)port->number;

			if (g_hash_table_add(seen, GUINT_TO_POINTER(number)))
				g_array_append_val(ports, number);
		}
	}
	return ports;
}

bool command_facts(App *app, int argc G_GNUC_UNUSED, char **argv G_GNUC_UNUSED,
                   GError **error G_GNUC_UNUSED)
{
	const char *directories[] = { "/", "/tmp", app->paths->home, app->paths->state, NULL };
	g_autoptr(GArray) ports = known_ports();
	FactsRequest request = { .directories = directories,
		                 .ports = (const guint16 *)(gpointer)ports->data,
		                 .port_count = ports->len,
		                 .is_engine_asked = true,
		                 .is_keyring_asked = true };
	g_autoptr(Facts) facts = facts_read(&request);
	g_autoptr(json_t) object = facts_to_json(facts);
	g_autofree char *text = json_pretty(object);

	term_print(app->term, "%s", text);
	if (term_is_json(app->term)) {
		if (app->document == NULL)
			app->document = json_object();
		(void)json_object_update(app->document, object);
	}
	return true;
}
