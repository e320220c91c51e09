/* installer/key_bundle.c - a keystore file with a passphrase of its own, made aside and then put in place
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/key_bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "installer/aside.h"

#define DESCRIPTOR_MAX 1023
#define DIRECTORY_PREFIX "bundle-"
#define LEFTOVER_S G_GINT64_CONSTANT(86400)

struct KeyBundle {
	Term *term;
	char *path;      /* of the file, in the end */
	char *directory; /* where it is worked on */
	char *inner;     /* the file in there */
	char *passphrase_file;
	Keystore *store;
};

bool key_bundle_is(GBytes *content)
{
	static const char magic[] = { 'S', 'W', 'K', '\0', '\r', '\n' };
	gsize size = 0;
	const char *data = g_bytes_get_data(content, &size);

	return size >= sizeof(magic) && memcmp(data, magic, sizeof(magic)) == 0;
}

void key_bundle_free(KeyBundle *bundle)
{
	if (!bundle)
		return;

	keystore_free(bundle->store);
	if (bundle->directory && !tree_remove(bundle->directory, NULL))
		term_warn(bundle->term, "slipway: %s could not be removed", bundle->directory);
	g_free(bundle->path);
	g_free(bundle->directory);
	g_free(bundle->inner);
	g_free(bundle->passphrase_file);
	g_free(bundle);
}

Keystore *key_bundle_store(KeyBundle *bundle)
{
	return bundle->store;
}

/* The question of the keystore, with the file that it is about. */
static GBytes *ask(const char *prompt, gpointer data, GError **error)
{
	const KeyBundle *bundle = data;
	g_autofree char *name = g_path_get_basename(bundle->path);
	g_autofree char *question = g_strdup_printf("%s in %s", prompt, name);

	return term_ask_secret(bundle->term, question, error);
}

static bool read_source(KeyBundle *bundle, const KeyBundlePassphrase *passphrase,
                        KeystoreOptions *options, GError **error)
{
	guint64 number = 0;

	if (passphrase->descriptor) {
		if (!g_ascii_string_to_unsigned(passphrase->descriptor, 10, 0, DESCRIPTOR_MAX,
		                                &number, NULL)) {
			fault_set(error, STATUS_USAGE, NULL,
			          "--bundle-passphrase-fd %s: that is not a descriptor",
			          passphrase->descriptor);
			return false;
		}
		options->passphrase_fd = (int)number;
	} else if (passphrase->file) {
		bundle->passphrase_file = g_canonicalize_filename(passphrase->file, NULL);
		options->passphrase_file = bundle->passphrase_file;
	} else if (term_can_ask(bundle->term)) {
		options->ask = ask;
	} else {
		fault_set(error, STATUS_USAGE,
		          "Give --bundle-passphrase-fd N or --bundle-passphrase-file FILE.",
		          "there is no terminal to ask for the passphrase of %s on", bundle->path);
		return false;
	}
	return true;
}

/* What a run that was killed left; nobody works on one for a day. */
static void sweep(const char *state)
{
	g_autoptr(GDir) dir = g_dir_open(state, 0, NULL);
	gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
	const char *name = NULL;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(state, name, NULL);
		struct stat status = { 0 };

		if (g_str_has_prefix(name, DIRECTORY_PREFIX) && lstat(path, &status) == 0 &&
		    status.st_mtime < now_s - LEFTOVER_S)
			(void)!tree_remove(path, NULL);
	}
}

static bool make_directory(KeyBundle *bundle, const char *state, GError **error)
{
	g_autofree char *directory = g_build_filename(state, DIRECTORY_PREFIX "XXXXXX", NULL);

	if (!file_make_dirs(state, 0700, NULL, error))
		return false;
	sweep(state);
	if (!g_mkdtemp_full(directory, 0700)) {
		fault_set_errno(error, errno, "cannot make a directory in %s", state);
		return false;
	}
	bundle->directory = g_steal_pointer(&directory);
	bundle->inner = g_build_filename(bundle->directory, "keystore", NULL);
	return true;
}

static bool write_content(const KeyBundle *bundle, GBytes *content, GError **error)
{
	gsize size = 0;
	const void *data = content ? g_bytes_get_data(content, &size) : NULL;

	return !content || file_write(bundle->inner, data, size, 0600, error);
}

KeyBundle *key_bundle_new(App *app, const char *path, GBytes *content,
                          const KeyBundlePassphrase *passphrase, GError **error)
{
	g_autoptr(KeyBundle) bundle = g_new0(KeyBundle, 1);
	KeystoreOptions options = { .back_end = "file", .passphrase_fd = -1, .data = bundle };

	bundle->term = app->term;
	bundle->path = g_canonicalize_filename(path, NULL);
	if (!read_source(bundle, passphrase, &options, error) ||
	    !make_directory(bundle, app->paths->state, error) ||
	    !write_content(bundle, content, error))
		return NULL;
	options.path = bundle->inner;
	options.ignores_environment = true;
	bundle->store = keystore_open(&options);
	return g_steal_pointer(&bundle);
}

/* Returns: false with errno set.  A file system without links cannot refuse what exists and be atomic
 * at once; there the look comes first. */
static bool put_in_place(const char *from, const char *to)
{
	if (link(from, to) == 0)
		return unlink(from) == 0;
	if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
		return false;
	if (!file_exists(to))
		return rename(from, to) == 0;
	errno = EEXIST;
	return false;
}

static bool write_aside(int fd, const char *path, GBytes *content, GError **error)
{
	gsize size = 0;
	const void *data = g_bytes_get_data(content, &size);
	bool is_written = file_write_all(fd, data, size, error);
	bool is_safe = is_written && fsync(fd) == 0;
	int errnum = errno;

	if (close(fd) != 0 && is_safe) {
		is_safe = false;
		errnum = errno;
	}
	if (is_written && !is_safe)
		fault_set_errno(error, errnum, "cannot write %s", path);
	return is_safe;
}

bool key_bundle_publish(KeyBundle *bundle, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(bundle->path);
	g_auto(Aside) aside = { NULL, -1, -1 };
	g_autoptr(GBytes) content = file_read(bundle->inner, KEY_BUNDLE_MAX_BYTES, error);

	if (!content || !aside_open(&aside, directory, error) ||
	    !write_aside(aside.fd, bundle->path, content, error))
		return false;
	if (put_in_place(aside.path, bundle->path)) {
		g_clear_pointer(&aside.path, g_free);
		return file_sync_dir(directory, error);
	}
	if (errno == EEXIST)
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "%s exists", bundle->path);
	else
		fault_set_errno(error, errno, "cannot write %s", bundle->path);
	return false;
}
