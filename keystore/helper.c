/* keystore/helper.c - the helper: requests on stdin, answers from the system's keyring
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/helper.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keystore/body.h"
#include "keystore/helper_private.h"
#include "keystore/message_key.h"

bool keystore_is_helper(int argc, char **argv)
{
	int type = 0;
	socklen_t size = sizeof(type);

	return argc == 2 && strcmp(argv[1], HELPER_ARGUMENT) == 0 &&
	       getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

/* The main thread may wait for a dialog; this one sees that nobody wants the answer any more. */
static gpointer watch_parent(gpointer data)
{
	struct pollfd parent = { .fd = STDIN_FILENO };

	for (;;)
		if (poll(&parent, 1, -1) > 0 && parent.revents)
			_exit(0);
	return data;
}

static bool fail_request(GError **error)
{
	return keystore_fail(error, KEYSTORE_ERROR_UNAVAILABLE, NULL,
	                     "the keyring helper does not know this request");
}

/* Returns: (transfer full) (nullable): the keys of @request; NULL with an error set. */
static GArray *parse_keys(const Message *request, GError **error)
{
	g_autoptr(GArray) keys =
		g_array_sized_new(false, true, sizeof(MessageKey), message_count(request));

	g_array_set_clear_func(keys, (GDestroyNotify)message_key_clear);
	for (guint i = 0; i < message_count(request); i++) {
		MessageKey key = { 0 };

		if (!message_parse_key(message_part(request, i), &key)) {
			fail_request(error);
			return NULL;
		}
		g_array_append_val(keys, key);
	}
	return g_steal_pointer(&keys);
}

static bool check_item(const BackEndItem *item, GError **error)
{
	gsize size = 0;
	gconstpointer data = item->secret ? g_bytes_get_data(item->secret, &size) : NULL;

	return !item->secret || body_secret_is_valid(data, size) ||
	       keystore_fail(error, KEYSTORE_ERROR_CORRUPT, NULL,
	                     "what the keyring has as %s cannot be a key (%" G_GSIZE_FORMAT
	                     " bytes)",
	                     item->name, size);
}

static bool add_items(Message *answer, const BackEndItem *items, guint count, GError **error)
{
	for (guint i = 0; i < count; i++) {
		BackEndChange found = { items[i].profile, items[i].name, items[i].secret,
			                items[i].note, BACK_END_PUT };

		if (!check_item(&items[i], error))
			return false;
		message_add_key(answer, &found);
	}
	return true;
}

static bool serve_read(gpointer keyring, const Message *request, Message *answer, GError **error)
{
	bool may_prompt = request->code & MESSAGE_MAY_PROMPT;
	g_autoptr(GArray) keys = parse_keys(request, error);

	if (!keys)
		return false;
	g_autofree BackEndItem *items = g_new0(BackEndItem, keys->len);
	for (guint i = 0; i < keys->len; i++) {
		const MessageKey *key = &g_array_index(keys, MessageKey, i);

		items[i].profile = key->profile;
		items[i].name = key->name;
		items[i].secret_only = key->action != BACK_END_NOTE;
	}
	bool is_read = helper_keyring.read(keyring, may_prompt, items, keys->len, error) &&
	               add_items(answer, items, keys->len, error);
	back_end_items_clear(items, keys->len);
	return is_read;
}

static bool serve_apply(gpointer keyring, const Message *request, Message *answer G_GNUC_UNUSED,
                        GError **error)
{
	bool may_prompt = request->code & MESSAGE_MAY_PROMPT;
	g_autoptr(GArray) keys = parse_keys(request, error);

	for (guint i = 0; keys && i < keys->len; i++) {
		const MessageKey *key = &g_array_index(keys, MessageKey, i);
		BackEndChange change = { key->profile, key->name, message_part(request, i)->secret,
			                 key->note, key->action };

		if (!helper_keyring.change(keyring, may_prompt, &change, error))
			return false;
	}
	return keys != NULL;
}

static bool serve_list(gpointer keyring, const Message *request, Message *answer, GError **error)
{
	g_autoptr(GPtrArray) entries =
		helper_keyring.list(keyring, request->code & MESSAGE_MAY_PROMPT, error);

	for (guint i = 0; entries && i < entries->len; i++) {
		const KeystoreEntry *entry = g_ptr_array_index(entries, i);
		BackEndChange found = { entry->profile, entry->name, NULL, entry->note,
			                BACK_END_PUT };

		message_add_key(answer, &found);
	}
	return entries != NULL;
}

static void set_failure(Message *answer, GError *error)
{
	KeystoreError code = error->domain == KEYSTORE_ERROR ? (KeystoreError)error->code
	                                                     : helper_keyring.judge(error);

	message_clear(answer);
	answer->code = (guint32)code + 1;
	message_add(
		answer,
		error->domain == KEYSTORE_ERROR
			? g_strdup(error->message)
			: g_strdup_printf("the keyring cannot be used: %.1000s", error->message),
		NULL);
}

static bool serve(gpointer keyring, const Message *request, Message *answer, GError **error)
{
	static bool (*const servants[])(gpointer, const Message *, Message *, GError **) = {
		[MESSAGE_READ] = serve_read,
		[MESSAGE_APPLY] = serve_apply,
		[MESSAGE_LIST] = serve_list,
	};
	guint32 index = request->code & ~MESSAGE_MAY_PROMPT;

	if (index == 0 || index >= G_N_ELEMENTS(servants))
		return fail_request(error);
	return servants[index](keyring, request, answer, error);
}

int keystore_helper_main(void)
{
	gpointer keyring = NULL;
	g_auto(Message) request = { 0 };

	(void)signal(SIGPIPE, SIG_IGN);
	(void)g_thread_unref(g_thread_new("parent", watch_parent, NULL));
	while (message_read(STDIN_FILENO, -1, &request, NULL)) {
		g_auto(Message) answer = { 0 };
		g_autoptr(GError) error = NULL;

		if (!keyring)
			keyring = helper_keyring.open(&error);
		if (!keyring || !serve(keyring, &request, &answer, &error))
			set_failure(&answer, error);
		message_clear(&request);
		if (!message_write(STDIN_FILENO, &answer, NULL))
			break;
	}
	return 0; /* the system takes the connection back */
}
