/* base/term.c - the two output streams: what may go to which, and in which form
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/term.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/term_private.h"

#define STALLED_MS 60000

struct Term {
	TermOptions options;
	bool has_style[STDERR_FILENO + 1]; /* by descriptor */
	bool is_utf8;
	GError *failure; /* (nullable): the first on stdout */
	GString *held;   /* (nullable): what goes to stdout at once, see term_hold() */
	TermLive live;
};

static const char *environment(const char *name)
{
	const char *value = g_getenv(name);

	return value && *value ? value : NULL;
}

/* From the text of the variables: setlocale() is not called, so that numbers stay "C". */
static bool locale_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *locale = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(names) && !locale; i++)
		locale = environment(names[i]);
	g_autofree char *lower = g_ascii_strdown(locale ? locale : "", -1);
	return strstr(lower, "utf-8") || strstr(lower, "utf8");
}

Term *term_new(const TermOptions *options)
{
	Term *term = g_new0(Term, 1);
	const char *kind = environment("TERM");
	bool is_plain =
		options->is_plain || environment("NO_COLOR") || !kind || g_str_equal(kind, "dumb");

	term->options = *options;
	term->is_utf8 = locale_is_utf8();
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		term->has_style[fd] = !is_plain && isatty(fd);
	return term;
}

bool term_close(Term *term, GError **error)
{
	/* Some file systems report a full disk only when a descriptor is closed. */
	int copy = term->failure ? -1 : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	if (copy >= 0 && close(copy) < 0 && errno != EINTR)
		fault_set(&term->failure, STATUS_IO, NULL, "cannot write the result to stdout: %s",
		          g_strerror(errno));
	if (!term->failure)
		return true;
	g_propagate_error(error, g_steal_pointer(&term->failure));
	return false;
}

void term_free(Term *term)
{
	if (!term)
		return;
	g_clear_error(&term->failure);
	g_free(term);
}

bool term_is_json(const Term *term)
{
	return term->options.is_json;
}

bool term_is_events(const Term *term)
{
	return term->options.is_events;
}

bool term_is_quiet(const Term *term)
{
	return term->options.is_quiet;
}

bool term_is_utf8(const Term *term)
{
	return term->is_utf8;
}

bool term_is_interactive(void)
{
	return isatty(STDOUT_FILENO);
}

bool term_can_draw(const Term *term)
{
	const TermOptions *options = &term->options;

	return term->has_style[STDERR_FILENO] && !options->is_quiet && !options->is_json &&
	       !options->is_events;
}

bool term_can_ask(const Term *term)
{
	const char *ci = environment("CI");
	bool is_ci = ci && !g_str_equal(ci, "false") && !g_str_equal(ci, "0");

	if (is_ci || term->options.is_yes || term->options.is_json)
		return false;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return false;
	/* A background job that reads the terminal is stopped: it would wait for ever. */
	pid_t group = tcgetpgrp(STDIN_FILENO);
	return group < 0 || group == getpgrp();
}

void term_set_live(Term *term, const TermLive *live)
{
	term->live = live ? *live : (TermLive){ 0 };
}

/* Not file_write_all(): a terminal or pipe may have been left non-blocking by another program.
 * Returns: 0 or an errno. */
