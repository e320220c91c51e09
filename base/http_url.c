/* base/http_url.c - which URLs are asked at all; read by curl's own parser, so that what is judged
 * is what is connected
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>

#include "base/fault.h"
#include "base/http_private.h"
#include "base/http_reach.h"

typedef CURLU CurlUrl;
typedef char CurlText;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CurlUrl, curl_url_cleanup)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CurlText, curl_free)

static const struct {
	const char *name;
	HttpScheme scheme;
} scheme_table[] = {
	{ "https", HTTP_SCHEME_HTTPS },
	{ "http", HTTP_SCHEME_HTTP },
	{ "file", HTTP_SCHEME_FILE },
};

/* @host: as curl wrote it: lower case, IPv4 in dotted form, IPv6 in brackets. */
static bool is_loopback(const char *host)
{
	struct in_addr address = { 0 };

	if (inet_pton(AF_INET, host, &address) == 1)
		return ntohl(address.s_addr) >> 24 == 127;
	return g_ascii_strcasecmp(host, "localhost") == 0 || g_str_equal(host, "[::1]");
}

static bool find_scheme(const char *name, HttpScheme *scheme)
{
	for (gsize i = 0; i < G_N_ELEMENTS(scheme_table); i++) {
		if (!g_str_equal(name, scheme_table[i].name))
			continue;
		*scheme = scheme_table[i].scheme;
		return true;
	}
	return false;
}

bool http_target_of(const char *url, bool has_socket, HttpTarget *target, GError **error)
{
	g_autoptr(CurlUrl) parsed = curl_url();
	g_autoptr(CurlText) scheme = NULL;
	g_autoptr(CurlText) host = NULL;

	/* Schemes that this curl does not know are ours to refuse, or to serve: file. */
	if (curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) {
		fault_set(error, STATUS_CONFIG, NULL, "%s is not a URL", url);
		return false;
	}

	HttpTarget found = { 0 };
	if (!find_scheme(scheme, &found.scheme)) {
		fault_set(error, STATUS_CONFIG, NULL, "%s: %s is not used", url, scheme);
		return false;
	}
	if (found.scheme != HTTP_SCHEME_FILE &&
	    curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
		fault_set(error, STATUS_CONFIG, NULL, "%s has no host", url);
		return false;
	}
	found.is_local = has_socket || !host || is_loopback(host);
	if (found.scheme == HTTP_SCHEME_HTTP && !found.is_local) {
		fault_set(error, STATUS_DENIED, "Use an https URL.",
		          "%s: plain http is only for this machine", url);
		return false;
	}
	*target = found;
	return true;
}

bool http_is_loopback(const char *url)
{
	g_autoptr(GError) refused = NULL;
	HttpTarget target = { 0 };

	return http_target_of(url, false, &target, &refused) && target.scheme == HTTP_SCHEME_HTTP;
}

/** Hosts that keep what others name.  Sources: GitHub's documentation of its addresses; Ollama's
 *  downloads are releases there. */
static const struct {
	const char *from, *to;
} relay_table[] = {
	{ "github.com", "githubusercontent.com" },
	{ "ollama.com", "github.com" },
};

static const char *const *redirect_hosts; /* (nullable) */

void http_allow_redirects(const char *const *hosts)
{
	redirect_hosts = hosts;
}

/* Whether @host is @domain or below it. */
static bool is_within(const char *host, const char *domain)
{
	gsize before = strlen(host) - MIN(strlen(host), strlen(domain));

	return g_ascii_strcasecmp(host + before, domain) == 0 &&
	       (before == 0 || host[before - 1] == '.');
}

static bool is_relay(const char *from, const char *to)
{
	for (gsize i = 0; i < G_N_ELEMENTS(relay_table); i++)
		if (g_str_equal(from, relay_table[i].from) && is_within(to, relay_table[i].to))
			return true;
	for (const char *const *host = redirect_hosts; host && *host; host++)
		if (is_within(to, *host))
			return true;
	return is_within(to, from);
}

static bool is_same_place(const char *from, const char *to)
{
	g_autofree char *before = http_host_of(from);
	g_autofree char *after = http_host_of(to);

	return before && after &&
	       (is_relay(before, after) || (is_loopback(before) && is_loopback(after)));
}

static bool is_same_scheme(const HttpTarget *from, const HttpTarget *to)
{
	return to->scheme == HTTP_SCHEME_HTTPS ||
	       (to->scheme == HTTP_SCHEME_HTTP && from->scheme == HTTP_SCHEME_HTTP);
}

bool http_target_of_redirect(const char *url, const char *from_url, const HttpTarget *from,
                             HttpTarget *target, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autofree char *host = http_host_of(url);
	HttpTarget found = { 0 };

	if (!http_target_of(url, false, &found, &why) || !is_same_scheme(from, &found) || !host) {
		fault_set(error, STATUS_UNAVAILABLE, NULL, "redirect to %s denied", url);
		return false;
	}
	if (!is_same_place(from_url, url)) {
		g_autofree char *hint = g_strdup_printf(
			"If that server is meant, name it: --redirect-hosts %s", host);

		fault_set(error, STATUS_UNAVAILABLE, hint, "redirect to %s denied", url);
		return false;
	}
	*target = found;
	return true;
}

char *http_host_of(const char *url)
{
	g_autoptr(CurlUrl) parsed = curl_url();
	g_autoptr(CurlText) host = NULL;

	if (!url ||
	    curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK || !*host)
		return NULL;
	return g_ascii_strdown(host, -1);
}

char *http_local_path(const char *url)
{
	if (url[0] == '/')
		return g_strdup(url);
	return g_ascii_strncasecmp(url, "file:", 5) == 0 ? g_filename_from_uri(url, NULL, NULL)
	                                                 : NULL;
}
