/* checks/fact.h - what a fact is when it is not known
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** A number that could not be read; never 0. */
#define FACTS_UNKNOWN G_MAXUINT64

/** A limit that is none. */
#define FACTS_UNLIMITED ((guint64)G_MAXINT64)

/** A statement about the machine; 0 is "could not be read". */
typedef enum { FACT_UNKNOWN, FACT_NO, FACT_YES } Fact;
