/* installer/deploy_order.h - what is to be deployed, and whether that can be begun
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/deploy_look.h"

/** What a person asks for. */
typedef struct {
	const char *image;  /* (nullable): NULL: back to what was active before */
	bool keeps_failure; /* a deployment that fails stays as it is, to be looked at */
} DeployWish;

/** What that comes to. */
typedef struct {
	const char *action;  /* "deploy" or "rollback" */
	char *id;            /* of this run, in the audit log */
	guint to;            /* which colour gets it */
	DeployColour colour; /* what it gets; digest NULL: the image has to be loaded first */
	bool keeps_failure;
	bool is_needed; /* it is not active already */
} DeployOrder;

void deploy_order_clear(DeployOrder *order);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DeployOrder, deploy_order_clear)

/** Asks the engine for the image, and for that of the active colour, and decides.  Returns: false with USAGE (there is nothing to go back to),
 *  UNAVAILABLE (the image of the version before is gone) or the errors of engine_get() set. */
bool deploy_order_make(Deploy *it, const DeployWish *wish, DeployOrder *order,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Looks whether it can be begun; changes nothing.  Warns of little memory and of an active colour that is not
 *  well.  Returns: false with BUSY, FAILED, UNAVAILABLE (the stack is down, engine or proxy do not answer),
 *  CONFIG (the compose files are wrong) or IO (too little room for images) set. */
bool deploy_check(const Deploy *it, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Prints what will be done, step by step, and puts it into the document as "plan". */
void deploy_describe(const Deploy *it, const DeployOrder *order);
