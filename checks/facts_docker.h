/* checks/facts_docker.h - facts: the container engine, and Docker Desktop around it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/fact.h"

typedef enum {
	ENGINE_NOT_ASKED,
	ENGINE_OK,
	ENGINE_ABSENT,    /* no socket */
	ENGINE_DENIED,    /* a socket that this user may not open */
	ENGINE_REFUSED,   /* a socket file that nobody listens on */
	ENGINE_NO_ANSWER, /* no answer in time, or one that is no engine's */
	ENGINE_REMOTE,    /* an endpoint that cannot be asked from here: ssh, TLS, a pipe */
} EngineState;

/** Sizes are as the engine says (/info): those of its virtual machine where it has one. */
typedef struct {
	EngineState state;
	char *endpoint; /* "unix:///var/run/docker.sock"; programs we start get it as DOCKER_HOST */
	char *endpoint_source; /* "DOCKER_HOST", "context NAME", "default", "found" */
	char *why;             /* (nullable): of a state that is not OK */
	char *version;
	char *product; /* /info OperatingSystem: "Docker Desktop", "Debian GNU/Linux 12 (bookworm)" */
	char *os_type;  /* "linux", "windows" */
	char *root_dir; /* DockerRootDir, inside the virtual machine where there is one */
	char *storage_driver;
	char *cgroup_version; /* "1", "2" */
	guint64 memory_bytes;
	guint64 cpus;
	guint64 root_free_bytes; /* of root_dir; FACTS_UNKNOWN when it is not on this machine */
	guint64 root_device;
	Fact is_rootless;
	Fact is_here;  /* its process can be seen: not outside of our container, not in a machine */
	char *cli;     /* (nullable): path of the docker program */
	char *compose; /* (nullable): path of the compose plugin */
	char *compose_version; /* (nullable): when a file says it */
} FactsEngine;

typedef enum {
	DESKTOP_ABSENT, /* no settings file */
	DESKTOP_READ,
	DESKTOP_UNREADABLE, /* there is one, and this user may not read it */
	DESKTOP_MALFORMED,  /* no JSON object */
} DesktopState;

typedef enum {
	DESKTOP_SETTING_UNKNOWN, /* file not read, or the value is of a wrong type or range */
	DESKTOP_SETTING_DEFAULT, /* not in the file: Desktop's own default holds */
	DESKTOP_SETTING_SET,
} DesktopSetting;

/** Docker Desktop's settings file; it explains what the engine says. */
typedef struct {
	DesktopState state;
	guint64 generation; /* 1: settings.json (< 4.35), 2: settings-store.json; 0: none */
	char *file;         /* (nullable) */
	char *why;          /* (nullable) */
	DesktopSetting memory, cpus, disk, swap;
	guint64 memory_bytes, cpu_count, disk_bytes, swap_bytes; /* FACTS_UNKNOWN unless set */
} FactsDesktop;
