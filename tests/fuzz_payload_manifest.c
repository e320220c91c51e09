/* tests/fuzz_payload_manifest.c - manifests, roots and signatures are input from outside
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "payload/release.h"
#include "payload/trust.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes);

static void try_release(GBytes *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Release) release = release_parse(text, "fuzz", &error);

	g_assert(!release == !!error);
	if (!release)
		return;
	g_assert(release_is_version(release->version));
	g_assert(release_compare_versions(release->version, release->version) == 0);
	for (guint i = 0; i < release->artifacts->len; i++) {
		const ReleaseArtifact *artifact = release->artifacts->pdata[i];

		g_assert(artifact->path[0] != '/' && !g_strrstr(artifact->path, ".."));
		g_assert(artifact->size_bytes <= RELEASE_MAX_ARTIFACT_BYTES);
	}
}

static void try_root(GBytes *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(TrustRoot) root = trust_parse(text, "fuzz", &error);

	g_assert(!root == !!error);
	g_assert(!root || root->version == 0 || root->threshold >= 1);
}

static void try_signatures(GBytes *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) signatures = signature_parse(text, "fuzz", &error);

	g_assert(!signatures == !!error);
	g_assert(!signatures || signatures->len <= SIGNATURE_MAX_LINES);
}

static void try_words(GBytes *text)
{
	g_autofree char *word = g_strndup(g_bytes_get_data(text, NULL), g_bytes_get_size(text));
	SignatureKey key = { 0 };
	gint64 seconds = 0;

	(void)release_is_version(word);
	(void)release_parse_time(word, &seconds);
	(void)signature_key_parse(word, &key, NULL);
}

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes)
{
	g_autoptr(GBytes) text = g_bytes_new(data, size_bytes);

	try_release(text);
	try_root(text);
	try_signatures(text);
	if (size_bytes > 0)
		try_words(text);
	return 0;
}
