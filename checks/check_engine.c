/* checks/check_engine.c - judges whether there is a container engine, and which
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_remedy.h"

/* An answer later than that makes every command slow, in ms. */
#define ANSWER_SLOW_MS 3000

bool applies_with_engine(const Facts *facts G_GNUC_UNUSED, const CheckNeeds *needs)
{
	return needs->engine != NULL;
}

static void judge_engine_cli(CheckRun *run)
{
	const FactsClient *client = &run->facts->client;
	const char *cli = run->facts->engine.cli;
	CheckFinding *finding = finding_add(run, cli != NULL ? CHECK_PASS : run->check->severity,
	                                    cli != NULL ? cli : "not found");

	if (cli != NULL)
		return;
	if (client->cli_elsewhere != NULL) {
		finding_set(&finding->measured, g_strdup_printf("only %s", client->cli_elsewhere));
		finding_set_remedy(
			finding,
			g_strdup_printf("Run `sudo ln -s %s /usr/local/bin/docker`: no other "
		                        "program looks there.",
		                        client->cli_elsewhere));
	} else if (client->dangling != NULL) {
		g_autofree char *start = remedy_start(run->facts);

		finding_set(&finding->measured,
		            g_strdup_printf("%s is a link that leads nowhere", client->dangling));
		finding_set_remedy(
			finding,
			g_strdup_printf("%s Its link comes back then; else remove it and install "
		                        "Docker's command line.",
		                        start));
	}
}

static void judge_engine_config(CheckRun *run)
{
	const FactsClient *client = &run->facts->client;
	CheckFinding *finding;

	if (client->config == NULL) {
		(void)finding_add(run, CHECK_PASS, "none, which is fine");
		return;
	}
	finding =
		finding_add(run,
	                    client->is_config_valid == FACT_YES  ? CHECK_PASS
	                    : client->is_config_valid == FACT_NO ? run->check->severity
	                                                         : CHECK_UNKNOWN,
	                    client->is_config_valid == FACT_YES ? "in order" : client->config_why);
	finding_set_source(finding, g_strdup(client->config));
}

static void judge_engine_credentials(CheckRun *run)
{
	const FactsClient *client = &run->facts->client;
	CheckFinding *finding;

	if (client->credential_helper == NULL) {
		(void)finding_add(run, CHECK_PASS,
		                  client->has_credential_helpers == FACT_YES ? "found"
		                                                             : "none named");
		return;
	}
	finding = finding_add(run, run->check->severity, NULL);
	finding_set(&finding->measured,
	            g_strdup_printf("%s is not there", client->credential_helper));
	if (client->config != NULL)
		finding_set_source(finding, g_strdup(client->config));
}

static void judge_engine_variables(CheckRun *run)
{
	const char *variables = run->facts->client.variables;
	bool is_set = variables != NULL && *variables != '\0';
	CheckFinding *finding = finding_add(run,
	                                    variables == NULL ? CHECK_UNKNOWN
	                                    : is_set          ? run->check->severity
	                                                      : CHECK_PASS,
	                                    is_set || variables == NULL ? variables : "none set");

	if (is_set)
		finding_set_remedy(finding, g_strdup_printf("Run `unset %s` first, unless that is "
		                                            "meant.",
		                                            variables));
}

/** What each answer is called. */
static const char *const state_words[] = {
	[ENGINE_NOT_ASKED] = "not asked",        [ENGINE_OK] = "answers",
	[ENGINE_ABSENT] = "no engine",           [ENGINE_DENIED] = "permission denied",
	[ENGINE_REFUSED] = "not running",        [ENGINE_NO_ANSWER] = "no answer",
	[ENGINE_REMOTE] = "not on this machine", [ENGINE_PAUSED] = "paused",
};

