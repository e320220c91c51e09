/* checks/facts_nvidia.c - the memory of NVIDIA's cards, as nvidia-smi tells it
 *
 * The driver has it in no file, and a static program cannot load the driver's library.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/process.h"
#include "checks/facts_gpu_private.h"

/* With eight cards and a driver that is not kept loaded, the first question takes some seconds. */
#define TIMEOUT_MS 10000
#define OUTPUT_MAX_BYTES ((gsize)64 * 1024)

/* Where Windows puts it: WSL's own directory is on no search path of ours. */
#define WSL_PROGRAM "/usr/lib/wsl/lib/nvidia-smi"

enum {
	FIELD_ADDRESS,
	FIELD_NAME,
	FIELD_DRIVER,
	FIELD_TARGET,
	FIELD_TOTAL,
	FIELD_FREE,
	FIELD_COUNT
};

static const char query[] = "--query-gpu=pci.bus_id,name,driver_version,compute_cap,memory.total,"
			    "memory.free";

/* "00000000:0B:00.0" as the kernel has it: "0000:0b:00.0". */
static char *kernel_address(const char *address)
{
	const char *rest = strchr(address, ':');
	guint64 domain = g_ascii_strtoull(address, NULL, 16);
	g_autofree char *lower = rest != NULL ? g_ascii_strdown(rest, -1) : NULL;

	return lower != NULL ? g_strdup_printf("%04x%s", (guint)domain, lower) : NULL;
}

static FactsCard *card_at(GPtrArray *cards, const char *address)
{
	FactsCard *card;

	for (guint i = 0; i < cards->len; i++) {
		card = g_ptr_array_index(cards, i);
		if (g_strcmp0(card->address, address) == 0)
			return card;
	}
	card = facts_card_new();
	card->address = g_strdup(address);
	card->vendor = g_strdup("nvidia");
	g_ptr_array_add(cards, card);
	return card;
}

/* A number of MiB; "[N/A]" and its like are none. */
static guint64 mebibytes(const char *text)
{
	guint64 number = source_parse_number(text);

	return number <= G_MAXINT64 >> 20 ? number << 20 : FACTS_UNKNOWN;
}

/* What it does not know it puts in brackets. */
static void put_word(char **field, const char *text)
{
	if (*text == '\0' || *text == '[')
		return;
	g_free(*field);
	*field = g_utf8_validate(text, -1, NULL) ? g_strdup(text) : NULL;
}

static void parse_line(const char *line, Facts *facts)
{
	g_auto(GStrv) words = g_strsplit(line, ",", -1);
	g_autofree char *address = NULL;
	FactsCard *card;

	if (g_strv_length(words) != FIELD_COUNT)
		return;
	for (gsize i = 0; i < FIELD_COUNT; i++)
		g_strstrip(words[i]);
	address = kernel_address(words[FIELD_ADDRESS]);
	if (address == NULL)
		return;

	card = card_at(facts->cards, address);
	put_word(&card->name, words[FIELD_NAME]);
	put_word(&card->target, words[FIELD_TARGET]);
	if (facts->gpu.nvidia_driver == NULL)
		put_word(&facts->gpu.nvidia_driver, words[FIELD_DRIVER]);
	card->memory_bytes = mebibytes(words[FIELD_TOTAL]);
	card->memory_free_bytes = mebibytes(words[FIELD_FREE]);
}

void nvidia_parse(const char *text, Facts *facts)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (gsize i = 0; lines[i] != NULL; i++)
		parse_line(lines[i], facts);
}

static char *find_program(const FactsSource *source)
{
	g_autofree char *found = source_program(source, "nvidia-smi");

	if (found == NULL && source_exists(source, WSL_PROGRAM))
		found = g_strdup(WSL_PROGRAM);
	return found != NULL ? source_path(source, found) : NULL;
}

/* Its own words: "Failed to initialize NVML: Driver/library version mismatch", on stdout. */
static char *first_line(const ProcessResult *result)
{
	const char *text = *result->out != '\0' ? result->out : result->err;
	g_autofree char *line = g_strndup(text, strcspn(text, "\n"));

	return *line != '\0' && g_utf8_validate(line, -1, NULL)
	               ? g_steal_pointer(&line)
	               : g_strdup_printf("nvidia-smi ended with status %d", result->exit_code);
}

void nvidia_ask(const FactsSource *source, Facts *facts)
{
	FactsGpu *gpu = &facts->gpu;
	g_autofree char *program = find_program(source);
	const char *argv[] = { program, query, "--format=csv,noheader,nounits", NULL };
	const ProcessSpec spec = { .argv = argv,
		                   .timeout_ms = TIMEOUT_MS,
		                   .max_output_bytes = OUTPUT_MAX_BYTES };
	g_auto(ProcessResult) result = { 0 };
	g_autoptr(GError) error = NULL;

	if (gpu->nvidia_driver == NULL && gpu->has_dxg != FACT_YES)
		return;

	gpu->is_nvidia_asked = FACT_YES;
	if (program == NULL)
		gpu->nvidia_why = g_strdup("nvidia-smi was not found");
	else if (!process_run(&spec, &result, &error))
		gpu->nvidia_why = fault_message(error);
	else if (result.exit_code != 0)
		gpu->nvidia_why = first_line(&result);
	else
		nvidia_parse(result.out, facts);
}
