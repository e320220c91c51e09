/* installer/document.c - what a command says with --json
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/document.h"

void session_put(App *app, const char *name, json_t *value)
{
	if (!app->document)
		app->document = json_object();
	json_object_set_new(app->document, name, value);
}
