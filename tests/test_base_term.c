/* tests/test_base_term.c - base/term on real terminals, pipes and full disks
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <signal.h>
#include <termios.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/term.h"
#include "tests/pty.h"

static int print_styled(const TermOptions *options)
{
	g_autoptr(Term) term = term_new(options);
	g_autofree char *good = term_styled(term, TERM_GOOD, "fine");

	term_print(term, "result %s\n", good);
	term_note(term, "note %s", good);
	return term_close(term, NULL) ? 0 : 1;
}

static int child_default(void)
{
	return print_styled(&(TermOptions){ 0 });
}

static int child_plain(void)
{
	return print_styled(&(TermOptions){ .is_plain = true });
}

static int child_quiet(void)
{
	return print_styled(&(TermOptions){ .is_quiet = true });
}

static int child_no_color(void)
{
	g_setenv("NO_COLOR", "1", TRUE);
	return child_default();
}

static int child_empty_no_color(void)
{
	g_setenv("NO_COLOR", "", TRUE);
	return child_default();
}

static int child_dumb(void)
{
	g_setenv("TERM", "dumb", TRUE);
	return child_default();
}

/* stdout is a pipe, stderr a terminal. */
static int child_piped(void)
{
	int ends[2] = { -1, -1 };
	char text[100] = { 0 };

	g_assert_cmpint(pipe(ends), ==, 0);
	g_assert_cmpint(dup2(ends[1], STDOUT_FILENO), ==, STDOUT_FILENO);
	int status = child_default();
	g_assert_cmpint(read(ends[0], text, sizeof(text) - 1), >, 0);
	g_assert_cmpstr(text, ==, "result fine\n");
	return status;
}

#define GREEN "\x1b[32mfine\x1b[0m"

static void test_styles(void)
{
	static const struct {
		PtyCase test;
		const char *output;
	} rows[] = {
		{ { child_default, .columns = 80 }, "result " GREEN "\r\nnote " GREEN "\r\n" },
		{ { child_empty_no_color, .columns = 80 },
		  "result " GREEN "\r\nnote " GREEN "\r\n" },
		{ { child_plain, .columns = 80 }, "result fine\r\nnote fine\r\n" },
		{ { child_no_color, .columns = 80 }, "result fine\r\nnote fine\r\n" },
		{ { child_dumb, .columns = 80 }, "result fine\r\nnote fine\r\n" },
		{ { child_quiet, .columns = 80 }, "result " GREEN "\r\n" },
		{ { child_piped, .columns = 80 }, "note " GREEN "\r\n" },
		{ { child_default }, "result fine\nnote fine\n" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(PtyResult) result = { 0 };

		pty_run(&rows[i].test, &result);
		g_assert_cmpint(result.status, ==, 0);
		g_assert_cmpstr(result.output, ==, rows[i].output);
	}
}

static int child_hostile(void)
{
	g_autoptr(Term) term = term_new(&(TermOptions){ 0 });
	g_autoptr(GBytes) secret = secret_new("sk-canary-1", 11);

	(void)secret;
	term_print(term, "a\x1b]0;title\a\x1b[2Jb\rc\td\n");
	term_print(term, "not \xff UTF-8, C1 \xc2\x9b"
	                 "31m\n");
	term_warn(term, "the key is sk-canary-1");
	return term_close(term, NULL) ? 0 : 1;
}

static void test_hostile_text(void)
{
	static const PtyCase test = { child_hostile };
	g_auto(PtyResult) result = { 0 };

	pty_run(&test, &result);
	g_assert_cmpstr(result.output, ==,
	                "a\\x1b]0;title\\x07\\x1b[2Jb\\x0dc\td\n"
	                "not \xEF\xBF\xBD UTF-8, C1 \\x9b31m\n"
	                "the key is [masked]\n");
}

/* Returns: 0 when term_close() says IO after writing to @fd. */
static int write_to(int fd)
{
	g_autoptr(Term) term = term_new(&(TermOptions){ 0 });
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(dup2(fd, STDOUT_FILENO), ==, STDOUT_FILENO);
	for (int i = 0; i < 3; i++)
		term_print(term, "a result\n");
	g_assert_false(term_close(term, &error));
	g_assert_error(error, FAULT, STATUS_IO);
	return 0;
}

static int child_full(void)
{
	return write_to(open("/dev/full", O_WRONLY | O_CLOEXEC));
}

static int child_closed_pipe(void)
{
	int ends[2] = { -1, -1 };

	cancel_init();
	g_assert_cmpint(pipe(ends), ==, 0);
	(void)close(ends[0]);
	return write_to(ends[1]);
}

static void test_lost_results_are_failures(void)
{
	static const PtyCase tests[] = { { child_full }, { child_closed_pipe } };

	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_auto(PtyResult) result = { 0 };

		pty_run(&tests[i], &result);
		g_assert_cmpint(result.status, ==, 0);
	}
}

