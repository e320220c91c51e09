/* installer/haproxy.c - HAProxy's Runtime API, on a port of this machine
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/haproxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"

#define ASK_MS 3000
#define ANSWER_MAX_BYTES ((gsize)1024 * 1024)
#define PIECE_BYTES 4096
#define WEIGHT_MAX 256

void haproxy_server_clear(HaproxyServer *server)
{
	g_clear_pointer(&server->status, g_free);
	g_clear_pointer(&server->check, g_free);
	g_clear_pointer(&server->address, g_free);
}

static bool fail(GError **error, guint16 port, const char *why)
{
	fault_set(error, STATUS_UNAVAILABLE, NULL, "the proxy does not answer at 127.0.0.1:%u: %s",
	          port, why);
	return false;
}

/* Until @fd is ready for @events, or the deadline or a signal comes. */
static bool wait_for(int fd, short events, gint64 deadline_us, GError **error)
{
	for (;;) {
		struct pollfd waits[] = { { .fd = fd, .events = events },
			                  { .fd = cancel_fd(), .events = POLLIN } };
		gint64 left_ms = (deadline_us - g_get_monotonic_time()) / 1000;
		nfds_t count = waits[1].fd >= 0 ? 2 : 1;

		if (!cancel_check(error))
			return false;
		if (left_ms <= 0) {
			fault_set(error, STATUS_DEADLINE, NULL,
			          "the proxy did not answer within %d s", ASK_MS / 1000);
			return false;
		}
		/* While signals are suspended, their descriptor may be readable all the time. */
		if (cancel_signal() == 0 && count == 2 && poll(&waits[1], 1, 0) > 0)
			count = 1;
		if (poll(waits, count, (int)left_ms) > 0 && waits[0].revents)
			return true;
	}
}

static bool dial(int fd, guint16 port, gint64 deadline_us, GError **error)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons(port),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int failure = 0;
	socklen_t size = sizeof(failure);

	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return true;
	if (errno != EINPROGRESS)
		return fail(error, port, g_strerror(errno));
	if (!wait_for(fd, POLLOUT, deadline_us, error))
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0)
		failure = errno;
	return failure == 0 || fail(error, port, g_strerror(failure));
}

static bool say(int fd, guint16 port, const char *command, gint64 deadline_us, GError **error)
{
	g_autofree char *line = g_strconcat(command, "\n", NULL);
	gsize size_bytes = strlen(line);

	for (gsize done = 0; done < size_bytes;) {
		ssize_t count = send(fd, line + done, size_bytes - done, 0);

		if (count >= 0)
			done += (gsize)count;
		else if (errno != EAGAIN && errno != EINTR)
			return fail(error, port, g_strerror(errno));
		else if (!wait_for(fd, POLLOUT, deadline_us, error))
			return false;
	}
	return true;
}

/* It closes the connection behind its answer. */
static bool hear(int fd, guint16 port, GString *answer, gint64 deadline_us, GError **error)
{
	char piece[PIECE_BYTES];

	for (;;) {
		if (!wait_for(fd, POLLIN, deadline_us, error))
			return false;

		ssize_t count = recv(fd, piece, sizeof(piece), 0);
		if (count == 0)
			return answer->len > 0 || fail(error, port, "it closed the connection");
		if (count < 0 && errno != EAGAIN && errno != EINTR)
			return fail(error, port, g_strerror(errno));
		if (count > 0)
			g_string_append_len(answer, piece, count);
		if (answer->len > ANSWER_MAX_BYTES || strlen(answer->str) != answer->len) {
			fault_set(error, STATUS_DATA, NULL,
			          "what answers at 127.0.0.1:%u is no HAProxy", port);
			return false;
		}
	}
}

char *haproxy_ask(guint16 port, const char *command, GError **error)
{
	gint64 deadline_us = g_get_monotonic_time() + (gint64)ASK_MS * 1000;
	g_auto(FileFd) fd = socket(AF_INET, SOCK_STREAM, 0);
	g_autoptr(GString) answer = g_string_new(NULL);

	if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
	    !g_unix_set_fd_nonblocking(fd, TRUE, NULL)) {
		fault_set_errno(error, errno, "cannot make a socket");
		return NULL;
	}
	if (!dial(fd, port, deadline_us, error) || !say(fd, port, command, deadline_us, error) ||
	    !hear(fd, port, answer, deadline_us, error))
		return NULL;
	return g_string_free(g_steal_pointer(&answer), FALSE);
}

/* What was done has an empty answer. */
static bool tell(guint16 port, const char *command, GError **error)
{
	g_autofree char *answer = haproxy_ask(port, command, error);

	if (!answer || !*g_strstrip(answer))
		return answer != NULL;

	answer[strcspn(answer, "\r\n")] = '\0';
	fault_set(error, STATUS_CONFIG, NULL, "the proxy refuses \"%s\": %s", command, answer);
	return false;
}

