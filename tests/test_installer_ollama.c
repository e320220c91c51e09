/* tests/test_installer_ollama.c - releases, hosts, models and the answer to a pull, without an Ollama
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/json.h"
#include "installer/ollama_api.h"
#include "installer/ollama_find.h"
#include "installer/ollama_release.h"
#include "tests/installer_fixture.h"

#define GIB ((guint64)1 << 30)

/* The names as "NAME>INTO:FORM", space between. */
static char *assets_of(const char *version, const OllamaMachine *machine, GError **error)
{
	g_autoptr(json_t) assets = ollama_assets(version, machine, error);
	g_autoptr(GString) text = g_string_new(NULL);
	gsize i = 0;
	json_t *asset = NULL;

	json_array_foreach(assets, i, asset)
		g_string_append_printf(text, "%s%s>%s:%s", i ? " " : "", json_text(asset, "name"),
	                               json_text(asset, "into"), json_text(asset, "form"));
	return assets ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

static void test_assets(void)
{
	static const OllamaMachine intel = { .system = "linux", .architecture = "amd64" };
	static const OllamaMachine amd = { .system = "linux",
		                           .architecture = "amd64",
		                           .has_amd = true };
	static const OllamaMachine arm = { .system = "linux", .architecture = "arm64" };
	static const OllamaMachine arm_amd = { .system = "linux",
		                               .architecture = "arm64",
		                               .has_amd = true };
	static const OllamaMachine orin = { .system = "linux",
		                            .architecture = "arm64",
		                            .jetpack = 6 };
	static const OllamaMachine xavier = { .system = "linux",
		                              .architecture = "arm64",
		                              .jetpack = 5 };
	static const OllamaMachine mac = { .system = "darwin", .architecture = "arm64" };
	static const struct {
		const char *version;
		const OllamaMachine *machine;
		const char *expected;
	} rows[] = {
		/* One program. */
		{ "0.1.29", &intel, "ollama-linux-amd64>bin:program" },
		{ "0.3.6", &arm, "ollama-linux-arm64>bin:program" },
		{ "0.3.6", &amd, "ollama-linux-amd64>bin:program" },
		{ "0.5.7", &mac, "ollama-darwin>bin:program" },
		/* gzip */
		{ "0.3.7", &intel, "ollama-linux-amd64.tgz>:archive" },
		{ "0.3.7", &amd,
		  "ollama-linux-amd64.tgz>:archive ollama-linux-amd64-rocm.tgz>:archive" },
		{ "0.3.7", &orin, "ollama-linux-arm64.tgz>:archive" },
		{ "0.5.8", &orin,
		  "ollama-linux-arm64.tgz>:archive ollama-linux-arm64-jetpack6.tgz>:archive" },
		{ "0.9.6", &xavier,
		  "ollama-linux-arm64.tgz>:archive ollama-linux-arm64-jetpack5.tgz>:archive" },
		{ "0.13.5", &arm, "ollama-linux-arm64.tgz>:archive" },
		{ "0.13.5", &arm_amd, "ollama-linux-arm64.tgz>:archive" },
		{ "0.5.8", &mac, "ollama-darwin.tgz>bin:archive" },
		/* zstd */
		{ "0.14.0", &intel, "ollama-linux-amd64.tar.zst>:archive" },
		{ "0.33.2", &intel, "ollama-linux-amd64.tar.zst>:archive" },
		{ "0.33.2", &amd,
		  "ollama-linux-amd64.tar.zst>:archive ollama-linux-amd64-rocm.tar.zst>:archive" },
		{ "0.33.2", &arm, "ollama-linux-arm64.tar.zst>:archive" },
		{ "0.33.2", &orin,
		  "ollama-linux-arm64.tar.zst>:archive "
		  "ollama-linux-arm64-jetpack6.tar.zst>:archive" },
		{ "0.33.2", &mac, "ollama-darwin.tgz>bin:archive" },
		{ "1.0.0", &intel, "ollama-linux-amd64.tar.zst>:archive" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *found = assets_of(rows[i].version, rows[i].machine, &error);
		g_assert_no_error(error);
		g_assert_cmpstr(found, ==, rows[i].expected);
	}
}

static void test_no_release(void)
{
	static const OllamaMachine good = { .system = "linux", .architecture = "amd64" };
	static const OllamaMachine musl = { .system = "linux",
		                            .architecture = "amd64",
		                            .is_musl = true };
	static const OllamaMachine riscv = { .system = "linux" };
	static const OllamaMachine bsd = { .architecture = "amd64" };
	static const struct {
		const char *version;
		const OllamaMachine *machine;
		int status;
	} rows[] = {
		{ "0.33.2", &musl, STATUS_UNAVAILABLE }, { "0.33.2", &riscv, STATUS_UNAVAILABLE },
		{ "0.33.2", &bsd, STATUS_UNAVAILABLE },  { "", &good, STATUS_CONFIG },
		{ "v0.33.2", &good, STATUS_CONFIG },     { "latest", &good, STATUS_CONFIG },
		{ "0..2", &good, STATUS_CONFIG },        { "0.1/../..", &good, STATUS_CONFIG },
		{ "33", &good, STATUS_CONFIG },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *found = assets_of(rows[i].version, rows[i].machine, &error);
		g_assert_null(found);
		g_assert_error(error, FAULT, rows[i].status);
	}
}

static Facts *facts_of(const char *text)
{
	g_autofree char *quoted = g_strdelimit(g_strdup(text), "'", '"');
	g_autoptr(GBytes) bytes = g_bytes_new(quoted, strlen(quoted));
	g_autoptr(json_t) object = json_parse_bytes(bytes, text, NULL);
	Facts *facts = facts_from_json(object, NULL);

	g_assert_nonnull(facts);
	return facts;
}

static void test_machine(Fixture *fixture G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Facts) plain = facts_of(
		"{'schema':1,'system':{'name':'Linux','architecture':'x86_64','library':'glibc'},"
		"'memory':{'total_bytes':8589934592},'gpu':{'has_kfd':false,'jetpack':0}}");
	g_autoptr(Facts) full = facts_of(
		"{'schema':1,'system':{'name':'Linux','architecture':'x86_64','library':'musl'},"
		"'gpu':{'has_kfd':true,'jetpack':6,'nvidia_driver':'580.1'},'cards':[{'vendor':'"
		"amd',"
		"'memory_bytes':536870912},{'vendor':'nvidia','memory_bytes':25753026560}]}");
	g_autoptr(Facts) nothing = facts_new();
	OllamaMachine machine = { 0 };

	ollama_machine_read(plain, &machine);
	g_assert_cmpstr(machine.system, ==, "linux");
	g_assert_cmpstr(machine.architecture, ==, "amd64");
	g_assert_true(machine.memory_bytes == 8 * GIB);
	g_assert_false(machine.has_amd || machine.has_nvidia || machine.is_musl || machine.jetpack);
	g_assert_true(machine.video_bytes == 0);

	ollama_machine_read(full, &machine);
	g_assert_true(machine.has_amd && machine.has_nvidia && machine.is_musl);
	g_assert_cmpuint(machine.jetpack, ==, 6);
	g_assert_cmpuint(machine.memory_bytes, ==, 0);
	g_assert_cmpuint(machine.video_bytes, ==, G_GUINT64_CONSTANT(25753026560));

	ollama_machine_read(nothing, &machine);
	g_assert_null(machine.system);
	g_assert_false(machine.has_amd || machine.has_nvidia || machine.is_musl || machine.jetpack);
	g_assert_true(machine.video_bytes == 0);
}

static void test_installed(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const places[] = { "usr/local/bin/ollama", "usr/bin/ollama",
		                              "etc/systemd/system/ollama.service",
		                              "Applications/Ollama.app/Contents" };

	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *before = ollama_find_installed(fixture->home);
		g_assert_null(before);
		put(fixture, places[i], "");
		g_autofree char *path = at(fixture, places[i]);
		g_autofree char *found = ollama_find_installed(fixture->home);
		g_assert_nonnull(found);
		g_assert_true(g_str_has_prefix(path, found));
		g_assert_cmpint(unlink(path), ==, 0);
		if (g_str_has_suffix(path, "Contents")) {
			g_autofree char *app = g_path_get_dirname(path);
			g_assert_cmpint(rmdir(app), ==, 0);
		}
	}
}

