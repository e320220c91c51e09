/* tests/test_checks_network.c - routes, proxies, certificates, owners of ports, and servers that lie
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "checks/check.h"
#include "checks/facts_port.h"
#include "checks/facts_route.h"
#include "tests/checks_tree.h"

#define ROUTE_HEAD \
	"Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
#define DEFAULT_ROUTE "eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"

typedef struct {
	const char *path;
	File files[8];
	Fact has_route;
	const char *routes, *device;
	guint64 mtu;
} Routes;

/* clang-format off */
static const Routes routes[] = {
	{ "none-known", { { NULL } }, FACT_UNKNOWN, NULL, NULL, FACTS_UNKNOWN },
	{ "empty", { { "/proc/net/route", ROUTE_HEAD } }, FACT_NO, "", NULL, FACTS_UNKNOWN },
	{ "usual", { { "/proc/net/route", ROUTE_HEAD DEFAULT_ROUTE
	               "eth0\t0000A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n" },
	             { "/sys/class/net/eth0/mtu", "1500\n" } },
	  FACT_YES, "192.168.0.0/24", "eth0", 1500 },
	{ "engine's-own", { { "/proc/net/route", ROUTE_HEAD DEFAULT_ROUTE
	               "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
	               "br-1f2e\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n" } },
	  FACT_YES, "", "eth0", FACTS_UNKNOWN },
	{ "vpn", { { "/proc/net/route", ROUTE_HEAD DEFAULT_ROUTE
	               "tun0\t000010AC\t00000000\t0001\t0\t0\t0\t0000F0FF\t0\t0\t0\n" },
	           { "/sys/class/net/eth0/mtu", "1420\n" } },
	  FACT_YES, "172.16.0.0/12", "eth0", 1420 },
	{ "down", { { "/proc/net/route", ROUTE_HEAD "eth0\t00000000\t0100A8C0\t0000\t0\t0\t100\t00000000\t0\t0\t0\n" } },
	  FACT_NO, "", NULL, FACTS_UNKNOWN },
	{ "cut", { { "/proc/net/route", ROUTE_HEAD "eth0\t0000\n\n\t\t\t\n" } }, FACT_NO, "", NULL, FACTS_UNKNOWN },
};
/* clang-format on */

static void test_routes(gconstpointer data)
{
	const Routes *c = data;
	g_auto(Tree) tree = { 0 };
	g_autoptr(Facts) facts = facts_new();

	tree_lay(&tree, c->files, NULL);
	facts_read_network(&tree.source, &facts->network);
	g_assert_cmpint(facts->network.has_route, ==, c->has_route);
	g_assert_cmpstr(facts->network.routes, ==, c->routes);
	g_assert_cmpstr(facts->network.device, ==, c->device);
	g_assert_cmpuint(facts->network.mtu, ==, c->mtu);
}

static void test_nets(void)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} pairs[] = {
		{ "172.17.0.0/16", "172.17.5.0/24", true },
		{ "172.17.5.0/24", "172.17.0.0/16", true },
		{ "172.16.0.0/12", "172.31.0.0/16", true },
		{ "172.16.0.0/12", "172.32.0.0/16", false },
		{ "0.0.0.0/0", "10.0.0.0/8", true },
		{ "10.0.0.1", "10.0.0.1/32", true },
		{ "10.0.0.1/32", "10.0.0.2/32", false },
		{ "192.168.0.0/16", "192.169.0.0/16", false },
	};
	static const char *const bad[] = { "",         "/",   "10.0.0.0/33", "10.0.0.0/-1",
		                           "10.0.0/8", "x/8", "::1/8" };
	Net4 a;
	Net4 b;

	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_assert_true(net4_parse(pairs[i].a, &a));
		g_assert_true(net4_parse(pairs[i].b, &b));
		g_assert_true(net4_overlaps(&a, &b) == pairs[i].overlap);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(net4_parse(bad[i], &a));
}

