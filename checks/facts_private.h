/* checks/facts_private.h - the readers that facts_read() is made of
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts.h"

/** Largest file that a reader takes, in bytes.  Source: our own bound; the dpkg status of a
 *  desktop with 4,000 packages has about 6 MiB. */
#define SOURCE_MAX_BYTES ((gsize)32 * 1024 * 1024)

/** Where files and variables come from: the machine, or a tree that a test laid out. */
typedef struct {
	const char *root; /* "" for the machine itself */
	char **environment;
	gint64 deadline_us; /* monotonic: engine and keyring answer before it or not at all */
} FactsSource;

/** Returns: (transfer full): the path under the root. */
char *source_path(const FactsSource *source, const char *path);

/** Returns: (transfer full) (nullable): the file as text, up to its first NUL byte; NULL when it
 *  cannot be read. */
char *source_read(const FactsSource *source, const char *path);

/** Returns: (transfer full) (nullable): as source_read(), white space at both ends taken off. */
char *source_line(const FactsSource *source, const char *path);

/** Returns: FACTS_UNKNOWN unless the file holds a number below 2^63. */
guint64 source_number(const FactsSource *source, const char *path);

/** Returns: the number that @text starts with; FACTS_UNKNOWN when there is none below 2^63. */
guint64 source_parse_number(const char *text);

/** Returns: whether a file, directory or socket is there; false for a dangling symlink. */
bool source_exists(const FactsSource *source, const char *path);

/** Returns: (transfer none) (nullable): the variable; NULL when empty too. */
const char *source_env(const FactsSource *source, const char *name);

/** Returns: (transfer full) (nullable): the absolute path of a program. */
char *source_program(const FactsSource *source, const char *name);

/** Returns: milliseconds left before the deadline, at least 1. */
guint source_left_ms(const FactsSource *source);

/* The system's own, in facts_linux.c and facts_macos.c: */

/** Fills name, version, limits, memory, CPU: all that no file of another module covers. */
void facts_read_machine(const FactsSource *source, Facts *facts);

/** Sockets where an engine may listen besides the default one, "$VARIABLE/…", most usual first;
 *  and where Docker Desktop keeps its settings. */
extern const char *const engine_socket_table[];
extern const gsize engine_socket_count;
extern const char *const desktop_directory_table[];
extern const gsize desktop_directory_count;

/** Returns: whether the process that listens at the other end of @fd runs beside us: it does not when
 *  a virtual machine is behind it, or when it is outside of our container. */
Fact peer_is_here(int fd);

/** Returns: (transfer full): features of this 64-bit ARM processor. */
char *arm_features_read(void);

/** Whether SO_REUSEADDR still lets bind() see a listener: so on Linux, not on BSD. */
extern const bool port_probe_reuses_address;

/** Fills keyring; blocks until the deadline at most. */
void facts_read_keyring(const FactsSource *source, FactsKeyring *keyring);

/** Limits that the control groups of this process set; FACTS_UNKNOWN where there is none. */
typedef struct {
	guint64 memory_bytes;
	guint64 memory_available_bytes; /* limit less what is used and cannot be dropped */
	guint64 swap_bytes;
	guint64 cpu_milli;
	char *memory_file; /* (nullable): that sets memory_bytes */
	char *cpu_file;    /* (nullable) */
} CgroupLimits;

/** Reads version 1, 2 and hybrid hierarchies.  @limits: filled; clear with cgroup_clear(). */
void cgroup_read(const FactsSource *source, CgroupLimits *limits);
void cgroup_clear(CgroupLimits *limits);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CgroupLimits, cgroup_clear)

/** Takes id, id_like, version and pretty name from the text of an os-release file. */
void os_release_parse(const char *text, FactsSystem *system);

/** Fills container, CI, WSL, immutable, systemd, home. */
void facts_read_surroundings(const FactsSource *source, FactsSystem *system);

/** Returns: (transfer full) (nullable): instruction sets that programs here may use. */
char *cpu_features_read(const char *architecture);

/** Takes the distribution from @system. */
void facts_read_packages(const FactsSource *source, const FactsSystem *system,
                         FactsPackages *packages);

/** Returns: (transfer full) (nullable): version of the first of @packages that dpkg has. */
char *dpkg_version(const FactsSource *source, const char *const *packages);

FactsDirectory *facts_directory_new(const char *path);
FactsPort *facts_port_new(guint64 number);
FactsDirectory *facts_read_directory(const char *path);
FactsPort *facts_read_port(guint16 number);

/** Resolves the endpoint as the docker program does and asks it; blocks until the deadline at
 *  most. */
void facts_read_engine(const FactsSource *source, FactsEngine *engine);

/** Fills cli, compose and compose_version: files only. */
void facts_read_engine_programs(const FactsSource *source, FactsEngine *engine);

/** Reads the settings of either generation. */
void facts_read_desktop(const FactsSource *source, FactsDesktop *desktop);

/** Judges the text of a settings file: sets state, why and the four settings. */
void desktop_parse(GBytes *text, FactsDesktop *desktop);