static int child_nonblocking(void)
{
	g_autoptr(Term) term = term_new(&(TermOptions){ 0 });
	g_autofree char *line = g_strnfill(100000, 'x');

	g_assert_cmpint(fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK), ==, 0);
	term_print(term, "%s\n", line);
	term_print(term, "%s\n", line);
	return term_close(term, NULL) ? 0 : 1;
}

static void test_nonblocking_stdout(void)
{
	static const PtyCase test = { child_nonblocking };
	g_auto(PtyResult) result = { 0 };

	pty_run(&test, &result);
	g_assert_cmpint(result.status, ==, 0);
	g_assert_cmpuint(strlen(result.output), ==, 200002);
}

/* The exit status of these is the answer. */
static int child_confirm(void)
{
	g_autoptr(Term) term = term_new(&(TermOptions){ .is_quiet = true });

	return term_confirm(term, "Go on?", false);
}

static int child_confirm_fallback(void)
{
	g_autoptr(Term) term = term_new(&(TermOptions){ 0 });

	return term_confirm(term, "Go on?", true);
}

static int child_confirm_interrupted(void)
{
	cancel_init();
	int answer = child_confirm_fallback();
	return cancel_signal() == SIGINT ? 10 + answer : answer;
}

static void test_confirm(void)
{
	static const struct {
		PtyCase test;
		int answer;
	} rows[] = {
		{ { child_confirm, "[y/N] ", "y\n", 80, 24 }, 1 },
		{ { child_confirm, "[y/N] ", " YES \n", 80, 24 }, 1 },
		{ { child_confirm, "[y/N] ", "\n", 80, 24 }, 0 },
		{ { child_confirm, "[y/N] ", "n\n", 80, 24 }, 0 },
		{ { child_confirm, "[y/N] ", "yesterday\n", 80, 24 }, 0 },
		{ { child_confirm_fallback, "[Y/n] ", "\n", 80, 24 }, 1 },
		{ { child_confirm_fallback, "[Y/n] ", "no\n", 80, 24 }, 0 },
		{ { child_confirm_fallback, "[Y/n] ", "\x04", 80, 24 }, 0 },
		{ { child_confirm_interrupted, "[Y/n] ", "\x03", 80, 24 }, 10 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(PtyResult) result = { 0 };

		pty_run(&rows[i].test, &result);
		g_assert_cmpint(result.status, ==, rows[i].answer);
	}
}

static int child_ask(void)
{
	g_autoptr(Term) term = term_new(&(TermOptions){ 0 });
	g_autoptr(GError) error = NULL;
	struct termios mode = { 0 };

	cancel_init();
	g_autoptr(GBytes) secret = term_ask_secret(term, "Key", &error);
	g_assert_cmpint(tcgetattr(STDIN_FILENO, &mode), ==, 0);
	g_assert_true(mode.c_lflag & ECHO);
	if (!secret)
		return (int)fault_status(error);
	return g_str_equal(secret_text(secret), "sk-typed-value") ? 0 : 1;
}

static int child_ask_yes(void)
{
	g_autoptr(Term) term = term_new(&(TermOptions){ .is_yes = true });
	g_autoptr(GError) error = NULL;

	g_assert_null(term_ask_secret(term, "Key", &error));
	return (int)fault_status(error);
}

static void test_ask_secret(void)
{
	static char long_line[5000];
	const struct {
		PtyCase test;
		int status;
	} rows[] = {
		{ { child_ask, "Key: ", "sk-typed-value\n", 80, 24 }, 0 },
		{ { child_ask, "Key: ",
		    "sk-typed-valuX\x7f"
		    "e\n",
		    80, 24 },
		  0 },
		{ { child_ask, "Key: ",
		    "\x1a"
		    "x\n",
		    80, 24 },
		  1 },
		{ { child_ask, "Key: ", "\n", 80, 24 }, STATUS_DATA },
		{ { child_ask, "Key: ", "\x04", 80, 24 }, STATUS_DATA },
		{ { child_ask, "Key: ", "sk-ty\x03", 80, 24 }, STATUS_INTERRUPTED },
		{ { child_ask, "Key: ", long_line, 80, 24 }, STATUS_DATA },
		{ { child_ask_yes, .columns = 80 }, STATUS_USAGE },
	};

	memset(long_line, 'x', sizeof(long_line) - 2);
	long_line[sizeof(long_line) - 2] = '\n';
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(PtyResult) result = { 0 };

		pty_run(&rows[i].test, &result);
		g_assert_cmpint(result.status, ==, rows[i].status);
		g_assert_null(strstr(result.output, "sk-"));
		g_assert_null(strstr(result.output, "xxx"));
	}
}

