/* installer/command_keys_audit.c - "slipway keys audit": what was done with keys, and whether that was changed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "installer/keys.h"
#include "keystore/keystore_audit.h"

#define DAYS_MAX 36500
#define DAY_MASK "dddd-dd-dd"
#define TIME_MASK "dddd-dd-ddTdd:dd:ddZ"
/* Lines of one change stand close together; others can come between them. */
#define OUTCOME_WITHIN 64

static char *name_text;
static char *since_text;

const GOptionEntry command_keys_audit_options[] = {
	{ "name", 0, 0, G_OPTION_ARG_STRING, &name_text, "only what was done with that key",
	  "NAME" },
	{ "since", 0, 0, G_OPTION_ARG_STRING, &since_text,
	  "only what was done since: a day (2030-12-31), a time (2030-12-31T08:00:00Z), or a "
	  "number "
	  "of days ago",
	  "WHEN" },
	{ 0 },
};

static bool fits(const char *text, const char *mask)
{
	gsize i = 0;

	for (; text[i] && mask[i]; i++)
		if (mask[i] == 'd' ? !g_ascii_isdigit(text[i]) : mask[i] != text[i])
			return false;
	return text[i] == mask[i];
}

/* Returns: (transfer full) (nullable): a text that is not greater than the time of any line that is
 * wanted. */
static char *read_since(GError **error)
{
	guint64 days = 0;

	if (!since_text)
		return g_strdup("");
	if (fits(since_text, DAY_MASK) || fits(since_text, TIME_MASK))
		return g_strdup(since_text);
	if (!g_ascii_string_to_unsigned(since_text, 10, 0, DAYS_MAX, &days, NULL)) {
		fault_set(error, STATUS_USAGE, NULL,
		          "--since %s: that is neither a day (2030-12-31), nor a time "
		          "(2030-12-31T08:00:00Z), nor 0 to %d days",
		          since_text, DAYS_MAX);
		return NULL;
	}
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autoptr(GDateTime) then = g_date_time_add_days(now, -(int)days);
	return g_date_time_format(then, "%Y-%m-%dT%H:%M:%SZ");
}

static bool is_wanted(const json_t *record, const char *since)
{
	return (!name_text || g_strcmp0(json_text(record, "name"), name_text) == 0) &&
	       strcmp(json_text(record, "time"), since) >= 0;
}

static bool is_begun(const json_t *record)
{
	return strcmp(json_text(record, "result"), "begun") == 0;
}

static bool is_outcome(const json_t *begun, const json_t *record)
{
	static const char *const words[] = { "op", "profile", "name" };

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (g_strcmp0(json_text(begun, words[i]), json_text(record, words[i])) != 0)
			return false;
	return !is_begun(record) &&
	       json_equal(json_object_get(begun, "pid"), json_object_get(record, "pid"));
}

/* A change has two lines; people see how it ended. */
static bool has_outcome(const GPtrArray *records, guint index)
{
	for (guint i = index + 1; i < records->len && i <= index + OUTCOME_WITHIN; i++)
		if (is_outcome(g_ptr_array_index(records, index), g_ptr_array_index(records, i)))
			return true;
	return false;
}

static void add_cells(GPtrArray *cells, const json_t *record)
{
	const char *profile = json_text(record, "profile");
	const char *name = json_text_or(record, "name", "-");
	bool is_default = strcmp(profile, KEYSTORE_PROFILE_DEFAULT) == 0;
	const char *result = is_begun(record) ? "interrupted" : json_text(record, "result");
	json_int_t uid = json_integer_value(json_object_get(record, "uid"));
	bool is_sealed = strcmp(json_text(record, "store"), "-") != 0;

	g_ptr_array_add(cells, g_strdup(json_text(record, "time")));
	g_ptr_array_add(cells, g_strdup(json_text(record, "op")));
	g_ptr_array_add(cells,
	                is_default ? g_strdup(name) : g_strdup_printf("%s/%s", profile, name));
	g_ptr_array_add(cells, g_strdup(json_text(record, "source")));
	g_ptr_array_add(cells, g_strdup_printf("%s%s", result, is_sealed ? "" : " (no seal)"));
	g_ptr_array_add(cells, g_strdup_printf("%s, uid %" JSON_INTEGER_FORMAT,
	                                       json_text_or(record, "parent", "?"), uid));
}

