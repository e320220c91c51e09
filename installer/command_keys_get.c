/* installer/command_keys_get.c - "slipway keys get, remove": one secret out, one secret away
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/uio.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "installer/handover_users.h"
#include "installer/keys.h"

static gboolean is_shown;

const GOptionEntry command_keys_get_options[] = {
	{ "show", 0, 0, G_OPTION_ARG_NONE, &is_shown, "print it on a terminal too", NULL },
	{ 0 },
};

/* Past the masking of base/term.h, which is there for everything but this.  In one piece, for readers
 * that take what the first read(2) gives them; what did not go out so goes the usual way. */
static bool write_secret(GBytes *secret, GError **error)
{
	gsize size = 0;
	const char *data = g_bytes_get_data(secret, &size);
	char newline[] = "\n";
	const struct iovec pieces[] = { { (void *)(guintptr)data, size }, { newline, 1 } };
	ssize_t count = writev(STDOUT_FILENO, pieces, G_N_ELEMENTS(pieces));
	gsize done = count > 0 ? (gsize)count : 0;

	if (done < size && !file_write_all(STDOUT_FILENO, data + done, size - done, error))
		return false;
	return done > size || file_write_all(STDOUT_FILENO, newline, 1, error);
}

bool command_keys_get(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	if (term_is_json(app->term) || term_is_events(app->term)) {
		fault_set(error, STATUS_USAGE, "Leave out --json and --events.",
		          "a secret is never part of a document");
		return false;
	}
	if (isatty(STDOUT_FILENO) && !is_shown) {
		fault_set(error, STATUS_USAGE, "Pipe it into a program, or add --show.",
		          "the terminal would show the secret");
		return false;
	}

	g_autoptr(Keystore) store = keys_open_for_command(app, error);
	g_autoptr(GBytes) secret = store ? keystore_lookup(store, argv[0], NULL, error) : NULL;
	return secret && write_secret(secret, error);
}

bool command_keys_remove(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	g_autoptr(Keystore) store = keys_open_for_command(app, error);

	if (!store || !keystore_remove(store, argv[0], error))
		return false;
	term_note(app->term, "Removed %s.", argv[0]);
	if (keys_is_in_environment(argv[0]))
		term_note(app->term, "The environment variable %s is still set.", argv[0]);
	app->document =
		json_pack("{s:s, s:s}", "name", argv[0], "profile", keys_profile_of_command(app));
	handover_tell_users(app, argv[0]);
	return true;
}
