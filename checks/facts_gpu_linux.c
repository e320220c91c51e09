/* checks/facts_gpu_linux.c - graphics cards as files of Linux tell
 *
 * The PCI bus says which cards there are; their memory is in a file only with AMD's driver.  NVIDIA
 * tells it through its own library, which a static program cannot load: facts_nvidia.c asks the program
 * that comes with it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checks/facts_gpu_private.h"

#define PCI "/sys/bus/pci/devices"

/** Classes of the PCI bus, by their leading digits.  Source: PCI Code and ID Assignment 1.16. */
static const char *const class_table[] = { "0x0300", "0x0302", "0x0380", "0x1200" };

static const struct {
	const char *id, *name;
} vendor_table[] = { { "0x10de", "nvidia" }, { "0x1002", "amd" }, { "0x8086", "intel" } };

static bool is_card(const char *class)
{
	for (gsize i = 0; class != NULL && i < G_N_ELEMENTS(class_table); i++)
		if (g_str_has_prefix(class, class_table[i]))
			return true;

	return false;
}

static char *vendor_name(const char *id)
{
	for (gsize i = 0; id != NULL && i < G_N_ELEMENTS(vendor_table); i++)
		if (strcmp(id, vendor_table[i].id) == 0)
			return g_strdup(vendor_table[i].name);

	return g_strdup(id);
}

static char *device_path(const char *address, const char *name)
{
	return g_build_filename(PCI, address, name, NULL);
}

static char *device_line(const FactsSource *source, const char *address, const char *name)
{
	g_autofree char *path = device_path(address, name);

	return source_line(source, path);
}

static guint64 device_number(const FactsSource *source, const char *address, const char *name)
{
	g_autofree char *path = device_path(address, name);

	return source_number(source, path);
}

/* Source: Documentation/gpu/amdgpu/driver-misc.rst, in bytes. */
static void read_amd_memory(const FactsSource *source, FactsCard *card)
{
	guint64 used = device_number(source, card->address, "mem_info_vram_used");

	card->memory_bytes = device_number(source, card->address, "mem_info_vram_total");
	card->shared_bytes = device_number(source, card->address, "mem_info_gtt_total");
	if (card->memory_bytes != FACTS_UNKNOWN && used <= card->memory_bytes)
		card->memory_free_bytes = card->memory_bytes - used;
}

static void read_card(const FactsSource *source, const char *address, GPtrArray *cards)
{
	g_autofree char *class = device_line(source, address, "class");
	g_autofree char *vendor = NULL;
	g_autofree char *driver = NULL;
	FactsCard *card;

	if (!is_card(class))
		return;

	vendor = device_line(source, address, "vendor");
	driver = device_path(address, "driver");
	card = facts_card_new();
	card->address = g_strdup(address);
	card->vendor = vendor_name(vendor);
	card->device = device_line(source, address, "device");
	card->driver = source_link(source, driver);
	if (g_strcmp0(card->vendor, "amd") == 0)
		read_amd_memory(source, card);
	g_ptr_array_add(cards, card);
}

static void read_bus(const FactsSource *source, GPtrArray *cards)
{
	g_autoptr(GPtrArray) names = source_list(source, PCI);

	for (guint i = 0; i < names->len; i++)
		read_card(source, g_ptr_array_index(names, i), cards);
}

/* "Model: \t\t NVIDIA H100 80GB HBM3" */
static char *information_value(const char *text, const char *name)
{
	const char *line = text != NULL ? strstr(text, name) : NULL;

	if (line == NULL)
		return NULL;
	line += strlen(name);
	return g_strstrip(g_strndup(line, strcspn(line, "\n")));
}

/* The number of the card's device is that of its information. */
static void read_nvidia_card(const FactsSource *source, FactsCard *card, FactsGpu *gpu)
{
	g_autofree char *path =
		g_strdup_printf("/proc/driver/nvidia/gpus/%s/information", card->address);
	g_autofree char *text = source_read(source, path);
	g_autofree char *minor = information_value(text, "Device Minor:");
	g_autofree char *device = minor != NULL ? g_strconcat("/dev/nvidia", minor, NULL) : NULL;

	card->name = information_value(text, "Model:");
	if (device != NULL && source_exists(source, device) &&
	    source_exists(source, "/dev/nvidiactl"))
		gpu->has_nvidia_devices = FACT_YES;
}

/* "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024" and, of
 * the open modules, "... Open Kernel Module for x86_64  570.86.15  Release Build  (root@x)": the first
 * word that is a number. */
static char *nvidia_version(const char *text)
{
	g_auto(GStrv) words = g_strsplit_set(text, " \t\n", -1);

	for (gsize i = 0; words[i] != NULL; i++)
		if (g_ascii_isdigit(words[i][0]) && strchr(words[i], '.') != NULL)
			return g_strdup(words[i]);

	return NULL;
}