static void print_records(App *app, const AuditReport *report, const char *since)
{
	static const char *const headings[] = { "TIME", "WHAT", "KEY", "FROM", "RESULT", "BY" };
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < report->records->len; i++) {
		const json_t *record = g_ptr_array_index(report->records, i);

		if (is_wanted(record, since) &&
		    !(is_begun(record) && has_outcome(report->records, i)))
			add_cells(cells, record);
	}
	if (cells->len > 0)
		term_table(app->term, headings, G_N_ELEMENTS(headings), cells);
	else
		term_note(app->term, "There is nothing to show.");
}

static json_t *make_document(const AuditReport *report, const char *since)
{
	json_t *records = json_array();
	json_t *faults = json_array();

	for (guint i = 0; i < report->records->len; i++) {
		json_t *record = g_ptr_array_index(report->records, i);

		if (is_wanted(record, since))
			json_array_append(records, record);
	}
	for (guint i = 0; i < report->faults->len; i++) {
		const AuditFault *fault = g_ptr_array_index(report->faults, i);

		json_array_append_new(faults,
		                      json_pack("{s:s, s:i, s:s}", "file", fault->file, "line",
		                                (int)fault->line, "what", fault->what));
	}
	return json_pack("{s:o, s:o, s:i, s:i, s:i, s:b}", "records", records, "faults", faults,
	                 "checked", (int)report->checked, "unsealed", (int)report->unsealed,
	                 "foreign", (int)report->foreign, "verified",
	                 !report->locked && report->faults->len == 0);
}

static void print_faults(App *app, const AuditReport *report)
{
	for (guint i = 0; i < report->faults->len; i++) {
		const AuditFault *fault = g_ptr_array_index(report->faults, i);

		term_warn(app->term, "slipway: %s:%u: %s", fault->file, fault->line, fault->what);
	}
}

static void print_summary(App *app, const AuditReport *report)
{
	if (report->unsealed > 0)
		term_note(
			app->term,
			"%u lines have no seal: the keystore was not open when they were written.",
			report->unsealed);
	if (report->foreign > 0 && !report->locked)
		term_note(app->term, "%u lines are of another keystore and cannot be checked.",
		          report->foreign);
	if (report->faults->len == 0 && !report->locked)
		term_note(app->term, "%u lines are as they were written.", report->checked);
}

static bool conclude(AuditReport *report, GError **error)
{
	if (report->faults->len > 0) {
		const AuditFault *fault = g_ptr_array_index(report->faults, 0);

		fault_set(error, STATUS_UNTRUSTED,
		          "Keep a copy of the log, and change the keys that matter.",
		          "the audit log was changed: %s:%u: %s", fault->file, fault->line,
		          fault->what);
		return false;
	}
	if (!report->locked)
		return true;
	g_propagate_prefixed_error(error, g_steal_pointer(&report->locked),
	                           "the log cannot be verified: ");
	return false;
}

bool command_keys_audit(App *app, int argc G_GNUC_UNUSED, char **argv G_GNUC_UNUSED, GError **error)
{
	g_autofree char *since = read_since(error);
	g_autoptr(Keystore) store = since ? keys_open_for_command(app, error) : NULL;
	g_autoptr(AuditReport) report = store ? keystore_audit(store, error) : NULL;

	if (!report)
		return false;
	app->document = make_document(report, since);
	print_records(app, report, since);
	print_summary(app, report);
	print_faults(app, report);
	return conclude(report, error);
}
