/* installer/stack_lock_files.c - digests behind the images that the files of a stack name
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "installer/stack_lock.h"

#define FILE_MAX_BYTES ((gsize)1024 * 1024)
#define NAME_BYTES G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS

static bool is_one_of(char byte, const char *bytes)
{
	return byte != '\0' && strchr(bytes, byte);
}

/* "${NAME:-redis:7.4.2}" begins with a name too, "my-redis:7.4.2" does not. */
static bool is_whole(const char *text, const char *at, gsize length)
{
	const char *before = at > text ? at - 1 : "\n";
	bool is_fallback = *before == '-' && at - text > 1 && at[-2] == ':';

	return !is_one_of(*before, NAME_BYTES "_./@") && (*before != '-' || is_fallback) &&
	       !is_one_of(at[length], NAME_BYTES "_.:@/-");
}

static bool has_tag(const char *image)
{
	const char *slash = strrchr(image, '/');

	return strpbrk(slash ? slash : image, ":@") != NULL;
}

/* Takes away what may stand between the name of a value and the value. */
static void trim(char *text)
{
	for (gsize end = strlen(text); end > 0 && is_one_of(text[end - 1], " \t\"'"); end--)
		text[end - 1] = '\0';
}

/* Returns: (transfer full): what the line has in front of @at, without "${NAME:-"; in lower case. */
static char *lead_of(const char *text, const char *at)
{
	const char *line = at;

	while (line > text && line[-1] != '\n')
		line--;
	g_autofree char *lead = g_strndup(line, (gsize)(at - line));
	char *variable = strrchr(lead, '$');
	gsize length = variable ? strspn(variable + 1, NAME_BYTES "_{") : 0;

	if (variable && g_str_equal(variable + 1 + length, ":-"))
		*variable = '\0';
	trim(lead);
	return g_ascii_strdown(g_strchug(lead), -1);
}

static bool is_from(const char *lead)
{
	g_auto(GStrv) words = g_strsplit_set(lead, " \t", -1);
	bool is_it = *words && g_str_equal(*words, "from");

	for (guint i = 1; is_it && words[i]; i++)
		is_it = *words[i] == '\0' || g_str_has_prefix(words[i], "--");
	return is_it;
}

/* "image: ", "WEB_IMAGE=", "FROM --platform=x ", "COPY --from=", "RUN --mount=type=bind,from=": a service may have
 * the same name. */
static bool is_named_as_image(const char *text, const char *at)
{
	g_autofree char *lead = lead_of(text, at);
	gsize length = strlen(lead);
	char *key = NULL;

	if (is_from(lead) || g_str_has_suffix(lead, "--from=") ||
	    g_str_has_suffix(lead, ",from=") || g_str_has_suffix(lead, "--mount=from="))
		return true;
	if (length == 0 || !is_one_of(lead[length - 1], ":="))
		return false;

	lead[length - 1] = '\0';
	trim(lead);
	key = lead + strlen(lead);
	while (key > lead && is_one_of(key[-1], NAME_BYTES "_-"))
		key--;
	return strstr(key, "image") != NULL;
}

char *stack_lock_replace(const char *text, const char *image, const char *digest, guint *places)
{
	GString *out = g_string_new(NULL);
	gsize length = strlen(image);
	gsize name_length = strcspn(image, "@");
	const char *from = text;

	for (const char *at = strstr(text, image); at; at = strstr(at + length, image)) {
		if (!is_whole(text, at, length) ||
		    (!has_tag(image) && !is_named_as_image(text, at)))
			continue;
		g_string_append_len(out, from, at - from + (gssize)name_length);
		g_string_append_printf(out, "@%s", digest);
		from = at + length;
		(*places)++;
	}
	g_string_append(out, from);
	return g_string_free(out, FALSE);
}

/* The file's text with the digest behind the name, and in the place of the one before. */
static void put_digest(LockImage *image, char **text)
{
	char *changed = stack_lock_replace(*text, image->name, image->digest, &image->places);

	g_free(*text);
	*text = changed;
	if (!image->earlier)
		return;

	g_autofree char *pinned = g_strconcat(image->name, "@", image->earlier, NULL);
	changed = stack_lock_replace(*text, pinned, image->digest, &image->places);
	g_free(*text);
	*text = changed;
}

static void put_those(const GPtrArray *images, LockStatus status, char **text)
{
	for (guint i = 0; i < images->len; i++) {
		LockImage *image = images->pdata[i];
		if (image->status == status)
			put_digest(image, text);
	}
}

/* Those without a digest come first: the same name with another digest beside it is not meant by them. */
static void put_digests(const GPtrArray *images, char **text)
{
	put_those(images, LOCK_WRITTEN, text);
	put_those(images, LOCK_MOVED, text);
	put_those(images, LOCK_UNCHANGED, text);
}

static bool write_file(GPtrArray *images, const char *path, const struct stat *status,
                       GError **error)
{
	g_autoptr(GBytes) bytes = file_read(path, FILE_MAX_BYTES, error);
	gsize size_bytes = 0;
	const char *data = bytes ? g_bytes_get_data(bytes, &size_bytes) : NULL;

	if (!bytes)
		return false;
	if (size_bytes == 0 || memchr(data, '\0', size_bytes))
		return true;

	g_autofree char *before = g_strndup(data, size_bytes);
	g_autofree char *text = g_strdup(before);
	put_digests(images, &text);
	return g_str_equal(text, before) ||
	       file_write(path, text, strlen(text), status->st_mode & 07777, error);
}

/* stacks_open() has bounded the depth. */
static bool write_tree(GPtrArray *images, const char *directory, GError **error)
{
	g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
	const char *leaf = NULL;
	bool is_done = dir != NULL;

	if (!dir)
		fault_set(error, STATUS_DENIED, NULL, "cannot read %s", directory);
	while (is_done && (leaf = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_build_filename(directory, leaf, NULL);
		struct stat status = { 0 };

		if (lstat(path, &status) < 0) {
			fault_set_errno(error, errno, "cannot read %s", path);
			is_done = false;
		} else if (S_ISDIR(status.st_mode) && !g_str_equal(leaf, ".git")) {
			is_done = write_tree(images, path, error);
		} else if (S_ISREG(status.st_mode) && !g_str_has_suffix(leaf, ".md") &&
		           status.st_size <= (off_t)FILE_MAX_BYTES) {
			is_done = write_file(images, path, &status, error);
		}
	}
	return is_done;
}

bool stack_lock_write(GPtrArray *images, const char *directory, GError **error)
{
	if (!write_tree(images, directory, error))
		return false;

	for (guint i = 0; i < images->len; i++) {
		LockImage *image = images->pdata[i];

		if (image->status == LOCK_UNCHANGED && image->places > 0)
			image->status = LOCK_WRITTEN;
		else if ((image->status == LOCK_WRITTEN || image->status == LOCK_MOVED) &&
		         image->places == 0)
			image->status = LOCK_NOWHERE;
	}
	return true;
}
