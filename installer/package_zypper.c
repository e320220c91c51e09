/* installer/package_zypper.c - what zypper says
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/package_zypper.h"

#include <string.h>

#include "installer/package_rpm.h"

void package_zypper_parse_automatic(const char *text, PackageSet *set)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++)
		if (**line && **line != '#')
			g_hash_table_add(set->automatic, g_strdup(g_strstrip(*line)));
}

/** The document while it is read. */
typedef struct {
	PackageChanges *changes;
	bool has_summary;
	GPtrArray *list; /* (nullable): of @changes, where the packages of this section go */
} Summary;

static const char *attribute(const char **names, const char **values, const char *name)
{
	for (; *names; names++, values++)
		if (g_str_equal(*names, name))
			return *values;

	return "";
}

/* <solvable type="package" name="git" edition="2.46-1" edition-old="2.45-1" arch="noarch" .../> */
static void add_solvable(Summary *summary, const char **names, const char **values)
{
	g_autofree char *name = package_rpm_name(attribute(names, values, "name"),
	                                         attribute(names, values, "arch"));

	if (!g_str_equal(attribute(names, values, "type"), "package"))
		return;
	if (summary->list == summary->changes->upgraded)
		g_ptr_array_add(summary->list,
		                g_strdup_printf("%s %s -> %s", name,
		                                attribute(names, values, "edition-old"),
		                                attribute(names, values, "edition")));
	else
		g_ptr_array_add(summary->list, g_steal_pointer(&name));
}

static void on_element(GMarkupParseContext *context G_GNUC_UNUSED, const char *element,
                       const char **names, const char **values, gpointer data,
                       GError **error G_GNUC_UNUSED)
{
	Summary *summary = data;

	if (g_str_equal(element, "install-summary"))
		summary->has_summary = true;
	else if (g_str_equal(element, "to-install"))
		summary->list = summary->changes->added;
	else if (g_str_equal(element, "to-remove"))
		summary->list = summary->changes->removed;
	else if (g_str_has_prefix(element, "to-upgrade") ||
	         g_str_has_prefix(element, "to-downgrade") ||
	         g_str_has_prefix(element, "to-change"))
		summary->list = summary->changes->upgraded;
	else if (g_str_has_prefix(element, "to-"))
		summary->list = NULL; /* reinstalled: nothing changes */
	else if (g_str_equal(element, "solvable") && summary->list)
		add_solvable(summary, names, values);
}

/* Warnings of libraries may stand before and behind the document. */
static bool parse_document(const GMarkupParser *parser, gpointer data, const char *text)
{
	g_autoptr(GMarkupParseContext) context = g_markup_parse_context_new(parser, 0, data, NULL);
	const char *start = strstr(text, "<stream>");
	const char *end = start ? g_strrstr(start, "</stream>") : NULL;

	return end && g_markup_parse_context_parse(context, start,
	                                           end + strlen("</stream>") - start, NULL);
}

PackageChanges *package_zypper_parse_changes(const char *text)
{
	static const GMarkupParser parser = { .start_element = on_element };
	g_autoptr(PackageChanges) changes = package_changes_new();
	Summary summary = { .changes = changes };

	return parse_document(&parser, &summary, text) && summary.has_summary
	               ? g_steal_pointer(&changes)
	               : NULL;
}

/** What went wrong while the document is read. */
typedef struct {
	GString *text;
	bool is_error; /* in such an element */
} Complaint;

/* <message type="error">...</message>; <prompt><description>Problem: ...</description>...</prompt> */
static void on_complaint(GMarkupParseContext *context, const char *element, const char **names,
                         const char **values, gpointer data, GError **error G_GNUC_UNUSED)
{
	Complaint *complaint = data;
	const GSList *above = g_markup_parse_context_get_element_stack(context)->next;

	complaint->is_error = (g_str_equal(element, "message") &&
	                       g_str_equal(attribute(names, values, "type"), "error")) ||
	                      (g_str_equal(element, "description") && above &&
	                       g_str_equal(above->data, "prompt"));
}

static void on_text(GMarkupParseContext *context G_GNUC_UNUSED, const char *text, gsize length,
                    gpointer data, GError **error G_GNUC_UNUSED)
{
	Complaint *complaint = data;
	g_autofree char *line = g_strndup(text, MIN(length, strcspn(text, "\n")));

	if (complaint->is_error && *g_strstrip(line))
		g_string_append_printf(complaint->text, "%s%s", complaint->text->len ? "; " : "",
		                       line);
	complaint->is_error = false;
}

char *package_zypper_explain(const char *text)
{
	static const GMarkupParser parser = { .start_element = on_complaint, .text = on_text };
	Complaint complaint = { .text = g_string_new(NULL) };
	bool is_document = parse_document(&parser, &complaint, text);
	bool is_known = is_document && complaint.text->len > 0;

	return g_string_free(complaint.text, !is_known);
}

/* "(1/2) Installing: git-data-1-1.noarch [..done]", "Retrieving: git-2.45.0-1.noarch (tb) (2/2), ..." */
bool package_zypper_parse_progress(const char *line, double *fraction, char **detail)
{
	static const char *const stages[] = { "Retrieving: ", ") Installing: ", ") Removing: " };

	for (gsize i = 0; i < G_N_ELEMENTS(stages); i++) {
		if (!strstr(line, stages[i]))
			continue;
		*fraction = -1;
		*detail = g_strndup(line, strcspn(line, "["));
		g_strchomp(*detail);
		return true;
	}

	return false;
}

/* zypper 1.14. */
static const PackageWords words[] = {
	{ "Signature verification failed", PACKAGE_UNTRUSTED },
	{ "is not signed", PACKAGE_UNTRUSTED },
	{ "Digest verification failed", PACKAGE_DAMAGED },
	{ "not found on medium", PACKAGE_STALE },
	{ "Download (curl) error", PACKAGE_STALE },
	{ NULL, PACKAGE_FAILED },
};

const PackageDialect package_zypper_dialect = {
	.parse_list = package_rpm_parse_list,
	.parse_automatic = package_zypper_parse_automatic,
	.parse_changes = package_zypper_parse_changes,
	.parse_progress = package_zypper_parse_progress,
	.explain = package_zypper_explain,
	.find_litter = package_rpm_find_litter,
	.edited = ".rpmsave",
	.displaced = ".rpmorig",
	.words = words,
};
