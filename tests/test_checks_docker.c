/* tests/test_checks_docker.c - the docker program, its plugins, and what engines say of themselves
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/json.h"
#include "checks/facts_engine.h"
#include "tests/checks_tree.h"

#define PLUGINS "/usr/libexec/docker/cli-plugins"
#define OWN "/home/ana/.docker/cli-plugins"

static const char *const home[] = { "HOME=/home/ana", "PATH=/opt/tools:/home/ana/bin", NULL };

static Facts *read_tree(const Tree *tree)
{
	g_auto(DockerConfig) config = { NULL };
	Facts *facts = facts_new();

	docker_config_read(&tree->source, &config);
	facts_read_client(&tree->source, &config, &facts->engine, &facts->client);
	return facts;
}

/** What stands in config.json, and what is found out. */
typedef struct {
	const char *path;
	const char *config; /* (nullable): no file; ' stands for " */
	Fact is_valid, has_helpers;
	const char *helper;
} Config;

static const Config configs[] = {
	{ "none", NULL, FACT_UNKNOWN, FACT_UNKNOWN, NULL },
	{ "empty-object", "{}", FACT_YES, FACT_UNKNOWN, NULL },
	{ "empty-file", "", FACT_NO, FACT_UNKNOWN, NULL },
	{ "cut", "{'auths':{", FACT_NO, FACT_UNKNOWN, NULL },
	{ "array", "[]", FACT_NO, FACT_UNKNOWN, NULL },
	{ "store", "{'credsStore':'there'}", FACT_YES, FACT_YES, NULL },
	{ "store-gone", "{'credsStore':'desktop.exe'}", FACT_YES, FACT_NO,
	  "docker-credential-desktop.exe" },
	{ "store-empty", "{'credsStore':''}", FACT_YES, FACT_UNKNOWN, NULL },
	{ "store-number", "{'credsStore':7}", FACT_YES, FACT_UNKNOWN, NULL },
	{ "helpers", "{'credHelpers':{'x.example':'there'}}", FACT_YES, FACT_YES, NULL },
	{ "helper-gone", "{'credsStore':'there','credHelpers':{'x.example':'gcloud'}}", FACT_YES,
	  FACT_NO, "docker-credential-gcloud" },
	{ "helpers-array", "{'credHelpers':['gcloud']}", FACT_YES, FACT_UNKNOWN, NULL },
};

static void test_config(gconstpointer data)
{
	const Config *c = data;
	g_autofree char *text =
		c->config != NULL ? g_strdelimit(g_strdup(c->config), "'", '"') : NULL;
	const File files[] = { { "/home/ana/bin/docker-credential-there", "" },
		               { text != NULL ? "/home/ana/.docker/config.json" : NULL, text },
		               { NULL } };
	g_auto(Tree) tree = { 0 };
	g_autoptr(Facts) facts = NULL;

	tree_lay(&tree, files, home);
	facts = read_tree(&tree);
	g_assert_cmpint(facts->client.is_config_valid, ==, c->is_valid);
	g_assert_true((facts->client.config != NULL) == (c->config != NULL));
	g_assert_true((facts->client.config_why != NULL) == (c->is_valid == FACT_NO));
	g_assert_cmpint(facts->client.has_credential_helpers, ==, c->has_helpers);
	g_assert_cmpstr(facts->client.credential_helper, ==, c->helper);
}

/** Where the plugin is looked for, and what is known of it without running it. */
typedef struct {
	const char *path;
	File files[6];
	const char *compose, *version, *dangling, *elsewhere, *old;
} Found;

#define STATUS(package, version)                                                                 \
	{ "/var/lib/dpkg/info/" package ".list", "" },                                           \
	{                                                                                        \
		"/var/lib/dpkg/status", "\nPackage: " package "\nStatus: install ok installed\n" \
					"Version: " version "\n\n"                               \
	}

