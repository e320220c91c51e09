/* checks/facts_private.h - the readers that facts_read() is made of
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts.h"

/** Largest file that a reader takes, in bytes.  Source: our own bound; the dpkg status of a
 *  desktop with 4,000 packages has about 6 MiB. */
#define SOURCE_MAX_BYTES ((gsize)32 * 1024 * 1024)

/** What has been read, so that no file is opened twice in a run. */
typedef struct SourceCache SourceCache;
SourceCache *source_cache_new(void);
void source_cache_free(SourceCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SourceCache, source_cache_free)

/** Where files and variables come from: the machine, or a tree that a test laid out. */
typedef struct {
	const char *root; /* "" for the machine itself */
	char **environment;
	gint64 deadline_us; /* monotonic: engine and keyring answer before it or not at all */
	SourceCache *cache; /* (nullable): every read opens its file */
	bool is_thorough;   /* ask also what takes long and seldom matters */
} FactsSource;

/** Returns: (transfer full): the path under the root. */
char *source_path(const FactsSource *source, const char *path);

/** Returns: (transfer full) (nullable): the file as text, up to its first NUL byte; NULL when it
 *  cannot be read. */
char *source_read(const FactsSource *source, const char *path);

/** Calls @visit with the file as text, a NUL behind it, when it can be read; large ones are not copied. */
typedef void (*SourceVisit)(const char *text, gsize size_bytes, gpointer data);
void source_visit(const FactsSource *source, const char *path, SourceVisit visit, gpointer data);

/** Returns: (transfer full) (nullable): the first 4,096 bytes less white space around them; not from the cache. */
char *source_line(const FactsSource *source, const char *path);

/** As source_line().  Returns: FACTS_UNKNOWN unless the file holds a number below 2^63. */
guint64 source_number(const FactsSource *source, const char *path);

/** Returns: the number that @text starts with; FACTS_UNKNOWN when there is none below 2^63. */
guint64 source_parse_number(const char *text);

/** Returns: whether a file, directory or socket is there; false for a dangling symlink. */
bool source_exists(const FactsSource *source, const char *path);

/** Returns: (transfer full) (nullable): the last part of what the symbolic link points to. */
char *source_link(const FactsSource *source, const char *path);

/** Returns: (transfer full) (element-type utf8): sorted names in a directory; empty when it cannot be
 *  read. */
GPtrArray *source_list(const FactsSource *source, const char *path);

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

/** Fills the limits that every system has: of files, processes and sizes. */
void limits_read_process(FactsLimits *limits);

/** Finds the cards, and what programs need to compute on them; runs nothing. */
void facts_read_gpu(const FactsSource *source, Facts *facts);

/** Fills what the processor says of itself: features, whether it can run virtual machines, and the hypervisor
 *  ("" for none). */
void isa_read(const char *architecture, FactsSystem *system, FactsCpu *cpu);

/** Looks for earlier installations. */
void facts_read_installed(const FactsSource *source, FactsInstalled *installed);

/** Takes the distribution from @system.  @is_work_asked: who installs now, what was left half done. */
void facts_read_packages(const FactsSource *source, const FactsSystem *system, bool is_work_asked,
                         FactsPackages *packages);

/** Returns: (transfer full) (nullable): version of the first of @packages that dpkg has. */
char *dpkg_version(const FactsSource *source, const char *const *packages);

FactsCard *facts_card_new(void);
FactsDirectory *facts_directory_new(const char *path);
void facts_directory_free(gpointer directory);
FactsPort *facts_port_new(guint64 number);
FactsServer *facts_server_new(const char *url);
FactsSecret *facts_secret_new(const char *path);
/** @known: (nullable) (element-type FactsDirectory): what is read already is not read again. */
FactsDirectory *facts_read_directory(const char *path, const GPtrArray *known);
FactsPort *facts_read_port(guint16 number);
