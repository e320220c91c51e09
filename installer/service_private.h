/* installer/service_private.h - the managers of services: one row of data each
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/service.h"

/**
 * A command is a list of words that starts with a program's name, "-" in front of it where it may
 * fail; @name@, @file@ and @domain@ stand for what the service has.  A list of commands ends with an
 * empty one.
 */
typedef const char *const *const *ServiceCommands;

typedef struct {
	const char *name;
	bool (*is_here)(void);
	void (*place)(json_t *service);            /* adds file, link, target, account, groups */
	char *(*render)(const json_t *service);    /* (nullable): it has no file */
	char *(*note)(const json_t *service);      /* (nullable) */
	bool (*is_running)(const json_t *service); /* (nullable): asks with the command below */
	bool (*start)(const json_t *service, GError **error); /* (nullable): with commands */
	bool (*stop)(const json_t *service, GError **error);  /* (nullable): with commands */
	ServiceCommands ask, begin, end, reload;
	unsigned int file_mode;
} ServiceManager;

/** The rows. */
extern const ServiceManager service_systemd, service_systemd_user, service_openrc, service_launchd,
	service_process;

/** Returns: (transfer none): a member that every service has; "" for one that lacks it. */
const char *service_text(const json_t *service, const char *key);

/** Returns: (transfer full): @text as one word of a systemd unit file; "$" starts a variable in
 *  commands, where @dollar is "$$". */
char *service_systemd_quote(const char *text, const char *dollar);
