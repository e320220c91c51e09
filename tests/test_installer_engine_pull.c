/* tests/test_installer_engine_pull.c - what the engine says while it loads an image
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "installer/engine_pull.h"

typedef struct {
	guint64 done_bytes, total_bytes;
	guint calls;
} Heard;

static void on_bytes(guint64 done_bytes, guint64 total_bytes, gpointer data)
{
	Heard *heard = data;

	g_assert_cmpuint(done_bytes, <=, total_bytes);
	heard->done_bytes = done_bytes;
	heard->total_bytes = total_bytes;
	heard->calls++;
}

/* As an engine sent them. */
static const char answer[] =
	"{\"status\":\"Pulling from tb-big\",\"id\":\"1\"}\r\n"
	"{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"aa\"}\r\n"
	"{\"status\":\"Already exists\",\"progressDetail\":{},\"id\":\"bb\"}\r\n"
	"{\"status\":\"Downloading\",\"progressDetail\":{\"current\":100,\"total\":1000},\"id\":"
	"\"aa\"}\r\n"
	"{\"status\":\"Downloading\",\"progressDetail\":{\"current\":500,\"total\":500},\"id\":"
	"\"cc\"}\r\n"
	"{\"status\":\"Verifying Checksum\",\"progressDetail\":{},\"id\":\"aa\"}\r\n"
	"{\"status\":\"Download complete\",\"progressDetail\":{},\"id\":\"aa\"}\r\n"
	"{\"status\":\"Extracting\",\"progressDetail\":{\"current\":3,\"total\":9000},\"id\":"
	"\"aa\"}\r\n"
	"{\"status\":\"Status: Downloaded newer image for tb-big:1\"}\r\n";

static void test_layers(void)
{
	/* In one piece, and byte by byte. */
	for (gsize step = sizeof(answer) - 1; step > 0; step = step > 1 ? 1 : 0) {
		Heard heard = { 0 };
		g_autoptr(EnginePull) pull = engine_pull_new(on_bytes, &heard);
		g_autoptr(GError) error = NULL;

		for (gsize i = 0; i < sizeof(answer) - 1; i += step)
			g_assert_true(engine_pull_hear(pull, answer + i, step, &error));
		g_assert_no_error(error);
		g_assert_cmpuint(heard.done_bytes, ==, 1500);
		g_assert_cmpuint(heard.total_bytes, ==, 1500);
		g_assert_cmpuint(heard.calls, ==, 3);
	}
}

static void test_failures(void)
{
	static const struct {
		const char *answer, *words;
		int status;
	} cases[] = {
		{ "{\"errorDetail\":{\"message\":\"x\"},\"error\":\"manifest unknown\"}\n",
		  "manifest unknown", STATUS_UNAVAILABLE },
		{ "[]\n", "no JSON object", STATUS_DATA },
		{ "<html>\n", "no JSON object", STATUS_DATA },
		{ "{\"error\":\"\xff\xfe\"}\n", "no JSON object", STATUS_DATA },
	};
	g_autofree char *endless = g_strnfill(100 * 1024, 'x');

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(EnginePull) pull = engine_pull_new(NULL, NULL);
		g_autoptr(GError) error = NULL;

		g_assert_false(
			engine_pull_hear(pull, cases[i].answer, strlen(cases[i].answer), &error));
		g_assert_error(error, FAULT, cases[i].status);
		g_assert_nonnull(strstr(error->message, cases[i].words));
	}

	g_autoptr(EnginePull) pull = engine_pull_new(NULL, NULL);
	g_autoptr(GError) error = NULL;
	g_assert_false(engine_pull_hear(pull, endless, strlen(endless), &error));
	g_assert_error(error, FAULT, STATUS_DATA);
}

/* Figures that no engine sends. */
static void test_figures(void)
{
	static const char odd[] =
		"{\"status\":\"Downloading\",\"progressDetail\":{\"current\":-5,\"total\":"
		"9223372036854775807},\"id\":\"a\"}\n"
		"{\"status\":\"Downloading\",\"progressDetail\":{\"current\":9223372036854775807,"
		"\"total\":-1},\"id\":\"a\"}\n"
		"{\"status\":\"Downloading\",\"progressDetail\":[],\"id\":\"b\"}\n"
		"{\"status\":\"Downloading\",\"id\":7}\n\n";
	Heard heard = { 0 };
	g_autoptr(EnginePull) pull = engine_pull_new(on_bytes, &heard);
	g_autoptr(GError) error = NULL;

	g_assert_true(engine_pull_hear(pull, odd, sizeof(odd) - 1, &error));
	g_assert_cmpuint(heard.done_bytes, ==, heard.total_bytes);
}

static void test_names(void)
{
	static const char *const names[][2] = {
		{ "redis:7.2-alpine", "fromImage=redis&tag=7.2-alpine" },
		{ "redis", "fromImage=redis&tag=latest" },
		{ "127.0.0.1:5000/a/b:1", "fromImage=127.0.0.1%3A5000%2Fa%2Fb&tag=1" },
		{ "127.0.0.1:5000/a", "fromImage=127.0.0.1%3A5000%2Fa&tag=latest" },
		{ "a/b:1@sha256:00", "fromImage=a%2Fb&tag=sha256%3A00" },
		{ "reg:5/b@sha256:00", "fromImage=reg%3A5%2Fb&tag=sha256%3A00" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = engine_pull_path(names[i][0]);
		g_autofree char *wanted = g_strconcat("/images/create?", names[i][1], NULL);
		g_assert_cmpstr(path, ==, wanted);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pull/layers", test_layers);
	g_test_add_func("/pull/failures", test_failures);
	g_test_add_func("/pull/figures", test_figures);
	g_test_add_func("/pull/names", test_names);
	return g_test_run();
}
