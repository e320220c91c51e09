/* tests/test_checks_desktop.c - Docker Desktop's settings, as people and versions leave them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "checks/facts_desktop_read.h"
#include "tests/checks_tree.h"

#define MIB G_GUINT64_CONSTANT(1048576)

typedef struct {
	const char *path;
	const char *text; /* ' stands for " */
	DesktopState state;
	DesktopSetting memory; /* and what else is expected of each setting */
	guint64 memory_bytes;
	DesktopSetting swap;
	guint64 swap_bytes;
} Case;

#define UNSET DESKTOP_SETTING_DEFAULT, FACTS_UNKNOWN
#define WRONG DESKTOP_SETTING_UNKNOWN, FACTS_UNKNOWN
#define SET(bytes) DESKTOP_SETTING_SET, (bytes)

/* clang-format off */
static const Case cases[] = {
	{ "sparse", "{'AutoStart':false,'LicenseTermsVersion':2,'SettingsVersion':45}", DESKTOP_READ, UNSET, UNSET },
	{ "empty-object", "{}", DESKTOP_READ, UNSET, UNSET },
	{ "tuned", "{'SettingsVersion':45,'MemoryMiB':16384,'Cpus':8,'SwapMiB':4096}", DESKTOP_READ, SET(16384 * MIB), SET(4096 * MIB) },
	{ "old", "{'settingsVersion':17,'memoryMiB':8192,'cpus':4,'swapMiB':1024,'diskSizeMiB':61035}", DESKTOP_READ, SET(8192 * MIB), SET(1024 * MIB) },
	{ "old-key-in-new-file", "{'SettingsVersion':45,'memoryMiB':4096}", DESKTOP_READ, SET(4096 * MIB), UNSET },
	{ "both-spellings", "{'memoryMiB':4096,'MemoryMiB':8192}", DESKTOP_READ, SET(8192 * MIB), UNSET },
	{ "swap-off", "{'SwapMiB':0}", DESKTOP_READ, UNSET, SET(0) },
	{ "mark", "\xef\xbb\xbf{'MemoryMiB':1024}", DESKTOP_READ, SET(1024 * MIB), UNSET },
	{ "crlf", "{\r\n'MemoryMiB':\t1024\r\n}\r\n", DESKTOP_READ, SET(1024 * MIB), UNSET },
	{ "text-for-number", "{'MemoryMiB':'8192'}", DESKTOP_READ, WRONG, UNSET },
	{ "real", "{'MemoryMiB':8192.0}", DESKTOP_READ, WRONG, UNSET },
	{ "exponent", "{'MemoryMiB':1e10,'SwapMiB':512}", DESKTOP_READ, WRONG, SET(512 * MIB) },
	{ "negative", "{'MemoryMiB':-1,'SwapMiB':-1}", DESKTOP_READ, WRONG, WRONG },
	{ "zero-memory", "{'MemoryMiB':0}", DESKTOP_READ, WRONG, UNSET },
	{ "huge", "{'MemoryMiB':9223372036854775807,'SwapMiB':9223372036854775807}", DESKTOP_READ, WRONG, WRONG },
	{ "null", "{'MemoryMiB':null}", DESKTOP_READ, WRONG, UNSET },
	{ "list", "{'MemoryMiB':[8192]}", DESKTOP_READ, WRONG, UNSET },
	{ "object", "{'MemoryMiB':{'value':8192}}", DESKTOP_READ, WRONG, UNSET },
	{ "true", "{'MemoryMiB':true}", DESKTOP_READ, WRONG, UNSET },
	{ "other-case", "{'MEMORYMIB':8192}", DESKTOP_READ, UNSET, UNSET },
	{ "overflows", "{'MemoryMiB':99999999999999999999999}", DESKTOP_MALFORMED, WRONG, WRONG },
	{ "duplicate", "{'MemoryMiB':1,'MemoryMiB':2}", DESKTOP_MALFORMED, WRONG, WRONG },
	{ "empty", "", DESKTOP_MALFORMED, WRONG, WRONG },
	{ "white-space", " \n", DESKTOP_MALFORMED, WRONG, WRONG },
	{ "mark-alone", "\xef\xbb\xbf", DESKTOP_MALFORMED, WRONG, WRONG },
	{ "truncated", "{'MemoryMiB':81", DESKTOP_MALFORMED, WRONG, WRONG },
	{ "truncated-text", "{'MemoryMiB", DESKTOP_MALFORMED, WRONG, WRONG },
	{ "array", "[]", DESKTOP_MALFORMED, WRONG, WRONG },
	{ "number", "8192", DESKTOP_MALFORMED, WRONG, WRONG },
	{ "comment", "{/* mine */'MemoryMiB':8192}", DESKTOP_MALFORMED, WRONG, WRONG },
	{ "trailing-comma", "{'MemoryMiB':8192,}", DESKTOP_MALFORMED, WRONG, WRONG },
	{ "trailing-text", "{'MemoryMiB':8192} x", DESKTOP_MALFORMED, WRONG, WRONG },
	{ "utf-16", "\xff\xfe{", DESKTOP_MALFORMED, WRONG, WRONG },
	{ "ini", "MemoryMiB=8192\n", DESKTOP_MALFORMED, WRONG, WRONG },
};
/* clang-format on */

