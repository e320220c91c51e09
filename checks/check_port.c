/* checks/check_port.c - judges the TCP ports that a stack listens on
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_remedy.h"

/* macOS listens there for AirPlay, under this name. */
#define AIRPLAY "ControlCe"

static bool is_airplay(const Facts *facts, const FactsPort *port)
{
	if (g_strcmp0(facts->system.name, "Darwin") != 0)
		return false;
	return (port->number == 5000 || port->number == 7000) &&
	       (port->program == NULL || g_str_has_prefix(port->program, AIRPLAY));
}

/* Returns: whether a container of this very stack has it. */
static bool is_ours(const CheckRun *run, const FactsPort *port)
{
	return port->project != NULL && run->needs->project != NULL &&
	       strcmp(port->project, run->needs->project) == 0;
}

/* Returns: (transfer full): who has the port, as far as is known. */
static char *holder(const FactsPort *port)
{
	if (port->container != NULL && port->project != NULL)
		return g_strdup_printf("in use by container %s of project %s", port->container,
		                       port->project);
	if (port->container != NULL)
		return g_strdup_printf("in use by container %s", port->container);
	if (port->program != NULL && port->pid != FACTS_UNKNOWN)
		return g_strdup_printf("in use by %s (process %" G_GUINT64_FORMAT ")",
		                       port->program, port->pid);
	if (port->uid != FACTS_UNKNOWN)
		return g_strdup_printf("in use by a program of user %" G_GUINT64_FORMAT, port->uid);
	return g_strdup("in use");
}

static void explain_taken(CheckRun *run, const CheckPortNeed *need, const FactsPort *port,
                          CheckFinding *finding)
{
	const char *verb = port->container != NULL ? "Stop the container that has it"
	                                           : "Stop the program that listens there";

	finding_set(&finding->measured, holder(port));
	if (is_airplay(run->facts, port))
		finding_set_remedy(
			finding,
			g_strdup("System Settings > General > AirDrop & Handoff: switch AirPlay "
		                 "Receiver off."));
	else if (need->variable != NULL)
		finding_set_remedy(finding, g_strdup_printf("%s, or set %s to another port.", verb,
		                                            need->variable));
	else
		finding_set_remedy(finding, g_strdup_printf("%s.", verb));
}

static void judge_port(CheckRun *run, const CheckPortNeed *need)
{
	const FactsPort *port = facts_port(run->facts, need->number);
	bool is_elsewhere = run->needs->engine != NULL && engine_is_outside(run->facts) &&
	                    (port == NULL || port->container == NULL);
	CheckFinding *finding;

	if (is_elsewhere)
		finding = finding_add(run, CHECK_UNKNOWN, "not visible from inside a container");
	else if (port == NULL || port->is_free == FACT_UNKNOWN)
		finding = finding_add(run, CHECK_UNKNOWN, port != NULL ? port->why : NULL);
	else if (port->is_free == FACT_YES)
		finding = finding_add(run, CHECK_PASS, "free");
	else if (is_ours(run, port))
		finding = finding_add(run, CHECK_PASS, "in use by this stack itself");
	else
		finding = finding_add(run, run->check->severity, "in use");

	finding_set_id(finding, g_strdup_printf("port.%" G_GUINT64_FORMAT, need->number));
	finding_set(&finding->needed, g_strdup_printf("free for %s", need->name));
	if (port != NULL && finding->verdict == run->check->severity)
		explain_taken(run, need, port, finding);
	else if (is_elsewhere)
		finding_set_remedy(
			finding,
			g_strdup("Look at the host's listeners (`ss -ltn` there): they cannot be "
		                 "seen from in here."));
}

static void judge_port_free(CheckRun *run)
{
	for (gsize i = 0; i < run->needs->port_count; i++)
		judge_port(run, &run->needs->ports[i]);

	if (run->needs->port_count == 0)
		(void)finding_add(run, CHECK_SKIPPED, "the stack listens on no port");
}

static void judge_port_ephemeral(CheckRun *run)
{
	const FactsNetwork *network = &run->facts->network;
	g_autoptr(GString) list = g_string_new(NULL);

	if (network->port_low == FACTS_UNKNOWN || network->port_high == FACTS_UNKNOWN ||
	    run->needs->port_count == 0) {
		(void)finding_add(run, CHECK_SKIPPED,
		                  run->needs->port_count == 0 ? "the stack listens on no port"
		                                              : "the range is not known");
		return;
	}
	for (gsize i = 0; i < run->needs->port_count; i++) {
		guint64 number = run->needs->ports[i].number;

		if (number >= network->port_low && number <= network->port_high)
			g_string_append_printf(list, "%s%" G_GUINT64_FORMAT,
			                       list->len > 0 ? ", " : "", number);
	}
	(void)finding_add(run, list->len > 0 ? run->check->severity : CHECK_PASS,
	                  list->len > 0 ? list->str : "none of the stack's ports");
}

/* A program of Windows is seen by nobody in here. */
static void judge_port_windows(CheckRun *run)
{
	bool is_wsl = run->facts->system.wsl == 2;

	if (!is_wsl || run->needs->port_count == 0)
		(void)finding_add(run, CHECK_SKIPPED,
		                  is_wsl ? "the stack listens on no port" : "this is not WSL");
	else
		(void)finding_add(run, CHECK_PASS, "not visible from WSL");
}

/* clang-format off */
const Check check_rows_port[] = {
	{ "port.free", "TCP port", CHECK_FAIL, CHECK_LOCAL, NULL, "bind on 0.0.0.0",
	  "Stop the program that listens there.",
	  "A listener is tried on the port, on all addresses: one that has it on a single address is in the "
	  "way, too. Who has one that is taken comes "
	  "from the kernel's list of listening sockets, and from the engine, which may publish a port without "
	  "a listener. What containers of this stack have counts as free.",
	  NULL, judge_port_free },
	{ "port.ephemeral", "ports that connections get", CHECK_WARN, CHECK_LOCAL, NULL, "/proc/sys/net/ipv4/ip_local_port_range",
	  "Move the port below the range, or add it to net.ipv4.ip_local_reserved_ports.",
	  "The kernel gives ports of this range to connections that go out: now and then one of them has the "
	  "port that a service wants.",
	  NULL, judge_port_ephemeral },
	{ "port.windows", "ports of Windows", CHECK_PASS, CHECK_LOCAL, NULL, "kernel release",
	  "In Windows, look at `netstat -ano` and `netsh int ipv4 show excludedportrange tcp`.",
	  "Programs of Windows and the ranges that it sets aside are not visible from WSL; a start that fails "
	  "with \"ports are not available\" is one of these.",
	  NULL, judge_port_windows },
	{ 0 },
};
/* clang-format on */
