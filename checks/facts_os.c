/* checks/facts_os.c - which system this is, and what it runs in
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <sys/stat.h>

#include "checks/facts_os.h"

/* The value of an assignment as a shell takes it: one word, quotes and backslashes resolved. */
static char *shell_value(const char *text)
{
	GString *value = g_string_new(NULL);
	char quote = '\0';

	for (; *text != '\0' && (quote != '\0' || !g_ascii_isspace(*text)); text++) {
		if (*text == quote)
			quote = '\0';
		else if (quote == '\0' && (*text == '"' || *text == '\''))
			quote = *text;
		else if (*text == '\\' && quote != '\'' && text[1] != '\0')
			g_string_append_c(value, *++text);
		else
			g_string_append_c(value, *text);
	}
	if (!g_utf8_validate(value->str, -1, NULL))
		g_string_truncate(value, 0);
	return g_string_free(value, FALSE);
}

static void put(char **field, const char *text)
{
	g_autofree char *value = shell_value(text);

	g_free(*field);
	*field = *value != '\0' ? g_steal_pointer(&value) : NULL;
}

void os_release_parse(const char *text, FactsSystem *system)
{
	const struct {
		const char *key;
		char **field;
	} members[] = { { "ID=", &system->id },
		        { "ID_LIKE=", &system->id_like },
		        { "VERSION_ID=", &system->version },
		        { "VARIANT_ID=", &system->variant },
		        { "SUPPORT_END=", &system->support_end },
		        { "PRETTY_NAME=", &system->pretty } };
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (gsize i = 0; lines[i] != NULL; i++) {
		char *line = g_strstrip(lines[i]);

		for (gsize j = 0; j < G_N_ELEMENTS(members); j++)
			if (g_str_has_prefix(line, members[j].key))
				put(members[j].field, line + strlen(members[j].key));
	}
}

/* What systemd, podman and LXC say about themselves in "container", as we call it. */
static char *container_word(const char *said)
{
	return g_strdup(g_str_has_prefix(said, "lxc") ? "lxc" : said);
}

/* Groups of version 1 and of a host's namespace name their maker. */
static char *container_of_groups(const FactsSource *source)
{
	static const struct {
		const char *part, *name;
	} words[] = { { "/kubepods", "kubernetes" },
		      { "/docker", "docker" },
		      { "/libpod", "podman" },
		      { "/lxc", "lxc" } };
	g_autofree char *groups = source_read(source, "/proc/1/cgroup");

	for (gsize i = 0; groups != NULL && i < G_N_ELEMENTS(words); i++)
		if (strstr(groups, words[i].part) != NULL)
			return g_strdup(words[i].name);

	return NULL;
}

/* In a chroot our "/" is not that of process 1; only root can look. */
static bool is_chroot(const FactsSource *source)
{
	g_autofree char *ours = source_path(source, "/");
	g_autofree char *first = source_path(source, "/proc/1/root/");
	struct stat a, b;

	return stat(ours, &a) == 0 && stat(first, &b) == 0 &&
	       (a.st_dev != b.st_dev || a.st_ino != b.st_ino);
}

static char *container(const FactsSource *source)
{
	const char *variable = source_env(source, "container");
	g_autofree char *said = source_line(source, "/run/systemd/container");

	if (source_env(source, "KUBERNETES_SERVICE_HOST") != NULL)
		return g_strdup("kubernetes");
	if (source_exists(source, "/run/.containerenv"))
		return g_strdup("podman");
	if (source_exists(source, "/.dockerenv"))
		return g_strdup("docker");
	if (said != NULL && *said != '\0')
		return container_word(said);
	if (variable != NULL)
		return container_word(variable);
	if (source_exists(source, "/proc/vz") && !source_exists(source, "/proc/bc"))
		return g_strdup("openvz");
	if (is_chroot(source))
		return g_strdup("chroot");
	return container_of_groups(source);
}

