/* tests/test_payload_unpack_rules.c - the rules for entries, one by one, without an archive around them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "payload/unpack_private.h"

#define SMALL 1000
#define DEEP_31 "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a"

static const char *const only_b[] = { "a/b/", "top/", NULL };

/* Two claims, one after the other: the first is admitted, the second is what the row is about. */
/* clang-format off */
static const struct {
	const char *name;
	UnpackClaim before; /* without a name: none */
	UnpackClaim claim;
	ArchiveLimits limits;
	const char *refusal; /* part of it; NULL: admitted */
	const char *path;    /* of the admitted entry; NULL: not selected */
	const char *target;
} rows[] = {
	{ "file",            { 0 }, { "a/b", NULL, UNPACK_FILE, 0644, 5, '0' }, { 0 }, NULL, "a/b", NULL },
	{ "no-name",         { 0 }, { NULL, NULL, UNPACK_FILE, 0644, 5, '0' }, { 0 }, "has no name", NULL, NULL },
	{ "empty-name",      { 0 }, { "", NULL, UNPACK_FILE, 0644, 5, '0' }, { 0 }, "empty path component", NULL, NULL },
	{ "root",            { 0 }, { ".", NULL, UNPACK_DIRECTORY, 0755, 0, '5' }, { 0 }, NULL, NULL, NULL },
	{ "root-as-file",    { 0 }, { ".", NULL, UNPACK_FILE, 0644, 1, '0' }, { 0 }, "empty path component", NULL, NULL },
	{ "root-with-slash", { 0 }, { "./", NULL, UNPACK_DIRECTORY, 0755, 0, '5' }, { 0 }, NULL, NULL, NULL },
	{ "slash-alone",     { 0 }, { "/", NULL, UNPACK_DIRECTORY, 0755, 0, '5' }, { 0 }, "absolute", NULL, NULL },
	{ "one-letter",      { 0 }, { "a", NULL, UNPACK_DIRECTORY, 0755, 0, '5' }, { 0 }, NULL, "a", NULL },
	{ "trailing-slash",  { 0 }, { "./a/", NULL, UNPACK_DIRECTORY, 0755, 0, '5' }, { 0 }, NULL, "a", NULL },
	{ "two-slashes",     { 0 }, { "a//", NULL, UNPACK_DIRECTORY, 0755, 0, '5' }, { 0 }, "empty path component", NULL, NULL },
	{ "slash-of-a-file", { 0 }, { "a/", NULL, UNPACK_FILE, 0644, 5, '0' }, { 0 }, "empty path component", NULL, NULL },
	{ "dot-inside",      { 0 }, { "a/./b", NULL, UNPACK_FILE, 0644, 5, '0' }, { 0 }, "\".\" inside", NULL, NULL },
	{ "dots-in-a-name",  { 0 }, { "a/..b", NULL, UNPACK_FILE, 0644, 5, '0' }, { 0 }, NULL, "a/..b", NULL },
	{ "depth-32",        { 0 }, { DEEP_31 "/a", NULL, UNPACK_FILE, 0644, 5, '0' }, { 0 }, NULL, DEEP_31 "/a", NULL },
	{ "depth-33",        { 0 }, { DEEP_31 "/a/a", NULL, UNPACK_FILE, 0644, 5, '0' }, { 0 }, "32 directories deep", NULL, NULL },
	{ "negative-size",   { 0 }, { "a", NULL, UNPACK_FILE, 0644, -1, '0' }, { 0 }, "negative size", NULL, NULL },
	{ "full-directory",  { 0 }, { "a", NULL, UNPACK_DIRECTORY, 0755, 1, '5' }, { 0 }, "has content", NULL, NULL },
	{ "too-large",       { 0 }, { "a", NULL, UNPACK_FILE, 0644, 11, '0' }, { .max_file_bytes = 10 }, "larger than one file", NULL, NULL },
	{ "too-many-bytes",  { "b", NULL, UNPACK_FILE, 0644, 6, '0' }, { "a", NULL, UNPACK_FILE, 0644, 5, '0' }, { .max_total_bytes = 10 }, "archive larger", NULL, NULL },
	{ "ratio",           { 0 }, { "a", NULL, UNPACK_FILE, 0644, 2 << 20, '0' }, { .max_ratio = 5 }, "so small an archive", NULL, NULL },
	{ "ratio-without-end", { 0 }, { "a", NULL, UNPACK_FILE, 0644, 2 << 20, '0' }, { .max_ratio = G_MAXUINT }, NULL, "a", NULL },
	{ "too-many",        { "b", NULL, UNPACK_FILE, 0644, 6, '0' }, { "a", NULL, UNPACK_FILE, 0644, 5, '0' }, { .max_entries = 1 }, "more than 1 entries", NULL, NULL },
	{ "device",          { 0 }, { "a", NULL, UNPACK_OTHER, 0644, 0, '3' }, { 0 }, "a device", NULL, NULL },
	{ "no-header",       { 0 }, { "a", NULL, UNPACK_FILE, 0644, 0, -1 }, { 0 }, "no header", NULL, NULL },
	{ "old-type",        { 0 }, { "a", NULL, UNPACK_FILE, 0644, 0, 0 }, { 0 }, NULL, "a", NULL },
	{ "unknown-type",    { 0 }, { "a", NULL, UNPACK_FILE, 0644, 0, 'Z' }, { 0 }, "unknown type", NULL, NULL },
	{ "setuid",          { 0 }, { "a", NULL, UNPACK_FILE, 04755, 0, '0' }, { 0 }, "setuid", NULL, NULL },
	{ "link",            { 0 }, { "a", "b", UNPACK_SYMLINK, 0777, 0, '2' }, { 0 }, "is a symbolic link", NULL, NULL },
	{ "link-inside",     { 0 }, { "d/a", "../b", UNPACK_SYMLINK, 0777, 0, '2' }, { .has_symlinks = true }, NULL, "d/a", "../b" },
	{ "link-to-the-top", { 0 }, { "d/a", "..", UNPACK_SYMLINK, 0777, 0, '2' }, { .has_symlinks = true }, NULL, "d/a", ".." },
	{ "link-out",        { 0 }, { "d/a", "../../b", UNPACK_SYMLINK, 0777, 0, '2' }, { .has_symlinks = true }, "leads out", NULL, NULL },
	{ "link-to-nothing", { 0 }, { "a", NULL, UNPACK_SYMLINK, 0777, 0, '2' }, { .has_symlinks = true }, "empty, absolute or too long", NULL, NULL },
	{ "link-to-empty",   { 0 }, { "a", "", UNPACK_SYMLINK, 0777, 0, '2' }, { .has_symlinks = true }, "empty, absolute or too long", NULL, NULL },
	{ "link-absolute",   { 0 }, { "a", "/b", UNPACK_SYMLINK, 0777, 0, '2' }, { .has_symlinks = true }, "empty, absolute or too long", NULL, NULL },
	{ "link-backslash",  { 0 }, { "a", "b\\c", UNPACK_SYMLINK, 0777, 0, '2' }, { .has_symlinks = true }, "backslash", NULL, NULL },
	{ "hard-link",       { "b", NULL, UNPACK_FILE, 0644, 5, '0' }, { "a", "b", UNPACK_HARDLINK, 0644, 0, '1' }, { 0 }, NULL, "a", "b" },
	{ "hard-link-dot",   { "b", NULL, UNPACK_FILE, 0644, 5, '0' }, { "a", "./b", UNPACK_HARDLINK, 0644, 0, '1' }, { 0 }, NULL, "a", "b" },
	{ "hard-link-to-nothing", { 0 }, { "a", NULL, UNPACK_HARDLINK, 0644, 0, '1' }, { 0 }, "to nothing", NULL, NULL },
	{ "hard-link-to-later", { 0 }, { "a", "b", UNPACK_HARDLINK, 0644, 0, '1' }, { 0 }, "no earlier file", NULL, NULL },
	{ "hard-link-upwards", { 0 }, { "a", "../b", UNPACK_HARDLINK, 0644, 0, '1' }, { 0 }, "\"..\"", NULL, NULL },
	{ "hard-link-by-case", { "b", NULL, UNPACK_FILE, 0644, 5, '0' }, { "a", "B", UNPACK_HARDLINK, 0644, 0, '1' }, { 0 }, "no earlier file", NULL, NULL },
	{ "hard-link-to-directory", { "b", NULL, UNPACK_DIRECTORY, 0755, 0, '5' }, { "a", "b", UNPACK_HARDLINK, 0644, 0, '1' }, { 0 }, "no earlier file", NULL, NULL },
	{ "hard-link-to-what-is-left-out", { "c", NULL, UNPACK_FILE, 0644, 5, '0' }, { "top/a", "c", UNPACK_HARDLINK, 0644, 0, '1' }, { .only = only_b }, "left out", NULL, NULL },
	{ "hard-link-below-another", { "top/c", NULL, UNPACK_FILE, 0644, 5, '0' }, { "a/b/c", "top/c", UNPACK_HARDLINK, 0644, 0, '1' }, { .only = only_b, .strip_components = 1 }, "is not below", NULL, NULL },
	{ "hard-link-from-elsewhere", { "else/c", NULL, UNPACK_FILE, 0644, 5, '0' }, { "top/c", "else/c", UNPACK_HARDLINK, 0644, 0, '1' }, { .strip_components = 1 }, "is not below", NULL, NULL },
	{ "selected",        { 0 }, { "top/a", NULL, UNPACK_FILE, 0644, 5, '0' }, { .only = only_b }, NULL, "top/a", NULL },
	{ "not-selected",    { 0 }, { "other/a", NULL, UNPACK_FILE, 0644, 5, '0' }, { .only = only_b }, NULL, NULL, NULL },
	{ "stripped",        { 0 }, { "top/a", NULL, UNPACK_FILE, 0644, 5, '0' }, { .strip_components = 1 }, NULL, "a", NULL },
	{ "directory-taken-off", { 0 }, { "top", NULL, UNPACK_DIRECTORY, 0755, 0, '5' }, { .strip_components = 1 }, NULL, NULL, NULL },
	{ "file-above",      { 0 }, { "top", NULL, UNPACK_FILE, 0644, 5, '0' }, { .strip_components = 1 }, "lies above", NULL, NULL },
	{ "below-another",   { "top/b", NULL, UNPACK_FILE, 0644, 5, '0' }, { "other/a", NULL, UNPACK_FILE, 0644, 5, '0' }, { .strip_components = 1 }, "is not below", NULL, NULL },
	{ "twice",           { "a", NULL, UNPACK_FILE, 0644, 5, '0' }, { "a", NULL, UNPACK_FILE, 0644, 5, '0' }, { 0 }, "twice", NULL, NULL },
	{ "directory-twice", { "a", NULL, UNPACK_DIRECTORY, 0755, 0, '5' }, { "a", NULL, UNPACK_DIRECTORY, 0755, 0, '5' }, { 0 }, "twice", NULL, NULL },
	{ "directory-behind-its-file", { "a/b", NULL, UNPACK_FILE, 0644, 5, '0' }, { "a", NULL, UNPACK_DIRECTORY, 0755, 0, '5' }, { 0 }, NULL, "a", NULL },
	{ "file-behind-its-file", { "a/b", NULL, UNPACK_FILE, 0644, 5, '0' }, { "a", NULL, UNPACK_FILE, 0644, 5, '0' }, { 0 }, "twice", NULL, NULL },
	{ "case",            { "a", NULL, UNPACK_FILE, 0644, 5, '0' }, { "A", NULL, UNPACK_FILE, 0644, 5, '0' }, { 0 }, "only in case", NULL, NULL },
	{ "case-of-a-directory", { "a/b", NULL, UNPACK_FILE, 0644, 5, '0' }, { "A/c", NULL, UNPACK_FILE, 0644, 5, '0' }, { 0 }, "directory that differs only in case", NULL, NULL },
	{ "below-a-file",    { "a", NULL, UNPACK_FILE, 0644, 5, '0' }, { "a/b", NULL, UNPACK_FILE, 0644, 5, '0' }, { 0 }, "no directory", NULL, NULL },
	{ "below-a-directory", { "a", NULL, UNPACK_DIRECTORY, 0755, 0, '5' }, { "a/b", NULL, UNPACK_FILE, 0644, 5, '0' }, { 0 }, NULL, "a/b", NULL },
};
/* clang-format on */

