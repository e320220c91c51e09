/* keystore/source.c - descriptor, file, keyring or person
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/source.h"

#include <sys/stat.h>

#include "base/cancel.h"
#include "base/secret.h"
#include "keystore/descriptor.h"
#include "keystore/error.h"
#include "keystore/slot_keyring.h"
#include "keystore/vault.h"

#define CREDENTIAL_KEY "slipway.key"
#define CREDENTIAL_PASSPHRASE "slipway.passphrase"
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

/* Returns: (transfer full) (nullable): the path of a credential that systemd handed over. */
static char *credential_path(const char *name)
{
	const char *directory = g_getenv("CREDENTIALS_DIRECTORY");
	g_autofree char *path = directory && g_path_is_absolute(directory)
	                                ? g_build_filename(directory, name, NULL)
	                                : NULL;

	return path && g_file_test(path, G_FILE_TEST_EXISTS) ? g_steal_pointer(&path) : NULL;
}

/* An empty one was left by a maker that was killed. */
static bool has_default(const KeystoreOptions *options)
{
	struct stat status;

	return options->default_key_file && stat(options->default_key_file, &status) == 0 &&
	       status.st_size > 0;
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

static GBytes *read_text(const char *path, GError **error)
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

GBytes *source_read_key_file(const char *path, GError **error)
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

GBytes *source_read_passphrase(const char *path, bool is_new, GError **error)
{
	g_autoptr(GBytes) secret = read_text(path, error);

	return secret && (!is_new || check_strength(secret, error)) ? g_steal_pointer(&secret)
	                                                            : NULL;
}

GBytes *source_ask_new(const KeystoreOptions *options, GError **error)
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

static bool find_nothing(const FormatHeader *header, GError **error)
{
	if (!header)
		return keystore_fail(
			error, KEYSTORE_ERROR_UNAVAILABLE, remedies,
			"there is no keystore yet, and nothing to lock a new one with");
	if (format_has_slot(header, SLOT_KEYRING))
		return keystore_fail(error, KEYSTORE_ERROR_LOCKED,
		                     "Unlock the keyring, or use --key-file, --passphrase-file or "
		                     "--passphrase-fd.",
		                     "the keystore is locked, and the desktop's keyring, which has "
		                     "a key to it, is not open here");
	return keystore_fail(error, KEYSTORE_ERROR_LOCKED, remedies,
	                     "the keystore is locked, and there is nothing to open it with");
}

/* What a source is read for. */
typedef struct {
	const KeystoreOptions *options;
	const FormatHeader *header; /* (nullable): a new store */
} Request;

static bool has_fd(const KeystoreOptions *options)
{
	return options->passphrase_fd >= 0;
}

static GBytes *read_fd(const Request *request, GError **error)
{
	g_autoptr(GBytes) secret = from_descriptor(request->options->passphrase_fd, error);

	return secret && (request->header || check_strength(secret, error))
	               ? g_steal_pointer(&secret)
	               : NULL;
}

static bool has_passphrase_file(const KeystoreOptions *options)
{
	return options->passphrase_file != NULL;
}

static GBytes *read_passphrase_file(const Request *request, GError **error)
{
	return source_read_passphrase(request->options->passphrase_file, !request->header, error);
}

static bool has_credential_key(const KeystoreOptions *options G_GNUC_UNUSED)
{
	g_autofree char *path = credential_path(CREDENTIAL_KEY);

	return path != NULL;
}

static GBytes *read_credential_key(const Request *request G_GNUC_UNUSED, GError **error)
{
	g_autofree char *path = credential_path(CREDENTIAL_KEY);

	return source_read_key_file(path ? path : CREDENTIAL_KEY, error);
}

static bool has_credential_passphrase(const KeystoreOptions *options G_GNUC_UNUSED)
{
	g_autofree char *path = credential_path(CREDENTIAL_PASSPHRASE);

	return path != NULL;
}

static GBytes *read_credential_passphrase(const Request *request, GError **error)
{
	g_autofree char *path = credential_path(CREDENTIAL_PASSPHRASE);

	return source_read_passphrase(path ? path : CREDENTIAL_PASSPHRASE, !request->header, error);
}

static bool has_key_file(const KeystoreOptions *options)
{
	return options->key_file != NULL;
}

static GBytes *read_key_file(const Request *request, GError **error)
{
	return source_read_key_file(request->options->key_file, error);
}

static GBytes *read_default(const Request *request, GError **error)
{
	return source_read_key_file(request->options->default_key_file, error);
}

static GBytes *read_keyring(const Request *request, GError **error G_GNUC_UNUSED)
{
	return request->header ? slot_keyring_read(request->options, request->header) : NULL;
}

static bool can_ask(const KeystoreOptions *options)
{
	return options->ask != NULL;
}

static GBytes *read_answer(const Request *request, GError **error)
{
	const KeystoreOptions *options = request->options;

	return request->header ? options->ask("Passphrase of the keystore", options->data, error)
	                       : source_ask_new(options, error);
}

/* One place that a key may come from. */
typedef struct {
	SlotType type;
	bool is_explicit;
	bool needs_nobody;
	bool (*is_set)(const KeystoreOptions *options); /* NULL: it is looked for when it is read */
	GBytes *(*read)(const Request *request,
	                GError **error); /* NULL without an error: not there */
} SourceRow;

static const SourceRow rows[] = {
	{ SLOT_PASSPHRASE, true, true, has_fd, read_fd },
	{ SLOT_PASSPHRASE, true, true, has_passphrase_file, read_passphrase_file },
	{ SLOT_KEY_FILE, false, true, has_credential_key, read_credential_key },
	{ SLOT_PASSPHRASE, false, true, has_credential_passphrase, read_credential_passphrase },
	{ SLOT_KEY_FILE, true, true, has_key_file, read_key_file },
	{ SLOT_KEY_FILE, false, true, has_default, read_default },
	{ SLOT_KEYRING, false, false, NULL, read_keyring },
	{ SLOT_PASSPHRASE, false, false, can_ask, read_answer },
};

bool source_is_unattended(const KeystoreOptions *options)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (rows[i].needs_nobody && rows[i].is_set(options))
			return true;
	return false;
}

static bool fits(const SourceRow *row, const Request *request)
{
	const FormatHeader *header = request->header;

	return (!row->is_set || row->is_set(request->options)) &&
	       (!header || row->is_explicit || format_has_slot(header, row->type));
}

bool key_source_read(const KeystoreOptions *options, const FormatHeader *header, guint *next,
                     Source *source, GError **error)
{
	const Request request = { options, header };

	for (guint i = *next; i < G_N_ELEMENTS(rows); i++) {
		const SourceRow *row = &rows[i];
		g_autoptr(GError) cause = NULL;

		if (!fits(row, &request))
			continue;
		*source = (Source){ row->type, row->read(&request, &cause),
			            row->read == read_answer, row->is_explicit };
		*next = i + 1;
		if (source->secret)
			return true;
		if (cause) {
			g_propagate_error(error, g_steal_pointer(&cause));
			return false;
		}
	}
	*next = G_N_ELEMENTS(rows);
	return find_nothing(header, error);
}
