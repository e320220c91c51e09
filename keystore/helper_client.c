/* keystore/helper_client.c - asks the helper, under a deadline, and says what its answers mean
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/helper_client.h"

#include <string.h>

#include "base/cancel.h"
#include "base/coprocess.h"
#include "base/fault.h"
#include "keystore/choice.h"
#include "keystore/helper.h"
#include "keystore/helper_private.h"
#include "keystore/message_key.h"
#include "keystore/vault.h"

#define ANSWER_TIMEOUT_MS 10000
#define UNLOCK_TIMEOUT_MS 120000

/* One helper serves all requests of a run: some services ask the user once for each process. */
typedef struct {
	const HelperSide *side;
	const KeystoreOptions *options;
	Coprocess *helper; /* (nullable): not started yet */
	bool was_refused;  /* the person did not unlock it; they are not asked again */
	bool was_late;     /* it is not waited for again */
} HelperClient;

gpointer helper_client_new(const HelperSide *side, const KeystoreOptions *options)
{
	HelperClient *client = g_new0(HelperClient, 1);

	client->side = side;
	client->options = options;
	return client;
}

void helper_client_free(gpointer data)
{
	HelperClient *client = data;

	coprocess_free(client->helper);
	g_free(client);
}

bool helper_client_exists(gpointer data)
{
	const HelperClient *client = data;
	g_autofree char *chosen = NULL;

	return !choice_read(client->options->path, &chosen, NULL) ||
	       g_strcmp0(chosen, client->side->back_end->name) == 0;
}

/* No file with a key would be of use. */
bool helper_client_is_unattended(gpointer data G_GNUC_UNUSED)
{
	return true;
}

static bool start_helper(HelperClient *client, GError **error)
{
	g_autofree char *self = helper_self_path();
	g_autofree char *variable = NULL;
	g_autoptr(GError) cause = NULL;

	if (client->helper && coprocess_is_alive(client->helper))
		return true;
	coprocess_free(g_steal_pointer(&client->helper));
	if (!client->side->environment(&variable, error))
		return false;

	client->helper = coprocess_start((const char *const[]){ self, HELPER_ARGUMENT, NULL },
	                                 variable, &cause);
	return client->helper ||
	       keystore_fail(error, KEYSTORE_ERROR_UNAVAILABLE, NULL, "%s", cause->message);
}

/* What it means for the key that the helper was killed, or was late. */
static bool set_broken(HelperClient *client, const GError *cause, guint timeout_ms, GError **error)
{
	coprocess_free(g_steal_pointer(&client->helper));
	client->was_late = g_error_matches(cause, FAULT, STATUS_DEADLINE);
	if (client->was_late)
		return keystore_fail(error, KEYSTORE_ERROR_TIMEOUT, client->side->late_hint,
		                     "%s did not answer within %g s", client->side->title,
		                     timeout_ms / 1000.0);
	if (cancel_signal() != 0) {
		g_propagate_error(error, g_error_copy(cause));
		return false;
	}
	g_autofree char *message = fault_message(cause);
	const char *hint = fault_hint(cause);
	return keystore_fail(error, KEYSTORE_ERROR_UNAVAILABLE,
	                     hint ? hint : "Run the command again.", "%s", message);
}

/* One request, one answer. */
static bool exchange(HelperClient *client, const Message *request, Message *answer, GError **error)
{
	const KeystoreOptions *options = client->options;
	g_autoptr(GError) cause = NULL;
	guint timeout_ms =
		options->answer_timeout_ms ? options->answer_timeout_ms : ANSWER_TIMEOUT_MS;

	if (request->code & MESSAGE_MAY_PROMPT)
		timeout_ms =
			options->unlock_timeout_ms ? options->unlock_timeout_ms : UNLOCK_TIMEOUT_MS;
	if (client->was_late)
		return keystore_fail(error, KEYSTORE_ERROR_TIMEOUT, client->side->late_hint,
		                     "%s does not answer", client->side->title);
	if (!start_helper(client, error))
		return false;

	int fd = coprocess_fd(client->helper);
	if (message_write(fd, request, &cause) && message_read(fd, (int)timeout_ms, answer, &cause))
		return true;
	return set_broken(client, cause, timeout_ms, error);
}

static bool is_answer(const Message *answer, KeystoreError code)
{
	return answer->code == (guint32)code + 1;
}

static const char *hint_of(const HelperSide *side, guint32 code)
{
	switch (code) {
	case KEYSTORE_ERROR_LOCKED:
		return side->locked_hint;
	case KEYSTORE_ERROR_TIMEOUT:
		return side->late_hint;
	case KEYSTORE_ERROR_CORRUPT:
		return side->damaged_hint;
	default:
		return side->absent_hint;
	}
}

static bool set_answer(const HelperClient *client, const Message *answer, GError **error)
{
	guint32 code = answer->code - 1;
	const char *text = message_count(answer) > 0 ? message_part(answer, 0)->text : "";

	if (answer->code == MESSAGE_DONE)
		return true;
	if (code > KEYSTORE_ERROR_EXISTS)
		code = KEYSTORE_ERROR_UNAVAILABLE;
	if (strchr(text, '\n')) {
		g_set_error_literal(error, KEYSTORE_ERROR, (int)code, text);
		return false;
	}
	return keystore_fail(error, (KeystoreError)code, hint_of(client->side, code), "%s", text);
}

