/* checks/facts_plugin.c - plugins of the docker program: which is run, and which version it is
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "checks/facts_client.h"

/* The docker program's own order: configured directories, the user's, the system's. */
static GPtrArray *plugin_directories(const DockerConfig *config)
{
	static const char *const usual[] = { "/usr/local/lib/docker/cli-plugins",
		                             "/usr/local/libexec/docker/cli-plugins",
		                             "/usr/lib/docker/cli-plugins",
		                             "/usr/libexec/docker/cli-plugins" };
	GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) extra = json_to_strv(json_object_get(config->object, "cliPluginsExtraDirs"));

	for (gsize i = 0; extra != NULL && extra[i] != NULL; i++)
		g_ptr_array_add(list, g_strdup(extra[i]));
	if (config->directory != NULL)
		g_ptr_array_add(list, g_build_filename(config->directory, "cli-plugins", NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(usual); i++)
		g_ptr_array_add(list, g_strdup(usual[i]));
	return list;
}

/** e_machine of an ELF file, and the CPU type of a Mach-O file, as uname names them.
 *  Source: the ELF supplements of the processors; mach/machine.h. */
static const struct {
	guint32 elf, mach;
	const char *name;
} machine_table[] = { { 62, 0x01000007, "x86_64" },
	              { 183, 0x0100000c, "aarch64" },
	              { 3, 7, "i686" },
	              { 40, 12, "armv7l" },
	              { 243, 0, "riscv64" },
	              { 21, 0, "ppc64le" },
	              { 22, 0, "s390x" } };

static const char *machine_name(guint32 elf, guint32 mach)
{
	for (gsize i = 0; i < G_N_ELEMENTS(machine_table); i++)
		if ((elf != 0 && machine_table[i].elf == elf) ||
		    (mach != 0 && machine_table[i].mach == mach))
			return machine_table[i].name;

	return NULL;
}

/* Returns: (transfer full) (nullable): "x86_64"; NULL for a script, or a file for several. */
static char *read_machine(const char *path)
{
	guint8 head[20] = { 0 };
	guint32 type = 0;
	g_auto(FileFd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || file_read_fd(fd, head, sizeof(head)) != sizeof(head))
		return NULL;

	memcpy(&type, head + 4, sizeof(type));
	if (memcmp(head, "\177ELF", 4) == 0)
		return g_strdup(machine_name(head[5] == 2 ? (guint32)head[18] << 8 | head[19]
		                                          : (guint32)head[19] << 8 | head[18],
		                             0));
	if (memcmp(head, "\xcf\xfa\xed\xfe", 4) == 0)
		return g_strdup(machine_name(0, GUINT32_FROM_LE(type)));
	return NULL;
}

/* pacman keeps a directory for each package: NAME-VERSION-RELEASE. */
static char *pacman_version(const FactsSource *source, const char *const *packages)
{
	g_autofree char *full = source_path(source, "/var/lib/pacman/local");
	DIR *directory = opendir(full);
	char *version = NULL;

	for (const struct dirent *entry; directory && !version && (entry = readdir(directory));) {
		for (const char *const *name = packages; *name != NULL; name++) {
			const char *rest = entry->d_name + strlen(*name);

			if (g_str_has_prefix(entry->d_name, *name) && rest[0] == '-' &&
			    g_ascii_isdigit(rest[1]) && version == NULL)
				version = g_strndup(rest + 1, strcspn(rest + 1, "-"));
		}
	}
	if (directory != NULL)
		(void)closedir(directory);
	return version;
}

/* apk's list of what is installed: "P:name", "V:version-release", an empty line. */
static char *apk_version(const FactsSource *source, const char *const *packages)
{
	g_autofree char *text = source_read(source, "/lib/apk/db/installed");

	for (; text != NULL && *packages != NULL; packages++) {
		g_autofree char *key = g_strdup_printf("\nP:%s\n", *packages);
		const char *stanza = strstr(text, key);
		const char *version = stanza != NULL ? strstr(stanza, "\nV:") : NULL;
		const char *end = stanza != NULL ? strstr(stanza, "\n\n") : NULL;

		if (version != NULL && (end == NULL || version < end))
			return g_strndup(version + 3, strcspn(version + 3, "-\n"));
	}
	return NULL;
}

/* dpkg's list of packages has megabytes: it is searched for one that is there. */
static char *debian_version(const FactsSource *source, const char *const *packages)
{
	for (; *packages != NULL; packages++) {
		const char *const wanted[] = { *packages, NULL };
		g_autofree char *listing = g_strdup_printf("/var/lib/dpkg/info/%s.list", *packages);
		char *version =
			source_exists(source, listing) ? dpkg_version(source, wanted) : NULL;

		if (version != NULL)
			return version;
	}
	return NULL;
}

char *package_version(const FactsSource *source, const char *const *packages)
{
	char *version = debian_version(source, packages);

	if (version == NULL)
		version = pacman_version(source, packages);
	return version != NULL ? version : apk_version(source, packages);
}

/* A plugin of the system's package has its version in the package database, one of Homebrew in the name
 * of its directory; no other file says it. */
static char *find_version(const FactsSource *source, const Plugin *plugin,
                          const char *const *packages)
{
	const char *cellar = plugin->target != NULL ? strstr(plugin->target, "/Cellar/") : NULL;
	g_auto(GStrv) parts = cellar != NULL ? g_strsplit(cellar, "/", 6) : NULL;

	if (parts != NULL && g_strv_length(parts) > 4)
		return g_strdup(parts[3]);
	if (plugin->target == NULL || !g_str_has_prefix(plugin->target, "/usr/lib"))
		return NULL;
	return package_version(source, packages);
}

static void read_plugin(const FactsSource *source, const char *path, const char *const *packages,
                        Plugin *plugin)
{
	g_autofree char *full = source_path(source, path);

	plugin->path = g_strdup(path);
	plugin->target = source_target(source, path);
	plugin->machine = read_machine(full);
	plugin->version = find_version(source, plugin, packages);
	if (g_file_test(full, G_FILE_TEST_IS_DIR))
		plugin->why = g_strdup("it is a directory");
	else if (access(full, X_OK) != 0)
		plugin->why = g_strdup("it may not be executed");
}

void plugin_find(const FactsSource *source, const DockerConfig *config, const char *name,
                 const char *const *packages, char **dangling, Plugin *plugin)
{
	g_autoptr(GPtrArray) directories = plugin_directories(config);
	g_autofree char *program = g_strconcat("docker-", name, NULL);

	*plugin = (Plugin){ NULL };
	for (guint i = 0; i < directories->len; i++) {
		g_autofree char *path =
			g_build_filename(g_ptr_array_index(directories, i), program, NULL);
		g_autofree char *full = source_path(source, path);

		if (source_exists(source, path)) {
			read_plugin(source, path, packages, plugin);
			return;
		}
		if (*dangling == NULL && g_file_test(full, G_FILE_TEST_IS_SYMLINK))
			*dangling = g_strdup(path);
	}
}

void plugin_clear(Plugin *plugin)
{
	g_clear_pointer(&plugin->path, g_free);
	g_clear_pointer(&plugin->target, g_free);
	g_clear_pointer(&plugin->version, g_free);
	g_clear_pointer(&plugin->machine, g_free);
	g_clear_pointer(&plugin->why, g_free);
}
