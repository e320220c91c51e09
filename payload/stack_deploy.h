/* payload/stack_deploy.h - [deploy]: one service of a stack that is replaced without a pause
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** How many copies of the service there are; they are called colours, and one of them is active. */
#define STACK_COLOURS 2

/** The colours; each is a profile of the compose files, a server of the proxy, and, behind the name of the
 *  service and "-", a service. */
extern const char *const stack_colours[STACK_COLOURS];

/** [deploy]; of a stack without one, service is NULL. */
typedef struct {
	char **profiles;      /* that have the colours */
	char *service;        /* the colours are SERVICE-blue and SERVICE-green */
	char **images, **ids; /* variables of the compose files, one for each colour */
	char *variables;      /* file with those variables; @prefix@ as in steps */
	char *proxy;          /* service that has the traffic */
	char *backend;        /* of the proxy; its servers are called as the colours */
	char *servers;        /* file of the proxy with their weights */
	char *admin;          /* [port] where the proxy takes commands */
	guint64 port;         /* of the service, inside its container */
	char *ready,
		*version; /* paths: 200 when it can work; a text that has the deployment's id */
	char *get;     /* (nullable): command inside that prints what the URL behind it answers */
	char *test;    /* (nullable): command inside that has to end with 0 */
	char **backup; /* volumes that are kept before */
	guint64 memory_bytes; /* available; below it: warn; 0: not asked */
	guint64 disk_bytes; /* free where the engine keeps images; below it: refuse; 0: not asked */
} StackDeploy;
