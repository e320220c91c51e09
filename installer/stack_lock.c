/* installer/stack_lock.c - what the registries say of the images of a stack
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/stack_lock.h"

#include <string.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/progress.h"
#include "installer/engine.h"
#include "installer/pull_stream.h"

#define ASK_MS 30000
#define DIGEST "sha256:"
/* Ours: an index has some dozen platforms, the longest "linux/arm/v7". */
#define PLATFORMS_MAX 64
#define PLATFORM_MAX_BYTES 64

void stack_lock_free(LockImage *image)
{
	if (!image)
		return;

	g_free(image->name);
	g_free(image->digest);
	g_free(image->earlier);
	g_free(image->today);
	g_ptr_array_unref(image->platforms);
	g_free(image->message);
	g_free(image);
}

GPtrArray *stack_lock_images(const GPtrArray *names)
{
	GPtrArray *images = g_ptr_array_new_with_free_func((GDestroyNotify)stack_lock_free);

	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		const char *digest = strstr(name, "@" DIGEST);
		LockImage *image = g_new0(LockImage, 1);

		image->name =
			g_utf8_make_valid(name, digest ? (gssize)(digest - name) : (gssize)-1);
		image->digest = digest ? g_strdup(digest + 1) : NULL;
		image->status = digest ? LOCK_UNCHANGED : LOCK_NONE;
		image->platforms = g_ptr_array_new_with_free_func(g_free);
		g_ptr_array_add(images, image);
	}
	return images;
}

static bool is_digest(const char *text)
{
	return text && g_str_has_prefix(text, DIGEST) && file_is_digest(text + strlen(DIGEST));
}

/* What an attestation has is called "unknown". */
static void read_platform(const json_t *platform, GPtrArray *platforms)
{
	const char *variant = json_text(platform, "variant");
	g_autofree char *name =
		g_strjoin("/", json_text_or(platform, "os", "unknown"),
	                  json_text_or(platform, "architecture", "unknown"), variant, NULL);

	if (strstr(name, "unknown") || strlen(name) > PLATFORM_MAX_BYTES ||
	    name[strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "/._-")] != '\0' ||
	    g_ptr_array_find_with_equal_func(platforms, name, g_str_equal, NULL))
		return;
	g_ptr_array_add(platforms, g_steal_pointer(&name));
}

char *stack_lock_parse(const json_t *answer, GPtrArray *platforms, GError **error)
{
	const char *digest = json_text(json_object_get(answer, "Descriptor"), "digest");
	const json_t *list = json_object_get(answer, "Platforms");

	if (!is_digest(digest)) {
		fault_set(error, STATUS_DATA, NULL, "the engine's answer has no digest");
		return NULL;
	}
	for (gsize i = 0; i < json_array_size(list) && platforms->len < PLATFORMS_MAX; i++)
		read_platform(json_array_get(list, i), platforms);
	return g_strdup(digest);
}

