/* tests/test_installer_stack_lint.c - each rule finds what breaks it, and nothing in what does not
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "installer/stack_lint_private.h"
#include "installer/stack_new.h"

static const char ini[] = "[stack]\n"
			  "schema = 1\n"
			  "name = good\n"
			  "title = Good\n"
			  "version = 1\n"
			  "summary = keeps every rule\n"
			  "prefix = ~/.good\n"
			  "[needs]\n"
			  "engine = 20.10\n"
			  "[key WEB_TOKEN]\n"
			  "kind = generated\n"
			  "title = the page\n"
			  "services = web\n"
			  "[service web]\n"
			  "role = shows a page\n"
			  "[port web]\n"
			  "number = 8090\n"
			  "variable = WEB_PORT\n"
			  "service = web\n";

#define DIGEST "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* As "docker compose config --format json" prints it. */
static const char good[] =
	"{ \"image\": \"busybox:1.36.1" DIGEST "\", \"restart\": \"unless-stopped\","
	"  \"healthcheck\": { \"test\": [\"CMD\", \"true\"] },"
	"  \"deploy\": { \"resources\": { \"limits\": { \"cpus\": 1, \"memory\": \"1\" } } },"
	"  \"logging\": { \"driver\": \"json-file\", \"options\": { \"max-size\": \"10m\" } },"
	"  \"security_opt\": [\"no-new-privileges:true\"], \"networks\": { \"default\": null },"
	"  \"environment\": { \"MAX_TOKENS\": \"100\", \"WEB_TOKEN_FILE\": "
	"\"/run/secrets/WEB_TOKEN\","
	"    \"EMPTY_PASSWORD\": \"\", \"URL\": \"redis://store:6379/1\" },"
	"  \"command\": [\"sh\", \"-c\", \"redis-server --requirepass $(cat /run/secrets/X)\"],"
	"  \"volumes\": [ { \"type\": \"bind\", \"source\": \"/prefix/www\", \"target\": \"/www\" "
	"},"
	"    { \"type\": \"volume\", \"source\": \"data\", \"target\": \"/data\" } ],"
	"  \"cap_drop\": [\"ALL\"], \"cap_add\": [\"CHOWN\", \"CAP_SETUID\"],"
	"  \"ports\": [ { \"host_ip\": \"127.0.0.1\", \"target\": 80, \"published\": \"8090\" } ] "
	"}";
static const char good_rest[] =
	"{ \"networks\": { \"default\": { \"name\": \"good_default\", \"ipam\": {} } },"
	"  \"volumes\": { \"data\": { \"name\": \"good_data\" } } }";

/** What is put in the place of members of the good service, and the rule that has to find it. */
typedef struct {
	const char *rule; /* NULL: none */
	const char *members;
} ServiceCase;

#define LIMITS(text) "{ \"deploy\": { \"resources\": { \"limits\": { " text " } } } }"
#define PORT(text) "{ \"ports\": [ { \"target\": 80, " text " } ] }"
#define MOUNT(path)                                                                                \
	"{ \"volumes\": [ { \"type\": \"bind\", \"source\": \"" path "\", \"target\": \"/x\" } ] " \
	"}"

