/* installer/compose_build.c - images that compose builds, where the network has a proxy
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/compose_build.h"

#include <string.h>

#include "base/http.h"
#include "installer/engine.h"

/* Of a proxy on this machine itself nothing is said: a build is on another one, as it sees it. */
static bool is_for_builds(const char *value)
{
	g_autofree char *url =
		strstr(value, "://") ? g_strdup(value) : g_strconcat("http://", value, NULL);

	return *value && !http_is_loopback(url);
}

/* Names alone: compose takes the values from its environment, so that no password is in argv. */
static void add_arguments(GPtrArray *words)
{
	static const char *const names[] = {
		"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY",
		"http_proxy", "https_proxy", "ftp_proxy", "all_proxy",
	};
	static const char *const exceptions[] = { "NO_PROXY", "no_proxy" };
	guint before = words->len;

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *value = g_getenv(names[i]);
		if (!value || !is_for_builds(value))
			continue;
		g_ptr_array_add(words, g_strdup("--build-arg"));
		g_ptr_array_add(words, g_strdup(names[i]));
	}
	for (gsize i = 0; words->len > before && i < G_N_ELEMENTS(exceptions); i++) {
		g_ptr_array_add(words, g_strdup("--build-arg"));
		g_ptr_array_add(words, g_strdup(exceptions[i]));
	}
}

/* A name without a tag has "latest". */
static bool is_same_image(const char *tag, const char *image)
{
	gsize length = strlen(image);

	return g_str_equal(tag, image) ||
	       (g_str_has_prefix(tag, image) && g_str_equal(tag + length, ":latest"));
}

static bool has_image(const json_t *images, const char *image)
{
	for (gsize i = 0; i < json_array_size(images); i++) {
		g_auto(GStrv) tags =
			json_to_strv(json_object_get(json_array_get(images, i), "RepoTags"));
		for (char **tag = tags; *tag; tag++)
			if (is_same_image(*tag, image))
				return true;
	}
	return false;
}

/* Appends the services of @config that have something to build, are to run, and have no image yet. */
static void add_services(GPtrArray *words, const ComposeProject *project, const json_t *config,
                         char *const *wanted, const json_t *images)
{
	const char *name = NULL;
	json_t *service = NULL;

	json_object_foreach(json_object_get(config, "services"), name, service)
	{
		g_autofree char *fallback = g_strdup_printf("%s-%s", project->project, name);
		const char *image = json_text_or(service, "image", fallback);

		if (json_object_get(service, "build") &&
		    g_strv_contains((const char *const *)wanted, image) &&
		    !has_image(images, image))
			g_ptr_array_add(words, g_strdup(name));
	}
}

bool compose_build_missing(const ComposeProject *project, GError **error)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(words, g_strdup("build"));
	add_arguments(words);
	guint count = words->len;
	if (count == 1)
		return true;

	g_autoptr(json_t) config = compose_config(project, error);
	g_auto(GStrv) wanted = config ? compose_images(project, error) : NULL;
	g_autoptr(json_t) images =
		wanted ? engine_get(project->engine, "/images/json", error) : NULL;
	if (!images)
		return false;

	add_services(words, project, config, wanted, images);
	if (words->len == count)
		return true;
	g_ptr_array_add(words, NULL);
	return compose_build(project, (const char *const *)words->pdata, error);
}
