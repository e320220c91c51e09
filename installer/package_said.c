/* installer/package_said.c - what a command of a package manager came to, and why it failed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/package_said.h"

#include <string.h>

#include "base/fault.h"

#define TAIL_LINES 3

static char *all_text(const ProcessResult *result)
{
	return g_strconcat(result->err, "\n", result->out, NULL);
}

PackageVerdict package_said_verdict(const PackageManager *manager, const ProcessResult *result)
{
	g_autofree char *text = all_text(result);

	return result->signal ? PACKAGE_FAILED
	                      : package_manager_judge(manager, result->exit_code, text);
}

/* (transfer full) (nullable): the line with the words that decided. */
static char *find_reason(const PackageManager *manager, const ProcessResult *result)
{
	g_autofree char *text = all_text(result);
	const PackageWords *row = manager->dialect->words;
	const char *found = NULL;

	for (; row && row->says && !found; row++)
		found = strstr(text, row->says);
	if (!found)
		return NULL;
	while (found > text && found[-1] != '\n')
		found--;
	return g_strstrip(g_strndup(found, strcspn(found, "\n")));
}

/* (transfer full): the last lines that say something. */
static char *find_tail(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autoptr(GPtrArray) last = g_ptr_array_new();

	for (guint i = g_strv_length(lines); i > 0 && last->len < TAIL_LINES; i--)
		if (*g_strstrip(lines[i - 1]))
			g_ptr_array_insert(last, 0, lines[i - 1]);
	g_ptr_array_add(last, NULL);
	return g_strjoinv("; ", (char **)last->pdata);
}

static char *explain(const PackageManager *manager, const ProcessResult *result)
{
	char *why = manager->dialect->explain ? manager->dialect->explain(result->out) : NULL;

	return why ? why : find_tail(*result->err ? result->err : result->out);
}

static ExitStatus status_of(PackageVerdict verdict)
{
	if (verdict == PACKAGE_BUSY)
		return STATUS_BUSY;
	return verdict == PACKAGE_UNTRUSTED || verdict == PACKAGE_DAMAGED ? STATUS_UNTRUSTED
	                                                                  : STATUS_UNAVAILABLE;
}

/* Words about a time that is not now, of apt, gpg, sqv, rpm, OpenSSL: the clock may be wrong. */
static bool is_about_time(const ProcessResult *result)
{
	static const char *const words[] = {
		"is not valid yet",
		"is not yet valid",
		"certificate has expired",
		"file is expired",
		"is expired (invalid",
		"Not live until",
		"not live until",
		"clock problem",
		"created in the future",
		"signature from the future",
		"is not alive",
	};
	g_autofree char *text = all_text(result);

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

void package_said_fault(GError **error, const PackageManager *manager, const char *program,
                        const ProcessResult *result)
{
	PackageVerdict verdict = package_said_verdict(manager, result);
	g_autofree char *tail = explain(manager, result);
	g_autofree char *reason = find_reason(manager, result);
	g_autofree char *clock = is_about_time(result) ? fault_clock_hint() : NULL;
	bool is_in_tail = !reason || strstr(tail, reason);

	if (result->signal)
		fault_set(error, STATUS_UNAVAILABLE, NULL, "%s was ended by signal %d", program,
		          result->signal);
	else
		fault_set(error, status_of(verdict),
		          clock                      ? clock
		          : verdict == PACKAGE_STALE ? manager->advice
		                                     : NULL,
		          "%s failed with status %d: %s%s%s", program, result->exit_code,
		          is_in_tail ? "" : reason, is_in_tail ? "" : "; ", tail);
}
