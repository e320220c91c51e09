/* checks/facts_port.c - whether a TCP port can be listened on
 *
 * The answer comes from bind(): /proc/net/tcp takes milliseconds, and shows all connections.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/file.h"
#include "checks/facts_private.h"

/* Who listens on one address is in the way of all of them.  Returns: 0 or errno. */
static int try_bind(guint16 number)
{
	struct sockaddr_in name = { .sin_family = AF_INET,
		                    .sin_port = htons(number),
		                    .sin_addr.s_addr = htonl(INADDR_ANY) };
	int reuse = port_probe_reuses_address;
	g_auto(FileFd) fd = socket(AF_INET, SOCK_STREAM, 0);

	/* Without it, a connection that has just ended makes a free port look busy. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse)) != 0 ||
	    bind(fd, (const struct sockaddr *)&name, sizeof(name)) != 0)
		return errno;

	return 0;
}

FactsPort *facts_read_port(guint16 number)
{
	FactsPort *port = facts_port_new(number);
	int failure = try_bind(number);

	if (failure == 0)
		port->is_free = FACT_YES;
	else if (failure == EADDRINUSE)
		port->is_free = FACT_NO;
	if (failure != 0)
		port->why = g_strdup(g_strerror(failure));
	return port;
}
