/* installer/ollama_machine_linux.c - graphics cards and the C library, as files of Linux tell
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/file.h"
#include "installer/ollama_release.h"
#include "installer/recipe.h"

#define VALUE_MAX_BYTES 4096

static char *read_value(const char *root, const char *path)
{
	g_autofree char *whole = g_strconcat(root, path, NULL);
	g_autoptr(GBytes) bytes = file_read(whole, VALUE_MAX_BYTES, NULL);

	return bytes ? g_strstrip(recipe_text(bytes)) : NULL;
}

static bool exists(const char *root, const char *path)
{
	g_autofree char *whole = g_strconcat(root, path, NULL);

	return file_exists(whole);
}

/* "# R36 (release), REVISION: 4.3, ...": as Ollama's own installer tells them apart. */
static guint find_jetpack(const char *root)
{
	g_autofree char *release = read_value(root, "/etc/nv_tegra_release");

	if (!release)
		return 0;
	return strstr(release, "R36") ? 6 : strstr(release, "R35") ? 5 : 0;
}

/* A distribution has one of the two; a foreign loader beside glibc's own does not make it musl. */
static bool has_musl_only(const char *root)
{
	static const char *const glibc[] = { "/lib64/ld-linux-x86-64.so.2",
		                             "/lib/ld-linux-aarch64.so.1" };

	for (gsize i = 0; i < G_N_ELEMENTS(glibc); i++)
		if (exists(root, glibc[i]))
			return false;
	return exists(root, "/lib/ld-musl-x86_64.so.1") ||
	       exists(root, "/lib/ld-musl-aarch64.so.1");
}

/* Source: Documentation/gpu/amdgpu/driver-misc.rst: mem_info_vram_total, in bytes. */
static guint64 video_bytes_of(const char *root, const char *card)
{
	g_autofree char *path =
		g_strdup_printf("/sys/class/drm/%s/device/mem_info_vram_total", card);
	g_autofree char *text = read_value(root, path);
	guint64 bytes = 0;

	return text && g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &bytes, NULL) ? bytes
	                                                                                  : 0;
}

static guint64 largest_card(const char *root)
{
	g_autofree char *path = g_strconcat(root, "/sys/class/drm", NULL);
	g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
	const char *name = NULL;
	guint64 largest = 0;

	while (directory && (name = g_dir_read_name(directory)))
		if (g_str_has_prefix(name, "card"))
			largest = MAX(largest, video_bytes_of(root, name));
	return largest;
}

/* /dev/kfd is what ROCm opens: without it the libraries for it are of no use. */
void ollama_machine_read_cards(const char *root, OllamaMachine *machine)
{
	machine->jetpack = find_jetpack(root);
	machine->is_musl = has_musl_only(root);
	machine->has_amd = exists(root, "/dev/kfd");
	machine->has_nvidia = exists(root, "/proc/driver/nvidia/version");
	machine->video_bytes = largest_card(root);
}
