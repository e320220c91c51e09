/* tests/test_base_progress.c - base/progress as a terminal, a log and a program see it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/json.h"
#include "base/progress.h"
#include "tests/pty.h"

static void run_steps(const TermOptions *options)
{
	g_autoptr(Term) term = term_new(options);
	Progress *progress = progress_new(term, "Installing X");

	progress_add(progress, "a", "installing packages git, python3-venv", 10);
	progress_add(progress, "b", "fetching the source", 30);
	progress_add(progress, "c", "fetching the model", 60);
	progress_set(progress, "a", PROGRESS_RUNNING, -1, NULL);
	progress_set(progress, "b", PROGRESS_RUNNING, 0.5, "12 MiB\x1b[2J\n of 24");
	term_note(term, "a note");
	progress_set(progress, "b", PROGRESS_DONE, 1, NULL);
	progress_set(progress, "a", PROGRESS_FAILED, -1, "apt says no");
	progress_set(progress, "c", PROGRESS_DEFERRED, 0.0 / 0.0, "no network");
	progress_tick(progress);
	progress_free(progress);
	g_assert_true(term_close(term, NULL));
}

static int child_default(void)
{
	run_steps(&(TermOptions){ 0 });
	return 0;
}

static int child_quiet(void)
{
	run_steps(&(TermOptions){ .is_quiet = true });
	return 0;
}

static int child_events(void)
{
	run_steps(&(TermOptions){ .is_events = true });
	return 0;
}

static void test_lines(void)
{
	static const PtyCase test = { child_default };
	g_auto(PtyResult) result = { 0 };

	pty_run(&test, &result);
	g_assert_cmpstr(result.output, ==,
	                "Installing X\n"
	                "[1/3] installing packages git, python3-venv ...\n"
	                "[2/3] fetching the source ...\n"
	                "a note\n"
	                "[2/3] fetching the source: done, 0.0 s\n"
	                "[1/3] installing packages git, python3-venv: failed: apt says no\n"
	                "[3/3] fetching the model: deferred: no network\n");
}

static void test_quiet(void)
{
	static const PtyCase tests[] = { { child_quiet }, { child_quiet, .columns = 80 } };

	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_auto(PtyResult) result = { 0 };

		pty_run(&tests[i], &result);
		g_assert_cmpstr(result.output, ==, "");
	}
}

static void test_events(void)
{
	static const char *const states[] = { "running", "running", "done", "failed", "deferred" };
	static const PtyCase test = { child_events };
	g_auto(PtyResult) result = { 0 };

	pty_run(&test, &result);
	g_auto(GStrv) lines = g_strsplit(result.output, "\n", -1);
	/* The note between them is for people. */
	for (gsize i = 0, line = 0; i < G_N_ELEMENTS(states); i++, line++) {
		if (g_str_equal(lines[line], "a note"))
			line++;
		g_autoptr(GBytes) bytes = g_bytes_new(lines[line], strlen(lines[line]));
		g_autoptr(GError) error = NULL;
		g_autoptr(json_t) event = json_parse_bytes(bytes, "event", &error);

		g_assert_no_error(error);
		g_assert_cmpstr(json_text(event, "event"), ==, "step");
		g_assert_cmpstr(json_text(event, "state"), ==, states[i]);
	}
}

static int child_bytes(void)
{
	g_autoptr(Term) term = term_new(&(TermOptions){ .is_events = true });
	Progress *progress = progress_new(term, "Loading");

	progress_add(progress, "a", "a file", 10);
	progress_add(progress, "b", "one of unknown size", 10);
	progress_set_bytes(progress, "a", 10 << 20, 40 << 20); /* of an earlier run */
	g_usleep(600000);
	progress_set_bytes(progress, "a", 13 << 20, 40 << 20);
	g_usleep(110000);
	progress_set_bytes(progress, "a", 1 << 20, 40 << 20); /* begun anew */
	progress_set_bytes(progress, "b", 1 << 20, 0);
	progress_free(progress);
	g_assert_true(term_close(term, NULL));
	return 0;
}

static void test_bytes(void)
{
	static const char *const patterns[] = {
		"\"10\\.0 MiB of 40\\.0 MiB\".*\"fraction\":0\\.25",
		"\"13\\.0 MiB of 40\\.0 MiB, [0-9.]+ [KM]iB/s, ([0-9]+ s|[0-9]+:[0-9]{2}) left\"",
		"\"1\\.0 MiB of 40\\.0 MiB\"",
		"\"1\\.0 MiB\"",
	};
	static const PtyCase test = { child_bytes };
	g_auto(PtyResult) result = { 0 };

	pty_run(&test, &result);
	g_auto(GStrv) lines = g_strsplit(result.output, "\n", -1);
	for (gsize i = 0; i < G_N_ELEMENTS(patterns); i++)
		if (!g_regex_match_simple(patterns[i], lines[i], 0, 0))
			g_error("no %s in %s", patterns[i], result.output);
}

/* A terminal of @columns by @rows, as far as the board drives one: line breaks, cursor up,
 * erasing to the end of line and screen. */
typedef struct {
	char **cells; /* one string of @columns for each row, for ever: nothing scrolls away */
	guint row;
	guint column;
	guint columns;
} Screen;

#define SCREEN_ROWS 200

static void screen_erase(Screen *screen, guint row, guint column)
{
	memset(screen->cells[row] + column, ' ', screen->columns - column);
}

