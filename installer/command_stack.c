/* installer/command_stack.c - "slipway stack new", "lint" and "lock": a stack of one's own
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "checks/facts.h"
#include "installer/session.h"
#include "installer/stack_lint.h"
#include "installer/stack_lock.h"
#include "installer/stack_new.h"

static gboolean has_no_compose;
static gboolean is_refresh;
static gboolean is_check;

const GOptionEntry command_stack_lint_options[] = {
	{ "no-compose", 0, 0, G_OPTION_ARG_NONE, &has_no_compose,
	  "judge stack.ini alone, where there is no docker compose", NULL },
	{ 0 },
};

const GOptionEntry command_stack_lock_options[] = {
	{ "refresh", 0, 0, G_OPTION_ARG_NONE, &is_refresh,
	  "write what the tags stand for today, also where there is a digest", NULL },
	{ "check", 0, 0, G_OPTION_ARG_NONE, &is_check,
	  "write nothing; judge whether the registries have the digests", NULL },
	{ 0 },
};

bool command_stack_new(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	const char *name = argv[0];
	g_autofree char *directory = g_canonicalize_filename(name, NULL);
	json_t *files = json_array();

	session_put(app, "files", files);
	if (!stack_new(name, directory, error))
		return false;
	for (gsize i = 0; i < new_stack_count; i++)
		json_array_append_new(files, json_string(new_stack_table[i].path));
	session_put(app, "stack", json_string(name));
	session_put(app, "directory", json_string(directory));
	term_print(app->term, "wrote the stack %s into %s\n", name, directory);
	term_note(app->term,
	          "\"slipway stack lock ./%s\" pins its images, \"slipway stack lint ./%s\" judges "
	          "it, "
	          "\"slipway install ./%s\" installs it.",
	          name, name, name);
	return true;
}

static char *place_of(const LintFinding *finding)
{
	return finding->line > 0 ? g_strdup_printf("%s:%u", finding->file, finding->line)
	                         : g_strdup(finding->file);
}

static void print_finding(Term *term, const LintFinding *finding)
{
	g_autofree char *place = place_of(finding);
	g_autofree char *rule =
		term_styled(term, finding->reason ? TERM_DIM : TERM_BAD, finding->rule->name);

	term_print(term, "%s: %s: %s\n", place, rule, finding->what);
	if (finding->reason)
		term_print(term, "    let pass: %s\n", finding->reason);
	else
		term_print(term, "    %s. %s\n", finding->rule->why, finding->rule->remedy);
}

static json_t *describe(const LintReport *report)
{
	json_t *list = json_array();

	for (guint i = 0; i < report->findings->len; i++) {
		const LintFinding *it = report->findings->pdata[i];
		json_t *object =
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s?}", "rule",
		                  it->rule->name, "subject", it->subject, "file", it->file, "what",
		                  it->what, "why", it->rule->why, "remedy", it->rule->remedy,
		                  "is_excepted", it->reason != NULL, "reason", it->reason);
		json_object_set_new(object, "line",
		                    it->line > 0 ? json_integer(it->line) : json_null());
		json_array_append_new(list, object);
	}
	return list;
}

static void show(App *app, const char *name, const LintReport *report)
{
	guint passed = report->findings->len - report->failed;

	for (guint i = 0; i < report->findings->len; i++)
		print_finding(app->term, report->findings->pdata[i]);
	term_print(app->term, "%s%s: %u %s, %u let pass by exceptions; %u compose %s judged.\n",
	           report->findings->len ? "\n" : "", name, report->failed,
	           report->failed == 1 ? "finding" : "findings", passed, report->projects,
	           report->projects == 1 ? "project" : "projects");
	if (report->unmade)
		term_print(app->term, "The compose files were not judged: %s.\n", report->unmade);
	session_put(app, "stack", json_string(name));
	session_put(app, "findings", describe(report));
	session_put(app, "failed", json_integer(report->failed));
	session_put(app, "excepted", json_integer(passed));
	session_put(app, "compose_projects", json_integer(report->projects));
	session_put(app, "compose_not_judged",
	            report->unmade ? json_string(report->unmade) : json_null());
}

bool command_stack_lint(App *app, int argc, char **argv, GError **error)
{
	g_autoptr(StackBundle) bundle = stacks_open(argc > 0 ? argv[0] : "./", error);
	g_autoptr(LintReport) report = bundle ? lint_stack(bundle, !has_no_compose, error) : NULL;

	if (!report)
		return false;

	const char *name = stacks_definition(bundle)->name;
	show(app, name, report);
	if (report->failed > 0) {
		fault_set(error, STATUS_FAILED, NULL, "%s: %u %s", name, report->failed,
		          report->failed == 1 ? "finding" : "findings");
		return false;
	}
	if (report->unmade && !has_no_compose) {
		fault_set(error, STATUS_UNAVAILABLE,
		          "Install docker and its compose plugin, or say --no-compose.",
		          "the compose files of %s were not judged: %s", name, report->unmade);
		return false;
	}
	return true;
}

/* What all is judged and asked from: a definition that could be read as a whole. */
static bool has_all_images(const LintReport *report, const char *name, GError **error)
{
	if (report->unmade) {
		fault_set(error, STATUS_UNAVAILABLE,
		          "Install docker and its compose plugin, then run the same command again.",
		          "the compose files of %s cannot be read: %s", name, report->unmade);
		return false;
	}
	for (guint i = 0; i < report->findings->len; i++) {
		const LintFinding *finding = report->findings->pdata[i];

		if (!g_str_equal(finding->rule->name, "compose"))
			continue;
		fault_set(error, STATUS_CONFIG, finding->rule->remedy, "%s: %s", finding->file,
		          finding->what);
		return false;
	}
	return true;
}