/* A name goes into the path of a request: nothing of it may lead elsewhere. */
static bool is_askable(const char *name)
{
	static const char bytes[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._:@/-";

	return g_ascii_isalnum(*name) && name[strspn(name, bytes)] == '\0' && !strstr(name, "/.") &&
	       !strstr(name, "./");
}

/* Returns: (transfer full) (nullable): the digest of @name; NULL with image->status and message set. */
static char *ask(LockImage *image, const char *endpoint, const char *name)
{
	g_autofree char *escaped = g_uri_escape_string(name, "/:@", FALSE);
	g_autofree char *path = g_strdup_printf("/distribution/%s/json", escaped);
	g_autoptr(GError) cause = NULL;
	g_autoptr(json_t) answer = NULL;
	bool is_absent = false;
	char *digest = NULL;

	if (!is_askable(name))
		fault_set(&cause, STATUS_DATA, NULL, "\"%s\" is no name of an image", name);
	else
		answer = engine_find(endpoint, path, ASK_MS, &is_absent, &cause);
	g_ptr_array_set_size(image->platforms, 0);
	if (answer)
		digest = stack_lock_parse(answer, image->platforms, &cause);
	if (digest)
		return digest;

	g_autofree char *message = fault_message(cause);
	g_free(image->message);
	image->message = pull_stream_words(message);
	image->status = is_absent ? LOCK_MISSING : LOCK_FAILED;
	return NULL;
}

/* What the name stands for is to stand behind it. */
static void look_up(LockImage *image, const char *endpoint)
{
	char *digest = ask(image, endpoint, image->name);

	if (!digest)
		return;
	image->status = g_strcmp0(digest, image->digest) == 0 ? LOCK_UNCHANGED
	                : image->digest                       ? LOCK_MOVED
	                                                      : LOCK_WRITTEN;
	if (image->status == LOCK_MOVED)
		image->earlier = g_strdup(image->digest);
	g_free(image->digest);
	image->digest = digest;
}

/* Digest and name without the tag; then what the tag stands for, which is only told. */
static void check(LockImage *image, const char *endpoint)
{
	const char *slash = strrchr(image->name, '/');
	const char *tag = strchr(slash ? slash : image->name, ':');
	gsize length = tag ? (gsize)(tag - image->name) : strlen(image->name);
	g_autofree char *pinned =
		g_strdup_printf("%.*s@%s", (int)length, image->name, image->digest);
	g_autofree char *found = ask(image, endpoint, pinned);
	LockImage tagged = { .platforms = image->platforms };

	if (!found)
		return;
	if (!g_str_equal(found, image->digest)) {
		image->status = LOCK_FAILED;
		image->message = g_strdup("the engine answers with another digest");
		return;
	}
	tagged.platforms = g_ptr_array_new_with_free_func(g_free);
	image->today = ask(&tagged, endpoint, image->name);
	g_ptr_array_unref(tagged.platforms);
	g_free(tagged.message);
	if (!image->today && tagged.status == LOCK_MISSING)
		image->message = g_strdup("its registry has no such tag any more");
	else if (image->today && !g_str_equal(image->today, image->digest))
		image->message = g_strdup_printf("its tag stands for %s today", image->today);
}

static bool is_asked(const LockImage *image, LockMode mode)
{
	return mode == LOCK_REFRESH || (image->digest != NULL) == (mode == LOCK_CHECK);
}

static bool ask_all(GPtrArray *images, LockMode mode, const char *endpoint, Progress *progress,
                    GError **error)
{
	for (guint i = 0; i < images->len; i++) {
		LockImage *image = images->pdata[i];
		g_autofree char *id = g_strdup_printf("%u", i);

		if (!is_asked(image, mode))
			continue;
		progress_set(progress, id, PROGRESS_RUNNING, -1, NULL);
		if (mode == LOCK_CHECK)
			check(image, endpoint);
		else
			look_up(image, endpoint);
		bool has_failed = image->status == LOCK_MISSING || image->status == LOCK_FAILED;
		progress_set(progress, id, has_failed ? PROGRESS_FAILED : PROGRESS_DONE, -1,
		             image->message);
		if (!cancel_check(error))
			return false;
	}
	return true;
}

bool stack_lock_ask(GPtrArray *images, LockMode mode, const char *endpoint, Term *term,
                    GError **error)
{
	guint count = 0;

	for (guint i = 0; i < images->len; i++)
		count += is_asked(images->pdata[i], mode);
	if (count == 0)
		return true;

	g_autoptr(json_t) version = engine_get(endpoint, "/version", error);
	if (!version)
		return false;

	g_autoptr(Progress) progress = progress_new(term, "Asking the registries");
	for (guint i = 0; i < images->len; i++) {
		const LockImage *image = images->pdata[i];
		g_autofree char *id = g_strdup_printf("%u", i);
		if (is_asked(image, mode))
			progress_add(progress, id, image->name, 1);
	}
	return ask_all(images, mode, endpoint, progress, error);
}