/* The exit status of these is term_can_ask(). */
static int can_ask(const char *ci, const TermOptions *options)
{
	if (ci)
		g_setenv("CI", ci, TRUE);
	g_autoptr(Term) term = term_new(options);
	return term_can_ask(term);
}

static int child_can_ask(void)
{
	return can_ask(NULL, &(TermOptions){ 0 });
}

static int child_can_ask_ci(void)
{
	return can_ask("true", &(TermOptions){ 0 });
}

static int child_can_ask_no_ci(void)
{
	return can_ask("false", &(TermOptions){ 0 }) && can_ask("0", &(TermOptions){ 0 }) &&
	       can_ask("", &(TermOptions){ 0 });
}

static int child_can_ask_json(void)
{
	return can_ask(NULL, &(TermOptions){ .is_json = true });
}

static int child_can_ask_no_stdin(void)
{
	g_assert_cmpint(dup2(open("/dev/null", O_RDONLY), STDIN_FILENO), ==, STDIN_FILENO);
	return child_can_ask();
}

static void test_can_ask(void)
{
	static const struct {
		PtyCase test;
		int answer;
	} rows[] = {
		{ { child_can_ask, .columns = 80 }, 1 },
		{ { child_can_ask_no_ci, .columns = 80 }, 1 },
		{ { child_can_ask_ci, .columns = 80 }, 0 },
		{ { child_can_ask_json, .columns = 80 }, 0 },
		{ { child_can_ask_no_stdin, .columns = 80 }, 0 },
		{ { child_can_ask }, 0 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(PtyResult) result = { 0 };

		pty_run(&rows[i].test, &result);
		g_assert_cmpint(result.status, ==, rows[i].answer);
	}
}

static int child_table(void)
{
	static const char *const headings[] = { "ID", "TEXT" };
	static const char *const texts[] = { "a",
		                             "one two three four five six seven eight",
		                             "\xE6\x97\xA5\xE6\x9C\xAC",
		                             "x",
		                             NULL,
		                             "first\nsecond" };
	g_autoptr(Term) term = term_new(&(TermOptions){ .is_plain = true });
	g_autoptr(GPtrArray) cells = g_ptr_array_new();

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_ptr_array_add(cells, (gpointer)(guintptr)texts[i]);
	term_table(term, headings, 2, cells);
	return term_close(term, NULL) ? 0 : 1;
}

static void test_table(void)
{
	static const struct {
		PtyCase test;
		const char *output;
	} rows[] = {
		{ { child_table },
		  "ID    TEXT\na     one two three four five six seven eight\n"
		  "\xE6\x97\xA5\xE6\x9C\xAC  x\n      first\n      second\n" },
		{ { child_table, .columns = 30 },
		  "ID    TEXT\r\na     one two three four five\r\n      six seven eight\r\n"
		  "\xE6\x97\xA5\xE6\x9C\xAC  x\r\n      first\r\n      second\r\n" },
		{ { child_table, .columns = 5 },
		  "ID    TEXT\r\na     one two three four\r\n      five six seven eight\r\n"
		  "\xE6\x97\xA5\xE6\x9C\xAC  x\r\n      first\r\n      second\r\n" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(PtyResult) result = { 0 };

		pty_run(&rows[i].test, &result);
		g_assert_cmpstr(result.output, ==, rows[i].output);
	}
}

static int child_json(void)
{
	g_autoptr(Term) term = term_new(&(TermOptions){ .is_json = true, .is_quiet = true });
	g_autoptr(json_t) document = json_object();
	g_autoptr(GBytes) secret = secret_new("a \"quoted\" key", 14);

	(void)secret;
	json_put(document, "schema", "test/1");
	json_put(document, "text", "it is a \"quoted\" key");
	json_object_set_new(document, "n", json_integer(1234567));
	term_print(term, "not seen\n");
	term_note(term, "not seen");
	term_event(term, document);
	term_document(term, document);
	return term_close(term, NULL) ? 0 : 1;
}

static void test_json_document(void)
{
	static const PtyCase test = { child_json };
	g_auto(PtyResult) result = { 0 };

	pty_run(&test, &result);
	g_assert_cmpstr(result.output, ==,
	                "{\n  \"schema\": \"test/1\",\n  \"text\": \"it is [masked]\",\n"
	                "  \"n\": 1234567\n}\n");
}

static int child_events(void)
{
	g_autoptr(Term) term = term_new(&(TermOptions){ .is_events = true, .is_quiet = true });
	g_autoptr(json_t) event = json_object();

	json_put(event, "event", "x");
	term_print(term, "not seen\n");
	term_document(term, event);
	term_event(term, event);
	term_event(term, event);
	return term_close(term, NULL) ? 0 : 1;
}

static void test_events(void)
{
	static const PtyCase test = { child_events };
	g_auto(PtyResult) result = { 0 };

	pty_run(&test, &result);
	g_auto(GStrv) lines = g_strsplit(result.output, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 3);
	for (int i = 0; i < 2; i++) {
		g_autoptr(GBytes) bytes = g_bytes_new(lines[i], strlen(lines[i]));
		g_autoptr(json_t) event = json_parse_bytes(bytes, "event", NULL);
		g_autoptr(GTimeZone) zone = g_time_zone_new_utc();
		g_autoptr(GDateTime) time =
			g_date_time_new_from_iso8601(json_text(event, "time"), zone);

		g_assert_cmpstr(json_text(event, "event"), ==, "x");
		g_assert_nonnull(time);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/term/styles", test_styles);
	g_test_add_func("/term/hostile-text", test_hostile_text);
	g_test_add_func("/term/lost-results-are-failures", test_lost_results_are_failures);
	g_test_add_func("/term/nonblocking-stdout", test_nonblocking_stdout);
	g_test_add_func("/term/confirm", test_confirm);
	g_test_add_func("/term/ask-secret", test_ask_secret);
	g_test_add_func("/term/can-ask", test_can_ask);
	g_test_add_func("/term/table", test_table);
	g_test_add_func("/term/json-document", test_json_document);
	g_test_add_func("/term/events", test_events);
	return g_test_run();
}
