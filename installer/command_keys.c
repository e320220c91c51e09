/* installer/command_keys.c - "slipway keys set, get, list, remove"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"
#include "installer/keys.h"
#include "keystore/descriptor.h"
#include "payload/stacks.h"

static gboolean is_from_stdin;
static gboolean is_shown;

const GOptionEntry command_keys_set_options[] = {
	{ "stdin", 0, 0, G_OPTION_ARG_NONE, &is_from_stdin,
	  "read the secret from stdin; one line break at its end is taken off", NULL },
	{ 0 },
};

const GOptionEntry command_keys_get_options[] = {
	{ "show", 0, 0, G_OPTION_ARG_NONE, &is_shown, "print it on a terminal too", NULL },
	{ 0 },
};

static bool is_in_environment(const char *name)
{
	const char *value = g_getenv(name);

	return value && value[0] != '\0';
}

static GBytes *read_secret(App *app, const char *name, GError **error)
{
	g_autofree char *prompt = g_strdup_printf("Secret for %s", name);

	if (!is_from_stdin && !term_can_ask(app->term)) {
		fault_set(error, STATUS_USAGE, "Write it into \"slipway keys set NAME --stdin\".",
		          "there is no terminal to ask for the secret on");
		return NULL;
	}
	if (!is_from_stdin)
		return term_ask_secret(app->term, prompt, error);
	if (isatty(STDIN_FILENO)) {
		fault_set(error, STATUS_USAGE, "Leave out --stdin to be asked without echo.",
		          "stdin is a terminal, which would show the secret");
		return NULL;
	}

	GBytes *secret = descriptor_read_secret(STDIN_FILENO, KEYSTORE_SECRET_MAX, error);
	if (!secret)
		g_prefix_error(error, "cannot read the secret from stdin: ");
	return secret;
}

bool command_keys_set(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	const char *name = argv[0];

	if (keys_is_steering(name)) {
		fault_set(error, STATUS_USAGE, NULL,
		          "%s steers programs; it cannot be the name of a key", name);
		return false;
	}

	if (!keystore_check_name(name, error))
		return false;

	g_autoptr(Keystore) store = keys_open(app, error);
	g_autoptr(GBytes) secret = store ? read_secret(app, name, error) : NULL;
	if (!secret || !keystore_save(store, name, secret, error))
		return false;

	term_note(app->term, "Saved %s in: %s.", name, keystore_back_end(store, NULL, NULL));
	if (is_in_environment(name))
		term_note(app->term, "The environment variable %s is set and wins over it.", name);
	app->document = json_pack("{s:s, s:s}", "name", name, "backend",
	                          keystore_back_end(store, NULL, NULL));
	return true;
}

/* Past the masking of base/term.h, which is there for everything but this. */
static bool write_secret(GBytes *secret, GError **error)
{
	gsize size = 0;
	const char *data = g_bytes_get_data(secret, &size);

	return file_write_all(STDOUT_FILENO, data, size, error) &&
	       file_write_all(STDOUT_FILENO, "\n", 1, error);
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

	g_autoptr(Keystore) store = keys_open(app, error);
	g_autoptr(GBytes) secret = store ? keystore_lookup(store, argv[0], NULL, error) : NULL;
	return secret && write_secret(secret, error);
}

bool command_keys_remove(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	g_autoptr(Keystore) store = keys_open(app, error);

	if (!store || !keystore_remove(store, argv[0], error))
		return false;
	term_note(app->term, "Removed %s.", argv[0]);
	if (is_in_environment(argv[0]))
		term_note(app->term, "The environment variable %s is still set.", argv[0]);
	app->document = json_pack("{s:s}", "name", argv[0]);
	return true;
}

/* One line of the list. */
typedef struct {
	const char *name;
	const KeystoreEntry *entry; /* (nullable): in the environment only */
	bool is_in_environment;
} Row;

static int row_compare(gconstpointer a, gconstpointer b)
{
	return strcmp(((const Row *)a)->name, ((const Row *)b)->name);
}

