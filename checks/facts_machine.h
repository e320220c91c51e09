/* checks/facts_machine.h - facts: places and ports, and all facts together
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_desktop.h"
#include "checks/facts_docker.h"
#include "checks/facts_gpu.h"
#include "checks/facts_host.h"
#include "checks/facts_limits.h"
#include "checks/facts_network.h"

typedef struct {
	Fact has_bus;     /* a session bus accepts connections; macOS: the keychain is there */
	Fact has_service; /* org.freedesktop.secrets has an owner */
} FactsKeyring;

/** Where WSL shows the disk that its own disk image lies on, unless somebody has moved either. */
#define FACTS_WINDOWS_DISK "/mnt/c"

typedef struct {
	char *path;        /* as asked for */
	char *existing;    /* itself or the nearest ancestor that exists */
	char *file_system; /* (nullable): "ext4", "nfs", "9p", …; "0x1234" for one without a name */
	guint64 total_bytes; /* of the file system */
	guint64 free_bytes;  /* to this user */
	guint64 quota_bytes; /* left of this user's quota; FACTS_UNLIMITED: none is set */
	guint64 free_inodes; /* FACTS_UNKNOWN where the file system does not count them */
	guint64 device;
	Fact is_writable;
	Fact is_read_only;  /* the file system is mounted so */
	Fact is_noexec;     /* programs there cannot be started */
	Fact is_case_blind; /* "a" and "A" are one file */
	Fact keeps_modes;   /* the rights of a file are what chmod() set */
} FactsDirectory;

/** A file that only its owner should read. */
typedef struct {
	char *path;
	guint64 mode; /* rights: 0600 */
	guint64 uid;
} FactsSecret;

typedef struct {
	FactsSystem system;
	FactsMemory memory;
	FactsCpu cpu;
	FactsKernel kernel;
	FactsLimits limits;
	FactsClock clock;
	FactsGpu gpu;
	FactsPackages packages;
	FactsInstalled installed;
	FactsTools tools;
	FactsEngine engine;
	FactsClient client;
	FactsDesktop desktop;
	FactsWsl wsl;
	FactsNetwork network;
	FactsKeyring keyring;
	GPtrArray *cards;       /* (element-type FactsCard) */
	GPtrArray *directories; /* (element-type FactsDirectory) */
	GPtrArray *ports;       /* (element-type FactsPort) */
	GPtrArray *servers;     /* (element-type FactsServer) */
	GPtrArray *secrets;     /* (element-type FactsSecret): those that are there */
	guint64 elapsed_us;
} Facts;
