/* installer/lifecycle_test.h - the tests that a stack brings for itself
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/lifecycle.h"

/**
 * Runs one of the receipt's or the plan's "tests": a command here, a command inside of a service's
 * container, or a URL.
 *
 * @life: (nullable): whose services and ports; a test that needs them fails without.
 *
 * Returns: false with UNVERIFIED (it did not pass; the message says why), or a cancellation set.
 */
bool life_test_run(const json_t *test, const Lifecycle *life,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
