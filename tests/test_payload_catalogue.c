/* tests/test_payload_catalogue.c - which packages each release of each distribution is given
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/json.h"
#include "payload/catalogue.h"

#define DEBIAN(version)                        \
	{                                      \
		"apt", "debian", NULL, version \
	}
#define UBUNTU(version)                            \
	{                                          \
		"apt", "ubuntu", "debian", version \
	}
#define ROCKY(version)                                         \
	{                                                      \
		"dnf4", "rocky", "rhel centos fedora", version \
	}
#define AMAZON(version)                           \
	{                                         \
		"dnf4", "amzn", "fedora", version \
	}
#define LEAP(version)                                               \
	{                                                           \
		"zypper", "opensuse-leap", "suse opensuse", version \
	}

/* A minimum that is met, and one that is not; "" as packages: there is none. */
static const struct {
	CatalogueSystem system;
	const char *tool;
	const char *minimum;
	const char *packages;
	const char *vendor;
} offers[] = {
	{ DEBIAN("12"), "python", "3.11", "python3 python3-venv", NULL },
	{ DEBIAN("12"), "python", "3.12", "", NULL },
	{ DEBIAN("11"), "python", "3.11", "", NULL },
	{ DEBIAN("13"), "python", "3.12", "python3 python3-venv", NULL },
	{ DEBIAN(NULL), "python", "3.12", "python3 python3-venv", NULL },
	{ UBUNTU("20.04"), "python", "3.9", "python3.9 python3.9-venv", NULL },
	{ UBUNTU("20.04"), "python", "3.11", "", NULL },
	{ UBUNTU("22.04"), "python", NULL, "python3 python3-venv", NULL },
	{ UBUNTU("22.04"), "python", "3.11", "python3.11 python3.11-venv", NULL },
	{ UBUNTU("24.04"), "python", "3.11", "python3 python3-venv", NULL },
	{ UBUNTU("26.04"), "python", "3.12", "python3 python3-venv", NULL },
	{ { "apt", "linuxmint", "ubuntu debian", "21.3" },
	  "python",
	  "3.11",
	  "python3 python3-venv",
	  NULL },
	{ { "apt", "pop", "ubuntu debian", "22.04" },
	  "python",
	  "3.11",
	  "python3.11 python3.11-venv",
	  NULL },
	{ ROCKY("8.10"), "python", "3.11", "python3.11", NULL },
	{ ROCKY("9.4"), "python", "3.9", "python3", NULL },
	{ ROCKY("9.4"), "python", "3.11", "python3.11", NULL },
	{ ROCKY("9.4"), "python", "3.14", "", NULL },
	{ ROCKY("10.0"), "python", "3.11", "python3", NULL },
	{ { "dnf4", "rhel", "fedora", "9.4" }, "python", "3.12", "python3.12", NULL },
	{ { "dnf5", "fedora", NULL, "41" }, "python", "3.12", "python3", NULL },
	{ AMAZON("2023"), "python", "3.11", "python3.11", NULL },
	{ LEAP("15.6"), "python", "3.11", "python311", NULL },
	{ { "zypper", "opensuse-tumbleweed", "opensuse suse", "20261101" },
	  "python",
	  "3.11",
	  "python3",
	  NULL },
	{ { "pacman", "arch", NULL, NULL }, "python", "3.13", "python", NULL },
	{ { "apk", "alpine", NULL, "3.20.3" }, "python", "3.11", "python3", NULL },
	{ { "brew", "macos", NULL, "15.1" }, "python", "3.11", "python@3.13", NULL },

	{ DEBIAN("12"), "docker", "20.10", "docker.io", NULL },
	{ DEBIAN("12"), "docker", "24.0", "docker-ce docker-ce-cli containerd.io", "docker" },
	{ DEBIAN("12"), "compose", "2.24", "docker-compose-plugin", "docker" },
	{ DEBIAN("12"), "buildx", NULL, "docker-buildx-plugin", "docker" },
	{ DEBIAN("13"), "docker", "24.0", "docker.io docker-cli", NULL },
	{ DEBIAN("13"), "compose", "2.24", "docker-compose", NULL },
	{ DEBIAN("13"), "compose", "2.40", "docker-compose-plugin", "docker" },
	{ UBUNTU("20.04"), "compose", "2.24", "", NULL },
	{ UBUNTU("22.04"), "compose", "2.24", "docker-compose-plugin", "docker" },
	{ UBUNTU("22.04"), "compose", "2.20", "docker-compose-v2", NULL },
	{ UBUNTU("24.04"), "compose", "2.24", "docker-compose-v2", NULL },
	{ UBUNTU("25.10"), "compose", "2.24", "docker-compose-v2", NULL },
	{ ROCKY("9.4"), "docker", NULL, "docker-ce docker-ce-cli containerd.io", "docker" },
	{ { "dnf5", "fedora", NULL, "42" }, "docker", "24.0", "moby-engine docker-cli", NULL },
	{ { "dnf5", "fedora", NULL, "42" }, "compose", "2.24", "docker-compose", NULL },
	{ AMAZON("2023"), "docker", "24.0", "docker", NULL },
	{ AMAZON("2023"), "compose", NULL, "", NULL },
	{ LEAP("15.6"), "docker", "24.0", "docker", NULL },
	{ { "pacman", "manjaro", "arch", NULL }, "compose", "2.24", "docker-compose", NULL },
	{ { "apk", "alpine", NULL, "3.20.3" }, "compose", "2.24", "docker-cli-compose", NULL },

	{ DEBIAN("12"), "node", "20", "", NULL },
	{ DEBIAN("13"), "node", "20", "nodejs", NULL },
	{ ROCKY("9.4"), "gh", NULL, "", NULL },
	{ { "dnf5", "fedora", NULL, "41" }, "gh", NULL, "gh", NULL },
	{ { "pacman", "arch", NULL, NULL }, "gh", NULL, "github-cli", NULL },
	{ DEBIAN("12"), "rust", "1.70", "", NULL },
	{ DEBIAN("12"), "go", "1.19", "golang-go", NULL },
	{ { NULL, "nixos", NULL, "24.11" }, "git", NULL, "", NULL },
};

