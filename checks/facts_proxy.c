/* checks/facts_proxy.c - proxies and CA certificates, as variables and files name them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <unistd.h>

#include "checks/facts_engine.h"
#include "checks/facts_route.h"

/* Where systems keep their CA certificates; as curl and Go look for them. */
static const char *const ca_table[] = { "/etc/ssl/certs/ca-certificates.crt",
	                                "/etc/pki/tls/certs/ca-bundle.crt",
	                                "/etc/ssl/ca-bundle.pem",
	                                "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	                                "/etc/ssl/cert.pem" };

static const char *const ca_variables[] = { "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR",
	                                    "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS" };

/* Returns: (transfer none) (nullable): the small spelling comes first, as with curl. */
static const char *either(const FactsSource *source, const char *name)
{
	g_autofree char *lower = g_ascii_strdown(name, -1);
	const char *value = source_env(source, lower);

	return value != NULL ? value : source_env(source, name);
}

static bool has_scheme(const char *proxy)
{
	static const char *const schemes[] = { "http://",    "https://",  "socks4://",
		                               "socks4a://", "socks5://", "socks5h://" };

	for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++)
		if (g_ascii_strncasecmp(proxy, schemes[i], strlen(schemes[i])) == 0)
			return true;

	return false;
}

/* Returns: (transfer full) (nullable): what is wrong with the proxy of @name. */
static char *proxy_trouble(const char *name, const char *proxy)
{
	if (proxy == NULL)
		return NULL;
	if (strpbrk(proxy, " \t\r\n\"'") != NULL)
		return g_strdup_printf("%s has white space or quotes in it", name);
	if (!has_scheme(proxy))
		return g_strdup_printf("%s does not begin with \"http://\"", name);
	if (strcspn(strstr(proxy, "//") + 2, "/") == 0)
		return g_strdup_printf("%s names no host", name);
	return NULL;
}

/* What goes to this machine must not go through the proxy: health checks, Ollama, the engine. */
static bool spares_localhost(const char *no_proxy)
{
	g_auto(GStrv) words = g_strsplit_set(no_proxy != NULL ? no_proxy : "", ", ", -1);
	bool has_name = false;
	bool has_address = false;

	for (char **word = words; *word != NULL; word++) {
		if (strcmp(*word, "*") == 0)
			return true;
		has_name = has_name || strcmp(*word, "localhost") == 0;
		has_address = has_address || g_str_has_prefix(*word, "127.");
	}
	return has_name && has_address;
}

void facts_read_proxy(const FactsSource *source, FactsNetwork *network)
{
	const char *http = either(source, "HTTP_PROXY");
	const char *https = either(source, "HTTPS_PROXY");
	const char *all = either(source, "ALL_PROXY");
	const char *none = either(source, "NO_PROXY");

	network->http_proxy = url_without_password(http != NULL ? http : all);
	network->https_proxy = url_without_password(https != NULL ? https : all);
	network->no_proxy = g_strdup(none);
	network->proxy_why = proxy_trouble("HTTPS_PROXY", https);
	if (network->proxy_why == NULL)
		network->proxy_why = proxy_trouble("HTTP_PROXY", http);
	if (network->proxy_why == NULL)
		network->proxy_why = proxy_trouble("ALL_PROXY", all);
	if (network->proxy_why == NULL && (http != NULL || https != NULL || all != NULL) &&
	    !spares_localhost(none))
		network->proxy_why = g_strdup("NO_PROXY does not hold localhost and 127.0.0.1");
}

void facts_read_certificates(const FactsSource *source, FactsNetwork *network)
{
	for (gsize i = 0; i < G_N_ELEMENTS(ca_variables); i++) {
		const char *path = source_env(source, ca_variables[i]);
		g_autofree char *full = path != NULL ? source_path(source, path) : NULL;

		if (path != NULL && access(full, R_OK) != 0 && network->ca_why == NULL)
			network->ca_why = g_strdup_printf("%s names %s, which cannot be read",
			                                  ca_variables[i], path);
		if (path != NULL && i < 2 && network->ca_file == NULL)
			network->ca_file = g_strdup(path);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(ca_table) && network->ca_file == NULL; i++)
		if (source_exists(source, ca_table[i]))
			network->ca_file = g_strdup(ca_table[i]);
	if (network->ca_file == NULL && network->ca_why == NULL)
		network->ca_why = g_strdup("this machine has no CA certificates");
}
