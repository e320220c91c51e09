/* checks/facts_plugin_ask.c - asks the compose plugin for its version, where no file says it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/process.h"
#include "checks/facts_client.h"

/* Programs answer in some 15 ms; one that waits for something is not waited for. */
#define ANSWER_TIMEOUT_MS 3000

#define ANSWER_MAX_BYTES ((gsize)64 * 1024)

/* A program that others can exchange is not run for a look. */
static bool is_ours(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
	       (status.st_uid == 0 || status.st_uid == geteuid()) &&
	       (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

char *program_ask(const char *path, const char *question)
{
	const char *const argv[] = { path, question, NULL };
	const ProcessSpec spec = { .argv = argv,
		                   .timeout_ms = ANSWER_TIMEOUT_MS,
		                   .max_output_bytes = ANSWER_MAX_BYTES };

	return is_ours(path) ? process_capture(&spec, NULL) : NULL;
}

/* By the docker program's own protocol.  Returns: (transfer full) (nullable) */
static char *ask(const char *path)
{
	g_autofree char *answer = program_ask(path, "docker-cli-plugin-metadata");
	g_autoptr(GBytes) bytes =
		answer != NULL ? g_bytes_new_static(answer, strlen(answer)) : NULL;
	g_autoptr(json_t) object = bytes != NULL ? json_parse_bytes(bytes, path, NULL) : NULL;
	const char *version = json_text(object, "Version");

	return version != NULL && *version != '\0' ? g_strdup(version) : NULL;
}

void facts_ask_compose(Facts *facts)
{
	FactsEngine *engine = &facts->engine;

	if (engine->compose != NULL && facts->client.compose_why == NULL &&
	    engine->compose_version == NULL)
		engine->compose_version = ask(engine->compose);
}
