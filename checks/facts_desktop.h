/* checks/facts_desktop.h - facts: Docker Desktop's settings, and those of WSL
 *
 * They explain what the engine says.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/fact.h"

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

typedef enum {
	DESKTOP_SWITCH_UNKNOWN, /* as of a setting */
	DESKTOP_SWITCH_DEFAULT,
	DESKTOP_SWITCH_OFF,
	DESKTOP_SWITCH_ON,
} DesktopSwitch;

typedef struct {
	DesktopState state;
	guint64 generation; /* 1: settings.json (< 4.35), 2: settings-store.json; 0: none */
	char *file;         /* (nullable) */
	char *why;          /* (nullable) */
	char *differing;    /* (nullable): settings that the older file, beside it, has otherwise */
	DesktopSetting memory, cpus, disk, swap;
	guint64 memory_bytes, cpu_count, disk_bytes, swap_bytes; /* FACTS_UNKNOWN unless set */
	DesktopSetting settings_version, licence, auto_pause;
	guint64 settings_version_number, licence_number, auto_pause_seconds;
	DesktopSwitch rosetta, virtiofs, grpcfuse, apple_virtualization, docker_vmm;
	DesktopSwitch resource_saver, kubernetes, autostart, containerd_store;
	DesktopSwitch windows_containers, wsl_engine, wsl_default_distribution;
	DesktopSwitch open_tcp, cgroup_v1, isolation;
	char *proxy_mode;   /* (nullable): "system", "manual" */
	char *proxy;        /* (nullable): of the manual mode; password taken out */
	char *file_sharing; /* (nullable): directories that containers may mount, a line each */
	char *wsl_distributions; /* (nullable): that it is integrated with, space between */
	char *data_folder;       /* (nullable): where the disk image lies */
	char *image_file;        /* (nullable): the disk image */
	guint64 image_bytes;     /* what it can grow to */
	guint64 image_used_bytes;
	guint64 image_free_bytes; /* of the host's file system that it lies on */
	char *app;                /* (nullable): where it is installed */
	char *app_version;        /* (nullable): when a file says it */
	char *admin_file;         /* (nullable): an administrator's settings */
	char *admin_why;          /* (nullable): why they cannot be used */
	char *locked;      /* (nullable): settings that they lock, as named there, space between */
	Fact must_sign_in; /* registry.json: the engine does not start before somebody signs in */
} FactsDesktop;

/** The virtual machine of WSL 2, as .wslconfig sets it. */
typedef struct {
	DesktopState state;
	char *file; /* (nullable) */
	char *why;  /* (nullable): of one that WSL does not take, or not all of it */
	DesktopSetting memory, cpus, swap;
	guint64 memory_bytes, cpu_count, swap_bytes; /* FACTS_UNKNOWN unless set */
	char *networking;                            /* (nullable): "nat", "mirrored", … */
	char *distribution;                          /* (nullable): this one's name */
	Fact has_desktop; /* Docker Desktop runs, and serves this distribution */
} FactsWsl;
