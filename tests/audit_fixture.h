/* tests/audit_fixture.h - an audit log in a directory of its own
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib/gstdio.h>
#include <string.h>

#include "base/tree.h"
#include "keystore/audit.h"

#define KEY_BYTES 32

static const guint8 some_key[KEY_BYTES] = { 1, 2, 3 };

typedef struct {
	char *directory;
	AuditLog log;
} Fixture;

static inline void set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	fixture->directory = g_dir_make_tmp("slipway-audit-XXXXXX", &error);
	g_assert_no_error(error);
	fixture->log.path = g_build_filename(fixture->directory, "keystore.audit", NULL);
	fixture->log.key = some_key;
}

static inline void tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(tree_remove(fixture->directory, &error));
	g_assert_no_error(error);
	g_free(fixture->directory);
	g_free((char *)(guintptr)fixture->log.path);
}

static inline AuditHead append(const AuditLog *log, guint count)
{
	static const AuditEvent event = {
		"get", "default", "OPENAI_API_KEY", "file", "file", "ok"
	};
	AuditHead head = { 0 };

	for (guint i = 0; i < count; i++) {
		g_autoptr(GError) error = NULL;

		g_assert_true(audit_append(log, &event, 1, false, &head, &error));
		g_assert_no_error(error);
	}
	return head;
}

static inline AuditReport *read_log(const AuditLog *log)
{
	g_autoptr(GError) error = NULL;
	AuditReport *report = audit_read(log, &error);

	g_assert_no_error(error);
	return report;
}

static inline void expect_whole(const AuditLog *log, guint checked, guint unsealed, guint foreign)
{
	g_autoptr(AuditReport) report = read_log(log);

	for (guint i = 0; i < report->faults->len; i++) {
		const AuditFault *fault = g_ptr_array_index(report->faults, i);
		g_test_message("%s:%u: %s", fault->file, fault->line, fault->what);
	}
	g_assert_cmpuint(report->faults->len, ==, 0);
	g_assert_cmpuint(report->checked, ==, checked);
	g_assert_cmpuint(report->unsealed, ==, unsealed);
	g_assert_cmpuint(report->foreign, ==, foreign);
	g_assert_cmpuint(report->records->len, ==, checked + unsealed + foreign);
}

static inline char **get_lines(const AuditLog *log)
{
	g_autofree char *text = NULL;

	g_assert_true(g_file_get_contents(log->path, &text, NULL, NULL));
	g_assert_true(g_str_has_suffix(text, "\n"));
	text[strlen(text) - 1] = '\0';
	return g_strsplit(text, "\n", -1);
}

#define AUDIT_TEST(name, function) \
	g_test_add("/keystore/audit/" name, Fixture, NULL, set_up, function, tear_down)
