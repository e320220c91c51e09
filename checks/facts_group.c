/* checks/facts_group.c - who may open the engine's socket
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checks/facts_engine.h"

static Fact has_group(gid_t wanted)
{
	int count = getgroups(0, NULL);
	g_autofree gid_t *groups = g_new0(gid_t, (gsize)MAX(count, 0) + 1);

	if (getegid() == wanted)
		return FACT_YES;
	count = getgroups(MAX(count, 0), groups);
	for (int i = 0; i < count; i++)
		if (groups[i] == wanted)
			return FACT_YES;

	return count < 0 ? FACT_UNKNOWN : FACT_NO;
}

/* Returns: (transfer full) (nullable): the line of passwd or group whose third field is @id, in
 * fields. */
static char **find_entry(const char *text, guint64 id)
{
	g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);

	for (char **line = lines; *line != NULL; line++) {
		g_auto(GStrv) fields = g_strsplit(*line, ":", -1);

		if (g_strv_length(fields) > 3 && source_parse_number(fields[2]) == id)
			return g_steal_pointer(&fields);
	}
	return NULL;
}

/* Who was added to a group gets it at the next login; directories other than files are not asked. */
static Fact is_listed(const FactsSource *source, guint64 gid)
{
	g_autofree char *users = source_read(source, "/etc/passwd");
	g_autofree char *groups = source_read(source, "/etc/group");
	g_auto(GStrv) user = find_entry(users, geteuid());
	g_auto(GStrv) group = find_entry(groups, gid);
	g_auto(GStrv) members = group != NULL ? g_strsplit(group[3], ",", -1) : NULL;

	if (user == NULL || members == NULL)
		return FACT_UNKNOWN;
	return g_strv_contains((const char *const *)members, user[0]) ? FACT_YES : FACT_NO;
}

void facts_read_socket_group(const FactsSource *source, const char *path, FactsEngine *engine)
{
	g_autofree char *full = source_path(source, path);
	struct stat status;

	if (stat(full, &status) != 0)
		return;

	engine->socket_gid = status.st_gid;
	engine->is_in_group = has_group(status.st_gid);
	if (engine->is_in_group != FACT_YES && access(full, R_OK | W_OK) != 0)
		engine->is_group_listed = is_listed(source, status.st_gid);
}
