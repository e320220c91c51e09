/* installer/ollama_release.h - what a release of Ollama consists of, and which parts a machine takes
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "checks/facts.h"

/** What decides which files of a release are wanted, and which models fit. */
typedef struct {
	const char *system; /* (nullable): "linux", "darwin"; NULL: there is no release for it */
	const char *architecture; /* (nullable): "amd64", "arm64" */
	bool is_musl;             /* releases are for glibc */
	bool has_amd;             /* a graphics card of AMD with its compute driver */
	bool has_nvidia;          /* one of NVIDIA with its driver */
	guint jetpack;            /* NVIDIA's Jetson: 5 or 6; 0: none */
	guint64 memory_bytes;     /* that this process may use; 0: not known */
	guint64 video_bytes;      /* memory of the graphics cards; 0: none, or not known */
} OllamaMachine;

/** Takes what decides from @facts; reads nothing else. */
void ollama_machine_read(const Facts *facts, OllamaMachine *machine);

/** Returns: whether @version is one that a release can have: "0.33.2", "0.6.0-rc1". */
bool ollama_version_is_good(const char *version);

/**
 * Lists the files of release @version that @machine takes.
 *
 * Returns: (transfer full): an array of objects with "name", "into" (where below the installation
 * its root comes, "" for the root itself) and "form" ("archive", or "program" for a bare one); or NULL
 * with CONFIG (not a version) or UNAVAILABLE (no release for such a machine) set.
 */
json_t *ollama_assets(const char *version, const OllamaMachine *machine,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer none): the program, below an installation. */
const char *ollama_program(void);