static char *ci_name(const FactsSource *source)
{
	static const struct {
		const char *variable, *name;
	} services[] = { { "GITHUB_ACTIONS", "GitHub Actions" },
		         { "GITEA_ACTIONS", "Gitea Actions" },
		         { "GITLAB_CI", "GitLab CI" },
		         { "BUILDKITE", "Buildkite" },
		         { "CIRCLECI", "CircleCI" },
		         { "JENKINS_URL", "Jenkins" },
		         { "TEAMCITY_VERSION", "TeamCity" },
		         { "TF_BUILD", "Azure Pipelines" },
		         { "TRAVIS", "Travis CI" },
		         { "BITBUCKET_BUILD_NUMBER", "Bitbucket Pipelines" },
		         { "CODEBUILD_BUILD_ID", "AWS CodeBuild" },
		         { "DRONE", "Drone" },
		         { "CIRRUS_CI", "Cirrus CI" } };
	const char *generic = source_env(source, "CI");

	for (gsize i = 0; i < G_N_ELEMENTS(services); i++)
		if (source_env(source, services[i].variable) != NULL)
			return g_strdup(services[i].name);

	return generic != NULL && strcmp(generic, "false") != 0 ? g_strdup("unknown") : NULL;
}

/* The kernel of WSL 2 calls itself "…-microsoft-standard-WSL2", that of WSL 1 "…-Microsoft". */
static guint64 wsl_version(const FactsSource *source)
{
	g_autofree char *release = source_line(source, "/proc/sys/kernel/osrelease");

	if (release == NULL)
		return 0;
	if (strstr(release, "WSL2") != NULL || strstr(release, "microsoft-standard") != NULL)
		return 2;
	return strstr(release, "Microsoft") != NULL ? 1 : 0;
}

/* "/dev/vda3 / btrfs ro,relatime,subvol=/@/.snapshots/1/snapshot 0 0" */
static bool is_root_read_only(const FactsSource *source)
{
	g_autofree char *text = source_read(source, "/proc/self/mounts");
	g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);
	bool is_read_only = false;

	for (gsize i = 0; lines[i] != NULL; i++) {
		g_auto(GStrv) words = g_strsplit(lines[i], " ", 5);

		/* The one that was mounted last is on top. */
		if (g_strv_length(words) == 5 && strcmp(words[1], "/") == 0)
			is_read_only = strncmp(words[3], "ro", 2) == 0 &&
			               (words[3][2] == ',' || words[3][2] == '\0');
	}
	return is_read_only;
}

/* Systems whose /usr belongs to an image: packages cannot simply be added.  The program alone is no
 * sign: it can be installed on an ordinary openSUSE. */
static char *immutable(const FactsSource *source, const FactsSystem *system)
{
	if (g_strcmp0(system->id, "steamos") == 0)
		return g_strdup("steamos");
	if (g_strcmp0(system->id, "nixos") == 0 || source_exists(source, "/etc/NIXOS"))
		return g_strdup("nixos");
	if (source_exists(source, "/run/ostree-booted"))
		return g_strdup("ostree");
	if (source_exists(source, "/usr/sbin/transactional-update") && is_root_read_only(source))
		return g_strdup("transactional-update");
	return NULL;
}

/* A distribution has one of the two; a foreign loader beside glibc's own does not make it musl. */
static const char *library(const FactsSource *source)
{
	static const struct {
		const char *loader, *name;
	} loaders[] = { { "/lib64/ld-linux-x86-64.so.2", "glibc" },
		        { "/lib/ld-linux-aarch64.so.1", "glibc" },
		        { "/lib/ld-linux-armhf.so.3", "glibc" },
		        { "/lib/ld-musl-x86_64.so.1", "musl" },
		        { "/lib/ld-musl-aarch64.so.1", "musl" } };

	for (gsize i = 0; i < G_N_ELEMENTS(loaders); i++)
		if (source_exists(source, loaders[i].loader))
			return loaders[i].name;

	return NULL;
}

void facts_read_surroundings(const FactsSource *source, FactsSystem *system)
{
	system->container = container(source);
	system->ci = ci_name(source);
	system->wsl = wsl_version(source);
	system->immutable = immutable(source, system);
	system->library = g_strdup(library(source));
	system->has_systemd = source_exists(source, "/run/systemd/system") ? FACT_YES : FACT_NO;
}
