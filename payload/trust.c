/* payload/trust.c - whose signature counts: root documents, and the walk to the newest one
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "payload/trust.h"

#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "payload/release.h"

void trust_root_free(TrustRoot *root)
{
	if (!root)
		return;

	g_free(root->expires);
	g_array_unref(root->roots);
	g_array_unref(root->releases);
	g_free(root);
}

static bool has_key(const GArray *keys, const SignatureKey *key)
{
	for (guint i = 0; i < keys->len; i++)
		if (memcmp(g_array_index(keys, SignatureKey, i).bytes, key->bytes,
		           sizeof(key->bytes)) == 0)
			return true;

	return false;
}

static bool read_keys(const json_t *document, const char *member, GArray *keys, GError **error)
{
	const json_t *array = json_object_get(document, member);

	if (!json_is_array(array) || json_array_size(array) > TRUST_MAX_KEYS) {
		fault_set(error, STATUS_DATA, NULL, "no list of at most %d %s", TRUST_MAX_KEYS,
		          member);
		return false;
	}
	for (gsize i = 0; i < json_array_size(array); i++) {
		const char *hex = json_string_value(json_array_get(array, i));
		SignatureKey key = { 0 };

		if (!signature_key_parse(hex ? hex : "", &key, error))
			return false;
		if (has_key(keys, &key)) {
			fault_set(error, STATUS_DATA, NULL, "a key of %s is there twice", member);
			return false;
		}
		g_array_append_val(keys, key);
	}
	return true;
}

/* Version 0 is the root of a tree for which nobody has made keys. */
static bool is_balanced(const TrustRoot *root)
{
	if (root->version == 0)
		return root->roots->len == 0 && root->releases->len == 0;

	return root->threshold >= 1 && root->threshold <= root->roots->len &&
	       root->releases->len >= 1;
}

static bool read_root(const json_t *document, TrustRoot *root, GError **error)
{
	json_int_t version = json_integer_value(json_object_get(document, "version"));
	json_int_t threshold = json_integer_value(json_object_get(document, "threshold"));
	const char *wrong = NULL;

	root->version = (guint64)MAX(version, 0);
	root->threshold = (guint)CLAMP(threshold, 0, TRUST_MAX_KEYS + 1);
	root->expires = g_strdup(json_text_or(document, "expires", ""));
	if (json_integer_value(json_object_get(document, "schema")) != 1)
		wrong = "schema: this program reads 1";
	else if (!json_is_integer(json_object_get(document, "version")) || version < 0)
		wrong = "version";
	else if (!release_parse_time(root->expires, &root->expires_s))
		wrong = "expires";
	if (wrong) {
		fault_set(error, STATUS_DATA, NULL, "no proper %s", wrong);
		return false;
	}
	if (!read_keys(document, "roots", root->roots, error) ||
	    !read_keys(document, "releases", root->releases, error))
		return false;
	if (!is_balanced(root))
		fault_set(error, STATUS_DATA, NULL, "its threshold cannot be met by its keys");
	return is_balanced(root);
}

TrustRoot *trust_parse(GBytes *text, const char *name, GError **error)
{
	g_autoptr(TrustRoot) root = g_new0(TrustRoot, 1);
	g_autoptr(json_t) document = NULL;

	root->roots = g_array_new(FALSE, FALSE, sizeof(SignatureKey));
	root->releases = g_array_new(FALSE, FALSE, sizeof(SignatureKey));
	if (g_bytes_get_size(text) > TRUST_MAX_BYTES) {
		fault_set(error, STATUS_DATA, NULL, "%s: too large for a root", name);
		return NULL;
	}
	document = json_parse_bytes(text, name, error);
	if (!document)
		return NULL;
	if (!read_root(document, root, error)) {
		g_prefix_error(error, "%s: ", name);
		return NULL;
	}
	return g_steal_pointer(&root);
}

char *trust_releases_digest(const TrustRoot *root)
{
	const guint8 *bytes = (const guint8 *)root->releases->data;

	return g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes,
	                                   root->releases->len * sizeof(SignatureKey));
}