static void test_case(gconstpointer data)
{
	const Case *c = data;
	g_autofree char *text = g_strdelimit(g_strdup(c->text), "'", '"');
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	g_autoptr(Facts) facts = facts_new();
	FactsDesktop *desktop = &facts->desktop;

	desktop_parse(bytes, desktop);
	g_assert_cmpint(desktop->state, ==, c->state);
	g_assert_true((desktop->why != NULL) == (c->state == DESKTOP_MALFORMED));
	g_assert_cmpint(desktop->memory, ==, c->memory);
	g_assert_cmpuint(desktop->memory_bytes, ==, c->memory_bytes);
	g_assert_cmpint(desktop->swap, ==, c->swap);
	g_assert_cmpuint(desktop->swap_bytes, ==, c->swap_bytes);
}

static void test_all_four(void)
{
	const char *text = "{\"MemoryMiB\":8192,\"Cpus\":6,\"DiskSizeMiB\":61035,\"SwapMiB\":1024}";
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
	g_autoptr(Facts) facts = facts_new();

	desktop_parse(bytes, &facts->desktop);
	g_assert_cmpuint(facts->desktop.cpu_count, ==, 6);
	g_assert_cmpuint(facts->desktop.disk_bytes, ==, 61035 * MIB);
}

/* A NUL behind the text is not JSON, whatever C makes of it. */
static void test_nul_byte(void)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static("{}\0", 3);
	g_autoptr(Facts) facts = facts_new();

	desktop_parse(bytes, &facts->desktop);
	g_assert_cmpint(facts->desktop.state, ==, DESKTOP_MALFORMED);
}

typedef struct {
	const char *path;
	const char *older, *newer; /* contents; NULL: no such file; "/": a directory */
	DesktopState state;
	guint64 generation;
	guint64 memory_bytes;
} Files;

static const Files generations[] = {
	{ "none", NULL, NULL, DESKTOP_ABSENT, 0, FACTS_UNKNOWN },
	{ "older", "{\"memoryMiB\":1024}", NULL, DESKTOP_READ, 1, 1024 * MIB },
	{ "newer", NULL, "{\"MemoryMiB\":2048}", DESKTOP_READ, 2, 2048 * MIB },
	{ "newer-wins", "{\"memoryMiB\":1024}", "{\"MemoryMiB\":2048}", DESKTOP_READ, 2,
	  2048 * MIB },
	{ "sparse-wins", "{\"memoryMiB\":1024}", "{}", DESKTOP_READ, 2, FACTS_UNKNOWN },
	{ "newer-broken", "{\"memoryMiB\":1024}", "{", DESKTOP_READ, 1, 1024 * MIB },
	{ "both-broken", "[", "{", DESKTOP_MALFORMED, 1, FACTS_UNKNOWN },
	{ "directory", NULL, "/", DESKTOP_UNREADABLE, 2, FACTS_UNKNOWN },
	{ "directory-and-older", "{\"memoryMiB\":1024}", "/", DESKTOP_READ, 1, 1024 * MIB },
};

static char *lay_out(const char *directory, const char *name, const char *content)
{
	char *path = g_build_filename(directory, name, NULL);

	if (content != NULL && strcmp(content, "/") == 0)
		g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
	else if (content != NULL)
		g_assert_true(g_file_set_contents(path, content, -1, NULL));
	return path;
}

