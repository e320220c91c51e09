/* installer/registries.h - which registries a compose file's images come from
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/**
 * Reads the "image:" lines of a compose file; of a service that also has "build:" the image is made
 * here.  This is no YAML parser: an image that stands on the line of its service is not seen.
 *
 * Returns: (transfer full): hosts, "registry-1.docker.io" for Docker Hub; NULL-terminated, once each.
 */
char **registries_of_compose(const char *text);