static bool require(const TrustRoot *root, const char *who, const GArray *signatures,
                    GBytes *document, GError **error)
{
	guint count = signature_count(signatures, root->roots, SIGNATURE_ROOT, document);

	if (count >= root->threshold)
		return true;
	fault_set(error, STATUS_UNTRUSTED, NULL, "it has %u of the %u signatures of %s", count,
	          root->threshold, who);
	return false;
}

/* The old keys first: what they did not sign is not even read. */
static TrustRoot *accept(const TrustRoot *root, const char *name, GBytes *text,
                         const GArray *signatures, GError **error)
{
	if (!require(root, "the root before it", signatures, text, error))
		return NULL;

	g_autoptr(TrustRoot) next = trust_parse(text, name, error);
	if (!next)
		return NULL;
	if (next->version != root->version + 1) {
		fault_set(error, STATUS_UNTRUSTED, NULL,
		          "it calls itself version %" G_GUINT64_FORMAT, next->version);
		return NULL;
	}
	return require(next, "its own keys", signatures, text, error) ? g_steal_pointer(&next)
	                                                              : NULL;
}

/* One step.  Returns: false with the error set, or, at the end of the way, with @is_last. */
static bool step(TrustRoot **root, const TrustSource *source, bool *is_last, GError **error)
{
	g_autofree char *name =
		g_strdup_printf("root.%" G_GUINT64_FORMAT ".json", (*root)->version + 1);
	g_autofree char *sig_name = g_strconcat(name, ".sig", NULL);
	bool is_absent = false;

	g_autoptr(GBytes) text = source->get(name, TRUST_MAX_BYTES, is_last, source->data, error);
	if (!text)
		return false;
	g_autoptr(GBytes) sig_text =
		source->get(sig_name, SIGNATURE_MAX_BYTES, &is_absent, source->data, error);
	if (is_absent)
		fault_set(error, STATUS_UNTRUSTED, NULL, "%s is not there", sig_name);
	if (!sig_text)
		return false;

	g_autoptr(GArray) signatures = signature_parse(sig_text, sig_name, error);
	if (!signatures)
		return false;
	TrustRoot *next = accept(*root, name, text, signatures, error);
	if (!next) {
		g_prefix_error(error, "%s is not to be trusted: ", name);
		return false;
	}
	trust_root_free(*root);
	*root = next;
	return !source->keep || source->keep(text, source->data, error);
}

bool trust_walk(TrustRoot **root, const TrustSource *source, GError **error)
{
	bool is_last = false;
	guint steps = 0;

	if ((*root)->version == 0) {
		fault_set(
			error, STATUS_CONFIG,
			"Get a release of it, or build it with a packaging/root.json of your own.",
			"this program was built without keys to check releases with");
		return false;
	}
	while (steps <= TRUST_MAX_STEPS && step(root, source, &is_last, error))
		steps++;
	if (!is_last && steps <= TRUST_MAX_STEPS)
		return false;
	if (!is_last) {
		fault_set(error, STATUS_UNTRUSTED, NULL, "more than %d roots one after the other",
		          TRUST_MAX_STEPS);
		return false;
	}
	if (trust_now() <= (*root)->expires_s)
		return true;
	fault_set(error, STATUS_UNTRUSTED, "Check the clock, or install a newer slipway by hand.",
	          "the newest root, version %" G_GUINT64_FORMAT ", has expired on %s",
	          (*root)->version, (*root)->expires);
	return false;
}

bool trust_check_release(const TrustRoot *root, GBytes *manifest, GBytes *signatures,
                         const char *name, GError **error)
{
	g_autoptr(GArray) list = signature_parse(signatures, name, error);

	if (!list)
		return false;
	if (signature_count(list, root->releases, SIGNATURE_MANIFEST, manifest) > 0)
		return true;
	fault_set(error, STATUS_UNTRUSTED, NULL,
	          "%s: no signature of a release key of root version %" G_GUINT64_FORMAT, name,
	          root->version);
	return false;
}