static void test_host(void)
{
	static const struct {
		const char *host, *url;
	} rows[] = {
		{ "127.0.0.1:11434", "http://127.0.0.1:11434" },
		{ "127.0.0.1", "http://127.0.0.1:11434" },
		{ "localhost:8080", "http://localhost:8080" },
		{ "0.0.0.0", "http://127.0.0.1:11434" },
		{ "0.0.0.0:99", "http://127.0.0.1:99" },
		{ ":5000", "http://127.0.0.1:5000" },
		{ "[::]:5000", "http://[::1]:5000" },
		{ "[::1]", "http://[::1]:11434" },
		{ "http://gpu.lan", "http://gpu.lan:80" },
		{ "https://gpu.lan", "https://gpu.lan:443" },
		{ "https://gpu.lan:8443/ollama/", "https://gpu.lan:8443" },
		{ " \"127.0.0.1:1\" ", "http://127.0.0.1:1" },
		{ "'localhost'", "http://localhost:11434" },
		{ "host:0", NULL },
		{ "host:65536", NULL },
		{ "host:port", NULL },
		{ "user@host", NULL },
		{ "a b", NULL },
		{ "ftp://host", NULL },
		{ "[::1", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *url = ollama_url(rows[i].host, &error);
		g_assert_cmpstr(url, ==, rows[i].url);
		if (!rows[i].url)
			g_assert_error(error, FAULT, STATUS_CONFIG);
	}
}

static void test_manifest_url(void)
{
	static const struct {
		const char *model, *url;
	} rows[] = {
		{ "llama3.2:3b", "https://r/v2/library/llama3.2/manifests/3b" },
		{ "llama3.2", "https://r/v2/library/llama3.2/manifests/latest" },
		{ "someone/model:q4_K_M", "https://r/v2/someone/model/manifests/q4_K_M" },
		{ "hf.co/a/b-GGUF:Q4", "https://hf.co/v2/a/b-GGUF/manifests/Q4" },
		{ "localhost:5000/a/b", "https://localhost:5000/v2/a/b/manifests/latest" },
		{ "", NULL },
		{ ":3b", NULL },
		{ "a:", NULL },
		{ "../../etc/passwd", NULL },
		{ "a/../b", NULL },
		{ "a b", NULL },
		{ "a?b", NULL },
		{ "a//b", NULL },
		{ "user@host.org/a/b", NULL },
		{ "a/b/c/d", NULL },
		{ "-x", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *url = ollama_manifest_url("https://r/", rows[i].model, &error);
		g_assert_cmpstr(url, ==, rows[i].url);
		if (!rows[i].url)
			g_assert_error(error, FAULT, STATUS_CONFIG);
	}
	g_autofree char *bare = ollama_model_name("llama3.2");
	g_autofree char *tagged = ollama_model_name("h:1/a/b:c");
	g_assert_cmpstr(bare, ==, "llama3.2:latest");
	g_assert_cmpstr(tagged, ==, "h:1/a/b:c");
}

static void test_manifest_size(void)
{
	static const struct {
		const char *text;
		guint64 size_bytes; /* 0: DATA */
	} rows[] = {
		{ "{\"layers\":[{\"size\":5},{\"size\":7}],\"config\":{\"size\":3}}", 15 },
		{ "{\"layers\":[{\"size\":5}]}", 5 },
		{ "{\"layers\":[]}", 0 },
		{ "{}", 0 },
		{ "[]", 0 },
		{ "", 0 },
		{ "<html>", 0 },
		{ "{\"layers\":[{\"size\":-5}]}", 0 },
		{ "{\"layers\":[{\"size\":\"5\"}]}", 0 },
		{ "{\"layers\":[{\"size\":1.5}]}", 0 },
		{ "{\"layers\":[{}]}", 0 },
		{ "{\"layers\":[{\"size\":9223372036854775807},{\"size\":1}]}", 0 },
		{ "{\"layers\":[{\"size\":9223372036854775808}]}", 0 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GBytes) bytes = g_bytes_new_static(rows[i].text, strlen(rows[i].text));
		g_autoptr(GError) error = NULL;
		guint64 size_bytes = 0;
		bool is_good = ollama_manifest_size(bytes, &size_bytes, &error);
		g_assert_cmpuint(size_bytes, ==, rows[i].size_bytes);
		g_assert_true(is_good == (rows[i].size_bytes > 0));
		if (!is_good)
			g_assert_error(error, FAULT, STATUS_DATA);
	}
}

static void test_fit(void)
{
	static const struct {
		guint64 size, disk, memory, video; /* GiB */
		OllamaFit expected;
	} rows[] = {
		{ 2, 100, 8, 0, OLLAMA_FITS },      { 2, 2, 8, 0, OLLAMA_NO_DISK },
		{ 2, 3, 8, 0, OLLAMA_FITS },        { 2, 0, 8, 0, OLLAMA_FITS },
		{ 2, 100, 2, 0, OLLAMA_NO_MEMORY }, { 2, 100, 3, 0, OLLAMA_FITS },
		{ 20, 100, 8, 24, OLLAMA_FITS },    { 20, 100, 8, 12, OLLAMA_NO_MEMORY },
		{ 20, 100, 16, 12, OLLAMA_SPLITS }, { 20, 10, 64, 24, OLLAMA_NO_DISK },
		{ 40, 1000, 0, 0, OLLAMA_FITS }, /* nothing known: nothing said */
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		OllamaRoom room = { rows[i].size * GIB, rows[i].disk * GIB, rows[i].memory * GIB,
			            rows[i].video * GIB };
		g_autofree char *phrase = ollama_fit_phrase(&room);
		g_assert_cmpint(ollama_judge(&room), ==, rows[i].expected);
		g_assert_true((phrase == NULL) == (rows[i].expected == OLLAMA_FITS));
	}
}

#define HEAD "{\"status\":\"pulling manifest\"}\n"
#define DONE "{\"status\":\"success\"}\n"

static void test_pull(void)
{
	static const struct {
		const char *text;
		int status; /* of hearing */
		bool is_done;
		guint64 done, total;
	} rows[] = {
		{ HEAD DONE, STATUS_OK, true, 0, 0 },
		{ HEAD "{\"status\":\"success\"}", STATUS_OK, true, 0, 0 },
		{ HEAD, STATUS_OK, false, 0, 0 },
		{ "", STATUS_OK, false, 0, 0 },
		{ "\r\n\n \n" HEAD "\r\n" DONE, STATUS_OK, true, 0, 0 },
		{ HEAD "{\"status\":\"p\",\"digest\":\"a\",\"total\":10}\n", STATUS_OK, false, 0,
		  10 },
		{ "{\"digest\":\"a\",\"total\":10,\"completed\":4}\n"
		  "{\"digest\":\"b\",\"total\":5,\"completed\":5}\n"
		  "{\"digest\":\"a\",\"total\":10,\"completed\":10}\n" DONE,
		  STATUS_OK, true, 15, 15 },
		/* A layer begins anew; numbers out of range. */
		{ "{\"digest\":\"a\",\"total\":10,\"completed\":9}\n{\"digest\":\"a\",\"total\":10}"
		  "\n",
		  STATUS_OK, false, 0, 10 },
		{ "{\"digest\":\"a\",\"total\":10,\"completed\":99}\n", STATUS_OK, false, 10, 10 },
		{ "{\"digest\":\"a\",\"total\":-10,\"completed\":-1}\n", STATUS_OK, false, 0, 0 },
		{ "{\"digest\":\"a\",\"total\":\"10\"}\n", STATUS_OK, false, 0, 0 },
		{ "{\"digest\":7,\"total\":10}\n", STATUS_OK, false, 0, 0 },
		{ "{\"digest\":\"a\",\"total\":9223372036854775807,\"completed\":"
		  "9223372036854775807}\n"
		  "{\"digest\":\"b\",\"total\":9223372036854775807,\"completed\":1}\n",
		  STATUS_OK, false, (G_GUINT64_CONSTANT(1) << 46) + 1,
		  G_GUINT64_CONSTANT(1) << 47 },
		/* "success" has to be the last word, and the status. */
		{ DONE HEAD, STATUS_OK, false, 0, 0 },
		{ "{\"status\":\"SUCCESS\"}\n", STATUS_OK, false, 0, 0 },
		{ "{\"text\":\"success\"}\n", STATUS_OK, false, 0, 0 },
		{ "{\"status\":[\"success\"]}\n", STATUS_OK, false, 0, 0 },
		/* Errors in mid-stream, with HTTP status 200. */
		{ HEAD "{\"error\":\"pull model manifest: file does not exist\"}\n",
		  STATUS_UNAVAILABLE, false, 0, 0 },
		{ HEAD "{\"error\":\"digest mismatch, file must be downloaded again: want a, got "
		       "b\"}\n",
		  STATUS_UNTRUSTED, false, 0, 0 },
		{ "{\"error\":{\"code\":5}}\n", STATUS_UNAVAILABLE, false, 0, 0 },
		{ "{\"error\":null,\"status\":\"success\"}\n", STATUS_OK, true, 0, 0 },
		{ "{\"error\":\"\\u001b[2J\\u0000\"}\n", STATUS_DATA, false, 0, 0 },
		/* No such answer. */
		{ "success\n", STATUS_DATA, false, 0, 0 },
		{ "[]\n", STATUS_DATA, false, 0, 0 },
		{ "{\"status\":\"a\"}{\"status\":\"b\"}\n", STATUS_DATA, false, 0, 0 },
		{ "{\"status\":\n", STATUS_DATA, false, 0, 0 },
		{ "<html><body>login</body></html>\n", STATUS_DATA, false, 0, 0 },
		{ "\"\xff\xfe\"\n", STATUS_DATA, false, 0, 0 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		for (gsize piece = 1; piece <= 64; piece *= 8) {
			g_autoptr(OllamaPull) pull = ollama_pull_new();
			g_autoptr(GError) error = NULL;
			gsize length = strlen(rows[i].text);
			guint64 done = 0;
			guint64 total = 0;
			bool is_good = true;

			for (gsize at = 0; is_good && at < length; at += piece)
				is_good = ollama_pull_hear(pull, rows[i].text + at,
				                           MIN(piece, length - at), &error);
			is_good = is_good && ollama_pull_hear(pull, "\n", 1, &error);
			g_assert_cmpint(is_good ? STATUS_OK : (int)fault_status(error), ==,
			                rows[i].status);
			if (!is_good)
				continue;
			ollama_pull_progress(pull, &done, &total);
			g_assert_true(ollama_pull_is_done(pull) == rows[i].is_done);
			g_assert_cmpuint(done, ==, rows[i].done);
			g_assert_cmpuint(total, ==, rows[i].total);
		}
}

static void test_pull_without_end(void)
{
	g_autoptr(OllamaPull) endless = ollama_pull_new();
	g_autoptr(OllamaPull) layered = ollama_pull_new();
	g_autoptr(OllamaPull) binary = ollama_pull_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *block = g_strnfill(4096, ' ');
	gsize heard = 0;
	bool is_good = true;

	while (ollama_pull_hear(endless, block, 4096, &error))
		g_assert_cmpuint(heard += 4096, <, 1 << 20);
	g_assert_error(error, FAULT, STATUS_DATA);
	g_clear_error(&error);

	g_assert_false(ollama_pull_hear(binary, "{}\0\n", 4, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
	g_clear_error(&error);

	for (guint i = 0; is_good && i <= 100000; i++) {
		g_autofree char *line =
			g_strdup_printf("{\"digest\":\"%u\",\"total\":9223372036854775807}\n", i);
		is_good = ollama_pull_hear(layered, line, strlen(line), &error);
	}
	g_assert_error(error, FAULT, STATUS_DATA);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ollama/assets", test_assets);
	g_test_add_func("/ollama/no-release", test_no_release);
	add("/ollama/machine", test_machine);
	add("/ollama/installed", test_installed);
	g_test_add_func("/ollama/host", test_host);
	g_test_add_func("/ollama/manifest-url", test_manifest_url);
	g_test_add_func("/ollama/manifest-size", test_manifest_size);
	g_test_add_func("/ollama/fit", test_fit);
	g_test_add_func("/ollama/pull", test_pull);
	g_test_add_func("/ollama/pull-without-end", test_pull_without_end);
	return g_test_run();
}
