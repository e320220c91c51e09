/* installer/command_docker_credential.c - the protocol by which docker keeps registry passwords
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"
#include "installer/keys.h"
#include "keystore/descriptor.h"

/* The program's name in it, and the texts that its clients compare.  Source: docker-credential-helpers,
 * credentials/error.go and credentials.go, where errors go to stdout, with status 1. */
#define HELPER "docker-credential-slipway"
#define NOT_FOUND "credentials not found in native keychain"
#define NO_SERVER "no credentials server URL"
#define NO_USER "no credentials username"

#define PROFILE "docker"
#define NAME_PREFIX "registry-"
/* Of the digest, in hex digits: 192 bits. */
#define NAME_DIGITS 48

static bool fail(GError **error, const char *text)
{
	fault_set(error, STATUS_FAILED, NULL, "%s", text);
	return false;
}

/* Past the masking: docker is who asked. */
static bool say(const char *text, GError **error)
{
	return file_write_all(STDOUT_FILENO, text, strlen(text), error) &&
	       file_write_all(STDOUT_FILENO, "\n", 1, error);
}

/* A key's name cannot hold a URL. */
static char *name_of(const char *url)
{
	g_autoptr(GBytes) bytes = g_bytes_new(url, strlen(url));
	g_autofree char *digest = file_digest_bytes(bytes);

	return g_strdup_printf(NAME_PREFIX "%.*s", NAME_DIGITS, digest);
}

/* Wipes the strings of a document before they are freed. */
static void forget(json_t *document)
{
	const char *key = NULL;
	json_t *value = NULL;

	json_object_foreach(document, key, value)
	{
		if (json_is_string(value))
			secret_wipe((char *)(guintptr)json_string_value(value),
			            json_string_length(value));
	}
	json_decref(document);
}

/* Returns: (transfer full) (nullable): the JSON of one account, members in the order of the protocol. */
static GBytes *pack(const char *url, const char *user, const char *password)
{
	json_t *document = json_pack("{s:s, s:s, s:s}", "ServerURL", url, "Username", user,
	                             "Secret", password);
	char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;

	forget(document);
	if (!text)
		return NULL;

	GBytes *secret = secret_new(text, strlen(text));
	secret_wipe(text, strlen(text));
	free(text);
	return secret;
}

static Keystore *open_store(App *app, GError **error)
{
	return keys_open_stored(app, PROFILE, error);
}

static bool store(App *app, GBytes *input, GError **error)
{
	g_autoptr(json_t) document = json_parse_bytes(input, "stdin", error);
	const char *url = document ? json_text_or(document, "ServerURL", "") : NULL;

	if (!url)
		return false;
	if (!*url)
		return fail(error, NO_SERVER);
	if (!*json_text_or(document, "Username", ""))
		return fail(error, NO_USER);

	g_autofree char *name = name_of(url);
	g_autoptr(GBytes) secret =
		pack(url, json_text(document, "Username"), json_text_or(document, "Secret", ""));
	g_autoptr(Keystore) keys = open_store(app, error);
	KeystoreNote note = { .origin = "stdin" };
	bool is_saved = keys && secret && keystore_save_noted(keys, name, secret, &note, error);
	forget(json_incref(document));
	return is_saved;
}

/* What is kept under the name of @url is of this very URL. */
static bool is_of(GBytes *secret, const char *url)
{
	json_t *document = json_parse_bytes(secret, "key", NULL);
	bool is_same = g_strcmp0(json_text(document, "ServerURL"), url) == 0;

	forget(document);
	return is_same;
}

static bool get(App *app, const char *url, GError **error)
{
	g_autofree char *name = name_of(url);
	g_autoptr(GError) cause = NULL;
	g_autoptr(Keystore) keys = open_store(app, error);
	g_autoptr(GBytes) secret = keys ? keystore_lookup(keys, name, NULL, &cause) : NULL;

	if (!keys)
		return false;
	if (secret && is_of(secret, url))
		return say(secret_text(secret), error);
	if (secret || g_error_matches(cause, KEYSTORE_ERROR, KEYSTORE_ERROR_NOT_FOUND))
		return fail(error, NOT_FOUND);
	g_propagate_error(error, g_steal_pointer(&cause));
	return false;
}