static char *join(const char *const *words)
{
	return words ? g_strjoinv(" ", (char **)(guintptr)words) : g_strdup("");
}

static void test_offers(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(offers); i++) {
		const CatalogueTool *tool = catalogue_find(catalogue_get(), offers[i].tool);
		CatalogueOffer offer = { 0 };
		bool is_had = catalogue_offer(catalogue_get(), tool, &offers[i].system,
		                              offers[i].minimum, &offer);
		g_autofree char *packages = join(offer.packages);

		g_test_message("%s %s: %s %s", offers[i].system.id,
		               offers[i].system.version ? offers[i].system.version : "-",
		               offers[i].tool, offers[i].minimum ? offers[i].minimum : "");
		g_assert_cmpstr(packages, ==, offers[i].packages);
		g_assert_cmpstr(offer.vendor, ==, offers[i].vendor);
		g_assert_cmpint(is_had, ==, *offers[i].packages != '\0');
	}
}

/* What is too old is told. */
static void test_best_version(void)
{
	const CatalogueTool *python = catalogue_find(catalogue_get(), "python");
	const CatalogueSystem bullseye = DEBIAN("11");
	const CatalogueSystem rocky = ROCKY("9.4");
	CatalogueOffer offer = { 0 };

	g_assert_false(catalogue_offer(catalogue_get(), python, &bullseye, "3.11", &offer));
	g_assert_cmpstr(offer.version, ==, "3.9");
	g_assert_false(catalogue_offer(catalogue_get(), python, &rocky, "3.13", &offer));
	g_assert_cmpstr(offer.version, ==, "3.12");
}

