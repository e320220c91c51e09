/* base/http_socket_linux.c - a socket that a program started meanwhile does not get
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/socket.h>

#include "base/http_private.h"

int http_socket(int family, int type, int protocol)
{
	return socket(family, type | SOCK_CLOEXEC, protocol);
}
