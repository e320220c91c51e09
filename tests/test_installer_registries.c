/* tests/test_installer_registries.c - where a compose file's images come from
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/registries.h"

typedef struct {
	const char *path, *text;
	const char *hosts; /* space between */
} Case;

#define HUB "registry-1.docker.io"

static const Case cases[] = {
	{ "nothing", "", "" },
	{ "plain", "services:\n  redis:\n    image: redis:7.4\n", HUB },
	{ "user", "services:\n  a:\n    image: grafana/grafana:11\n", HUB },
	{ "other", "services:\n  a:\n    image: ghcr.io/x/y:1\n", "ghcr.io" },
	{ "port", "services:\n  a:\n    image: mirror:5000/x\n", "mirror:5000" },
	{ "default", "services:\n  a:\n    image: ${A:-quay.io/x/y:1}\n", "quay.io" },
	{ "variable", "services:\n  a:\n    image: ${A}\n  b:\n    image: $B\n", "" },
	{ "quoted", "services:\n  a:\n    image: \"ghcr.io/x/y\"\r\n", "ghcr.io" },
	{ "once", "services:\n  a:\n    image: redis\n  b:\n    image: postgres\n", HUB },
	{ "several", "services:\n  a:\n    image: redis\n  b:\n    image: ghcr.io/x\n",
	  HUB " ghcr.io" },
	{ "built-after",
	  "services:\n  a:\n    image: own:1\n    build:\n      context: .\n  b:\n    image: "
	  "ghcr.io/x\n",
	  "ghcr.io" },
	{ "built-before",
	  "services:\n  a:\n    build: .\n    image: own:1\n  b:\n    image: ghcr.io/x\n",
	  "ghcr.io" },
	{ "image-below-build",
	  "services:\n  a:\n    build:\n      context: .\n      args:\n        X: 1\n    image: "
	  "own:1\n",
	  "" },
	{ "comment", "services:\n  a:\n    # image: ghcr.io/x\n", "" },
	{ "blank-lines", "services:\n  a:\n    image: ghcr.io/x\n\n# build: no\n\n    build: .\n",
	  "" },
};

static void test_case(gconstpointer data)
{
	const Case *c = data;
	g_auto(GStrv) hosts = registries_of_compose(c->text);
	g_autofree char *list = g_strjoinv(" ", hosts);

	g_assert_cmpstr(list, ==, c->hosts);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/registries/", cases[i].path, NULL);

		g_test_add_data_func(path, &cases[i], test_case);
	}
	return g_test_run();
}
