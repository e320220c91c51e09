/* installer/ollama_find.c - is there an Ollama of somebody else's
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/ollama_find.h"

#include "base/file.h"
#include "base/process.h"
#include "installer/ollama_api.h"
#include "installer/tools.h"

#define ASK_TIMEOUT_MS 2000
#define PROGRAM_TIMEOUT_MS 10000

/* "~": the home directory. */
static const char *const place_table[] = {
	"/usr/local/bin/ollama",
	"/usr/bin/ollama",
	"/bin/ollama",
	"/opt/ollama/bin/ollama",
	"/snap/bin/ollama",
	"/opt/homebrew/bin/ollama",
	"/home/linuxbrew/.linuxbrew/bin/ollama",
	"~/.local/bin/ollama",
	"/etc/systemd/system/ollama.service",
	"/usr/lib/systemd/system/ollama.service",
	"/lib/systemd/system/ollama.service",
	"/etc/init.d/ollama",
	"/Applications/Ollama.app",
};

char *ollama_find_installed(const char *root)
{
	for (gsize i = 0; i < G_N_ELEMENTS(place_table); i++) {
		bool is_home = place_table[i][0] == '~';
		g_autofree char *path =
			g_strconcat(root ? root : "", is_home ? g_get_home_dir() : "",
		                    place_table[i] + is_home, NULL);
		if (g_file_test(path, G_FILE_TEST_EXISTS))
			return g_steal_pointer(&path);
	}

	return NULL;
}

void ollama_found_clear(OllamaFound *found)
{
	g_free(found->where);
	g_free(found->version);
}

static bool answers(const char *url, OllamaFound *found)
{
	found->version = url ? ollama_ask_version(url, ASK_TIMEOUT_MS, NULL) : NULL;
	if (found->version)
		found->where = g_strdup(url);
	return found->version != NULL;
}

/* The program prints a warning and its own version where no server runs. */
static char *version_of(const char *program)
{
	const char *const argv[] = { program, "--version", NULL };
	ProcessSpec spec = { .argv = argv, .timeout_ms = PROGRAM_TIMEOUT_MS };
	g_autofree char *out = process_capture(&spec, NULL);

	return out ? tools_find_version(out) : NULL;
}

bool ollama_find(const char *url, OllamaFound *found)
{
	const char *host = g_getenv("OLLAMA_HOST");
	g_autofree char *named = host && *host ? ollama_url(host, NULL) : NULL;

	if (answers(named, found) || answers(url, found))
		return true;

	g_autofree char *program = process_find("ollama");
	found->where = ollama_find_installed(NULL);
	found->version = program ? version_of(program) : NULL;
	return found->where != NULL;
}