static void test_files(gconstpointer data)
{
	const Files *c = data;
	g_autofree char *home = g_dir_make_tmp("desktop-XXXXXX", NULL);
	g_autofree char *place = g_build_filename(home, ".docker/desktop", NULL);
	g_auto(GStrv) environment = g_environ_setenv(NULL, "HOME", home, TRUE);
	FactsSource source = { "", environment, 0, NULL };
	g_autoptr(Facts) facts = facts_new();
	g_autofree char *older = NULL;
	g_autofree char *newer = NULL;

	g_assert_cmpint(g_mkdir_with_parents(place, 0700), ==, 0);
	older = lay_out(place, "settings.json", c->older);
	newer = lay_out(place, "settings-store.json", c->newer);

	facts_read_desktop(&source, facts);
	g_assert_cmpint(facts->desktop.state, ==, c->state);
	g_assert_cmpuint(facts->desktop.generation, ==, c->generation);
	g_assert_cmpuint(facts->desktop.memory_bytes, ==, c->memory_bytes);

	(void)remove(older);
	(void)remove(newer);
	while (strlen(place) >= strlen(home) && rmdir(place) == 0)
		*strrchr(place, '/') = '\0';
	g_assert_false(g_file_test(home, G_FILE_TEST_EXISTS));
}

/* Returns: (transfer full): facts of a settings file; ' stands for ". */
static Facts *parse(const char *text)
{
	g_autofree char *quoted = g_strdelimit(g_strdup(text), "'", '"');
	g_autoptr(GBytes) bytes = g_bytes_new(quoted, strlen(quoted));
	Facts *facts = facts_new();

	desktop_parse(bytes, &facts->desktop);
	return facts;
}

static void test_switches(void)
{
	g_autoptr(Facts) facts = parse(
		"{'UseVirtualizationFrameworkRosetta':false,'useLibkrun':true,"
		"'KubernetesEnabled':'yes','LicenseTermsVersion':0,'AutoPauseTimeoutSeconds':30,"
		"'ProxyHTTPMode':'manual','OverrideProxyHTTPS':'http://a:b@p:3128',"
		"'FilesharingDirectories':['/Users','/srv/my data'],"
		"'IntegratedWslDistros':['Ubuntu','Debian'],'DataFolder':'/Volumes/x'}");
	const FactsDesktop *desktop = &facts->desktop;

	g_assert_cmpint(desktop->rosetta, ==, DESKTOP_SWITCH_OFF);
	g_assert_cmpint(desktop->docker_vmm, ==, DESKTOP_SWITCH_ON);
	g_assert_cmpint(desktop->kubernetes, ==, DESKTOP_SWITCH_UNKNOWN);
	g_assert_cmpint(desktop->virtiofs, ==, DESKTOP_SWITCH_DEFAULT);
	g_assert_cmpint(desktop->licence, ==, DESKTOP_SETTING_SET);
	g_assert_cmpuint(desktop->licence_number, ==, 0);
	g_assert_cmpuint(desktop->auto_pause_seconds, ==, 30);
	g_assert_cmpstr(desktop->proxy_mode, ==, "manual");
	g_assert_cmpstr(desktop->proxy, ==, "http://p:3128");
	g_assert_cmpstr(desktop->file_sharing, ==, "/Users\n/srv/my data");
	g_assert_cmpstr(desktop->wsl_distributions, ==, "Ubuntu Debian");
	g_assert_cmpstr(desktop->data_folder, ==, "/Volumes/x");
}

/* The older generation spells some keys in another way, not just their first letter. */
static void test_older_spelling(void)
{
	g_autoptr(Facts) facts =
		parse("{'useVirtualizationFrameworkVirtioFS':true,'proxyHttpMode':'manual',"
	              "'overrideProxyHttp':'http://p:1','kubernetesEnabled':true}");

	g_assert_cmpint(facts->desktop.virtiofs, ==, DESKTOP_SWITCH_ON);
	g_assert_cmpint(facts->desktop.kubernetes, ==, DESKTOP_SWITCH_ON);
	g_assert_cmpstr(facts->desktop.proxy_mode, ==, "manual");
	g_assert_cmpstr(facts->desktop.proxy, ==, "http://p:1");
}

