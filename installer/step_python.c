/* installer/step_python.c - step kind "python": a virtual environment with pinned packages
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/process.h"
#include "installer/owned_tree.h"
#include "installer/recipe.h"
#include "installer/tools.h"

#define VENV_TIMEOUT_MS (5 * 60 * 1000)
#define PIP_TIMEOUT_MS (30 * 60 * 1000)
#define ASK_TIMEOUT_MS (60 * 1000)
#define OUTPUT_MAX_BYTES ((gsize)256 * 1024)
/* Of pip's last words, in a message. */
#define WORDS_MAX_BYTES 600

static const char *const keys[] = { "!path", "!@requirements", "!python", "*@shims", NULL };

static char *venv_python(const char *path)
{
	return g_build_filename(path, "bin", "python", NULL);
}

static void report_line(const char *line, gpointer data)
{
	static const char *const starts[] = { "Collecting ", "Downloading ", "Processing ",
		                              "Installing " };

	line += strspn(line, " ");
	for (gsize i = 0; i < G_N_ELEMENTS(starts); i++)
		if (g_str_has_prefix(line, starts[i]))
			recipe_report(data, -1, line);
}

static char *last_words(const ProcessResult *result)
{
	const char *text = *result->err ? result->err : result->out;
	gsize length = strlen(text);
	g_autofree char *end =
		g_strdup(text + (length > WORDS_MAX_BYTES ? length - WORDS_MAX_BYTES : 0));

	return g_strstrip(g_utf8_make_valid(end, -1));
}

/* Runs a Python; a failure gets the status that its output tells. */
static char *run_python(const StepRun *run, const char *const *argv, guint timeout_ms,
                        GError **error)
{
	/* A pip.conf may name the index of a site, but not where packages go. */
	static const char *const env[] = { "PIP_USER=0", "PIP_REQUIRE_VIRTUALENV=0",
		                           "PYTHONNOUSERSITE=1", "PIP_NO_PYTHON_VERSION_WARNING=1",
		                           NULL };
	g_auto(ProcessResult) result = { 0 };
	ProcessSpec spec = {
		.argv = argv,
		.env = env,
		.timeout_ms = timeout_ms,
		.max_output_bytes = OUTPUT_MAX_BYTES,
		.on_line = report_line,
		.data = (gpointer)(guintptr)run,
	};

	if (!process_run(&spec, &result, error))
		return NULL;
	if (result.exit_code == 0)
		return g_strchomp(g_steal_pointer(&result.out));

	g_autofree char *all = g_strconcat(result.out, result.err, NULL);
	g_autofree char *words = last_words(&result);
	bool is_wrong = strstr(all, "DO NOT MATCH THE HASHES") || strstr(all, "do not have hashes");
	int status = is_wrong ? STATUS_UNTRUSTED : recipe_status_of(all, STATUS_FAILED);
	fault_set(error, (ExitStatus)status, NULL, "%s: %s", argv[0], words);
	return NULL;
}

/* One interpreter for the environment: the first of the catalogue that is new enough and has venv
 * and ensurepip. */
static char *find_python(const StepRun *run, char **version, GError **error)
{
	const char *minimum = recipe_input(run, "python", error);
	const CatalogueTool *tool = minimum ? catalogue_find(catalogue_get(), "python") : NULL;
	char *program = NULL;

	if (!minimum)
		return NULL;
	if (!tool) {
		fault_set(error, STATUS_BUG, NULL, "the tool catalogue has no python");
		return NULL;
	}

	return tools_probe(tool, minimum, &program, version, error) ? program : NULL;
}

static bool make_venv(const StepRun *run, const char *path, char **version, GError **error)
{
	g_autofree char *program = find_python(run, version, error);

	if (!program)
		return false;

	const char *const argv[] = { program, "-I", "-m", "venv", path, NULL };
	recipe_report(run, -1, "making the environment");
	g_autofree char *out = run_python(run, argv, VENV_TIMEOUT_MS, error);
	return out != NULL;
}

/* pip takes its CA bundle from an option only: the clean environment has no variable of pip's. */
static void add_sources(const StepRun *run, GPtrArray *argv)
{
	const char *index = json_text(run->step->inputs, "index");
	const char *wheels = json_text(run->step->inputs, "find_links");
	const char *bundle = run->host ? run->host->ca_bundle : NULL;
	const char *own_bundle = bundle ? bundle : g_getenv("SSL_CERT_FILE");

	if (own_bundle && *own_bundle) {
		g_ptr_array_add(argv, g_strdup("--cert"));
		g_ptr_array_add(argv, g_strdup(own_bundle));
	}
	if (wheels) {
		g_ptr_array_add(argv, g_strdup("--find-links"));
		g_ptr_array_add(argv, g_strdup(wheels));
	}
	if (index) {
		g_ptr_array_add(argv, g_strdup("--index-url"));
		g_ptr_array_add(argv, g_strdup(index));
	} else if (wheels) {
		g_ptr_array_add(argv, g_strdup("--no-index"));
	}
}

