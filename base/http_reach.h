/* base/http_reach.h - how far servers can be reached
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
	HTTP_REACH_SILENT,   /* no answer in time */
	HTTP_REACH_ANSWERS,  /* any HTTP status is an answer */
	HTTP_REACH_REFUSED,  /* we do not ask such a URL, or cannot: no CA certificates */
	HTTP_REACH_NO_NAME,  /* its name is not known here */
	HTTP_REACH_NO_ROUTE, /* refused, or no way there */
	HTTP_REACH_PROXY,    /* the proxy is not there, or refuses */
	HTTP_REACH_TLS,      /* not the server that is meant: its certificate is not good here */
	HTTP_REACH_NO_TLS,   /* what answers does not speak TLS: a page for a person, most likely */
	HTTP_REACH_BROKEN,   /* the connection broke off, or the answer is not HTTP */
} HttpReachState;

typedef struct {
	HttpReachState state;
	int status; /* of HTTP; 0: none */
	guint elapsed_ms;
	char *why; /* (nullable) (transfer full): a phrase; NULL when it answers */
} HttpReach;

/** Hears while servers are asked, some times a second, how many have not answered yet. */
typedef void (*HttpReachWatch)(gpointer data, guint left);

/**
 * Asks all of @urls at once, under one deadline; blocks that long at most.  For a file: URL or an
 * absolute path, whether it exists.  @watch: (nullable)
 *
 * Returns: (transfer full): one for each URL; free with http_reach_free().
 */
HttpReach *http_reach(const char *const *urls, guint timeout_ms, HttpReachWatch watch,
                      gpointer data);
void http_reach_free(HttpReach *reach, gsize count);

/** Returns: (transfer full) (nullable): the host of @url, in lower case; NULL when it has none. */
char *http_host_of(const char *url);
