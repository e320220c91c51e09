/* installer/step_source.c - step kind "source": one revision of a git repository, with our edits
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/http.h"
#include "base/process.h"
#include "installer/edit.h"
#include "installer/owned_tree.h"
#include "installer/recipe.h"
#include "installer/undo.h"

#define REVISION_LENGTH 40
#define LOCAL_TIMEOUT_MS (5 * 60 * 1000)
/* A shallow fetch, and one of a whole history, over a slow line; git itself gives up after 60 s
 * under 1,000 bytes/s. */
#define FETCH_TIMEOUT_MS (15 * 60 * 1000)
#define FULL_FETCH_TIMEOUT_MS (45 * 60 * 1000)
#define OUTPUT_MAX_BYTES ((gsize)64 * 1024)

static const char *const keys[] = { "!path", "!url", "!revision", "*@edits", NULL };

typedef struct {
	const StepRun *run;
	char *program;
	char *tree;
	char **policy; /* options in front of every subcommand */
	char *config;  /* "GIT_CONFIG_GLOBAL=FILE", in the environment of every subcommand */
} Git;

static void git_clear(Git *git)
{
	g_free(git->program);
	g_free(git->tree);
	g_strfreev(git->policy);
	g_free(git->config);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Git, git_clear)

static const char *need_revision(const StepRun *run, GError **error)
{
	const char *revision = recipe_input(run, "revision", error);

	if (!revision || (strlen(revision) == REVISION_LENGTH &&
	                  strspn(revision, "0123456789abcdef") == REVISION_LENGTH))
		return revision;

	fault_set(error, STATUS_CONFIG, NULL,
	          "step %s: \"%s\" is not a full revision (40 lower-case hex digits)",
	          run->step->id, revision);
	return NULL;
}

/* The one transport that this URL may use; NULL: none. */
static const char *transport_of(const char *url)
{
	if (g_str_has_prefix(url, "https://"))
		return "protocol.https.allow=always";
	if (url[0] == '/' || g_str_has_prefix(url, "file:///"))
		return "protocol.file.allow=always";
	if (http_is_loopback(url))
		return "protocol.http.allow=always";

	return NULL;
}

static void add_option(GPtrArray *options, const char *option)
{
	g_ptr_array_add(options, g_strdup("-c"));
	g_ptr_array_add(options, g_strdup(option));
}

/* Nothing of the machine's or the user's git settings, no hook, no filter and no prompt has a say
 * in what is checked out. */
static char **make_policy(const Git *git, const char *transport)
{
	static const char *const fixed[] = {
		"protocol.allow=never",      "core.hooksPath=/dev/null",
		"core.fsmonitor=false",      "core.autocrlf=false",
		"core.protectHFS=true",      "core.protectNTFS=true",
		"core.attributesFile=",      "submodule.recurse=false",
		"credential.helper=",        "gc.auto=0",
		"maintenance.auto=false",    "core.logAllRefUpdates=false",
		"advice.detachedHead=false", "http.lowSpeedLimit=1000",
		"http.lowSpeedTime=60",      "init.defaultBranch=main",
	};
	g_autoptr(GPtrArray) options = g_ptr_array_new();
	g_autofree char *safe = g_strconcat("safe.directory=", git->tree, NULL);
	const char *bundle = git->run->host ? git->run->host->ca_bundle : NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(fixed); i++)
		add_option(options, fixed[i]);
	add_option(options, transport);
	add_option(options, safe);
	if (bundle) {
		g_autofree char *trust = g_strconcat("http.sslCAInfo=", bundle, NULL);
		add_option(options, trust);
	}
	g_ptr_array_add(options, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&options), FALSE);
}

static bool set_policy(Git *git, const char *url, GError **error)
{
	const char *transport = transport_of(url);

	if (!transport) {
		fault_set(error, STATUS_CONFIG, NULL,
		          "step %s: %s is neither https nor a local path", git->run->step->id, url);
		return false;
	}

	g_strfreev(git->policy);
	git->policy = make_policy(git, transport);
	return true;
}

/* The server side of a local mirror takes no option of ours, only a file, and refuses a repository
 * that belongs to somebody else: whoever named the mirror decided that. */
static bool write_config(Git *git, GError **error)
{
	static const char text[] = "[safe]\n\tdirectory = *\n";
	g_autofree char *path = g_build_filename(git->run->txn_dir, "gitconfig", NULL);

	git->config = g_strconcat("GIT_CONFIG_GLOBAL=", path, NULL);
	return file_write(path, text, strlen(text), 0600, error);
}

