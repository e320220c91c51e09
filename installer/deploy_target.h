/* installer/deploy_target.h - one colour is started, tried and stopped
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/deploy_look.h"

/** Returns: whether the colour's container runs, and is not unhealthy or starting.
 *  @how: (nullable) (out) (transfer full) (nullable): the engine's words, "Up 3 minutes (healthy)"; NULL when it
 *  has none.  False with the errors of engine_get() set, too. */
bool deploy_is_well(const Deploy *it, guint colour, char **how, GError **error);

/** Starts the colour with what the variables say and waits until the engine calls it healthy, @wait_s at
 *  most.  A container that is as it should be is only started; any other is made anew.  No other service is
 *  touched.  Returns: false with the errors of handover_make() or compose_up_alone() set. */
bool deploy_start(Deploy *it, guint colour, guint wait_s, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Tries the colour inside of its container: it has the image @digest, "ready" answers, "version" has @id in
 *  it, the test passes.  Returns: false with UNVERIFIED, the errors of engine_get() or a cancellation set. */
bool deploy_verify(const Deploy *it, guint colour, const char *digest, const char *id,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Waits until the proxy has found the colour's container, under its address of now, and its checks of it
 *  have passed anew; @wait_s at most.  Returns: false with UNVERIFIED, the errors of haproxy_look() or
 *  engine_get(), or a cancellation set. */
bool deploy_await_proxy(const Deploy *it, guint colour, guint wait_s,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Stops the colour's container, which stays, as its image does.  Idempotent. */
bool deploy_stop(const Deploy *it, guint colour, GError **error) G_GNUC_WARN_UNUSED_RESULT;
