/* installer/step_repository.c - step kind "repository": a vendor's own package repository
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/http.h"
#include "installer/as_root.h"
#include "installer/recipe.h"
#include "installer/repository.h"
#include "payload/openpgp.h"

#define SOURCE_MAX_BYTES ((gsize)64 * 1024)

/** Where a family of package managers looks. */
typedef struct {
	const char *manager; /* part of its name */
	const char *key_format;
	const char *source_format;
} Family;

static const Family family_table[] = {
	{ "apt", "/etc/apt/keyrings/slipway-%s.asc", "/etc/apt/sources.list.d/slipway-%s.sources" },
	{ "dnf", "/etc/pki/rpm-gpg/slipway-%s.asc", "/etc/yum.repos.d/slipway-%s.repo" },
};

static const char *const source_places[] = { "/etc/apt/sources.list", "/etc/apt/sources.list.d",
	                                     "/etc/yum.repos.d", "/etc/dnf/repos.d" };
static const char *const keys[] = { NULL };

static bool file_names(const char *path, const char *url)
{
	g_autoptr(GBytes) bytes = file_read(path, SOURCE_MAX_BYTES, NULL);
	g_autofree char *text = bytes ? recipe_text(bytes) : NULL;

	return text && strstr(text, url);
}

static bool directory_names(const char *path, const char *url)
{
	g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
	const char *name;

	while (directory && (name = g_dir_read_name(directory))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		if (!g_str_has_prefix(name, "slipway-") && file_names(file, url))
			return true;
	}
	return false;
}

/* Up to the first variable: "https://.../rhel/9/$basearch/stable". */
bool repository_is_known(const char *root, const char *url)
{
	g_autofree char *start = g_strndup(url, strcspn(url, "$"));

	for (gsize i = 0; i < G_N_ELEMENTS(source_places); i++) {
		g_autofree char *path = g_strconcat(root, source_places[i], NULL);

		if (file_names(path, start) || directory_names(path, start))
			return true;
	}

	return false;
}

static char *source_text(const Family *family, const CatalogueVendor *vendor, const char *name,
                         const char *key_path)
{
	if (g_str_equal(family->manager, "apt"))
		return g_strdup_printf("Types: deb\nURIs: %s\nSuites: %s\nComponents: stable\n"
		                       "Signed-By: %s\n",
		                       vendor->url, vendor->suite, key_path);
	return g_strdup_printf("[slipway-%s]\nname=%s\nbaseurl=%s\nenabled=1\ngpgcheck=1\n"
	                       "gpgkey=file://%s\n",
	                       name, vendor->title, vendor->url, key_path);
}

static const Family *find_family(const char *manager)
{
	for (gsize i = 0; i < G_N_ELEMENTS(family_table); i++)
		if (strstr(manager, family_table[i].manager))
			return &family_table[i];

	return NULL;
}

static char *place(const char *format, const char *name)
{
	g_auto(GStrv) parts = g_strsplit(format, "%s", 2);

	return g_strconcat(parts[0], name, parts[1], NULL);
}

Step *repository_step(const char *manager, const char *name, const CatalogueVendor *vendor,
                      const char *key_url)
{
	const Family *family = find_family(manager);
	g_autofree char *key_path = family ? place(family->key_format, name) : NULL;
	g_autofree char *source_path = family ? place(family->source_format, name) : NULL;
	g_autofree char *text = family ? source_text(family, vendor, name, key_path) : NULL;
	Step *step;

	if (!family)
		return NULL;
	step = g_new0(Step, 1);
	step->id = g_strdup("repository");
	step->kind = &step_kind_repository;
	step->text = g_strdup_printf("add %s (key %s)", vendor->title, vendor->fingerprint);
	step->why = g_strdup("the distribution has no package that is new enough");
	step->after = g_new0(char *, 1);
	step->commands = g_new0(char *, 3);
	step->commands[0] = as_root_put_line(key_path);
	step->commands[1] = as_root_put_line(source_path);
	step->sources = g_new0(char *, 2);
	step->sources[0] = g_strdup(key_url);
	step->inputs = json_pack("{s:s, s:s, s:s, s:s, s:s}", "key_url", key_url, "fingerprint",
	                         vendor->fingerprint, "key_path", key_path, "source_path",
	                         source_path, "text", text);
	step->weight = step->kind->weight;
	return step;
}

static bool has_key(const char *path, const char *fingerprint)
{
	g_autoptr(GBytes) bytes = file_read(path, OPENPGP_MAX_BYTES, NULL);

	return bytes && openpgp_check_key(bytes, fingerprint, NULL);
}

