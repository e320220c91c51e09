/* installer/stack_lint_services.c - rules about each service of a compose project
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/file.h"
#include "installer/stack_lint_private.h"

#define FILE_MAX_BYTES ((gsize)1024 * 1024)
#define START_INTERVAL_ENGINE "25.0"

/** One service. */
typedef struct {
	const LintProject *project;
	const char *name;
	const json_t *config;
	bool is_optional; /* of a profile of compose's own: not started by "up" */
	bool is_one_shot; /* runs to its end */
} Service;

static void G_GNUC_PRINTF(4, 5)
	note(const Service *it, const char *rule, const char *key, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_autofree char *what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	lint_note_service(it->project, rule, it->name, key, what);
}

static void judge_service(const Service *it)
{
	const Stack *stack = it->project->lint->stack;
	bool is_known = false;

	for (guint i = 0; i < stack->services->len; i++) {
		const StackService *service = stack->services->pdata[i];
		is_known = is_known || g_str_equal(service->name, it->name);
	}
	if (!is_known && !it->is_optional)
		note(it, "service", NULL, "has no [service %s] in stack.ini", it->name);
}

static void judge_health(const Service *it)
{
	const json_t *health = json_object_get(it->config, "healthcheck");
	const json_t *test = json_object_get(health, "test");
	const char *first = json_string_value(json_array_get(test, 0));
	StackNeeds needs = { 0 };

	stack_needs(it->project->lint->stack, it->project->profile, &needs);
	if (!it->is_one_shot &&
	    (!first || json_flag(health, "disable") || g_str_equal(first, "NONE")))
		note(it, "health", "healthcheck", "has no health check");
	if (json_object_get(health, "start_interval") &&
	    (!needs.engine || stack_version_compare(needs.engine, START_INTERVAL_ENGINE) < 0))
		note(it, "start-interval", "start_interval", "has a start_interval");
}

static void judge_limits(const Service *it)
{
	const json_t *deploy = json_object_get(it->config, "deploy");
	const json_t *limits = json_object_get(json_object_get(deploy, "resources"), "limits");

	if (!json_object_get(limits, "memory") && !json_object_get(it->config, "mem_limit"))
		note(it, "limits", "limits", "has no limit of memory");
	if (!json_object_get(limits, "cpus") && !json_object_get(it->config, "cpus"))
		note(it, "limits", "limits", "has no limit of processors");
}

static void judge_restart(const Service *it)
{
	const char *policy = json_text_or(it->config, "restart", "no");

	if (!it->is_one_shot && g_str_equal(policy, "no"))
		note(it, "restart", "restart", "is not started again");
}

static void judge_logging(const Service *it)
{
	const json_t *logging = json_object_get(it->config, "logging");
	const char *driver = json_text_or(logging, "driver", "json-file");

	if (g_str_equal(driver, "json-file") &&
	    !json_object_get(json_object_get(logging, "options"), "max-size"))
		note(it, "logging", "logging", "has a log without a bound");
}

/* Returns: (nullable): the port of the definition with that number. */
static const StackPort *find_port(const Service *it, const char *published)
{
	const GPtrArray *ports = it->project->lint->stack->ports;
	guint64 number = g_ascii_strtoull(published, NULL, 10);

	for (guint i = 0; i < ports->len; i++) {
		const StackPort *port = ports->pdata[i];
		if (port->number == number &&
		    stack_in_profile(port->profiles, it->project->profile))
			return port;
	}
	return NULL;
}

/* Returns: whether it is published elsewhere once its variable says so. */
static bool is_movable(const Service *it, gsize index, const StackPort *port)
{
	const json_t *services = json_object_get(it->project->moved, "services");
	const json_t *ports = json_object_get(json_object_get(services, it->name), "ports");
	const char *published = json_text_or(json_array_get(ports, index), "published", "");

	return !it->project->moved ||
	       g_ascii_strtoull(published, NULL, 10) == lint_moved_port(port->number);
}

static void judge_port(const Service *it, gsize index, const json_t *entry)
{
	const char *published = json_text_or(entry, "published", "");
	const char *address = json_text_or(entry, "host_ip", "0.0.0.0");
	const StackPort *port = find_port(it, published);

	if (!g_str_has_prefix(address, "127.") && !g_str_equal(address, "::1"))
		note(it, "loopback", "ports", "publishes port %s on %s", published, address);
	if (!port)
		note(it, "port", "ports", "publishes port %s, which no [port NAME] has",
		     *published ? published : "(any)");
	else if (!is_movable(it, index, port))
		note(it, "port", "ports", "publishes port %s, and %s does not move it", published,
		     port->variable);
}

