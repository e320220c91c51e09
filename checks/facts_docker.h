/* checks/facts_docker.h - facts: the container engine, and the docker program that talks to it
 *
 * Lists are texts with a space between the words, unless said otherwise.
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
	ENGINE_PAUSED,    /* Docker Desktop, put to rest by a person */
} EngineState;

/** Sizes are as the engine says (/info): those of its virtual machine where it has one. */
typedef struct {
	EngineState state;
	char *endpoint; /* "unix:///var/run/docker.sock"; programs we start get it as DOCKER_HOST */
	char *endpoint_source; /* "DOCKER_HOST", "context NAME", "default", "found" */
	char *others;          /* (nullable): further sockets that an engine listens on */
	char *why;             /* (nullable): of a state that is not OK */
	char *version;
	char *api_version, *api_minimum; /* range of the API that it serves */
	char *platform; /* (nullable): /version Platform.Name: "Docker Desktop 4.43.1 (198352)" */
	char *product; /* /info OperatingSystem: "Docker Desktop", "Debian GNU/Linux 12 (bookworm)" */
	char *os_type;  /* "linux", "windows" */
	char *root_dir; /* DockerRootDir, inside the virtual machine where there is one */
	char *storage_driver;
	char *backing_filesystem; /* (nullable): below the storage driver: "extfs" */
	char *cgroup_version;     /* "1", "2" */
	char *cgroup_driver;      /* "systemd", "cgroupfs", "none" */
	char *security; /* names of SecurityOptions: "apparmor seccomp rootless cgroupns" */
	char *warnings; /* (nullable): in its own words, a line each */
	char *runtimes; /* "runc nvidia" */
	char *default_runtime;
	char *cdi_devices;                         /* (nullable): "nvidia.com/gpu=all" */
	char *http_proxy, *https_proxy, *no_proxy; /* (nullable): passwords taken out */
	char *mirrors;                             /* (nullable): of Docker Hub */
	char *address_pools; /* (nullable): networks get their addresses from: "172.17.0.0/16" */
	char *firewall;      /* (nullable): "iptables", "nftables" */
	guint64 memory_bytes;
	guint64 cpus;
	guint64 running;         /* containers, those that are paused among them */
	guint64 answer_ms;       /* until /info was there */
	guint64 root_free_bytes; /* of root_dir; FACTS_UNKNOWN when it is not on this machine */
	guint64 root_device;
	guint64 socket_gid; /* the group that may open the socket */
	Fact is_rootless;
	Fact is_podman;
	Fact is_here; /* its process can be seen: not outside of our container, not in a machine */
	Fact is_live_restore; /* containers go on while it is restarted */
	Fact has_d_type;      /* the file system below overlay can be used for it */
	Fact has_containerd_store;
	Fact has_cdi; /* it gives devices to containers by CDI files */
	Fact has_ip_forward;
	Fact has_memory_limit, has_swap_limit, has_cpu_limit, has_pids_limit;
	Fact is_in_group;      /* this process has the socket's group */
	Fact is_group_listed;  /* /etc/group gives it to this user, at the next login */
	char *cli;             /* (nullable): path of the docker program */
	char *compose;         /* (nullable): path of the compose plugin */
	char *compose_version; /* (nullable): when a file says it */
} FactsEngine;

/** The docker program, its settings and plugins. */
typedef struct {
	char *config;            /* (nullable): its config.json, when there is one */
	char *config_why;        /* (nullable): of one that cannot be used */
	char *credential_helper; /* (nullable): the first that config.json names and that is not there */
	char *cli_target;        /* (nullable): where the program lies behind symbolic links */
	char *cli_version;       /* (nullable): when a file says it */
	char *cli_elsewhere;     /* (nullable): one that only some shells find: snap, Desktop's */
	char *compose_target;    /* (nullable): where the plugin lies behind symbolic links */
	char *compose_machine;   /* (nullable): architecture of the plugin, as uname says it */
	char *compose_why;       /* (nullable): why it cannot be run */
	char *compose_v1;        /* (nullable): the old docker-compose program */
	char *compose_elsewhere; /* (nullable): a plugin where the docker program does not look */
	char *buildx;            /* (nullable): path of the plugin */
	char *buildx_version;    /* (nullable): when a file says it */
	char *buildx_machine;    /* (nullable) */
	char *buildx_why;        /* (nullable) */
	char *dangling;  /* (nullable): a link in the place of a program that leads nowhere */
	char *variables; /* names of variables that change what docker and compose do */
	Fact is_config_valid;
	Fact has_credential_helpers; /* all that config.json names are there */
} FactsClient;
