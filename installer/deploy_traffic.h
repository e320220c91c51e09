/* installer/deploy_traffic.h - requests are led to another colour, step by step
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/deploy_look.h"

/** Returns: (transfer full): the row of the board of one step: "traffic-10". */
char *deploy_traffic_row(guint percent);

/**
 * Gives @to its part of the traffic in the steps of the tunables and watches each for its time: more errors
 * than allowed, a server that the proxy calls down, or a container that is not well any more end it.
 *
 * @steps: an array; each step that was begun is appended: percent, seconds, responses, errors.
 *
 * Returns: false with FAILED (what was seen), the errors of haproxy_look() or engine_get(), or a cancellation
 * set; the weights are those of the step.
 */
bool deploy_traffic(Deploy *it, guint to, json_t *steps, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Waits until @colour, which gets no requests any more, has answered those that it had; a minute at most,
 *  which is no error.  Returns: false with a cancellation set. */
bool deploy_drain(const Deploy *it, guint colour, GError **error) G_GNUC_WARN_UNUSED_RESULT;
