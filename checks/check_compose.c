/* checks/check_compose.c - judges the plugins of the docker program
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_remedy.h"

/* From that version on compose builds through buildx alone, and refuses one that is older.
 * Source: the release notes and build code of compose. */
#define COMPOSE_WITH_BUILDX "2.37"
#define BUILDX_MINIMUM "0.17"

bool applies_with_compose(const Facts *facts G_GNUC_UNUSED, const CheckNeeds *needs)
{
	return needs->compose != NULL;
}

static void judge_compose_plugin(CheckRun *run)
{
	const FactsClient *client = &run->facts->client;
	const char *plugin = run->facts->engine.compose;
	CheckFinding *finding = finding_add(run, plugin != NULL ? CHECK_PASS : run->check->severity,
	                                    plugin != NULL ? plugin : "not found");

	if (plugin != NULL)
		return;
	if (client->compose_elsewhere != NULL) {
		finding_set(&finding->measured,
		            g_strdup_printf("only %s", client->compose_elsewhere));
		finding_set_remedy(
			finding, g_strdup_printf("Run `mkdir -p ~/.docker/cli-plugins && ln -s %s "
		                                 "~/.docker/cli-plugins/docker-compose`.",
		                                 client->compose_elsewhere));
	} else if (client->dangling != NULL) {
		finding_set(&finding->measured,
		            g_strdup_printf("%s is a link that leads nowhere", client->dangling));
	} else if (client->compose_v1 != NULL) {
		finding_set(&finding->measured,
		            g_strdup_printf("only the old program %s", client->compose_v1));
	}
}

/** One of the plugins, as far as running it goes. */
typedef struct {
	const char *path, *machine, *why;
} Runnable;

/* A Mac with an Apple processor runs both kinds, when Rosetta is there; so it is when this very program is
 * translated by it. */
static bool runs_both(const FactsSystem *system)
{
	return g_strcmp0(system->name, "Darwin") == 0 &&
	       (system->is_translated == FACT_YES || system->has_rosetta == FACT_YES);
}

/* Both names of a processor are in use. */
static bool can_run(const FactsSystem *system, const char *machine)
{
	const char *ours = system->architecture;

	return runs_both(system) || strcmp(machine, ours) == 0 ||
	       (strcmp(machine, "aarch64") == 0 && strcmp(ours, "arm64") == 0);
}

static void judge_runs(CheckRun *run, const Runnable *plugin)
{
	const char *ours = run->facts->system.architecture;
	CheckFinding *finding;

	if (plugin->why != NULL) {
		finding = finding_add(run, run->check->severity, plugin->why);
	} else if (plugin->machine == NULL || ours == NULL) {
		finding = finding_add(run, CHECK_PASS, "for any processor, as far as is known");
	} else {
		finding = finding_add(run,
		                      can_run(&run->facts->system, plugin->machine)
		                              ? CHECK_PASS
		                              : run->check->severity,
		                      plugin->machine);
		finding->needed = g_strdup(ours);
	}
	finding_set_source(finding, g_strdup(plugin->path));
}

static void judge_compose_runs(CheckRun *run)
{
	const FactsClient *client = &run->facts->client;

	judge_runs(run, &(Runnable){ run->facts->engine.compose, client->compose_machine,
	                             client->compose_why });
}

/** Compose that each Docker Desktop brings, at the least.  Source: Docker Desktop's release notes. */
static const struct {
	const char *desktop, *compose;
} bundled_table[] = {
	{ "4.49", "2.40.2" }, { "4.48", "2.40.0" }, { "4.43", "2.38.1" }, { "4.42", "2.36.2" },
	{ "4.41", "2.35.1" }, { "4.40", "2.34.0" }, { "4.39", "2.33.1" }, { "4.38", "2.32.4" },
	{ "4.37", "2.31.0" }, { "4.36", "2.30.3" }, { "4.35", "2.29.7" }, { "4.34", "2.29.2" },
	{ "4.33", "2.29.1" }, { "4.32", "2.28.1" }, { "4.31", "2.27.1" }, { "4.30", "2.27.0" },
	{ "4.26", "2.23.3" }, { "4.25", "2.23.0" }, { "4.24", "2.22.0" }, { "4.23", "2.21.0" },
	{ "4.22", "2.20.2" },
};

