/* tests/test_payload_stack.c - stack.ini: what is wrong is refused with its place
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "payload/catalogue.h"
#include "payload/stack_private.h"
#include "payload/stacks.h"

/* Eight lines that are right; what a case has to say comes behind them, from line 9 on. */
#define HEAD                                                                                \
	"[stack]\nschema = 1\nname = bad\ntitle = Bad\nversion = 1\nsummary = s\nprefix = " \
	"~/.bad\n\n"
#define PROFILES "[profile a]\ntitle = A\ndefault = yes\n[profile b]\ntitle = B\n"

/* Lines 9 to 19, and then [deploy], whose lines begin at 21. */
#define COLOURS                                                                                   \
	"[profile a]\ntitle = A\ndefault = yes\n[service p]\nrole = r\n[service w-blue]\nrole = " \
	"r\n"                                                                                     \
	"[service w-green]\nrole = r\n[port m]\nnumber = 9\nvariable = M\n[deploy]\nprofiles = "  \
	"a\n"
#define DEPLOY_BEHIND(backend, service, images, admin, port, ready)                         \
	HEAD COLOURS "service = " service "\nimages = " images                              \
		     "\nids = C D\nvariables = /v\nproxy = p\n"                             \
		     "backend = " backend "\nservers = /s\nadmin = " admin "\nport = " port \
		     "\nready = " ready "\nversion = /v\n"
#define DEPLOY(service, images, admin, port, ready) \
	DEPLOY_BEHIND("b", service, images, admin, port, ready)

typedef struct {
	const char *path;
	const char *text;
	const char *want; /* the message starts so; the file is called "x" */
} Case;

