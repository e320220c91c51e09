/* installer/deploy_files.c - the files of a stack that a deployment reads and changes, as texts
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/deploy_files.h"

#include <stddef.h>
#include <string.h>

#include "base/fault.h"
#include "installer/env_lines.h"

#define HOUR_S 3600

static const struct {
	const char *name;
	guint fallback, least, most;
	gsize offset;
} number_table[] = {
	{ "TRAFFIC_STEP_SECONDS", 30, 1, HOUR_S, offsetof(DeployTunables, step_s) },
	{ "MAX_STEP_ERRORS", 3, 0, 1000000, offsetof(DeployTunables, step_errors) },
	{ "HEALTH_CHECK_TIMEOUT", 300, 1, HOUR_S, offsetof(DeployTunables, health_s) },
	{ "ROLLBACK_TIMEOUT", 600, 1, HOUR_S, offsetof(DeployTunables, rollback_s) },
	{ "BACKUP_RETENTION_DAYS", 7, 1, 3650, offsetof(DeployTunables, retention_days) },
};

static bool read_number(const char *text, guint least, guint most, guint *number)
{
	guint64 value = 0;

	if (!g_ascii_string_to_unsigned(text, 10, least, most, &value, NULL))
		return false;
	*number = (guint)value;
	return true;
}

static bool read_numbers(const char *text, const char *file, DeployTunables *tunables,
                         GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(number_table); i++) {
		g_autofree char *value = env_lines_get(text, number_table[i].name);
		guint *place = (guint *)(void *)((char *)tunables + number_table[i].offset);

		*place = number_table[i].fallback;
		if (!value || !*value ||
		    read_number(value, number_table[i].least, number_table[i].most, place))
			continue;
		fault_set(error, STATUS_CONFIG, NULL, "%s: %s=%s is no number from %u to %u", file,
		          number_table[i].name, value, number_table[i].least, number_table[i].most);
		return false;
	}
	return true;
}

static bool read_steps(const char *value, DeployTunables *tunables)
{
	g_auto(GStrv) words = g_strsplit(value, ",", -1);
	guint last = 0;

	tunables->step_count = 0;
	for (char **word = words; *word; word++) {
		guint percent = 0;

		if (tunables->step_count == DEPLOY_STEPS_MAX ||
		    !read_number(g_strstrip(*word), last + 1, 100, &percent))
			return false;
		tunables->steps[tunables->step_count++] = percent;
		last = percent;
	}
	return last == 100;
}

bool deploy_tunables_read(const char *text, const char *name, DeployTunables *tunables,
                          GError **error)
{
	g_autofree char *steps = env_lines_get(text, "TRAFFIC_STEPS");
	g_autofree char *rollback = env_lines_get(text, "AUTO_ROLLBACK");

	*tunables = (DeployTunables){ 0 };
	if (!read_numbers(text, name, tunables, error))
		return false;
	if (!read_steps(steps && *steps ? steps : "10,50,100", tunables)) {
		fault_set(
			error, STATUS_CONFIG, NULL,
			"%s: TRAFFIC_STEPS=%s: that are no rising percentages with 100 as the last",
			name, steps);
		return false;
	}
	tunables->has_rollback = !rollback || !*rollback || g_str_equal(rollback, "true");
	if (tunables->has_rollback || g_str_equal(rollback, "false"))
		return true;
	fault_set(error, STATUS_CONFIG, NULL, "%s: AUTO_ROLLBACK=%s is neither true nor false",
	          name, rollback);
	return false;
}

/* Returns: (nullable): the number behind "weight" in the line of @server; @end: where it ends. */
static char *find_weight(char *line, const char *server, char **end)
{
	bool is_server = false;
	bool is_weight = false;
	guint word = 0;

	for (char *at = line + strspn(line, " \t"); *at && *at != '#';
	     at = *end + strspn(*end, " \t")) {
		gsize length = strcspn(at, " \t\r");

		*end = at + length;
		if (length == 0)
			return NULL;
		if (is_weight && is_server)
			return at;
		if (word == 0 && strncmp(at, "server", MAX(length, strlen("server"))) != 0)
			return NULL;
		if (word == 1)
			is_server = strlen(server) == length && strncmp(at, server, length) == 0;
		is_weight = word > 1 && strlen("weight") == length &&
		            strncmp(at, "weight", length) == 0;
		word++;
	}
	return NULL;
}

char *deploy_weigh(const char *text, const char *server, guint weight)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	bool is_found = false;

	for (char **line = lines; *line; line++) {
		char *end = NULL;
		char *number = find_weight(*line, server, &end);

		if (!number)
			continue;
		char *changed =
			g_strdup_printf("%.*s%u%s", (int)(number - *line), *line, weight, end);
		g_free(*line);
		*line = changed;
		is_found = true;
	}
	return is_found ? g_strjoinv("\n", lines) : NULL;
}

bool deploy_image_is_fixed(const char *image)
{
	const char *slash = strrchr(image, '/');
	const char *tag = strchr(slash ? slash : image, ':');

	if (!g_ascii_isalnum(*image) ||
	    image[strspn(image, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-/:@")] != '\0')
		return false;
	if (strstr(image, "@sha256:"))
		return true;
	return tag && tag > image && tag[1] && !g_str_equal(tag, ":latest");
}
