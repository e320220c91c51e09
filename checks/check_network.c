/* checks/check_network.c - judges the way to the servers that a stack comes from
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_remedy.h"

static void judge_net_route(CheckRun *run)
{
	const FactsNetwork *network = &run->facts->network;

	if (network->has_route == FACT_UNKNOWN)
		(void)finding_add(run, CHECK_SKIPPED, "not looked at on this system");
	else
		(void)finding_add(run,
		                  network->has_route == FACT_YES || network->has_route6 == FACT_YES
		                          ? CHECK_PASS
		                          : run->check->severity,
		                  network->device != NULL           ? network->device
		                  : network->has_route6 == FACT_YES ? "IPv6 alone"
		                                                    : "no default route");
}

static void judge_net_resolver(CheckRun *run)
{
	const char *servers = run->facts->network.nameservers;

	if (servers == NULL)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else
		(void)finding_add(run, *servers != '\0' ? CHECK_PASS : run->check->severity,
		                  *servers != '\0' ? servers : "no name server");
}

static void judge_net_localhost(CheckRun *run)
{
	Fact has = run->facts->network.has_localhost;

	if (has == FACT_UNKNOWN)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else
		(void)finding_add(run, has == FACT_YES ? CHECK_PASS : run->check->severity,
		                  has == FACT_YES ? "known" : "localhost is not in it");
}

static void judge_net_proxy(CheckRun *run)
{
	const FactsNetwork *network = &run->facts->network;
	const char *proxy =
		network->https_proxy != NULL ? network->https_proxy : network->http_proxy;

	if (network->proxy_why != NULL)
		(void)finding_add(run, run->check->severity, network->proxy_why);
	else
		(void)finding_add(run, CHECK_PASS, proxy != NULL ? proxy : "none");
}

static void judge_net_ca(CheckRun *run)
{
	const FactsNetwork *network = &run->facts->network;

	if (network->ca_why != NULL)
		(void)finding_add(run, run->check->severity, network->ca_why);
	else
		(void)finding_add(run, network->ca_file != NULL ? CHECK_PASS : CHECK_UNKNOWN,
		                  network->ca_file);
}

static void judge_net_ipv6(CheckRun *run)
{
	Fact has = run->facts->network.has_route6;

	(void)finding_add(run, has == FACT_UNKNOWN ? CHECK_SKIPPED : CHECK_PASS,
	                  has == FACT_YES  ? "has a default route"
	                  : has == FACT_NO ? "has no default route"
	                                   : "not looked at on this system");
}

/** What each state means, and what to do about it. */
static const struct {
	const char *word, *all, *remedy;
} server_table[] = {
	[SERVER_NOT_ASKED] = { "not asked", "nothing could be asked",
	                       "Mend the URL, or the CA certificates." },
	[SERVER_ANSWERS] = { "answers", "", "Nothing to do." },
	[SERVER_NO_NAME] = { "its name is not known", "no name can be looked up",
	                     "Look at /etc/resolv.conf and at the VPN; name a mirror with "
	                     "--mirror." },
	[SERVER_NO_ROUTE] = { "cannot be reached",
	                      "this machine is offline, or a firewall is in the way",
	                      "Connect this machine, name a proxy in HTTPS_PROXY, or a mirror with "
	                      "--mirror." },
	[SERVER_SILENT] = { "does not answer in time",
	                    "this machine is offline, or a firewall is in the way",
	                    "Try again, name a proxy in HTTPS_PROXY, or a mirror with --mirror." },
	[SERVER_PROXY] = { "the proxy does not let it through", "the proxy lets nothing through",
	                   "Look at HTTPS_PROXY and NO_PROXY, and ask who runs the proxy." },
	[SERVER_TLS] = { "its certificate is not good here",
	                 "no certificate is good here: something stands between, or the clock is "
	                 "wrong",
	                 "Set the clock; where a proxy opens TLS, name its CA certificates with "
	                 "--ca-bundle." },
	[SERVER_PORTAL] = { "what answers is not that server",
	                    "what answers is a page for a person: a proxy that lies, or a network "
	                    "that "
	                    "wants a login",
	                    "Open a web page in a browser and log in; look at HTTPS_PROXY." },
	[SERVER_ERROR] = { "it cannot serve", "every server is in trouble",
	                   "Try again later, or name a mirror with --mirror." },
};

static guint count_state(const Facts *facts, ServerState state)
{
	guint count = 0;

	for (guint i = 0; i < facts->servers->len; i++)
		count +=
			((const FactsServer *)g_ptr_array_index(facts->servers, i))->state == state;

	return count;
}

/* The most telling of the states that occur: a portal explains the others, a timeout nothing. */
static ServerState root_cause(const Facts *facts)
{
	static const ServerState order[] = { SERVER_PORTAL,  SERVER_TLS,      SERVER_PROXY,
		                             SERVER_NO_NAME, SERVER_NO_ROUTE, SERVER_SILENT };

	for (gsize i = 0; i < G_N_ELEMENTS(order); i++)
		if (count_state(facts, order[i]) > 0)
			return order[i];

	return SERVER_NOT_ASKED;
}

static bool applies_with_servers(const Facts *facts, const CheckNeeds *needs G_GNUC_UNUSED)
{
	return facts->servers->len > 0;
}

