/* checks/facts_desktop.c - Docker Desktop's settings file, of both generations
 *
 * Up to 4.34 it is settings.json with nearly all keys in camelCase; from 4.35 on it is
 * settings-store.json with PascalCase keys, and only those that differ from a default.  Both may
 * stand side by side, and people put keys of one spelling into the other.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>
#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "checks/facts_desktop_read.h"
#include "checks/facts_engine.h"

#define MIB G_GUINT64_CONSTANT(1048576)

/** What one setting may be; above the maximum it is a typing error, not a size. */
typedef struct {
	const char *name; /* newer spelling; the older one has a small first letter */
	guint64 unit;     /* of the number in the file */
	guint64 minimum, maximum;
	gsize state, value; /* members of FactsDesktop */
} Number;

#define MEMBERS(state, value) offsetof(FactsDesktop, state), offsetof(FactsDesktop, value)

static const Number number_table[] = {
	{ "MemoryMiB", MIB, 1, 64 * MIB, MEMBERS(memory, memory_bytes) },
	{ "Cpus", 1, 1, 8192, MEMBERS(cpus, cpu_count) },
	{ "DiskSizeMiB", MIB, 1, 1024 * MIB, MEMBERS(disk, disk_bytes) },
	{ "SwapMiB", MIB, 0, 64 * MIB, MEMBERS(swap, swap_bytes) },
	{ "SettingsVersion", 1, 0, 100000, MEMBERS(settings_version, settings_version_number) },
	{ "LicenseTermsVersion", 1, 0, 100000, MEMBERS(licence, licence_number) },
	{ "AutoPauseTimeoutSeconds", 1, 0, 31536000, MEMBERS(auto_pause, auto_pause_seconds) },
};

static const struct {
	const char *name;
	gsize member;
} switch_table[] = {
	{ "UseVirtualizationFrameworkRosetta", offsetof(FactsDesktop, rosetta) },
	{ "UseVirtualizationFrameworkVirtioFS", offsetof(FactsDesktop, virtiofs) },
	{ "UseGrpcfuse", offsetof(FactsDesktop, grpcfuse) },
	{ "UseVirtualizationFramework", offsetof(FactsDesktop, apple_virtualization) },
	{ "UseLibkrun", offsetof(FactsDesktop, docker_vmm) },
	{ "UseResourceSaver", offsetof(FactsDesktop, resource_saver) },
	{ "KubernetesEnabled", offsetof(FactsDesktop, kubernetes) },
	{ "AutoStart", offsetof(FactsDesktop, autostart) },
	{ "UseContainerdSnapshotter", offsetof(FactsDesktop, containerd_store) },
	{ "UseWindowsContainers", offsetof(FactsDesktop, windows_containers) },
	{ "WslEngineEnabled", offsetof(FactsDesktop, wsl_engine) },
	{ "EnableIntegrationWithDefaultWslDistro",
	  offsetof(FactsDesktop, wsl_default_distribution) },
	{ "ExposeDockerAPIOnTCP2375", offsetof(FactsDesktop, open_tcp) },
	{ "DeprecatedCgroupv1", offsetof(FactsDesktop, cgroup_v1) },
	{ "EnhancedContainerIsolation", offsetof(FactsDesktop, isolation) },
};

/* The newer spelling wins: Desktop itself writes it last. */
static const json_t *find_setting(const json_t *object, const char *name)
{
	g_autofree char *older = g_strdup(name);
	const json_t *value = json_object_get(object, name);

	older[0] = g_ascii_tolower(older[0]);
	return value != NULL ? value : json_object_get(object, older);
}

static DesktopSetting take_number(const json_t *object, const Number *row, guint64 *number)
{
	const json_t *value = find_setting(object, row->name);
	json_int_t read;

	*number = FACTS_UNKNOWN;
	if (value == NULL)
		return DESKTOP_SETTING_DEFAULT;
	if (!json_is_integer(value))
		return DESKTOP_SETTING_UNKNOWN;

	read = json_integer_value(value);
	if (read < 0 || (guint64)read < row->minimum || (guint64)read > row->maximum)
		return DESKTOP_SETTING_UNKNOWN;

	*number = (guint64)read * row->unit;
	return DESKTOP_SETTING_SET;
}

static DesktopSwitch take_switch(const json_t *object, const char *name)
{
	const json_t *value = find_setting(object, name);

	if (value == NULL)
		return DESKTOP_SWITCH_DEFAULT;
	if (!json_is_boolean(value))
		return DESKTOP_SWITCH_UNKNOWN;
	return json_is_true(value) ? DESKTOP_SWITCH_ON : DESKTOP_SWITCH_OFF;
}

/* The two generations write "HTTP" and "Http". */
static const char *find_text(const json_t *object, const char *name, const char *older)
{
	const char *value = json_string_value(find_setting(object, name));

	if (value == NULL)
		value = json_string_value(find_setting(object, older));
	return value != NULL && *value != '\0' ? value : NULL;
}

static char *take_list(const json_t *object, const char *name, const char *between)
{
	const json_t *array = find_setting(object, name);
	g_auto(GStrv) words = json_is_array(array) ? json_to_strv(array) : NULL;

	return words != NULL ? g_strjoinv(between, words) : NULL;
}

