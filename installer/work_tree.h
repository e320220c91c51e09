/* installer/work_tree.h - what git would do with a file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

typedef enum {
	WORK_TREE_NONE,    /* it is in no work tree */
	WORK_TREE_IGNORED, /* "git add" passes it over */
	WORK_TREE_OPEN,    /* "git add" takes it; also when git cannot be asked */
	WORK_TREE_TRACKED, /* git has it, and keeps what it once said */
} WorkTree;

/** Asks git, where there is one, about @path in the work tree that it lies in; blocks, a few seconds
 *  at most.  No program that the work tree names is run. */
WorkTree work_tree_of(const char *path);
