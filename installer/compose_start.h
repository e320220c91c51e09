/* installer/compose_start.h - keys handed over, then a project started
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/handover.h"

/**
 * Hands the keys of @inputs over, makes those services anew whose keys changed, starts the project and
 * waits until it is healthy.
 *
 * @handover: what handover_make() fills; @project gets compose's environment from it, so it outlives
 * @project's last use.  @record: (nullable): of an earlier hand-over.
 *
 * Returns: false with the errors of handover_make() and compose_up() set.
 */
bool compose_start(const json_t *inputs, const json_t *record, const StepHost *host,
                   ComposeProject *project, Handover *handover,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): what the receipt keeps of a project that was started: "project",
 *  "engine", "digest", "services", "handover", "note"; NULL with the errors of compose_ask() set. */
json_t *compose_started(const ComposeProject *project, const Handover *handover,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