static bool install_packages(const StepRun *run, const char *path, GError **error)
{
	static const char *const fixed[] = {
		"-I",
		"-m",
		"pip",
		"install",
		"--require-hashes",
		"--no-deps",
		"--only-binary",
		":all:",
		"--no-input",
		"--disable-pip-version-check",
		"--no-cache-dir",
		"--no-warn-script-location",
		"--progress-bar",
		"off",
		"--retries",
		"2",
		"--timeout",
		"20",
	};
	const char *member = recipe_input(run, "requirements", error);
	g_autoptr(GBytes) bytes = member ? recipe_member(run, member, error) : NULL;

	if (!bytes)
		return false;

	/* The bytes that were verified, not a file that could be another one by now. */
	g_autofree char *list = g_build_filename(path, "requirements.txt", NULL);
	gsize size_bytes = 0;
	const void *data = g_bytes_get_data(bytes, &size_bytes);
	if (!file_write(list, data, size_bytes, 0644, error))
		return false;

	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(argv, venv_python(path));
	for (gsize i = 0; i < G_N_ELEMENTS(fixed); i++)
		g_ptr_array_add(argv, g_strdup(fixed[i]));
	add_sources(run, argv);
	g_ptr_array_add(argv, g_strdup("-r"));
	g_ptr_array_add(argv, g_strdup(list));
	g_ptr_array_add(argv, NULL);

	recipe_report(run, -1, "installing packages");
	g_autofree char *out =
		run_python(run, (const char *const *)argv->pdata, PIP_TIMEOUT_MS, error);
	return out != NULL;
}

/* Asks the new interpreter itself, which also shows that it runs. */
static char *ask_site(const StepRun *run, const char *path, GError **error)
{
	g_autofree char *program = venv_python(path);
	const char *const argv[] = { program, "-I", "-c",
		                     "import sysconfig; print(sysconfig.get_path('purelib'))",
		                     NULL };
	g_autofree char *site = run_python(run, argv, ASK_TIMEOUT_MS, error);

	if (!site)
		return NULL;

	g_autofree char *canonical = g_canonicalize_filename(site, "/");
	if (g_str_equal(canonical, site) && paths_is_below(site, path))
		return g_steal_pointer(&site);

	fault_set(error, STATUS_FAILED, NULL, "%s keeps its packages outside, in %s", program,
	          site);
	return NULL;
}

static bool copy_shims(const StepRun *run, const char *path, GError **error)
{
	g_auto(GStrv) members = json_to_strv(json_object_get(run->step->inputs, "shims"));
	g_autofree char *site = ask_site(run, path, error);

	if (!site)
		return false;

	for (char **member = members; *member; member++) {
		g_autoptr(GBytes) bytes = recipe_member(run, *member, error);
		if (!bytes)
			return false;

		g_autofree char *name = g_path_get_basename(*member);
		g_autofree char *target = g_build_filename(site, name, NULL);
		gsize size_bytes = 0;
		const void *data = g_bytes_get_data(bytes, &size_bytes);
		if (!file_write(target, data, size_bytes, 0644, error))
			return false;
	}

	return true;
}

/* An environment cannot be moved: its programs name their place.  So it is built where it stays. */
static bool build(const StepRun *run, const char *path, char **version, GError **error)
{
	return owned_tree_begin(run, path, error) && make_venv(run, path, version, error) &&
	       install_packages(run, path, error) && copy_shims(run, path, error) &&
	       owned_tree_finish(run, path, error);
}

/* The interpreter that it links to may have left with a system upgrade. */
static bool probe_python(const StepRun *run, Probe *probe, GError **error)
{
	const char *path = recipe_input(run, "path", error);

	if (!path)
		return false;

	g_autofree char *program = venv_python(path);
	*probe = owned_tree_probe(run, path);
	if (*probe == PROBE_OURS && access(program, X_OK) != 0)
		*probe = PROBE_PARTIAL;
	return true;
}

static json_t *prepare_python(const StepRun *run, GError **error)
{
	const char *path = recipe_input(run, "path", error);

	return path ? owned_tree_recipe(run, path) : NULL;
}

static bool is_whole(const StepRun *run, const char *path)
{
	g_autofree char *program = venv_python(path);

	return owned_tree_is_complete(run, path) && access(program, X_OK) == 0;
}

static json_t *apply_python(const StepRun *run, GError **error)
{
	const char *path = recipe_input(run, "path", error);
	g_autofree char *version = NULL;

	if (!path || (!is_whole(run, path) && !build(run, path, &version, error)))
		return NULL;

	json_t *result = owned_tree_result(run, path, error);
	if (result)
		json_put(result, "python", version);
	return result;
}

const StepKind step_kind_python = {
	.name = "python",
	.verb = "make the Python environment",
	.keys = keys,
	.weight = 40,
	.needs_programs = true,
	.probe = probe_python,
	.prepare = prepare_python,
	.apply = apply_python,
};
