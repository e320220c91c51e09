/* installer/command_keys_list.c - "slipway keys list": names, dates and fingerprints, no secret
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "installer/keys.h"
#include "payload/stacks.h"

/* "soon" is a fortnight: time to order a new key and to put it everywhere. */
#define SOON_S (14 * G_GINT64_CONSTANT(86400))

static gboolean is_of_all;

const GOptionEntry command_keys_list_options[] = {
	{ "all-profiles", 0, 0, G_OPTION_ARG_NONE, &is_of_all, "those of every profile", NULL },
	{ 0 },
};

/* One line of the list. */
typedef struct {
	const char *profile;
	const char *name;
	const KeystoreEntry *entry; /* (nullable): in the environment only */
	bool is_in_environment;
} Row;

static int row_compare(gconstpointer a, gconstpointer b)
{
	const Row *left = a;
	const Row *right = b;
	int order = strcmp(left->profile, right->profile);

	return order ? order : strcmp(left->name, right->name);
}

static bool row_exists(const GArray *rows, const char *name)
{
	for (guint i = 0; i < rows->len; i++)
		if (strcmp(g_array_index(rows, Row, i).name, name) == 0)
			return true;

	return false;
}

/* Keys that the embedded stacks know and that are set in the environment. */
static void add_declared(GArray *rows, GStringChunk *names, const char *profile)
{
	for (const char *const *stack = stacks_embedded_names(); *stack; stack++) {
		g_autoptr(StackBundle) bundle = stacks_open(*stack, NULL);
		const GPtrArray *keys = bundle ? stacks_definition(bundle)->keys : NULL;

		for (guint i = 0; keys && i < keys->len; i++) {
			const StackKey *key = g_ptr_array_index(keys, i);
			Row row = { profile, g_string_chunk_insert_const(names, key->name), NULL,
				    true };

			if (keys_is_in_environment(key->name) && !row_exists(rows, key->name))
				g_array_append_val(rows, row);
		}
	}
}

/* Returns: (transfer full) (nullable): NULL for never. */
static char *format_time(gint64 time_s, const char *format)
{
	g_autoptr(GDateTime) time = time_s > 0 ? g_date_time_new_from_unix_utc(time_s) : NULL;

	return time ? g_date_time_format(time, format) : NULL;
}

/* Returns: (nullable): the word for when a key ends. */
static const char *expiry_of(const KeystoreNote *note)
{
	gint64 left_s = note->expires_s - g_get_real_time() / G_USEC_PER_SEC;

	if (note->expires_s == 0)
		return NULL;
	return left_s <= 0 ? "past" : left_s <= SOON_S ? "soon" : "later";
}

static char *format_expiry(const Term *term, const KeystoreNote *note)
{
	const char *expiry = expiry_of(note);
	g_autofree char *day = format_time(note->expires_s, "%Y-%m-%d");

	if (!expiry || g_str_equal(expiry, "later"))
		return g_steal_pointer(&day);
	bool is_past = g_str_equal(expiry, "past");
	g_autofree char *text = g_strdup_printf("%s %s", day, is_past ? "past" : "soon");
	return term_styled(term, is_past ? TERM_BAD : TERM_WARN, text);
}

/* @text: (transfer full) (nullable). */
static void add_cell(GPtrArray *cells, char *text)
{
	g_autofree char *owned = text;

	g_ptr_array_add(cells, owned && *owned ? g_steal_pointer(&owned) : g_strdup("-"));
}

static void add_row(const App *app, GPtrArray *cells, const Row *row, const char *place)
{
	static const KeystoreNote none;
	const KeystoreNote *note = row->entry ? &row->entry->note : &none;

	if (is_of_all)
		add_cell(cells, g_strdup(row->profile));
	add_cell(cells, g_strdup(row->name));
	add_cell(cells, g_strdup(row->is_in_environment ? "environment" : place));
	add_cell(cells, format_time(note->created_s, "%Y-%m-%d"));
	add_cell(cells, format_time(note->changed_s, "%Y-%m-%d"));
	add_cell(cells, format_expiry(app->term, note));
	add_cell(cells, format_time(note->verified_s, "%Y-%m-%d"));
	add_cell(cells, g_strdup(note->origin));
	add_cell(cells, g_strdup(note->fingerprint));
}

static void print_rows(App *app, const GArray *rows, const char *place)
{
	static const char *const headings[] = { "PROFILE",  "NAME",    "SOURCE",
		                                "CREATED",  "CHANGED", "EXPIRES",
		                                "VERIFIED", "ORIGIN",  "FINGERPRINT" };
	gsize left_out = is_of_all ? 0 : 1;
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < rows->len; i++)
		add_row(app, cells, &g_array_index(rows, Row, i), place);
	if (rows->len > 0)
		term_table(app->term, headings + left_out,
		           (guint)(G_N_ELEMENTS(headings) - left_out), cells);
	else
		term_note(app->term, "There are no keys yet.  Add one with: slipway keys set NAME");
}

static json_t *row_to_json(const Row *row, const char *place)
{
	static const char format[] = "%Y-%m-%dT%H:%M:%SZ";
	static const KeystoreNote none;
	const KeystoreNote *note = row->entry ? &row->entry->note : &none;
	g_autofree char *created = format_time(note->created_s, format);
	g_autofree char *changed = format_time(note->changed_s, format);
	g_autofree char *expires = format_time(note->expires_s, format);
	g_autofree char *verified = format_time(note->verified_s, format);

	return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?}", "profile",
	                 row->profile, "name", row->name, "source",
	                 row->is_in_environment ? "environment" : place, "created", created,
	                 "changed", changed, "expires", expires, "expiry", expiry_of(note),
	                 "verified", verified, "origin", *note->origin ? note->origin : NULL,
	                 "fingerprint", *note->fingerprint ? note->fingerprint : NULL);
}

static json_t *rows_to_json(const GArray *rows, const char *place)
{
	json_t *array = json_array();

	for (guint i = 0; i < rows->len; i++)
		json_array_append_new(array, row_to_json(&g_array_index(rows, Row, i), place));
	return array;
}

/* A variable wins over a key of any profile that has its name. */
static void add_entries(GArray *rows, const GPtrArray *entries)
{
	for (guint i = 0; i < entries->len; i++) {
		const KeystoreEntry *entry = g_ptr_array_index(entries, i);
		Row row = { entry->profile, entry->name, entry,
			    keys_is_in_environment(entry->name) };
		g_array_append_val(rows, row);
	}
}

bool command_keys_list(App *app, int argc G_GNUC_UNUSED, char **argv G_GNUC_UNUSED, GError **error)
{
	g_autoptr(Keystore) store = keys_open_for_command(app, error);
	const char *why = NULL;
	const char *place = store ? keystore_back_end(store, &why, error) : NULL;
	g_autoptr(GPtrArray) entries = !place      ? NULL
	                               : is_of_all ? keystore_list_all(store, error)
	                                           : keystore_list(store, error);
	if (!entries)
		return false;

	g_autoptr(GArray) rows = g_array_new(false, false, sizeof(Row));
	GStringChunk *names = g_string_chunk_new(256);
	add_entries(rows, entries);
	add_declared(rows, names, keys_profile_of_command(app));
	g_array_sort(rows, row_compare);

	g_autofree char *path = keys_path(app);
	app->document = json_pack("{s:s, s:s, s:s, s:o}", "keystore", path, "backend", place, "why",
	                          why, "keys", rows_to_json(rows, place));
	print_rows(app, rows, place);
	term_note(app->term, "Keys are kept in: %s (%s).", place, why);
	g_string_chunk_free(names);
	return true;
}