static void judge_ports(const Service *it)
{
	const json_t *ports = json_object_get(it->config, "ports");

	for (gsize i = 0; i < json_array_size(ports); i++)
		judge_port(it, i, json_array_get(ports, i));
}

static bool is_built_here(const Service *it, const char *image)
{
	const char *name = NULL;
	json_t *service = NULL;

	json_object_foreach(json_object_get(it->project->config, "services"), name, service)
	{
		if (json_object_get(service, "build") &&
		    g_strcmp0(json_text(service, "image"), image) == 0)
			return true;
	}
	return false;
}

/* What is built here has no digest before, and its tag is ours. */
static void judge_image(const Service *it)
{
	const char *image = json_text(it->config, "image");
	bool has_digest = false;

	if (!image || json_object_get(it->config, "build") || is_built_here(it, image))
		return;

	g_autofree char *fault = lint_image_name(it->project->lint, image, &has_digest);
	if (fault)
		note(it, "image-tag", "image", "runs %s: %s", image, fault);
	else if (!has_digest)
		note(it, "image-digest", "image", "runs %s, which has no digest", image);
}

/* Values that are looked for in what the engine shows: names that end like this have them. */
static bool is_secret_name(const char *name)
{
	static const char *const ends[] = { "PASSWORD",   "PASSWD",      "SECRET",
		                            "TOKEN",      "API_KEY",     "ACCESS_KEY",
		                            "SECRET_KEY", "MASTER_KEY",  "PRIVATE_KEY",
		                            "PASSPHRASE", "CREDENTIALS", "SALT_KEY" };

	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
		if (g_str_has_suffix(name, ends[i]))
			return true;

	return false;
}

/* "scheme://user:password@host" */
static bool has_userinfo(const char *text)
{
	const char *host = strstr(text, "://");
	gsize length = host ? strcspn(host + 3, "/ ?#") : 0;
	const char *at = length ? memchr(host + 3, '@', length) : NULL;
	const char *colon = at ? memchr(host + 3, ':', (gsize)(at - host - 3)) : NULL;

	return colon && colon + 1 < at;
}

static void judge_password(const Service *it)
{
	const char *name = NULL;
	json_t *value = NULL;

	json_object_foreach(json_object_get(it->config, "environment"), name, value)
	{
		const char *text = json_string_value(value);
		g_autofree char *upper = g_ascii_strup(name, -1);

		if (!text || *text == '\0' || strstr(text, LINT_CANARY))
			continue;
		if (has_userinfo(text) || (is_secret_name(upper) && *text != '/'))
			note(it, "password", name, "has a password in its environment: %s", name);
	}
}

/* "--requirepass WORD"; what a shell reads from somewhere begins with "$". */
static bool has_redis_password(const char *text)
{
	const char *at = strstr(text, "requirepass");
	const char *value = at ? at + strlen("requirepass") : "$";

	value += strspn(value, " \t=\"'");
	return *value != '$' && *value != '\0';
}

static void judge_command(const Service *it)
{
	const json_t *command = json_object_get(it->config, "command");
	g_auto(GStrv) words = json_to_strv(command);
	g_autofree char *text = g_strjoinv(" ", words);

	for (char **word = words; *word; word++)
		if (has_userinfo(*word) || (*word == words[0] && has_redis_password(text)))
			note(it, "password", "command", "has a password in its command");
}

/* A key that is set in the environment must not come out anywhere. */
static void judge_leak(const Service *it)
{
	const json_t *services = json_object_get(it->project->moved, "services");
	const json_t *service = json_object_get(services, it->name);
	g_autofree char *text = service ? json_canonical(service) : NULL;

	if (text && strstr(text, LINT_CANARY))
		note(it, "key-leak", "environment", "gets a key through the compose file");
}

static bool has_text(const json_t *list, const char *text)
{
	for (gsize i = 0; i < json_array_size(list); i++) {
		const char *item = json_string_value(json_array_get(list, i));
		if (item && strstr(item, text))
			return true;
	}
	return false;
}

/* Returns: (transfer none) (nullable): a capability that a container does not have by itself.
 * Source: the engine's default set. */
static const char *find_capability(const json_t *list)
{
	static const char *const usual[] = {
		"AUDIT_WRITE", "CHOWN",      "DAC_OVERRIDE", "FOWNER",
		"FSETID",      "KILL",       "MKNOD",        "NET_RAW",
		"SETFCAP",     "SETGID",     "SETPCAP",      "NET_BIND_SERVICE",
		"SETUID",      "SYS_CHROOT", NULL,
	};

	for (gsize i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		bool is_long = name && g_str_has_prefix(name, "CAP_");

		if (name && !g_strv_contains(usual, name + (is_long ? strlen("CAP_") : 0)))
			return name;
	}
	return NULL;
}