/* The names that the docker program gives to contexts of the usual engines. */
static char *remedy_other(const FactsEngine *engine)
{
	g_auto(GStrv) sockets = g_strsplit(engine->others, " ", -1);

	if (g_str_has_prefix(engine->endpoint_source != NULL ? engine->endpoint_source : "",
	                     "context"))
		return g_strdup_printf(
			"An engine listens on %s: choose its context (`docker context "
			"ls`, then `docker context use NAME`).",
			sockets[0]);
	return g_strdup_printf(
		"An engine listens on %s: run `export DOCKER_HOST=unix://%s`, or choose "
		"its context.",
		sockets[0], sockets[0]);
}

static char *remedy_absent(const Facts *facts)
{
	const FactsEngine *engine = &facts->engine;

	if (engine->others != NULL)
		return remedy_other(engine);
	if (engine->endpoint == NULL)
		return g_strdup("Run `docker context use default`, or unset DOCKER_CONTEXT.");
	if (g_strcmp0(engine->endpoint_source, "DOCKER_HOST") == 0)
		return g_strdup("Unset DOCKER_HOST, or start the engine that it names.");
	if (facts_flavour(facts) == FLAVOUR_ENGINE && engine->cli == NULL)
		return g_strdup("Install Docker.");
	return remedy_start(facts);
}

static char *remedy_denied(const Facts *facts)
{
	if (facts->engine.is_group_listed == FACT_YES)
		return g_strdup(
			"You have been added to the socket's group: log out and in again, or "
			"run `newgrp docker`.");
	return g_strdup(
		"Add yourself to the group of the socket (`sudo usermod -aG docker $USER`; its "
		"members can become root), then log in again.");
}

static char *remedy_silent(const Facts *facts)
{
	if (flavour_is_desktop(facts_flavour(facts)))
		return g_strdup(
			"Docker Desktop may be starting, or asleep (Resource Saver): run "
			"`docker ps`, which wakes it up, then check again; else restart it.");
	return g_strdup(
		"The engine may be starting or hanging: look at `docker info`, or restart it.");
}

static char *remedy_for_state(const Facts *facts)
{
	switch (facts->engine.state) {
	case ENGINE_ABSENT:
		return remedy_absent(facts);
	case ENGINE_DENIED:
		return remedy_denied(facts);
	case ENGINE_REFUSED:
		return facts->engine.others != NULL ? remedy_other(&facts->engine)
		                                    : remedy_start(facts);
	case ENGINE_NO_ANSWER:
		return remedy_silent(facts);
	case ENGINE_REMOTE:
		return g_strdup(
			"Unset DOCKER_HOST or choose a local context; ports and disks here are "
			"not those of that engine.");
	case ENGINE_PAUSED:
		return g_strdup("Resume it in Docker Desktop's whale menu, or run `docker desktop "
		                "restart`.");
	case ENGINE_NOT_ASKED:
	case ENGINE_OK:
		break;
	}
	return NULL;
}

static void judge_engine_reachable(CheckRun *run)
{
	const FactsEngine *engine = &run->facts->engine;
	bool is_open = engine->state == ENGINE_NOT_ASKED || engine->state == ENGINE_REMOTE;
	CheckVerdict verdict = engine->state == ENGINE_OK ? CHECK_PASS
	                       : is_open                  ? CHECK_UNKNOWN
	                                                  : run->check->severity;
	CheckFinding *finding = finding_add(run, verdict, state_words[engine->state]);
	char *remedy = remedy_for_state(run->facts);

	if (engine->why != NULL)
		finding_set(&finding->measured,
		            g_strdup_printf("%s: %s", state_words[engine->state], engine->why));
	if (remedy != NULL)
		finding_set_remedy(finding, remedy);
	if (engine->endpoint_source != NULL)
		finding_set_source(
			finding,
			g_strdup_printf("%s (%s)",
		                        engine->endpoint != NULL ? engine->endpoint : "no socket",
		                        engine->endpoint_source));
}

