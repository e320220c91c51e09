/* installer/compose_start.c - keys handed over, then a project started
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/compose_start.h"

#include "installer/compose_build.h"
#include "installer/compose_pull.h"

/* Keys whose file a running container does not see any more: its mount is of the file before. */
static bool renew(const json_t *inputs, const ComposeProject *project, const Handover *handover,
                  GError **error)
{
	g_auto(GStrv) services = handover_services(inputs, handover->changed);
	g_auto(ComposeState) state = { 0 };

	if (!*services || !compose_ask(project, &state, error))
		return !*services;
	return state.containers == 0 || compose_recreate(project, services, error);
}

bool compose_start(const json_t *inputs, const json_t *record, const StepHost *host,
                   ComposeProject *project, Handover *handover, GError **error)
{
	return handover_make(inputs, record, host, project, handover, error) &&
	       compose_pull_missing(project, error) && compose_build_missing(project, error) &&
	       renew(inputs, project, handover, error) && compose_up(project, error);
}

json_t *compose_started(const ComposeProject *project, const Handover *handover, GError **error)
{
	g_autofree char *digest = compose_digest(project);
	g_autofree char *note = handover_note(handover);
	g_auto(ComposeState) state = { 0 };

	if (!compose_ask(project, &state, error))
		return NULL;

	json_t *result = json_pack("{s:s, s:s*, s:s*, s:O}", "project", project->project, "engine",
	                           project->engine, "digest", digest, "services", state.hashes);
	if (handover->names)
		json_object_set_new(result, "handover", handover_record(handover));
	json_put(result, "note", note);
	return result;
}
