/* base/http_stream.h - requests whose body has no place in memory, or no end
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Most bytes of a refusal that are kept. */
#define HTTP_REFUSAL_MAX_BYTES ((gsize)64 * 1024)

/** One request; schemes, proxy and certificates as in base/http.h, but no redirect is followed. */
typedef struct {
	const char *method; /* "GET", "POST", "PUT", "DELETE" */
	const char *url;
	const char *unix_socket; /* (nullable): absolute path */
	int *connection; /* (nullable): set to the socket while there is one, else to -1; not ours to close */
	guint timeout_ms; /* whole transfer; 0: it ends by itself or is cancelled */
	guint quiet_ms;   /* without a byte for that long it ends; 0: it may be silent */
	const char *json; /* (nullable): body of a "POST" or "DELETE" */
	int body_fd;      /* "PUT": sent from where it stands to its end; else -1 */
	/** (nullable): each piece of the body of a 2xx answer as it comes, and no bytes at all when
	 *  none came for a second; false ends the transfer, with @error set. */
	bool (*on_data)(gpointer to, const void *data, gsize size_bytes, GError **error);
	gpointer to;
} HttpStream;

/**
 * Runs it to its end.  Blocks; a signal ends it at once.
 *
 * @status: set to the HTTP status, 0 while there is none.
 * @refusal: (transfer full) (nullable): the start of the body of an answer that is not 2xx.
 *
 * Returns: true for a 2xx answer; else false with UNAVAILABLE (any other answer is one), DENIED,
 * DEADLINE, IO (the file that is sent), what on_data set, or a cancellation set.
 */
bool http_stream(const HttpStream *stream, int *status, char **refusal,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** A request that is under way. */
typedef struct HttpTransfer HttpTransfer;

/**
 * The first half of http_stream(): puts the request, as far as that goes without waiting.  Its time
 * runs from now on.
 *
 * @stream: what it points to has to stay until the end.
 *
 * Returns: (transfer full) (nullable): to be given to http_stream_end(); NULL with an error of
 * http_stream() set.
 */
HttpTransfer *http_stream_begin(const HttpStream *stream, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Ends it without an answer.  @transfer: (transfer full) (nullable) */
void http_stream_drop(HttpTransfer *transfer);

/** The second half.  @transfer: (transfer full).  As http_stream(). */
bool http_stream_end(HttpTransfer *transfer, int *status, char **refusal,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
