/* installer/command_keys_rotate.c - "slipway keys rotate": a new secret in two steps, neither of which loses one
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/secret.h"
#include "installer/handover_users.h"
#include "installer/key_verify.h"
#include "installer/keys.h"
#include "keystore/descriptor.h"
#include "payload/stacks.h"

#define PENDING ".pending"
#define PREVIOUS ".previous"
#define DESCRIPTOR_MAX 1023
#define GENERATED_BYTES 32

static gboolean is_from_stdin;
static gboolean is_generated;
static gboolean is_unverified;
static gboolean is_retiring;
static gboolean is_aborting;
static int descriptor = -1;

const GOptionEntry command_keys_rotate_options[] = {
	{ "stdin", 0, 0, G_OPTION_ARG_NONE, &is_from_stdin, "read the new secret from stdin",
	  NULL },
	{ "fd", 0, 0, G_OPTION_ARG_INT, &descriptor, "read it from that descriptor", "N" },
	{ "generate", 0, 0, G_OPTION_ARG_NONE, &is_generated, "make a random one", NULL },
	{ "no-verify", 0, 0, G_OPTION_ARG_NONE, &is_unverified,
	  "put it in place without asking its provider", NULL },
	{ "retire", 0, 0, G_OPTION_ARG_NONE, &is_retiring,
	  "forget the previous one, which its provider does not take any more", NULL },
	{ "abort", 0, 0, G_OPTION_ARG_NONE, &is_aborting,
	  "forget a new one that is not in place yet", NULL },
	{ 0 },
};

/** One key that gets a new value. */
typedef struct {
	App *app;
	Keystore *store;
	const char *name;
	char *pending;
	char *previous;
	KeystoreNote note; /* of the key as it is */
	bool has_key;
	bool has_pending;
	bool has_previous;
} Rotation;

static void rotation_clear(Rotation *rotation)
{
	g_free(rotation->pending);
	g_free(rotation->previous);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Rotation, rotation_clear)

static bool check_options(const char *name, GError **error)
{
	int sources = is_from_stdin + is_generated + (descriptor >= 0);
	const char *fault = NULL;

	if (is_retiring + is_aborting + MIN(sources, 1) > 1)
		fault = "--retire, --abort and a new secret are three different things";
	else if (sources > 1)
		fault = "--stdin, --fd and --generate are three places to get a secret from";
	else if (descriptor < -1 || descriptor > DESCRIPTOR_MAX)
		fault = "--fd: that is not a descriptor";
	else if (g_str_has_suffix(name, PENDING) || g_str_has_suffix(name, PREVIOUS))
		fault = "name the key itself, without .pending or .previous";
	else if (is_from_stdin && isatty(STDIN_FILENO))
		fault = "stdin is a terminal, which would show the secret";
	if (fault)
		fault_set(error, STATUS_USAGE, NULL, "%s", fault);
	return !fault;
}

static bool read_state(Rotation *rotation, GError **error)
{
	g_autoptr(GPtrArray) entries = keystore_list(rotation->store, error);

	for (guint i = 0; entries && i < entries->len; i++) {
		const KeystoreEntry *entry = g_ptr_array_index(entries, i);

		rotation->has_pending |= strcmp(entry->name, rotation->pending) == 0;
		rotation->has_previous |= strcmp(entry->name, rotation->previous) == 0;
		if (strcmp(entry->name, rotation->name) != 0)
			continue;
		rotation->has_key = true;
		rotation->note = entry->note;
	}
	return entries != NULL;
}

static bool check_state(const Rotation *rotation, GError **error)
{
	if (!rotation->has_key)
		fault_set(error, STATUS_FAILED, "Keep it with: slipway keys set NAME",
		          "there is no key %s that could be rotated", rotation->name);
	return rotation->has_key;
}

static const StackKey *find_declared(const StackBundle *bundle, const char *name)
{
	const GPtrArray *keys = stacks_definition(bundle)->keys;

	for (guint i = 0; i < keys->len; i++) {
		const StackKey *key = g_ptr_array_index(keys, i);

		if (strcmp(key->name, name) == 0)
			return key;
	}
	return NULL;
}

/* Returns: how many random bytes the stacks want it to have; 0: none generates it.  @users:
 * (element-type utf8): the stacks that declare it. */