static char *nvidia_driver(const FactsSource *source)
{
	g_autofree char *text = source_read(source, "/proc/driver/nvidia/version");

	return text != NULL ? nvidia_version(text)
	                    : source_line(source, "/sys/module/nvidia/version");
}

/* "libnvidia-ml.so.550.54.14", behind the link that programs load. */
static char *nvidia_library(const FactsSource *source)
{
	static const char *const directories[] = { "/usr/lib/x86_64-linux-gnu",
		                                   "/usr/lib/aarch64-linux-gnu", "/usr/lib64",
		                                   "/usr/lib", "/run/opengl-driver/lib" };
	static const char prefix[] = "libnvidia-ml.so.";

	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
		g_autofree char *link =
			g_strdup_printf("%s%s/%s1", source->root, directories[i], prefix);
		char *target = realpath(link, NULL);
		g_autofree char *name = target != NULL ? g_path_get_basename(target) : NULL;

		free(target);
		if (name != NULL && g_str_has_prefix(name, prefix) && strchr(name, '.') != NULL &&
		    strcmp(name + strlen(prefix), "1") != 0)
			return g_strdup(name + strlen(prefix));
	}
	return NULL;
}

static Fact exists(const FactsSource *source, const char *path)
{
	return source_exists(source, path) ? FACT_YES : FACT_NO;
}

static Fact has_program(const FactsSource *source, const char *const *names)
{
	for (; *names != NULL; names++) {
		g_autofree char *program = source_program(source, *names);

		if (program != NULL)
			return FACT_YES;
	}
	return FACT_NO;
}

/* Descriptions of devices for containers.  Source: Container Device Interface 0.8, their directories. */
static Fact has_cdi(const FactsSource *source)
{
	static const char *const directories[] = { "/etc/cdi", "/var/run/cdi" };

	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
		g_autoptr(GPtrArray) names = source_list(source, directories[i]);

		for (guint j = 0; j < names->len; j++)
			if (g_str_has_suffix(g_ptr_array_index(names, j), ".yaml") ||
			    g_str_has_suffix(g_ptr_array_index(names, j), ".json"))
				return FACT_YES;
	}
	return FACT_NO;
}

static bool has_nvidia(const Facts *facts)
{
	for (guint i = 0; i < facts->cards->len; i++)
		if (g_strcmp0(((FactsCard *)g_ptr_array_index(facts->cards, i))->vendor,
		              "nvidia") == 0)
			return true;

	return facts->gpu.nvidia_driver != NULL;
}

/* Looking for programs takes longer than all the rest: only where they matter. */
static void read_nvidia(const FactsSource *source, Facts *facts)
{
	static const char *const toolkit[] = { "nvidia-container-runtime", "nvidia-ctk", NULL };
	static const char *const modprobe[] = { "nvidia-modprobe", NULL };
	FactsGpu *gpu = &facts->gpu;

	gpu->nvidia_driver = nvidia_driver(source);
	gpu->has_nouveau = exists(source, "/sys/module/nouveau");
	if (!has_nvidia(facts))
		return;

	gpu->nvidia_library = nvidia_library(source);
	gpu->has_nvidia_devices = FACT_NO;
	gpu->has_nvidia_uvm = exists(source, "/dev/nvidia-uvm");
	gpu->has_nvidia_modprobe = has_program(source, modprobe);
	gpu->has_nvidia_toolkit = has_program(source, toolkit);
	for (guint i = 0; i < facts->cards->len; i++) {
		FactsCard *card = g_ptr_array_index(facts->cards, i);

		if (g_strcmp0(card->vendor, "nvidia") == 0)
			read_nvidia_card(source, card, gpu);
	}
}

/* "# R36 (release), REVISION: 4.3, ...": as Ollama's own installer tells them apart. */
static guint64 jetpack(const FactsSource *source)
{
	g_autofree char *release = source_read(source, "/etc/nv_tegra_release");

	if (release == NULL)
		return 0;
	return strstr(release, "R36") != NULL ? 6 : strstr(release, "R35") != NULL ? 5 : 0;
}

/* "0 0": its value, and the one that waits to be taken over. */
static Fact lets_containers(const FactsSource *source)
{
	g_autofree char *value =
		source_line(source, "/sys/fs/selinux/booleans/container_use_devices");

	if (value == NULL)
		return FACT_UNKNOWN;
	return *value == '1' ? FACT_YES : FACT_NO;
}

void facts_read_gpu(const FactsSource *source, Facts *facts)
{
	FactsGpu *gpu = &facts->gpu;

	read_bus(source, facts->cards);
	read_nvidia(source, facts);
	amd_read(source, facts);
	gpu->has_cdi = has_cdi(source);
	gpu->has_dxg = exists(source, "/dev/dxg");
	gpu->has_dxg_library = exists(source, "/usr/lib/wsl/lib/libcuda.so.1");
	gpu->lets_containers = lets_containers(source);
	gpu->jetpack = jetpack(source);
}
