/* keystore/secret_service_linux.c - back end "secret-service": the keyring of the desktop
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/cancel.h"
#include "base/coprocess.h"
#include "base/fault.h"
#include "base/session_bus.h"
#include "keystore/back_end_private.h"
#include "keystore/body.h"
#include "keystore/choice.h"
#include "keystore/helper.h"
#include "keystore/message.h"
#include "keystore/secret_probe.h"

#define ANSWER_TIMEOUT_MS 10000
#define UNLOCK_TIMEOUT_MS 120000

/* One helper serves all requests of a run: some services ask the user once for each process. */
typedef struct {
	const KeystoreOptions *options;
	Coprocess *helper; /* (nullable): not started yet */
	bool was_refused;  /* the person did not unlock it; they are not asked again */
	bool was_late;     /* it is not waited for again */
} SecretService;

static const char no_session[] = "Run it in your desktop session, or set the key itself as "
				 "environment variable.";

/* The hints, by what the helper answers. */
static const char *const hints[] = {
	[KEYSTORE_ERROR_LOCKED] =
		"Unlock it with your desktop's password program, run the command "
		"on a terminal of the desktop, or set the key itself as environment "
		"variable.",
	[KEYSTORE_ERROR_UNAVAILABLE] = no_session,
	[KEYSTORE_ERROR_TIMEOUT] = "Look whether a dialog of the desktop waits for you, then run "
				   "the command again.",
	[KEYSTORE_ERROR_DENIED] = no_session,
	[KEYSTORE_ERROR_CORRUPT] =
		"Look at the item in your desktop's password program, or set the "
		"key anew.",
};

static char *bus_address(void)
{
	return session_bus_address(g_getenv("DBUS_SESSION_BUS_ADDRESS"),
	                           g_getenv("XDG_RUNTIME_DIR"));
}

/* A dialog appears on a screen, whatever terminal we are on. */
static bool can_prompt(const KeystoreOptions *options)
{
	const char *x11 = g_getenv("DISPLAY");
	const char *wayland = g_getenv("WAYLAND_DISPLAY");

	return options->tell && ((x11 && *x11) || (wayland && *wayland));
}

static bool service_suits(const KeystoreOptions *options, char **why)
{
	g_autofree char *address = bus_address();
	SecretProbeState state = secret_probe(address);

	*why = g_strdup(secret_probe_phrase(state));
	return state == SECRET_PROBE_UNLOCKED ||
	       (state == SECRET_PROBE_LOCKED && can_prompt(options));
}

static gpointer service_open(const KeystoreOptions *options)
{
	SecretService *service = g_new0(SecretService, 1);

	service->options = options;
	return service;
}

static void service_free(gpointer data)
{
	SecretService *service = data;

	coprocess_free(service->helper);
	g_free(service);
}

static bool service_exists(gpointer data)
{
	const SecretService *service = data;
	g_autofree char *chosen = NULL;

	return !choice_read(service->options->path, &chosen, NULL) ||
	       g_strcmp0(chosen, back_end_secret_service.name) == 0;
}

/* No file with a key would be of use. */
static bool service_is_unattended(gpointer data G_GNUC_UNUSED)
{
	return true;
}

