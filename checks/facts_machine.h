/* checks/facts_machine.h - facts: the machine itself, and all of them together
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/fact.h"
#include "checks/facts_docker.h"

typedef struct {
	char *name;         /* kernel: "Linux", "Darwin" */
	char *architecture; /* as uname says: "x86_64", "aarch64", "arm64" */
	char *kernel;       /* release: "6.1.0-18-amd64" */
	char *id;           /* os-release ID: "debian"; "macos" */
	char *id_like;      /* os-release ID_LIKE */
	char *version;      /* os-release VERSION_ID */
	char *pretty;       /* os-release PRETTY_NAME */
	char *immutable;    /* (nullable): "ostree", "nixos", "steamos", "transactional-update" */
	char *container;    /* (nullable): "docker", "podman", "kubernetes", "lxc", "chroot", … */
	char *ci;           /* (nullable): "GitHub Actions"; "unknown" when only CI is set */
	char *home;         /* $HOME */
	guint64 wsl;        /* 0: no WSL; 1; 2 */
	guint64 uid;        /* effective */
	Fact has_systemd;   /* it is the init */
	Fact has_sudo;      /* the program is there; whether it asks, only running it tells */
	Fact has_no_new_privs; /* sudo cannot work in this process */
} FactsSystem;

/** Limits of the cgroup and all its ancestors are taken in. */
typedef struct {
	guint64 total_bytes;     /* usable: the lower of installed and limit */
	guint64 installed_bytes; /* what the kernel has */
	guint64 limit_bytes;     /* lowest cgroup limit; FACTS_UNKNOWN: none found */
	guint64 available_bytes; /* can be had now */
	guint64 swap_bytes;      /* total, capped by the cgroup */
	char *source;            /* file and line that total_bytes comes from */
} FactsMemory;

typedef struct {
	guint64 count;       /* usable: the lower of affinity and quota, rounded up */
	guint64 affinity;    /* CPUs this process may run on */
	guint64 quota_milli; /* cgroup quota in 1/1000 CPU; FACTS_UNKNOWN: none found */
	char *features;      /* of sse4.2 avx avx2 avx512f neon dotprod i8mm sve, space between */
	char *source;        /* what count comes from */
} FactsCpu;

typedef struct {
	char *manager;        /* (nullable): apt dnf5 dnf4 microdnf yum zypper pacman apk brew */
	Fact is_interrupted;  /* dpkg: an operation was cut off */
	guint64 broken_count; /* dpkg: packages not fully configured */
	char *broken;         /* (nullable): names of the first of them, space between */
	Fact is_locked;       /* somebody is installing now */
	guint64 lock_pid;     /* 0: nobody */
	char *lock_holder;    /* (nullable): that program's name */
	char *lock_file;      /* (nullable) */
} FactsPackages;

typedef struct {
	Fact has_bus;     /* a session bus accepts connections; macOS: the keychain is there */
	Fact has_service; /* org.freedesktop.secrets has an owner */
} FactsKeyring;

typedef struct {
	char *path;          /* as asked for */
	char *existing;      /* itself or the nearest ancestor that exists */
	guint64 free_bytes;  /* to this user */
	guint64 free_inodes; /* FACTS_UNKNOWN where the file system does not count them */
	guint64 device;
	Fact is_writable;
	Fact is_read_only; /* the file system is mounted so */
} FactsDirectory;

typedef struct {
	guint64 number;
	Fact is_free; /* on 127.0.0.1 and on all addresses; unknown: not ours to bind */
	char *why;    /* (nullable) */
} FactsPort;

typedef struct {
	FactsSystem system;
	FactsMemory memory;
	FactsCpu cpu;
	FactsPackages packages;
	FactsEngine engine;
	FactsDesktop desktop;
	FactsKeyring keyring;
	GPtrArray *directories; /* (element-type FactsDirectory) */
	GPtrArray *ports;       /* (element-type FactsPort) */
	guint64 elapsed_us;
} Facts;