static const ServiceCase service_cases[] = {
	{ NULL, "{}" },
	{ "health", "{ \"healthcheck\": null }" },
	{ "health", "{ \"healthcheck\": { \"disable\": true } }" },
	{ "health", "{ \"healthcheck\": { \"test\": [\"NONE\"] } }" },
	{ "start-interval",
	  "{ \"healthcheck\": { \"test\": [\"CMD\", \"true\"], \"start_interval\": \"1s\" } }" },
	{ "limits", LIMITS("\"cpus\": 1") },
	{ "limits", LIMITS("\"memory\": \"1\"") },
	{ NULL, "{ \"deploy\": null, \"mem_limit\": \"1\", \"cpus\": 1 }" },
	{ "restart", "{ \"restart\": null }" },
	{ "restart", "{ \"restart\": \"no\" }" },
	{ NULL, "{ \"restart\": \"no\", \"healthcheck\": null, \"profiles\": [\"tools\"] }" },
	{ "logging", "{ \"logging\": null }" },
	{ NULL, "{ \"logging\": { \"driver\": \"journald\" } }" },
	{ "loopback", PORT("\"published\": \"8090\"") },
	{ "loopback", PORT("\"published\": \"8090\", \"host_ip\": \"0.0.0.0\"") },
	{ NULL, PORT("\"published\": \"8090\", \"host_ip\": \"::1\"") },
	{ "port", PORT("\"published\": \"8091\", \"host_ip\": \"127.0.0.1\"") },
	{ "port", PORT("\"host_ip\": \"127.0.0.1\"") },
	{ "image-tag", "{ \"image\": \"busybox\" }" },
	{ "image-tag", "{ \"image\": \"registry.example:5000/busybox\" }" },
	{ "image-tag", "{ \"image\": \"busybox:latest\" }" },
	{ "image-tag", "{ \"image\": \"busybox" DIGEST "\" }" },
	{ "image-tag", "{ \"image\": \"registry.example:5000/busybox:latest" DIGEST "\" }" },
	{ NULL, "{ \"image\": \"registry.example:5000/busybox:1" DIGEST "\" }" },
	{ "image-digest", "{ \"image\": \"registry.example:5000/busybox:1\" }" },
	{ NULL, "{ \"image\": \"web\", \"build\": { \"context\": \"/prefix\" } }" },
	{ "password", "{ \"environment\": { \"POSTGRES_PASSWORD\": \"postgres\" } }" },
	{ "password", "{ \"environment\": { \"openai_api_key\": \"sk-1\" } }" },
	{ "password", "{ \"environment\": { \"URL\": \"postgresql://u:p@db/x\" } }" },
	{ "password", "{ \"command\": [\"redis-server\", \"--requirepass\", \"redis\"] }" },
	{ "password", "{ \"command\": [\"app\", \"redis://:p@store/0\"] }" },
	{ "key-leak", "{ \"environment\": { \"X\": \"" LINT_CANARY "\" } }" },
	{ "privilege", "{ \"privileged\": true }" },
	{ "privilege", "{ \"cap_add\": [\"SYS_ADMIN\"] }" },
	{ "privilege", "{ \"network_mode\": \"host\" }" },
	{ "privilege", "{ \"pid\": \"host\" }" },
	{ "privilege", "{ \"devices\": [ { \"source\": \"/dev/kvm\" } ] }" },
	{ "privilege", "{ \"security_opt\": [\"no-new-privileges\", \"seccomp:unconfined\"] }" },
	{ "confined", "{ \"security_opt\": null }" },
	{ "confined", "{ \"security_opt\": [\"no-new-privileges:false\"] }" },
	{ "engine-socket", MOUNT("/var/run/docker.sock") },
	{ "host-path", MOUNT("/etc") },
	{ "host-path", MOUNT("/prefixed") },
	{ "name", "{ \"container_name\": \"web\" }" },
	{ "subnet", "{ \"networks\": { \"default\": { \"ipv4_address\": \"172.30.0.2\" } } }" },
	{ "image-root", "{ \"build\": { \"context\": \"/prefix\","
	                "  \"dockerfile_inline\": \"FROM busybox:1" DIGEST "\" } }" },
	{ NULL, "{ \"user\": \"1000\", \"build\": { \"context\": \"/prefix\","
	        "  \"dockerfile_inline\": \"FROM busybox:1" DIGEST "\" } }" },
};

static void finding_free(gpointer data)
{
	LintFinding *finding = data;

	g_free(finding->subject);
	g_free(finding->file);
	g_free(finding->what);
	g_free(finding);
}

static Lint *lint_open(const char *text)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
	g_autoptr(GError) error = NULL;
	Lint *lint = g_new0(Lint, 1);

	lint->stack = stack_parse(bytes, "good/stack.ini", &error);
	g_assert_no_error(error);
	lint->findings = g_ptr_array_new_with_free_func(finding_free);
	lint->images = g_ptr_array_new_with_free_func(g_free);
	return lint;
}

static void lint_close(Lint *lint)
{
	stack_free((Stack *)(guintptr)lint->stack);
	g_ptr_array_unref(lint->findings);
	g_ptr_array_unref(lint->images);
	g_free(lint);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lint, lint_close)

