/* checks/facts_socket.c - does anybody listen on a unix socket?
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/file.h"

EngineState socket_state_of_errno(int failure)
{
	switch (failure) {
	case 0:
		return ENGINE_OK;
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
		return ENGINE_ABSENT;
	case EACCES:
	case EPERM:
		return ENGINE_DENIED;
	case ECONNREFUSED:
	case ENOTSOCK:
		return ENGINE_REFUSED;
	default: /* EAGAIN: so many wait that it does not answer */
		return ENGINE_NO_ANSWER;
	}
}

static EngineState try_connect(int fd, const struct sockaddr_un *name)
{
	if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		return ENGINE_NO_ANSWER;
	if (connect(fd, (const struct sockaddr *)name, sizeof(*name)) != 0)
		return socket_state_of_errno(errno);

	return ENGINE_OK;
}

EngineState socket_open(const char *path, int *fd)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	EngineState state;
	FileFd made;

	if (g_strlcpy(name.sun_path, path, sizeof(name.sun_path)) >= sizeof(name.sun_path))
		return ENGINE_NO_ANSWER;

	made = socket(AF_UNIX, SOCK_STREAM, 0);
	state = try_connect(made, &name);
	if (state == ENGINE_OK)
		*fd = made;
	else
		file_fd_clear(&made);
	return state;
}

EngineState socket_state(const char *path)
{
	g_auto(FileFd) fd = -1;

	return socket_open(path, &fd);
}