static void test_files(void)
{
	static const File files[] = {
		{ "/etc/resolv.conf",
		  "# nameserver 9.9.9.9\nnameserver 127.0.0.53\n nameserver\t::1 # x\n"
		  "nameservers 1.1.1.1\noptions edns0\n" },
		{ "/etc/hosts", "# 127.0.0.1 localhost\n127.0.0.1\tmine localhost\n" },
		{ "/etc/ufw/ufw.conf", "# ENABLED=no\nENABLED=yes\n" },
		{ "/proc/net/ipv6_route",
		  "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		  "fe800000000000000000000000000001 00000400 00000001 00000000 00000003     "
		  "eth0\n" },
		{ "/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n" },
		{ "/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024\n" },
		{ "/proc/sys/net/ipv4/ip_forward", "0\n" },
		{ "/etc/ssl/certs/ca-certificates.crt", "x" },
		{ NULL },
	};
	g_auto(Tree) tree = { 0 };
	g_autoptr(Facts) facts = facts_new();
	const FactsNetwork *network = &facts->network;

	tree_lay(&tree, files, NULL);
	facts_read_network(&tree.source, &facts->network);
	g_assert_cmpstr(network->nameservers, ==, "127.0.0.53 ::1");
	g_assert_cmpint(network->has_localhost, ==, FACT_YES);
	g_assert_cmpstr(network->firewall, ==, "ufw");
	g_assert_cmpint(network->has_route6, ==, FACT_YES);
	g_assert_cmpuint(network->port_low, ==, 32768);
	g_assert_cmpuint(network->port_high, ==, 60999);
	g_assert_cmpuint(network->port_unprivileged, ==, 1024);
	g_assert_cmpint(network->has_ip_forward, ==, FACT_NO);
	g_assert_cmpstr(network->ca_file, ==, "/etc/ssl/certs/ca-certificates.crt");
	g_assert_null(network->ca_why);
}

typedef struct {
	const char *path;
	const char *variables[5];
	const char *proxy;
	const char *why; /* (nullable): a part of it; NULL: nothing is wrong */
} Proxy;

static const Proxy proxies[] = {
	{ "none", { NULL }, NULL, NULL },
	{ "good",
	  { "https_proxy=http://p:3128", "no_proxy=localhost,127.0.0.1" },
	  "http://p:3128",
	  NULL },
	{ "password", { "HTTPS_PROXY=http://a:b@p:3128", "NO_PROXY=*" }, "http://p:3128", NULL },
	{ "small-first",
	  { "https_proxy=http://p:1", "HTTPS_PROXY=http://p:2", "NO_PROXY=*" },
	  "http://p:1",
	  NULL },
	{ "all",
	  { "ALL_PROXY=socks5h://p:1080", "NO_PROXY=localhost 127.0.0.0/8" },
	  "socks5h://p:1080",
	  NULL },
	{ "no-scheme",
	  { "HTTPS_PROXY=p:3128", "NO_PROXY=*" },
	  "p:3128",
	  "HTTPS_PROXY does not begin" },
	{ "blank",
	  { "HTTPS_PROXY=http://p:3128 ", "NO_PROXY=*" },
	  "http://p:3128 ",
	  "HTTPS_PROXY has white space" },
	{ "quoted",
	  { "HTTP_PROXY='http://p:3128'", "NO_PROXY=*" },
	  "'http://p:3128'",
	  "HTTP_PROXY has white space or quotes" },
	{ "no-host", { "HTTPS_PROXY=http://", "NO_PROXY=*" }, "http://", "names no host" },
	{ "no-exception",
	  { "HTTPS_PROXY=http://p:3128" },
	  "http://p:3128",
	  "NO_PROXY does not hold" },
	{ "half-exception",
	  { "HTTPS_PROXY=http://p:3128", "NO_PROXY=localhost" },
	  "http://p:3128",
	  "NO_PROXY does not hold" },
};

static void test_proxy(gconstpointer data)
{
	const Proxy *c = data;
	g_auto(Tree) tree = { 0 };
	g_autoptr(Facts) facts = facts_new();
	const FactsNetwork *network = &facts->network;

	tree_lay(&tree, NULL, c->variables);
	facts_read_proxy(&tree.source, &facts->network);
	g_assert_cmpstr(network->https_proxy != NULL ? network->https_proxy : network->http_proxy,
	                ==, c->proxy);
	if (c->why == NULL)
		g_assert_null(network->proxy_why);
	else
		g_assert_nonnull(strstr(network->proxy_why, c->why));
}