static void test_compare(void)
{
	static const char *const older =
		"{\"memoryMiB\":1024,\"cpus\":4,\"kubernetesEnabled\":true,\"settingsVersion\":17,"
		"\"swapMiB\":512}";
	g_autoptr(Facts) facts =
		parse("{'MemoryMiB':2048,'Cpus':4,'KubernetesEnabled':false,'SettingsVersion':45}");
	g_autoptr(Facts) same = parse("{'Cpus':4}");
	g_autoptr(GBytes) bytes = g_bytes_new_static(older, strlen(older));

	desktop_compare(bytes, &facts->desktop);
	g_assert_cmpstr(facts->desktop.differing, ==, "MemoryMiB KubernetesEnabled");
	desktop_compare(bytes, &same->desktop);
	g_assert_null(same->desktop.differing);
}

typedef struct {
	const char *path;
	const char *admin, *registry; /* (nullable): no such file */
	const char *locked;
	bool has_why;
	Fact must_sign_in;
} Admin;

static const Admin admins[] = {
	{ "none", NULL, NULL, NULL, false, FACT_NO },
	{ "locked",
	  "{\"configurationFileVersion\":2,\"useGrpcfuse\":{\"locked\":true,\"value\":false},"
	  "\"proxy\":{\"locked\":false},\"linuxVM\":{\"wslEngineEnabled\":{\"locked\":true}}}",
	  NULL, "useGrpcfuse linuxVM.wslEngineEnabled", false, FACT_NO },
	{ "lists", "{\"filesharingAllowedDirectories\":[{\"path\":\"$HOME\"}]}", NULL, "", false,
	  FACT_NO },
	{ "broken", "{\"configurationFileVersion\":2,", NULL, NULL, true, FACT_NO },
	{ "array", "[]", NULL, NULL, true, FACT_NO },
	{ "sign-in", NULL, "{\"allowedOrgs\":[\"example\"]}", NULL, false, FACT_YES },
	{ "sign-in-nobody", NULL, "{\"allowedOrgs\":[]}", NULL, false, FACT_NO },
	{ "registry-broken", NULL, "{", NULL, false, FACT_NO },
};

static void test_admin(gconstpointer data)
{
	const Admin *c = data;
	const File files[] = { { c->admin != NULL ? "/etc/d/admin-settings.json" : "/x", c->admin },
		               { c->registry != NULL ? "/etc/d/registry.json" : NULL, c->registry },
		               { NULL } };
	g_auto(Tree) tree = { 0 };
	g_autoptr(Facts) facts = facts_new();

	tree_lay(&tree, files, NULL);
	desktop_read_admin(&tree.source, "/etc/d", &facts->desktop);
	g_assert_cmpstr(facts->desktop.locked, ==, c->locked);
	g_assert_true((facts->desktop.admin_why != NULL) == c->has_why);
	g_assert_cmpint(facts->desktop.must_sign_in, ==, c->must_sign_in);
}

typedef struct {
	const char *path;
	const char *text;
	DesktopState state;
	DesktopSetting memory;
	guint64 memory_bytes;
	const char *why; /* (nullable): a part of it */
} Wsl;

#define GIB (G_GUINT64_CONSTANT(1) << 30)

/* clang-format off */
static const Wsl wsls[] = {
	{ "empty", "", DESKTOP_READ, UNSET, NULL },
	{ "usual", "[wsl2]\nmemory=16GB\nprocessors=8\nswap=0\n", DESKTOP_READ, SET(16 * GIB), NULL },
	{ "crlf", "\r\n[wsl2]\r\nmemory = 512MB\r\n", DESKTOP_READ, SET(512 * MIB), NULL },
	{ "mark", "\xef\xbb\xbf[wsl2]\nmemory=1GB\n", DESKTOP_READ, SET(GIB), NULL },
	{ "other-case", "[WSL2]\nMemory=1gb\n", DESKTOP_READ, SET(GIB), NULL },
	{ "comment", "# memory=1GB\n[wsl2]\n; memory=2GB\n", DESKTOP_READ, UNSET, NULL },
	{ "other-section", "[experimental]\nmemory=1GB\n", DESKTOP_READ, UNSET, NULL },
	{ "no-section", "memory=16GB\n", DESKTOP_READ, UNSET, "above [wsl2]" },
	{ "one-line", "[wsl2] memory=16GB processors=8\n", DESKTOP_READ, UNSET, "line of its own" },
	{ "open-section", "[wsl2\nmemory=16GB\n", DESKTOP_READ, SET(16 * GIB), "line of its own" },
	{ "no-unit", "[wsl2]\nmemory=16\n", DESKTOP_READ, WRONG, "no unit" },
	{ "strange-unit", "[wsl2]\nmemory=16GiBs\n", DESKTOP_READ, WRONG, "no unit" },
	{ "negative", "[wsl2]\nmemory=-1GB\n", DESKTOP_READ, WRONG, "no unit" },
	{ "huge", "[wsl2]\nmemory=99999999999999TB\n", DESKTOP_READ, WRONG, "no unit" },
	{ "words", "[wsl2]\nplease give me memory\n", DESKTOP_READ, UNSET, "no setting" },
	{ "utf-16", "\xff\xfe[", DESKTOP_MALFORMED, WRONG, "UTF-16" },
};
/* clang-format on */