static gsize find_users(const char *name, GPtrArray *users)
{
	gsize bytes = 0;

	for (const char *const *stack = stacks_embedded_names(); *stack; stack++) {
		g_autoptr(StackBundle) bundle = stacks_open(*stack, NULL);
		const StackKey *key = bundle ? find_declared(bundle, name) : NULL;

		if (!key)
			continue;
		g_ptr_array_add(users, (char *)(guintptr)*stack);
		if (key->kind == STACK_KEY_GENERATED)
			bytes = MAX(bytes,
			            key->size_bytes ? (gsize)key->size_bytes : GENERATED_BYTES);
	}
	return bytes;
}

static GBytes *read_secret(const Rotation *rotation, GError **error)
{
	g_autoptr(GPtrArray) users = g_ptr_array_new();
	gsize bytes = find_users(rotation->name, users);
	int fd = is_from_stdin ? STDIN_FILENO : descriptor;

	if (fd >= 0) {
		GBytes *secret = descriptor_read_secret(fd, KEYSTORE_SECRET_MAX, error);
		if (!secret)
			g_prefix_error(error, "cannot read the new secret: ");
		return secret;
	}
	if (is_generated || bytes > 0)
		return secret_new_random_hex(bytes > 0 ? bytes : GENERATED_BYTES);
	if (term_can_ask(rotation->app->term)) {
		g_autofree char *prompt = g_strdup_printf("New secret for %s", rotation->name);
		return term_ask_secret(rotation->app->term, prompt, error);
	}
	fault_set(error, STATUS_USAGE, "Use --stdin, --fd or --generate.",
	          "there is no terminal to ask for the new secret on");
	return NULL;
}

/* First step: the new one lies beside the old one. */
static bool prepare(Rotation *rotation, GError **error)
{
	KeystoreNote note = { .origin = "rotate" };
	bool is_given = is_from_stdin || is_generated || descriptor >= 0;

	if (rotation->has_pending && !is_given) {
		term_note(rotation->app->term, "Going on with the new secret that is there as %s.",
		          rotation->pending);
		return true;
	}
	g_autoptr(GBytes) secret = read_secret(rotation, error);
	g_autoptr(GBytes) old =
		secret ? keystore_lookup(rotation->store, rotation->name, NULL, error) : NULL;
	if (!old)
		return false;
	if (g_bytes_equal(old, secret)) {
		fault_set(error, STATUS_USAGE, NULL, "that is the secret that %s has already",
		          rotation->name);
		return false;
	}
	return keystore_save_noted(rotation->store, rotation->pending, secret, &note, error);
}

/* A new secret that is refused is of no use to anybody. */
static bool refuse(const Rotation *rotation, const char *why, GError **error)
{
	if (!keystore_remove(rotation->store, rotation->pending, error))
		return false;
	fault_set(error, STATUS_FAILED, NULL, "%s stays as it is: the new secret was not taken: %s",
	          rotation->name, why);
	return false;
}

/* @verified_s: (out): 0 when nobody could be asked. */
static bool verify(const Rotation *rotation, GBytes *secret, gint64 *verified_s, GError **error)
{
	const KeyProvider *provider = key_provider_find(rotation->name);
	g_autofree char *why = NULL;

	*verified_s = 0;
	if (is_unverified || !provider || !provider->url)
		return true;
	KeyVerdict verdict = key_verify(rotation->app, rotation->name, secret, &why);
	if (verdict == KEY_REFUSED)
		return refuse(rotation, why, error);
	if (verdict == KEY_VALID || verdict == KEY_LIMITED) {
		*verified_s = g_get_real_time() / G_USEC_PER_SEC;
		term_note(rotation->app->term, "Verified: %s.", why);
		return true;
	}
	fault_set(error, STATUS_UNAVAILABLE,
	          "Run it again later, or with --no-verify; --abort forgets the new one.",
	          "%s stays as it is, and the new secret is kept as %s: %s", rotation->name,
	          rotation->pending, why);
	return false;
}

/* Second step.  In the file it is one change; in a keyring, each of the three leaves a state from
 * which the next run goes on. */
