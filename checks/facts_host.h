/* checks/facts_host.h - facts: the system, its memory and processors, its packages
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/fact.h"

typedef struct {
	char *name;         /* kernel: "Linux", "Darwin" */
	char *architecture; /* as uname says: "x86_64", "aarch64", "arm64" */
	char *kernel;       /* release: "6.1.0-18-amd64" */
	char *id;           /* os-release ID: "debian"; "macos" */
	char *id_like;      /* os-release ID_LIKE */
	char *version;      /* os-release VERSION_ID */
	char *variant;      /* (nullable): os-release VARIANT_ID: "silverblue" */
	char *support_end;  /* (nullable): os-release SUPPORT_END: "2026-05-12" */
	char *pretty;       /* os-release PRETTY_NAME */
	char *library;      /* (nullable): the C library of programs here: "glibc", "musl" */
	char *immutable;    /* (nullable): "ostree", "nixos", "steamos", "transactional-update" */
	char *container;    /* (nullable): "docker", "podman", "kubernetes", "lxc", "chroot", … */
	char *machine;      /* (nullable): hypervisor: "kvm", "vmware", "hyper-v"; "" for none */
	char *ci;           /* (nullable): "GitHub Actions"; "unknown" when only CI is set */
	char *home;         /* $HOME */
	char *tmp;          /* $TMPDIR, else "/tmp" */
	char *groups;       /* (nullable): of this user, those that matter here: "docker sudo" */
	char *locale;       /* (nullable): LC_ALL, LC_CTYPE or LANG, the first that is set */
	char *disturbing;   /* (nullable): names of variables that change what programs do */
	guint64 wsl;        /* 0: no WSL; 1; 2 */
	guint64 uid;        /* effective */
	guint64 umask;
	guint64 home_uid;      /* owner of the home directory */
	Fact has_systemd;      /* it is the init */
	Fact has_user_systemd; /* this user's own instance runs */
	Fact has_linger;       /* it goes on when the user logs out */
	Fact has_sudo;         /* the program is there; whether it asks, only running it tells */
	Fact has_no_new_privs; /* sudo cannot work in this process */
	Fact is_translated;    /* Rosetta translates this program */
	Fact has_rosetta;      /* macOS: it is installed */
	Fact has_developer_tools; /* macOS: git and compiler are there; asking for them opens a window */
	Fact is_quarantined;      /* macOS: this program was downloaded and never let through */
} FactsSystem;

/** Limits of the cgroup and all its ancestors are taken in. */
typedef struct {
	guint64 total_bytes;     /* usable: the lower of installed and limit */
	guint64 installed_bytes; /* what the kernel has */
	guint64 limit_bytes;     /* lowest cgroup limit; FACTS_UNKNOWN: none found */
	guint64 available_bytes; /* can be had now */
	guint64 swap_bytes;      /* total, capped by the cgroup */
	guint64 swap_free_bytes;
	guint64 huge_bytes;      /* set aside for huge pages: nothing else gets them */
	guint64 cache_bytes;     /* ZFS: of its cache, what it gives back when it is asked */
	guint64 overcommit;      /* vm.overcommit_memory: 0, 1, 2 */
	guint64 commit_bytes;    /* what may be promised in all; holds with overcommit 2 */
	guint64 committed_bytes; /* what has been */
	char *huge_pages;        /* (nullable): transparent ones: "always", "madvise", "never" */
	char *source;            /* file and line that total_bytes comes from */
} FactsMemory;

typedef struct {
	guint64 count;          /* usable: the lower of affinity and quota, rounded up */
	guint64 affinity;       /* CPUs this process may run on */
	guint64 online;         /* CPUs that the kernel runs */
	guint64 physical;       /* cores, of those that are online */
	guint64 quota_milli;    /* cgroup quota in 1/1000 CPU; FACTS_UNKNOWN: none found */
	guint64 steal_permille; /* of the time since the start, what other virtual machines got */
	char *features; /* of sse4.2 avx avx2 f16c fma avx512f amx neon dotprod i8mm sve … */
	char *governor; /* (nullable): of the first CPU: "performance", "powersave" */
	Fact is_on_battery;
	Fact has_virtualization; /* it can run virtual machines, as the processor says */
	Fact has_kvm;            /* /dev/kvm is there */
	Fact can_use_kvm;        /* and this user may open it */
	char *source;            /* what count comes from */
} FactsCpu;

typedef struct {
	char *manager;        /* (nullable): apt dnf5 dnf4 microdnf yum zypper pacman apk brew */
	Fact is_interrupted;  /* an operation was cut off */
	guint64 broken_count; /* packages not fully configured */
	char *broken;         /* (nullable): names of the first of them, space between */
	char *trouble;        /* (nullable): file that says that the database is in disorder */
	Fact is_locked;       /* somebody is installing now */
	Fact is_lock_stale;   /* the lock is a file whose maker is gone */
	guint64 lock_pid;     /* 0: nobody */
	char *lock_holder;    /* (nullable): that program's name */
	char *lock_file;      /* (nullable) */
	guint64 lists_age_s;  /* since the lists of packages were fetched; FACTS_UNLIMITED: never */
	Fact is_prefix_writable; /* brew: its directory, for this user */
	Fact is_prefix_foreign;  /* brew: made for another processor than this machine's */
	char *sources_conflict;  /* apt: URL and suite that have two keys; "" for none */
} FactsPackages;

/** Tools that stacks name and that no other facts tell of. */
typedef struct {
	char *git, *python;                 /* (nullable): programs; the newest Python 3 */
	char *git_version, *python_version; /* (nullable): when a file says it */
} FactsTools;

/** What is there already and would collide. */
typedef struct {
	char *ollama; /* (nullable): programs, space between */
	guint64 ollama_count;
	Fact has_ollama_service; /* a service of the system runs it */
	char *ollama_models;     /* (nullable): directory where models are kept */
} FactsInstalled;
