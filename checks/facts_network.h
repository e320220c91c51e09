/* checks/facts_network.h - facts: ports, the network's settings, and servers that were asked
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/fact.h"

typedef struct {
	guint64 number;
	Fact is_free; /* on 127.0.0.1 and on all addresses; unknown: not ours to bind */
	char *why;    /* (nullable) */
	guint64 uid;  /* of who holds it */
	guint64 pid;
	char *program;   /* (nullable): that process's */
	char *container; /* (nullable): that publishes it */
	char *project;   /* (nullable): that container's compose project */
} FactsPort;

/** What files and the kernel say, without asking anybody. */
typedef struct {
	Fact has_route;      /* a default one */
	Fact has_route6;     /* one for IPv6 */
	Fact has_localhost;  /* /etc/hosts knows the name */
	Fact has_ip_forward; /* of this machine */
	char *nameservers;   /* of resolv.conf, space between; "" when it names none */
	char *device;        /* (nullable): of the default route */
	guint64 mtu;         /* of that device */
	char *routes; /* (nullable): networks that are routed, less those of container bridges:
	                 "10.8.0.0/16 192.168.1.0/24" */
	guint64 port_low, port_high;               /* ports that the kernel gives to connections */
	guint64 port_unprivileged;                 /* the lowest that anybody may listen on */
	char *http_proxy, *https_proxy, *no_proxy; /* (nullable): passwords taken out */
	char *proxy_why; /* (nullable): what is wrong with the variables */
	char *ca_file;   /* (nullable): certificates that are used */
	char *ca_why;    /* (nullable): why they cannot be */
	char *firewall;  /* (nullable): "ufw", "firewalld" */
} FactsNetwork;

/** How far a server that was asked could be reached. */
typedef enum {
	SERVER_NOT_ASKED,
	SERVER_ANSWERS,
	SERVER_NO_NAME,  /* its name is not known here */
	SERVER_NO_ROUTE, /* refused, or no way there */
	SERVER_SILENT,   /* no answer in time */
	SERVER_PROXY,    /* the proxy is not there, or refuses */
	SERVER_TLS,      /* not the server: its certificate is not good here */
	SERVER_PORTAL,   /* a page for a person stands in for it */
	SERVER_ERROR,    /* it answers that it cannot serve: 5xx */
} ServerState;

typedef struct {
	char *url; /* (transfer none) that was asked for */
	char *host;
	ServerState state;
	guint64 status; /* of HTTP */
	guint64 elapsed_ms;
	char *why; /* (nullable) */
} FactsServer;
