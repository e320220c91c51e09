/* installer/template.h - @name@ in texts
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <jansson.h>

/**
 * Replaces every @name@ ([a-z_]+) in @text by the string of that name in @vars; "@@" stands for
 * one "@"; any other "@" is left alone.
 *
 * Returns: (transfer full): the text; or NULL with CONFIG set when @vars has no such name.
 */
char *template_expand(const char *text, const json_t *vars,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
