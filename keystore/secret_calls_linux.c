/* keystore/secret_calls_linux.c - one wait for many answers
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/secret_calls.h"

#include "keystore/secret_item.h"

struct SecretCalls {
	GArray *calls;
	GMainContext *context; /* where the answers arrive */
	guint pending;
};

typedef struct {
	SecretCalls *calls;
	guint index;
} Waiting;

void secret_call_clear(SecretCall *call)
{
	g_clear_pointer(&call->answer, g_variant_unref);
	g_clear_error(&call->error);
}

GArray *secret_calls_new(guint count)
{
	GArray *calls = g_array_sized_new(false, true, sizeof(SecretCall), count);

	g_array_set_clear_func(calls, (GDestroyNotify)secret_call_clear);
	g_array_set_size(calls, count);
	return calls;
}

static void on_answer(GObject *bus, GAsyncResult *result, gpointer data)
{
	g_autofree Waiting *waiting = data;
	SecretCall *call = &g_array_index(waiting->calls->calls, SecretCall, waiting->index);

	call->answer = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &call->error);
	waiting->calls->pending--;
}

SecretCalls *secret_calls_begin(GDBusConnection *bus, GArray *calls)
{
	SecretCalls *under_way = g_new0(SecretCalls, 1);

	under_way->calls = calls;
	under_way->context = g_main_context_new();
	under_way->pending = calls->len;
	g_main_context_push_thread_default(under_way->context);
	for (guint i = 0; i < calls->len; i++) {
		const SecretCall *call = &g_array_index(calls, SecretCall, i);
		Waiting *waiting = g_new0(Waiting, 1);

		*waiting = (Waiting){ under_way, i };
		g_dbus_connection_call(bus, SECRET_BUS_NAME, call->path, call->interface,
		                       call->method, call->arguments, G_VARIANT_TYPE(call->type),
		                       G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, on_answer, waiting);
	}
	g_main_context_pop_thread_default(under_way->context);
	return under_way;
}

GArray *secret_calls_end(SecretCalls *under_way)
{
	GArray *calls = under_way->calls;

	while (under_way->pending > 0)
		g_main_context_iteration(under_way->context, TRUE);
	g_main_context_unref(under_way->context);
	g_free(under_way);
	return calls;
}

GArray *secret_calls_run(GDBusConnection *bus, GArray *calls)
{
	return secret_calls_end(secret_calls_begin(bus, calls));
}

GVariant *secret_call_answer(SecretCall *call, GError **error)
{
	if (!call->answer)
		g_propagate_error(error, g_steal_pointer(&call->error));
	return call->answer;
}