static void test_certificates(void)
{
	static const char *const named[] = { "SSL_CERT_FILE=/opt/ca.pem", NULL };
	static const char *const gone[] = { "REQUESTS_CA_BUNDLE=/opt/none.pem", NULL };
	static const File files[] = { { "/opt/ca.pem", "x" },
		                      { "/etc/ssl/cert.pem", "x" },
		                      { NULL } };
	const struct {
		const File *files;
		const char *const *variables;
		const char *file, *why;
	} cases[] = {
		{ files, named, "/opt/ca.pem", NULL },
		{ files, NULL, "/etc/ssl/cert.pem", NULL },
		{ files, gone, "/etc/ssl/cert.pem",
		  "REQUESTS_CA_BUNDLE names /opt/none.pem, which cannot be read" },
		{ NULL, NULL, NULL, "this machine has no CA certificates" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(Tree) tree = { 0 };
		g_autoptr(Facts) facts = facts_new();

		tree_lay(&tree, cases[i].files, cases[i].variables);
		facts_read_certificates(&tree.source, &facts->network);
		g_assert_cmpstr(facts->network.ca_file, ==, cases[i].file);
		g_assert_cmpstr(facts->network.ca_why, ==, cases[i].why);
	}
}

static int listen_anywhere(int family, guint16 *number)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} name = { 0 };
	socklen_t size_bytes = family == AF_INET ? sizeof(name.four) : sizeof(name.six);
	int fd = socket(family, SOCK_STREAM, 0);

	name.any.sa_family = (sa_family_t)family;
	if (family == AF_INET)
		name.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	g_assert_cmpint(bind(fd, &name.any, size_bytes), ==, 0);
	g_assert_cmpint(listen(fd, 8), ==, 0);
	g_assert_cmpint(getsockname(fd, &name.any, &size_bytes), ==, 0);
	*number = ntohs(family == AF_INET ? name.four.sin_port : name.six.sin6_port);
	return fd;
}

/* This very process listens. */
static void test_owner(gconstpointer data)
{
	guint16 number = 0;
	int fd = listen_anywhere(GPOINTER_TO_INT(data), &number);
	FactsRequest request = { .ports = &number, .port_count = 1 };
	g_autoptr(Facts) facts = facts_read(&request);
	const FactsPort *port = facts_port(facts, number);

	g_assert_cmpint(port->is_free, ==, FACT_NO);
	g_assert_cmpuint(port->pid, ==, (guint64)getpid());
	g_assert_cmpuint(port->uid, ==, geteuid());
	g_assert_cmpstr(port->program, ==, "test_checks_net"); /* the kernel keeps 15 bytes */
	(void)close(fd);
}