static bool row_exists(const GArray *rows, const char *name)
{
	for (guint i = 0; i < rows->len; i++)
		if (strcmp(g_array_index(rows, Row, i).name, name) == 0)
			return true;

	return false;
}

/* Keys that the embedded stacks know and that are set in the environment. */
static void add_declared(GArray *rows, GStringChunk *names)
{
	for (const char *const *stack = stacks_embedded_names(); *stack; stack++) {
		g_autoptr(StackBundle) bundle = stacks_open(*stack, NULL);
		const GPtrArray *keys = bundle ? stacks_definition(bundle)->keys : NULL;

		for (guint i = 0; keys && i < keys->len; i++) {
			const StackKey *key = g_ptr_array_index(keys, i);
			Row row = { g_string_chunk_insert_const(names, key->name), NULL, true };

			if (is_in_environment(key->name) && !row_exists(rows, key->name))
				g_array_append_val(rows, row);
		}
	}
}

static char *format_time(const KeystoreEntry *entry, const char *format)
{
	g_autoptr(GDateTime) time = entry ? g_date_time_new_from_unix_utc(entry->changed_s) : NULL;

	return time ? g_date_time_format(time, format) : g_strdup("-");
}

static void print_rows(App *app, const GArray *rows, const char *place)
{
	static const char *const headings[] = { "NAME", "SOURCE", "CHANGED (UTC)", "FINGERPRINT" };
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < rows->len; i++) {
		const Row *row = &g_array_index(rows, Row, i);
		const char *fingerprint = row->entry ? row->entry->fingerprint : NULL;

		g_ptr_array_add(cells, g_strdup(row->name));
		g_ptr_array_add(cells, g_strdup(row->is_in_environment ? "environment" : place));
		g_ptr_array_add(cells, format_time(row->entry, "%Y-%m-%d %H:%M"));
		g_ptr_array_add(cells, g_strdup(fingerprint ? fingerprint : "-"));
	}
	if (rows->len > 0)
		term_table(app->term, headings, G_N_ELEMENTS(headings), cells);
	else
		term_note(app->term, "There are no keys yet.  Add one with: slipway keys set NAME");
}

static json_t *rows_to_json(const GArray *rows, const char *place)
{
	json_t *array = json_array();

	for (guint i = 0; i < rows->len; i++) {
		const Row *row = &g_array_index(rows, Row, i);
		g_autofree char *changed = format_time(row->entry, "%Y-%m-%dT%H:%M:%SZ");

		json_array_append_new(
			array, json_pack("{s:s, s:s, s:s?, s:s?}", "name", row->name, "source",
		                         row->is_in_environment ? "environment" : place, "changed",
		                         row->entry ? changed : NULL, "fingerprint",
		                         row->entry ? row->entry->fingerprint : NULL));
	}
	return array;
}

bool command_keys_list(App *app, int argc G_GNUC_UNUSED, char **argv G_GNUC_UNUSED, GError **error)
{
	g_autoptr(Keystore) store = keys_open(app, error);
	const char *why = NULL;
	const char *place = store ? keystore_back_end(store, &why, error) : NULL;
	g_autoptr(GPtrArray) entries = place ? keystore_list(store, error) : NULL;
	g_autoptr(GArray) rows = g_array_new(false, false, sizeof(Row));
	GStringChunk *names = g_string_chunk_new(256);

	if (!entries) {
		g_string_chunk_free(names);
		return false;
	}
	for (guint i = 0; i < entries->len; i++) {
		const KeystoreEntry *entry = g_ptr_array_index(entries, i);
		Row row = { entry->name, entry, is_in_environment(entry->name) };
		g_array_append_val(rows, row);
	}
	add_declared(rows, names);
	g_array_sort(rows, row_compare);

	g_autofree char *path = keys_path(app);
	app->document = json_pack("{s:s, s:s, s:s, s:o}", "keystore", path, "backend", place, "why",
	                          why, "keys", rows_to_json(rows, place));
	print_rows(app, rows, place);
	term_note(app->term, "Keys are kept in: %s (%s).", place, why);
	g_string_chunk_free(names);
	return true;
}
