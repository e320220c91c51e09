/* installer/package_advice.h - systems whose packages are not installed while they run
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** One kind of system; @immutable as in its facts. */
typedef struct {
	const char *immutable;
	const char *catalogue; /* whose package names it uses; NULL: the names of the tools */
	const char *title;     /* "an image that rpm-ostree makes" */
	const char *advice;    /* what a person does about missing packages, %s */
} PackageAdvice;

extern const PackageAdvice package_advice_table[];
extern const gsize package_advice_count;

/** Returns: (transfer none) (nullable): what to say on such a system; NULL for an ordinary one, whose
 *  facts have NULL, and for a kind that nobody knows. */
const PackageAdvice *package_advice_find(const char *immutable);

/** Sets UNAVAILABLE: @packages are missing, and how a person gets them there. */
void package_advice_set(const PackageAdvice *advice, const char *const *packages, GError **error);