static const Found found[] = {
	{ "nothing", { { "/usr/bin/true", "" } }, NULL, NULL, NULL, NULL, NULL },
	{ "debian",
	  { { PLUGINS "/docker-compose", "x" },
	    STATUS("docker-compose-plugin", "2.29.7-1~debian.12") },
	  PLUGINS "/docker-compose",
	  "2.29.7",
	  NULL,
	  NULL,
	  NULL },
	{ "debian-other-package",
	  { { PLUGINS "/docker-compose", "x" }, STATUS("docker-compose", "2.26.1-4") },
	  PLUGINS "/docker-compose",
	  "2.26.1",
	  NULL,
	  NULL,
	  NULL },
	{ "own-first",
	  { { PLUGINS "/docker-compose", "x" },
	    { OWN "/docker-compose", "x" },
	    STATUS("docker-compose-plugin", "2.29.7-1") },
	  OWN "/docker-compose",
	  NULL,
	  NULL,
	  NULL,
	  NULL },
	{ "configured-first",
	  { { OWN "/docker-compose", "x" },
	    { "/opt/x/docker-compose", "x" },
	    { "/home/ana/.docker/config.json", "{\"cliPluginsExtraDirs\":[\"/opt/x\"]}" } },
	  "/opt/x/docker-compose",
	  NULL,
	  NULL,
	  NULL,
	  NULL },
	{ "arch",
	  { { "/usr/lib/docker/cli-plugins/docker-compose", "x" },
	    { "/var/lib/pacman/local/docker-compose-2.32.4-1/desc", "" } },
	  "/usr/lib/docker/cli-plugins/docker-compose",
	  "2.32.4",
	  NULL,
	  NULL,
	  NULL },
	{ "alpine",
	  { { PLUGINS "/docker-compose", "x" },
	    { "/lib/apk/db/installed",
	      "C:Q1\nP:docker-cli\nV:27.3.1-r4\n\nC:Q2\nP:docker-cli-compose\n"
	      "V:2.31.0-r1\nA:x86_64\n\n" } },
	  PLUGINS "/docker-compose",
	  "2.31.0",
	  NULL,
	  NULL,
	  NULL },
	{ "dangling",
	  { { OWN "/docker-compose", LINK_TO "/Applications/Docker.app/none" } },
	  NULL,
	  NULL,
	  OWN "/docker-compose",
	  NULL,
	  NULL },
	{ "dangling-is-passed-over",
	  { { OWN "/docker-compose", LINK_TO "/Applications/Docker.app/none" },
	    { PLUGINS "/docker-compose", "x" } },
	  PLUGINS "/docker-compose",
	  NULL,
	  OWN "/docker-compose",
	  NULL,
	  NULL },
	{ "homebrew-not-configured",
	  { { "/opt/homebrew/lib/docker/cli-plugins/docker-compose", "x" } },
	  NULL,
	  NULL,
	  NULL,
	  "/opt/homebrew/lib/docker/cli-plugins/docker-compose",
	  NULL },
	{ "old-program",
	  { { "/usr/bin/docker-compose", "x" } },
	  NULL,
	  NULL,
	  NULL,
	  NULL,
	  "/usr/bin/docker-compose" },
};

static void test_found(gconstpointer data)
{
	const Found *c = data;
	g_auto(Tree) tree = { 0 };
	g_autoptr(Facts) facts = NULL;

	tree_lay(&tree, c->files, home);
	facts = read_tree(&tree);
	g_assert_cmpstr(facts->engine.compose, ==, c->compose);
	g_assert_cmpstr(facts->engine.compose_version, ==, c->version);
	g_assert_cmpstr(facts->client.dangling, ==, c->dangling);
	g_assert_cmpstr(facts->client.compose_elsewhere, ==, c->elsewhere);
	g_assert_cmpstr(facts->client.compose_v1, ==, c->old);
}

/* Homebrew's version is in the directory behind its link. */
static void test_cellar(void)
{
	static const File files[] = {
		{ "/opt/homebrew/Cellar/docker-compose/2.35.1/bin/docker-compose", "x" },
		{ OWN "/docker-compose",
		  LINK_TO "../../../../opt/homebrew/Cellar/docker-compose/2.35.1/"
		          "bin/docker-compose" },
		{ NULL },
	};
	g_auto(Tree) tree = { 0 };
	g_autoptr(Facts) facts = NULL;

	tree_lay(&tree, files, home);
	facts = read_tree(&tree);
	g_assert_cmpstr(facts->engine.compose_version, ==, "2.35.1");
	g_assert_cmpstr(facts->client.compose_target, ==,
	                "/opt/homebrew/Cellar/docker-compose/2.35.1/bin/docker-compose");
}

/** The first bytes of a program, and the processor that it is for. */
typedef struct {
	const char *path;
	const char *head;
	gsize size_bytes;
	mode_t mode;
	const char *machine, *why;
} Head;