static bool promote(const Rotation *rotation, GBytes *old, GBytes *secret, gint64 verified_s,
                    GError **error)
{
	KeystoreNote note = { .origin = "rotate", .verified_s = verified_s };
	const KeystoreChange changes[] = {
		{ rotation->previous, old, &rotation->note },
		{ rotation->name, secret, &note },
		{ rotation->pending, NULL, NULL },
	};

	/* A run that was killed had already put it in place. */
	if (g_bytes_equal(old, secret))
		return keystore_remove(rotation->store, rotation->pending, error);
	return keystore_apply(rotation->store, changes, G_N_ELEMENTS(changes), error);
}

static void set_document(const Rotation *rotation, const char *state, gint64 verified_s)
{
	g_autoptr(GPtrArray) users = g_ptr_array_new();
	(void)find_users(rotation->name, users);
	json_t *stacks = json_array();

	for (guint i = 0; i < users->len; i++)
		json_array_append_new(stacks, json_string(g_ptr_array_index(users, i)));
	rotation->app->document =
		json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", rotation->name, "state", state,
	                  "verified", verified_s > 0, "backend",
	                  keystore_back_end(rotation->store, NULL, NULL), "stacks", stacks);
}

/* Nothing that runs has the new value yet. */
static void tell_users(const Rotation *rotation)
{
	g_autoptr(GPtrArray) users = g_ptr_array_new();

	if (keys_is_in_environment(rotation->name))
		term_note(rotation->app->term,
		          "The environment variable %s is set and wins over the keystore.",
		          rotation->name);
	if (find_users(rotation->name, users) > 0)
		term_warn(
			rotation->app->term,
			"slipway: what was made with the old value, a database for one, still asks "
			"for it: change it there too");
	handover_tell_users(rotation->app, rotation->name);
}

static bool rotate(Rotation *rotation, GError **error)
{
	const char *const names[] = { rotation->name, rotation->pending, NULL };
	GBytes *secrets[] = { NULL, NULL };
	gint64 verified_s = 0;

	if (!check_state(rotation, error) || !prepare(rotation, error) ||
	    !keystore_lookup_all(rotation->store, names, secrets, error))
		return false;
	g_autoptr(GBytes) old = secrets[0];
	g_autoptr(GBytes) secret = secrets[1];
	if (!old || !secret) {
		fault_set(error, STATUS_BUSY, NULL, "another process removed %s meanwhile",
		          old ? rotation->pending : rotation->name);
		return false;
	}
	if (!verify(rotation, secret, &verified_s, error) ||
	    !promote(rotation, old, secret, verified_s, error))
		return false;

	set_document(rotation, "rotated", verified_s);
	term_note(rotation->app->term,
	          "%s has its new value%s.  The old one is kept as %s; revoke it with who gave it, "
	          "then: slipway keys rotate %s --retire",
	          rotation->name, verified_s > 0 ? "" : ", which nobody has verified",
	          rotation->previous, rotation->name);
	tell_users(rotation);
	return true;
}

/* To do that once more is no failure. */
static bool forget(const Rotation *rotation, const char *name, bool is_there, const char *state,
                   GError **error)
{
	if (is_there && !keystore_remove(rotation->store, name, error))
		return false;
	set_document(rotation, state, 0);
	if (is_there)
		term_note(rotation->app->term, "Removed %s.", name);
	else
		term_note(rotation->app->term, "There is no %s.", name);
	return true;
}

bool command_keys_rotate(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	g_auto(Rotation) rotation = { .app = app, .name = argv[0] };

	rotation.pending = g_strconcat(argv[0], PENDING, NULL);
	rotation.previous = g_strconcat(argv[0], PREVIOUS, NULL);
	if (!check_options(argv[0], error) || !keystore_check_name(argv[0], error) ||
	    !keystore_check_name(rotation.previous, error))
		return false;

	g_autoptr(Keystore) store = keys_open_stored(app, keys_profile_of_command(app), error);
	rotation.store = store;
	if (!store || !read_state(&rotation, error))
		return false;
	if (is_retiring)
		return forget(&rotation, rotation.previous, rotation.has_previous, "retired",
		              error);
	if (is_aborting)
		return forget(&rotation, rotation.pending, rotation.has_pending, "aborted", error);
	return rotate(&rotation, error);
}