static json_t *parse(const char *text)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
	g_autoptr(GError) error = NULL;
	json_t *value = json_parse_bytes(bytes, "test", &error);

	g_assert_no_error(error);
	return value;
}

/* The good project with @members in its service, published on @port. */
static json_t *make_project(const char *members, const char *port)
{
	json_t *project = parse(good_rest);
	json_t *service = parse(good);
	g_autoptr(json_t) change = parse(members);
	json_t *ports = NULL;

	json_object_update(service, change);
	ports = json_object_get(service, "ports");
	if (port && json_text(json_array_get(ports, 0), "published"))
		json_object_set_new(json_array_get(ports, 0), "published", json_string(port));
	json_object_set_new(project, "services", json_pack("{s:o}", "web", service));
	return project;
}

static void judge(Lint *lint, const json_t *config, const json_t *moved)
{
	g_auto(LintFiles) files = { g_strdup("/prefix"), g_hash_table_new(g_str_hash, g_str_equal),
		                    json_pack("{s:s, s:s, s:[s]}", "project", "good", "directory",
		                              "/prefix", "files", "compose.yaml") };
	const LintProject project = { lint, "", "good", &files, config, moved };

	lint_project(&project);
}

static void assert_found(const Lint *lint, const char *rule, const char *of)
{
	const LintFinding *first = lint->findings->len ? lint->findings->pdata[0] : NULL;

	if (lint->findings->len > 1)
		g_error("%s: more than one finding: %s, %s", of, first->rule->name,
		        ((const LintFinding *)lint->findings->pdata[1])->rule->name);
	if (g_strcmp0(first ? first->rule->name : NULL, rule) != 0)
		g_error("%s: %s, not %s", of, first ? first->what : "nothing",
		        rule ? rule : "nothing");
}

static void test_each_rule_about_services(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(service_cases); i++) {
		const ServiceCase *it = &service_cases[i];
		g_autoptr(Lint) lint = lint_open(ini);
		g_autofree char *port = g_strdup_printf("%u", lint_moved_port(8090));
		g_autoptr(json_t) config = make_project(it->members, NULL);
		g_autoptr(json_t) moved = make_project(it->members, port);

		judge(lint, config, moved);
		assert_found(lint, it->rule, it->members);
	}
}

static void test_an_image_of_another_service(void)
{
	static const char *const rules[] = { NULL, "image-digest" };
	static const char *const made[] = { "web:1", "web:2" };

	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
		g_autoptr(Lint) lint = lint_open(ini);
		g_autoptr(json_t) config =
			make_project("{ \"image\": \"web:1\", \"ports\": [] }", NULL);
		json_t *other =
			json_deep_copy(json_object_get(json_object_get(config, "services"), "web"));

		json_object_set_new(other, "image", json_string(made[i]));
		json_object_set_new(other, "build", json_pack("{s:s}", "context", "/prefix"));
		json_object_set_new(other, "profiles", json_pack("[s]", "tools"));
		json_object_set_new(json_object_get(config, "services"), "builder", other);
		judge(lint, config, config);
		assert_found(lint, rules[i], made[i]);
	}
}

static void test_a_port_that_does_not_move(void)
{
	g_autoptr(Lint) lint = lint_open(ini);
	g_autoptr(json_t) config = make_project("{}", NULL);

	judge(lint, config, config);
	assert_found(lint, "port", "a fixed port");
}

static void test_parts_of_a_project(void)
{
	static const struct {
		const char *rule, *kind, *part;
	} cases[] = {
		{ "subnet", "networks",
		  "{ \"x\": { \"name\": \"good_x\", \"ipam\": { \"config\": [ { \"subnet\": "
		  "\"10.1.0.0/16\" } ] } } }" },
		{ "name", "networks", "{ \"x\": { \"name\": \"shared\" } }" },
		{ "name", "volumes", "{ \"x\": { \"name\": \"good_x\", \"external\": true } }" },
		{ "service", "services", "{}" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Lint) lint = lint_open(ini);
		g_autoptr(json_t) config = make_project("{}", NULL);
		json_t *part = parse(cases[i].part);

		json_object_set_new(config, cases[i].kind, part);
		judge(lint, config, NULL);
		assert_found(lint, cases[i].rule, cases[i].part);
	}
}