static const Head heads[] = {
	{ "x86_64", "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0\76\0", 20, 0755, "x86_64", NULL },
	{ "aarch64", "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\267\0", 20, 0755, "aarch64", NULL },
	{ "s390x-big-endian", "\177ELF\2\2\1\0\0\0\0\0\0\0\0\0\0\2\0\26", 20, 0755, "s390x", NULL },
	{ "mac-arm64", "\xcf\xfa\xed\xfe\14\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0", 20, 0755, "aarch64",
	  NULL },
	{ "mac-x86_64", "\xcf\xfa\xed\xfe\7\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0", 20, 0755, "x86_64",
	  NULL },
	{ "strange", "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0\377\377", 20, 0755, NULL, NULL },
	{ "script", "#!/bin/sh\nexec /opt/x/docker-compose \"$@\"\n", 42, 0755, NULL, NULL },
	{ "short", "\177ELF\2", 5, 0755, NULL, NULL },
	{ "not-executable", "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0\76\0", 20, 0644, "x86_64",
	  "it may not be executed" },
};

static void test_head(gconstpointer data)
{
	const Head *c = data;
	static const File files[] = { { PLUGINS "/docker-buildx", "" }, { NULL } };
	g_auto(Tree) tree = { 0 };
	g_autofree char *path = NULL;
	g_autoptr(Facts) facts = NULL;

	tree_lay(&tree, files, home);
	path = g_strconcat(tree.root, PLUGINS "/docker-buildx", NULL);
	g_assert_true(g_file_set_contents(path, c->head, (gssize)c->size_bytes, NULL));
	g_assert_cmpint(g_chmod(path, c->mode), ==, 0);
	facts = read_tree(&tree);
	g_assert_cmpstr(facts->client.buildx, ==, PLUGINS "/docker-buildx");
	g_assert_cmpstr(facts->client.buildx_machine, ==, c->machine);
	g_assert_cmpstr(facts->client.buildx_why, ==, c->why);
}

static void test_directory_in_place(void)
{
	static const File files[] = { { PLUGINS "/docker-buildx", NULL }, { NULL } };
	g_auto(Tree) tree = { 0 };
	g_autoptr(Facts) facts = NULL;

	tree_lay(&tree, files, home);
	facts = read_tree(&tree);
	g_assert_cmpstr(facts->client.buildx_why, ==, "it is a directory");
}

static void test_program(void)
{
	static const File wsl[] = {
		{ "/usr/bin/docker", LINK_TO "/mnt/wsl/docker-desktop/cli-tools/docker" }, { NULL }
	};
	static const File snap[] = { { "/snap/bin/docker", "x" }, { NULL } };
	g_auto(Tree) dangling = { 0 };
	g_auto(Tree) elsewhere = { 0 };
	g_autoptr(Facts) one = NULL;
	g_autoptr(Facts) other = NULL;

	tree_lay(&dangling, wsl, home);
	one = read_tree(&dangling);
	g_assert_null(one->engine.cli);
	g_assert_cmpstr(one->client.dangling, ==, "/usr/bin/docker");

	tree_lay(&elsewhere, snap, home);
	other = read_tree(&elsewhere);
	g_assert_null(other->engine.cli);
	g_assert_cmpstr(other->client.cli_elsewhere, ==, "/snap/bin/docker");
}

static void test_variables(void)
{
	static const char *const variables[] = { "HOME=/home/ana", "COMPOSE_FILE=x.yaml",
		                                 "DOCKER_DEFAULT_PLATFORM=linux/amd64",
		                                 "COMPOSE_PROJECT_NAME=", NULL };
	g_auto(Tree) tree = { 0 };
	g_autoptr(Facts) facts = NULL;

	tree_lay(&tree, NULL, variables);
	facts = read_tree(&tree);
	g_assert_cmpstr(facts->client.variables, ==, "COMPOSE_FILE DOCKER_DEFAULT_PLATFORM");
}

static json_t *parse(const char *text)
{
	g_autofree char *quoted = g_strdelimit(g_strdup(text), "'", '"');
	g_autoptr(GBytes) bytes = g_bytes_new(quoted, strlen(quoted));
	g_autoptr(GError) error = NULL;
	json_t *value = json_parse_bytes(bytes, "test", &error);

	g_assert_no_error(error);
	return value;
}

