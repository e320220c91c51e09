/* tests/test_installer_undo.c - every primitive in every state, hostile recipes, crashes
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/installer_fixture.h"

#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" /* "hello" */
#define WORLD "486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7" /* "world" */

/* A recipe of one primitive; %H stands for the home, %T for the transaction. */
static json_t *recipe_of(const Fixture *fixture, const char *text)
{
	g_auto(GStrv) homes = g_strsplit(text, "%H", -1);
	g_autofree char *first = g_strjoinv(fixture->home, homes);
	g_auto(GStrv) txns = g_strsplit(first, "%T", -1);
	g_autofree char *whole = g_strjoinv(fixture->txn_dir, txns);
	g_autofree char *array = g_strdup_printf("[%s]", whole);
	json_t *recipe = json_loads(array, 0, NULL);

	g_assert_nonnull(recipe);
	return recipe;
}

static void mark(const Fixture *fixture, const char *name, const char *token)
{
	g_autofree char *path = at(fixture, name);
	g_autofree char *inside = g_build_filename(name, "inside", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_true(undo_mark_tree(path, token, &error));
	g_assert_no_error(error);
	put(fixture, inside, "x");
}

static void backup_hello(const Fixture *fixture)
{
	g_autofree char *path = g_build_filename(fixture->txn_dir, "backup", HELLO, NULL);

	put_path(path, "hello", 0600);
}

typedef struct {
	const char *before; /* text of the file; NULL: absent; "/": a directory */
	const char *after;
	const char *left;
} FileCase;

static void check_file_case(Fixture *fixture, const char *recipe_text, const FileCase *row)
{
	g_autoptr(json_t) recipe = recipe_of(fixture, recipe_text);
	g_autofree char *path = at(fixture, "f");

	if (row->before && *row->before == '/')
		g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
	else if (row->before)
		put_path(path, row->before, 0640);
	undo_twice(fixture, recipe, row->left);

	if (!row->after)
		g_assert_false(file_exists(path));
	else if (*row->after == '/')
		g_assert_true(g_file_test(path, G_FILE_TEST_IS_DIR));
	else
		assert_text(fixture, "f", row->after);
	g_assert_true(tree_remove(path, NULL));
}

static void test_unlink_if_hash(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const FileCase rows[] = {
		{ NULL, NULL, NULL },
		{ "hello", NULL, NULL },
		{ "edited", "edited", "changed since" },
		{ "/", "/", "no longer the file" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		check_file_case(fixture,
		                "{\"do\":\"unlink_if_hash\",\"path\":\"%H/f\",\"sha256\":\"" HELLO
		                "\"}",
		                &rows[i]);
}

static void test_restore_backup(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const FileCase rows[] = {
		{ "world", "hello", NULL }, /* what we wrote */
		{ "hello", "hello", NULL }, /* not replaced yet, or restored already */
		{ "edited", "edited", "changed since" },
		{ NULL, NULL, NULL },
		{ "/", "/", "no longer the file" },
	};
	const char *text =
		"{\"do\":\"restore_backup\",\"path\":\"%H/f\",\"backup\":\"%T/backup/" HELLO
		"\",\"sha256\":\"" WORLD "\",\"mode\":416}";

	backup_hello(fixture);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		check_file_case(fixture, text, &rows[i]);

	/* Killed right behind the rename. */
	g_autoptr(json_t) again = recipe_of(fixture, text);
	g_autofree char *stage = at(fixture, "f.slipway-undo");
	put(fixture, "f", "hello");
	g_assert_cmpint(g_mkdir(stage, 0700), ==, 0);
	undo_twice(fixture, again, NULL);
	g_assert_false(file_exists(stage));

	/* The mode comes back too. */
	struct stat st;
	g_autofree char *path = at(fixture, "f");
	g_autoptr(json_t) recipe = recipe_of(fixture, text);
	put(fixture, "f", "world");
	undo_twice(fixture, recipe, NULL);
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 0777, ==, 0640);

	/* A backup that is gone, and one that is damaged. */
	g_autofree char *backup = g_build_filename(fixture->txn_dir, "backup", HELLO, NULL);
	g_autoptr(GError) error = NULL;
	put(fixture, "f", "world");
	put_path(backup, "evil!", 0600);
	g_assert_false(try_undo(fixture, recipe, &error));
	g_assert_error(error, FAULT, STATUS_UNTRUSTED);
	assert_text(fixture, "f", "world");
	g_assert_cmpint(unlink(backup), ==, 0);
	undo_twice(fixture, recipe, "is gone");
	assert_text(fixture, "f", "world");
}

static void test_unlink_link(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = at(fixture, "l");
	g_autoptr(json_t) recipe =
		recipe_of(fixture, "{\"do\":\"unlink_link\",\"path\":\"%H/l\",\"target\":\"to\"}");

	undo_twice(fixture, recipe, NULL);
	g_assert_cmpint(symlink("to", path), ==, 0);
	undo_twice(fixture, recipe, NULL);
	g_assert_false(file_exists(path));
	g_assert_cmpint(symlink("elsewhere", path), ==, 0);
	undo_twice(fixture, recipe, "no longer the link");
	g_assert_true(file_exists(path));
}

static void test_rmdir_if_empty(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(json_t) recipe =
		recipe_of(fixture, "{\"do\":\"rmdir_if_empty\",\"path\":\"%H/a\"},"
	                           "{\"do\":\"rmdir_if_empty\",\"path\":\"%H/a/b\"}");

	put(fixture, "a/b/file", "x");
	undo_twice(fixture, recipe, "is not empty");
	g_assert_true(is_there(fixture, "a/b/file"));

	g_autofree char *file = at(fixture, "a/b/file");
	g_assert_cmpint(unlink(file), ==, 0);
	undo_twice(fixture, recipe, NULL);
	g_assert_false(is_there(fixture, "a"));
}

static void test_remove_tree(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(json_t) recipe =
		recipe_of(fixture, "{\"do\":\"remove_tree\",\"path\":\"%H/t\",\"token\":\"abc\"}");

	undo_twice(fixture, recipe, NULL);
	mark(fixture, "t", "abc");
	undo_twice(fixture, recipe, NULL);
	g_assert_false(is_there(fixture, "t"));

	/* Killed while marking. */
	put(fixture, "t.abc.new/.slipway-st", "ab");
	undo_twice(fixture, recipe, NULL);
	g_assert_false(is_there(fixture, "t.abc.new"));

	/* Killed while removing: behind the mark there is only the directory itself. */
	g_autofree char *bare = at(fixture, "t");
	g_assert_cmpint(g_mkdir(bare, 0755), ==, 0);
	undo_twice(fixture, recipe, NULL);
	g_assert_false(is_there(fixture, "t"));

	/* Somebody else's tree, one without a mark, a symlink to one of ours. */
	mark(fixture, "t", "other");
	undo_twice(fixture, recipe, "does not carry the mark");
	g_assert_true(is_there(fixture, "t/inside"));
	g_autofree char *path = at(fixture, "t");
	g_assert_true(tree_remove(path, NULL));
	put(fixture, "t/inside", "x");
	undo_twice(fixture, recipe, "does not carry the mark");
	g_assert_true(is_there(fixture, "t/inside"));
	g_assert_true(tree_remove(path, NULL));
	mark(fixture, "real", "abc");
	g_assert_cmpint(symlink("real", path), ==, 0);
	undo_twice(fixture, recipe, "does not carry the mark");
	g_assert_true(is_there(fixture, "real/inside"));
}

static void test_restore_tree(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	/* Where the new tree (n), the old one (o) stand: at the path, in the backups, beside. */
	static const struct {
		char path, backup, beside;
		char after;
	} rows[] = {
		{ 'n', 'o', 0, 'o' }, { 'n', 0, 'o', 'o' }, { 0, 'o', 0, 'o' }, { 0, 0, 'o', 'o' },
		{ 'o', 0, 0, 'o' },   { 'n', 0, 0, 0 },     { 0, 0, 0, 0 },
	};
	g_autoptr(json_t) recipe =
		recipe_of(fixture, "{\"do\":\"restore_tree\",\"path\":\"%H/t\",\"token\":\"new\","
	                           "\"backup\":\"%T/backup/t-new\"}");
	g_autofree char *path = at(fixture, "t");
	g_autofree char *beside = at(fixture, "t.new.old");
	g_autofree char *backup = g_build_filename(fixture->txn_dir, "backup", "t-new", NULL);

	g_assert_true(file_make_dirs(fixture->txn_dir, 0755, NULL, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *backups = g_path_get_dirname(backup);
		g_assert_true(file_make_dirs(backups, 0755, NULL, NULL));
		if (rows[i].backup || rows[i].beside) {
			mark(fixture, "t", "old");
			g_assert_cmpint(rename(path, rows[i].backup ? backup : beside), ==, 0);
		}
		if (rows[i].path)
			mark(fixture, "t", rows[i].path == 'n' ? "new" : "old");
		undo_twice(fixture, recipe, NULL);

		g_autofree char *token = undo_tree_token(path);
		g_assert_cmpstr(token, ==, rows[i].after ? "old" : NULL);
		g_assert_false(file_exists(backup) || file_exists(beside));
		g_assert_true(tree_remove(path, NULL));
	}
}

static void test_remove_listed(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(json_t) recipe =
		recipe_of(fixture, "{\"do\":\"remove_tree\",\"path\":\"%H/t\",\"token\":\"abc\","
	                           "\"unless\":\"%T/listings/files.json\"},"
	                           "{\"do\":\"remove_listed\",\"path\":\"%H/t\","
	                           "\"listing\":\"%T/listings/files.json\"}");
	g_autofree char *path = at(fixture, "t");
	g_autofree char *directory = g_build_filename(fixture->txn_dir, "listings", NULL);
	g_autofree char *name = g_build_filename(directory, "files.json", NULL);

	g_assert_true(file_make_dirs(directory, 0700, NULL, NULL));

	/* Not finished: there is no listing, the whole tree goes. */
	mark(fixture, "t", "abc");
	undo_twice(fixture, recipe, NULL);
	g_assert_false(is_there(fixture, "t"));

	/* Finished: what a person changed and added stays. */
	mark(fixture, "t", "abc");
	put(fixture, "t/deep/other", "y");
	g_autoptr(json_t) listing = tree_list(path, NULL);
	g_autofree char *text = json_pretty(listing);
	put_path(name, text, 0600);
	put(fixture, "t/inside", "edited");
	put(fixture, "t/added", "by a person");
	undo_twice(fixture, recipe, "changed or added");
	assert_text(fixture, "t/inside", "edited");
	assert_text(fixture, "t/added", "by a person");
	g_assert_false(is_there(fixture, "t/deep"));
	g_assert_false(file_exists(name));
	g_assert_true(tree_remove(path, NULL));

	/* Finished and untouched; a tree that somebody has removed. */
	mark(fixture, "t", "abc");
	g_autoptr(json_t) again = tree_list(path, NULL);
	g_autofree char *second = json_pretty(again);
	put_path(name, second, 0600);
	undo_twice(fixture, recipe, NULL);
	g_assert_false(is_there(fixture, "t"));
	put_path(name, second, 0600);
	undo_twice(fixture, recipe, NULL);
	g_assert_false(file_exists(name));

	/* A listing that cannot be trusted: nothing is removed, nor afterwards as a whole. */
	mark(fixture, "t", "abc");
	for (int i = 0; i < 2; i++) {
		put_path(name, i ? "{\"/etc/passwd\": \"d\"}" : "{\"../../etc/passwd\": \"d\"}",
		         0600);
		g_autoptr(GError) error = NULL;
		g_assert_false(try_undo(fixture, recipe, &error));
		g_assert_error(error, FAULT, STATUS_FOREIGN);
	}
	g_assert_true(is_there(fixture, "t/inside"));
}

static void test_refuses_hostile(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const recipes[] = {
		"{\"do\":\"remove_tree\",\"path\":\"/\",\"token\":\"abc\"}",
		"{\"do\":\"remove_tree\",\"path\":\"/etc\",\"token\":\"abc\"}",
		"{\"do\":\"remove_tree\",\"path\":\"//etc/\",\"token\":\"abc\"}",
		"{\"do\":\"remove_tree\",\"path\":\"//etc/ssl\",\"token\":\"abc\"}",
		"{\"do\":\"remove_tree\",\"path\":\"/etc/../etc/ssl\",\"token\":\"abc\"}",
		"{\"do\":\"remove_tree\",\"path\":\"relative/tree\",\"token\":\"abc\"}",
		"{\"do\":\"remove_tree\",\"path\":\"%H/t\",\"token\":\"\"}",
		"{\"do\":\"remove_tree\",\"path\":\"%H/t\",\"token\":\"../../x\"}",
		"{\"do\":\"remove_tree\",\"path\":\"%H/t\"}",
		"{\"do\":\"remove_tree\",\"token\":\"abc\"}",
		"{\"do\":\"restore_tree\",\"path\":\"/etc\",\"token\":\"abc\",\"backup\":\"%T/"
		"backup/x\"}",
		"{\"do\":\"restore_tree\",\"path\":\"%H/t\",\"token\":\"abc\",\"backup\":\"/etc/"
		"ssl\"}",
		"{\"do\":\"remove_listed\",\"path\":\"/etc\",\"listing\":\"%T/listings/"
		"files.json\"}",
		"{\"do\":\"remove_listed\",\"path\":\"/\",\"listing\":\"%T/listings/files.json\"}",
		"{\"do\":\"unlink_if_hash\",\"path\":\"/vmlinuz\",\"sha256\":\"" HELLO "\"}",
		"{\"do\":\"unlink_if_hash\",\"path\":\"%H/../f\",\"sha256\":\"" HELLO "\"}",
		"{\"do\":\"unlink_if_hash\",\"path\":\"%H/f\"}",
		"{\"do\":\"unlink_if_hash\",\"path\":\"%H/f\",\"sha256\":7}",
		"{\"do\":\"block_remove\",\"path\":\"/profile\",\"name\":\"x\",\"sha256\":\"" HELLO
		"\"}",
		"{\"do\":\"block_remove\",\"path\":\"%H/../f\",\"name\":\"x\",\"sha256\":\"" HELLO
		"\"}",
		"{\"do\":\"block_remove\",\"path\":\"%H/f\",\"name\":\"x\"}",
		"{\"do\":\"rmdir_if_empty\",\"path\":\"/\"}",
		"{\"do\":\"rmdir_if_empty\",\"path\":\"relative\"}",
		"{\"do\":\"noop\"}",
		"{\"do\":\"rm_rf\",\"path\":\"%H\"}",
		"{\"path\":\"%H/f\"}",
		"7",
	};
	g_autofree char *before = NULL;

	mark(fixture, "t", "abc");
	put(fixture, "f", "hello");
	before = snapshot(fixture);
	for (gsize i = 0; i < G_N_ELEMENTS(recipes); i++) {
		g_autoptr(json_t) recipe = recipe_of(fixture, recipes[i]);
		g_autoptr(GError) error = NULL;

		g_assert_false(try_undo(fixture, recipe, &error));
		g_assert_nonnull(error);
		g_assert_true(error->code == STATUS_FOREIGN || error->code == STATUS_DATA);
	}

	g_autofree char *home = g_strdup(g_get_home_dir());
	g_autoptr(json_t) recipe = json_array();
	g_autoptr(GError) error = NULL;
	recipe_add(recipe, "remove_tree", "path", home, "token", "abc", NULL);
	g_assert_false(try_undo(fixture, recipe, &error));
	g_assert_error(error, FAULT, STATUS_FOREIGN);

	g_autofree char *after = snapshot(fixture);
	g_assert_cmpstr(before, ==, after);
}

static void test_refuses_unknown_first(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(json_t) recipe = recipe_of(
		fixture, "{\"do\":\"from_the_future\"},"
			 "{\"do\":\"unlink_if_hash\",\"path\":\"%H/f\",\"sha256\":\"" HELLO "\"}");
	g_autoptr(GError) error = NULL;

	put(fixture, "f", "hello");
	g_assert_false(try_undo(fixture, recipe, &error));
	g_assert_error(error, FAULT, STATUS_FOREIGN);
	g_assert_true(is_there(fixture, "f"));
	g_assert_false(undo_is_known("from_the_future"));
	g_assert_false(undo_is_known(NULL));
	g_assert_true(undo_is_known("compose_down"));
}

static void test_goes_on(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(json_t) recipe = recipe_of(
		fixture, "{\"do\":\"unlink_if_hash\",\"path\":\"%H/f\",\"sha256\":\"" HELLO "\"},"
			 "{\"do\":\"remove_tree\",\"path\":\"/etc\",\"token\":\"abc\"},"
			 "{\"do\":\"remove_tree\",\"path\":\"/usr\",\"token\":\"abc\"}");
	g_autoptr(GError) error = NULL;

	put(fixture, "f", "hello");
	g_assert_false(try_undo(fixture, recipe, &error));
	g_assert_error(error, FAULT, STATUS_FOREIGN);
	g_assert_nonnull(strstr(error->message, "/usr"));
	g_assert_false(is_there(fixture, "f"));
}

static void test_report_settles(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	UndoReport report = { .left = fixture->left };
	g_autofree char *there = g_strdup_printf("%s: is not empty", fixture->home);
	g_autofree char *gone = g_strdup_printf("%s/shared: is not empty", fixture->home);

	for (int i = 0; i < 2; i++) {
		g_ptr_array_add(report.left, g_strdup(there));
		g_ptr_array_add(report.left, g_strdup(gone));
		g_ptr_array_add(report.left, g_strdup("a model that was pulled"));
	}
	undo_report_settle(&report);
	g_assert_cmpuint(report.left->len, ==, 2);
	g_assert_cmpstr(report.left->pdata[0], ==, there);
}

static void test_marks(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = at(fixture, "t");
	g_autofree char *found = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_null(undo_tree_token(path));
	g_assert_true(undo_mark_tree(path, "abc", &error));
	g_assert_true(undo_mark_tree(path, "abc", &error));
	found = undo_tree_token(path);
	g_assert_cmpstr(found, ==, "abc");

	g_assert_false(undo_mark_tree(path, "other", &error));
	g_assert_error(error, FAULT, STATUS_CANNOT_CREATE);
	g_clear_error(&error);
	put(fixture, "t/work", "x");
	g_assert_false(undo_mark_tree(path, "abc", &error));
	g_assert_error(error, FAULT, STATUS_CANNOT_CREATE);
	g_assert_true(is_there(fixture, "t/work"));
}

/* Each state that a kill leaves, and then once more: nothing is there. */
static void test_drop(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = at(fixture, "t");
	g_autofree char *leaving = at(fixture, "t.abc.new");
	g_autoptr(GError) error = NULL;

	for (int state = 0; state < 4; state++) {
		if (state & 1)
			mark(fixture, "t", "abc");
		if (state & 2)
			g_assert_cmpint(g_mkdir(leaving, 0755), ==, 0);
		g_assert_true(undo_drop_tree(path, "abc", &error));
		g_assert_no_error(error);
		g_assert_false(file_exists(path));
		g_assert_false(file_exists(leaving));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/undo/unlink-if-hash", test_unlink_if_hash);
	add("/undo/restore-backup", test_restore_backup);
	add("/undo/unlink-link", test_unlink_link);
	add("/undo/rmdir-if-empty", test_rmdir_if_empty);
	add("/undo/remove-tree", test_remove_tree);
	add("/undo/restore-tree", test_restore_tree);
	add("/undo/remove-listed", test_remove_listed);
	add("/undo/refuses-hostile", test_refuses_hostile);
	add("/undo/refuses-unknown-first", test_refuses_unknown_first);
	add("/undo/goes-on", test_goes_on);
	add("/undo/report-settles", test_report_settles);
	add("/undo/marks", test_marks);
	add("/undo/drop", test_drop);
	return g_test_run();
}