static void test_dockerfiles(void)
{
	static const struct {
		const char *rule, *text;
		guint line;
	} cases[] = {
		{ NULL,
		  "ARG BASE=busybox:1" DIGEST "\nFROM ${BASE} AS build\nRUN apk add gcc\n"
		  "FROM build\nUSER 1000:1000\n",
		  0 },
		{ NULL, "FROM scratch\nUSER app\n", 0 },
		{ "image-tag", "# first\nFROM busybox\nUSER 1\n", 2 },
		{ "image-tag", "ARG BASE=busybox:latest\nFROM $BASE\nUSER 1\n", 2 },
		{ "image-digest", "FROM --platform=linux/arm64 busybox:1 AS x\nUSER 1\n", 1 },
		{ "image-digest",
		  "FROM busybox:1" DIGEST "\nCOPY --chown=1:1 --from=busybox:2 /a /b\nUSER 1\n",
		  2 },
		{ "image-tag",
		  "ARG TOOLS=tools\nFROM busybox:1" DIGEST "\nCOPY --from=$TOOLS /a /b\nUSER 1\n",
		  3 },
		{ NULL,
		  "FROM busybox:1" DIGEST " AS a\nFROM busybox:1" DIGEST "\n"
		  "COPY --from=a /a /b\nCOPY --from=0 /a /b\nCOPY --from=tools:1" DIGEST
		  " /a /b\nCOPY a /b\nUSER 1\n",
		  0 },
		{ "image-digest",
		  "FROM busybox:1" DIGEST
		  "\nRUN --network=none --mount=type=bind,from=tools:2,target=/t "
		  "/t/x\nUSER 1\n",
		  2 },
		{ "image-tag",
		  "ARG TOOLS=tools\nFROM busybox:1" DIGEST
		  "\nRUN --mount=from=$TOOLS,target=/t x\nUSER 1\n",
		  3 },
		{ NULL,
		  "FROM busybox:1" DIGEST " AS a\nFROM busybox:1" DIGEST "\n"
		  "RUN --mount=type=cache,target=/c --mount=type=bind,from=a,target=/a "
		  "--mount=from=0,target=/b x --mount=from=y\nUSER 1\n",
		  0 },
		{ "image-root", "FROM busybox:1" DIGEST "\nUSER root\n", 1 },
		{ "image-root", "FROM busybox:1" DIGEST " AS a\nUSER 1\n\nFROM a\n", 4 },
		{ "image-compiler",
		  "FROM busybox:1" DIGEST "\nRUN apt-get install -y \\\n"
		  "  # for now\n  gcc\nUSER 1\n",
		  2 },
		{ "image-pipe",
		  "FROM busybox:1" DIGEST "\nRUN curl -fsS https://x.example/i | sh\nUSER 1\n", 2 },
		{ NULL,
		  "FROM busybox:1" DIGEST
		  "\nRUN curl -fsS https://x.example/i | sha256sum -c\nUSER 1\n",
		  0 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Lint) lint = lint_open(ini);
		const LintPlace place = { "web", "Dockerfile", 0 };

		lint_image(lint, &place, cases[i].text, NULL, NULL);
		assert_found(lint, cases[i].rule, cases[i].text);
		if (cases[i].rule)
			g_assert_cmpuint(((LintFinding *)lint->findings->pdata[0])->line, ==,
			                 cases[i].line);
	}
}

