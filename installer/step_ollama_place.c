/* installer/step_ollama_place.c - what the planner adds to the steps of Ollama and of models
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/process.h"
#include "installer/ollama_api.h"
#include "installer/ollama_find.h"
#include "installer/plan_private.h"
#include "installer/service.h"
#include "installer/step_ollama.h"
#include "payload/catalogue.h"

#define SERVICE_NAME "slipway-ollama"
#define TOOL "ollama"

static bool names_tool(const json_t *tools)
{
	gsize i = 0;
	json_t *tool = NULL;

	json_array_foreach(tools, i,
	                   tool) if (g_strcmp0(json_text(tool, "name"), TOOL) == 0) return true;
	return false;
}

bool step_ollama_is_packaged(const Facts *facts, const char *minimum, const json_t *record)
{
	const FactsSystem *system = &facts->system;
	const CatalogueSystem where = { facts->packages.manager, system->id, system->id_like,
		                        system->version };
	const CatalogueTool *tool = catalogue_find(catalogue_get(), TOOL);
	OllamaMachine machine = { 0 };
	CatalogueOffer offer = { 0 };

	if (record)
		return names_tool(json_object_get(json_object_get(record, "inputs"), "tools"));

	g_autofree char *installed = ollama_find_installed(NULL);
	ollama_machine_read(facts, &machine);
	return !installed && where.manager && g_strcmp0(machine.system, "linux") == 0 &&
	       !machine.has_amd && !machine.has_nvidia && !machine.jetpack && tool &&
	       !system->immutable &&
	       catalogue_offer(catalogue_get(), tool, &where, minimum, &offer) && !offer.vendor;
}

/* Where its package puts the program. */
static char *packaged_program(const Facts *facts)
{
	g_autofree char *brew = process_find("brew");

	if (g_strcmp0(facts->packages.manager, "brew") != 0 || !brew)
		return g_strdup("/usr/bin/" TOOL);

	g_autofree char *directory = g_path_get_dirname(brew);
	return g_build_filename(directory, TOOL, NULL);
}

/* What a pull needs is needed by the server.  A password in a proxy's URL does not go into files. */
static void add_proxies(GPtrArray *env)
{
	static const char *const names[] = { "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy",
		                             "SSL_CERT_FILE" };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *value = g_getenv(names[i]);
		if (value && *value && !strchr(value, '@') && !strpbrk(value, "\r\n"))
			g_ptr_array_add(env, g_strconcat(names[i], "=", value, NULL));
	}
}

/* That of an earlier run stays; then what the user says. */
static bool choose_manager(const OllamaPlace *place, const char **manager, GError **error)
{
	const json_t *before =
		json_object_get(json_object_get(place->receipt, "result"), "service");
	const char *wanted = settings_text(place->settings, "service-manager");

	*manager = json_text(before, "manager");
	if (*manager || !wanted || g_str_equal(wanted, "auto"))
		return true;
	*manager = wanted;
	if (service_manager_is_known(wanted))
		return true;

	fault_set(error, STATUS_CONFIG, NULL, "service-manager = %s: there is no such manager",
	          wanted);
	return false;
}

static json_t *make_service(const Step *step, const OllamaPlace *place, const char *listen,
                            const char *manager)
{
	const char *path = json_text_or(step->inputs, "path", "");
	const char *packaged = json_text(step->inputs, "packaged");
	g_autofree char *program =
		packaged ? g_strdup(packaged) : g_build_filename(path, ollama_program(), NULL);
	const char *const argv[] = { program, "serve", NULL };
	g_autoptr(GPtrArray) env = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(env, g_strconcat("OLLAMA_HOST=", listen, NULL));
	add_proxies(env);
	g_ptr_array_add(env, NULL);

	ServiceRequest request = { .name = SERVICE_NAME,
		                   .title = "Ollama",
		                   .argv = argv,
		                   .env = (const char *const *)env->pdata,
		                   .state = place->state,
		                   .manager = manager };
	return service_new(&request);
}

