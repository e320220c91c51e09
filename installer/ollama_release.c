/* installer/ollama_release.c - what a release of Ollama consists of, and which parts a machine takes
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/ollama_release.h"

#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "checks/check.h"
#include "payload/stack.h"

#define VERSION_MAX_BYTES 40

/* The main file.  Source: the lists of files of the releases v0.1.30 to v0.33.2. */
static const struct {
	const char *system;
	const char *since;   /* version */
	const char *pattern; /* "@": the architecture; without one it is for all */
	const char *form;
	const char *into;
} main_table[] = {
	{ "linux", "0.14.0", "ollama-linux-@.tar.zst", "archive", "" },
	{ "linux", "0.3.7", "ollama-linux-@.tgz", "archive", "" },
	{ "linux", "0", "ollama-linux-@", "program", "bin" },
	{ "darwin", "0.5.8", "ollama-darwin.tgz", "archive", "bin" }, /* flat: no bin/, no lib/ */
	{ "darwin", "0", "ollama-darwin", "program", "bin" },
};

/* Further libraries, laid over the main archive. */
static const struct {
	const char *architecture;
	const char *since;
	bool is_for_amd;
	guint jetpack;
	const char *word;
} part_table[] = {
	{ "amd64", "0.3.7", true, 0, "rocm" },
	{ "arm64", "0.5.8", false, 5, "jetpack5" },
	{ "arm64", "0.5.8", false, 6, "jetpack6" },
};

bool ollama_version_is_good(const char *version)
{
	gsize length = strlen(version);

	return g_ascii_isdigit(version[0]) && length <= VERSION_MAX_BYTES &&
	       strspn(version, G_CSET_DIGITS G_CSET_a_2_z ".-+") == length &&
	       strchr(version, '.') && !strstr(version, "..");
}

const char *ollama_program(void)
{
	return "bin/ollama";
}

static const char *architecture_of(const Facts *facts)
{
	static const struct {
		const char *ours, *theirs;
	} table[] = {
		{ "x86_64", "amd64" },
		{ "aarch64", "arm64" },
		{ "arm64", "arm64" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		if (g_strcmp0(facts->system.architecture, table[i].ours) == 0)
			return table[i].theirs;
	return NULL;
}

void ollama_machine_read(const Facts *facts, OllamaMachine *machine)
{
	const char *kernel = facts->system.name;
	guint64 memory = facts->memory.total_bytes;
	guint64 jetpack = facts->gpu.jetpack;

	*machine = (OllamaMachine){
		.system = g_strcmp0(kernel, "Linux") == 0    ? "linux"
		          : g_strcmp0(kernel, "Darwin") == 0 ? "darwin"
		                                             : NULL,
		.architecture = architecture_of(facts),
		.is_musl = g_strcmp0(facts->system.library, "musl") == 0,
		.has_amd = facts->gpu.has_kfd == FACT_YES,
		.has_nvidia = facts->gpu.nvidia_driver != NULL,
		.jetpack = jetpack == FACTS_UNKNOWN ? 0 : (guint)jetpack,
		.memory_bytes = memory == FACTS_UNKNOWN ? 0 : memory,
		.video_bytes = check_card_bytes(facts),
	};
}

static void add_asset(json_t *assets, const char *name, const char *into, const char *form)
{
	json_array_append_new(
		assets, json_pack("{s:s, s:s, s:s}", "name", name, "into", into, "form", form));
}

static bool add_main(json_t *assets, const char *version, const OllamaMachine *machine)
{
	for (gsize i = 0; i < G_N_ELEMENTS(main_table); i++) {
		if (g_strcmp0(main_table[i].system, machine->system) != 0 ||
		    stack_version_compare(version, main_table[i].since) < 0)
			continue;
		g_auto(GStrv) parts = g_strsplit(main_table[i].pattern, "@", 2);
		g_autofree char *name = g_strjoinv(machine->architecture, parts);
		add_asset(assets, name, main_table[i].into, main_table[i].form);
		return g_str_equal(main_table[i].form, "archive");
	}

	return false;
}

static void add_parts(json_t *assets, const char *version, const OllamaMachine *machine)
{
	const char *suffix = stack_version_compare(version, "0.14.0") >= 0 ? ".tar.zst" : ".tgz";

	for (gsize i = 0; i < G_N_ELEMENTS(part_table); i++) {
		bool is_wanted = part_table[i].is_for_amd
		                         ? machine->has_amd
		                         : machine->jetpack == part_table[i].jetpack;
		if (!is_wanted || g_strcmp0(machine->architecture, part_table[i].architecture) ||
		    stack_version_compare(version, part_table[i].since) < 0)
			continue;
		g_autofree char *name = g_strdup_printf(
			"ollama-linux-%s-%s%s", machine->architecture, part_table[i].word, suffix);
		add_asset(assets, name, "", "archive");
	}
}

json_t *ollama_assets(const char *version, const OllamaMachine *machine, GError **error)
{
	if (!ollama_version_is_good(version)) {
		fault_set(error, STATUS_CONFIG, NULL, "\"%s\" is no version of Ollama", version);
		return NULL;
	}
	if (!machine->system || !machine->architecture || machine->is_musl) {
		fault_set(error, STATUS_UNAVAILABLE,
		          "Install Ollama by other means, or leave the step out with --skip.",
		          "Ollama has no release for %s",
		          machine->is_musl ? "systems with musl" : "this kind of machine");
		return NULL;
	}

	json_t *assets = json_array();
	if (add_main(assets, version, machine) && g_str_equal(machine->system, "linux"))
		add_parts(assets, version, machine);
	return assets;
}