static void judge_engine_kind(CheckRun *run)
{
	const FactsEngine *engine = &run->facts->engine;
	g_autofree char *measured = g_strdup_printf(
		"%s %s", flavour_name(facts_flavour(run->facts)),
		engine->platform != NULL && strstr(engine->platform, "Docker Desktop ") != NULL
			? strstr(engine->platform, "Docker Desktop ") + strlen("Docker Desktop ")
			: "");

	(void)finding_add(run, CHECK_PASS, g_strchomp(measured));
}

static void judge_engine_speed(CheckRun *run)
{
	guint64 answer_ms = run->facts->engine.answer_ms;
	g_autofree char *measured = g_strdup_printf("%" G_GUINT64_FORMAT " ms", answer_ms);

	if (answer_ms == FACTS_UNKNOWN)
		(void)finding_add(run, CHECK_SKIPPED, "not measured");
	else
		(void)finding_add(run,
		                  answer_ms > ANSWER_SLOW_MS ? run->check->severity : CHECK_PASS,
		                  measured);
}

static void judge_engine_others(CheckRun *run)
{
	const char *others = run->facts->engine.others;

	(void)finding_add(run, others != NULL ? run->check->severity : CHECK_PASS,
	                  others != NULL ? others : "this one alone");
}

static void judge_engine_snap(CheckRun *run)
{
	bool is_snap = facts_flavour(run->facts) == FLAVOUR_SNAP;

	(void)finding_add(run, is_snap ? run->check->severity : CHECK_PASS,
	                  is_snap ? "it is a snap" : "no");
}

static void judge_engine_podman(CheckRun *run)
{
	if (facts_flavour(run->facts) == FLAVOUR_PODMAN)
		(void)finding_add(run, run->check->severity, "it is podman");
	else
		(void)finding_add(
			run, run->facts->engine.is_podman == FACT_NO ? CHECK_PASS : CHECK_SKIPPED,
			run->facts->engine.is_podman == FACT_NO ? "no" : "the engine does not say");
}

static void judge_engine_exposed(CheckRun *run)
{
	const FactsEngine *engine = &run->facts->engine;
	const char *warnings = engine->warnings != NULL ? engine->warnings : "";
	bool is_tcp = engine->endpoint != NULL && g_str_has_prefix(engine->endpoint, "tcp://");
	bool is_warned = strstr(warnings, "is accessible on http") != NULL;

	(void)finding_add(run, is_tcp || is_warned ? run->check->severity : CHECK_PASS,
	                  is_warned ? "its API listens on the network, in the clear"
	                  : is_tcp  ? engine->endpoint
	                            : "its API listens on a unix socket alone");
}

bool engine_is_outside(const Facts *facts)
{
	const char *container = facts->system.container;

	return container != NULL && strcmp(container, "chroot") != 0 &&
	       facts->engine.is_here != FACT_YES;
}

static void judge_engine_sibling(CheckRun *run)
{
	bool is_outside = engine_is_outside(run->facts);

	(void)finding_add(run, is_outside ? run->check->severity : CHECK_PASS,
	                  is_outside ? run->facts->system.container : "the same machine");
}