/* Returns: (nullable): what the Docker Desktop that the plugin belongs to brought with it. */
static const char *bundled_version(const Facts *facts)
{
	const char *target = facts->client.compose_target;
	const char *platform = facts->engine.platform;
	const char *version = facts->desktop.app_version;

	if (target == NULL || strstr(target, "Docker.app") == NULL)
		return NULL;
	if (platform != NULL && g_str_has_prefix(platform, "Docker Desktop "))
		version = platform + strlen("Docker Desktop ");
	for (gsize i = 0; version != NULL && i < G_N_ELEMENTS(bundled_table); i++)
		if (version_compare(version, bundled_table[i].desktop) >= 0)
			return bundled_table[i].compose;

	return NULL;
}

/* Without a file that says it the number comes from running the plugin, which an installation does. */
static void judge_compose_version(CheckRun *run)
{
	const char *known = run->facts->engine.compose_version;
	const char *bundled = known == NULL ? bundled_version(run->facts) : NULL;
	CheckFinding *finding =
		finding_add_version(run, known != NULL ? known : bundled, run->needs->compose);

	if (known == NULL && bundled == NULL)
		finding_set_remedy(finding, g_strdup("No file says it: \"slipway check "
		                                     "compose.version\" asks the plugin."));
	if (bundled == NULL)
		return;
	finding_set_source(finding, g_strdup("Docker Desktop's version; it may have been updated"));
	if (finding->verdict == CHECK_FAIL)
		finding->verdict = finding->judged = CHECK_UNKNOWN;
}

static void judge_buildx_plugin(CheckRun *run)
{
	const char *buildx = run->facts->client.buildx;

	(void)finding_add(run, buildx != NULL ? CHECK_PASS : run->check->severity,
	                  buildx != NULL ? buildx : "not found");
}

static void judge_buildx_runs(CheckRun *run)
{
	const FactsClient *client = &run->facts->client;

	judge_runs(run, &(Runnable){ client->buildx, client->buildx_machine, client->buildx_why });
}

static void judge_buildx_version(CheckRun *run)
{
	const char *version = run->facts->client.buildx_version;
	const char *compose = run->facts->engine.compose_version;

	if (version == NULL)
		(void)finding_add(run, CHECK_SKIPPED, "no file says it");
	else if (compose != NULL && version_compare(compose, COMPOSE_WITH_BUILDX) < 0)
		(void)finding_add(run, CHECK_SKIPPED, "this compose takes any");
	else
		(void)finding_add_version(run, version, BUILDX_MINIMUM);
}

static bool applies_with_buildx(const Facts *facts, const CheckNeeds *needs)
{
	return needs->compose != NULL && facts->client.buildx != NULL;
}

/* clang-format off */
const Check check_rows_compose[] = {
	{ "compose.plugin", "compose plugin", CHECK_FAIL, CHECK_LOCAL, "engine.cli", "docker's plugin directories",
	  "Install the package docker-compose-plugin or docker-compose-v2.",
	  "The stack is started by `docker compose`, version 2 or later, which is a plugin of the docker "
	  "program. The old program docker-compose is another one, and is no longer kept up.",
	  applies_with_compose, judge_compose_plugin },
	{ "compose.runs", "compose plugin's program", CHECK_FAIL, CHECK_LOCAL, "compose.plugin", "head of the file",
	  "Install the plugin that is made for this processor.",
	  "A plugin for another processor, or without the right to execute it, is there and cannot be run.",
	  applies_with_compose, judge_compose_runs },
	{ "compose.version", "compose version", CHECK_FAIL, CHECK_SLOW, "compose.plugin", "package database, or the plugin",
	  "Look at `docker compose version`, and update the plugin if it is older.",
	  "The stack names the oldest compose that understands its files. The number is taken from the "
	  "package database or from Homebrew's directories; else the plugin is asked, or, where that is not to "
	  "be, Docker Desktop's version tells the least that it can be.",
	  applies_with_compose, judge_compose_version },
	{ "buildx.plugin", "buildx plugin", CHECK_WARN, CHECK_LOCAL, "engine.cli", "docker's plugin directories",
	  "Install the package docker-buildx-plugin or docker-buildx.",
	  "Images that a stack builds are built by it; without it compose falls back to an old builder, or "
	  "stops.",
	  applies_with_compose, judge_buildx_plugin },
	{ "buildx.runs", "buildx plugin's program", CHECK_WARN, CHECK_LOCAL, NULL, "head of the file",
	  "Install the plugin that is made for this processor.",
	  "A plugin for another processor, or without the right to execute it, is there and cannot be run.",
	  applies_with_buildx, judge_buildx_runs },
	{ "buildx.version", "buildx version", CHECK_WARN, CHECK_LOCAL, NULL, "package database",
	  "Update the plugin.",
	  "From version 2.37 on compose wants buildx 0.17 or later for building.",
	  applies_with_buildx, judge_buildx_version },
	{ 0 },
};
/* clang-format on */
