/* tests/macos/sys/xattr.h - what getxattr(2) of macOS documents, for the type check
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <sys/types.h>

ssize_t getxattr(const char *path, const char *name, void *value, size_t size, u_int32_t position,
                 int options);