static void judge_privilege(const Service *it)
{
	static const char *const spaces[] = { "network_mode", "pid", "ipc",
		                              "userns_mode",  "uts", "cgroup" };
	static const char *const lists[] = { "devices", "device_cgroup_rules" };
	const json_t *options = json_object_get(it->config, "security_opt");
	const char *capability = find_capability(json_object_get(it->config, "cap_add"));

	if (capability)
		note(it, "privilege", "cap_add", "has the capability %s", capability);
	if (json_flag(it->config, "privileged"))
		note(it, "privilege", "privileged", "is privileged");
	for (gsize i = 0; i < G_N_ELEMENTS(spaces); i++)
		if (g_strcmp0(json_text(it->config, spaces[i]), "host") == 0)
			note(it, "privilege", spaces[i], "shares %s with the machine", spaces[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
		if (json_array_size(json_object_get(it->config, lists[i])) > 0)
			note(it, "privilege", lists[i], "has %s", lists[i]);
	if (has_text(options, "unconfined"))
		note(it, "privilege", "security_opt", "is unconfined");
	if (!has_text(options, "no-new-privileges") || has_text(options, "no-new-privileges:false"))
		note(it, "confined", "security_opt", "can gain privileges");
}

static void judge_mount(const Service *it, const json_t *mount)
{
	const char *source = json_text_or(mount, "source", "");
	g_autofree char *below = g_strconcat(it->project->files->directory, "/", NULL);
	bool is_socket = g_str_has_suffix(source, "docker.sock") ||
	                 g_str_has_suffix(source, "containerd.sock") ||
	                 g_str_has_suffix(source, "podman.sock");

	if (g_strcmp0(json_text(mount, "type"), "bind") != 0)
		return;
	if (is_socket)
		note(it, "engine-socket", "volumes", "has the engine's socket, %s", source);
	else if (!g_str_has_prefix(source, below))
		note(it, "host-path", "volumes", "mounts %s of the machine", source);
}

static void judge_names(const Service *it)
{
	const json_t *mounts = json_object_get(it->config, "volumes");
	const char *name = NULL;
	json_t *network = NULL;

	for (gsize i = 0; i < json_array_size(mounts); i++)
		judge_mount(it, json_array_get(mounts, i));
	if (json_text(it->config, "container_name"))
		note(it, "name", "container_name", "has a fixed container_name");
	json_object_foreach(json_object_get(it->config, "networks"), name, network)
	{
		if (json_text(network, "ipv4_address") || json_text(network, "ipv6_address"))
			note(it, "subnet", "networks", "has a fixed address");
	}
}

/* The Dockerfile of what is built, where it is one of the stack's files. */
static void judge_build(const Service *it)
{
	const json_t *build = json_object_get(it->config, "build");
	const char *inside = json_text(build, "dockerfile_inline");
	g_autofree char *path =
		g_canonicalize_filename(json_text_or(build, "dockerfile", "Dockerfile"),
	                                json_text_or(build, "context", "/"));
	LintPlace place = { it->name, g_hash_table_lookup(it->project->files->members, path), 0 };
	g_autoptr(GBytes) bytes =
		build && place.file ? file_read(path, FILE_MAX_BYTES, NULL) : NULL;
	gsize size_bytes = 0;
	const char *data = bytes ? g_bytes_get_data(bytes, &size_bytes) : inside;
	g_autofree char *text = bytes ? g_strndup(data, size_bytes) : g_strdup(data);

	if (build && text)
		lint_image(it->project->lint, &place, text, build, json_text(it->config, "user"));
}

static void (*const rules[])(const Service *it) = {
	judge_service, judge_health,    judge_limits, judge_restart,  judge_logging,
	judge_ports,   judge_image,     judge_build,  judge_password, judge_command,
	judge_leak,    judge_privilege, judge_names,
};

void lint_services(const LintProject *it)
{
	const char *name = NULL;
	json_t *config = NULL;

	json_object_foreach(json_object_get(it->config, "services"), name, config)
	{
		bool is_optional = json_array_size(json_object_get(config, "profiles")) > 0;
		bool is_kept = json_text(config, "restart") &&
		               !g_str_equal(json_text(config, "restart"), "no");
		const Service service = { it, name, config, is_optional, is_optional && !is_kept };

		for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
			rules[i](&service);
	}
}
