/* installer/ollama_model.c - the size of a model before it is pulled, and whether it fits
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/ollama_model.h"

#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "checks/check.h"

#define NAME_MAX_BYTES 300
#define LAYERS_MAX 65536
/* What a pull writes beside the layers, and what a disk should still have then. */
#define DISK_SPARE_BYTES ((guint64)256 << 20)

static bool is_name(const char *text)
{
	return *text && *text != '.' && *text != '-' &&
	       text[strspn(text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "._-")] == '\0';
}

/* A host has a dot or a port, or is this machine. */
static bool is_host(const char *text)
{
	return text[0] != '.' && text[0] != '-' &&
	       (strpbrk(text, ".:") || !strcmp(text, "localhost")) &&
	       text[strspn(text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS ".-:")] == '\0';
}

static bool fail_name(const char *model, GError **error)
{
	fault_set(error, STATUS_CONFIG, NULL, "\"%s\" is no name of a model", model);
	return false;
}

/* Splits "HOST/NAMESPACE/MODEL:TAG" from behind. */
static bool split_name(const char *model, char ***parts, char **tag, GError **error)
{
	const char *slash = strrchr(model, '/');
	const char *colon = strchr(slash ? slash : model, ':');
	g_autofree char *path = colon ? g_strndup(model, (gsize)(colon - model)) : g_strdup(model);
	g_auto(GStrv) words = g_strsplit(path, "/", -1);
	guint count = g_strv_length(words);
	const char *wanted = colon ? colon + 1 : "latest";

	if (strlen(model) > NAME_MAX_BYTES || count < 1 || count > 3 || !is_name(wanted))
		return fail_name(model, error);
	for (guint i = 0; i < count; i++)
		if (!(count == 3 && i == 0 ? is_host(words[i]) : is_name(words[i])))
			return fail_name(model, error);

	*tag = g_strdup(wanted);
	*parts = g_steal_pointer(&words);
	return true;
}

char *ollama_manifest_url(const char *registry, const char *model, GError **error)
{
	g_auto(GStrv) parts = NULL;
	g_autofree char *tag = NULL;

	if (!split_name(model, &parts, &tag, error))
		return NULL;

	guint count = g_strv_length(parts);
	g_autofree char *other = count == 3 ? g_strconcat("https://", parts[0], NULL) : NULL;
	const char *space = count == 1 ? "library" : parts[count - 2];
	gsize length = strlen(registry);
	while (length > 0 && registry[length - 1] == '/')
		length--;
	g_autofree char *base = other ? g_strdup(other) : g_strndup(registry, length);
	return g_strdup_printf("%s/v2/%s/%s/manifests/%s", base, space, parts[count - 1], tag);
}

char *ollama_model_name(const char *model)
{
	const char *slash = strrchr(model, '/');

	return strchr(slash ? slash : model, ':') ? g_strdup(model)
	                                          : g_strconcat(model, ":latest", NULL);
}

static bool add_size(const json_t *layer, guint64 *sum, GError **error)
{
	const json_t *size = json_object_get(layer, "size");
	json_int_t bytes = json_integer_value(size);

	if (json_is_integer(size) && bytes >= 0 && (guint64)bytes <= G_MAXINT64 - *sum) {
		*sum += (guint64)bytes;
		return true;
	}

	fault_set(error, STATUS_DATA, NULL, "a layer of the manifest has no size");
	return false;
}

bool ollama_manifest_size(GBytes *manifest, guint64 *size_bytes, GError **error)
{
	g_autoptr(json_t) object = json_parse_bytes(manifest, "manifest", error);
	const json_t *layers = json_object_get(object, "layers");
	const json_t *config = json_object_get(object, "config");
	guint64 sum = 0;
	gsize i = 0;
	json_t *layer = NULL;

	if (!object)
		return false;
	if (json_array_size(layers) == 0 || json_array_size(layers) > LAYERS_MAX) {
		fault_set(error, STATUS_DATA, NULL, "the manifest has no layers");
		return false;
	}
	json_array_foreach(layers, i, layer) if (!add_size(layer, &sum, error)) return false;
	if (config && !add_size(config, &sum, error))
		return false;

	*size_bytes = sum;
	return true;
}

OllamaFit ollama_judge(const OllamaRoom *room)
{
	guint64 needed = room->size_bytes + CHECK_MODEL_SPARE_BYTES;
	bool has_card = room->video_bytes >= needed;

	if (room->disk_bytes && room->disk_bytes < room->size_bytes + DISK_SPARE_BYTES)
		return OLLAMA_NO_DISK;
	if (has_card || !room->memory_bytes)
		return OLLAMA_FITS;
	if (room->memory_bytes + room->video_bytes < needed)
		return OLLAMA_NO_MEMORY;
	return room->video_bytes ? OLLAMA_SPLITS : OLLAMA_FITS;
}

char *ollama_fit_phrase(const OllamaRoom *room)
{
	g_autofree char *size = check_format_bytes(room->size_bytes);
	g_autofree char *disk = check_format_bytes(room->disk_bytes);
	g_autofree char *memory = check_format_bytes(room->memory_bytes);
	g_autofree char *video = check_format_bytes(room->video_bytes);

	switch (ollama_judge(room)) {
	case OLLAMA_NO_DISK:
		return g_strdup_printf("it takes %s, and %s are free where models are kept", size,
		                       disk);
	case OLLAMA_NO_MEMORY:
		return g_strdup_printf(
			"it takes %s and 1 GiB to run, and this machine has %s of memory", size,
			memory);
	case OLLAMA_SPLITS:
		return g_strdup_printf("it takes %s, the graphics card has %s: part of it runs on "
		                       "the processor",
		                       size, video);
	case OLLAMA_FITS:
		break;
	}
	return NULL;
}