/* Runs one subcommand in the tree; NULL ends @arguments. */
static char *git_run(const Git *git, guint timeout_ms, const char *const *arguments, GError **error)
{
	const char *const env[] = { "GIT_CONFIG_NOSYSTEM=1",      git->config,
		                    "GIT_TERMINAL_PROMPT=0",      "GIT_ASKPASS=/bin/false",
		                    "GIT_ATTR_NOSYSTEM=1",        "GIT_OPTIONAL_LOCKS=0",
		                    "GIT_SSH_COMMAND=/bin/false", NULL };
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(argv, g_strdup(git->program));
	for (char **option = git->policy; *option; option++)
		g_ptr_array_add(argv, g_strdup(*option));
	for (; *arguments; arguments++)
		g_ptr_array_add(argv, g_strdup(*arguments));
	g_ptr_array_add(argv, NULL);

	ProcessSpec spec = {
		.argv = (const char *const *)argv->pdata,
		.env = env,
		.cwd = git->tree,
		.timeout_ms = timeout_ms,
		.max_output_bytes = OUTPUT_MAX_BYTES,
	};
	return process_capture(&spec, error);
}

/* A command that touches nothing but this machine: its failure is not the network's. */
static char *git_run_local(const Git *git, const char *const *arguments, GError **error)
{
	GError *failure = NULL;
	char *out = git_run(git, LOCAL_TIMEOUT_MS, arguments, &failure);

	if (!out && failure->code == STATUS_UNAVAILABLE)
		failure->code = recipe_status_of(failure->message, STATUS_FAILED);
	if (!out)
		g_propagate_error(error, failure);
	return out;
}

static bool git_do(const Git *git, const char *const *arguments, GError **error)
{
	g_autofree char *out = git_run_local(git, arguments, error);

	return out != NULL;
}

/* Whether another way to ask the same server may do better: not when it cannot be reached, and not
 * when we were asked to stop. */
static bool may_ask_again(const GError *error)
{
	return error->code == STATUS_UNAVAILABLE && recipe_status_of(error->message, 0) == 0;
}

static void fail_fetch(const char *url, GError *failure, GError **error)
{
	if (failure->code == STATUS_UNAVAILABLE || failure->code == STATUS_DEADLINE)
		failure->code = recipe_status_of(failure->message, STATUS_UNAVAILABLE);
	g_propagate_prefixed_error(error, failure, "cannot fetch %s: ", url);
}

/* Just the revision if the server gives it out by its id, else everything it has. */
static bool fetch(const Git *git, const char *url, const char *revision, GError **error)
{
	const char *const shallow[] = { "fetch", "--quiet",   "--depth",
		                        "1",     "--no-tags", "--no-recurse-submodules",
		                        url,     revision,    NULL };
	const char *const full[] = { "fetch",
		                     "--quiet",
		                     "--no-tags",
		                     "--no-recurse-submodules",
		                     url,
		                     "+refs/heads/*:refs/remotes/origin/*",
		                     "+refs/tags/*:refs/tags/*",
		                     NULL };
	GError *failure = NULL;

	recipe_report(git->run, -1, "fetching the revision");
	g_autofree char *out = git_run(git, FETCH_TIMEOUT_MS, shallow, &failure);
	if (!out && may_ask_again(failure)) {
		g_clear_error(&failure);
		recipe_report(git->run, -1, "fetching the whole history");
		out = git_run(git, FULL_FETCH_TIMEOUT_MS, full, &failure);
	}
	if (!out)
		fail_fetch(url, failure, error);
	return out != NULL;
}

static bool verify_revision(const Git *git, const char *revision, GError **error)
{
	const char *const ask[] = { "rev-parse", "--verify", "HEAD^{commit}", NULL };
	g_autofree char *found = git_run_local(git, ask, error);

	if (!found)
		return false;
	if (g_str_equal(found, revision))
		return true;

	fault_set(error, STATUS_UNTRUSTED, NULL, "the checkout is at %s, not at %s", found,
	          revision);
	return false;
}

static bool check_out(const Git *git, const char *url, const char *revision, GError **error)
{
	g_autofree char *object = g_strconcat(revision, "^{commit}", NULL);
	const char *const exists[] = { "cat-file", "-e", object, NULL };
	const char *const checkout[] = { "checkout", "--quiet", "--detach", revision, NULL };

	if (!git_do(git, exists, NULL)) {
		fault_set(error, STATUS_UNAVAILABLE, NULL, "%s does not have the revision %s", url,
		          revision);
		return false;
	}

	recipe_report(git->run, -1, "checking out");
	return git_do(git, checkout, error) && verify_revision(git, revision, error);
}

static bool apply_edits(const StepRun *run, const char *tree, GError **error)
{
	g_auto(GStrv) members = json_to_strv(json_object_get(run->step->inputs, "edits"));

	for (char **member = members; *member; member++) {
		g_autoptr(GBytes) edits = recipe_member(run, *member, error);
		if (!edits || !edit_apply(tree, edits, *member, error))
			return false;
	}

	return true;
}