/* What is asked for when a stack is locked: each once, with and without digest; no stage, no unset variable. */
static void test_names_of_images(void)
{
	static const char file[] =
		"ARG BASE=busybox:1\nARG NONE\nFROM $BASE AS one\n"
		"FROM scratch AS two\nFROM $NONE\nCOPY --from=one /a /b\n"
		"COPY --from=more /a /b\nRUN --mount=from=tools:2" DIGEST ",target=/b x\n"
		"FROM ${BASE}\nCOPY --from=1 /a /b\nUSER 1\n";
	g_autoptr(Lint) lint = lint_open(ini);
	g_autoptr(json_t) config = make_project("{}", NULL);
	g_autoptr(json_t) build = parse("{ \"args\": { \"BASE\": \"r.example/debian:13\" },"
	                                " \"additional_contexts\": { \"more\": \"/more\" } }");
	const LintPlace place = { "web", "Dockerfile", 0 };

	judge(lint, config, NULL);
	judge(lint, config, NULL);
	lint_image(lint, &place, file, build, NULL);
	g_ptr_array_add(lint->images, NULL);
	g_autofree char *names = g_strjoinv(" ", (char **)lint->images->pdata);
	g_assert_cmpstr(names, ==, "busybox:1.36.1" DIGEST " r.example/debian:13 tools:2" DIGEST);
}

/* stack.ini alone: what a profile with containers needs besides. */
static void test_definitions(void)
{
	static const char step[] = "[step c]\nkind = compose\nproject = good\n"
				   "directory = @prefix@\nfiles = compose.yaml\n";
	static const char key[] = "[step k]\nkind = key\nname = WEB_TOKEN\n";
	static const char unit[] = "[step u]\nkind = unit\nname = n\nrun = keys sync good\n";
	static const char test[] = "[test t]\nurl = http://127.0.0.1:${WEB_PORT}/\n";
	static const struct {
		const char *rule, *parts[4];
	} cases[] = {
		{ NULL, { step, key, unit, test } },      { "test", { step, key, unit, "" } },
		{ "key-step", { step, "", unit, test } }, { "key-boot", { step, key, "", test } },
		{ NULL, { key, test, "", "" } },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *const *part = cases[i].parts;
		g_autofree char *text = g_strconcat(ini, part[0], part[1], part[2], part[3], NULL);
		g_autoptr(Lint) lint = lint_open(text);

		lint_definition(lint);
		assert_found(lint, cases[i].rule, text);
	}
}

static void test_each_rule_says_what_to_do(void)
{
	for (gsize i = 0; i < lint_rule_count; i++) {
		const LintRule *rule = &lint_rule_table[i];

		g_assert_true(lint_rule_find(rule->name) == rule);
		g_assert_false(g_str_has_suffix(rule->why, "."));
		g_assert_true(g_str_has_suffix(rule->remedy, "."));
	}
}

static void test_a_new_stack(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *top = g_dir_make_tmp("slipway-XXXXXX", &error);
	g_autofree char *directory = g_build_filename(top, "pond", NULL);
	g_autofree char *ini_path = g_build_filename(directory, "stack.ini", NULL);
	struct stat st;

	g_assert_true(stack_new("pond", directory, &error));
	g_autoptr(StackBundle) bundle = stacks_open(directory, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(stacks_definition(bundle)->name, ==, "pond");
	g_assert_cmpint(stat(ini_path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 0777, ==, 0644);

	g_autoptr(LintReport) report = lint_stack(bundle, false, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(report->failed, ==, 0);
	g_assert_nonnull(report->unmade);

	g_assert_false(stack_new("pond", directory, &error));
	g_assert_error(error, FAULT, STATUS_CANNOT_CREATE);
	g_clear_error(&error);
	for (const char *const *name = (const char *const[]){ "", "P", "p", "a b", "a\nb", "../a",
	                                                      "localagent", NULL };
	     *name; name++) {
		g_assert_false(stack_new(*name, "/nonexistent/x", &error));
		g_assert_error(error, FAULT, STATUS_USAGE);
		g_clear_error(&error);
	}
	g_assert_true(tree_remove(top, &error));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lint/services", test_each_rule_about_services);
	g_test_add_func("/lint/image of another service", test_an_image_of_another_service);
	g_test_add_func("/lint/port that does not move", test_a_port_that_does_not_move);
	g_test_add_func("/lint/networks and volumes", test_parts_of_a_project);
	g_test_add_func("/lint/dockerfiles", test_dockerfiles);
	g_test_add_func("/lint/names of images", test_names_of_images);
	g_test_add_func("/lint/definitions", test_definitions);
	g_test_add_func("/lint/rules", test_each_rule_says_what_to_do);
	g_test_add_func("/lint/new stack", test_a_new_stack);
	return g_test_run();
}
