/* installer/undo_service.c - primitives that take back services and models
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "base/file.h"
#include "installer/ollama_api.h"
#include "installer/service.h"
#include "installer/undo_parts.h"

/* What is removed lies in a directory of ours, what is run is absolute. */
static const json_t *need_service(const json_t *part, GError **error)
{
	static const char *const keys[] = { "log", "pid" };
	const json_t *service = json_object_get(part, "service");
	const char *program =
		json_string_value(json_array_get(json_object_get(service, "argv"), 0));

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		const char *path = undo_need_path(service, keys[i], error);
		if (!path)
			return NULL;
		g_autofree char *directory = g_path_get_dirname(path);
		if (!g_str_has_suffix(directory, "/services")) {
			undo_refuse(error, path, "which is not a file of a service");
			return NULL;
		}
	}
	if (program && g_path_is_absolute(program))
		return service;

	undo_refuse(error, program ? program : "", "which is not a program");
	return NULL;
}

bool undo_service_stop(const Undo *undo G_GNUC_UNUSED, const json_t *part, GError **error)
{
	const json_t *service = need_service(part, error);

	return service && service_stop(service, error);
}

bool undo_service_resume(const Undo *undo G_GNUC_UNUSED, const json_t *part, GError **error)
{
	const json_t *service = need_service(part, error);
	const json_t *argv = json_object_get(service, "argv");

	if (!service)
		return false;

	service_reload(service);
	if (!json_flag(part, "was_running"))
		return service_sweep(service, error);
	if (!file_exists(json_string_value(json_array_get(argv, 0))))
		return true;
	return service_is_running(service) || service_start(service, error);
}

bool undo_model_delete(const Undo *undo, const json_t *part, GError **error)
{
	const char *name = json_need_text(part, "name", error);
	const char *url = name ? json_need_text(part, "at", error) : NULL;
	g_autoptr(GError) cause = NULL;

	if (!url)
		return false;
	if (!ollama_delete_model(url, name, &cause)) {
		g_autofree char *why = fault_message(cause);
		undo_leave(undo, name, why);
	}
	return true;
}