static bool write_inside(const char *tree, const char *name, const char *text, GError **error)
{
	g_autofree char *path = g_build_filename(tree, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);

	return file_make_dirs(parent, 0755, NULL, error) &&
	       file_write(path, text, strlen(text), 0644, error);
}

/* A person who looks ("git status") must not change a file that an uninstall compares: git writes
 * the index anew as long as a file is as young as the index is. */
static bool settle_index(const Git *git, GError **error)
{
	const char *const refresh[] = { "update-index", "--refresh", "-q", NULL };
	g_autofree char *index = g_build_filename(git->tree, ".git", "index", NULL);
	g_autofree char *fetched = g_build_filename(git->tree, ".git", "FETCH_HEAD", NULL);
	struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = 0 } };

	(void)git_do(git, refresh, NULL); /* says 1 when a file has our edits */
	times[1].tv_sec = (time_t)(g_get_real_time() / G_USEC_PER_SEC) + 2;
	(void)utimensat(AT_FDCWD, index, times, 0);
	return file_remove(fetched, error); /* the URL, maybe with a password */
}

/* An HttpLoad: no server decides what the revision is, git computes its id. */
static bool load(const char *url, gpointer data, GError **error)
{
	Git *git = data;
	const char *revision = json_text_or(git->run->step->inputs, "revision", "");

	return set_policy(git, url, error) && fetch(git, url, revision, error) &&
	       check_out(git, url, revision, error);
}

static bool build(Git *git, const char *url, GError **error)
{
	const char *const init[] = { "init", "--quiet", "--template=", ".", NULL };
	g_auto(GStrv) urls = step_places(git->run->step, url);

	return set_policy(git, url, error) && git_do(git, init, error) &&
	       write_inside(git->tree, ".git/info/exclude", UNDO_MARK "\n" OWNED_TREE_COMPLETE "\n",
	                    error) &&
	       http_from_places((const char *const *)urls, load, git, error) &&
	       apply_edits(git->run, git->tree, error) && settle_index(git, error);
}

static bool make_git(const StepRun *run, Git *git, GError **error)
{
	git->run = run;
	git->program = process_find("git");
	if (!git->program) {
		fault_set(error, STATUS_UNAVAILABLE, NULL, "git is not installed");
		return false;
	}

	return write_config(git, error);
}

static bool make_checkout(const StepRun *run, const char *path, GError **error)
{
	const char *url = recipe_input(run, "url", error);
	const char *revision = url ? need_revision(run, error) : NULL;
	g_auto(Git) git = { 0 };

	if (!revision)
		return false;

	git.tree = owned_tree_stage(run, path, error);
	return git.tree && make_git(run, &git, error) &&
	       file_make_dirs(git.tree, 0755, NULL, error) && build(&git, url, error) &&
	       owned_tree_place(run, path, git.tree, error);
}

/* HEAD holds the revision itself as long as nobody checked out something else. */
static bool is_at(const char *path, const char *revision)
{
	g_autofree char *name = g_build_filename(path, ".git", "HEAD", NULL);
	g_autoptr(GBytes) bytes = file_read(name, REVISION_LENGTH + 1, NULL);

	return bytes && g_bytes_get_size(bytes) == REVISION_LENGTH + 1 &&
	       strncmp(g_bytes_get_data(bytes, NULL), revision, REVISION_LENGTH) == 0;
}

static bool probe_source(const StepRun *run, Probe *probe, GError **error)
{
	const char *path = recipe_input(run, "path", error);
	const char *revision = path ? need_revision(run, error) : NULL;

	if (!revision)
		return false;

	*probe = owned_tree_probe(run, path);
	if (*probe == PROBE_OURS && !is_at(path, revision))
		*probe = PROBE_EDITED;
	return true;
}

static json_t *prepare_source(const StepRun *run, GError **error)
{
	const char *path = recipe_input(run, "path", error);

	return path ? owned_tree_recipe(run, path) : NULL;
}

static json_t *apply_source(const StepRun *run, GError **error)
{
	const char *path = recipe_input(run, "path", error);

	if (!path || (!owned_tree_is_complete(run, path) && !make_checkout(run, path, error)))
		return NULL;

	json_t *result = owned_tree_result(run, path, error);
	if (result)
		json_put(result, "revision", json_text(run->step->inputs, "revision"));
	return result;
}

const StepKind step_kind_source = {
	.name = "source",
	.verb = "check out into",
	.keys = keys,
	.weight = 15,
	.needs_programs = true,
	.probe = probe_source,
	.prepare = prepare_source,
	.apply = apply_source,
};