/* clang-format off */
static const Case cases[] = {
	{ "/ini/empty",             "", "x:1:1: there is no [stack]" },
	{ "/ini/unclosed",          HEAD "[needs\n", "x:9:" },
	{ "/ini/no-section",        "schema = 1\n", "x:1:" },
	{ "/ini/no-value",          HEAD "[needs]\nmemory\n", "x:10:" },
	{ "/ini/duplicate-key",     HEAD "[needs]\ncpus = 1\ncpus = 2\n", "x:11:" },
	{ "/ini/duplicate-section", HEAD "[tool git]\n[tool git]\n", "x:10:" },
	{ "/ini/control",           HEAD "[needs]\ncpus = \0331\n", "x:10:" },
	{ "/ini/latin-1",           HEAD "[service s]\nrole = caf\351\n", "x:10:" },

	{ "/section/unknown",       HEAD "\n[neds]\nmemory = 1\n", "x:10:1: unknown section [neds]; did you mean \"needs\"?" },
	{ "/section/strange",       HEAD "[zzzzzzzz]\n", "x:9:1: unknown section [zzzzzzzz]" },
	{ "/section/unnamed",       HEAD "[tool]\nminimum = 1\n", "x:9:1: [tool] needs a name" },
	{ "/section/named",         HEAD "[source a]\nurl = https://e/\n", "x:9:1: [source] takes no name" },
	{ "/section/bad-name",      HEAD "[step ../x]\nkind = file\n", "x:9:1: the name \"../x\" is not a letter" },
	{ "/section/bad-key-name",  HEAD "[key a-b]\nkind = optional\ntitle = t\n", "x:9:1: the name \"a-b\" is not the name of an env" },
	{ "/key/unknown",           HEAD "[needs]\nzzz = 1 GiB\n", "x:10:7: unknown key \"zzz\" in [needs]" },
	{ "/key/unknown-near",      HEAD "[needs]\nmemroy = 1 GiB\n", "x:10:10: unknown key \"memroy\" in [needs]; did you mean \"memory\"?" },
	{ "/key/missing",           HEAD "\n\n[step a]\nafter =\n", "x:11:1: [step a] has no kind" },
	{ "/key/missing-in-empty",  HEAD "[step a]\n", "x:9:1: [step a] has no kind" },
	{ "/key/empty",             HEAD "[profile a]\ntitle =\ndefault = yes\n", "x:10:" },

	{ "/stack/schema-2",        "[stack]\nschema = 2\n", "x:2:10: schema 2 is of a later slipway" },
	{ "/stack/schema-word",     "[stack]\nschema = one\n", "x:2:10: " },
	{ "/stack/name-capital",    "[stack]\nschema = 1\nname = Bad\n", "x:3:8: \"Bad\" is not 2 to 32" },
	{ "/stack/name-slash",      "[stack]\nname = ../bad\n", "x:2:8: \"../bad\"" },
	{ "/stack/name-short",      "[stack]\nname = a\n", "x:2:8: \"a\"" },
	{ "/stack/version-word",    "[stack]\nversion = new\n", "x:2:11: \"new\" is not a version" },
	{ "/stack/version-dots",    "[stack]\nversion = 1..2\n", "x:2:11: " },
	{ "/stack/version-shell",   "[stack]\nversion = 1$(id)\n", "x:2:11: " },
	{ "/stack/prefix-dotdot",   "[stack]\nprefix = ~/../../etc\n", "x:2:10: " },
	{ "/stack/prefix-relative", "[stack]\nprefix = here\n", "x:2:10: " },
	{ "/stack/prefix-user",     "[stack]\nprefix = ~root/x\n", "x:2:10: " },
	{ "/stack/prefix-root",     "[stack]\nprefix = /\n", "x:2:10: " },
	{ "/stack/homepage",        "[stack]\nhomepage = javascript:alert(1)\n", "x:2:12: " },
	{ "/source/http",           HEAD "[source]\nurl = http://e/r\n", "x:10:7: " },
	{ "/source/option",         HEAD "[source]\nurl = --upload-pack=id\n", "x:10:7: " },
	{ "/source/branch",         HEAD "[source]\nurl = https://e/r\nrevision = main\n", "x:11:12: \"main\" is not a full commit id" },
	{ "/source/short",          HEAD "[source]\nurl = https://e/r\nrevision = e75e46a\n", "x:11:12: " },

	{ "/needs/size-unit",       HEAD "[needs]\nmemory = 2 GB\n", "x:10:10: " },
	{ "/needs/size-negative",   HEAD "[needs]\nmemory = -1\n", "x:10:10: " },
	{ "/needs/size-overflow",   HEAD "[needs]\nmemory = 99999999999 TiB\n", "x:10:10: " },
	{ "/needs/cpus-0",          HEAD "[needs]\ncpus = 0\n", "x:10:8: " },
	{ "/needs/engine-word",     HEAD "[needs]\nengine = latest\n", "x:10:10: " },
	{ "/needs/profile",         HEAD "[needs a]\ncpus = 1\n", "x:9:1: [needs a] names a profile that does not exist" },

	{ "/profile/none-default",  HEAD "[profile a]\ntitle = A\n", "x:1:1: no profile has \"default = yes\"" },
	{ "/profile/two-defaults",  HEAD PROFILES "default = yes\n", "x:12:1: [profile b] is a second default" },
	{ "/profile/flag",          HEAD "[profile a]\ntitle = A\ndefault = maybe\n", "x:11:11: \"maybe\" is neither yes nor no" },
	{ "/profile/unknown",       HEAD PROFILES "[tool git]\nprofiles = a c\n", "x:15:12: there is no [profile c]" },

	{ "/deploy/service",        DEPLOY("x", "A B", "m", "1", "/"), "x:23:11: x-blue has no section [service]" },
	{ "/deploy/one-image",      DEPLOY("w", "A", "m", "1", "/"), "x:24:10: two variables are needed" },
	{ "/deploy/same-image",     DEPLOY("w", "A A", "m", "1", "/"), "x:24:10: two variables are needed" },
	{ "/deploy/no-variable",    DEPLOY("w", "A b-c", "m", "1", "/"), "x:24:10: b-c is not the name of an env" },
	{ "/deploy/backend",        DEPLOY_BEHIND("a b;c", "w", "A B", "m", "1", "/"), "x:28:11: a b;c is not a name for HAProxy" },
	{ "/deploy/backend-line",   DEPLOY_BEHIND("a/b", "w", "A B", "m", "1", "/"), "x:28:11: a/b is not a name for HAProxy" },
	{ "/deploy/admin",          DEPLOY("w", "A B", "n", "1", "/"), "x:30:9: n has no section [port]" },
	{ "/deploy/port",           DEPLOY("w", "A B", "m", "0", "/"), "x:31:8: " },
	{ "/deploy/path",           DEPLOY("w", "A B", "m", "1", "ready"), "x:32:9: ready is not a path of a URL" },
	{ "/deploy/command",        DEPLOY("w", "A B", "m", "1", "/") "get = sh -c 'x\n", "x:34:7: cannot be split into words" },
	{ "/deploy/missing",        HEAD COLOURS, "x:21:1: [deploy] has no service" },
	{ "/deploy/proxy",          DEPLOY("w", "A B", "m", "1", "/") "proxy = q\n", "x:34:" },

	{ "/tool/not-in-catalogue", HEAD "[tool gti]\n", "x:9:1: [tool gti] is not in the tool catalogue" },
	{ "/tool/minimum",          HEAD "[tool git]\nminimum = >=2\n", "x:10:11: " },

	{ "/port/0",                HEAD "[port p]\nnumber = 0\n", "x:10:10: " },
	{ "/port/70000",            HEAD "[port p]\nnumber = 70000\n", "x:10:10: " },
	{ "/port/negative",         HEAD "[port p]\nnumber = -80\n", "x:10:10: " },
	{ "/port/word",             HEAD "[port p]\nnumber = http\n", "x:10:10: " },
	{ "/port/no-variable",      HEAD "[port p]\nnumber = 80\n", "x:9:1: [port p] has no variable" },
	{ "/port/bad-variable",     HEAD "[port p]\nnumber = 80\nvariable = 1;id\n", "x:11:12: " },
	{ "/port/clash",            HEAD "[port p]\nnumber = 80\nvariable = P\n[port q]\nnumber = 80\nvariable = Q\n",
	  "x:13:10: port 80 is that of [port p] already" },
	{ "/port/clash-in-profile", HEAD PROFILES "[port p]\nnumber = 80\nvariable = P\nprofiles = a\n[port q]\nnumber = 80\nvariable = Q\nprofiles = b a\n",
	  "x:19:10: port 80 is that of [port p]" },
	{ "/port/same-variable",    HEAD "[port p]\nnumber = 80\nvariable = P\n[port q]\nnumber = 81\nvariable = P\n",
	  "x:14:12: P moves [port p] already" },
	{ "/port/service",          HEAD "[port p]\nnumber = 80\nvariable = P\nservice = web\n", "x:12:11: there is no [service web]" },

	{ "/service/health",        HEAD "[service s]\nrole = r\nhealth = file:///etc/passwd\n", "x:11:10: " },
	{ "/service/shell",         HEAD "[service s]\nrole = r\nhealth = http://h/`id`\n", "x:11:10: " },
	{ "/keys/kind",             HEAD "[key K]\nkind = secret\ntitle = t\n", "x:10:8: \"secret\" is none of optional" },
	{ "/keys/small",            HEAD "[key K]\nkind = generated\ntitle = t\nsize = 4\n", "x:12:8: " },
	{ "/keys/services",         HEAD "[key K]\nkind = generated\ntitle = t\nservices = db\n", "x:12:12: there is no [service db]" },

	{ "/step/after-unknown",    HEAD "[step a]\nkind = file\nafter = b\n", "x:11:9: there is no [step b]" },
	{ "/step/after-itself",     HEAD "[step a]\nkind = file\nafter = a\n", "x:11:9: [step a] waits for itself" },
	{ "/step/cycle",            HEAD "[step a]\nkind = file\nafter = c\n[step b]\nkind = file\nafter = a\n[step c]\nkind = file\nafter = b\n",
	  "x:11:9: [step a] waits for itself" },
	{ "/step/behind-a-cycle",   HEAD "[step z]\nkind = file\nafter = a\n[step a]\nkind = file\nafter = b\n[step b]\nkind = file\nafter = a\n",
	  "x:14:9: [step a] waits for itself" },
	{ "/step/profiles",         HEAD "[step a]\nkind = file\nprofiles = nowhere\n", "x:11:12: there is no [profile nowhere]" },
};
/* clang-format on */

