/* checks/facts_port_linux.c - who listens on a TCP port, as the kernel's socket list says
 *
 * The list of listening sockets comes by netlink in microseconds; /proc/net/tcp holds every
 * connection, and takes milliseconds.  It names a user and an inode; which process has that inode
 * open, only a walk over /proc tells, and only of those whose descriptors this user may see.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <dirent.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "checks/facts_port.h"

/* State of a listening socket.  Source: TCP_LISTEN of the kernel's tcp_states.h. */
#define STATE_LISTEN 10

/* Most processes that are looked at: 10,000 take about 50 ms. */
#define PROCESSES_MAX 10000

/* A kernel that is slower is none of the usual ones, in microseconds. */
#define ANSWER_US 200000L

/** A port that is not free to us, and the inode of the socket that has it; 0: none. */
typedef struct {
	FactsPort *port;
	guint64 inode;
} Owned;

static bool request_sockets(int fd, guint8 family)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} question = {
		.head = { .nlmsg_len = sizeof(question),
		          .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		          .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = family,
		          .sdiag_protocol = IPPROTO_TCP,
		          .idiag_states = 1U << STATE_LISTEN },
	};

	return send(fd, &question, sizeof(question), 0) == (ssize_t)sizeof(question);
}

static void take_socket(const char *data, GArray *owned)
{
	struct inet_diag_msg message;

	memcpy(&message, data, sizeof(message));
	for (guint i = 0; i < owned->len; i++) {
		Owned *one = &g_array_index(owned, Owned, i);

		if (one->port->number != ntohs(message.id.idiag_sport))
			continue;
		one->port->uid = message.idiag_uid;
		one->inode = message.idiag_inode;
	}
}

/* How an answer goes on. */
typedef enum { LIST_MORE, LIST_WHOLE, LIST_BROKEN } ListEnd;

static ListEnd take_messages(const char *data, gsize size_bytes, GArray *owned)
{
	struct nlmsghdr head;

	for (gsize at = 0; at + NLMSG_HDRLEN <= size_bytes; at += NLMSG_ALIGN(head.nlmsg_len)) {
		memcpy(&head, data + at, sizeof(head));
		if (head.nlmsg_type == NLMSG_DONE)
			return LIST_WHOLE;
		if (head.nlmsg_type == NLMSG_ERROR || head.nlmsg_len < NLMSG_HDRLEN ||
		    head.nlmsg_len > size_bytes - at)
			return LIST_BROKEN;
		if (head.nlmsg_len >= NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
			take_socket(data + at + NLMSG_HDRLEN, owned);
	}
	return LIST_MORE;
}

/* Returns: whether the list is whole. */
static bool list_sockets(int fd, guint8 family, GArray *owned)
{
	char answer[32 * 1024];
	ListEnd end = LIST_MORE;

	if (!request_sockets(fd, family))
		return false;
	while (end == LIST_MORE) {
		ssize_t count = recv(fd, answer, sizeof(answer), 0);

		end = count > 0 ? take_messages(answer, (gsize)count, owned) : LIST_BROKEN;
	}
	return end == LIST_WHOLE;
}

static bool list_all(GArray *owned)
{
	const struct timeval timeout = { 0, ANSWER_US };
	g_auto(FileFd) fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0 &&
	       list_sockets(fd, AF_INET, owned) && list_sockets(fd, AF_INET6, owned);
}

/* "socket:[12345]" */
static guint64 inode_of(int directory_fd, const char *name)
{
	char target[64] = "";
	ssize_t length = readlinkat(directory_fd, name, target, sizeof(target) - 1);

	if (length <= 0 || !g_str_has_prefix(target, "socket:["))
		return 0;
	return g_ascii_strtoull(target + strlen("socket:["), NULL, 10);
}

static void name_process(const FactsSource *source, const char *pid, FactsPort *port)
{
	g_autofree char *comm = g_strdup_printf("/proc/%s/comm", pid);

	port->pid = g_ascii_strtoull(pid, NULL, 10);
	port->program = source_line(source, comm);
}

/* Sets the owner of those of @owned that this process has.  Returns: how many. */
static guint look_at_process(const FactsSource *source, const char *pid, GArray *owned)
{
	g_autofree char *path = g_strdup_printf("/proc/%s/fd", pid);
	DIR *directory = opendir(path);
	guint count = 0;

	for (const struct dirent *entry; directory && (entry = readdir(directory));) {
		guint64 inode = inode_of(dirfd(directory), entry->d_name);

		for (guint i = 0; inode != 0 && i < owned->len; i++) {
			const Owned *one = &g_array_index(owned, Owned, i);

			if (one->inode != inode || one->port->pid != FACTS_UNKNOWN)
				continue;
			name_process(source, pid, one->port);
			count++;
		}
	}
	if (directory != NULL)
		(void)closedir(directory);
	return count;
}

static guint count_held(const GArray *owned)
{
	guint count = 0;

	for (guint i = 0; i < owned->len; i++)
		count += g_array_index(owned, Owned, i).inode != 0;

	return count;
}

static void find_processes(const FactsSource *source, GArray *owned)
{
	guint held = count_held(owned);
	DIR *directory = held > 0 ? opendir("/proc") : NULL;
	guint found = 0;
	guint looked = 0;

	for (const struct dirent *entry; directory && (entry = readdir(directory));) {
		if (!g_ascii_isdigit(*entry->d_name))
			continue;
		found += look_at_process(source, entry->d_name, owned);
		if (found == held || ++looked == PROCESSES_MAX)
			break;
	}
	if (directory != NULL)
		(void)closedir(directory);
}

/* A port that this user may not listen on is free when nobody does. */
static void settle(GArray *owned)
{
	for (guint i = 0; i < owned->len; i++) {
		const Owned *one = &g_array_index(owned, Owned, i);

		if (one->port->is_free == FACT_UNKNOWN)
			one->port->is_free = one->inode != 0 ? FACT_NO : FACT_YES;
	}
}

void facts_read_port_owners(const FactsSource *source, GPtrArray *ports)
{
	g_autoptr(GArray) owned = g_array_new(FALSE, FALSE, sizeof(Owned));

	for (guint i = 0; i < ports->len; i++) {
		const Owned one = { g_ptr_array_index(ports, i), 0 };

		if (one.port->is_free != FACT_YES)
			g_array_append_val(owned, one);
	}
	if (owned->len == 0 || !list_all(owned))
		return;
	settle(owned);
	find_processes(source, owned);
}
