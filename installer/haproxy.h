/* installer/haproxy.h - HAProxy's Runtime API, on a port of this machine
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** A backend of a proxy whose Runtime API listens on 127.0.0.1:@port.  Whoever reaches that port may do
 *  anything with the proxy: it has no password. */
typedef struct {
	guint16 port;
	const char *backend;
} Haproxy;

/** What the proxy says of one server, since it was started. */
typedef struct {
	bool is_up; /* it counts as up, and its last check passed (for which "up" alone is no proof) */
	char *status;      /* in the proxy's words: "UP", "DOWN", "MAINT (resolution)" */
	char *check;       /* of the last check: "L7OK"; "" before the first */
	char *address;     /* "172.18.0.5"; "-" while its name is not known */
	guint weight;      /* 0 to 256 */
	guint64 sessions;  /* that are open now */
	guint64 responses; /* that came, good or bad */
	guint64 errors; /* connections that failed, responses that broke off, and those with a status of 5xx */
} HaproxyServer;

void haproxy_server_clear(HaproxyServer *server);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HaproxyServer, haproxy_server_clear)

/**
 * Runs one command, on a connection of its own; 3 s at most.
 *
 * Returns: (transfer full): what the proxy answers; NULL with UNAVAILABLE (nobody listens, or it broke off),
 * DEADLINE, DATA (more than 1 MiB, or a NUL byte) or a cancellation set.
 */
char *haproxy_ask(guint16 port, const char *command, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Sets the weight of a server, 0 to 256; lost when the proxy starts again.  Returns: false with the errors of
 *  haproxy_ask(), or CONFIG (what the proxy says to it) set. */
bool haproxy_set_weight(const Haproxy *proxy, const char *server, guint weight,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Ends what a person has set: "drain" or "maint" of a server.  Returns: as haproxy_set_weight(). */
bool haproxy_set_ready(const Haproxy *proxy, const char *server,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Has a server count as down until its checks pass anew: what the proxy thinks of it may be of a container that
 *  had the same address before.  Returns: as haproxy_set_weight(). */
bool haproxy_check_anew(const Haproxy *proxy, const char *server,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Asks for a server.  Returns: false with the errors of haproxy_ask(), or CONFIG (there is none of that
 *  name) or DATA set. */
bool haproxy_look(const Haproxy *proxy, const char *server, HaproxyServer *found,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Reads a server out of the answers to "show stat" and "show servers state"; as haproxy_look(). */
bool haproxy_parse(const char *stat, const char *state, const Haproxy *proxy, const char *server,
                   HaproxyServer *found, GError **error);
