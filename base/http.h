/* base/http.h - HTTP requests (libcurl), to servers and to unix sockets
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * https only; plain http to loopback and unix sockets; file: URLs where a mirror names one.
 * At most 5 redirects, never to a weaker scheme, and to another host only below the first, among those of
 * http_allow_redirects(), or where that host is known to keep its files; proxy from the environment; no .netrc.
 * Trusted CAs: CURL_CA_BUNDLE, else SSL_CERT_FILE and SSL_CERT_DIR, else the system's.
 */
typedef struct {
	const char *url;
	const char *unix_socket; /* (nullable): absolute path; the URL's host is then only a name */
	guint timeout_ms;        /* whole transfer; 0: 15,000 */
	gsize max_bytes;         /* of the body, by our own counter; 0: 1 MiB */
	int *status; /* (nullable): set to the HTTP status, if there was one; 404 for no such file */
	/** (nullable): "NAME: VALUE", which may be secret; with them no redirect is followed, for they
	 *  are meant for that server alone.  curl's copies are wiped. */
	const char *const *headers;
} HttpRequest;

/**
 * GETs a small document into memory.  Blocks.
 *
 * Returns: (transfer full): the body of a 200 answer; or NULL with UNAVAILABLE (the message says
 * which: name not known, refused, no CA certificates, TLS, status), DENIED (EACCES on the socket),
 * DATA (too large), CONFIG (the CA bundle cannot be read), DEADLINE or a cancellation set.
 */
GBytes *http_get(const HttpRequest *request, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Hosts that every redirect may lead to, and those below them.  @hosts: (nullable): has to
 *  outlive all requests.  Before the first. */
void http_allow_redirects(const char *const *hosts);

/** Returns: whether @url is plain http to this machine itself, whatever user name it pretends. */
bool http_is_loopback(const char *url);

typedef struct {
	const char *url;
	const char *sha256; /* lower-case hex; mandatory */
	guint64 max_bytes;  /* mandatory */
	guint timeout_ms;   /* whole transfer; 0: 60 s and as long as it takes at 64 KiB/s */
	void (*on_progress)(guint64 done_bytes, guint64 total_bytes,
	                    gpointer data); /* total 0: unknown */
	gpointer data;
	guint stall_ms;    /* under 1 KiB/s for that long ends a try; 0: 30,000 */
	guint retry_ms;    /* longest wait before the first retry, doubled each time; 0: 1,000 */
	guint tries;       /* without progress; 0: 5 */
	guint connections; /* at most; 0: 4 */
} HttpDownload;

/**
 * Downloads into @path (temporary file, digest checked, then renamed; nothing is left after a
 * failure).  base/download.h says how.
 *
 * Returns: false with an error of download_read(), or IO set.
 */
bool http_download(const HttpDownload *download, const char *path,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Loads from one place.  Returns: false with an error set. */
typedef bool (*HttpLoad)(const char *place, gpointer data, GError **error);

/**
 * Calls @load with @places (NULL-terminated, not empty), in their order, until one succeeds.  What
 * another server may do better (UNTRUSTED, UNAVAILABLE, DATA, BUSY, DEADLINE) leads to the next.
 *
 * Returns: false with the error of the last that was tried set; its message names those before.
 */
bool http_from_places(const char *const *places, HttpLoad load, gpointer data,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** As http_get(), from the first of @places, URLs or absolute paths, that has it. */
GBytes *http_get_from_places(const char *const *places, gsize max_bytes,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Asks all of @urls at once whether their server answers (any HTTP status is an answer; for a
 * file: URL or an absolute path, whether it exists), under one deadline.
 *
 * Returns: (transfer full): one flag for each URL; why[i] is (transfer full) (nullable), a phrase
 * for those that do not answer.
 */
bool *http_probe(const char *const *urls, guint timeout_ms, char ***why);

/** Returns: (transfer full) (nullable): the path that a file: URL or an absolute path names; NULL
 *  for any other URL. */
char *http_local_path(const char *url);

/** Returns: whether no https request can be made, because neither the environment nor the system
 *  names a CA certificate. */
bool http_lacks_certificates(void);

/** What is said of a web page where a file was wanted. */
#define HTTP_PAGE_HINT                                                                             \
	"It looks like a web page (captive portal or proxy?): open a web page in a browser, then " \
	"try again."

/** Returns: whether a file that starts with @head is a page for a browser. */
bool http_is_web_page(const void *head, gsize size_bytes);

/** Returns: (transfer none): the version of libcurl and, as "NAME/VERSION" words behind it, of what
 *  it was built with. */
const char *http_library(void);
