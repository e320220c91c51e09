/* base/http_places.c - what can be had in several places, from the first that has it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/cancel.h"
#include "base/fault.h"
#include "base/http.h"

static bool may_try_next(const GError *why)
{
	static const ExitStatus statuses[] = { STATUS_UNTRUSTED, STATUS_UNAVAILABLE, STATUS_DATA,
		                               STATUS_BUSY, STATUS_DEADLINE };

	for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++)
		if (fault_status(why) == statuses[i])
			return cancel_signal() == 0;
	return false;
}

bool http_from_places(const char *const *places, HttpLoad load, gpointer data, GError **error)
{
	g_autoptr(GString) before = g_string_new(NULL);

	for (; *places; places++) {
		g_autoptr(GError) why = NULL;

		if (load(*places, data, &why))
			return true;
		if (!places[1] || !may_try_next(why)) {
			g_propagate_prefixed_error(error, g_steal_pointer(&why), "%s", before->str);
			return false;
		}
		g_autofree char *message = fault_message(why);
		g_string_append_printf(before, "%s; ", message);
	}
	g_return_val_if_reached(false);
}

typedef struct {
	gsize max_bytes;
	GBytes *body;
} Document;

static bool get(const char *place, gpointer data, GError **error)
{
	Document *document = data;
	g_autofree char *url =
		*place == '/' ? g_filename_to_uri(place, NULL, NULL) : g_strdup(place);
	HttpRequest request = { .url = url, .max_bytes = document->max_bytes };

	document->body = http_get(&request, error);
	return document->body != NULL;
}

GBytes *http_get_from_places(const char *const *places, gsize max_bytes, GError **error)
{
	Document document = { .max_bytes = max_bytes };

	return http_from_places(places, get, &document, error) ? document.body : NULL;
}
