/* keystore/secret_calls.h - questions to the Secret Service, many under way at once
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/** One method call. */
typedef struct {
	const char *path;
	const char *interface;
	const char *method;
	GVariant *arguments; /* (transfer floating) */
	const char *type;    /* of the answer, a tuple */
	GVariant *answer;    /* (out) (transfer full): NULL: @error */
	GError *error;       /* (out) (transfer full) */
} SecretCall;

void secret_call_clear(SecretCall *call);

/** Returns: (transfer full): room for @count calls, cleared as a whole. */
GArray *secret_calls_new(guint count);

/** Calls that are under way. */
typedef struct SecretCalls SecretCalls;

/** Makes all @calls (transfer full) (element-type SecretCall). */
SecretCalls *secret_calls_begin(GDBusConnection *bus, GArray *calls);

/** Waits until each of @under_way (transfer full) is answered.  May block for ever.
 *  Returns: (transfer full): the calls. */
GArray *secret_calls_end(SecretCalls *under_way);

/** Both. */
GArray *secret_calls_run(GDBusConnection *bus, GArray *calls);

/** Returns: the answer of @call; NULL with its error set. */
GVariant *secret_call_answer(SecretCall *call, GError **error);