/* By its name, for emulators know no other way; by /proc where another version has that name by now. */
static char *self_path(void)
{
	char *path = g_file_read_link("/proc/self/exe", NULL);

	if (path && g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
		return path;
	g_free(path);
	return g_strdup("/proc/self/exe");
}

/* The helper gets the bus by its socket, so that nothing in it can start one. */
static bool start_helper(SecretService *service, GError **error)
{
	g_autofree char *address = bus_address();
	g_autofree char *variable = g_strconcat("DBUS_SESSION_BUS_ADDRESS=", address, NULL);
	g_autofree char *self = self_path();
	g_autoptr(GError) cause = NULL;

	if (service->helper && coprocess_is_alive(service->helper))
		return true;
	coprocess_free(g_steal_pointer(&service->helper));
	if (!address)
		return keystore_fail(
			error, KEYSTORE_ERROR_UNAVAILABLE, no_session,
			"the keys are in the desktop's keyring, and there is no session "
			"bus to reach it");

	service->helper = coprocess_start((const char *const[]){ self, HELPER_ARGUMENT, NULL },
	                                  variable, &cause);
	return service->helper ||
	       keystore_fail(error, KEYSTORE_ERROR_UNAVAILABLE, NULL, "%s", cause->message);
}

/* What it means for the key that the helper was killed, or was late. */
static bool set_broken(SecretService *service, const GError *cause, guint timeout_ms,
                       GError **error)
{
	coprocess_free(g_steal_pointer(&service->helper));
	service->was_late = g_error_matches(cause, FAULT, STATUS_DEADLINE);
	if (service->was_late)
		return keystore_fail(error, KEYSTORE_ERROR_TIMEOUT, hints[KEYSTORE_ERROR_TIMEOUT],
		                     "the desktop's keyring did not answer within %g s",
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
static bool exchange(SecretService *service, const Message *request, Message *answer,
                     GError **error)
{
	const KeystoreOptions *options = service->options;
	g_autoptr(GError) cause = NULL;
	guint timeout_ms =
		options->answer_timeout_ms ? options->answer_timeout_ms : ANSWER_TIMEOUT_MS;

	if (request->code & MESSAGE_MAY_PROMPT)
		timeout_ms =
			options->unlock_timeout_ms ? options->unlock_timeout_ms : UNLOCK_TIMEOUT_MS;
	if (service->was_late)
		return keystore_fail(error, KEYSTORE_ERROR_TIMEOUT, hints[KEYSTORE_ERROR_TIMEOUT],
		                     "the desktop's keyring does not answer");
	if (!start_helper(service, error))
		return false;

	int fd = coprocess_fd(service->helper);
	if (message_write(fd, request, &cause) && message_read(fd, (int)timeout_ms, answer, &cause))
		return true;
	return set_broken(service, cause, timeout_ms, error);
}

static bool is_answer(const Message *answer, KeystoreError code)
{
	return answer->code == (guint32)code + 1;
}

static bool set_answer(const Message *answer, const char *name, GError **error)
{
	if (answer->code == MESSAGE_DONE)
		return true;
	if (is_answer(answer, KEYSTORE_ERROR_NOT_FOUND))
		return back_end_not_found(name, error);

	guint32 code = answer->code - 1;
	if (code >= G_N_ELEMENTS(hints) || !hints[code])
		code = KEYSTORE_ERROR_UNAVAILABLE;
	return keystore_fail(error, (KeystoreError)code, hints[code], "%s", answer->text);
}

/* Asks; and where it is locked and a person is there, asks again so that a dialog may appear. */
static bool ask(SecretService *service, Message *request, Message *answer, GError **error)
{
	const KeystoreOptions *options = service->options;
	const char *name = request->text;

	if (!exchange(service, request, answer, error))
		return false;
	if (!is_answer(answer, KEYSTORE_ERROR_LOCKED) || !can_prompt(options) ||
	    service->was_refused)
		return set_answer(answer, name, error);

	options->tell("waiting for your desktop's unlock dialog (Ctrl-C to cancel)", options->data);
	message_clear(answer);
	request->code |= MESSAGE_MAY_PROMPT;
	service->was_refused = true;
	if (!exchange(service, request, answer, error))
		return false;
	service->was_refused = is_answer(answer, KEYSTORE_ERROR_LOCKED);
	return set_answer(answer, name, error);
}

static GBytes *service_lookup(gpointer data, const char *name, GError **error)
{
	g_auto(Message) request = { MESSAGE_LOOKUP, g_strdup(name), NULL };
	g_auto(Message) answer = { 0 };

	if (!ask(data, &request, &answer, error))
		return NULL;
	if (answer.secret && body_secret_is_valid(g_bytes_get_data(answer.secret, NULL),
	                                          g_bytes_get_size(answer.secret)))
		return g_steal_pointer(&answer.secret);
	keystore_fail(error, KEYSTORE_ERROR_CORRUPT, hints[KEYSTORE_ERROR_CORRUPT],
	              "what the keyring has as %s cannot be a key", name);
	return NULL;
}

static bool service_save(gpointer data, const char *name, GBytes *secret, GError **error)
{
	g_auto(Message) request = { MESSAGE_SAVE, g_strdup(name), g_bytes_ref(secret) };
	g_auto(Message) answer = { 0 };

	return ask(data, &request, &answer, error);
}

static bool service_remove(gpointer data, const char *name, GError **error)
{
	g_auto(Message) request = { MESSAGE_REMOVE, g_strdup(name), NULL };
	g_auto(Message) answer = { 0 };

	return ask(data, &request, &answer, error);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	const KeystoreEntry *const *left = a;
	const KeystoreEntry *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

static KeystoreEntry *parse_entry(const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 3);

	if (g_strv_length(words) != 3 || !body_name_is_valid(words[0]))
		return NULL;
	KeystoreEntry *entry = g_new0(KeystoreEntry, 1);
	entry->name = g_strdup(words[0]);
	entry->created_s = g_ascii_strtoll(words[1], NULL, 10);
	entry->changed_s = g_ascii_strtoll(words[2], NULL, 10);
	return entry;
}

static GPtrArray *service_list(gpointer data, GError **error)
{
	g_auto(Message) request = { MESSAGE_LIST, g_strdup(""), NULL };
	g_auto(Message) answer = { 0 };

	if (!ask(data, &request, &answer, error))
		return NULL;
	GPtrArray *entries = g_ptr_array_new_with_free_func((GDestroyNotify)keystore_entry_free);
	g_auto(GStrv) lines = g_strsplit(answer.text, "\n", -1);
	for (char **line = lines; *line; line++) {
		KeystoreEntry *entry = parse_entry(*line);
		if (entry)
			g_ptr_array_add(entries, entry);
	}
	g_ptr_array_sort(entries, by_name);
	return entries;
}

static bool service_delete_empty(gpointer data, GError **error)
{
	const SecretService *service = data;

	if (!service_exists(data))
		return true;
	g_autoptr(GPtrArray) entries = service_list(data, error);
	if (!entries)
		return false;
	if (entries->len == 0)
		return choice_forget(service->options->path, back_end_secret_service.name, error);

	fault_set(error, STATUS_FAILED, "See them with: slipway keys list",
	          "%u keys are left in the desktop's keyring", entries->len);
	return false;
}

const BackEnd back_end_secret_service = {
	.name = "secret-service",
	.is_recorded = true,
	.suits = service_suits,
	.open = service_open,
	.free = service_free,
	.exists = service_exists,
	.is_unattended = service_is_unattended,
	.lookup = service_lookup,
	.save = service_save,
	.remove = service_remove,
	.delete_empty = service_delete_empty,
	.list = service_list,
};
