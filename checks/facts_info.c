/* checks/facts_info.c - what an engine's /info and /version mean
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/json.h"
#include "checks/facts_engine.h"

/* Most warnings, runtimes, pools or mirrors that are taken. */
#define WORDS_MAX 64

/* An engine that could not read its own memory says 0. */
static guint64 positive(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (guint64)value : FACTS_UNKNOWN;
}

static Fact flag(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_boolean(value))
		return FACT_UNKNOWN;
	return json_is_true(value) ? FACT_YES : FACT_NO;
}

/* Returns: (transfer full) (nullable): NULL for "" too. */
static char *text(const json_t *object, const char *key)
{
	const char *value = json_text(object, key);

	return value != NULL && *value != '\0' ? g_strdup(value) : NULL;
}

/* Returns: (transfer full) (nullable): the strings of an array, @between them; NULL when there is
 * none. */
static char *join(const json_t *array, const char *between)
{
	GString *list = g_string_new(NULL);

	for (gsize i = 0; i < MIN(json_array_size(array), WORDS_MAX); i++) {
		const char *word = json_string_value(json_array_get(array, i));

		if (word != NULL)
			g_string_append_printf(list, "%s%s", list->len > 0 ? between : "", word);
	}
	return g_string_free(list, list->len == 0);
}

/* "name=seccomp,profile=builtin" is seccomp, "name=seccomp,profile=unconfined" is as good as none and
 * becomes another word; older engines say just "seccomp". */
static char *security_names(const json_t *options)
{
	GString *list = g_string_new(NULL);

	for (gsize i = 0; i < MIN(json_array_size(options), WORDS_MAX); i++) {
		const char *option = json_string_value(json_array_get(options, i));
		const char *name = option;

		if (option == NULL)
			continue;
		if (g_str_has_prefix(option, "name="))
			name += strlen("name=");
		g_string_append_printf(
			list, "%s%.*s%s", list->len > 0 ? " " : "", (int)strcspn(name, ",= "), name,
			strstr(name, "profile=unconfined") != NULL ? "-unconfined" : "");
	}
	return g_string_free(list, !json_is_array(options));
}

static Fact has_word(const char *words, const char *word)
{
	g_auto(GStrv) list = words != NULL ? g_strsplit(words, " ", -1) : NULL;

	if (list == NULL)
		return FACT_UNKNOWN;
	return g_strv_contains((const char *const *)list, word) ? FACT_YES : FACT_NO;
}

/* Returns: (transfer none) (nullable): DriverStatus is an array of pairs. */
static const char *driver_status(const json_t *info, const char *key)
{
	const json_t *pairs = json_object_get(info, "DriverStatus");

	for (gsize i = 0; i < json_array_size(pairs); i++) {
		const json_t *pair = json_array_get(pairs, i);

		if (g_strcmp0(json_string_value(json_array_get(pair, 0)), key) == 0)
			return json_string_value(json_array_get(pair, 1));
	}
	return NULL;
}

static void take_storage(const json_t *info, FactsEngine *engine)
{
	const char *d_type = driver_status(info, "Supports d_type");
	const char *type = driver_status(info, "driver-type");

	engine->storage_driver = text(info, "Driver");
	engine->backing_filesystem = g_strdup(driver_status(info, "Backing Filesystem"));
	if (d_type != NULL)
		engine->has_d_type = strcmp(d_type, "true") == 0 ? FACT_YES : FACT_NO;
	if (json_is_array(json_object_get(info, "DriverStatus")))
		engine->has_containerd_store =
			type != NULL && g_str_has_prefix(type, "io.containerd.snapshotter")
				? FACT_YES
				: FACT_NO;
}

static char *keys_of(json_t *object)
{
	GString *list = g_string_new(NULL);
	const char *name;
	const json_t *value;

	json_object_foreach(object, name, value)
	{
		if (value != NULL)
			g_string_append_printf(list, "%s%s", list->len > 0 ? " " : "", name);
	}
	return g_string_free(list, !json_is_object(object));
}

/* Devices that CDI files describe; from engine 28.3 on. */
static char *cdi_devices(const json_t *info)
{
	const json_t *devices = json_object_get(info, "DiscoveredDevices");
	GString *list = g_string_new(NULL);

	for (gsize i = 0; i < MIN(json_array_size(devices), WORDS_MAX); i++) {
		const json_t *device = json_array_get(devices, i);
		const char *id = json_text(device, "ID");

		if (id != NULL && g_strcmp0(json_text(device, "Source"), "cdi") == 0)
			g_string_append_printf(list, "%s%s", list->len > 0 ? " " : "", id);
	}
	return g_string_free(list, list->len == 0);
}

