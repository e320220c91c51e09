/* base/http_handle.c - curl handles: the same limits for each, and what curl's results mean
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/http_private.h"

#define CONNECT_TIMEOUT_MS 15000
#define LOW_SPEED_BYTES 1024 /* each second */
#define LOW_SPEED_SECONDS 30
#define CA_HINT "Install the package ca-certificates, or name your CA bundle with --ca-bundle."

struct HttpHandle {
	CURL *easy;
	struct curl_slist *headers; /* (nullable) */
	char detail[CURL_ERROR_SIZE];
};

static const char *environment(const char *name)
{
	const char *value = g_getenv(name);

	return value && *value ? value : NULL;
}

/** Whose certificates are trusted; at least one of them. */
typedef struct {
	const char *file;      /* (nullable): a bundle */
	const char *directory; /* (nullable): one file each, named by OpenSSL's hash */
} Trust;

static bool has_entries(const char *path)
{
	GDir *directory = g_dir_open(path, 0, NULL);
	bool has_one = directory && g_dir_read_name(directory);

	if (directory)
		g_dir_close(directory);
	return has_one;
}

/* What the system trusts.  A static binary knows no place of its own: it runs on every
 * distribution. */
static Trust system_trust(void)
{
	static const char *const bundles[] = {
		"/etc/ssl/certs/ca-certificates.crt",                /* Debian, Arch, Alpine */
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, RHEL */
		"/etc/pki/tls/certs/ca-bundle.crt",                  /* older Fedora, RHEL */
		"/etc/ssl/ca-bundle.pem",                            /* openSUSE */
		"/etc/ssl/cert.pem",                                 /* Alpine, macOS, BSD */
	};
	const curl_version_info_data *build = curl_version_info(CURLVERSION_NOW);
	bool is_recent = build->age >= CURLVERSION_SEVENTH;

	if (is_recent && build->cainfo && access(build->cainfo, R_OK) == 0)
		return (Trust){ .file = build->cainfo };
	for (gsize i = 0; i < G_N_ELEMENTS(bundles); i++)
		if (access(bundles[i], R_OK) == 0)
			return (Trust){ .file = bundles[i] };
	if (is_recent && build->capath && has_entries(build->capath))
		return (Trust){ .directory = build->capath };
	return (Trust){ .directory = has_entries("/etc/ssl/certs") ? "/etc/ssl/certs" : NULL };
}

/* The environment comes first; what it names has to be there. */
static bool find_trust(Trust *trust, GError **error)
{
	const char *name = environment("CURL_CA_BUNDLE") ? "CURL_CA_BUNDLE" : "SSL_CERT_FILE";

	trust->file = environment(name);
	trust->directory = environment("SSL_CERT_DIR");
	if (trust->file && access(trust->file, R_OK) != 0) {
		fault_set(error, STATUS_CONFIG, NULL, "cannot read the CA bundle %s (%s): %s",
		          trust->file, name, g_strerror(errno));
		return false;
	}
	if (!trust->file && !trust->directory)
		*trust = system_trust();
	/* All in the message: where several sources are asked, hints are not shown. */
	if (!trust->file && !trust->directory)
		fault_set(error, STATUS_UNAVAILABLE, NULL,
		          "this machine has no CA certificates: install the package "
		          "ca-certificates, or name a bundle with --ca-bundle or in SSL_CERT_FILE");
	return trust->file || trust->directory;
}

bool http_lacks_certificates(void)
{
	g_autoptr(GError) error = NULL;
	Trust trust = { 0 };

	return !find_trust(&trust, &error) && fault_status(error) == STATUS_UNAVAILABLE;
}

static void set_tls(CURL *easy, const Trust *trust)
{
	/* Without a bundle curl would want the one that it was built with. */
	curl_easy_setopt(easy, CURLOPT_CAINFO, trust->file);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, trust->file);
	if (trust->directory) {
		curl_easy_setopt(easy, CURLOPT_CAPATH, trust->directory);
		curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, trust->directory);
	}
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

/* The URL was judged; this holds curl to the same answer. */
static void set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, CURLPROTO_HTTPS);
#endif
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
}

/* A program that is started while a connection is open does not get it. */
static curl_socket_t open_socket(void *data G_GNUC_UNUSED, curlsocktype purpose G_GNUC_UNUSED,
                                 struct curl_sockaddr *address)
{
	return http_socket(address->family, address->socktype, address->protocol);
}

void http_init(void)
{
	static gsize is_ready;

	if (!g_once_init_enter(&is_ready))
		return;
	if (!http_init_memory())
		g_error("cannot initialise libcurl");
	g_once_init_leave(&is_ready, 1);
}

static void set_headers(HttpHandle *handle, const char *const *headers)
{
	for (; headers && *headers; headers++) {
		struct curl_slist *more = curl_slist_append(handle->headers, *headers);

		if (!more)
			g_error("out of memory");
		handle->headers = more;
	}
	curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, handle->headers);
}

HttpHandle *http_handle_new(const HttpRequest *request, const HttpTarget *target, GError **error)
{
	Trust trust = { 0 };

	http_init();
	if (target->scheme == HTTP_SCHEME_HTTPS && !find_trust(&trust, error))
		return NULL;

	HttpHandle *handle = g_new0(HttpHandle, 1);
	CURL *easy = curl_easy_init();
	if (!easy)
		g_error("out of memory");
	handle->easy = easy;
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
	if (target->is_local)
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
	set_protocols(easy);
	set_tls(easy, &trust);
	set_headers(handle, request->headers);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, handle->detail);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "slipway/" VERSION);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
	                 (long)MIN(request->timeout_ms - 1, CONNECT_TIMEOUT_MS - 1) + 1);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)LOW_SPEED_BYTES);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)LOW_SPEED_SECONDS);
	return handle;
}

