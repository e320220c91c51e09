/* installer/update_release.c - which release is the newest, and who says so
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/http.h"
#include "installer/update.h"
#include "payload/trust.h"

#define SEEN_MAX_BYTES 4096
#define NOT_FOUND 404

/* Where documents are asked for and what was learnt is kept. */
typedef struct {
	App *app;
	const char *base;
	char *directory; /* of what is remembered */
} Source;

static void source_clear(Source *source)
{
	g_free(source->directory);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Source, source_clear)

char **update_places(const App *app, const char *base, const char *path)
{
	g_autofree char *plain =
		g_strconcat(base, g_str_has_suffix(base, "/") ? "" : "/", path, NULL);

	return settings_mirrors(app->settings, plain);
}

typedef struct {
	HttpRequest request;
	bool is_absent; /* somewhere */
	GBytes *body;
} Document;

static bool get_document(const char *url, gpointer data, GError **error)
{
	Document *document = data;
	int status = 0;

	document->request.url = url;
	document->request.status = &status;
	document->body = http_get(&document->request, error);
	document->is_absent |= !document->body && status == NOT_FOUND;
	return document->body != NULL;
}

static GBytes *get(const char *name, gsize max_bytes, bool *is_absent, gpointer data,
                   GError **error)
{
	const Source *source = data;
	g_auto(GStrv) urls = update_places(source->app, source->base, name);
	g_autoptr(GError) why = NULL;
	Document document = {
		.request = { .timeout_ms =
		                     settings_seconds(source->app->settings, "network-timeout") *
		                     1000,
		             .max_bytes = max_bytes },
	};
	bool is_there = http_from_places((const char *const *)urls, get_document, &document, &why);

	*is_absent = !is_there && document.is_absent;
	if (!is_there && !*is_absent)
		g_propagate_error(error, g_steal_pointer(&why));
	return document.body;
}

/* As get(), for what has to be there. */
static GBytes *need(Source *source, const char *name, gsize max_bytes, GError **error)
{
	bool is_absent = false;
	GBytes *body = get(name, max_bytes, &is_absent, source, error);

	if (is_absent)
		fault_set(error, STATUS_UNAVAILABLE, NULL, "%s has no %s", source->base, name);
	return body;
}

static char *remembered(const Source *source, const char *name)
{
	return g_build_filename(source->directory, name, NULL);
}

static bool remember(const char *name, GBytes *text, const Source *source, GError **error)
{
	g_autofree char *path = remembered(source, name);

	return file_make_dirs(source->directory, 0700, NULL, error) &&
	       file_write(path, g_bytes_get_data(text, NULL), g_bytes_get_size(text), 0600, error);
}

static bool keep_root(GBytes *text, gpointer data, GError **error)
{
	return remember("root.json", text, data, error);
}

/* The root to begin with: the one inside the program, or a newer one that was met before. */
static TrustRoot *known_root(const Source *source, GError **error)
{
	g_autofree char *path = remembered(source, "root.json");
	g_autoptr(GBytes) embedded = trust_embedded();
	g_autoptr(TrustRoot) root = trust_parse(embedded, "the root in this program", error);

	if (!root || root->version == 0 || !file_exists(path))
		return g_steal_pointer(&root);

	g_autoptr(GBytes) text = file_read(path, TRUST_MAX_BYTES, error);
	g_autoptr(TrustRoot) kept = text ? trust_parse(text, path, error) : NULL;
	if (!kept)
		return NULL;
	return kept->version > root->version ? g_steal_pointer(&kept) : g_steal_pointer(&root);
}

static TrustRoot *newest_root(Source *source, bool is_kept, GError **error)
{
	TrustSource walk = { .get = get, .keep = is_kept ? keep_root : NULL, .data = source };
	g_autoptr(TrustRoot) root = known_root(source, error);

	return root && trust_walk(&root, &walk, error) ? g_steal_pointer(&root) : NULL;
}

/* What was seen before, under the same keys: new keys are how a stolen one's numbers are undone. */
static bool load_seen(const Source *source, const TrustRoot *root, json_t **seen, GError **error)
{
	g_autofree char *path = remembered(source, "seen.json");
	g_autofree char *keys = trust_releases_digest(root);

	*seen = NULL;
	if (!file_exists(path))
		return true;
	*seen = json_read(path, SEEN_MAX_BYTES, error);
	if (!*seen) {
		g_prefix_error(error, "what was seen of releases cannot be read: ");
		return false;
	}
	if (g_strcmp0(json_text(*seen, "keys"), keys) != 0)
		g_clear_pointer(seen, json_decref);
	return true;
}

static bool save_seen(const Source *source, const TrustRoot *root, const Release *release,
                      const char *digest, GError **error)
{
	g_autofree char *keys = trust_releases_digest(root);
	g_autoptr(json_t) seen = json_pack("{s:i, s:s, s:I, s:s}", "schema", 1, "keys", keys,
	                                   "serial", (json_int_t)release->serial, "sha256", digest);
	char *text = json_pretty(seen);
	g_autoptr(GBytes) bytes = g_bytes_new_take(text, strlen(text));

	return remember("seen.json", bytes, source, error);
}

