/* base/http_private.h - which URLs are asked, and how; shared by the files of base/http.h
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/http.h"

typedef enum {
	HTTP_SCHEME_HTTPS,
	HTTP_SCHEME_HTTP, /* to loopback, or through a unix socket */
	HTTP_SCHEME_FILE,
} HttpScheme;

typedef struct {
	HttpScheme scheme;
	bool is_local; /* loopback, unix socket or file: no proxy */
} HttpTarget;

/**
 * Judges a URL before anything is connected.  @has_socket: a unix socket carries the request.
 *
 * Returns: false with CONFIG (no URL, or a scheme that is not used) or DENIED (plain http to
 * another machine) set.
 */
bool http_target_of(const char *url, bool has_socket, HttpTarget *target, GError **error);

/** As http_target_of(), for a redirect from @from_url, which is @from: never to a file, never from https
 *  to http, to another host only as base/http.h says.  Returns: false with UNAVAILABLE set. */
bool http_target_of_redirect(const char *url, const char *from_url, const HttpTarget *from,
                             HttpTarget *target, GError **error);

/** Opens the regular file that a file: URL or an absolute path names.  Returns: the descriptor; or -1
 *  with UNAVAILABLE or DENIED set. */
int http_open_local(const char *url, guint64 *size_bytes, GError **error);

/** A curl handle that is set up, and room for what curl says about a failure. */
typedef struct HttpHandle HttpHandle;

/** Makes libcurl ready, with memory that is wiped.  Returns: false when it does not work. */
bool http_init_memory(void);

/** Returns: how many bytes of memory @block, of malloc(3), has. */
gsize http_block_bytes(void *block);

/** As socket(2), closed on exec. */
int http_socket(int family, int type, int protocol);

/** Makes libcurl ready, once; before any other call of it. */
void http_init(void);

/** request->timeout_ms: for all of it, 0: no such bound; connecting has at most 15,000 of them.
 *  Returns: (transfer full): a handle; or, for https, NULL with UNAVAILABLE (this machine has no
 *  CA certificates) or CONFIG (the bundle that the environment names cannot be read) set. */
HttpHandle *http_handle_new(const HttpRequest *request, const HttpTarget *target,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
void http_handle_free(HttpHandle *handle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpHandle, http_handle_free)

/** Returns: (transfer none): the CURL handle. */
void *http_handle_easy(const HttpHandle *handle);

/** Returns: (transfer none): what curl says about a failure, "" for nothing. */
const char *http_handle_detail(const HttpHandle *handle);

/** Returns: the HTTP status, 0 while there is none. */
int http_handle_status(const HttpHandle *handle);

/** Sets what curl's result @code means: UNAVAILABLE, DENIED, DATA or DEADLINE. */
void http_handle_fail(const HttpHandle *handle, int code, GError **error);
