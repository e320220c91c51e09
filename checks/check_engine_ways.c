/* checks/check_engine_ways.c - judges how the engine runs, and how its containers reach the network
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_remedy.h"
#include "checks/facts_route.h"

static bool has_word(const char *words, const char *word)
{
	g_auto(GStrv) list = g_strsplit(words, " ", -1);

	return g_strv_contains((const char *const *)list, word);
}

/* What /info calls a security option. */
static void judge_engine_security(CheckRun *run)
{
	const char *security = run->facts->engine.security;
	bool is_open = security != NULL && !has_word(security, "seccomp");
	bool is_mapped = security != NULL && has_word(security, "userns");
	CheckFinding *finding;

	if (security == NULL) {
		(void)finding_add(run, CHECK_SKIPPED, "the engine does not say");
		return;
	}
	finding = finding_add(run, is_open || is_mapped ? run->check->severity : CHECK_PASS,
	                      security);
	if (is_open)
		finding_set(&finding->measured,
		            g_strdup("no seccomp: any system call is let through"));
	else if (is_mapped)
		finding_set_remedy(
			finding,
			g_strdup("Users are remapped (userns-remap): give directories that "
		                 "containers write to to the mapped user, or use volumes."));
}

static void judge_engine_rootless(CheckRun *run)
{
	const Facts *facts = run->facts;
	guint64 lowest = facts->network.port_unprivileged;
	guint64 taken = 0;
	g_autofree char *measured = NULL;

	if (facts->engine.is_rootless != FACT_YES) {
		(void)finding_add(
			run, facts->engine.is_rootless == FACT_NO ? CHECK_PASS : CHECK_SKIPPED,
			facts->engine.is_rootless == FACT_NO ? "no" : "the engine does not say");
		return;
	}
	for (gsize i = 0; lowest != FACTS_UNKNOWN && i < run->needs->port_count; i++)
		if (run->needs->ports[i].number < lowest)
			taken = run->needs->ports[i].number;

	measured = g_strdup_printf("yes; port %" G_GUINT64_FORMAT " is not for it", taken);
	(void)finding_add(run, taken != 0 ? run->check->severity : CHECK_PASS,
	                  taken != 0 ? measured : "yes");
}

/* What other checks say better, or what is so on most machines, is no news. */
static bool is_news(const char *warning)
{
	static const char *const known[] = {
		"swap limit",      "blkio",     "bridge-nf",     "is accessible on http",
		"memory limit",    "cpu cfs",   "cpu shares",    "cpuset",
		"IPv4 forwarding", "cgroup v1", "kernel memory", "oom kill"
	};
	g_autofree char *lower = g_ascii_strdown(warning, -1);

	for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
		g_autofree char *word = g_ascii_strdown(known[i], -1);

		if (strstr(lower, word) != NULL)
			return false;
	}
	return *warning != '\0';
}

static void judge_engine_warnings(CheckRun *run)
{
	const char *warnings = run->facts->engine.warnings;
	g_auto(GStrv) lines = g_strsplit(warnings != NULL ? warnings : "", "\n", -1);
	bool has_news = false;

	for (char **line = lines; *line != NULL; line++) {
		if (!is_news(*line))
			continue;
		(void)finding_add(run, run->check->severity, *line);
		has_news = true;
	}
	if (!has_news)
		(void)finding_add(run, CHECK_PASS, "none");
}

static void judge_engine_forward(CheckRun *run)
{
	Fact has = run->facts->engine.has_ip_forward;

	if (has == FACT_UNKNOWN)
		(void)finding_add(run, CHECK_SKIPPED, "the engine does not say");
	else
		(void)finding_add(run, has == FACT_YES ? CHECK_PASS : run->check->severity,
		                  has == FACT_YES ? "on" : "off");
}