/* Asks; and where it is locked and a person is there, asks again so that a dialog may appear. */
static bool ask(HelperClient *client, Message *request, Message *answer, GError **error)
{
	const KeystoreOptions *options = client->options;

	if (!exchange(client, request, answer, error))
		return false;
	if (!is_answer(answer, KEYSTORE_ERROR_LOCKED) || client->was_refused || !options->tell ||
	    !client->side->can_prompt())
		return set_answer(client, answer, error);

	options->tell(client->side->waiting, options->data);
	message_clear(answer);
	request->code |= MESSAGE_MAY_PROMPT;
	client->was_refused = true;
	if (!exchange(client, request, answer, error))
		return false;
	client->was_refused = is_answer(answer, KEYSTORE_ERROR_LOCKED);
	return set_answer(client, answer, error);
}

static bool fail_answer(GError **error)
{
	return keystore_fail(error, KEYSTORE_ERROR_UNAVAILABLE, "Run the command again.",
	                     "the answer of the keyring helper makes no sense");
}

static bool take_item(const MessagePart *part, BackEndItem *item, GError **error)
{
	g_auto(MessageKey) key = { 0 };

	if (!message_parse_key(part, &key) || strcmp(key.profile, item->profile) != 0 ||
	    strcmp(key.name, item->name) != 0)
		return fail_answer(error);
	item->note = key.note;
	item->secret = part->secret ? g_bytes_ref(part->secret) : NULL;
	return true;
}

bool helper_client_read(gpointer data, BackEndItem *items, guint count, GError **error)
{
	g_auto(Message) request = { MESSAGE_READ, NULL };
	g_auto(Message) answer = { 0 };

	for (guint i = 0; i < count; i++)
		message_add_key(&request,
		                &(BackEndChange){ .profile = items[i].profile,
		                                  .name = items[i].name,
		                                  .action = items[i].secret_only ? BACK_END_PUT
		                                                                 : BACK_END_NOTE });
	if (!ask(data, &request, &answer, error))
		return false;
	if (message_count(&answer) != count)
		return fail_answer(error);
	for (guint i = 0; i < count; i++)
		if (!take_item(message_part(&answer, i), &items[i], error)) {
			back_end_items_clear(items, i);
			return false;
		}
	return true;
}

static bool may_collide(const BackEndChange *changes, guint count)
{
	for (guint i = 0; i < count; i++)
		if (changes[i].action == BACK_END_ADD)
			return true;
	return false;
}

/* A keyring cannot add an item unless there is one: so that two of us do not, one waits. */
bool helper_client_apply(gpointer data, const BackEndChange *changes, guint count, GError **error)
{
	const HelperClient *client = data;
	g_auto(Message) request = { MESSAGE_APPLY, NULL };
	g_auto(Message) answer = { 0 };
	g_autoptr(Lock) lock = NULL;

	if (may_collide(changes, count)) {
		lock = vault_lock(client->options->path, error);
		if (!lock)
			return false;
	}
	for (guint i = 0; i < count; i++)
		message_add_key(&request, &changes[i]);
	return ask(data, &request, &answer, error);
}

GPtrArray *helper_client_list(gpointer data, GError **error)
{
	g_auto(Message) request = { MESSAGE_LIST, NULL };
	g_auto(Message) answer = { 0 };

	if (!ask(data, &request, &answer, error))
		return NULL;
	GPtrArray *entries = g_ptr_array_new_with_free_func((GDestroyNotify)keystore_entry_free);
	for (guint i = 0; i < message_count(&answer); i++) {
		g_auto(MessageKey) key = { 0 };

		if (!message_parse_key(message_part(&answer, i), &key))
			continue;
		KeystoreEntry *entry = g_new0(KeystoreEntry, 1);
		entry->profile = g_steal_pointer(&key.profile);
		entry->name = g_steal_pointer(&key.name);
		entry->note = key.note;
		g_ptr_array_add(entries, entry);
	}
	g_ptr_array_sort(entries, back_end_compare_entries);
	return entries;
}

/* What the store keeps for itself goes with the last key. */
static bool remove_own(gpointer client, const GPtrArray *entries, GError **error)
{
	g_autofree BackEndChange *changes = g_new0(BackEndChange, entries->len + 1);
	guint count = 0;

	for (guint i = 0; i < entries->len; i++) {
		const KeystoreEntry *entry = g_ptr_array_index(entries, i);

		if (g_str_has_prefix(entry->name, BACK_END_FILE_KEY))
			continue;
		changes[count].profile = entry->profile;
		changes[count].name = entry->name;
		count++;
	}
	return count == 0 || helper_client_apply(client, changes, count, error);
}

static guint count_keys(const GPtrArray *entries)
{
	guint count = 0;

	for (guint i = 0; i < entries->len; i++) {
		const KeystoreEntry *entry = g_ptr_array_index(entries, i);

		count += strcmp(entry->profile, KEYSTORE_PROFILE_OWN) != 0;
	}
	return count;
}

bool helper_client_delete_empty(gpointer data, GError **error)
{
	const HelperClient *client = data;

	if (!helper_client_exists(data))
		return true;
	g_autoptr(GPtrArray) entries = helper_client_list(data, error);
	if (!entries)
		return false;
	guint count = count_keys(entries);
	if (count == 0)
		return remove_own(data, entries, error) &&
		       choice_forget(client->options->path, client->side->back_end->name, error);

	fault_set(error, STATUS_FAILED, "See them with: slipway keys list",
	          "%u keys are left in %s", count, client->side->title);
	return false;
}
