/* tests/checks_tree.h - trees that stand for machines, for the tests of the readers
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tree.h"
#include "checks/facts_private.h"

#define FILES_MAX 24
#define LINK_TO "-> "

typedef struct {
	const char *path, *text; /* NULL text: a directory; "-> X": a link to X */
} File;

/** A tree under a temporary directory, and the source that reads it. */
typedef struct {
	char *root;
	char **environment;
	FactsSource source;
} Tree;

static inline void tree_lay(Tree *tree, const File *files, const char *const *variables)
{
	tree->root = g_dir_make_tmp("facts-XXXXXX", NULL);
	for (gsize i = 0; files != NULL && i < FILES_MAX && files[i].path != NULL; i++) {
		g_autofree char *path = g_strconcat(tree->root, files[i].path, NULL);
		g_autofree char *parent = g_path_get_dirname(path);

		g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
		if (files[i].text == NULL)
			g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
		else if (g_str_has_prefix(files[i].text, LINK_TO))
			g_assert_cmpint(symlink(files[i].text + strlen(LINK_TO), path), ==, 0);
		else
			g_assert_true(g_file_set_contents(path, files[i].text, -1, NULL));
	}
	tree->environment = g_new0(char *, 1);
	for (gsize i = 0; variables != NULL && variables[i] != NULL; i++) {
		g_auto(GStrv) pair = g_strsplit(variables[i], "=", 2);

		tree->environment = g_environ_setenv(tree->environment, pair[0], pair[1], TRUE);
	}
	tree->source = (FactsSource){ tree->root, tree->environment, G_MAXINT64, NULL };
}

static inline void tree_clear(Tree *tree)
{
	g_assert_true(tree_remove(tree->root, NULL));
	g_free(tree->root);
	g_strfreev(tree->environment);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Tree, tree_clear)
