/* installer/compose_project.c - a container project as data
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/compose_project.h"

#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "checks/facts.h"
#include "installer/env_lines.h"

#define WAIT_S 120
#define WAIT_MAX_S 7200

static guint read_wait(const json_t *value)
{
	gint64 wait_s = WAIT_S;

	if (json_is_integer(value))
		wait_s = json_integer_value(value);
	else if (json_is_string(value))
		wait_s = g_ascii_strtoll(json_string_value(value), NULL, 10);
	return (guint)CLAMP(wait_s, 1, WAIT_MAX_S);
}

static char **absolute_files(const json_t *inputs, char *const *files, const char *directory)
{
	const char *generated = json_text(json_object_get(inputs, "handover"), "directory");
	GPtrArray *list = g_ptr_array_new();

	for (; *files; files++)
		g_ptr_array_add(list, g_canonicalize_filename(*files, directory));
	if (generated)
		g_ptr_array_add(list, g_build_filename(generated, "keys.json", NULL));
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}

/* The order of base/http.h.  Compose would look for a relative path in the project's directory. */
static char *named_ca_bundle(void)
{
	static const char *const names[] = { "CURL_CA_BUNDLE", "SSL_CERT_FILE" };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *path = g_getenv(names[i]);
		if (path && *path)
			return g_canonicalize_filename(path, NULL);
	}
	return NULL;
}

static void read_colours(ComposeProject *it, const json_t *deploy)
{
	json_t *colours = json_object_get(deploy, "colours");

	if (!json_text(deploy, "variables") || !json_is_object(colours))
		return;
	it->variables = g_canonicalize_filename(json_text(deploy, "variables"), it->directory);
	it->colours = json_incref(colours);
}

ComposeProject *compose_project_new(const json_t *inputs, GError **error)
{
	const char *project = json_need_text(inputs, "project", error);
	const char *directory = project ? json_need_text(inputs, "directory", error) : NULL;
	g_auto(GStrv) files = NULL;
	ComposeProject *it;

	if (!directory)
		return NULL;
	files = json_to_strv(json_object_get(inputs, "files"));
	if (!*files || !g_path_is_absolute(directory) || !*project) {
		fault_set(error, STATUS_CONFIG, NULL,
		          "compose project \"%s\" needs a name, an absolute directory and files",
		          project);
		return NULL;
	}
	it = g_new0(ComposeProject, 1);
	it->project = g_strdup(project);
	it->directory = g_strdup(directory);
	it->files = absolute_files(inputs, files, directory);
	it->earlier = json_to_strv(json_object_get(inputs, "earlier"));
	if (json_text(inputs, "env_file"))
		it->env_file = g_canonicalize_filename(json_text(inputs, "env_file"), directory);
	read_colours(it, json_object_get(inputs, "deploy"));
	it->engine = json_text(inputs, "engine") ? g_strdup(json_text(inputs, "engine"))
	                                         : facts_engine_endpoint();
	it->ca_bundle = named_ca_bundle();
	it->wait_s = read_wait(json_object_get(inputs, "wait_s"));
	return it;
}

ComposeProject *compose_project_recorded(const json_t *inputs, const json_t *result, GError **error)
{
	ComposeProject *it = compose_project_new(inputs, error);
	const char *engine = json_text(result, "engine");

	if (!it || !engine || json_text(inputs, "engine"))
		return it;
	g_free(it->engine);
	it->engine = g_strdup(engine);
	return it;
}

void compose_project_free(ComposeProject *project)
{
	if (!project)
		return;
	g_free(project->project);
	g_free(project->directory);
	g_strfreev(project->files);
	g_strfreev(project->earlier);
	g_free(project->env_file);
	g_free(project->variables);
	json_decref(project->colours);
	g_free(project->engine);
	g_free(project->ca_bundle);
	g_free(project);
}

char *compose_profiles(const ComposeProject *project)
{
	g_autofree char *text =
		project->variables ? env_lines_read(project->variables, NULL) : NULL;

	return text ? env_lines_get(text, "COMPOSE_PROFILES") : NULL;
}

char **compose_standby(const ComposeProject *project)
{
	g_autofree char *active = compose_profiles(project);
	g_auto(GStrv) profiles = active ? g_strsplit(active, ",", -1) : NULL;
	GPtrArray *standby = g_ptr_array_new();
	const char *colour = NULL;
	json_t *service = NULL;

	json_object_foreach(project->colours, colour, service)
	{
		if (profiles && !g_strv_contains((const char *const *)profiles, colour))
			g_ptr_array_add(standby, g_strdup(json_string_value(service)));
	}
	g_ptr_array_add(standby, NULL);
	return (char **)g_ptr_array_free(standby, FALSE);
}

static bool add_file(GChecksum *sum, const char *path)
{
	g_autofree char *digest = file_digest(path, NULL);

	if (!digest)
		return false;
	g_checksum_update(sum, (const guchar *)path, (gssize)strlen(path) + 1);
	g_checksum_update(sum, (const guchar *)digest, (gssize)strlen(digest) + 1);
	return true;
}

char *compose_digest(const ComposeProject *project)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

	for (char **file = project->files; *file; file++)
		if (!add_file(sum, *file))
			return NULL;
	if (project->env_file && !add_file(sum, project->env_file))
		return NULL;
	return g_strdup(g_checksum_get_string(sum));
}