static void take_texts(const json_t *object, FactsDesktop *desktop)
{
	const char *proxy = find_text(object, "OverrideProxyHTTPS", "OverrideProxyHttps");

	if (proxy == NULL)
		proxy = find_text(object, "OverrideProxyHTTP", "OverrideProxyHttp");
	g_free(desktop->proxy_mode);
	g_free(desktop->proxy);
	g_free(desktop->file_sharing);
	g_free(desktop->wsl_distributions);
	g_free(desktop->data_folder);
	desktop->proxy_mode = g_strdup(find_text(object, "ProxyHTTPMode", "ProxyHttpMode"));
	desktop->proxy = url_without_password(proxy);
	desktop->file_sharing = take_list(object, "FilesharingDirectories", "\n");
	desktop->wsl_distributions = take_list(object, "IntegratedWslDistros", " ");
	desktop->data_folder = g_strdup(find_text(object, "DataFolder", "DiskPath"));
}

/* A byte order mark is not JSON, but editors leave one. */
static GBytes *without_mark(GBytes *text)
{
	gsize size_bytes;
	const char *data = g_bytes_get_data(text, &size_bytes);

	if (size_bytes >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		return g_bytes_new_from_bytes(text, 3, size_bytes - 3);
	return g_bytes_ref(text);
}

/* Returns: (transfer full) (nullable): an object; NULL with DATA set. */
static json_t *parse(GBytes *text, const char *name, GError **error)
{
	g_autoptr(GBytes) plain = without_mark(text);
	g_autoptr(json_t) object = json_parse_bytes(plain, name, error);

	if (object != NULL && !json_is_object(object)) {
		fault_set(error, STATUS_DATA, NULL, "not a JSON object");
		return NULL;
	}
	return g_steal_pointer(&object);
}

void desktop_parse(GBytes *text, FactsDesktop *desktop)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object =
		parse(text, desktop->file != NULL ? desktop->file : "settings", &error);

	g_clear_pointer(&desktop->why, g_free);
	if (object == NULL) {
		desktop->state = DESKTOP_MALFORMED;
		desktop->why = fault_message(error);
		return;
	}

	desktop->state = DESKTOP_READ;
	for (gsize i = 0; i < G_N_ELEMENTS(number_table); i++)
		G_STRUCT_MEMBER(DesktopSetting, desktop, number_table[i].state) =
			take_number(object, &number_table[i],
		                    G_STRUCT_MEMBER_P(desktop, number_table[i].value));
	for (gsize i = 0; i < G_N_ELEMENTS(switch_table); i++)
		G_STRUCT_MEMBER(DesktopSwitch, desktop, switch_table[i].member) =
			take_switch(object, switch_table[i].name);
	take_texts(object, desktop);
}

static void add_name(GString *list, const char *name)
{
	g_string_append_printf(list, "%s%s", list->len > 0 ? " " : "", name);
}

/* What only one of the files holds is no contradiction: the newer one is sparse. */
void desktop_compare(GBytes *older, FactsDesktop *desktop)
{
	g_autoptr(json_t) object = parse(older, "settings", NULL);
	GString *list = g_string_new(NULL);
	guint64 number;

	for (gsize i = 0; i < G_N_ELEMENTS(number_table); i++) {
		const Number *row = &number_table[i];

		if (strcmp(row->name, "SettingsVersion") != 0 &&
		    G_STRUCT_MEMBER(DesktopSetting, desktop, row->state) == DESKTOP_SETTING_SET &&
		    take_number(object, row, &number) == DESKTOP_SETTING_SET &&
		    number != G_STRUCT_MEMBER(guint64, desktop, row->value))
			add_name(list, row->name);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(switch_table); i++) {
		DesktopSwitch now = G_STRUCT_MEMBER(DesktopSwitch, desktop, switch_table[i].member);
		DesktopSwitch before = take_switch(object, switch_table[i].name);

		if (now >= DESKTOP_SWITCH_OFF && before >= DESKTOP_SWITCH_OFF && now != before)
			add_name(list, switch_table[i].name);
	}
	g_free(desktop->differing);
	desktop->differing = g_string_free(list, list->len == 0);
}

/* A locked setting is {"locked": true, "value": …}, at the top or in a group. */
static void collect_locks(json_t *object, const char *group, GString *list)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		g_autofree char *path =
			group != NULL ? g_strconcat(group, ".", name, NULL) : g_strdup(name);

		if (json_is_true(json_object_get(value, "locked")))
			add_name(list, path);
		else if (group == NULL && json_is_object(value))
			collect_locks(value, path, list);
	}
}

static void read_registry(const FactsSource *source, const char *directory, FactsDesktop *desktop)
{
	static const char *const names[] = { "registry.json", "registry/registry.json" };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(directory, names[i], NULL);
		g_autofree char *text = source_read(source, path);
		g_autoptr(GBytes) bytes =
			text != NULL ? g_bytes_new_static(text, strlen(text)) : NULL;
		g_autoptr(json_t) object = bytes != NULL ? parse(bytes, path, NULL) : NULL;

		if (json_array_size(json_object_get(object, "allowedOrgs")) > 0)
			desktop->must_sign_in = FACT_YES;
	}
}

void desktop_read_admin(const FactsSource *source, const char *directory, FactsDesktop *desktop)
{
	g_autofree char *path = g_build_filename(directory, "admin-settings.json", NULL);
	g_autofree char *text = source_read(source, path);
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = NULL;
	GString *list;

	desktop->must_sign_in = FACT_NO;
	read_registry(source, directory, desktop);
	if (text == NULL && !source_exists(source, path))
		return;

	desktop->admin_file = g_strdup(path);
	bytes = text != NULL ? g_bytes_new_static(text, strlen(text)) : NULL;
	object = bytes != NULL ? parse(bytes, path, &error) : NULL;
	if (object == NULL) {
		desktop->admin_why =
			error != NULL ? fault_message(error) : g_strdup("it cannot be read");
		return;
	}
	list = g_string_new(NULL);
	collect_locks(object, NULL, list);
	desktop->locked = g_string_free(list, FALSE);
}