/* Returns: (transfer full): HOST:PORT for the server to listen at: this machine and no other. */
static char *listen_address(const char *url, GError **error)
{
	static const char *const own[] = { "http://127.0.0.1:", "http://localhost:",
		                           "http://[::1]:" };

	for (gsize i = 0; i < G_N_ELEMENTS(own); i++)
		if (g_str_has_prefix(url, own[i]))
			return g_strdup(url + strlen("http://"));

	fault_set(error, STATUS_CONFIG, NULL,
	          "host = %s: Ollama would be open to other machines, without a password", url);
	return NULL;
}

static char *mirrored(const Step *step, const OllamaPlace *place, const char *base,
                      const char *version, const char *name)
{
	g_autofree char *url = g_strdup_printf("%s/v%s/%s", base, version, name);

	return plan_mirror(place->settings, step->inputs, url);
}

static void add_sources(Step *step, const OllamaPlace *place, const json_t *assets)
{
	const char *base = json_text_or(step->inputs, "release", "");
	const char *version = json_text_or(step->inputs, "version", "");
	g_autoptr(GPtrArray) urls = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *sums = mirrored(step, place, base, version, "sha256sum.txt");
	gsize i = 0;
	json_t *asset = NULL;

	json_array_foreach(assets, i, asset) g_ptr_array_add(
		urls, mirrored(step, place, base, version, json_text_or(asset, "name", "")));
	g_ptr_array_add(urls, NULL);

	json_put(step->inputs, "sums", sums);
	json_object_set_new(step->inputs, "urls", json_from_strv((const char *const *)urls->pdata));
	g_strfreev(step->sources);
	step->sources = g_strdupv((char **)urls->pdata);
}

/* That there is no release for this machine matters only where no Ollama is found. */
static bool add_assets(Step *step, const OllamaPlace *place, GError **error)
{
	OllamaMachine machine = { 0 };
	g_autoptr(GError) why = NULL;

	ollama_machine_read(place->facts, &machine);
	json_t *assets = ollama_assets(json_text_or(step->inputs, "version", ""), &machine, &why);
	if (assets) {
		json_object_set_new(step->inputs, "assets", assets);
		add_sources(step, place, assets);
		return true;
	}
	if (fault_status(why) != STATUS_UNAVAILABLE) {
		g_propagate_error(error, g_steal_pointer(&why));
		return false;
	}

	g_autofree char *message = fault_message(why);
	json_put(step->inputs, "lacks", message);
	return true;
}

bool step_ollama_place(Step *step, const OllamaPlace *place, GError **error)
{
	const char *manager = NULL;
	g_autofree char *url =
		ollama_url(json_text_or(step->inputs, "host", OLLAMA_HOST_DEFAULT), error);
	g_autofree char *listen = url ? listen_address(url, error) : NULL;

	if (!listen || !choose_manager(place, &manager, error))
		return false;

	json_put(step->inputs, "at", url);
	if (names_tool(place->tools)) {
		g_autofree char *program = packaged_program(place->facts);
		json_put(step->inputs, "packaged", program);
		plan_wait_for(step, "packages");
	} else if (!add_assets(step, place, error)) {
		return false;
	}
	json_object_set_new(step->inputs, "service", make_service(step, place, listen, manager));
	return true;
}

bool step_model_place(Step *step, const OllamaPlace *place, GError **error)
{
	OllamaMachine machine = { 0 };
	const char *named = g_getenv("OLLAMA_HOST");
	const char *registry = json_text(step->inputs, "registry");
	g_autofree char *url = ollama_url(
		json_text_or(step->inputs, "host", named && *named ? named : OLLAMA_HOST_DEFAULT),
		error);

	if (!url)
		return false;

	json_put(step->inputs, "at", url);
	ollama_machine_read(place->facts, &machine);
	json_object_set_new(step->inputs, "machine",
	                    json_pack("{s:I, s:I}", "memory", (json_int_t)machine.memory_bytes,
	                              "video", (json_int_t)machine.video_bytes));
	if (!registry)
		return true;

	g_autofree char *manifest =
		ollama_manifest_url(registry, json_text_or(step->inputs, "name", ""), error);
	if (!manifest)
		return false;
	g_autofree char *mirror = plan_mirror(place->settings, step->inputs, manifest);
	json_put(step->inputs, "manifest", mirror);
	g_strfreev(step->sources);
	step->sources = g_strdupv((char *[]){ mirror, NULL });
	return true;
}