bool haproxy_set_weight(const Haproxy *proxy, const char *server, guint weight, GError **error)
{
	g_autofree char *command = g_strdup_printf("set weight %s/%s %u", proxy->backend, server,
	                                           MIN(weight, WEIGHT_MAX));

	return tell(proxy->port, command, error);
}

bool haproxy_set_ready(const Haproxy *proxy, const char *server, GError **error)
{
	g_autofree char *command =
		g_strdup_printf("set server %s/%s state ready", proxy->backend, server);

	return tell(proxy->port, command, error);
}

bool haproxy_check_anew(const Haproxy *proxy, const char *server, GError **error)
{
	g_autofree char *command =
		g_strdup_printf("set server %s/%s health down", proxy->backend, server);

	return tell(proxy->port, command, error);
}

/** A table in text: a line of names behind "# ", then rows. */
typedef struct {
	char **names;
	char **cells; /* of the row that was looked for */
	guint count;  /* of cells that have a name */
} Row;

static void row_clear(Row *row)
{
	g_strfreev(row->names);
	g_strfreev(row->cells);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Row, row_clear)

/* Returns: (nullable): the cell below @name. */
static const char *row_get(const Row *row, const char *name)
{
	for (guint i = 0; row->cells && i < row->count; i++)
		if (g_str_equal(row->names[i], name))
			return row->cells[i];
	return NULL;
}

static guint64 row_number(const Row *row, const char *name)
{
	const char *cell = row_get(row, name);

	return cell ? g_ascii_strtoull(cell, NULL, 10) : 0;
}

static bool row_is(const Row *row, const char *name, const char *value)
{
	return g_strcmp0(row_get(row, name), value) == 0;
}

/* The row where the columns @backend and @server have the names of both. */
static bool find_row(const char *text, const char *blank, const char *const columns[2],
                     const char *const values[2], Row *row)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_strchomp(*line);
		if (g_str_has_prefix(*line, "# ")) {
			g_strfreev(row->names);
			row->names = g_strsplit(*line + 2, blank, -1);
			continue;
		}
		if (!row->names)
			continue;
		g_strfreev(row->cells);
		row->cells = g_strsplit(*line, blank, -1);
		row->count = MIN(g_strv_length(row->names), g_strv_length(row->cells));
		if (row_is(row, columns[0], values[0]) && row_is(row, columns[1], values[1]))
			return true;
	}
	return false;
}

/* While a check goes on, "* " stands before what the last one said. */
static bool has_passed(const char *check)
{
	check += g_str_has_prefix(check, "* ") ? 2 : 0;
	return g_str_equal(check, "L7OK") || g_str_equal(check, "L7OKC");
}

bool haproxy_parse(const char *stat, const char *state, const Haproxy *proxy, const char *server,
                   HaproxyServer *found, GError **error)
{
	static const char *const in_stat[] = { "pxname", "svname" };
	static const char *const in_state[] = { "be_name", "srv_name" };
	const char *const values[] = { proxy->backend, server };
	g_auto(Row) counters = { 0 };
	g_auto(Row) place = { 0 };

	bool is_counted = find_row(stat, ",", in_stat, values, &counters);
	bool is_placed = find_row(state, " ", in_state, values, &place);

	if (!is_counted || !is_placed) {
		fault_set(error, counters.names && place.names ? STATUS_CONFIG : STATUS_DATA, NULL,
		          "the proxy knows no server %s/%s", proxy->backend, server);
		return false;
	}

	const char *status = row_get(&counters, "status");
	const char *check = row_get(&counters, "check_status");
	const char *address = row_get(&place, "srv_addr");
	if (!status || !check || !address || !row_get(&counters, "hrsp_5xx") ||
	    !row_get(&place, "srv_uweight")) {
		fault_set(error, STATUS_DATA, NULL, "the proxy's statistics have no counters");
		return false;
	}
	*found = (HaproxyServer){
		.is_up = g_str_has_prefix(status, "UP") && has_passed(check),
		.status = g_strdup(status),
		.check = g_strdup(check),
		.address = g_strdup(address),
		.weight = (guint)row_number(&place, "srv_uweight"),
		.sessions = row_number(&counters, "scur"),
		.responses = row_number(&counters, "stot"),
		.errors = row_number(&counters, "hrsp_5xx") + row_number(&counters, "econ") +
		          row_number(&counters, "eresp"),
	};
	return true;
}

bool haproxy_look(const Haproxy *proxy, const char *server, HaproxyServer *found, GError **error)
{
	g_autofree char *command = g_strconcat("show servers state ", proxy->backend, NULL);
	g_autofree char *stat = haproxy_ask(proxy->port, "show stat", error);
	g_autofree char *state = stat ? haproxy_ask(proxy->port, command, error) : NULL;

	return state && haproxy_parse(stat, state, proxy, server, found, error);
}
