/* installer/compose_fault.c - what a failure of docker compose means
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/compose_fault.h"

#include <string.h>

#include "base/fault.h"

#define TAIL_LINES 3

typedef struct {
	const char *needle; /* in what compose, or the engine through it, wrote */
	ExitStatus status;
	const char *cause;
	const char *hint;
} Row;

#define PORT_HINT \
	"Stop the program that has the port, or give the service another one, then run it again."
#define IMAGE_HINT "Look whether the network and the registry can be reached, then run it again."
#define CA_CAUSE "a build does not trust the certificate that it is shown"
#define CA_HINT "Name the CA certificates of your network with --ca-bundle: see slipway-stack(5)."

/* The first row that fits decides: what names a cause stands in front of what only follows from it. */
/* clang-format off */
static const Row rows[] = {
	{ "no space left on device", STATUS_IO, "the engine's disk is full",
	  "Free some space (\"docker system df\" shows what the engine uses), then run it again." },
	{ "disk quota exceeded", STATUS_IO, "the engine's disk is full", NULL },
	{ "address already in use", STATUS_FAILED, "another program has the port", PORT_HINT },
	{ "port is already allocated", STATUS_FAILED, "another container has the port", PORT_HINT },
	{ "ports are not available", STATUS_FAILED, "another program has the port", PORT_HINT },
	{ "non-overlapping IPv4 address pool", STATUS_UNAVAILABLE, "the engine has no address range left for a network",
	  "Remove networks that nobody uses (\"docker network prune\"), then run it again." },
	{ "Cannot connect to the Docker daemon", STATUS_UNAVAILABLE, "the engine does not answer",
	  "Start the engine (Docker), then run the same command again." },
	{ "error during connect", STATUS_UNAVAILABLE, "the engine does not answer",
	  "Start the engine (Docker), then run the same command again." },
	{ "unexpected EOF", STATUS_UNAVAILABLE, "the engine stopped in the middle", NULL },
	{ "permission denied while trying to connect", STATUS_DENIED, "the engine's socket is not for this user", NULL },
	/* Its image is there, then, whatever the words of a build were. */
	{ "is unhealthy", STATUS_UNVERIFIED, "a service is not healthy", NULL },
	{ "not healthy after", STATUS_UNVERIFIED, "a service did not become healthy in time", NULL },
	{ "No such image", STATUS_UNAVAILABLE, "an image is not there", IMAGE_HINT },
	{ "pull access denied", STATUS_UNAVAILABLE, "an image cannot be had", IMAGE_HINT },
	{ "manifest unknown", STATUS_UNAVAILABLE, "an image cannot be had", IMAGE_HINT },
	{ "no such host", STATUS_UNAVAILABLE, "the registry's name is not known", IMAGE_HINT },
	{ "server misbehaving", STATUS_UNAVAILABLE, "the registry's name cannot be looked up", IMAGE_HINT },
	{ "network is unreachable", STATUS_UNAVAILABLE, "there is no network", IMAGE_HINT },
	{ "i/o timeout", STATUS_UNAVAILABLE, "the registry does not answer", IMAGE_HINT },
	{ "toomanyrequests", STATUS_UNAVAILABLE, "the registry wants fewer requests", "Wait, or log in with \"docker login\"." },
	/* OpenSSL, as in Python, curl, Cargo and Node; rustls, as in uv. */
	{ "unable to get local issuer certificate", STATUS_UNAVAILABLE, CA_CAUSE, CA_HINT },
	{ "self-signed certificate", STATUS_UNAVAILABLE, CA_CAUSE, CA_HINT },
	{ "invalid peer certificate", STATUS_UNAVAILABLE, CA_CAUSE, CA_HINT },
	{ "exited (", STATUS_UNVERIFIED, "a service ended", NULL },
	{ "is missing a value", STATUS_CONFIG, "a variable of the compose file has no value", NULL },
	{ "yaml:", STATUS_CONFIG, "a compose file cannot be read", NULL },
	{ "Connection refused", STATUS_UNAVAILABLE, "the engine or the registry does not answer", NULL },
	{ "connection refused", STATUS_UNAVAILABLE, "the engine or the registry does not answer", NULL },
};
/* clang-format on */

static char *tail_of(const char *said)
{
	g_auto(GStrv) lines = g_strsplit(said, "\n", -1);
	g_autoptr(GPtrArray) last = g_ptr_array_new();

	for (guint i = g_strv_length(lines); i > 0 && last->len < TAIL_LINES; i--)
		if (*g_strstrip(lines[i - 1]))
			g_ptr_array_insert(last, 0, lines[i - 1]);
	g_ptr_array_add(last, NULL);
	return g_strjoinv("; ", (char **)last->pdata);
}

void compose_fault_set(GError **error, const char *verb, const char *project, const char *said)
{
	g_autofree char *tail = tail_of(said);

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (!strstr(said, rows[i].needle))
			continue;
		fault_set(error, rows[i].status, rows[i].hint,
		          "docker compose %s of project %s failed, because %s: %s", verb, project,
		          rows[i].cause, tail);
		return;
	}
	fault_set(error, STATUS_UNAVAILABLE, NULL, "docker compose %s of project %s failed: %s",
	          verb, project, tail);
}