/* clang-format off */
const Check check_rows_engine[] = {
	{ "engine.cli", "docker program", CHECK_FAIL, CHECK_LOCAL, NULL, "program directories",
	  "Install Docker's command line.",
	  "Projects of containers are started through it. It is looked for in the system's own directories, "
	  "not on PATH, so that nobody can put another program in its place.",
	  applies_with_engine, judge_engine_cli },
	{ "engine.config", "docker program's settings", CHECK_WARN, CHECK_LOCAL, "engine.cli", "config.json",
	  "Mend the file, or move it away; then log in again where you have to (`docker login`).",
	  "A config.json that is no JSON is passed over: contexts, plugin directories and logins in it do "
	  "not count.",
	  applies_with_engine, judge_engine_config },
	{ "engine.credentials", "keeper of registry passwords", CHECK_FAIL, CHECK_LOCAL, "engine.cli", "config.json",
	  "Install that program, or remove \"credsStore\" and \"credHelpers\" from config.json.",
	  "Docker asks the program that config.json names before each pull, also of public images, and stops "
	  "when it is not there. WSL and removed desktop programs leave such an entry behind.",
	  applies_with_engine, judge_engine_credentials },
	{ "engine.variables", "variables for docker and compose", CHECK_WARN, CHECK_LOCAL, NULL, "environment",
	  "Unset them first, unless that is meant.",
	  "They change what is built or started for every program of this shell: DOCKER_DEFAULT_PLATFORM "
	  "makes images for another processor, COMPOSE_FILE and COMPOSE_PROJECT_NAME name another project.",
	  applies_with_engine, judge_engine_variables },
	{ "engine.reachable", "container engine", CHECK_FAIL, CHECK_ENGINE, NULL, "socket",
	  "Ask again with the engine running.",
	  "The socket is chosen as the docker program chooses it: DOCKER_HOST, DOCKER_CONTEXT, the current "
	  "context, the default socket, and then the usual places of Docker Desktop, rootless Docker, "
	  "colima, OrbStack, Rancher Desktop, Lima and podman. It has to answer /info.",
	  applies_with_engine, judge_engine_reachable },
	{ "engine.kind", "kind of engine", CHECK_PASS, CHECK_ENGINE, "engine.reachable", "engine /info and /version",
	  "Nothing to do.",
	  "What has to be done about a finding depends on whose engine it is.",
	  applies_with_engine, judge_engine_kind },
	{ "engine.speed", "time of an answer", CHECK_WARN, CHECK_ENGINE, "engine.reachable", "engine /info",
	  "Look at what else the engine does (`docker stats`), or restart it.",
	  "Every command asks the engine several times. /info takes some milliseconds; seconds mean an "
	  "overloaded machine, or a virtual machine that just woke up.",
	  applies_with_engine, judge_engine_speed },
	{ "engine.others", "further engines", CHECK_WARN, CHECK_ENGINE, "engine.reachable", "sockets",
	  "Nothing to do where that is meant; else stop one of them, or choose with `docker context use`.",
	  "Each engine has images, volumes and containers of its own: what one command made, the other does "
	  "not see when the context changes. Docker Desktop beside Docker Engine on Linux is the usual case.",
	  applies_with_engine, judge_engine_others },
	{ "engine.snap", "engine as a snap", CHECK_WARN, CHECK_ENGINE, "engine.reachable", "engine /info, path of the program",
	  "Remove the snap, and install Docker from the distribution's or Docker's own packages.",
	  "Its programs see no directory outside of the home directory: what is mounted from elsewhere is "
	  "silently empty.",
	  applies_with_engine, judge_engine_snap },
	{ "engine.podman", "podman in Docker's place", CHECK_WARN, CHECK_ENGINE, "engine.reachable", "engine /version",
	  "It may work; Docker Engine is what the stack is tested with.",
	  "Podman answers as Docker does; host-gateway, health checks with depends_on, and networks differ "
	  "in details.",
	  applies_with_engine, judge_engine_podman },
	{ "engine.exposed", "access to the engine", CHECK_WARN, CHECK_ENGINE, "engine.reachable", "engine /info, endpoint",
	  "Let the engine listen on its unix socket alone: take \"tcp://\" out of daemon.json or its unit.",
	  "Whoever reaches the API becomes root on the machine. On TCP without TLS that is every program and "
	  "every web page that can make a request.",
	  applies_with_engine, judge_engine_exposed },
	{ "engine.sibling", "place of the engine", CHECK_WARN, CHECK_ENGINE, "engine.reachable", "container facts",
	  "The engine is outside of this container: directories that containers mount are those of the host.",
	  "With the socket of the host mounted in, containers are siblings of this one: paths and ports are "
	  "those of the host, not of this container.",
	  applies_with_engine, judge_engine_sibling },
	{ 0 },
};
/* clang-format on */
