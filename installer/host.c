/* installer/host.c - what all steps of a run share
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/host.h"

#include <unistd.h>

#include "installer/keys.h"

struct HostState {
	StepHost host;
	GMutex mutex;
	char *manager;
	char *key_file;
	char *store_path;
};

HostState *host_new(App *app, const Facts *facts, GError **error)
{
	g_autoptr(HostState) state = g_new0(HostState, 1);

	g_mutex_init(&state->mutex);
	state->manager = g_strdup(facts ? facts->packages.manager : NULL);
	state->key_file = g_build_filename(app->paths->state, "keystore.key", NULL);
	state->store_path = keys_path(app);
	state->host = (StepHost){
		.is_root = geteuid() == 0,
		.is_privileged = geteuid() == 0,
		.manager = state->manager,
		.ca_bundle = g_getenv("SSL_CERT_FILE"),
		.keystore = keys_open(app, error),
		.keystore_mutex = &state->mutex,
		.keystore_path = state->store_path,
		.keystore_new_key_file = state->key_file,
	};
	return state->host.keystore ? g_steal_pointer(&state) : NULL;
}

void host_free(HostState *state)
{
	if (!state)
		return;

	keystore_free(state->host.keystore);
	g_mutex_clear(&state->mutex);
	g_free(state->manager);
	g_free(state->key_file);
	g_free(state->store_path);
	g_free(state);
}

StepHost *host_get(HostState *state)
{
	return &state->host;
}