static bool has_text(const char *path, const char *text)
{
	g_autoptr(GBytes) bytes = file_read(path, SOURCE_MAX_BYTES, NULL);
	g_autofree char *found = bytes ? recipe_text(bytes) : NULL;

	return g_strcmp0(found, text) == 0;
}

static bool probe_repository(const StepRun *run, Probe *probe, GError **error)
{
	const char *key = recipe_input(run, "key_path", error);
	const char *source = key ? recipe_input(run, "source_path", error) : NULL;
	const char *fingerprint = source ? recipe_input(run, "fingerprint", error) : NULL;
	const char *text = fingerprint ? recipe_input(run, "text", error) : NULL;

	if (!text)
		return false;
	if (!file_exists(key) && !file_exists(source))
		*probe = PROBE_ABSENT;
	else if (has_key(key, fingerprint) && has_text(source, text))
		*probe = run->receipt ? PROBE_OURS : PROBE_PARTIAL;
	else
		*probe = PROBE_PARTIAL;
	return true;
}

static json_t *prepare_repository(const StepRun *run, GError **error)
{
	const char *text = recipe_input(run, "text", error);
	const char *key = text ? recipe_input(run, "key_path", error) : NULL;
	const char *source = key ? recipe_input(run, "source_path", error) : NULL;
	const char *fingerprint = source ? recipe_input(run, "fingerprint", error) : NULL;

	if (!fingerprint)
		return NULL;
	return json_pack("[{s:s, s:s, s:s, s:s, s:s}]", "do", "repository_remove", "key_path", key,
	                 "fingerprint", fingerprint, "source_path", source, "text", text);
}

typedef struct {
	const char *fingerprint;
	GBytes *key;
} Vendor;

static bool load_key(const char *place, gpointer data, GError **error)
{
	const char *const only[] = { place, NULL };
	Vendor *vendor = data;
	g_autoptr(GBytes) key = http_get_from_places(only, OPENPGP_MAX_BYTES, error);

	if (!key || !openpgp_check_key(key, vendor->fingerprint, error)) {
		g_prefix_error(error, "%s: ", place);
		return false;
	}
	vendor->key = g_steal_pointer(&key);
	return true;
}

/* The key before the source that names it: an index is never loaded without. */
static json_t *apply_repository(const StepRun *run, GError **error)
{
	const char *url = recipe_input(run, "key_url", error);
	const char *fingerprint = url ? recipe_input(run, "fingerprint", error) : NULL;
	const char *key_path = fingerprint ? recipe_input(run, "key_path", error) : NULL;
	const char *source_path = key_path ? recipe_input(run, "source_path", error) : NULL;
	const char *text = source_path ? recipe_input(run, "text", error) : NULL;
	Vendor vendor = { .fingerprint = fingerprint };

	if (!text)
		return NULL;
	recipe_report(run, -1, "loading the key");
	g_auto(GStrv) places = step_places(run->step, url);
	if (!http_from_places((const char *const *)places, load_key, &vendor, error))
		return NULL;

	g_autoptr(GBytes) key = vendor.key;
	g_autoptr(GBytes) source = g_bytes_new(text, strlen(text));
	if (!as_root_put(key_path, key, error) || !as_root_put(source_path, source, error))
		return NULL;
	return json_pack("{s:s, s:s}", "key", key_path, "source", source_path);
}

/* Root removes nothing that does not carry our name. */
static bool remove_file(const char *path, bool is_ours, GPtrArray *left, GError **error)
{
	g_autofree char *name = g_path_get_basename(path);

	if (!file_exists(path))
		return true;
	if (is_ours && g_str_has_prefix(name, "slipway-"))
		return as_root_remove(path, error);
	g_ptr_array_add(left, g_strconcat(path, ": changed since it was written", NULL));
	return true;
}

bool repository_undo(const json_t *primitive, GPtrArray *left, GError **error)
{
	const char *key = json_need_text(primitive, "key_path", error);
	const char *source = key ? json_need_text(primitive, "source_path", error) : NULL;
	const char *fingerprint = source ? json_need_text(primitive, "fingerprint", error) : NULL;
	const char *text = fingerprint ? json_need_text(primitive, "text", error) : NULL;
	bool is_source_ours = text && has_text(source, text);

	if (!text)
		return false;
	/* A source that stays needs its key. */
	return remove_file(source, is_source_ours, left, error) &&
	       remove_file(key, !file_exists(source) && has_key(key, fingerprint), left, error);
}

const StepKind step_kind_repository = {
	.name = "repository",
	.verb = "add",
	.keys = keys,
	.weight = 2,
	.probe = probe_repository,
	.prepare = prepare_repository,
	.apply = apply_repository,
};
