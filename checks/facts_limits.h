/* checks/facts_limits.h - facts: limits and features of the kernel, and the clock
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/fact.h"

/** Limits of this process (rlimits), of its control group, and of the whole system, by sysctl. */
typedef struct {
	guint64 open_files;      /* RLIMIT_NOFILE, soft */
	guint64 open_files_hard; /* what a program may raise that to */
	guint64 processes;       /* RLIMIT_NPROC */
	guint64 locked_bytes;    /* RLIMIT_MEMLOCK */
	guint64 file_bytes;      /* RLIMIT_FSIZE: the largest file that may be written */
	guint64 address_bytes;   /* RLIMIT_AS */
	guint64 cgroup_pids;     /* lowest pids.max of the control group and its ancestors */
	guint64 pids;            /* kernel.pid_max */
	guint64 threads;         /* kernel.threads-max */
	guint64 inotify_instances;
	guint64 inotify_watches;
	guint64 map_count;         /* vm.max_map_count */
	guint64 backlog;           /* net.core.somaxconn */
	guint64 keys;              /* kernel.keys.maxkeys */
	guint64 user_namespaces;   /* user.max_user_namespaces */
	Fact lets_user_namespaces; /* to users without privilege */
	char *core_pattern; /* (nullable): where core files go: "core", "|/usr/bin/PROGRAM …" */
	char *perf;   /* (nullable): kernel.perf_event_paranoid: "2"; "" for a kernel without it */
	char *ptrace; /* (nullable): kernel.yama.ptrace_scope: "1"; "" for a kernel without it */
} FactsLimits;

typedef struct {
	char *cgroup;        /* (nullable): "2", "1", "hybrid" */
	char *controllers;   /* (nullable): that the kernel has, space between: "cpu memory pids" */
	Fact has_overlay;    /* the overlay file system is loaded or can be */
	Fact has_modules;    /* the modules of the running kernel are on the disk */
	Fact is_root_shared; /* mounts below "/" are seen in other mount namespaces */
	char *security;    /* (nullable): modules, comma between: "lockdown,capability,apparmor" */
	char *selinux;     /* (nullable): "off", "permissive", "enforcing" */
	char *confinement; /* AppArmor's profile for this process: "unconfined"; "" without AppArmor */
	char *lockdown;    /* (nullable): "none", "integrity", "confidentiality" */
	Fact has_apparmor;
	Fact has_secure_boot;
	Fact is_fips;
	Fact has_seccomp;  /* it can filter system calls */
	Fact needs_reboot; /* the package manager says so */
	char *config; /* (nullable): file with the options that it was built with; when asked */
	char *lacks; /* (nullable): of those that engines need, space between: "VETH"; "" for none */
	char *emulators; /* (nullable): of other processors, space between: "qemu-aarch64" */
} FactsKernel;

typedef struct {
	guint64 now_s;    /* since 1970, by this machine's clock */
	guint64 newest_s; /* newest of some files that the system writes: it cannot be earlier */
	Fact is_synchronized; /* the kernel holds that something keeps the clock right */
	Fact has_random;      /* the kernel's random numbers are ready */
} FactsClock;
