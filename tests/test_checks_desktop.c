/* tests/test_checks_desktop.c - Docker Desktop's settings, as people and versions leave them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "checks/facts_private.h"

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

static const Files files[] = {
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
	g_autofree char *place = g_strconcat(home, strchr(desktop_directory_table[0], '/'), NULL);
	g_auto(GStrv) environment = g_environ_setenv(NULL, "HOME", home, TRUE);
	FactsSource source = { "", environment, 0 };
	g_autoptr(Facts) facts = facts_new();
	g_autofree char *older = NULL;
	g_autofree char *newer = NULL;

	g_assert_cmpint(g_mkdir_with_parents(place, 0700), ==, 0);
	older = lay_out(place, "settings.json", c->older);
	newer = lay_out(place, "settings-store.json", c->newer);

	facts_read_desktop(&source, &facts->desktop);
	g_assert_cmpint(facts->desktop.state, ==, c->state);
	g_assert_cmpuint(facts->desktop.generation, ==, c->generation);
	g_assert_cmpuint(facts->desktop.memory_bytes, ==, c->memory_bytes);

	(void)remove(older);
	(void)remove(newer);
	while (strlen(place) >= strlen(home) && rmdir(place) == 0)
		*strrchr(place, '/') = '\0';
	g_assert_false(g_file_test(home, G_FILE_TEST_EXISTS));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/desktop/parse/", cases[i].path, NULL);

		g_test_add_data_func(path, &cases[i], test_case);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_strconcat("/desktop/files/", files[i].path, NULL);

		g_test_add_data_func(path, &files[i], test_files);
	}
	g_test_add_func("/desktop/parse/all-four", test_all_four);
	g_test_add_func("/desktop/parse/nul-byte", test_nul_byte);
	return g_test_run();
}
