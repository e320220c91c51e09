/* checks/check_model.c - judges whether the language models that the plan loads fit
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_private.h"

/* What AMD's compute driver does not drive, ROCm does not use. */
static bool is_counted(const Facts *facts, const FactsCard *card, const char *vendor)
{
	bool is_idle = strcmp(vendor, "amd") == 0 && facts->gpu.has_kfd == FACT_NO;

	return g_strcmp0(card->vendor, vendor) == 0 && !is_idle;
}

guint64 check_card_bytes(const Facts *facts)
{
	static const char *const vendors[] = { "nvidia", "amd" };
	guint64 largest = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(vendors); i++) {
		guint64 sum = 0;

		for (guint j = 0; j < facts->cards->len; j++) {
			const FactsCard *card = g_ptr_array_index(facts->cards, j);

			if (is_counted(facts, card, vendors[i]) &&
			    card->memory_bytes <= G_MAXINT64 - sum)
				sum += card->memory_bytes;
		}
		largest = MAX(largest, sum);
	}
	return largest;
}

/* Of the cards whose memory check_card_bytes() counts; FACTS_UNKNOWN when one does not say. */
static guint64 free_card_bytes(const Facts *facts)
{
	guint64 sum = 0;

	for (guint i = 0; i < facts->cards->len; i++) {
		const FactsCard *card = g_ptr_array_index(facts->cards, i);

		if (card->memory_bytes == FACTS_UNKNOWN)
			continue;
		if (card->memory_free_bytes > G_MAXINT64 - sum)
			return FACTS_UNKNOWN;
		sum += card->memory_free_bytes;
	}
	return sum;
}

static guint64 needed_by(const CheckModelNeed *model)
{
	return MIN(model->bytes, (guint64)G_MAXINT64 - CHECK_MODEL_SPARE_BYTES) +
	       CHECK_MODEL_SPARE_BYTES;
}

static const CheckModelNeed *default_model(const CheckNeeds *needs)
{
	for (gsize i = 0; i < needs->model_count; i++)
		if (needs->models[i].is_default)
			return &needs->models[i];

	return needs->model_count > 0 ? &needs->models[0] : NULL;
}

/* Where models run: in the engine's machine, or here. */
static guint64 memory_for_models(const CheckRun *run)
{
	const Facts *facts = run->facts;
	bool is_in_engine = !run->needs->runs_models && run->needs->engine != NULL;

	return is_in_engine ? facts->engine.memory_bytes : facts->memory.total_bytes;
}

/* The largest of the others that fits. */
static const CheckModelNeed *alternative(const CheckRun *run, guint64 room_bytes)
{
	const CheckModelNeed *best = NULL;

	for (gsize i = 0; i < run->needs->model_count; i++) {
		const CheckModelNeed *model = &run->needs->models[i];

		if (needed_by(model) <= room_bytes && (best == NULL || model->bytes > best->bytes))
			best = model;
	}
	return best;
}

static void refuse(CheckRun *run, const CheckModelNeed *model, guint64 room_bytes)
{
	const CheckModelNeed *other = alternative(run, room_bytes);
	g_autofree char *size = check_format_bytes(room_bytes);
	CheckFinding *finding =
		finding_add(run, other != NULL ? CHECK_WARN : run->check->severity, size);

	finding->measured_value = room_bytes;
	finding->needed_value = needed_by(model);
	finding->unit = "bytes";
	finding->needed = check_format_bytes(finding->needed_value);
	if (other != NULL)
		finding_set_remedy(finding, g_strdup_printf("Choose %s instead, with `--set "
		                                            "step.STEP.name=%s`.",
		                                            other->name, other->name));
}

static void accept(CheckRun *run, const CheckModelNeed *model, guint64 bytes, const char *where)
{
	g_autofree char *size = check_format_bytes(bytes);
	g_autofree char *measured = g_strdup_printf("%s of %s", size, where);
	CheckFinding *finding = finding_add(run, CHECK_PASS, measured);

	finding->measured_value = bytes;
	finding->needed_value = needed_by(model);
	finding->unit = "bytes";
	finding->needed = check_format_bytes(finding->needed_value);
}

/* A model may lie in both: what the card cannot take, the processor works on. */
static void judge_mem_model_fit(CheckRun *run)
{
	const CheckModelNeed *model = default_model(run->needs);
	guint64 memory_bytes = memory_for_models(run);
	guint64 card_bytes = check_card_bytes(run->facts);
	guint64 room_bytes = memory_bytes <= G_MAXINT64 ? memory_bytes + card_bytes : memory_bytes;

	if (model == NULL)
		(void)finding_add(run, CHECK_SKIPPED, "the stack loads no model");
	else if (card_bytes >= needed_by(model))
		accept(run, model, card_bytes, "the graphics card's memory");
	else if (memory_bytes == FACTS_UNKNOWN)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else if (memory_bytes >= needed_by(model))
		accept(run, model, memory_bytes, "memory");
	else if (room_bytes >= needed_by(model))
		accept(run, model, room_bytes, "memory and the graphics card's together");
	else
		refuse(run, model, room_bytes);
}

/* A machine without a card that computes is no worse than asked for: models run on its processor. */
static void judge_gpu_memory(CheckRun *run)
{
	const FactsGpu *gpu = &run->facts->gpu;
	const CheckModelNeed *model = default_model(run->needs);
	guint64 free_bytes = free_card_bytes(run->facts);
	guint64 total_bytes = check_card_bytes(run->facts);

	if (total_bytes == 0 && gpu->metal_bytes != FACTS_UNKNOWN)
		free_bytes = total_bytes = gpu->metal_bytes;
	if (total_bytes == 0 && gpu->nvidia_why != NULL)
		(void)finding_add(run, CHECK_UNKNOWN, gpu->nvidia_why);
	else if (total_bytes == 0 && gpu->nvidia_driver != NULL && gpu->is_nvidia_asked != FACT_YES)
		(void)finding_add(run, CHECK_SKIPPED,
		                  "not asked: `slipway check --all` runs nvidia-smi");
	else if (total_bytes == 0)
		(void)finding_add(run, CHECK_SKIPPED, "no graphics card with memory that is known");
	else if (model == NULL)
		(void)finding_add_amount(run, &(Amount){ free_bytes, 0, 1, 0, "bytes" });
	else
		(void)finding_add_amount(run,
		                         &(Amount){ free_bytes, 0, needed_by(model), 0, "bytes" });
}

/* clang-format off */
const Check check_rows_model[] = {
	{ "gpu.memory", "free memory of the graphics card", CHECK_WARN, CHECK_SLOW, NULL, "nvidia-smi, /sys/bus/pci",
	  "End other programs that use the card, or choose a smaller model.",
	  "What does not fit into the card's memory runs on the processor. A model needs its weights and about 1 GiB more. "
	  "NVIDIA's driver tells the memory only through nvidia-smi, which is run with --all and before a model is loaded.",
	  applies_with_models, judge_gpu_memory },
	{ "mem.model_fit", "room for the language model", CHECK_FAIL, CHECK_SLOW, NULL, "memory, graphics cards",
	  "Choose a smaller model, or a machine with more memory.",
	  "A model that fits neither into memory nor into that of the graphics cards is not loaded. Its weights and 1 GiB for "
	  "context and server count; the stack says how large the weights are.",
	  applies_with_models, judge_mem_model_fit },
	{ 0 },
};
/* clang-format on */