static void test_row(gconstpointer data)
{
	gsize i = GPOINTER_TO_SIZE(data);
	g_autoptr(UnpackRules) rules = unpack_rules_new(&rows[i].limits, SMALL);
	g_auto(UnpackEntry) before = { 0 };
	g_auto(UnpackEntry) entry = { 0 };
	g_autoptr(GError) error = NULL;

	if (rows[i].before.name) {
		g_assert_true(unpack_rules_admit(rules, &rows[i].before, &before, &error));
		g_assert_no_error(error);
	}
	bool is_admitted = unpack_rules_admit(rules, &rows[i].claim, &entry, &error);
	g_assert_true(is_admitted == !rows[i].refusal);
	if (rows[i].refusal) {
		g_assert_error(error, FAULT, STATUS_DATA);
		g_assert_nonnull(strstr(error->message, rows[i].refusal));
		return;
	}
	g_assert_no_error(error);
	g_assert_cmpstr(entry.path, ==, rows[i].path);
	g_assert_cmpstr(entry.target, ==, rows[i].target);
}

/* Names that no source text should hold. */
static void test_lengths_and_bytes(void)
{
	g_autofree char *long_component = g_strnfill(256, 'n');
	g_autofree char *part = g_strnfill(250, 'p');
	g_autofree char *long_path = g_strjoin("/", part, part, part, part, part, NULL);
	const struct {
		const char *name;
		const char *target;
		const char *refusal;
	} bad[] = {
		{ long_component, NULL, "more than 255 bytes" },
		{ long_path, NULL, "more than 1024 bytes" },
		{ "a\xff", NULL, "not UTF-8" },
		{ "a\nb", NULL, "control character" },
		{ "a\\b", NULL, "backslash" },
		{ "a", long_path, "too long" },
		{ "a", "b\xff", "not UTF-8" },
		{ "a", "b/../c", "\"..\"" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		const ArchiveLimits limits = { .has_symlinks = true };
		g_autoptr(UnpackRules) rules = unpack_rules_new(&limits, SMALL);
		g_auto(UnpackEntry) entry = { 0 };
		g_autoptr(GError) error = NULL;
		UnpackClaim claim = { bad[i].name,
			              bad[i].target,
			              bad[i].target ? UNPACK_SYMLINK : UNPACK_FILE,
			              0644,
			              0,
			              bad[i].target ? '2' : '0' };

		g_assert_false(unpack_rules_admit(rules, &claim, &entry, &error));
		g_assert_error(error, FAULT, STATUS_DATA);
		g_assert_nonnull(strstr(error->message, bad[i].refusal));
		g_assert_true(g_utf8_validate(error->message, -1, NULL));
	}
	unpack_rules_free(NULL);
}

/* How much may come out of an archive of that size. */
static void test_stream_bound(void)
{
	const ArchiveLimits narrow = { .max_ratio = 2 };

	g_assert_cmpuint(unpack_rules_max_stream(NULL, 0), ==, 1 << 20);
	g_assert_cmpuint(unpack_rules_max_stream(&narrow, 1 << 20), ==, 2 << 20);
	g_assert_cmpuint(unpack_rules_max_stream(NULL, 1 << 20), ==, 200 << 20);
	g_assert_cmpuint(unpack_rules_max_stream(NULL, G_MAXUINT64), ==, G_MAXUINT64);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strconcat("/unpack/rules/", rows[i].name, NULL);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_row);
	}
	g_test_add_func("/unpack/rules/lengths-and-bytes", test_lengths_and_bytes);
	g_test_add_func("/unpack/rules/stream-bound", test_stream_bound);
	return g_test_run();
}