/* Returns: the bytes of the sequence at @text. */
static gsize screen_control(Screen *screen, const char *text)
{
	gsize digits = strspn(text + 2, "0123456789;");
	guint count = (guint)g_ascii_strtoull(text + 2, NULL, 10);

	if (text[digits + 2] == 'A') {
		g_assert_cmpuint(count, <=, screen->row);
		screen->row -= count;
	} else if (text[digits + 2] == 'K') {
		screen_erase(screen, screen->row, screen->column);
	} else if (text[digits + 2] == 'J') {
		screen_erase(screen, screen->row, screen->column);
		for (guint row = screen->row + 1; row < SCREEN_ROWS; row++)
			screen_erase(screen, row, 0);
	} else {
		g_assert_cmpint(text[digits + 2], ==, 'm');
	}
	return digits + 3;
}

/* Returns: (transfer full): what stands there in the end, trailing blanks taken off. */
static char *screen_show(const char *text, guint columns)
{
	g_autoptr(GString) shown = g_string_new(NULL);
	g_auto(GStrv) cells = g_new0(char *, SCREEN_ROWS + 1);
	Screen screen = { .cells = cells, .columns = columns };

	for (guint row = 0; row < SCREEN_ROWS; row++)
		cells[row] = g_strnfill(columns, ' ');
	while (*text) {
		if (*text == '\x1b') {
			text += screen_control(&screen, text);
			continue;
		}
		if (*text == '\n')
			g_assert_cmpuint(++screen.row, <, SCREEN_ROWS);
		else if (*text == '\r')
			screen.column = 0;
		else {
			g_assert_cmpuint(screen.column, <, columns);
			screen.cells[screen.row][screen.column++] = *text < 0 ? '?' : *text;
		}
		text++;
	}
	for (guint row = 0; row < screen.row; row++)
		g_string_append_printf(shown, "%s\n", g_strchomp(cells[row]));
	return g_string_free(g_steal_pointer(&shown), FALSE);
}

static int child_ascii(void)
{
	g_setenv("LC_ALL", "C", TRUE);
	return child_default();
}

static void test_board(void)
{
	static const struct {
		PtyCase test;
		const char *shown;
	} rows[] = {
		{ { child_ascii, .columns = 60 },
		  "Installing X\na note\n"
		  "x installing packages git, python3-venv  apt says no  0.0 s\n"
		  "+ fetching the source                                 0.0 s\n"
		  "~ fetching the model  no network\n"
		  "  #################### 100 %  0.0 s\n" },
		{ { child_ascii, .columns = 30 },
		  "Installing X\na note\n"
		  "x installing package... 0.0 s\n"
		  "+ fetching the source   0.0 s\n"
		  "~ fetching the model\n"
		  "  #################### 100...\n" },
		{ { child_ascii, .columns = 60, .rows = 3 },
		  "Installing X\na note\n"
		  "x installing packages git, python3-venv  apt says no  0.0 s\n"
		  "+ fetching the source                                 0.0 s\n"
		  "~ fetching the model  no network\n"
		  "  #################### 100 %  0.0 s\n" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(PtyResult) result = { 0 };

		pty_run(&rows[i].test, &result);
		g_autofree char *shown = screen_show(result.output, rows[i].test.columns);
		g_test_message("%s", shown);
		g_assert_cmpstr(shown, ==, rows[i].shown);
	}
}

static int child_many(void)
{
	g_setenv("LC_ALL", "C", TRUE);
	g_autoptr(Term) term = term_new(&(TermOptions){ 0 });
	g_autoptr(Progress) progress = progress_new(term, "Many");

	for (guint i = 0; i < 30; i++) {
		g_autofree char *id = g_strdup_printf("step-%u", i);
		progress_add(progress, id, id, 1);
	}
	for (guint i = 0; i < 20; i++) {
		g_autofree char *id = g_strdup_printf("step-%u", i);
		progress_set(progress, id, PROGRESS_RUNNING, -1, NULL);
		if (i != 3)
			progress_set(progress, id, PROGRESS_DONE, -1, NULL);
	}
	_exit(0); /* before the last board, which shows all */
}

static void test_board_folds(void)
{
	static const PtyCase test = { child_many, .columns = 60, .rows = 8 };
	g_auto(PtyResult) result = { 0 };

	pty_run(&test, &result);
	g_autofree char *shown = screen_show(result.output, 60);
	g_auto(GStrv) lines = g_strsplit(shown, "\n", -1);
	g_test_message("%s", shown);
	g_assert_cmpuint(g_strv_length(lines), ==, 1 + 7 + 1); /* title, board, end */
	g_assert_nonnull(strstr(lines[1], "step-3 "));
	g_assert_nonnull(strstr(lines[2], "step-20"));
	g_assert_cmpstr(lines[6], ==, "  and 19 finished, 6 to come");
}

static void test_state_names(void)
{
	g_assert_cmpstr(progress_state_name(PROGRESS_WAITING), ==, "waiting");
	g_assert_cmpstr(progress_state_name(PROGRESS_UNDONE), ==, "undone");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/progress/lines", test_lines);
	g_test_add_func("/progress/quiet", test_quiet);
	g_test_add_func("/progress/events", test_events);
	g_test_add_func("/progress/bytes", test_bytes);
	g_test_add_func("/progress/board", test_board);
	g_test_add_func("/progress/board-folds", test_board_folds);
	g_test_add_func("/progress/state-names", test_state_names);
	return g_test_run();
}
