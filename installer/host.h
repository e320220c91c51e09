/* installer/host.h - what all steps of a run share
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts.h"
#include "installer/command.h"
#include "installer/step.h"

/** Returns: (transfer full): the absolute path of the running program; aborts if it is unknown. */
char *host_self_path(void);

/** Returns: whether the program came without an interpreter, that is, with its libraries inside. */
bool host_is_static(void);

/** Returns: whether the program has rights that its caller does not have (setuid, file
 *  capabilities). */
bool host_is_elevated(void);

/** A StepHost and what it owns. */
typedef struct HostState HostState;

/** Returns: (transfer full): the host of this run.  @facts may be NULL: then nothing that needs
 *  packages can run. */
HostState *host_new(App *app, const Facts *facts, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void host_free(HostState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HostState, host_free)

/** Returns: (transfer none). */
StepHost *host_get(HostState *state);
