/* checks/facts_route.h - the network's settings, and addresses with a prefix
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_private.h"

/** Fills the network: files only, no connection. */
void facts_read_network(const FactsSource *source, FactsNetwork *network);

/** Fills its proxies; and its CA certificates. */
void facts_read_proxy(const FactsSource *source, FactsNetwork *network);
void facts_read_certificates(const FactsSource *source, FactsNetwork *network);

/** An IPv4 network: "172.17.0.0/16". */
typedef struct {
	guint32 address; /* of this machine's byte order; bits behind the prefix are 0 */
	guint prefix;    /* 0 to 32 */
} Net4;

/** Returns: false when @text is no IPv4 network; a bare address is one of 32 bits. */
bool net4_parse(const char *text, Net4 *net);

/** Returns: whether they have an address in common. */
bool net4_overlaps(const Net4 *a, const Net4 *b);
