/* installer/compose.c - a container project: docker compose and the engine's API
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/compose.h"

#include <string.h>

#include "base/fault.h"
#include "base/process.h"
#include "base/secret.h"
#include "installer/compose_fault.h"
#include "installer/engine.h"

#define QUESTION_MS 30000
#define DOWN_MS (5 * 60 * 1000)
#define PULL_S (30 * 60)

#define LABEL "com.docker.compose."

void compose_state_clear(ComposeState *state)
{
	json_decref(state->hashes);
	state->hashes = NULL;
}

/* "Up 3 minutes", "Up 3 seconds (health: starting)", "Up 1 hour (unhealthy)", "Exited (0) ..." */
static bool is_settled(const json_t *container)
{
	const char *state = json_text_or(container, "State", "");
	const char *status = json_text_or(container, "Status", "");

	if (g_str_equal(state, "exited"))
		return g_str_has_prefix(status, "Exited (0)");
	return g_str_equal(state, "running") && !strstr(status, "(unhealthy)") &&
	       !strstr(status, "(health: starting)");
}

bool compose_is_ours(const ComposeProject *project, const json_t *labels)
{
	const char *files = json_text_or(labels, LABEL "project.config_files", "");
	g_auto(GStrv) names = g_strsplit(files, ",", -1);

	if (g_strcmp0(json_text(labels, LABEL "project.working_dir"), project->directory) != 0)
		return false;
	for (char **name = names; *name; name++)
		if (!g_strv_contains((const char *const *)project->files, *name) &&
		    !g_strv_contains((const char *const *)project->earlier, *name))
			return false;
	return *names != NULL;
}

static bool read_containers(const ComposeProject *project, const json_t *containers,
                            ComposeState *state, GError **error)
{
	if (!json_is_array(containers)) {
		fault_set(error, STATUS_DATA, NULL, "the engine's answer is no list of containers");
		return false;
	}
	g_auto(GStrv) standby = compose_standby(project);
	*state = (ComposeState){ .hashes = json_object() };
	for (gsize i = 0; i < json_array_size(containers); i++) {
		const json_t *container = json_array_get(containers, i);
		const json_t *labels = json_object_get(container, "Labels");
		const char *service = json_text(labels, LABEL "service");

		if (g_strcmp0(json_text(labels, LABEL "oneoff"), "True") == 0)
			continue;
		state->foreign += !compose_is_ours(project, labels);
		if (service && g_strv_contains((const char *const *)standby, service))
			continue;
		state->containers++;
		state->settled += is_settled(container);
		if (service)
			json_put(state->hashes, service, json_text(labels, LABEL "config-hash"));
	}
	return true;
}

bool compose_parse_containers(const ComposeProject *project, GBytes *answer, ComposeState *state,
                              GError **error)
{
	g_autoptr(json_t) containers = json_parse_bytes(answer, "engine", error);

	return containers && read_containers(project, containers, state, error);
}

json_t *compose_list(const ComposeProject *project, const char *what, GError **error)
{
	g_autofree char *filter = engine_project_filter(project->project);
	g_autofree char *path = g_strconcat(what, strchr(what, '?') ? "&" : "?", filter, NULL);

	return engine_get(project->engine, path, error);
}

bool compose_ask(const ComposeProject *project, ComposeState *state, GError **error)
{
	g_autoptr(json_t) containers = compose_list(project, "/containers/json?all=1", error);

	return containers && read_containers(project, containers, state, error);
}

bool compose_sees_our_files(const ComposeProject *project, bool *is_seen, GError **error)
{
	g_autoptr(json_t) info = engine_get(project->engine, "/info", error);

	if (!info)
		return false;

	*is_seen = g_str_has_prefix(project->engine, "unix://") &&
	           !strstr(json_text_or(info, "OperatingSystem", ""), "Docker Desktop");
	return true;
}

/* Returns: (transfer full): "docker compose --ansi never -p P ..." with @words behind; files only
 * @has_files: what is to be removed is found by its labels. */