static const char *status_word(LockStatus status)
{
	static const char *const words[] = {
		[LOCK_UNCHANGED] = "unchanged", [LOCK_WRITTEN] = "written",
		[LOCK_MOVED] = "moved",         [LOCK_NONE] = "none",
		[LOCK_MISSING] = "missing",     [LOCK_NOWHERE] = "failed",
		[LOCK_FAILED] = "failed",
	};

	return words[status];
}

static bool has_platform(const LockImage *image, const char *prefix)
{
	for (guint i = 0; i < image->platforms->len; i++)
		if (g_str_has_prefix(image->platforms->pdata[i], prefix))
			return true;

	return false;
}

/* Returns: (transfer none): what of the two usual platforms is missing, in words; "" when that is not known. */
static const char *platform_words(const LockImage *image)
{
	bool has_amd64 = has_platform(image, "linux/amd64");
	bool has_arm64 = has_platform(image, "linux/arm64");

	if (image->platforms->len == 0 || (has_amd64 && has_arm64))
		return "";
	if (has_amd64 || has_arm64)
		return has_amd64 ? "; amd64 only" : "; arm64 only";
	return "; neither amd64 nor arm64";
}

static void print_image(Term *term, const LockImage *image)
{
	bool is_good = image->status <= LOCK_MOVED;
	g_autofree char *word = term_styled(
		term, is_good ? TERM_GOOD : TERM_BAD,
		image->status == LOCK_NONE ? "has no digest" : status_word(image->status));

	term_print(term, "%s  %s  %s", image->name, image->digest ? image->digest : "-", word);
	if (image->places > 0)
		term_print(term, " (%u %s)", image->places,
		           image->places == 1 ? "place" : "places");
	if (image->earlier)
		term_print(term, ": was %s", image->earlier);
	if (image->message)
		term_print(term, ": %s", image->message);
	term_print(term, "%s\n", platform_words(image));
}

static json_t *describe_image(const LockImage *image)
{
	json_t *platforms = json_array();

	for (guint i = 0; i < image->platforms->len; i++)
		json_array_append_new(platforms, json_string(image->platforms->pdata[i]));
	return json_pack("{s:s, s:s?, s:s?, s:s?, s:s, s:i, s:o, s:s?}", "image", image->name,
	                 "digest", image->digest, "earlier", image->earlier, "today", image->today,
	                 "status", status_word(image->status), "places", (int)image->places,
	                 "platforms", platforms, "message", image->message);
}

static bool show_images(App *app, const char *name, const GPtrArray *images, GError **error)
{
	json_t *list = json_array();
	guint failed = 0;
	guint unpinned = 0;

	for (guint i = 0; i < images->len; i++) {
		const LockImage *image = images->pdata[i];

		print_image(app->term, image);
		json_array_append_new(list, describe_image(image));
		failed += image->status == LOCK_FAILED;
		unpinned += image->status >= LOCK_NONE && image->status < LOCK_FAILED;
	}
	session_put(app, "stack", json_string(name));
	session_put(app, "images", list);
	if (images->len == 0)
		term_note(app->term, "%s names no image.", name);
	if (failed > 0)
		fault_set(error, STATUS_UNAVAILABLE,
		          "Run the same command again when their registries answer the engine.",
		          "%s: %u of %u images could not be asked for", name, failed, images->len);
	else if (unpinned > 0 && is_check)
		fault_set(error, STATUS_FAILED,
		          "\"slipway stack lock DIR\" writes digests, --refresh those of today.",
		          "%s: %u of %u images have no digest that can be had", name, unpinned,
		          images->len);
	else if (unpinned > 0)
		fault_set(error, STATUS_FAILED,
		          "Name them in one piece, with a tag that is there; then run it again.",
		          "%s: %u of %u images got no digest", name, unpinned, images->len);
	return failed + unpinned == 0;
}

/* Reads, asks, and writes unless it only looks. */
static bool lock_bundle(App *app, const StackBundle *bundle, GError **error)
{
	const char *name = stacks_definition(bundle)->name;
	LockMode mode = is_check ? LOCK_CHECK : is_refresh ? LOCK_REFRESH : LOCK_NEW;
	g_autoptr(LintReport) report = lint_stack(bundle, true, error);
	g_autofree char *endpoint = facts_engine_endpoint();

	if (!report || !has_all_images(report, name, error))
		return false;

	g_autoptr(GPtrArray) images = stack_lock_images(report->images);
	return stack_lock_ask(images, mode, endpoint, app->term, error) &&
	       (is_check || stack_lock_write(images, stacks_origin(bundle), error)) &&
	       show_images(app, name, images, error);
}

bool command_stack_lock(App *app, int argc, char **argv, GError **error)
{
	const char *word = argc > 0 ? argv[0] : "./";
	g_autoptr(StackBundle) bundle = stacks_open(word, error);

	if (!bundle)
		return false;
	if (is_check && is_refresh) {
		fault_set(error, STATUS_USAGE, "Leave one of them out.",
		          "--check writes nothing, and --refresh does");
		return false;
	}
	if (!is_check && !g_file_test(stacks_origin(bundle), G_FILE_TEST_IS_DIR)) {
		g_autofree char *hint = g_strdup_printf(
			"\"slipway unpack %s DIR\" writes its files; then \"slipway stack lock "
			"DIR\".",
			word);
		fault_set(error, STATUS_USAGE, hint, "%s is no directory that could be written to",
		          word);
		return false;
	}
	return lock_bundle(app, bundle, error);
}