static void judge_engine_proxy(CheckRun *run)
{
	const FactsEngine *engine = &run->facts->engine;
	const FactsNetwork *network = &run->facts->network;
	const char *here =
		network->https_proxy != NULL ? network->https_proxy : network->http_proxy;
	const char *there = engine->https_proxy != NULL ? engine->https_proxy : engine->http_proxy;
	CheckFinding *finding;

	if (here == NULL || there != NULL) {
		(void)finding_add(run, CHECK_PASS,
		                  there != NULL ? there : "none, as in this shell");
		return;
	}
	finding = finding_add(run, run->check->severity, "none, and this shell has one");
	finding->needed = g_strdup(here);
	if (flavour_is_desktop(facts_flavour(run->facts)))
		finding_set_remedy(finding, g_strdup("Docker Desktop > Settings > Resources > "
		                                     "Proxies: set it, then Apply."));
	else
		finding_set_remedy(finding,
		                   remedy_daemon(run->facts, "\"proxies\": {\"http-proxy\": "
		                                             "…, \"https-proxy\": …}"));
}

/** Networks get their addresses from these, where daemon.json says nothing else.
 *  Source: moby's libnetwork, ipamutils. */
static const char default_pools[] =
	"172.17.0.0/16 172.18.0.0/16 172.19.0.0/16 172.20.0.0/14 172.24.0.0/14 172.28.0.0/14 "
	"192.168.0.0/16";

/* Returns: whether a route takes all of the pool, so that nothing of it can be used. */
static bool is_covered(const Net4 *pool, char *const *routes)
{
	for (; *routes != NULL; routes++) {
		Net4 route;

		if (net4_parse(*routes, &route) && route.prefix <= pool->prefix &&
		    net4_overlaps(&route, pool))
			return true;
	}
	return false;
}

static void judge_engine_pools(CheckRun *run)
{
	const FactsEngine *engine = &run->facts->engine;
	const char *routes_text = run->facts->network.routes;
	g_auto(GStrv) pools = g_strsplit(
		engine->address_pools != NULL ? engine->address_pools : default_pools, " ", -1);
	g_auto(GStrv) routes = g_strsplit(routes_text != NULL ? routes_text : "", " ", -1);
	guint count = 0;
	guint left = 0;
	g_autofree char *measured = NULL;

	if (flavour_is_machine(facts_flavour(run->facts)) || routes_text == NULL) {
		(void)finding_add(run, CHECK_SKIPPED, "its routes are not those of this machine");
		return;
	}
	for (char **text = pools; *text != NULL; text++) {
		Net4 pool;

		if (!net4_parse(*text, &pool))
			continue;
		count++;
		left += !is_covered(&pool, routes);
	}
	measured = g_strdup_printf("%u of %u address ranges are free of routes", left, count);
	(void)finding_add(run, left == 0 && count > 0 ? run->check->severity : CHECK_PASS,
	                  measured);
}

/* Containers get 1500 whatever the way out takes: connections stall in the middle of TLS. */
static void judge_engine_mtu(CheckRun *run)
{
	const FactsNetwork *network = &run->facts->network;
	g_autofree char *measured =
		g_strdup_printf("%" G_GUINT64_FORMAT " on %s", network->mtu,
	                        network->device != NULL ? network->device : "?");
	CheckFinding *finding;

	if (flavour_is_machine(facts_flavour(run->facts)) || network->mtu == FACTS_UNKNOWN) {
		(void)finding_add(run, CHECK_SKIPPED,
		                  network->mtu == FACTS_UNKNOWN
		                          ? "no device of a default route is known"
		                          : "its network is not that of this machine");
		return;
	}
	finding =
		finding_add(run, network->mtu < 1500 ? run->check->severity : CHECK_PASS, measured);
	finding->needed = g_strdup("1500, or the same for containers");
	if (network->mtu < 1500) {
		g_autofree char *setting =
			g_strdup_printf("\"mtu\": %" G_GUINT64_FORMAT, network->mtu);

		finding_set_remedy(finding, remedy_daemon(run->facts, setting));
	}
}

static void judge_engine_firewall(CheckRun *run)
{
	const FactsEngine *engine = &run->facts->engine;
	const char *host = run->facts->network.firewall;
	g_autofree char *measured =
		g_strdup_printf("%s of the engine, %s on this machine",
	                        engine->firewall != NULL ? engine->firewall : "rules",
	                        host != NULL ? host : "no other");

	(void)finding_add(run, CHECK_PASS, measured);
}

