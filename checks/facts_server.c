/* checks/facts_server.c - asks servers how far they can be reached
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts_private.h"

#define DEFAULT_TIMEOUT_MS 2000

/* What a network that wants a login answers.  Source: RFC 6585. */
#define STATUS_LOGIN_WANTED 511

static ServerState state_of(const HttpReach *reach)
{
	static const ServerState states[] = {
		[HTTP_REACH_SILENT] = SERVER_SILENT,     [HTTP_REACH_ANSWERS] = SERVER_ANSWERS,
		[HTTP_REACH_REFUSED] = SERVER_NOT_ASKED, [HTTP_REACH_NO_NAME] = SERVER_NO_NAME,
		[HTTP_REACH_NO_ROUTE] = SERVER_NO_ROUTE, [HTTP_REACH_PROXY] = SERVER_PROXY,
		[HTTP_REACH_TLS] = SERVER_TLS,           [HTTP_REACH_NO_TLS] = SERVER_PORTAL,
		[HTTP_REACH_BROKEN] = SERVER_ERROR,
	};

	if (reach->state != HTTP_REACH_ANSWERS)
		return states[reach->state];
	if (reach->status == STATUS_LOGIN_WANTED)
		return SERVER_PORTAL;
	return reach->status >= 500 ? SERVER_ERROR : SERVER_ANSWERS;
}

void facts_ask_servers(Facts *facts, const char *const *urls, guint timeout_ms,
                       HttpReachWatch watch, gpointer data)
{
	HttpReach *reach =
		http_reach(urls, timeout_ms != 0 ? timeout_ms : DEFAULT_TIMEOUT_MS, watch, data);
	gsize count = 0;

	for (; urls[count] != NULL; count++) {
		FactsServer *server = facts_server_new(urls[count]);

		server->host = http_host_of(urls[count]);
		server->state = state_of(&reach[count]);
		server->elapsed_ms = reach[count].elapsed_ms;
		server->why = g_strdup(reach[count].why);
		if (reach[count].status != 0)
			server->status = (guint64)reach[count].status;
		if (server->why == NULL && server->state != SERVER_ANSWERS)
			server->why = g_strdup_printf("HTTP status %d", reach[count].status);
		g_ptr_array_add(facts->servers, server);
	}
	http_reach_free(reach, count);
}
