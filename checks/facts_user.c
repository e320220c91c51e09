/* checks/facts_user.c - the user, and the variables that programs of this user are started with
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checks/facts_os.h"

/* Most groups that one process can have.  Source: NGROUPS_MAX of Linux, 65536; more than 1,024 are of no
 * interest here. */
#define GROUPS_MAX 1024

/** Groups that give a right which some check is about. */
static const char *const group_table[] = { "docker", "sudo",  "wheel", "admin",
	                                   "render", "video", "kvm" };

static bool is_known_group(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(group_table); i++)
		if (strcmp(group_table[i], name) == 0)
			return true;

	return false;
}

static bool has_number(const gid_t *groups, gsize count, guint64 number)
{
	for (gsize i = 0; i < count; i++)
		if ((guint64)groups[i] == number)
			return true;

	return false;
}

/* "docker:x:999:ana,bo": this process has what it was given at login, not what stands there now. */
static void take_group(const char *line, const gid_t *groups, gsize count, GString *list)
{
	g_auto(GStrv) parts = g_strsplit(line, ":", 4);

	if (g_strv_length(parts) == 4 && is_known_group(parts[0]) &&
	    has_number(groups, count, source_parse_number(parts[2])))
		g_string_append_printf(list, "%s%s", list->len > 0 ? " " : "", parts[0]);
}

static char *own_groups(const FactsSource *source)
{
	g_autofree char *text = source_read(source, "/etc/group");
	g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);
	gid_t groups[GROUPS_MAX + 1];
	int count = getgroups(GROUPS_MAX, groups);
	GString *list;

	if (text == NULL || count < 0)
		return NULL;

	groups[count] = getegid();
	list = g_string_new(NULL);
	for (gsize i = 0; lines[i] != NULL; i++)
		take_group(lines[i], groups, (gsize)count + 1, list);
	return g_string_free(list, FALSE);
}

/** Variables that are left over in a shell, and then puzzle whoever looks for the reason.  Those of docker
 *  are read with its other settings. */
static const struct {
	const char *name;
	const char *value; /* only with that one; NULL: with any but an empty one */
} variable_table[] = {
	{ "LD_PRELOAD", NULL },
	{ "LD_LIBRARY_PATH", NULL },
	{ "DYLD_INSERT_LIBRARIES", NULL },
	{ "PYTHONHOME", NULL },
	{ "PYTHONPATH", NULL },
	{ "CUDA_VISIBLE_DEVICES", "" },
	{ "CUDA_VISIBLE_DEVICES", "-1" },
	{ "HIP_VISIBLE_DEVICES", "" },
	{ "HIP_VISIBLE_DEVICES", "-1" },
	{ "ROCR_VISIBLE_DEVICES", "" },
	{ "HSA_OVERRIDE_GFX_VERSION", NULL },
	{ "OLLAMA_HOST", NULL },
	{ "OLLAMA_LLM_LIBRARY", NULL },
};

static char *disturbing(const FactsSource *source)
{
	GString *list = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(variable_table); i++) {
		const char *wanted = variable_table[i].value;
		const char *value = g_environ_getenv(source->environment, variable_table[i].name);

		if (value != NULL && (wanted != NULL ? strcmp(value, wanted) == 0 : *value != '\0'))
			g_string_append_printf(list, "%s%s", list->len > 0 ? " " : "",
			                       variable_table[i].name);
	}
	return g_string_free(list, FALSE);
}

static const char *locale(const FactsSource *source)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (source_env(source, names[i]) != NULL)
			return source_env(source, names[i]);

	return NULL;
}

static guint64 owner_of(const FactsSource *source, const char *path)
{
	g_autofree char *full = path != NULL ? source_path(source, path) : NULL;
	struct stat status;

	return full != NULL && stat(full, &status) == 0 ? (guint64)status.st_uid : FACTS_UNKNOWN;
}

/* The instance of systemd that belongs to this user, and whether it outlives the last login. */
static void read_user_systemd(const FactsSource *source, FactsSystem *system)
{
	const char *runtime = source_env(source, "XDG_RUNTIME_DIR");
	const char *user = source_env(source, "USER");
	g_autofree char *socket =
		runtime != NULL ? g_build_filename(runtime, "systemd", "private", NULL) : NULL;
	g_autofree char *mark = user != NULL && strchr(user, '/') == NULL
	                                ? g_build_filename("/var/lib/systemd/linger", user, NULL)
	                                : NULL;

	system->has_user_systemd =
		socket != NULL && source_exists(source, socket) ? FACT_YES : FACT_NO;
	if (mark != NULL && system->has_systemd == FACT_YES)
		system->has_linger = source_exists(source, mark) ? FACT_YES : FACT_NO;
}

void facts_read_user(const FactsSource *source, FactsSystem *system)
{
	const char *tmp = source_env(source, "TMPDIR");

	system->uid = geteuid();
	system->home = g_strdup(source_env(source, "HOME"));
	system->home_uid = owner_of(source, system->home);
	system->tmp = g_strdup(tmp != NULL && *tmp == '/' ? tmp : "/tmp");
	system->groups = own_groups(source);
	system->locale = g_strdup(locale(source));
	system->disturbing = disturbing(source);
	read_user_systemd(source, system);
}