#define INFO                                                                                      \
	"{'ServerVersion':'28.3.2','OperatingSystem':'Docker Desktop','OSType':'linux',"          \
	"'DockerRootDir':'/var/lib/docker','Driver':'overlayfs','DriverStatus':[['driver-type',"  \
	"'io.containerd.snapshotter.v1']],'CgroupVersion':'2','CgroupDriver':'cgroupfs',"         \
	"'MemTotal':8217477120,'NCPU':8,'SecurityOptions':['name=seccomp,profile=unconfined',"    \
	"'name=cgroupns'],'Warnings':['WARNING: one','WARNING: two'],'Runtimes':{'runc':{'path':" \
	"'runc'},'nvidia':{}},'DefaultRuntime':'runc','CDISpecDirs':['/etc/cdi'],"                \
	"'DiscoveredDevices':[{'Source':'cdi','ID':'nvidia.com/"                                  \
	"gpu=all'},{'Source':'x','ID':'y'}],"                                                     \
	"'LiveRestoreEnabled':false,'MemoryLimit':true,'SwapLimit':false,'CpuCfsQuota':true,"     \
	"'PidsLimit':true,'IPv4Forwarding':true,'HttpProxy':'http://ana:secret@proxy:3128',"      \
	"'HttpsProxy':'','NoProxy':'localhost','RegistryConfig':{'Mirrors':['https://m.example/"  \
	"']},"                                                                                    \
	"'DefaultAddressPools':[{'Base':'10.10.0.0/16','Size':24}],'FirewallBackend':{'Driver':"  \
	"'nftables'}}"

static void test_info(void)
{
	g_autoptr(json_t) info = parse(INFO);
	g_autoptr(Facts) facts = facts_new();
	const FactsEngine *engine = &facts->engine;

	engine_take_info(info, &facts->engine);
	g_assert_cmpstr(engine->version, ==, "28.3.2");
	g_assert_cmpstr(engine->security, ==, "seccomp-unconfined cgroupns");
	g_assert_cmpint(engine->is_rootless, ==, FACT_NO);
	g_assert_cmpint(engine->has_containerd_store, ==, FACT_YES);
	g_assert_cmpint(engine->has_d_type, ==, FACT_UNKNOWN);
	g_assert_cmpstr(engine->warnings, ==, "WARNING: one\nWARNING: two");
	g_assert_cmpstr(engine->runtimes, ==, "runc nvidia");
	g_assert_cmpstr(engine->cdi_devices, ==, "nvidia.com/gpu=all");
	g_assert_cmpint(engine->has_cdi, ==, FACT_YES);
	g_assert_cmpint(engine->has_swap_limit, ==, FACT_NO);
	g_assert_cmpstr(engine->http_proxy, ==, "http://proxy:3128");
	g_assert_null(engine->https_proxy);
	g_assert_cmpstr(engine->mirrors, ==, "https://m.example/");
	g_assert_cmpstr(engine->address_pools, ==, "10.10.0.0/16");
	g_assert_cmpstr(engine->firewall, ==, "nftables");
}

/* What is of a wrong type is not known; nothing of it is taken for a number or a statement. */
static void test_info_wrong_types(void)
{
	static const char *const texts[] = {
		"{}",
		"{'ServerVersion':1,'MemTotal':'8','NCPU':[],'SecurityOptions':{},'Warnings':'x'}",
		"{'Runtimes':[],'DriverStatus':{'a':'b'},'CDISpecDirs':1,'DiscoveredDevices':{}}",
		"{'RegistryConfig':[],'DefaultAddressPools':'x','FirewallBackend':'iptables'}",
		"{'IPv4Forwarding':1,'MemoryLimit':'yes'}",
		"{'DriverStatus':['x',[],[1,2]],'SecurityOptions':[null,7],'Warnings':[{}]}",
		"{'DefaultAddressPools':[1,{}],'DiscoveredDevices':[null],'Runtimes':null}",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(json_t) info = parse(texts[i]);
		g_autoptr(Facts) facts = facts_new();

		engine_take_info(info, &facts->engine);
		engine_take_version(info, &facts->engine);
		g_assert_null(facts->engine.version);
		g_assert_cmpuint(facts->engine.memory_bytes, ==, FACTS_UNKNOWN);
		g_assert_cmpuint(facts->engine.cpus, ==, FACTS_UNKNOWN);
		g_assert_cmpint(facts->engine.has_ip_forward, ==, FACT_UNKNOWN);
		g_assert_cmpint(facts->engine.has_memory_limit, ==, FACT_UNKNOWN);
		g_assert_cmpint(facts->engine.is_podman, ==, FACT_UNKNOWN);
		g_assert_null(facts->engine.address_pools);
	}
}

