/* payload/release.c - what a release consists of: its manifest, read without trusting it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "payload/release.h"

#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"

#define WORD_CHARS "abcdefghijklmnopqrstuvwxyz0123456789_-"
#define NAME_CHARS WORD_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZ.+"
#define WORD_MAX_BYTES 64
#define NAME_MAX_BYTES 200

static bool is_made_of(const char *text, const char *chars, gsize max_bytes)
{
	gsize length = strspn(text, chars);

	return length > 0 && length <= max_bytes && text[length] == '\0';
}

static bool is_name(const char *text)
{
	return is_made_of(text, NAME_CHARS, NAME_MAX_BYTES) && text[0] != '.';
}

/* Relative and plain: names with single slashes between them, none of which starts with a dot. */
static bool is_plain_path(const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);

	if (!is_made_of(path, NAME_CHARS "/", NAME_MAX_BYTES))
		return false;
	for (char **part = parts; *part; part++)
		if (!is_name(*part))
			return false;

	return true;
}

bool release_parse_time(const char *text, gint64 *seconds)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
	g_autoptr(GDateTime) time = NULL;

	for (gsize i = 0; i < sizeof(shape); i++)
		if (shape[i] == 'd' ? !g_ascii_isdigit(text[i]) : text[i] != shape[i])
			return false;

	time = g_date_time_new_from_iso8601(text, NULL);
	if (!time)
		return false;
	*seconds = g_date_time_to_unix(time);
	return true;
}

static void artifact_free(gpointer data)
{
	ReleaseArtifact *artifact = data;

	g_free(artifact->kind);
	g_free(artifact->platform);
	g_free(artifact->name);
	g_free(artifact->path);
	g_free(artifact->sha256);
	g_free(artifact);
}

void release_free(Release *release)
{
	if (!release)
		return;

	g_free(release->version);
	g_free(release->expires);
	g_ptr_array_unref(release->artifacts);
	g_free(release);
}

/* Returns: the number, or 0 when it is none within [1, @maximum]. */
static guint64 number_of(const json_t *object, const char *key, guint64 maximum)
{
	json_int_t number = json_integer_value(json_object_get(object, key));

	return number > 0 && (guint64)number <= maximum ? (guint64)number : 0;
}

/* Returns: which member of an artifact is wrong; NULL when none is. */
static const char *artifact_fault(const ReleaseArtifact *artifact)
{
	if (!is_made_of(artifact->kind, WORD_CHARS, WORD_MAX_BYTES))
		return "kind";
	if (!is_made_of(artifact->platform, WORD_CHARS, WORD_MAX_BYTES))
		return "platform";
	if (!is_name(artifact->name))
		return "name";
	if (!is_plain_path(artifact->path))
		return "path";
	if (!file_is_digest(artifact->sha256))
		return "sha256";
	if (artifact->size_bytes == 0)
		return "size";

	return NULL;
}

static const ReleaseArtifact *find(const Release *release, const char *kind, const char *platform)
{
	for (guint i = 0; i < release->artifacts->len; i++) {
		const ReleaseArtifact *artifact = release->artifacts->pdata[i];
		if (g_str_equal(artifact->kind, kind) && g_str_equal(artifact->platform, platform))
			return artifact;
	}

	return NULL;
}

static bool add_artifact(Release *release, const json_t *object, const char *name, GError **error)
{
	ReleaseArtifact *artifact = g_new0(ReleaseArtifact, 1);
	guint number = release->artifacts->len + 1;

	artifact->kind = g_strdup(json_text_or(object, "kind", ""));
	artifact->platform = g_strdup(json_text_or(object, "platform", ""));
	artifact->name = g_strdup(json_text_or(object, "name", ""));
	artifact->path = g_strdup(json_text_or(object, "path", ""));
	artifact->sha256 = g_strdup(json_text_or(object, "sha256", ""));
	bool is_program = g_str_equal(artifact->kind, "program");
	artifact->size_bytes =
		number_of(object, "size",
	                  is_program ? RELEASE_MAX_PROGRAM_BYTES : RELEASE_MAX_ARTIFACT_BYTES);

	const char *wrong = artifact_fault(artifact);
	if (!wrong && is_program && find(release, "program", artifact->platform))
		wrong = "platform (there twice)";
	g_ptr_array_add(release->artifacts, artifact);
	if (!wrong)
		return true;
	fault_set(error, STATUS_DATA, NULL, "%s: artifact %u has no proper %s", name, number,
	          wrong);
	return false;
}

static bool read_artifacts(Release *release, const json_t *array, const char *name, GError **error)
{
	const json_t *object = NULL;
	gsize i = 0;

	if (!json_is_array(array) || json_array_size(array) > RELEASE_MAX_ARTIFACTS) {
		fault_set(error, STATUS_DATA, NULL, "%s: no list of at most %d artifacts", name,
		          RELEASE_MAX_ARTIFACTS);
		return false;
	}
	json_array_foreach(array, i, object)
	{
		if (!add_artifact(release, object, name, error))
			return false;
	}

	return true;
}

Release *release_parse(GBytes *text, const char *name, GError **error)
{
	g_autoptr(Release) release = g_new0(Release, 1);
	g_autoptr(json_t) document = NULL;
	const char *wrong = NULL;

	release->artifacts = g_ptr_array_new_with_free_func(artifact_free);
	if (g_bytes_get_size(text) > RELEASE_MAX_BYTES) {
		fault_set(error, STATUS_DATA, NULL, "%s: too large for a manifest", name);
		return NULL;
	}
	document = json_parse_bytes(text, name, error);
	if (!document)
		return NULL;

	release->version = g_strdup(json_text_or(document, "version", ""));
	release->expires = g_strdup(json_text_or(document, "expires", ""));
	release->serial = number_of(document, "serial", (guint64)1 << 53);
	if (number_of(document, "schema", G_MAXINT) != 1)
		wrong = "schema: this program reads 1";
	else if (!release_is_version(release->version))
		wrong = "version";
	else if (release->serial == 0)
		wrong = "serial";
	else if (!release_parse_time(release->expires, &release->expires_s))
		wrong = "expires";
	if (wrong) {
		fault_set(error, STATUS_DATA, NULL, "%s: no proper %s", name, wrong);
		return NULL;
	}
	if (!read_artifacts(release, json_object_get(document, "artifacts"), name, error))
		return NULL;
	return g_steal_pointer(&release);
}

const ReleaseArtifact *release_program(const Release *release, const char *platform)
{
	return find(release, "program", platform);
}