static int write_text(int fd, const char *text)
{
	gsize left = strlen(text);

	while (left > 0) {
		ssize_t written = write(fd, text, left);
		struct pollfd ready = { .fd = fd, .events = POLLOUT };

		if (written >= 0) {
			text += written;
			left -= (gsize)written;
		} else if (errno == EAGAIN) {
			if (poll(&ready, 1, STALLED_MS) == 0)
				return ETIMEDOUT;
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

void term_draw(Term *term, const char *text)
{
	(void)term;
	(void)write_text(STDERR_FILENO, text); /* nobody is left to be told */
}

/* Writes @text, which is masked and clean; the live board goes on below its lines.  After a failure
 * stdout gets nothing more: another half of the result would not help. */
static void emit(Term *term, int fd, const char *text)
{
	if (fd == STDOUT_FILENO && term->failure)
		return;
	if (fd == STDOUT_FILENO && term->held) {
		g_string_append(term->held, text);
		return;
	}
	if (term->live.hide)
		term->live.hide(term->live.data);
	int errnum = write_text(fd, text);
	if (errnum && fd == STDOUT_FILENO)
		fault_set(&term->failure, STATUS_IO, NULL, "cannot write the result to stdout: %s",
		          g_strerror(errnum));
	if (term->live.show && g_str_has_suffix(text, "\n"))
		term->live.show(term->live.data);
}

void term_hold(Term *term)
{
	term->held = g_string_new(NULL);
}

void term_release(Term *term)
{
	g_autoptr(GString) held = g_steal_pointer(&term->held);

	emit(term, STDOUT_FILENO, held->str);
}

static void emit_masked(Term *term, int fd, const char *text)
{
	g_autofree char *masked = secret_mask(text);
	g_autofree char *clean = term_text_clean(masked, term->has_style[fd]);

	emit(term, fd, clean);
}

void term_print_text(Term *term, const char *text)
{
	if (!term->options.is_json && !term->options.is_events)
		emit_masked(term, STDOUT_FILENO, text);
}

void term_prompt(Term *term, const char *text)
{
	emit_masked(term, STDERR_FILENO, text);
}

void term_print(Term *term, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	term_print_text(term, text);
}

static void emit_line(Term *term, const char *text)
{
	g_autofree char *line = g_strconcat(text, "\n", NULL);

	emit_masked(term, STDERR_FILENO, line);
}

void term_note(Term *term, const char *format, ...)
{
	va_list args;

	if (term->options.is_quiet)
		return;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	emit_line(term, text);
}

void term_warn(Term *term, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	emit_line(term, text);
}

/* Returns: (transfer full): @value with every string masked.  Masking the printed text instead
 * would miss a secret that JSON escapes, and could break a number. */
static json_t *mask_tree(const json_t *value)
{
	if (json_is_string(value)) {
		g_autofree char *masked = secret_mask(json_string_value(value));
		return json_string(masked);
	}
	if (json_is_array(value)) {
		json_t *array = json_array();
		for (size_t i = 0; i < json_array_size(value); i++)
			json_array_append_new(array, mask_tree(json_array_get(value, i)));
		return array;
	}
	if (!json_is_object(value))
		return json_deep_copy(value);

	json_t *object = json_object();
	json_t *members = json_deep_copy(value); /* the iterator of jansson 2.14 is not const */
	const char *key = NULL;
	json_t *member = NULL;
	json_object_foreach(members, key, member)
	{
		g_autofree char *masked = secret_mask(key);
		json_object_set_new(object, masked, mask_tree(member));
	}
	json_decref(members);
	return object;
}

void term_document(Term *term, const json_t *document)
{
	if (!term->options.is_json)
		return;

	g_autoptr(json_t) masked = mask_tree(document);
	g_autofree char *text = json_pretty(masked);
	emit(term, STDOUT_FILENO, text);
}

void term_event(Term *term, const json_t *event)
{
	if (!term->options.is_events)
		return;

	g_autoptr(json_t) masked = mask_tree(event);
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *time = g_date_time_format_iso8601(now);
	json_put(masked, "time", time);
	g_autofree char *text = json_canonical(masked);
	g_autofree char *line = g_strconcat(text, "\n", NULL);
	emit(term, STDOUT_FILENO, line);
}

char *term_styled(const Term *term, TermStyle style, const char *text)
{
	static const char *const codes[] = {
		[TERM_NORMAL] = NULL, [TERM_GOOD] = "32",  [TERM_WARN] = "33",  [TERM_BAD] = "31",
		[TERM_DIM] = "2",     [TERM_BOLD] = "1",   [TERM_HUE_1] = "36", [TERM_HUE_2] = "35",
		[TERM_HUE_3] = "34",  [TERM_HUE_4] = "33", [TERM_HUE_5] = "32", [TERM_HUE_6] = "96",
	};
	const char *code = codes[style];

	/* The stream that shows no styles takes them out again, see emit(). */
	if (!code || !(term->has_style[STDOUT_FILENO] || term->has_style[STDERR_FILENO]))
		return g_strdup(text);
	return g_strdup_printf("\x1b[%sm%s\x1b[0m", code, text);
}

static struct winsize window_size(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0)
			size = (struct winsize){ 0 };
	return size;
}

guint term_width(const Term *term)
{
	struct winsize size = window_size();

	(void)term;
	return size.ws_col ? size.ws_col : 80;
}

guint term_height(const Term *term)
{
	struct winsize size = window_size();

	(void)term;
	return size.ws_row ? size.ws_row : 24;
}