/* Nobody can sell us an old release as the newest, or two as one.  @is_named: the user names the
 * release, which may be an old one. */
static bool check_serial(const Source *source, const TrustRoot *root, const Release *release,
                         GBytes *manifest, bool is_named, GError **error)
{
	g_autoptr(json_t) seen = NULL;
	g_autofree char *digest = file_digest_bytes(manifest);

	if (!load_seen(source, root, &seen, error))
		return false;

	guint64 highest = (guint64)json_integer_value(json_object_get(seen, "serial"));
	if (release->serial > highest)
		return save_seen(source, root, release, digest, error);
	if (release->serial == highest && g_strcmp0(json_text(seen, "sha256"), digest) == 0)
		return true;
	if (release->serial < highest && is_named)
		return true;
	if (release->serial == highest)
		fault_set(error, STATUS_UNTRUSTED, NULL,
		          "there are two different manifests with serial number %" G_GUINT64_FORMAT,
		          highest);
	else
		fault_set(error, STATUS_UNTRUSTED, NULL,
		          "the manifest has serial number %" G_GUINT64_FORMAT
		          ", and %" G_GUINT64_FORMAT " was seen before",
		          release->serial, highest);
	return false;
}

static bool check_expiry(App *app, const Release *release, bool is_named, GError **error)
{
	if (trust_now() <= release->expires_s)
		return true;
	if (is_named) {
		term_note(app->term, "The manifest of %s has expired on %s.", release->version,
		          release->expires);
		return true;
	}
	fault_set(error, STATUS_UNTRUSTED, "Check the clock; else somebody withholds newer ones.",
	          "the manifest of the newest release has expired on %s", release->expires);
	return false;
}

static Release *judge(Source *source, const TrustRoot *root, GBytes *manifest, const char *version,
                      GError **error)
{
	g_autoptr(Release) release = release_parse(manifest, "manifest.json", error);

	if (!release)
		return NULL;
	if (version && !g_str_equal(release->version, version)) {
		fault_set(error, STATUS_UNTRUSTED, NULL,
		          "the manifest in the place of %s is that of %s", version,
		          release->version);
		return NULL;
	}
	if (!check_serial(source, root, release, manifest, version, error) ||
	    !check_expiry(source->app, release, version, error))
		return NULL;
	return g_steal_pointer(&release);
}

Release *update_find_release(App *app, const char *version, GError **error)
{
	g_autofree char *name =
		version ? g_strdup_printf("v%s/manifest.json", version) : g_strdup("manifest.json");
	g_autofree char *sig_name = g_strconcat(name, ".sig", NULL);
	g_auto(Source) source = { app, settings_text(app->settings, "release-url"),
		                  g_build_filename(app->paths->state, "update", NULL) };

	if (!source.base) {
		fault_set(error, STATUS_CONFIG, NULL, "the setting release-url is empty");
		return NULL;
	}

	g_autoptr(TrustRoot) root = newest_root(&source, true, error);
	if (!root)
		return NULL;
	g_autoptr(GBytes) manifest = need(&source, name, RELEASE_MAX_BYTES, error);
	if (!manifest)
		return NULL;
	g_autoptr(GBytes) signatures = need(&source, sig_name, SIGNATURE_MAX_BYTES, error);
	if (!signatures || !trust_check_release(root, manifest, signatures, sig_name, error))
		return NULL;
	return judge(&source, root, manifest, version, error);
}

bool update_verify_manifest(App *app, const char *path, GError **error)
{
	g_autofree char *full = g_canonicalize_filename(path, NULL);
	g_autofree char *base = g_path_get_dirname(full);
	g_autofree char *sig_path = g_strconcat(full, ".sig", NULL);
	g_auto(Source) source = { app, base, g_build_filename(app->paths->state, "update", NULL) };
	g_autoptr(TrustRoot) root = newest_root(&source, false, error);

	if (!root)
		return false;
	g_autoptr(GBytes) manifest = file_read(full, RELEASE_MAX_BYTES, error);
	if (!manifest)
		return false;
	g_autoptr(GBytes) signatures = file_read(sig_path, SIGNATURE_MAX_BYTES, error);
	if (!signatures || !trust_check_release(root, manifest, signatures, sig_path, error))
		return false;
	g_autoptr(Release) release = release_parse(manifest, full, error);
	if (!release || !check_expiry(app, release, true, error))
		return false;

	app->document = json_pack("{s:s, s:I, s:s}", "available", release->version, "serial",
	                          (json_int_t)release->serial, "expires", release->expires);
	term_print(app->term, "%s is signed: the manifest of slipway %s\n", full, release->version);
	return true;
}