static void test_case(gconstpointer data)
{
	const Case *c = data;
	g_autoptr(GBytes) text = g_bytes_new(c->text, strlen(c->text));
	g_autoptr(GError) error = NULL;
	g_autoptr(Stack) stack = stack_parse(text, "x", &error);

	g_assert_null(stack);
	g_test_message("%s", error->message);
	g_assert_error(error, FAULT, STATUS_CONFIG);
	g_assert_true(g_str_has_prefix(error->message, c->want));
}

static Stack *parse(const char *text)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	g_autoptr(GError) error = NULL;
	Stack *stack = stack_parse(bytes, "x", &error);

	g_assert_no_error(error);
	return stack;
}

static void test_nul(void)
{
	static const char text[] = HEAD "[needs]\ncpus = 1\0\n";
	g_autoptr(GBytes) bytes = g_bytes_new(text, sizeof text - 1);
	g_autoptr(GError) error = NULL;

	g_assert_null(stack_parse(bytes, "x", &error));
	g_assert_error(error, FAULT, STATUS_CONFIG);
	g_assert_true(g_str_has_prefix(error->message, "x:10:"));
}

static void test_long_line(void)
{
	g_autofree char *line = g_strnfill(INI_MAX_LINE, '1');
	g_autofree char *text = g_strconcat(HEAD "[needs]\ncpus = ", line, "\n", NULL);
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	g_autoptr(GError) error = NULL;

	g_assert_null(stack_parse(bytes, "x", &error));
	g_assert_error(error, FAULT, STATUS_CONFIG);
	g_assert_true(g_str_has_prefix(error->message, "x:10:"));
}

