/* checks/check_table.c - the table of checks, in the order in which they are judged
 *
 * Its rows stand in files of their own, a file for each group.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_private.h"

static const Check *const groups[] = {
	check_rows_system,          check_rows_kernel,      check_rows_user,    check_rows_limits,
	check_rows_memory,          check_rows_cpu,         check_rows_disk,    check_rows_place,
	check_rows_packages,        check_rows_gpu,         check_rows_model,   check_rows_engine,
	check_rows_engine_info,     check_rows_engine_ways, check_rows_compose, check_rows_desktop,
	check_rows_desktop_options, check_rows_port,        check_rows_network
};

const Check *check_next(CheckWalk *walk)
{
	for (; walk->group < G_N_ELEMENTS(groups); walk->group++, walk->next = NULL) {
		const Check *row = walk->next != NULL ? walk->next : groups[walk->group];

		walk->next = row + 1;
		if (row->id != NULL)
			return row;
	}
	return NULL;
}

const Check *check_find(const char *id)
{
	CheckWalk walk = { 0 };
	const Check *check;

	while ((check = check_next(&walk)) != NULL)
		if (strcmp(check->id, id) == 0)
			return check;

	return NULL;
}
