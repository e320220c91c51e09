/* installer/lifecycle_services.h - the services of a project, as the engine has them now
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/lifecycle.h"

/** What can be said of a service in one word. */
typedef enum {
	SERVICE_ABSENT,     /* it was started, and there is no container of it */
	SERVICE_CREATED,    /* never started */
	SERVICE_STARTING,   /* runs, and its health check has not passed yet */
	SERVICE_RUNNING,    /* runs, and has no health check */
	SERVICE_HEALTHY,    /* runs, and its health check passes */
	SERVICE_UNHEALTHY,  /* runs, and its health check fails */
	SERVICE_RESTARTING, /* ends again and again */
	SERVICE_PAUSED,
	SERVICE_DONE,    /* ended with 0 and is not meant to run on */
	SERVICE_STOPPED, /* ended with 0 and is meant to run on */
	SERVICE_FAILED,  /* ended with another status */
	SERVICE_STANDBY, /* a colour that is not active, and does not run */
} ServiceState;

/** One container of a service, or the place where one is missing. */
typedef struct {
	char *name;      /* of the service */
	char *container; /* (nullable): id */
	char *title;     /* the container's name; the service's where there is none */
	char *image, *image_id, *hash;
	char *status; /* in the engine's words: "Up 3 minutes (healthy)" */
	ServiceState state;
	int exit_code;             /* of one that ended */
	char **ports;              /* "127.0.0.1:8010->8000" */
	guint *numbers;            /* of this machine, 0 behind the last */
	bool is_ours;              /* made from the project's files */
	const StackService *about; /* (nullable) (transfer none): what the definition says */
	guint order;               /* in the definition */
} LifeService;

/** Asks the engine, one request where nothing has ended.  Returns: (transfer full) (element-type
 *  LifeService): in the definition's order; those that were started and are not there, too; NULL with
 *  the errors of engine_get() set. */
GPtrArray *services_list(const Lifecycle *life, const LifeProject *project,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Reads the engine's answer to /containers/json.  Returns: (transfer full): as services_list(). */
GPtrArray *services_parse(const Lifecycle *life, const LifeProject *project,
                          const json_t *containers);

/** Returns: the word for people and JSON: "healthy". */
const char *service_state_name(ServiceState state);

/** Returns: whether that is how it should be: healthy, running, done, standby. */
bool service_is_well(const LifeService *service);

/** Returns: whether its container runs, well or not. */
bool service_runs(const LifeService *service);

/** Returns: how many are not well, of those that have a container or should have one. */
guint services_count_ill(const GPtrArray *services);

/** Returns: how many have a container. */
guint services_count_there(const GPtrArray *services);

/** Returns: (transfer none) (nullable): the first container of that service that is there. */
const LifeService *services_find(const GPtrArray *services, const char *name);

/** Returns: (transfer none) (nullable): as services_find(), and USAGE set for a name that is no
 *  service, UNAVAILABLE for one that has no container. */
const LifeService *services_need(const GPtrArray *services, const char *name, GError **error);
