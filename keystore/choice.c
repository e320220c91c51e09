/* keystore/choice.c - the record of the choice, one line beside the store file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/choice.h"

#include <string.h>

#include "base/file.h"
#include "keystore/error.h"
#include "keystore/vault.h"

#define NAME_MAX_BYTES 32

static char *record_path(const char *path)
{
	return g_strconcat(path, ".backend", NULL);
}

static char *parse(GBytes *record)
{
	gsize size = 0;
	const char *text = g_bytes_get_data(record, &size);
	gsize length = 0;

	while (length < size && (g_ascii_islower(text[length]) || text[length] == '-'))
		length++;
	if (length == 0 || length > NAME_MAX_BYTES || size != length + 1 || text[length] != '\n')
		return NULL;
	return g_strndup(text, length);
}

bool choice_read(const char *path, char **name, GError **error)
{
	g_autofree char *record = record_path(path);
	g_autoptr(GBytes) bytes = NULL;

	*name = NULL;
	if (!vault_read(record, &bytes, error))
		return false;
	if (!bytes) {
		*name = file_exists(path) ? g_strdup("file") : NULL;
		return true;
	}
	*name = parse(bytes);
	return *name ||
	       keystore_fail(error, KEYSTORE_ERROR_CORRUPT,
	                     "Write the name of the back end into it: secret-service or file.",
	                     "%s does not say where the keys are", record);
}

bool choice_record(const char *path, const char *name, char **chosen, GError **error)
{
	g_autofree char *record = record_path(path);
	g_autofree char *line = g_strconcat(name, "\n", NULL);
	g_autoptr(Lock) lock = vault_lock(path, error);

	if (!lock || !choice_read(path, chosen, error))
		return false;
	if (*chosen)
		return true;
	if (!file_write(record, line, strlen(line), 0600, error))
		return false;
	*chosen = g_strdup(name);
	return true;
}

static bool forget_locked(const char *path, const char *name, GError **error)
{
	g_autofree char *record = record_path(path);
	g_autofree char *chosen = NULL;

	if (!choice_read(path, &chosen, error))
		return false;
	if (g_strcmp0(chosen, name) != 0)
		return true;
	return file_remove(record, error) &&
	       (file_exists(path) || vault_delete(path, false, error));
}

bool choice_forget(const char *path, const char *name, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(path);

	if (!file_exists(directory))
		return true;
	g_autoptr(Lock) lock = vault_lock(path, error);
	return lock && forget_locked(path, name, error);
}