static void judge_engine_restore(CheckRun *run)
{
	Fact is = run->facts->engine.is_live_restore;

	(void)finding_add(run, is == FACT_UNKNOWN ? CHECK_SKIPPED : CHECK_PASS,
	                  is == FACT_YES  ? "containers go on while the engine restarts"
	                  : is == FACT_NO ? "containers end with the engine"
	                                  : "the engine does not say");
}

/* clang-format off */
const Check check_rows_engine_ways[] = {
	{ "engine.security", "engine's security options", CHECK_WARN, CHECK_ENGINE, "engine.reachable", "engine /info SecurityOptions",
	  "Use a kernel and an engine with seccomp.",
	  "Without seccomp a container may make any system call. With remapped users, files of this machine "
	  "belong to nobody inside of containers.",
	  applies_with_engine, judge_engine_security },
	{ "engine.rootless", "engine without root", CHECK_WARN, CHECK_ENGINE, "engine.reachable", "engine /info, ip_unprivileged_port_start",
	  "Move the port, or lower net.ipv4.ip_unprivileged_port_start.",
	  "A rootless engine cannot publish low ports, nor run privileged containers.",
	  applies_with_engine, judge_engine_rootless },
	{ "engine.warnings", "engine's own warnings", CHECK_WARN, CHECK_ENGINE, "engine.reachable", "engine /info Warnings",
	  "See the engine's documentation on it.",
	  "In the engine's own words. Those that another check tells, or that are shown on most machines "
	  "(swap limit, blkio, bridge-nf-call), are left out.",
	  applies_with_engine, judge_engine_warnings },
	{ "engine.forward", "IP forwarding", CHECK_FAIL, CHECK_ENGINE, "engine.reachable", "engine /info IPv4Forwarding",
	  "Run `sudo sysctl -w net.ipv4.ip_forward=1`, and write it into a file below /etc/sysctl.d.",
	  "Without it no packet leaves a container.",
	  applies_with_engine, judge_engine_forward },
	{ "engine.proxy", "engine's proxy", CHECK_WARN, CHECK_ENGINE, "engine.reachable", "engine /info, environment",
	  "Give the engine the proxy that this shell has.",
	  "Images are loaded by the engine, which does not see the variables of this shell.",
	  applies_with_engine, judge_engine_proxy },
	{ "engine.pools", "addresses for container networks", CHECK_WARN, CHECK_ENGINE, "engine.reachable", "engine /info DefaultAddressPools, routes",
	  "Disconnect the VPN, or name another range in daemon.json: \"default-address-pools\".",
	  "Each network of containers takes a range that no route of this machine uses. A VPN that routes all "
	  "private ranges leaves none, and the stack's networks cannot be made.",
	  applies_with_engine, judge_engine_pools },
	{ "engine.mtu", "largest packet", CHECK_WARN, CHECK_ENGINE, "engine.reachable", "device of the default route",
	  "Set \"mtu\" in daemon.json to that of the device.",
	  "Containers send packets of 1500 bytes. Where the way out takes less (VPN, some clouds), connections "
	  "hang in the middle of TLS.",
	  applies_with_engine, judge_engine_mtu },
	{ "engine.firewall", "firewalls", CHECK_PASS, CHECK_ENGINE, "engine.reachable", "engine /info, ufw.conf, /run/firewalld",
	  "Nothing to do: the stack's ports are for this machine alone.",
	  "Ports that are published for other machines go past ufw.",
	  applies_with_engine, judge_engine_firewall },
	{ "engine.restore", "restart of the engine", CHECK_PASS, CHECK_ENGINE, "engine.reachable", "engine /info LiveRestoreEnabled",
	  "Nothing to do.",
	  "Without live-restore an update of the engine ends all containers; those of the stack start again.",
	  applies_with_engine, judge_engine_restore },
	{ 0 },
};
/* clang-format on */