static bool erase(App *app, const char *url, GError **error)
{
	g_autofree char *name = name_of(url);
	g_autoptr(GError) cause = NULL;
	g_autoptr(Keystore) keys = open_store(app, error);

	if (!keys)
		return false;
	if (keystore_remove(keys, name, &cause))
		return true;
	if (g_error_matches(cause, KEYSTORE_ERROR, KEYSTORE_ERROR_NOT_FOUND))
		return fail(error, NOT_FOUND);
	g_propagate_error(error, g_steal_pointer(&cause));
	return false;
}

static void list_one(json_t *accounts, GBytes *secret)
{
	json_t *document = secret ? json_parse_bytes(secret, "key", NULL) : NULL;
	const char *url = json_text(document, "ServerURL");
	const char *user = json_text(document, "Username");

	if (url && user)
		json_object_set_new(accounts, url, json_string(user));
	forget(document);
}

static bool list(App *app, GError **error)
{
	g_autoptr(Keystore) keys = open_store(app, error);
	g_autoptr(GPtrArray) entries = keys ? keystore_list(keys, error) : NULL;
	g_autoptr(json_t) accounts = json_object();
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	if (!entries)
		return false;
	for (guint i = 0; i < entries->len; i++) {
		const KeystoreEntry *entry = g_ptr_array_index(entries, i);
		if (g_str_has_prefix(entry->name, NAME_PREFIX))
			g_ptr_array_add(names, entry->name);
	}
	g_ptr_array_add(names, NULL);

	g_autofree GBytes **secrets = g_new0(GBytes *, names->len);
	if (!keystore_lookup_all(keys, (const char *const *)names->pdata, secrets, error))
		return false;
	for (guint i = 0; i + 1 < names->len; i++) {
		list_one(accounts, secrets[i]);
		g_clear_pointer(&secrets[i], g_bytes_unref);
	}

	g_autofree char *text = json_canonical(accounts);
	return say(text, error);
}

/* The lines of stdin as one, without blanks around it. */
static char *read_url(GBytes *input)
{
	g_auto(GStrv) lines = g_strsplit_set(secret_text(input), "\r\n", -1);

	return g_strstrip(g_strjoinv("", lines));
}

static bool act(App *app, const char *action, GError **error)
{
	if (g_str_equal(action, "version"))
		return say(HELPER " (slipway) " VERSION, error);
	if (g_str_equal(action, "list"))
		return list(app, error);
	if (!g_str_equal(action, "store") && !g_str_equal(action, "get") &&
	    !g_str_equal(action, "erase")) {
		fault_set(error, STATUS_FAILED, NULL, HELPER ": unknown action: %s", action);
		return false;
	}

	g_autoptr(GError) cause = NULL;
	g_autoptr(GBytes) input = descriptor_read_secret(STDIN_FILENO, KEYSTORE_SECRET_MAX, &cause);
	g_autofree char *url = input ? read_url(input) : g_strdup("");
	if (!input && !g_error_matches(cause, KEYSTORE_ERROR, KEYSTORE_ERROR_BAD_SECRET)) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return false;
	}
	if (!*url)
		return fail(error, NO_SERVER);
	if (g_str_equal(action, "store"))
		return store(app, input, error);
	return g_str_equal(action, "get") ? get(app, url, error) : erase(app, url, error);
}

/* Why, as the protocol wants it: one line on stdout. */
static void say_why(const GError *cause)
{
	g_autofree char *message = fault_message(cause);
	g_autofree char *line = fault_hint(cause)
	                                ? g_strdup_printf("%s. %s", message, fault_hint(cause))
	                                : g_strdup(message);
	g_autofree char *masked = secret_mask(line);

	(void)say(masked, NULL);
}

bool command_docker_credential(App *app, int argc, char **argv, GError **error)
{
	g_autoptr(GError) cause = NULL;

	app->has_spoken = true;
	if (argc == 1 ? act(app, argv[0], &cause)
	              : fail(&cause, "Usage: " HELPER " <store|get|erase|list|version>"))
		return true;
	say_why(cause);
	return fail(error, "the helper said why");
}