static char **compose_argv(const ComposeProject *project, bool has_files, const char *const *words,
                           GError **error)
{
	char *docker = process_find("docker");
	GPtrArray *argv;

	if (!docker) {
		fault_set(error, STATUS_UNAVAILABLE, NULL, "there is no docker program");
		return NULL;
	}
	argv = g_ptr_array_new();
	g_ptr_array_add(argv, docker);
	for (const char *const *word =
	             (const char *const[]){ "compose", "--ansi", "never", "-p", NULL };
	     *word; word++)
		g_ptr_array_add(argv, g_strdup(*word));
	g_ptr_array_add(argv, g_strdup(project->project));
	if (has_files) {
		g_ptr_array_add(argv, g_strdup("--project-directory"));
		g_ptr_array_add(argv, g_strdup(project->directory));
	}
	if (has_files && project->env_file) {
		g_ptr_array_add(argv, g_strdup("--env-file"));
		g_ptr_array_add(argv, g_strdup(project->env_file));
	}
	if (has_files && project->variables) {
		g_ptr_array_add(argv, g_strdup("--env-file"));
		g_ptr_array_add(argv, g_strdup(project->variables));
	}
	for (char **file = project->files; has_files && *file; file++) {
		g_ptr_array_add(argv, g_strdup("-f"));
		g_ptr_array_add(argv, g_strdup(*file));
	}
	for (; *words; words++)
		g_ptr_array_add(argv, g_strdup(*words));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

/** One call of docker compose. */
typedef struct {
	const ComposeProject *project;
	const char *const *words;
	bool has_files;
	guint timeout_ms;
	void (*on_line)(const char *line, gpointer data);
	gpointer data;
	bool has_keys; /* it gets the project's environment */
} Call;

/* Returns: (transfer container): what the child's environment gets on top; secrets are not copied. */
static const char **call_environment(const Call *call, const char *engine, const char *bundle,
                                     const char *profiles)
{
	const GPtrArray *keys = call->has_keys ? call->project->environment : NULL;
	const char **env = g_new0(const char *, (keys ? keys->len : 0) + 6);
	gsize count = 0;

	env[count++] = "DOCKER_CLI_HINTS=false";
	env[count++] = "COMPOSE_MENU=false";
	for (guint i = 0; keys && i < keys->len; i++)
		env[count++] = secret_text(keys->pdata[i]);
	if (bundle)
		env[count++] = bundle;
	if (profiles)
		env[count++] = profiles;
	env[count] = engine;
	return env;
}

static bool run(const Call *call, ProcessResult *result, GError **error)
{
	g_auto(GStrv) argv = compose_argv(call->project, call->has_files, call->words, error);
	const char *endpoint = call->project->engine;
	g_autofree char *engine = endpoint ? g_strconcat("DOCKER_HOST=", endpoint, NULL) : NULL;
	const char *ca = call->project->ca_bundle;
	g_autofree char *bundle = ca ? g_strconcat("SLIPWAY_CA_BUNDLE=", ca, NULL) : NULL;
	g_autofree char *active = compose_profiles(call->project);
	g_autofree char *profiles = active ? g_strconcat("COMPOSE_PROFILES=", active, NULL) : NULL;
	g_autofree const char **env = call_environment(call, engine, bundle, profiles);
	/* In "/": newer builders refuse the file of a secret that is not below where they run. */
	const ProcessSpec spec = {
		.argv = (const char *const *)argv,
		.env = env,
		.cwd = "/",
		.timeout_ms = call->timeout_ms,
		.on_line = call->on_line,
		.data = call->data,
	};

	return argv && process_run(&spec, result, error);
}

static void fail(GError **error, const Call *call, const ProcessResult *result)
{
	/* What a build said is on the other stream. */
	g_autofree char *said = g_strconcat(result->out, "\n", result->err, NULL);

	compose_fault_set(error, *call->words, call->project->project, said);
}

bool compose_check(const ComposeProject *project, GError **error)
{
	const Call call = {
		.project = project,
		.words = (const char *const[]){ "version", "--short", NULL },
		.timeout_ms = QUESTION_MS,
	};
	g_auto(ProcessResult) result = { 0 };
	g_auto(ComposeState) state = { 0 };

	if (!run(&call, &result, error))
		return false;
	if (result.exit_code != 0) {
		fault_set(error, STATUS_UNAVAILABLE,
		          "Install the Docker Compose plugin, then run slipway again.",
		          "docker has no compose plugin that answers");
		return false;
	}
	return compose_ask(project, &state, error);
}

/* Compose finds a network that it has just made missing now and then: docker/compose#9205. */
static bool is_race(const ProcessResult *result)
{
	return strstr(result->err, "network") && strstr(result->err, "not found");
}

static char *judge_service(const json_t *service)
{
	const char *name = json_text_or(service, "Service", json_text_or(service, "Name", "?"));
	const char *state = json_text_or(service, "State", "?");
	const char *health = json_text_or(service, "Health", "");
	json_int_t exit_code = json_integer_value(json_object_get(service, "ExitCode"));

	if (g_str_equal(state, "exited"))
		return exit_code == 0 ? NULL
		                      : g_strdup_printf("service %s ended with status %d", name,
		                                        (int)exit_code);
	if (!g_str_equal(state, "running"))
		return g_strdup_printf("service %s is %s", name, state);
	if (*health && !g_str_equal(health, "healthy"))
		return g_strdup_printf("service %s is %s", name, health);
	return NULL;
}

static char *judge_services(const json_t *services)
{
	char *trouble = NULL;

	if (json_is_object(services))
		return judge_service(services);
	for (gsize i = 0; i < json_array_size(services) && !trouble; i++)
		trouble = judge_service(json_array_get(services, i));
	return trouble;
}

char *compose_find_trouble(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	guint count = 0;

	for (char **line = lines; *line; line++) {
		g_autoptr(GBytes) bytes = g_bytes_new(*line, strlen(*line));
		g_autoptr(json_t) services = NULL;
		char *trouble;

		if (!*g_strstrip(*line))
			continue;
		services = json_parse_bytes(bytes, "compose ps", NULL);
		if (!services)
			return g_strdup("docker compose ps says something that is no JSON");
		count += json_is_object(services) ? 1 : (guint)json_array_size(services);
		trouble = judge_services(services);
		if (trouble)
			return trouble;
	}
	return count > 0 ? NULL : g_strdup("no container was started");
}

static bool verify(const ComposeProject *project, GError **error)
{
	/* A colour that is not active may have ended as it likes. */
	const char *others = project->colours ? "--orphans=false" : NULL;
	const Call call = {
		.project = project,
		.words = (const char *const[]){ "ps", "--all", "--format", "json", others, NULL },
		.has_files = true,
		.timeout_ms = QUESTION_MS,
	};
	g_auto(ProcessResult) result = { 0 };
	g_autofree char *trouble = NULL;

	if (!run(&call, &result, error))
		return false;
	if (result.exit_code != 0) {
		fail(error, &call, &result);
		return false;
	}
	trouble = compose_find_trouble(result.out);
	if (trouble)
		fault_set(error, STATUS_UNVERIFIED, NULL, "project %s: %s", project->project,
		          trouble);
	return !trouble;
}

/* "up", with @option if there is one, for @services or all. */
static bool bring_up(Call *call, const char *option, char **services, GError **error)
{
	g_autofree char *wait_s = g_strdup_printf("%u", call->project->wait_s);
	const char *const head[] = { "up",   "-d",           "--wait", "--wait-timeout",
		                     wait_s, "--quiet-pull", option };
	guint count = services ? g_strv_length(services) : 0;
	g_autofree const char **words = g_new0(const char *, G_N_ELEMENTS(head) + count + 1);

	memcpy(words, head, sizeof(head));
	for (guint i = 0; i < count; i++)
		words[G_N_ELEMENTS(head) + i] = services[i];
	call->words = words;
	for (guint attempt = 1;; attempt++) {
		g_auto(ProcessResult) result = { 0 };

		if (!run(call, &result, error))
			return false;
		if (result.exit_code == 0)
			return true;
		if (attempt == 1 && is_race(&result))
			continue;
		fail(error, call, &result);
		return false;
	}
}

static Call start_of(const ComposeProject *project)
{
	return (Call){
		.project = project,
		.has_files = true,
		.has_keys = true,
		.timeout_ms = (project->wait_s + PULL_S) * 1000,
		.on_line = project->on_line,
		.data = project->data,
	};
}

bool compose_up(const ComposeProject *project, GError **error)
{
	Call call = start_of(project);

	return bring_up(&call, "--remove-orphans", NULL, error) && verify(project, error);
}

/* Returns: (transfer container): those of @services that are not to stand by. */
static char **without_standby(const ComposeProject *project, char **services)
{
	g_auto(GStrv) standby = compose_standby(project);
	GPtrArray *list = g_ptr_array_new();

	for (; *services; services++)
		if (!g_strv_contains((const char *const *)standby, *services))
			g_ptr_array_add(list, *services);
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}

bool compose_recreate(const ComposeProject *project, char **services, GError **error)
{
	g_autofree char **wanted = without_standby(project, services);
	Call call = start_of(project);

	return !*wanted || bring_up(&call, "--force-recreate", wanted, error);
}

bool compose_up_alone(const ComposeProject *project, const char *service, GError **error)
{
	g_auto(GStrv) services = g_strsplit(service, "\x01", 1);
	Call call = start_of(project);

	return bring_up(&call, "--no-deps", services, error);
}

bool compose_build(const ComposeProject *project, const char *const *words, GError **error)
{
	const Call call = {
		.project = project,
		.words = words,
		.has_files = true,
		.has_keys = true,
		.timeout_ms = PULL_S * 1000,
		.on_line = project->on_line,
		.data = project->data,
	};
	g_auto(ProcessResult) result = { 0 };

	if (!run(&call, &result, error))
		return false;
	if (result.exit_code != 0)
		fail(error, &call, &result);
	return result.exit_code == 0;
}

char **compose_images(const ComposeProject *project, GError **error)
{
	const Call call = {
		.project = project,
		.words = (const char *const[]){ "config", "--images", NULL },
		.has_files = true,
		.timeout_ms = QUESTION_MS,
	};
	g_auto(ProcessResult) result = { 0 };

	if (!run(&call, &result, error))
		return NULL;
	if (result.exit_code != 0) {
		fail(error, &call, &result);
		return NULL;
	}
	return g_strsplit(g_strchomp(result.out), "\n", -1);
}

json_t *compose_config(const ComposeProject *project, GError **error)
{
	const Call call = {
		.project = project,
		.words = (const char *const[]){ "--profile", "*", "config", "--format", "json",
		                                NULL },
		.has_files = true,
		.has_keys = true,
		.timeout_ms = QUESTION_MS,
	};
	const Call version = {
		.project = project,
		.words = (const char *const[]){ "version", "--short", NULL },
		.timeout_ms = QUESTION_MS,
	};
	g_auto(ProcessResult) result = { 0 };
	g_auto(ProcessResult) answer = { 0 };

	if (!run(&call, &result, error))
		return NULL;
	if (result.exit_code == 0) {
		g_autoptr(GBytes) text = g_bytes_new(result.out, strlen(result.out));
		return json_parse_bytes(text, "docker compose config", error);
	}
	if (run(&version, &answer, error) && answer.exit_code == 0)
		fault_set(error, STATUS_CONFIG, NULL, "%s", g_strchomp(result.err));
	else if (!error || !*error)
		fault_set(error, STATUS_UNAVAILABLE,
		          "Install the Docker Compose plugin, then run slipway again.",
		          "docker has no compose plugin that answers");
	return NULL;
}

bool compose_tell(const ComposeProject *project, const char *verb, char **services, GError **error)
{
	guint count = services ? g_strv_length(services) : 0;
	g_autofree const char **words = g_new0(const char *, count + 2);
	/* What it is about is found by its labels. */
	const Call call = { .project = project, .words = words, .timeout_ms = DOWN_MS };
	g_auto(ProcessResult) result = { 0 };

	words[0] = verb;
	for (guint i = 0; i < count; i++)
		words[i + 1] = services[i];
	if (!run(&call, &result, error))
		return false;
	if (result.exit_code != 0)
		fail(error, &call, &result);
	return result.exit_code == 0;
}