const char *http_library(void)
{
	return curl_version() + strlen("libcurl/");
}

void http_handle_free(HttpHandle *handle)
{
	if (!handle)
		return;
	curl_easy_cleanup(handle->easy);
	curl_slist_free_all(handle->headers);
	g_free(handle);
}

void *http_handle_easy(const HttpHandle *handle)
{
	return handle->easy;
}

const char *http_handle_detail(const HttpHandle *handle)
{
	return handle->detail;
}

int http_handle_status(const HttpHandle *handle)
{
	long status = 0;

	return curl_easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK
	               ? (int)status
	               : 0;
}

/* Sets what kept curl from a connection: the kernel's word, if there is one. */
static void fail_connect(const HttpHandle *handle, GError **error)
{
	long errnum = 0;

	(void)curl_easy_getinfo(handle->easy, CURLINFO_OS_ERRNO, &errnum);
	if (errnum == EACCES || errnum == EPERM)
		fault_set(error, STATUS_DENIED, NULL, "connecting is not permitted");
	else if (errnum == ECONNREFUSED)
		fault_set(error, STATUS_UNAVAILABLE, NULL, "refused");
	else
		fault_set(error, STATUS_UNAVAILABLE, NULL, "cannot connect: %s",
		          errnum ? g_strerror((int)errnum) : handle->detail);
}

static const struct {
	CURLcode code;
	ExitStatus status;
	const char *phrase;
} result_table[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, STATUS_UNAVAILABLE, "name not known" },
	{ CURLE_COULDNT_RESOLVE_PROXY, STATUS_UNAVAILABLE, "the proxy's name is not known" },
	{ CURLE_OPERATION_TIMEDOUT, STATUS_DEADLINE, "timed out" },
	{ CURLE_PARTIAL_FILE, STATUS_UNAVAILABLE, "the connection broke off" },
	{ CURLE_GOT_NOTHING, STATUS_UNAVAILABLE, "no answer" },
	{ CURLE_SEND_ERROR, STATUS_UNAVAILABLE, "the connection broke off" },
	{ CURLE_WEIRD_SERVER_REPLY, STATUS_UNAVAILABLE, "the answer is not HTTP" },
	{ CURLE_UNSUPPORTED_PROTOCOL, STATUS_UNAVAILABLE, "the answer is not HTTP" },
};

static bool is_tls(CURLcode code)
{
	static const CURLcode codes[] = {
		CURLE_SSL_CONNECT_ERROR,     CURLE_PEER_FAILED_VERIFICATION,
		CURLE_SSL_CERTPROBLEM,       CURLE_SSL_CIPHER,
		CURLE_SSL_CACERT_BADFILE,    CURLE_SSL_ISSUER_ERROR,
		CURLE_SSL_INVALIDCERTSTATUS,
	};

	for (gsize i = 0; i < G_N_ELEMENTS(codes); i++)
		if (codes[i] == code)
			return true;
	return false;
}

/* Whether other CA certificates would help.  Source of the numbers: X509_V_ERR_* of OpenSSL, which
 * curl hands on; those for a chain whose end is not trusted. */
static bool is_unknown_ca(const HttpHandle *handle, int code)
{
	long result = 0;

	(void)curl_easy_getinfo(handle->easy, CURLINFO_SSL_VERIFYRESULT, &result);
	return code == CURLE_SSL_CACERT_BADFILE || (result >= 18 && result <= 21);
}

/* X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED */
static bool is_about_time(const HttpHandle *handle)
{
	long result = 0;

	(void)curl_easy_getinfo(handle->easy, CURLINFO_SSL_VERIFYRESULT, &result);
	return result == 9 || result == 10;
}

static void fail_tls(const HttpHandle *handle, int code, const char *detail, GError **error)
{
	g_autofree char *clock = is_about_time(handle) ? fault_clock_hint() : NULL;

	fault_set(error, STATUS_UNAVAILABLE, is_unknown_ca(handle, code) ? CA_HINT : clock,
	          "TLS: %s", detail);
}

void http_handle_fail(const HttpHandle *handle, int code, GError **error)
{
	const char *detail =
		handle->detail[0] ? handle->detail : curl_easy_strerror((CURLcode)code);
	long proxy_status = 0;

	(void)curl_easy_getinfo(handle->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	for (gsize i = 0; i < G_N_ELEMENTS(result_table); i++) {
		if ((int)result_table[i].code != code)
			continue;
		fault_set(error, result_table[i].status, NULL, "%s", result_table[i].phrase);
		return;
	}
	if (code == CURLE_COULDNT_CONNECT)
		fail_connect(handle, error);
	else if (code == CURLE_SSL_CONNECT_ERROR && strstr(detail, "wrong version number"))
		fault_set(error, STATUS_UNAVAILABLE, NULL,
		          "what answers does not speak TLS (a proxy, or a network that wants a "
		          "login?)");
	else if (is_tls((CURLcode)code))
		fail_tls(handle, code, detail, error);
	else if (proxy_status >= 300)
		fault_set(error, STATUS_UNAVAILABLE, NULL, "the proxy answers HTTP status %ld",
		          proxy_status);
	else if (code == CURLE_RECV_ERROR && strstr(detail, "Proxy CONNECT"))
		fault_set(error, STATUS_UNAVAILABLE, NULL, "the proxy broke off the connection");
	else if (code == CURLE_RECV_ERROR && strstr(detail, "unexpected eof"))
		fault_set(error, STATUS_UNAVAILABLE, NULL, "the connection broke off");
	else
		fault_set(error, STATUS_UNAVAILABLE, NULL, "%s", detail);
}
