/* base/fault.c - errors that carry an exit status and a hint
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

G_DEFINE_QUARK(slipway_fault, fault)

const ExitStatusRow exit_status_table[] = {
	{ STATUS_OK, "ok", "done, or nothing to do" },
	{ STATUS_FAILED, "failed", "failed and rolled back, or a check found a failing need" },
	{ STATUS_INCOMPLETE, "incomplete", "failed, and the rollback is not complete" },
	{ STATUS_UNVERIFIED, "unverified",
	  "installed, did not pass verification, and rolled back" },
	{ STATUS_PENDING, "pending", "changes are pending (--detailed-exitcode)" },
	{ STATUS_USAGE, "usage", "the command line is wrong, or --yes is needed" },
	{ STATUS_DATA, "data", "an archive or a document is malformed or hostile" },
	{ STATUS_FOREIGN, "foreign", "a journal or receipt is not ours or not readable" },
	{ STATUS_UNAVAILABLE, "unavailable", "a service, a tool or the network does not answer" },
	{ STATUS_BUG, "bug", "slipway itself is wrong" },
	{ STATUS_CANNOT_CREATE, "cannot-create", "a file or directory cannot be created or found" },
	{ STATUS_IO, "io", "the disk is full, or input or output failed" },
	{ STATUS_BUSY, "busy", "somebody else holds a lock; try again later" },
	{ STATUS_UNTRUSTED, "untrusted", "a signature or digest does not match" },
	{ STATUS_DENIED, "denied", "not permitted" },
	{ STATUS_CONFIG, "config", "a setting or a stack definition is wrong" },
	{ STATUS_DEADLINE, "deadline", "a deadline passed" },
	{ STATUS_HANGUP, "hangup", "ended by SIGHUP" },
	{ STATUS_INTERRUPTED, "interrupted", "ended by SIGINT (Ctrl-C)" },
	{ STATUS_TERMINATED, "terminated", "ended by SIGTERM" },
};
const gsize exit_status_count = G_N_ELEMENTS(exit_status_table);

const char *exit_status_name(int status)
{
	for (gsize i = 0; i < exit_status_count; i++)
		if ((int)exit_status_table[i].status == status)
			return exit_status_table[i].name;
	return "unknown";
}

void fault_set(GError **error, ExitStatus status, const char *hint, const char *format, ...)
{
	if (!error)
		return;

	va_list arguments;
	va_start(arguments, format);
	g_autofree char *message = g_strdup_vprintf(format, arguments);
	va_end(arguments);

	/* The one line break separates the hint, so the message itself may have none; and what it
	 * quotes (a tool, a file name) shall not drive the terminal. */
	for (char *byte = message; *byte; byte++)
		if (g_ascii_iscntrl(*byte))
			*byte = ' ';
	g_strchomp(message);
	g_set_error(error, FAULT, (int)status, "%s%s%s", message, hint ? "\n" : "",
	            hint ? hint : "");
}

static ExitStatus status_of_errno(int errnum)
{
	switch (errnum) {
	case EACCES:
	case EPERM:
		return STATUS_DENIED;
	case EROFS:
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
		return STATUS_CANNOT_CREATE;
	case EAGAIN:
	case EBUSY:
		return STATUS_BUSY;
	case ETIMEDOUT:
		return STATUS_DEADLINE;
	default: /* ENOSPC, EDQUOT, EIO and all others */
		return STATUS_IO;
	}
}

void fault_set_errno(GError **error, int errnum, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *message = g_strdup_vprintf(format, arguments);
	va_end(arguments);

	fault_set(error, status_of_errno(errnum), NULL, "%s: %s", message, g_strerror(errnum));
}

char *fault_clock_hint(void)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *text = g_date_time_format(now, "%Y-%m-%d %H:%M");

	return g_strdup_printf("The clock of this machine says %s UTC: set it if that is wrong.",
	                       text);
}

char *fault_message(const GError *error)
{
	g_return_val_if_fail(error, NULL);

	const char *end = strrchr(error->message, '\n');
	return end ? g_strndup(error->message, (gsize)(end - error->message))
	           : g_strdup(error->message);
}

const char *fault_hint(const GError *error)
{
	g_return_val_if_fail(error, NULL);

	const char *end = strrchr(error->message, '\n');
	return end && end[1] ? end + 1 : NULL;
}

ExitStatus fault_status(const GError *error)
{
	g_return_val_if_fail(error, STATUS_BUG);

	if (error->domain == FAULT)
		return (ExitStatus)error->code;
	if (error->domain == G_IO_ERROR || error->domain == G_FILE_ERROR)
		return STATUS_IO;
	return STATUS_FAILED;
}
