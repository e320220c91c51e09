/* installer/plan_keys.c - how large a generated key is
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/json.h"
#include "installer/plan_private.h"

void plan_key_size(const Stack *stack, json_t *inputs)
{
	const char *name = json_text(inputs, "name");

	for (guint i = 0; i < stack->keys->len && !json_text(inputs, "bytes"); i++) {
		const StackKey *key = stack->keys->pdata[i];

		if (g_strcmp0(key->name, name) == 0)
			json_object_set_new(inputs, "bytes",
			                    json_sprintf("%" G_GUINT64_FORMAT, key->size_bytes));
	}
}