static void test_wsl(gconstpointer data)
{
	const Wsl *c = data;
	g_autoptr(GBytes) bytes = g_bytes_new(c->text, strlen(c->text));
	g_autoptr(Facts) facts = facts_new();

	wsl_config_parse(bytes, &facts->wsl);
	g_assert_cmpint(facts->wsl.state, ==, c->state);
	g_assert_cmpint(facts->wsl.memory, ==, c->memory);
	g_assert_cmpuint(facts->wsl.memory_bytes, ==, c->memory_bytes);
	if (c->why == NULL)
		g_assert_null(facts->wsl.why);
	else
		g_assert_nonnull(strstr(facts->wsl.why, c->why));
}

#define WINDOWS "/mnt/c/Users/Ana"

/* From WSL, the files of the one person who uses this Windows. */
static void test_windows(void)
{
	static const File files[] = {
		{ "/mnt/c/Users/Public/x", "" },
		{ "/mnt/c/Users/Default/x", "" },
		{ "/mnt/c/Users/Admin/x", "" },
		{ WINDOWS "/.wslconfig", "[wsl2]\nmemory=8GB\n" },
		{ WINDOWS "/AppData/Roaming/Docker/settings-store.json",
		  "{\"IntegratedWslDistros\":[\"Debian\"],\"DataFolder\":\"C:\\\\docker\"}" },
		{ WINDOWS "/AppData/Local/Docker/wsl/disk/docker_data.vhdx", "image" },
		{ "/mnt/c/Program Files/Docker/Docker/x", "" },
		{ "/mnt/wsl/docker-desktop/x", "" },
		{ NULL },
	};
	static const char *const variables[] = { "HOME=/home/ana", "WSL_DISTRO_NAME=Debian", NULL };
	g_auto(Tree) tree = { 0 };
	g_autoptr(Facts) facts = facts_new();

	tree_lay(&tree, files, variables);
	facts->system.wsl = 2;
	facts_read_desktop(&tree.source, facts);
	g_assert_cmpint(facts->desktop.state, ==, DESKTOP_READ);
	g_assert_cmpstr(facts->desktop.wsl_distributions, ==, "Debian");
	g_assert_cmpstr(facts->desktop.image_file, ==,
	                WINDOWS "/AppData/Local/Docker/wsl/disk/docker_data.vhdx");
	g_assert_cmpuint(facts->desktop.image_bytes, ==, FACTS_UNKNOWN);
	g_assert_cmpuint(facts->desktop.image_used_bytes, ==, 5);
	g_assert_cmpuint(facts->desktop.image_free_bytes, !=, FACTS_UNKNOWN);
	g_assert_cmpstr(facts->desktop.app, ==, "/mnt/c/Program Files/Docker/Docker");
	g_assert_cmpuint(facts->wsl.memory_bytes, ==, 8 * GIB);
	g_assert_cmpint(facts->wsl.has_desktop, ==, FACT_YES);
	g_assert_cmpstr(facts->wsl.distribution, ==, "Debian");
}