static void test_crlf_and_bom(void)
{
	g_auto(GStrv) lines =
		g_strsplit("\357\273\277" HEAD "[tool git]\nminimum = 2.1\n", "\n", -1);
	g_autofree char *text = g_strjoinv("\r\n", lines);
	g_autoptr(Stack) stack = parse(text);
	const StackTool *tool = g_ptr_array_index(stack->tools, 0);

	g_assert_cmpstr(stack->name, ==, "bad");
	g_assert_cmpstr(tool->minimum, ==, "2.1");
}

/* What would be a shell's is only text. */
static void test_values_are_literal(void)
{
	g_autoptr(Stack) stack = parse(HEAD "[service s]\nrole = $(id) `id` ; rm -rf / # no\n");
	const StackService *service = g_ptr_array_index(stack->services, 0);

	g_assert_cmpstr(service->role, ==, "$(id) `id` ; rm -rf / # no");
}

static void test_same_port_in_other_profiles(void)
{
	g_autoptr(Stack) stack =
		parse(HEAD PROFILES "[port p]\nnumber = 80\nvariable = P\nprofiles = a\n"
	                            "[port q]\nnumber = 80\nvariable = P\nprofiles = b\n");

	g_assert_cmpuint(stack->ports->len, ==, 2);
}

static StackBundle *open_tiny(void)
{
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "stacks", "tiny", NULL);
	g_autoptr(GError) error = NULL;
	StackBundle *bundle = stacks_open(path, &error);

	g_assert_no_error(error);
	return bundle;
}

static void test_tiny(void)
{
	g_autoptr(StackBundle) bundle = open_tiny();
	const Stack *stack = stacks_definition(bundle);
	const StackKey *optional = g_ptr_array_index(stack->keys, 0);
	const StackKey *generated = g_ptr_array_index(stack->keys, 1);
	const StackService *service = g_ptr_array_index(stack->services, 0);
	const StackStep *step = g_ptr_array_index(stack->steps, 1);

	g_assert_cmpstr(stack->name, ==, "tiny");
	g_assert_cmpstr(stack_default_profile(stack), ==, "native");
	g_assert_cmpint(optional->kind, ==, STACK_KEY_OPTIONAL);
	g_assert_cmpstr(optional->variable, ==, "TINY_API_KEY");
	g_assert_cmpuint(optional->size_bytes, ==, 32);
	g_assert_cmpint(generated->kind, ==, STACK_KEY_GENERATED);
	g_assert_cmpstr(generated->variable, ==, "DB_PASSWORD");
	g_assert_cmpuint(generated->size_bytes, ==, 24);
	g_assert_true(service->is_placeholder);
	g_assert_cmpstr(step->kind, ==, "file");
	g_assert_cmpstr(g_hash_table_lookup(step->values, "from"), ==, "files/hello.sh");
	g_assert_cmpstr(step->after[0], ==, "prefix");
	g_assert_cmpuint(step->line, >, 1);
	g_assert_cmpstr(ini_value(stack->ini, "model tiny", "size"), ==, "1 MiB");
}

