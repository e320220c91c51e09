/* payload/stack.h - what a stack.ini says
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/ini.h"
#include "payload/stack_deploy.h"

/** Minimum needs; 0 where the stack says nothing.  Sections [needs] and [needs PROFILE]. */
typedef struct {
	guint64 memory_bytes;             /* below it: fail */
	guint64 memory_recommended_bytes; /* below it: warn */
	guint64 disk_bytes;               /* free, where the stack is installed */
	guint64 engine_disk_bytes;        /* free, where the engine keeps images */
	guint64 cpus;
	char *engine;  /* (nullable): minimum Docker engine version; NULL: no engine needed */
	char *compose; /* (nullable): minimum compose plugin version */
	char **architectures; /* empty: any */
} StackNeeds;

/** [tool NAME]: a row of the tool catalogue that has to be there. */
typedef struct {
	char *name;
	char *minimum;   /* (nullable) version */
	char **profiles; /* empty: all; the same in every struct below */
} StackTool;

typedef enum { STACK_KEY_OPTIONAL, STACK_KEY_REQUIRED, STACK_KEY_GENERATED } StackKeyKind;

/** [key NAME]: a named secret; NAME is the environment variable that users know. */
typedef struct {
	char *name;
	StackKeyKind kind;
	char *title;
	char *url;           /* (nullable): where to get one */
	char *variable;      /* what the stack's programs read; default: the name */
	char *file_variable; /* (nullable): ... the name of a file with it from */
	char **services;     /* who gets it */
	char *one_of;        /* (nullable): of the keys with the same word, one has to be there */
	guint64 size_bytes;  /* generated keys: random bytes, before hex */
	char **profiles;
} StackKey;

/** [port NAME] */
typedef struct {
	char *name;
	guint64 number;
	char *variable; /* environment variable that moves it */
	char *service;
	char **profiles;
} StackPort;

/** [service NAME] */
typedef struct {
	char *name;
	char *role;          /* one line */
	char *health;        /* (nullable): URL, ports as ${VARIABLE} */
	char **entry_point;  /* started through the shim that puts its keys into its environment */
	bool is_placeholder; /* upstream has no code for it; ours only says so */
	char **profiles;
} StackService;

/** [profile NAME]; one of them has "default = yes". */
typedef struct {
	char *name, *title;
	bool is_default;
	bool is_preview; /* its files can be had; it cannot be installed yet */
} StackProfile;

/** [step NAME]: one step of the plan; which keys it may have is up to its kind. */
typedef struct {
	char *id;
	char *kind;
	char **after;
	char **profiles;
	GHashTable *values; /* char * key -> char * value, every key of the section, "kind" too */
	guint line;         /* of the first entry */
} StackStep;

/** A parsed and checked definition.  Arrays hold the structs above, in file order. */
typedef struct {
	char *name;                      /* [a-z0-9-], 2 to 32 bytes */
	char *title, *summary, *version; /* version: of the definition */
	char *prefix;                    /* default installation directory, may start with "~" */
	char *homepage, *license, *source_url, *source_revision; /* (nullable); a full id */
	char *ini_name;   /* for messages: "localagent/stack.ini" */
	StackNeeds needs; /* [needs]; stack_needs() adds a profile's */
	StackDeploy deploy;
	GPtrArray *profiles, *tools, *keys, *ports, *services, *steps;
	GPtrArray *profile_needs; /* private */
	IniFile *ini;             /* owned; [model] and [test] stand only here */
} Stack;

/**
 * Parses and checks a definition: every section and key is known, every number in range, ports
 * 1 to 65535 and used once per profile, step dependencies exist and have no cycle, versions and
 * names well formed.  (Which values a step kind needs is checked when a plan is made.)
 *
 * Returns: (transfer full): the stack, or NULL with CONFIG set, "NAME:LINE:COLUMN: why".
 */
Stack *stack_parse(GBytes *text, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void stack_free(Stack *stack);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stack, stack_free)

/** Returns: (transfer none): the default profile's name, or NULL when there are no profiles. */
const char *stack_default_profile(const Stack *stack);

/** Returns: (transfer none) (nullable): that profile. */
const StackProfile *stack_find_profile(const Stack *stack, const char *name);

/** Fills @needs, with strings of @stack, for @profile: [needs PROFILE] goes before [needs]. */
void stack_needs(const Stack *stack, const char *profile, StackNeeds *needs);

/** Returns: whether something with these @profiles belongs to @profile. */
bool stack_in_profile(char *const *profiles, const char *profile);

/** Compares dotted versions number by number ("3.9" < "3.12"; "v" in front and text behind
 *  ignored).  Returns: <0, 0, >0. */
int stack_version_compare(const char *a, const char *b);
