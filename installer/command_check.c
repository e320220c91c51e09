/* installer/command_check.c - "slipway check" and "slipway facts"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "installer/check_fix.h"
#include "installer/check_list.h"
#include "installer/check_page.h"
#include "installer/findings.h"
#include "installer/html.h"
#include "installer/preflight.h"

/* Largest facts file.  Source: our own bound; one has about 12 KiB. */
#define FACTS_MAX_BYTES ((gsize)1024 * 1024)

static char *facts_file;
static gboolean is_all;
static gboolean is_list;
static gboolean is_network;
static gboolean is_fix;
static gboolean is_undo;
static gboolean is_dry;
static gboolean is_script;

const GOptionEntry command_check_options[] = {
	{ "facts", 0, 0, G_OPTION_ARG_FILENAME, &facts_file,
	  "judge the machine that FILE, made by \"slipway facts\", describes; - reads stdin",
	  "FILE" },
	{ "all", 0, 0, G_OPTION_ARG_NONE, &is_all,
	  "show what passes, too; run nvidia-smi, and the compose plugin, where no file tells "
	  "enough",
	  NULL },
	{ "network", 0, 0, G_OPTION_ARG_NONE, &is_network,
	  "ask the servers that the stack is loaded from, too", NULL },
	{ "fix", 0, 0, G_OPTION_ARG_NONE, &is_fix,
	  "show what can be mended safely, do it once that is confirmed, and judge again", NULL },
	{ "dry-run", 0, 0, G_OPTION_ARG_NONE, &is_dry, "with --fix: show it, change nothing",
	  NULL },
	{ "print-root-script", 0, 0, G_OPTION_ARG_NONE, &is_script,
	  "with --fix: print what needs root, as a script for somebody who is root; change nothing",
	  NULL },
	{ "undo", 0, 0, G_OPTION_ARG_NONE, &is_undo, "with --fix: take back all that it mended",
	  NULL },
	{ "list", 0, 0, G_OPTION_ARG_NONE, &is_list, "list the checks; judge nothing", NULL },
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

static json_t *read_facts_stdin(GError **error)
{
	g_autofree char *text = g_malloc(FACTS_MAX_BYTES + 1);
	gssize length = file_read_fd(STDIN_FILENO, text, FACTS_MAX_BYTES + 1);

	if (length < 0) {
		fault_set_errno(error, errno, "cannot read stdin");
		return NULL;
	}
	if ((gsize)length > FACTS_MAX_BYTES) {
		fault_set(error, STATUS_DATA, NULL,
		          "stdin is larger than %" G_GSIZE_FORMAT " bytes", FACTS_MAX_BYTES);
		return NULL;
	}

	g_autoptr(GBytes) bytes = g_bytes_new(text, (gsize)length);
	return json_parse_bytes(bytes, "stdin", error);
}

static Facts *read_facts_file(GError **error)
{
	bool is_stdin = g_str_equal(facts_file, "-");
	g_autoptr(json_t) object =
		is_stdin ? read_facts_stdin(error) : json_read(facts_file, FACTS_MAX_BYTES, error);
	Facts *facts = object != NULL ? facts_from_json(object, error) : NULL;

	if (object != NULL && facts == NULL)
		g_prefix_error(error, "%s: ", is_stdin ? "stdin" : facts_file);
	return facts;
}

/* Of the machine that is judged, not of this one. */
static Preflight *needs_elsewhere(App *app, const Stack *stack, const char *profile,
                                  const Facts *facts)
{
	const char *home = facts->system.home != NULL ? facts->system.home : app->paths->home;

	return preflight_new_elsewhere(stack, profile, settings_text(app->settings, "prefix"),
	                               home);
}

static Preflight *needs_here(App *app, const Stack *stack, const char *profile, GError **error)
{
	const char *set = settings_text(app->settings, "prefix");
	g_autofree char *prefix =
		set != NULL ? g_strdup(set)
			    : paths_expand(app->paths, stack != NULL ? stack->prefix : "~", error);
	Preflight *preflight = NULL;

	if (prefix == NULL)
		return NULL;
	preflight = preflight_new(stack, profile, prefix, app->paths->state);
	preflight_take_installed(preflight, app, stack);
	return preflight;
}

static void print_heading(App *app, const FindingsReport *report)
{
	g_autofree char *title = findings_title(report);
	g_autofree char *bold = term_styled(app->term, TERM_BOLD, title);
	g_autofree char *machine = findings_machine(report->facts);

	term_print(app->term, "%s", bold);
	if (report->facts->elapsed_us != FACTS_UNKNOWN)
		term_print(app->term, "   %.1f ms", (double)report->facts->elapsed_us / 1000);
	term_print(app->term, "\n");
	if (*machine != '\0')
		term_print(app->term, "%s\n", machine);
}

static void print_report(App *app, const FindingsReport *report, bool is_each)
{
	const GPtrArray *findings = report->findings;
	guint unknown = findings_count(findings, CHECK_UNKNOWN);

	term_hold(app->term);
	print_heading(app, report);
	findings_print(app->term, findings, is_each);
	if (!is_each)
		findings_print_rest(app->term, findings);
	term_print(app->term, "%u fail, %u warn, %u unknown.\n",
	           findings_count(findings, CHECK_FAIL), findings_count(findings, CHECK_WARN),
	           is_each ? unknown : unknown - findings_count_idle(findings));
	term_release(app->term);
}

static void put_report(App *app, const FindingsReport *report)
{
	if (!term_is_json(app->term))
		return;
	if (app->document == NULL)
		app->document = json_object();
	findings_put(app->document, report);
}

static bool finish(App *app, const FindingsReport *report, GError **error)
{
	const char *path = settings_text(app->settings, "html");

	put_report(app, report);
	if (path != NULL && !check_page_write(path, report, app->paths->home, error))
		return false;
	return findings_pass(report->findings, error);
}

/* A machine; judged by @preflight. */
static GPtrArray *judge_facts(App *app, const Preflight *preflight, const Facts *facts,
                              const char *const *ids)
{
	const char *const *ignored = (const char *const *)settings_list(app->settings, "ignore");
	GPtrArray *findings = check_run_all(facts, &preflight->needs, ignored);

	if (ids[0] != NULL)
		check_keep(findings, ids);
	findings_warn_unknown(app->term, ignored);
	return findings;
}

static FixMode fix_mode(void)
{
	return is_script ? FIX_SCRIPT : is_dry ? FIX_SHOW : FIX_APPLY;
}

/* What was mended is judged anew. */
static bool fix_and_finish(App *app, Preflight *preflight, const FindingsReport *report,
                           const char *const *ids, GError **error)
{
	bool is_changed = false;

	put_report(app, report);
	if (!check_fix(app, &preflight->needs, report, fix_mode(), &is_changed, error))
		return false;
	if (is_script)
		return true;
	if (!is_changed)
		return finish(app, report, error);

	g_autoptr(Facts) facts = preflight_facts(preflight);
	g_autoptr(GPtrArray) findings = judge_facts(app, preflight, facts, ids);
	FindingsReport after = { report->stack, facts, findings };

	term_print(app->term, "\n");
	print_report(app, &after, is_all || ids[0] != NULL);
	return finish(app, &after, error);
}

/* What a report is made of: a thousand pieces, which end with the process.
 * @object: (transfer full) (nullable).  Returns: it. */
static gpointer leave(App *app, gpointer object)
{
	if (app->left == NULL)
		app->left = g_ptr_array_new();
	g_ptr_array_add(app->left, object);
	return object;
}

/* @ids: these checks alone, NULL-terminated; none: all.  @ahead: taken where it is of use. */
static bool judge(App *app, const StackBundle *bundle, const char *const *ids, FactsReading **ahead,
                  GError **error)
{
	const Stack *stack = bundle != NULL ? stacks_definition(bundle) : NULL;
	Facts *facts = leave(app, facts_file != NULL ? read_facts_file(error) : NULL);
	Preflight *preflight;
	GPtrArray *findings;
	FindingsReport report;
	const char *profile;

	if ((facts_file != NULL && facts == NULL) || !choose_profile(app, stack, &profile, error))
		return false;
	preflight = leave(app, facts != NULL ? needs_elsewhere(app, stack, profile, facts)
	                                     : needs_here(app, stack, profile, error));
	if (preflight == NULL)
		return false;
	preflight->is_slow_asked = is_all || ids[0] != NULL;
	preflight->term = app->term;
	preflight->ahead = g_steal_pointer(ahead);
	if (facts == NULL)
		facts = leave(app, preflight_facts(preflight));
	if (is_network && facts_file == NULL)
		preflight_ask_servers(app, bundle, facts);

	findings = leave(app, judge_facts(app, preflight, facts, ids));
	report = (FindingsReport){ stack, facts, findings };
	if (!is_script)
		print_report(app, &report, is_all || ids[0] != NULL);
	return is_fix ? fix_and_finish(app, preflight, &report, ids, error)
	              : finish(app, &report, error);
}

/* The engine takes longest, and is asked while the definition is read, where that is sure to want it.
 * Returns: (transfer full) (nullable) */
static FactsReading *ask_ahead(const char *word, const char *const *ids)
{
	const FactsRequest request = { .is_engine_asked = true,
		                       .is_thorough = is_all || ids[0] != NULL };

	return stacks_need_engine(word) ? facts_begin(&request) : NULL;
}

/* A check was meant where there is a dot, as in nearly all of them, and no path. */
static bool is_like_check(const char *word)
{
	return strchr(word, '.') != NULL && strchr(word, '/') == NULL;
}

/* Tells the words apart: checks go to @ids, of others there is one at most. */
static bool take_words(char **words, const char **stack, GPtrArray *ids, GError **error)
{
	for (; *words != NULL; words++) {
		if (check_is_known(*words)) {
			g_ptr_array_add(ids, *words);
		} else if (*stack == NULL) {
			*stack = *words;
		} else if (is_like_check(*words)) {
			check_set_unknown(*words, error);
			return false;
		} else {
			fault_set(error, STATUS_USAGE, "See \"slipway check --list\".",
			          "\"%s\" is no check, and one stack at a time is judged", *words);
			return false;
		}
	}
	g_ptr_array_add(ids, NULL);
	return true;
}

static StackBundle *open_stack(const char *word, GError **error)
{
	StackBundle *bundle = stacks_open(word, error);

	if (bundle == NULL && is_like_check(word) && g_error_matches(*error, FAULT, STATUS_USAGE)) {
		g_clear_error(error);
		check_set_unknown(word, error);
	}
	return bundle;
}

/* Options that make no sense together. */
static bool check_options(char **words, GError **error)
{
	const char *why = NULL;

	if (!is_fix && (is_undo || is_dry || is_script))
		why = "--dry-run, --print-root-script and --undo go with --fix";
	else if (is_fix && facts_file != NULL)
		why = "--fix mends this machine, not that of --facts";
	else if (is_undo && (*words != NULL || is_dry || is_script))
		why = "--undo takes back all that --fix mended, and takes no other words";
	if (why != NULL)
		fault_set(error, STATUS_USAGE, NULL, "%s", why);
	return why == NULL;
}

bool command_check(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	const char *path = settings_text(app->settings, "html");
	g_autoptr(GPtrArray) ids = g_ptr_array_new();
	g_autoptr(FactsReading) ahead = NULL;
	StackBundle *bundle;
	const char *word = NULL;
	const char *const *chosen;

	if (!check_options(argv, error))
		return false;
	if (is_undo)
		return check_fix_undo(app, error);
	if (!take_words(argv, &word, ids, error) ||
	    (path != NULL && !html_check_place(path, error)))
		return false;
	chosen = (const char *const *)(gpointer)ids->pdata;
	ahead = word != NULL && facts_file == NULL && !is_list ? ask_ahead(word, chosen) : NULL;
	bundle = leave(app, word != NULL ? open_stack(word, error) : NULL);
	if (word != NULL && bundle == NULL)
		return false;
	if (is_list) {
		check_list(app, chosen);
		return true;
	}
	return judge(app, bundle, chosen, &ahead, error);
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
		                 .is_thorough = true,
		                 .is_keyring_asked = true,
		                 .are_tools_asked = true,
		                 .is_package_work_asked = true };
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
