/* installer/sums.c - lists of digests, as sha256sum(1) writes them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/sums.h"

#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/http.h"
#include "installer/recipe.h"

#define SUMS_MAX_BYTES ((gsize)1024 * 1024)

/* One line of a sums file: "DIGEST  NAME", "DIGEST *NAME", "DIGEST  ./NAME". */
static char *digest_of_line(const char *line, const char *name)
{
	g_autofree char *digest = g_strndup(line, FILE_DIGEST_LENGTH);

	if (!file_is_digest(digest) || line[FILE_DIGEST_LENGTH] != ' ')
		return NULL;

	const char *rest = line + FILE_DIGEST_LENGTH;
	rest += strspn(rest, " ");
	rest += *rest == '*';
	if (g_str_has_prefix(rest, "./"))
		rest += 2;
	return g_str_equal(rest, name) ? g_steal_pointer(&digest) : NULL;
}

static char *find_digest(GBytes *sums, const char *name, GError **error)
{
	g_autofree char *text = recipe_text(sums);
	g_auto(GStrv) lines = g_strsplit_set(text, "\r\n", -1);

	for (char **line = lines; *line; line++) {
		char *digest =
			strlen(*line) > FILE_DIGEST_LENGTH ? digest_of_line(*line, name) : NULL;
		if (digest)
			return digest;
	}

	fault_set(error, STATUS_UNTRUSTED, NULL, "the list of digests does not name %s", name);
	return NULL;
}

typedef struct {
	const char *name;
	char *digest;
} Search;

static bool search(const char *place, gpointer data, GError **error)
{
	const char *const only[] = { place, NULL };
	Search *wanted = data;
	g_autoptr(GBytes) bytes = http_get_from_places(only, SUMS_MAX_BYTES, error);

	wanted->digest = bytes ? find_digest(bytes, wanted->name, error) : NULL;
	return wanted->digest != NULL;
}

char *sums_digest(const char *const *places, const char *name, GError **error)
{
	Search wanted = { .name = name };

	return http_from_places(places, search, &wanted, error) ? wanted.digest : NULL;
}