static void test_needs_of_a_profile(void)
{
	g_autoptr(StackBundle) bundle = open_tiny();
	StackNeeds needs = { 0 };

	stack_needs(stacks_definition(bundle), "native", &needs);
	g_assert_cmpuint(needs.memory_bytes, ==, 64 << 20);
	g_assert_null(needs.engine);
	stack_needs(stacks_definition(bundle), "containers", &needs);
	g_assert_cmpuint(needs.memory_bytes, ==, 1 << 30);
	g_assert_cmpuint(needs.disk_bytes, ==, 1 << 20);
	g_assert_cmpstr(needs.engine, ==, "20.10");
	g_assert_cmpstr(needs.architectures[1], ==, "aarch64");
}

static void test_versions(void)
{
	g_assert_cmpint(stack_version_compare("3.9", "3.12"), <, 0);
	g_assert_cmpint(stack_version_compare("v2.24.0", "2.24"), ==, 0);
	g_assert_cmpint(stack_version_compare("24.0.7-rd", "24.0.7"), ==, 0);
	g_assert_cmpint(stack_version_compare("3.13rc1", "3.12.9"), >, 0);
	g_assert_cmpint(stack_version_compare("1", "1.0.1"), <, 0);
	g_assert_cmpint(stack_version_compare("", "0"), ==, 0);
}

static void test_embedded_stacks_parse(void)
{
	for (const char *const *name = stacks_embedded_names(); *name; name++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(StackBundle) bundle = stacks_open(*name, &error);

		g_assert_no_error(error);
		g_assert_cmpstr(stacks_definition(bundle)->name, ==, *name);
		g_assert_cmpstr(stacks_origin(bundle), ==, "embedded");
	}
}

static void test_catalogue(void)
{
	const CatalogueTool *python = catalogue_find(catalogue_get(), "python");
	const CatalogueTool *certificates = catalogue_find(catalogue_get(), "ca-certificates");
	const CatalogueTool *git = catalogue_find(catalogue_get(), "git");

	g_assert_cmpuint(catalogue_tools(catalogue_get())->len, >, 15);
	g_assert_cmpstr(python->programs[0], ==, "python3.14");
	g_assert_cmpstr(python->needs_too[0], ==, "-c");
	g_assert_cmpstr(python->needs_too[1], ==, "import venv, ensurepip");
	g_assert_cmpstr(catalogue_packages(python, "apt")[1], ==, "python3-venv");
	g_assert_cmpuint(g_strv_length(certificates->files), >, 3);
	g_assert_cmpuint(g_strv_length(certificates->programs), ==, 0);
	g_assert_cmpstr(catalogue_packages(git, "microdnf")[0], ==, "git-core");
	g_assert_cmpstr(catalogue_packages(git, "yum")[0], ==, "git");
	g_assert_cmpstr(catalogue_packages(python, "yum")[0], ==, "python3");
	g_assert_null(catalogue_packages(catalogue_find(catalogue_get(), "ollama"), "apt"));
	g_assert_null(catalogue_packages(git, "winget"));
	g_assert_null(catalogue_find(catalogue_get(), "no-such-tool"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].path, &cases[i], test_case);
	g_test_add_func("/ini/nul", test_nul);
	g_test_add_func("/ini/long-line", test_long_line);
	g_test_add_func("/ini/crlf-and-bom", test_crlf_and_bom);
	g_test_add_func("/ini/values-are-literal", test_values_are_literal);
	g_test_add_func("/port/same-in-other-profiles", test_same_port_in_other_profiles);
	g_test_add_func("/good/tiny", test_tiny);
	g_test_add_func("/good/needs-of-a-profile", test_needs_of_a_profile);
	g_test_add_func("/good/versions", test_versions);
	g_test_add_func("/good/embedded-stacks-parse", test_embedded_stacks_parse);
	g_test_add_func("/good/catalogue", test_catalogue);
	return g_test_run();
}