static void test_vendor(void)
{
	static const struct {
		CatalogueSystem system;
		const char *url; /* NULL: none */
		const char *suite;
		const char *fingerprint;
	} cases[] = {
		{ DEBIAN("12"), "https://download.docker.com/linux/debian", "bookworm",
		  "9DC858229FC7DD38854AE2D88D81803C0EBFCD88" },
		{ { "apt", "pop", "ubuntu debian", "22.04" },
		  "https://download.docker.com/linux/ubuntu",
		  "jammy",
		  "9DC858229FC7DD38854AE2D88D81803C0EBFCD88" },
		{ ROCKY("9.4"), "https://download.docker.com/linux/rhel/9/$basearch/stable", NULL,
		  "060A61C51B558A7F742B77AAC52FEB6B621E9F35" },
		{ AMAZON("2023"), NULL, NULL, NULL },
		{ UBUNTU("25.10"), NULL, NULL, NULL },
		{ { "pacman", "arch", NULL, NULL }, NULL, NULL, NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(CatalogueVendor) vendor =
			catalogue_vendor(catalogue_get(), "docker", &cases[i].system);

		g_assert_cmpint(vendor != NULL, ==, cases[i].url != NULL);
		if (!vendor)
			continue;
		g_assert_cmpstr(vendor->url, ==, cases[i].url);
		g_assert_cmpstr(vendor->suite, ==, cases[i].suite);
		g_assert_cmpstr(vendor->fingerprint, ==, cases[i].fingerprint);
		g_assert_true(g_str_has_prefix(vendor->key_url, "https://"));
		g_assert_null(strchr(vendor->key_url, '@'));
	}
}

/* Every system of the README gets a Python that LocalAgent can run on, or is told why not. */
static void test_systems(void)
{
	static const struct {
		CatalogueSystem system;
		const char *python;
		const char *compose;
	} cases[] = {
		{ { "apk", "alpine", NULL, "3.20.3" }, "python3", "docker-cli-compose" },
		{ { "apt", "debian", NULL, "12" },
		  "python3 python3-venv",
		  "docker-compose-plugin" },
		{ { "apt", "debian", NULL, "13" }, "python3 python3-venv", "docker-compose" },
		{ { "dnf5", "fedora", NULL, "41" }, "python3", "docker-compose" },
		{ { "apt", "ubuntu", "debian", "24.04" },
		  "python3 python3-venv",
		  "docker-compose-v2" },
		{ { "apt", "ubuntu", "debian", "22.04" }, NULL, NULL },
		{ { "brew", "macos", NULL, "15.1" }, "python@3.13", "docker-compose" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *const tools[] = { "python", "compose" };
		const char *const wanted[] = { cases[i].python, cases[i].compose };
		const char *const minima[] = { "3.11", "2.24" };

		g_test_message("%s %s", cases[i].system.id, cases[i].system.version);
		for (gsize j = 0; j < G_N_ELEMENTS(tools); j++) {
			CatalogueOffer offer = { 0 };
			bool is_had = catalogue_offer(catalogue_get(),
			                              catalogue_find(catalogue_get(), tools[j]),
			                              &cases[i].system, minima[j], &offer);
			g_autofree char *packages = join(offer.packages);

			if (wanted[j])
				g_assert_cmpstr(packages, ==, wanted[j]);
			g_assert_true(is_had || offer.version || !wanted[j]);
		}
	}
}

/* What is looked up is what is read. */
static void test_programs(void)
{
	const GPtrArray *tools = catalogue_tools(catalogue_get());
	g_auto(GStrv) none = catalogue_programs("no-such-tool");

	g_assert_cmpuint(tools->len, >, 10);
	for (guint i = 0; i < tools->len; i++) {
		const CatalogueTool *tool = g_ptr_array_index(tools, i);
		g_auto(GStrv) programs = catalogue_programs(tool->name);

		g_assert_true(g_strv_equal((const char *const *)programs,
		                           (const char *const *)tool->programs));
	}
	g_assert_cmpuint(g_strv_length(none), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/payload/catalogue/offers", test_offers);
	g_test_add_func("/payload/catalogue/best-version", test_best_version);
	g_test_add_func("/payload/catalogue/vendor", test_vendor);
	g_test_add_func("/payload/catalogue/systems", test_systems);
	g_test_add_func("/payload/catalogue/programs", test_programs);
	return g_test_run();
}
