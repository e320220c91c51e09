/* checks/facts_fields.c - the table of facts
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts_fields.h"

#include <stddef.h>

static const char *const engine_states[] = { "not-asked", "ok",        "absent", "denied",
	                                     "refused",   "no-answer", "remote", NULL };
static const char *const desktop_states[] = { "absent", "read", "unreadable", "malformed", NULL };
static const char *const desktop_settings[] = { "unknown", "default", "set", NULL };

/* A member cannot stand in parentheses.  NOLINTBEGIN(bugprone-macro-parentheses) */
#define NUMBER(group, name)                                                    \
	{                                                                      \
		FIELD_NUMBER, #group, #name, offsetof(Facts, group.name), NULL \
	}
#define TEXT(group, name)                                                    \
	{                                                                    \
		FIELD_TEXT, #group, #name, offsetof(Facts, group.name), NULL \
	}
#define FACT(group, name)                                                    \
	{                                                                    \
		FIELD_FACT, #group, #name, offsetof(Facts, group.name), NULL \
	}
#define WORD(group, name, words)                                              \
	{                                                                     \
		FIELD_WORD, #group, #name, offsetof(Facts, group.name), words \
	}

/* NOLINTEND(bugprone-macro-parentheses) */

/* clang-format off */
static const Field facts_rows[] = {
	TEXT(system, name),
	TEXT(system, architecture),
	TEXT(system, kernel),
	TEXT(system, id),
	TEXT(system, id_like),
	TEXT(system, version),
	TEXT(system, pretty),
	TEXT(system, immutable),
	TEXT(system, container),
	TEXT(system, ci),
	TEXT(system, home),
	NUMBER(system, wsl),
	NUMBER(system, uid),
	FACT(system, has_systemd),
	FACT(system, has_sudo),
	FACT(system, has_no_new_privs),
	NUMBER(memory, total_bytes),
	NUMBER(memory, installed_bytes),
	NUMBER(memory, limit_bytes),
	NUMBER(memory, available_bytes),
	NUMBER(memory, swap_bytes),
	TEXT(memory, source),
	NUMBER(cpu, count),
	NUMBER(cpu, affinity),
	NUMBER(cpu, quota_milli),
	TEXT(cpu, features),
	TEXT(cpu, source),
	TEXT(packages, manager),
	FACT(packages, is_interrupted),
	NUMBER(packages, broken_count),
	TEXT(packages, broken),
	FACT(packages, is_locked),
	NUMBER(packages, lock_pid),
	TEXT(packages, lock_holder),
	TEXT(packages, lock_file),
	WORD(engine, state, engine_states),
	TEXT(engine, endpoint),
	TEXT(engine, endpoint_source),
	TEXT(engine, why),
	TEXT(engine, version),
	TEXT(engine, product),
	TEXT(engine, os_type),
	TEXT(engine, root_dir),
	TEXT(engine, storage_driver),
	TEXT(engine, cgroup_version),
	NUMBER(engine, memory_bytes),
	NUMBER(engine, cpus),
	NUMBER(engine, root_free_bytes),
	NUMBER(engine, root_device),
	FACT(engine, is_rootless),
	FACT(engine, is_here),
	TEXT(engine, cli),
	TEXT(engine, compose),
	TEXT(engine, compose_version),
	WORD(desktop, state, desktop_states),
	NUMBER(desktop, generation),
	TEXT(desktop, file),
	TEXT(desktop, why),
	WORD(desktop, memory, desktop_settings),
	WORD(desktop, cpus, desktop_settings),
	WORD(desktop, disk, desktop_settings),
	WORD(desktop, swap, desktop_settings),
	NUMBER(desktop, memory_bytes),
	NUMBER(desktop, cpu_count),
	NUMBER(desktop, disk_bytes),
	NUMBER(desktop, swap_bytes),
	FACT(keyring, has_bus),
	FACT(keyring, has_service),
	{ FIELD_NUMBER, NULL, "elapsed_us", offsetof(Facts, elapsed_us), NULL },
};

static const Field directory_rows[] = {
	{ FIELD_TEXT,   NULL, "path",         offsetof(FactsDirectory, path), NULL },
	{ FIELD_TEXT,   NULL, "existing",     offsetof(FactsDirectory, existing), NULL },
	{ FIELD_NUMBER, NULL, "free_bytes",   offsetof(FactsDirectory, free_bytes), NULL },
	{ FIELD_NUMBER, NULL, "free_inodes",  offsetof(FactsDirectory, free_inodes), NULL },
	{ FIELD_NUMBER, NULL, "device",       offsetof(FactsDirectory, device), NULL },
	{ FIELD_FACT,   NULL, "is_writable",  offsetof(FactsDirectory, is_writable), NULL },
	{ FIELD_FACT,   NULL, "is_read_only", offsetof(FactsDirectory, is_read_only), NULL },
};

static const Field port_rows[] = {
	{ FIELD_NUMBER, NULL, "number",  offsetof(FactsPort, number), NULL },
	{ FIELD_FACT,   NULL, "is_free", offsetof(FactsPort, is_free), NULL },
	{ FIELD_TEXT,   NULL, "why",     offsetof(FactsPort, why), NULL },
};
/* clang-format on */

const Fields facts_fields = { facts_rows, G_N_ELEMENTS(facts_rows) };
const Fields directory_fields = { directory_rows, G_N_ELEMENTS(directory_rows) };
const Fields port_fields = { port_rows, G_N_ELEMENTS(port_rows) };

void fields_init(gpointer object, const Fields *fields)
{
	for (gsize i = 0; i < fields->count; i++)
		if (fields->rows[i].kind == FIELD_NUMBER)
			G_STRUCT_MEMBER(guint64, object, fields->rows[i].offset) = FACTS_UNKNOWN;
}

void fields_clear(gpointer object, const Fields *fields)
{
	for (gsize i = 0; i < fields->count; i++)
		if (fields->rows[i].kind == FIELD_TEXT)
			g_clear_pointer(&G_STRUCT_MEMBER(char *, object, fields->rows[i].offset),
			                g_free);
}
