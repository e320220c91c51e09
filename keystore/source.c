/* keystore/source.c - descriptor, file or person
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/source.h"

#include <sys/stat.h>

#include "base/cancel.h"
#include "base/secret.h"
#include "keystore/descriptor.h"
#include "keystore/error.h"
#include "keystore/vault.h"

#define PASSPHRASE_MIN_CHARACTERS 12
#define PASSPHRASE_MAX_BYTES 1024

static const char remedies[] = "Use --key-file, --passphrase-file or --passphrase-fd, run it on a "
			       "terminal to be asked, or "
			       "set the key itself as environment variable.";

void source_clear(Source *source)
{
	if (source->secret)
		g_bytes_unref(source->secret);
	source->secret = NULL;
}

/* An empty one was left by a maker that was killed. */
static bool has_default(const KeystoreOptions *options)
{
	struct stat status;

	return options->default_key_file && stat(options->default_key_file, &status) == 0 &&
	       status.st_size > 0;
}

bool source_is_unattended(const KeystoreOptions *options)
{
	return options->passphrase_fd >= 0 || options->passphrase_file || options->key_file ||
	       has_default(options);
}

static GBytes *from_descriptor(int fd, GError **error)
{
	g_autoptr(GError) cause = NULL;
	GBytes *secret = descriptor_read_secret(fd, PASSPHRASE_MAX_BYTES, &cause);

	if (!secret && cancel_signal() != 0)
		g_propagate_error(error, g_steal_pointer(&cause));
	else if (!secret)
		keystore_fail(error, KEYSTORE_ERROR_LOCKED, NULL,
		              "there is no passphrase in descriptor %d: %s", fd, cause->message);
	return secret;
}

static GBytes *from_file(const char *path, GError **error)
{
	g_autoptr(GBytes) content = vault_read_key(path, PASSPHRASE_MAX_BYTES, error);
	gsize size = 0;
	const char *text = content ? g_bytes_get_data(content, &size) : NULL;

	if (!text)
		return NULL;
	size = descriptor_chomp(text, size);
	if (size > 0)
		return secret_new(text, size);
	keystore_fail(error, KEYSTORE_ERROR_LOCKED, NULL, "the passphrase in %s is empty", path);
	return NULL;
}

static GBytes *from_key_file(const char *path, GError **error)
{
	g_autoptr(GBytes) key = vault_read_key(path, PASSPHRASE_MAX_BYTES, error);

	if (!key)
		return NULL;
	if (g_bytes_get_size(key) == CRYPTO_KEY_BYTES)
		return g_steal_pointer(&key);
	keystore_fail(error, KEYSTORE_ERROR_LOCKED, NULL,
	              "the key file %s has %" G_GSIZE_FORMAT " bytes, not %d", path,
	              g_bytes_get_size(key), CRYPTO_KEY_BYTES);
	return NULL;
}

static bool check_strength(GBytes *passphrase, GError **error)
{
	gsize size = 0;
	const char *text = g_bytes_get_data(passphrase, &size);
	bool is_text = g_utf8_validate(text, (gssize)size, NULL);
	glong characters = is_text ? g_utf8_strlen(text, (gssize)size) : (glong)size;

	return characters >= PASSPHRASE_MIN_CHARACTERS ||
	       keystore_fail(error, KEYSTORE_ERROR_BAD_SECRET, "A few words in a row do well.",
	                     "the passphrase of a new keystore needs at least %d characters",
	                     PASSPHRASE_MIN_CHARACTERS);
}

static GBytes *ask_new(const KeystoreOptions *options, GError **error)
{
	g_autoptr(GBytes) first =
		options->ask("New passphrase for the keystore", options->data, error);

	if (!first || !check_strength(first, error))
		return NULL;
	g_autoptr(GBytes) second = options->ask("The same again", options->data, error);
	if (!second)
		return NULL;
	if (g_bytes_equal(first, second))
		return g_steal_pointer(&first);

	keystore_fail(error, KEYSTORE_ERROR_BAD_SECRET, NULL, "the two passphrases differ");
	return NULL;
}

static bool find_nothing(SourceUse use, GError **error)
{
	if (use == SOURCE_FOR_NEW)
		return keystore_fail(
			error, KEYSTORE_ERROR_UNAVAILABLE, remedies,
			"there is no keystore yet, and nothing to lock a new one with");
	return keystore_fail(error, KEYSTORE_ERROR_LOCKED, remedies,
	                     "the keystore is locked, and there is nothing to open it with");
}

static GBytes *read_passphrase(const KeystoreOptions *options, SourceUse use, GError **error)
{
	g_autoptr(GBytes) secret = options->passphrase_fd >= 0
	                                   ? from_descriptor(options->passphrase_fd, error)
	                                   : from_file(options->passphrase_file, error);

	if (!secret || (use == SOURCE_FOR_NEW && !check_strength(secret, error)))
		return NULL;
	return g_steal_pointer(&secret);
}

bool key_source_read(const KeystoreOptions *options, SourceUse use, Source *source, GError **error)
{
	*source = (Source){ .type = SLOT_PASSPHRASE };
	if (options->passphrase_fd >= 0 || options->passphrase_file) {
		source->secret = read_passphrase(options, use, error);
	} else if (options->key_file || (use != SOURCE_FOR_PASSPHRASE && has_default(options))) {
		source->type = SLOT_KEY_FILE;
		source->secret = from_key_file(
			options->key_file ? options->key_file : options->default_key_file, error);
	} else if (options->ask) {
		source->was_asked = true;
		source->secret = use == SOURCE_FOR_NEW ? ask_new(options, error)
		                                       : options->ask("Passphrase of the keystore",
		                                                      options->data, error);
	} else {
		return find_nothing(use, error);
	}
	return source->secret != NULL;
}
