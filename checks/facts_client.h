/* checks/facts_client.h - the docker program: its settings, its plugins, where it lies
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_private.h"

/** What the docker program is told by its config.json; read once, and used by several. */
typedef struct {
	char *directory; /* (nullable): where it keeps its files */
	char *file;      /* (nullable): config.json, when there is one */
	char *why;       /* (nullable): why that one cannot be used */
	json_t *object;  /* (nullable) */
} DockerConfig;

/** @config: filled; clear with docker_config_clear(). */
void docker_config_read(const FactsSource *source, DockerConfig *config);
void docker_config_clear(DockerConfig *config);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DockerConfig, docker_config_clear)

/** Returns: (transfer full) (nullable): a file as JSON; NULL when it cannot be read or is none. */
json_t *source_json(const FactsSource *source, const char *path);

/** Returns: (transfer full) (nullable): "$NAME/x" with the variable put in; @pattern as it is when it
 *  names none; NULL when the variable is not set. */
char *source_expand(const FactsSource *source, const char *pattern);

/** Returns: (transfer full) (nullable): where @path lies behind symbolic links, without the root. */
char *source_target(const FactsSource *source, const char *path);

/** Fills cli, compose and compose_version of the engine, and the client: files only. */
void facts_read_client(const FactsSource *source, const DockerConfig *config, FactsEngine *engine,
                       FactsClient *client);

/** A plugin of the docker program. */
typedef struct {
	char *path;    /* (nullable): the one that would be run */
	char *target;  /* (nullable) */
	char *version; /* (nullable): when a file says it */
	char *machine; /* (nullable): architecture, as uname says it */
	char *why;     /* (nullable): why it cannot be run */
} Plugin;

/** Finds docker-@name where the docker program looks for it.  @packages: those that it is part of,
 *  NULL-terminated.  @dangling: set, unless it is, to a link on the way that leads nowhere.
 *  @plugin: filled; clear with plugin_clear(). */
void plugin_find(const FactsSource *source, const DockerConfig *config, const char *name,
                 const char *const *packages, char **dangling, Plugin *plugin);
void plugin_clear(Plugin *plugin);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Plugin, plugin_clear)

/** Returns: (transfer full) (nullable): version of the first of @packages that the system's package
 *  manager has, when its files say it: dpkg, pacman, apk. */
char *package_version(const FactsSource *source, const char *const *packages);

/** Runs a program with one argument, unless others than its owner could have exchanged it; blocks for 3 s
 *  at most.  Returns: (transfer full) (nullable): what it printed. */
char *program_ask(const char *path, const char *question);