/* One finding for what keeps all of them away. */
static void judge_net_online(CheckRun *run)
{
	const Facts *facts = run->facts;
	guint answers = count_state(facts, SERVER_ANSWERS) + count_state(facts, SERVER_ERROR);
	g_autofree char *measured =
		g_strdup_printf("%u of %u servers answer", answers, facts->servers->len);
	ServerState cause = root_cause(facts);
	CheckFinding *finding;

	if (answers > 0) {
		(void)finding_add(run, CHECK_PASS, measured);
		return;
	}
	finding = finding_add(run, run->check->severity, server_table[cause].all);
	finding_set_remedy(finding, g_strdup(server_table[cause].remedy));
	if (cause == SERVER_PROXY && facts->network.https_proxy != NULL)
		finding_set_source(finding, g_strdup(facts->network.https_proxy));
}

static void judge_server(CheckRun *run, const FactsServer *server)
{
	const char *name = server->host != NULL ? server->host : server->url;
	bool is_good = server->state == SERVER_ANSWERS;
	CheckFinding *finding = finding_add(run, is_good ? CHECK_PASS : run->check->severity, NULL);

	if (server->state == SERVER_NOT_ASKED && !is_good)
		finding->verdict = finding->judged = CHECK_UNKNOWN;
	if (is_good && server->elapsed_ms != FACTS_UNKNOWN)
		finding_set(&finding->measured,
		            g_strdup_printf("%s answers in %" G_GUINT64_FORMAT " ms", name,
		                            server->elapsed_ms));
	else
		finding_set(&finding->measured,
		            g_strdup_printf("%s: %s%s%s%s", name, server_table[server->state].word,
		                            server->why != NULL ? " (" : "",
		                            server->why != NULL ? server->why : "",
		                            server->why != NULL ? ")" : ""));
	finding_set_remedy(finding, g_strdup(server_table[server->state].remedy));
	finding_set_source(finding, g_strdup(server->url));
}

static void judge_net_server(CheckRun *run)
{
	for (guint i = 0; i < run->facts->servers->len; i++)
		judge_server(run, g_ptr_array_index(run->facts->servers, i));
}

/* clang-format off */
const Check check_rows_network[] = {
	{ "net.route", "way out of this machine", CHECK_WARN, CHECK_LOCAL, NULL, "/proc/net/route",
	  "Connect this machine to a network; without one, name mirrors and --defer.",
	  "Without a default route nothing can be loaded from other machines.",
	  NULL, judge_net_route },
	{ "net.resolver", "name servers", CHECK_WARN, CHECK_LOCAL, NULL, "/etc/resolv.conf",
	  "Name a server in /etc/resolv.conf, or let the network's service write it.",
	  "Names are looked up at the servers of resolv.conf; containers get a copy of it. One that is empty "
	  "means the machine's own name server, which is seldom there.",
	  NULL, judge_net_resolver },
	{ "net.localhost", "name of this machine for itself", CHECK_WARN, CHECK_LOCAL, NULL, "/etc/hosts",
	  "Add the line `127.0.0.1 localhost` to /etc/hosts.",
	  "Health checks and clients of the stack call services by the name localhost.",
	  NULL, judge_net_localhost },
	{ "net.proxy", "proxy variables", CHECK_WARN, CHECK_LOCAL, NULL, "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY",
	  "Write them as http://HOST:PORT, and NO_PROXY=localhost,127.0.0.1.",
	  "Programs read these variables in different ways; a scheme in front and no blanks suit all. Without "
	  "localhost in NO_PROXY, health checks of this machine's own services go to the proxy.",
	  NULL, judge_net_proxy },
	{ "net.ca", "CA certificates", CHECK_WARN, CHECK_LOCAL, NULL, "files and variables",
	  "Install the package ca-certificates, or mend the variable.",
	  "Without them no https server can be trusted. SSL_CERT_FILE, CURL_CA_BUNDLE, REQUESTS_CA_BUNDLE and "
	  "NODE_EXTRA_CA_CERTS have to name files that are there.",
	  NULL, judge_net_ca },
	{ "net.ipv6", "IPv6", CHECK_PASS, CHECK_LOCAL, NULL, "/proc/net/ipv6_route",
	  "Nothing to do.",
	  "Where IPv6 has a way out that is dead, connections take longer: both are tried.",
	  NULL, judge_net_ipv6 },
	{ "net.online", "network", CHECK_FAIL, CHECK_NETWORK, NULL, "requests to the sources of the stack",
	  "Connect this machine; or name mirrors with --mirror, or put steps off with --defer.",
	  "All servers that the stack is loaded from are asked at once, through the mirrors, proxy and CA "
	  "certificates that are set. Where none answers, that has one cause, which is named.",
	  applies_with_servers, judge_net_online },
	{ "net.server", "server", CHECK_FAIL, CHECK_NETWORK, "net.online", "request",
	  "Try again, or name a mirror with --mirror.",
	  "Any HTTP status is an answer, but 5xx and 511. Without a proxy and without a mirror that server "
	  "has to be reachable from here.",
	  applies_with_servers, judge_net_server },
	{ 0 },
};
/* clang-format on */