static void take_devices(const json_t *info, FactsEngine *engine)
{
	const json_t *directories = json_object_get(info, "CDISpecDirs");

	engine->runtimes = keys_of(json_object_get(info, "Runtimes"));
	engine->default_runtime = text(info, "DefaultRuntime");
	engine->cdi_devices = cdi_devices(info);
	if (json_is_array(directories))
		engine->has_cdi = json_array_size(directories) > 0 ? FACT_YES : FACT_NO;
}

static char *address_pools(const json_t *info)
{
	const json_t *pools = json_object_get(info, "DefaultAddressPools");
	GString *list = g_string_new(NULL);

	for (gsize i = 0; i < MIN(json_array_size(pools), WORDS_MAX); i++) {
		const char *base = json_text(json_array_get(pools, i), "Base");

		if (base != NULL)
			g_string_append_printf(list, "%s%s", list->len > 0 ? " " : "", base);
	}
	return g_string_free(list, list->len == 0);
}

/* Everything behind "//" up to the last "@" of the authority. */
char *url_without_password(const char *url)
{
	const char *authority = url != NULL ? strstr(url, "//") : NULL;
	const char *start = authority != NULL ? authority + 2 : url;
	gsize length = start != NULL ? strcspn(start, "/?#") : 0;
	const char *at = start != NULL ? g_strrstr_len(start, (gssize)length, "@") : NULL;

	if (at == NULL)
		return url != NULL && *url != '\0' ? g_strdup(url) : NULL;
	return g_strdup_printf("%.*s%s", (int)(start - url), url, at + 1);
}

static void take_network(const json_t *info, FactsEngine *engine)
{
	const json_t *registry = json_object_get(info, "RegistryConfig");

	engine->http_proxy = url_without_password(json_text(info, "HttpProxy"));
	engine->https_proxy = url_without_password(json_text(info, "HttpsProxy"));
	engine->no_proxy = text(info, "NoProxy");
	engine->mirrors = join(json_object_get(registry, "Mirrors"), " ");
	engine->address_pools = address_pools(info);
	engine->firewall = text(json_object_get(info, "FirewallBackend"), "Driver");
	engine->has_ip_forward = flag(info, "IPv4Forwarding");
}

static guint64 running(const json_t *info)
{
	const json_t *count = json_object_get(info, "ContainersRunning");
	const json_t *paused = json_object_get(info, "ContainersPaused");

	if (!json_is_integer(count) || json_integer_value(count) < 0)
		return FACTS_UNKNOWN;
	return (guint64)json_integer_value(count) + (guint64)MAX(json_integer_value(paused), 0);
}

void engine_take_info(const json_t *info, FactsEngine *engine)
{
	engine->version = text(info, "ServerVersion");
	engine->product = text(info, "OperatingSystem");
	engine->os_type = text(info, "OSType");
	engine->root_dir = text(info, "DockerRootDir");
	engine->cgroup_version = text(info, "CgroupVersion");
	engine->cgroup_driver = text(info, "CgroupDriver");
	engine->security = security_names(json_object_get(info, "SecurityOptions"));
	engine->warnings = join(json_object_get(info, "Warnings"), "\n");
	engine->memory_bytes = positive(info, "MemTotal");
	engine->cpus = positive(info, "NCPU");
	engine->running = running(info);
	engine->is_rootless = has_word(engine->security, "rootless");
	if (engine->version != NULL) /* podman answers as Docker does, but builds with Buildah */
		engine->is_podman = json_text(info, "BuildahVersion") != NULL ? FACT_YES : FACT_NO;
	engine->is_live_restore = flag(info, "LiveRestoreEnabled");
	engine->has_memory_limit = flag(info, "MemoryLimit");
	engine->has_swap_limit = flag(info, "SwapLimit");
	engine->has_cpu_limit = flag(info, "CpuCfsQuota");
	engine->has_pids_limit = flag(info, "PidsLimit");
	take_storage(info, engine);
	take_devices(info, engine);
	take_network(info, engine);
}

void engine_take_version(const json_t *version, FactsEngine *engine)
{
	engine->api_version = text(version, "ApiVersion");
	engine->api_minimum = text(version, "MinAPIVersion");
	engine->platform = text(json_object_get(version, "Platform"), "Name");
}
