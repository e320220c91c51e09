/* tests/test_checks_flavour.c - whose engine it is, and what is to be done about it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_remedy.h"

/** What is known, and whose engine that is. */
typedef struct {
	const char *path;
	const char *system, *product, *endpoint, *source, *container, *root_dir;
	guint64 wsl;
	Fact is_here;
	Flavour flavour;
} Whose;

#define SOCKET "unix:///var/run/docker.sock"

static const Whose whose[] = {
	{ "nothing-known", "Linux", NULL, NULL, NULL, NULL, NULL, 0, FACT_UNKNOWN, FLAVOUR_ENGINE },
	{ "debian", "Linux", "Debian GNU/Linux 12", SOCKET, "default", NULL, "/var/lib/docker", 0,
	  FACT_YES, FLAVOUR_ENGINE },
	{ "snap", "Linux", "Ubuntu Core 22", SOCKET, "default", NULL,
	  "/var/snap/docker/common/var-lib-docker", 0, FACT_YES, FLAVOUR_SNAP },
	{ "desktop-mac", "Darwin", "Docker Desktop", SOCKET, "default", NULL, NULL, 0, FACT_NO,
	  FLAVOUR_DESKTOP_MACOS },
	{ "desktop-mac-down", "Darwin", NULL, "unix:///Users/ana/.docker/run/docker.sock",
	  "context desktop-linux", NULL, NULL, 0, FACT_NO, FLAVOUR_DESKTOP_MACOS },
	{ "desktop-linux", "Linux", NULL, "unix:///home/ana/.docker/desktop/docker.sock", "found",
	  NULL, NULL, 0, FACT_YES, FLAVOUR_DESKTOP_LINUX },
	{ "desktop-wsl", "Linux", "Docker Desktop", SOCKET, "default", NULL, NULL, 2, FACT_YES,
	  FLAVOUR_DESKTOP_WINDOWS },
	{ "colima", "Darwin", "Ubuntu 24.04.1 LTS", "unix:///Users/ana/.colima/default/docker.sock",
	  "context colima", NULL, NULL, 0, FACT_NO, FLAVOUR_COLIMA },
	{ "colima-other-profile", "Darwin", "Ubuntu 24.04.1 LTS", "unix:///tmp/x.sock",
	  "context colima-big", NULL, NULL, 0, FACT_NO, FLAVOUR_COLIMA },
	{ "orbstack", "Darwin", "OrbStack", SOCKET, "default", NULL, NULL, 0, FACT_NO,
	  FLAVOUR_ORBSTACK },
	{ "rancher", "Darwin", "Rancher Desktop WSL Distribution", SOCKET, "default", NULL, NULL, 0,
	  FACT_NO, FLAVOUR_RANCHER },
	{ "lima", "Darwin", "Ubuntu 24.04", "unix:///Users/ana/.lima/docker/sock/docker.sock",
	  "context lima-docker", NULL, NULL, 0, FACT_NO, FLAVOUR_LIMA },
	{ "podman", "Linux", "fedora", "unix:///run/user/1000/podman/podman.sock", "DOCKER_HOST",
	  NULL, NULL, 0, FACT_YES, FLAVOUR_PODMAN },
	{ "socket-of-the-host", "Linux", "Debian GNU/Linux 12", SOCKET, "default", "docker",
	  "/var/lib/docker", 0, FACT_NO, FLAVOUR_OUTSIDE },
	{ "engine-in-container", "Linux", "Alpine Linux v3.20", SOCKET, "default", "docker",
	  "/var/lib/docker", 0, FACT_YES, FLAVOUR_ENGINE },
};

static Facts *make_facts(const Whose *c)
{
	Facts *facts = facts_new();

	facts->system.name = g_strdup(c->system);
	facts->system.container = g_strdup(c->container);
	facts->system.wsl = c->wsl;
	facts->engine.state = c->product != NULL ? ENGINE_OK : ENGINE_REFUSED;
	facts->engine.product = g_strdup(c->product);
	facts->engine.endpoint = g_strdup(c->endpoint);
	facts->engine.endpoint_source = g_strdup(c->source);
	facts->engine.root_dir = g_strdup(c->root_dir);
	facts->engine.is_here = c->is_here;
	return facts;
}

static void test_flavour(gconstpointer data)
{
	const Whose *c = data;
	g_autoptr(Facts) facts = make_facts(c);

	g_assert_cmpstr(flavour_name(facts_flavour(facts)), ==, flavour_name(c->flavour));
}

/* Each kind of engine has an answer to everything, and none says "@". */
static void test_remedies(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(whose); i++) {
		g_autoptr(Facts) facts = make_facts(&whose[i]);
		g_autofree char *start = remedy_start(facts);
		g_autofree char *daemon = remedy_daemon(facts, "\"mtu\": 1400");
		g_autofree char *update = remedy_update(facts);

		g_assert_true(g_str_has_suffix(start, "."));
		g_assert_nonnull(strstr(daemon, "\"mtu\": 1400"));
		g_assert_true(g_str_has_suffix(update, "."));
		for (EngineSize size = ENGINE_MEMORY; size <= ENGINE_SWAP; size++) {
			g_autofree char *text = remedy_size(facts, size, 12345678901);

			g_assert_true(text == NULL || strchr(text, '@') == NULL);
			g_assert_true(text != NULL || size != ENGINE_MEMORY ||
			              !flavour_is_machine(whose[i].flavour));
		}
	}
}

/* 12,345,678,901 bytes are 11.5 GiB: what is set has to suffice. */
static void test_units(void)
{
	static const struct {
		const char *product, *endpoint, *part;
	} cases[] = {
		{ "Docker Desktop", "unix:///var/run/docker.sock", "at least 12 GB" },
		{ "OrbStack", "unix:///var/run/docker.sock", "memory_mib 11774" },
		{ "Ubuntu", "unix:///Users/ana/.colima/default/docker.sock",
		  "colima start --memory 12" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Facts) facts = facts_new();
		g_autofree char *text = NULL;

		facts->system.name = g_strdup("Darwin");
		facts->system.wsl = 0;
		facts->engine.product = g_strdup(cases[i].product);
		facts->engine.endpoint = g_strdup(cases[i].endpoint);
		text = remedy_size(facts, ENGINE_MEMORY, 12345678901);
		g_assert_nonnull(strstr(text, cases[i].part));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(whose); i++) {
		g_autofree char *path = g_strconcat("/flavour/", whose[i].path, NULL);

		g_test_add_data_func(path, &whose[i], test_flavour);
	}
	g_test_add_func("/remedy/each", test_remedies);
	g_test_add_func("/remedy/units", test_units);
	return g_test_run();
}