/* Two people: whose settings would count is not known, and none are taken. */
static void test_windows_of_several(void)
{
	static const File files[] = { { WINDOWS "/.wslconfig", "[wsl2]\nmemory=8GB\n" },
		                      { "/mnt/c/Users/Bob/.wslconfig", "[wsl2]\nmemory=4GB\n" },
		                      { NULL } };
	static const char *const named[] = { "USERPROFILE=C:\\Users\\Bob", NULL };
	g_auto(Tree) tree = { 0 };
	g_auto(Tree) told = { 0 };
	g_autoptr(Facts) none = facts_new();
	g_autoptr(Facts) one = facts_new();

	tree_lay(&tree, files, NULL);
	none->system.wsl = 2;
	facts_read_desktop(&tree.source, none);
	g_assert_null(none->wsl.file);

	tree_lay(&told, files, named);
	one->system.wsl = 2;
	facts_read_desktop(&told.source, one);
	g_assert_cmpuint(one->wsl.memory_bytes, ==, 4 * GIB);
}

static void test_misplaced(void)
{
	static const File text[] = { { WINDOWS "/.wslconfig.txt", "[wsl2]\n" }, { NULL } };
	static const File here[] = { { WINDOWS "/x", "" },
		                     { "/home/ana/.wslconfig", "" },
		                     { NULL } };
	static const char *const variables[] = { "HOME=/home/ana", NULL };
	const File *const places[] = { text, here };
	static const char *const words[] = { ".wslconfig.txt", "home directory of Linux" };

	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		g_auto(Tree) tree = { 0 };
		g_autoptr(Facts) facts = facts_new();

		tree_lay(&tree, places[i], variables);
		facts->system.wsl = 2;
		facts_read_desktop(&tree.source, facts);
		g_assert_nonnull(strstr(facts->wsl.why, words[i]));
	}
}

/* A raw image is a file with holes: it may grow to its length. */
static void test_image(void)
{
	static const File files[] = {
		{ "/home/ana/.docker/desktop/settings-store.json", "{}" },
		{ "/home/ana/.docker/desktop/vms/0/data/Docker.raw", "" },
		{ NULL },
	};
	static const char *const variables[] = { "HOME=/home/ana", NULL };
	g_auto(Tree) tree = { 0 };
	g_autofree char *path = NULL;
	g_autoptr(Facts) facts = facts_new();

	tree_lay(&tree, files, variables);
	path = g_strconcat(tree.root, files[1].path, NULL);
	g_assert_cmpint(truncate(path, (off_t)GIB), ==, 0);
	facts_read_desktop(&tree.source, facts);
	g_assert_cmpuint(facts->desktop.image_bytes, ==, GIB);
	g_assert_cmpuint(facts->desktop.image_used_bytes, ==, 0);
}

static void test_version(void)
{
	static const File files[] = {
		{ "/Applications/Docker.app/Contents/Info.plist",
		  "<plist><dict>\n<key>CFBundleShortVersionString</key>\n\t<string>4.43.1</"
		  "string>\n"
		  "</dict></plist>" },
		{ NULL },
	};
	g_auto(Tree) tree = { 0 };
	g_autoptr(Facts) facts = facts_new();

	tree_lay(&tree, files, NULL);
	facts_read_desktop(&tree.source, facts);
	g_assert_cmpstr(facts->desktop.app_version, ==, "4.43.1");
	g_assert_cmpint(facts->desktop.state, ==, DESKTOP_ABSENT);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/desktop/parse/", cases[i].path, NULL);

		g_test_add_data_func(path, &cases[i], test_case);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(generations); i++) {
		g_autofree char *path = g_strconcat("/desktop/files/", generations[i].path, NULL);

		g_test_add_data_func(path, &generations[i], test_files);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(admins); i++) {
		g_autofree char *path = g_strconcat("/desktop/admin/", admins[i].path, NULL);

		g_test_add_data_func(path, &admins[i], test_admin);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(wsls); i++) {
		g_autofree char *path = g_strconcat("/wsl/parse/", wsls[i].path, NULL);

		g_test_add_data_func(path, &wsls[i], test_wsl);
	}
	g_test_add_func("/desktop/parse/switches", test_switches);
	g_test_add_func("/desktop/parse/older-spelling", test_older_spelling);
	g_test_add_func("/desktop/compare", test_compare);
	g_test_add_func("/desktop/image", test_image);
	g_test_add_func("/desktop/version", test_version);
	g_test_add_func("/wsl/windows", test_windows);
	g_test_add_func("/wsl/windows-of-several", test_windows_of_several);
	g_test_add_func("/wsl/misplaced", test_misplaced);
	g_test_add_func("/desktop/parse/all-four", test_all_four);
	g_test_add_func("/desktop/parse/nul-byte", test_nul_byte);
	return g_test_run();
}