static void test_version(void)
{
	g_autoptr(json_t) docker =
		parse("{'Platform':{'Name':'Docker Desktop 4.43.1 (198352)'},'ApiVersion':'1.51',"
	              "'MinAPIVersion':'1.24'}");
	g_autoptr(Facts) facts = facts_new();

	engine_take_version(docker, &facts->engine);
	g_assert_cmpstr(facts->engine.platform, ==, "Docker Desktop 4.43.1 (198352)");
	g_assert_cmpstr(facts->engine.api_version, ==, "1.51");
	g_assert_cmpstr(facts->engine.api_minimum, ==, "1.24");
}

static void test_running(void)
{
	static const struct {
		const char *info;
		guint64 running;
		Fact is_podman;
	} cases[] = {
		{ "{'ServerVersion':'27','ContainersRunning':0,'ContainersPaused':0}", 0, FACT_NO },
		{ "{'ServerVersion':'27','ContainersRunning':2,'ContainersPaused':1}", 3, FACT_NO },
		{ "{'ServerVersion':'27','ContainersRunning':'2'}", FACTS_UNKNOWN, FACT_NO },
		{ "{'ServerVersion':'27','ContainersRunning':-1}", FACTS_UNKNOWN, FACT_NO },
		{ "{'ServerVersion':'5.2.2','BuildahVersion':'1.37.2'}", FACTS_UNKNOWN, FACT_YES },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(json_t) info = parse(cases[i].info);
		g_autoptr(Facts) facts = facts_new();

		engine_take_info(info, &facts->engine);
		g_assert_cmpuint(facts->engine.running, ==, cases[i].running);
		g_assert_cmpint(facts->engine.is_podman, ==, cases[i].is_podman);
	}
}

static void test_password(void)
{
	static const char *const urls[][2] = {
		{ NULL, NULL },
		{ "", NULL },
		{ "http://proxy:3128", "http://proxy:3128" },
		{ "http://ana:secret@proxy:3128", "http://proxy:3128" },
		{ "http://ana:a@b@proxy:3128/x@y", "http://proxy:3128/x@y" },
		{ "ana:secret@proxy:3128", "proxy:3128" },
		{ "http://proxy/a@b", "http://proxy/a@b" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(urls); i++) {
		g_autofree char *plain = url_without_password(urls[i][0]);

		g_assert_cmpstr(plain, ==, urls[i][1]);
	}
}

/* The socket's group, by number: somebody may have it under another name. */
static void test_group(void)
{
	g_autofree char *users =
		g_strdup_printf("root:x:0:0::/:/bin/sh\nana:x:%u:1::/:/bin/sh\n", (guint)geteuid());
	const File files[] = { { "/run/docker.sock", "" },
		               { "/etc/passwd", users },
		               { "/etc/group", "wheel:x:10:ana\n" },
		               { NULL } };
	g_auto(Tree) tree = { 0 };
	g_autoptr(Facts) facts = facts_new();

	tree_lay(&tree, files, home);
	facts_read_socket_group(&tree.source, "/run/docker.sock", &facts->engine);
	g_assert_cmpuint(facts->engine.socket_gid, ==, getegid());
	g_assert_cmpint(facts->engine.is_in_group, ==, FACT_YES);
	facts_read_socket_group(&tree.source, "/run/none.sock", &facts->engine);
}

static void add_rows(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(configs); i++) {
		g_autofree char *path = g_strconcat("/docker/config/", configs[i].path, NULL);
		g_test_add_data_func(path, &configs[i], test_config);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(found); i++) {
		g_autofree char *path = g_strconcat("/docker/plugin/", found[i].path, NULL);
		g_test_add_data_func(path, &found[i], test_found);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(heads); i++) {
		g_autofree char *path = g_strconcat("/docker/head/", heads[i].path, NULL);
		g_test_add_data_func(path, &heads[i], test_head);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add_rows();
	g_test_add_func("/docker/plugin/cellar", test_cellar);
	g_test_add_func("/docker/plugin/directory", test_directory_in_place);
	g_test_add_func("/docker/program", test_program);
	g_test_add_func("/docker/variables", test_variables);
	g_test_add_func("/docker/info", test_info);
	g_test_add_func("/docker/info/wrong-types", test_info_wrong_types);
	g_test_add_func("/docker/version", test_version);
	g_test_add_func("/docker/running", test_running);
	g_test_add_func("/docker/password", test_password);
	g_test_add_func("/docker/group", test_group);
	return g_test_run();
}
