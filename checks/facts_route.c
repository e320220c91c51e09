/* checks/facts_route.c - where packets go: the kernel's routes, and addresses with a prefix
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts_route.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* Most routes that are taken; a machine with more is a router. */
#define ROUTES_MAX 256

/* Flag of a route that is up.  Source: RTF_UP of the kernel's route.h. */
#define ROUTE_UP 1

bool net4_parse(const char *text, Net4 *net)
{
	g_auto(GStrv) parts = g_strsplit(text, "/", 2);
	guint64 prefix = parts[0] != NULL && parts[1] != NULL ? source_parse_number(parts[1]) : 32;
	struct in_addr address;

	if (parts[0] == NULL || prefix > 32 || inet_pton(AF_INET, parts[0], &address) != 1)
		return false;

	net->prefix = (guint)prefix;
	net->address =
		prefix == 0 ? 0 : ntohl(address.s_addr) & (G_MAXUINT32 << (32 - net->prefix));
	return true;
}

bool net4_overlaps(const Net4 *a, const Net4 *b)
{
	guint prefix = MIN(a->prefix, b->prefix);

	return prefix == 0 || (a->address ^ b->address) >> (32 - prefix) == 0;
}

/** One line of /proc/net/route. */
typedef struct {
	const char *device;
	guint32 address, mask; /* network byte order, as the kernel prints them */
} Route;

static bool parse_route(char **fields, Route *route)
{
	if (g_strv_length(fields) < 8 || (g_ascii_strtoull(fields[3], NULL, 16) & ROUTE_UP) == 0)
		return false;

	*route = (Route){ fields[0], (guint32)g_ascii_strtoull(fields[1], NULL, 16),
		          (guint32)g_ascii_strtoull(fields[7], NULL, 16) };
	return true;
}

/* Devices that an engine made: its own networks are no obstacle to it. */
static bool is_engines_own(const char *device)
{
	static const char *const prefixes[] = { "docker", "br-",   "veth",   "podman",
		                                "cni",    "lxdbr", "flannel" };

	for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (g_str_has_prefix(device, prefixes[i]))
			return true;

	return false;
}

static void take_route(const Route *route, GString *list, FactsNetwork *network)
{
	struct in_addr address = { .s_addr = route->address };
	char text[INET_ADDRSTRLEN] = "";
	int prefix = __builtin_popcount(route->mask);

	if (route->address == 0 && route->mask == 0) {
		network->has_route = FACT_YES;
		if (network->device == NULL)
			network->device = g_strdup(route->device);
	} else if (!is_engines_own(route->device) &&
	           inet_ntop(AF_INET, &address, text, sizeof(text)) != NULL) {
		g_string_append_printf(list, "%s%s/%d", list->len > 0 ? " " : "", text, prefix);
	}
}

static void read_routes(const FactsSource *source, FactsNetwork *network)
{
	g_autofree char *text = source_read(source, "/proc/net/route");
	g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", ROUTES_MAX);
	GString *list = g_string_new(NULL);

	if (text != NULL)
		network->has_route = FACT_NO;
	for (char **line = lines; *line != NULL; line++) {
		g_auto(GStrv) fields = g_strsplit(*line, "\t", -1);
		Route route;

		if (line != lines && parse_route(fields, &route))
			take_route(&route, list, network);
	}
	network->routes = g_string_free(list, text == NULL);
}

/* Each line: destination, prefix, source, prefix, next hop, metric, two counters, flags, device; all
 * hexadecimal.  A default route that rejects belongs to "lo". */
static Fact has_route6(const FactsSource *source)
{
	g_autofree char *text = source_read(source, "/proc/net/ipv6_route");
	g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", ROUTES_MAX);

	for (char **line = lines; *line != NULL; line++)
		if (g_str_has_prefix(*line, "00000000000000000000000000000000 00 ") &&
		    !g_str_has_suffix(*line, " lo"))
			return FACT_YES;

	return text != NULL ? FACT_NO : FACT_UNKNOWN;
}

static Fact is_one(const FactsSource *source, const char *path)
{
	guint64 number = source_number(source, path);

	if (number == FACTS_UNKNOWN)
		return FACT_UNKNOWN;
	return number != 0 ? FACT_YES : FACT_NO;
}

static void read_kernel(const FactsSource *source, FactsNetwork *network)
{
	g_autofree char *range = source_read(source, "/proc/sys/net/ipv4/ip_local_port_range");
	const char *second = range != NULL ? strpbrk(range, "\t ") : NULL;

	if (second != NULL) {
		network->port_low = source_parse_number(range);
		network->port_high = source_parse_number(second);
	}
	network->port_unprivileged =
		source_number(source, "/proc/sys/net/ipv4/ip_unprivileged_port_start");
	network->has_ip_forward = is_one(source, "/proc/sys/net/ipv4/ip_forward");
	if (network->device != NULL) {
		g_autofree char *mtu = g_strdup_printf("/sys/class/net/%s/mtu", network->device);

		network->mtu = source_number(source, mtu);
	}
}

/* Returns: (transfer full) (nullable): the addresses of resolv.conf, space between. */
static char *nameservers(const FactsSource *source)
{
	g_autofree char *text = source_read(source, "/etc/resolv.conf");
	g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);
	GString *list = g_string_new(NULL);

	for (char **line = lines; *line != NULL; line++) {
		const char *address = g_strchug(*line);

		if (!g_str_has_prefix(address, "nameserver") ||
		    !g_ascii_isspace(address[strlen("nameserver")]))
			continue;
		address += strlen("nameserver");
		address += strspn(address, " \t");
		g_string_append_printf(list, "%s%.*s", list->len > 0 ? " " : "",
		                       (int)strcspn(address, " \t#;\r"), address);
	}
	return g_string_free(list, text == NULL);
}

static Fact has_localhost(const FactsSource *source)
{
	g_autofree char *text = source_read(source, "/etc/hosts");
	g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);

	for (char **line = lines; *line != NULL; line++) {
		g_auto(GStrv) words = g_strsplit_set(*line, " \t\r", -1);

		if ((g_str_has_prefix(*line, "127.") || g_str_has_prefix(*line, "::1")) &&
		    g_strv_contains((const char *const *)words, "localhost"))
			return FACT_YES;
	}
	return text != NULL ? FACT_NO : FACT_UNKNOWN;
}

/* ufw says so in its file; firewalld has a directory while it runs. */
static char *firewall(const FactsSource *source)
{
	g_autofree char *text = source_read(source, "/etc/ufw/ufw.conf");

	if (text != NULL &&
	    (g_str_has_prefix(text, "ENABLED=yes") || strstr(text, "\nENABLED=yes") != NULL))
		return g_strdup("ufw");
	return source_exists(source, "/run/firewalld") ? g_strdup("firewalld") : NULL;
}

void facts_read_network(const FactsSource *source, FactsNetwork *network)
{
	read_routes(source, network);
	network->has_route6 = has_route6(source);
	read_kernel(source, network);
	network->nameservers = nameservers(source);
	network->has_localhost = has_localhost(source);
	network->firewall = firewall(source);
	facts_read_proxy(source, network);
	facts_read_certificates(source, network);
}