/* A port that only root may listen on: the kernel's list says that it is free. */
static void test_low_port(void)
{
	guint16 number = 1;

	if (g_test_subprocess()) {
		FactsRequest request = { .ports = &number, .port_count = 1 };
		g_autoptr(Facts) facts = NULL;

		if (geteuid() == 0)
			g_assert_cmpint(setuid(65534), ==, 0);
		facts = facts_read(&request);
		g_assert_cmpint(facts_port(facts, 1)->is_free, ==, FACT_YES);
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_passed();
}

/** A server on loopback that says the same thing to everybody; NULL: nothing. */
typedef struct {
	const char *answer;
	int fd;
	guint16 number;
	int stop[2];
	GThread *thread;
} Server;

static gpointer serve(gpointer data)
{
	const Server *server = data;
	struct pollfd waits[] = { { server->fd, POLLIN, 0 }, { server->stop[0], POLLIN, 0 } };

	while (poll(waits, 2, -1) > 0 && (waits[1].revents & POLLIN) == 0) {
		char request[4096];
		g_auto(FileFd) client = accept(server->fd, NULL, NULL);
		struct pollfd both[] = { { client, POLLIN, 0 }, { server->stop[0], POLLIN, 0 } };

		(void)recv(client, request, sizeof(request), 0);
		if (server->answer == NULL)
			(void)poll(both, 2, -1);
		else
			(void)!send(client, server->answer, strlen(server->answer), MSG_NOSIGNAL);
	}
	return NULL;
}

static void server_start(Server *server, const char *answer)
{
	server->answer = answer;
	server->fd = listen_anywhere(AF_INET, &server->number);
	g_assert_cmpint(pipe(server->stop), ==, 0);
	server->thread = g_thread_new("server", serve, server);
}

static void server_clear(Server *server)
{
	g_assert_cmpint(write(server->stop[1], "x", 1), ==, 1);
	(void)g_thread_join(server->thread);
	(void)close(server->stop[0]);
	(void)close(server->stop[1]);
	(void)close(server->fd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Server, server_clear)

#define ANSWER(status) "HTTP/1.1 " status " X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

typedef struct {
	const char *path, *scheme, *answer;
	ServerState state;
	guint64 status;
} Asked;

static const Asked asked[] = {
	{ "200", "http", ANSWER("200"), SERVER_ANSWERS, 200 },
	{ "401", "http", ANSWER("401"), SERVER_ANSWERS, 401 },
	{ "404", "http", ANSWER("404"), SERVER_ANSWERS, 404 },
	{ "503", "http", ANSWER("503"), SERVER_ERROR, 503 },
	{ "511", "http", ANSWER("511"), SERVER_PORTAL, 511 },
	{ "not-http", "http", "SSH-2.0-x\r\n", SERVER_ERROR, FACTS_UNKNOWN },
	{ "page-for-tls", "https", ANSWER("200"), SERVER_PORTAL, FACTS_UNKNOWN },
	{ "silent", "http", NULL, SERVER_SILENT, FACTS_UNKNOWN },
	{ "silent-tls", "https", NULL, SERVER_SILENT, FACTS_UNKNOWN },
};

static void test_asked(gconstpointer data)
{
	const Asked *c = data;
	g_auto(Server) server = { 0 };
	g_autoptr(Facts) facts = facts_new();
	g_autofree char *url = NULL;
	const char *urls[2] = { NULL };
	const FactsServer *said;

	server_start(&server, c->answer);
	url = g_strdup_printf("%s://127.0.0.1:%u/v2/", c->scheme, server.number);
	urls[0] = url;
	facts_ask_servers(facts, urls, 400, NULL, NULL);
	said = facts_server(facts, url);
	g_assert_cmpstr(said->host, ==, "127.0.0.1");
	g_assert_cmpint(said->state, ==, c->state);
	g_assert_cmpuint(said->status, ==, c->status);
	g_assert_true((said->why != NULL) == (c->state != SERVER_ANSWERS));
	g_assert_cmpuint(said->elapsed_ms, <, 2000);
}

/* Silent ones cost one deadline, not the sum. */
static void test_asked_at_once(void)
{
	g_auto(Server) silent = { 0 };
	g_auto(Server) good = { 0 };
	g_autoptr(Facts) facts = facts_new();
	g_autoptr(GPtrArray) urls = g_ptr_array_new_with_free_func(g_free);
	gint64 start_us = g_get_monotonic_time();
	const FactsServer *said;

	server_start(&silent, NULL);
	server_start(&good, ANSWER("200"));
	for (guint i = 0; i < 8; i++)
		g_ptr_array_add(urls, g_strdup_printf("http://127.0.0.1:%u/%u", silent.number, i));
	g_ptr_array_add(urls, g_strdup_printf("http://127.0.0.1:%u/", good.number));
	g_ptr_array_add(urls, g_strdup("http://127.0.0.1:1/"));
	g_ptr_array_add(urls, NULL);
	facts_ask_servers(facts, (const char *const *)(gpointer)urls->pdata, 400, NULL, NULL);
	g_assert_cmpint((g_get_monotonic_time() - start_us) / 1000, <, 1500);
	said = facts_server(facts, urls->pdata[8]);
	g_assert_cmpint(said->state, ==, SERVER_ANSWERS);
	g_assert_cmpint(facts_server(facts, urls->pdata[9])->state, ==, SERVER_NO_ROUTE);
}

/* Which root cause is named when nothing answers. */
static void test_verdicts(void)
{
	static const struct {
		ServerState states[3];
		CheckVerdict online, server;
		const char *word;
	} cases[] = {
		{ { SERVER_ANSWERS, SERVER_ANSWERS, SERVER_ANSWERS },
		  CHECK_PASS,
		  CHECK_PASS,
		  "3 of 3" },
		{ { SERVER_ANSWERS, SERVER_TLS, SERVER_ANSWERS },
		  CHECK_PASS,
		  CHECK_FAIL,
		  "2 of 3" },
		{ { SERVER_NO_NAME, SERVER_NO_NAME, SERVER_NO_NAME },
		  CHECK_FAIL,
		  CHECK_SKIPPED,
		  "no name" },
		{ { SERVER_SILENT, SERVER_PORTAL, SERVER_NO_NAME },
		  CHECK_FAIL,
		  CHECK_SKIPPED,
		  "page for a person" },
		{ { SERVER_PROXY, SERVER_PROXY, SERVER_SILENT },
		  CHECK_FAIL,
		  CHECK_SKIPPED,
		  "proxy" },
		{ { SERVER_TLS, SERVER_TLS, SERVER_TLS },
		  CHECK_FAIL,
		  CHECK_SKIPPED,
		  "certificate" },
		{ { SERVER_NO_ROUTE, SERVER_SILENT, SERVER_SILENT },
		  CHECK_FAIL,
		  CHECK_SKIPPED,
		  "offline" },
		{ { SERVER_ERROR, SERVER_ERROR, SERVER_ERROR }, CHECK_PASS, CHECK_FAIL, "3 of 3" },
	};
	const CheckNeeds needs = { .source = "test" };

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Facts) facts = facts_new();
		g_autoptr(GPtrArray) findings = NULL;
		CheckVerdict server = CHECK_SKIPPED;

		for (gsize j = 0; j < 3; j++) {
			FactsServer *one = facts_server_new("https://x.example/");

			one->state = cases[i].states[j];
			g_ptr_array_add(facts->servers, one);
		}
		findings = check_run_all(facts, &needs, NULL);
		for (guint j = 0; j < findings->len; j++) {
			const CheckFinding *finding = findings->pdata[j];

			if (strcmp(finding->check->id, "net.online") == 0) {
				g_assert_cmpint(finding->verdict, ==, cases[i].online);
				g_assert_nonnull(strstr(finding->measured, cases[i].word));
			} else if (strcmp(finding->check->id, "net.server") == 0 &&
			           server != CHECK_FAIL) {
				server = finding->verdict;
			}
		}
		g_assert_cmpint(server, ==, cases[i].server);
	}
}

static void add_rows(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(routes); i++) {
		g_autofree char *path = g_strconcat("/network/routes/", routes[i].path, NULL);
		g_test_add_data_func(path, &routes[i], test_routes);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(proxies); i++) {
		g_autofree char *path = g_strconcat("/network/proxy/", proxies[i].path, NULL);
		g_test_add_data_func(path, &proxies[i], test_proxy);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(asked); i++) {
		g_autofree char *path = g_strconcat("/network/asked/", asked[i].path, NULL);
		g_test_add_data_func(path, &asked[i], test_asked);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add_rows();
	g_test_add_func("/network/nets", test_nets);
	g_test_add_func("/network/files", test_files);
	g_test_add_func("/network/certificates", test_certificates);
	g_test_add_data_func("/network/owner/ipv4", GINT_TO_POINTER(AF_INET), test_owner);
	g_test_add_data_func("/network/owner/ipv6", GINT_TO_POINTER(AF_INET6), test_owner);
	g_test_add_func("/network/low-port", test_low_port);
	g_test_add_func("/network/asked/at-once", test_asked_at_once);
	g_test_add_func("/network/verdicts", test_verdicts);
	return g_test_run();
}
