/* base/term_ask.c - questions to the person at the terminal
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/term_private.h"

/* A terminal in line mode passes on no more in one line, with its end; it drops the rest.
 * Source: N_TTY_BUF_SIZE of Linux. */
#define ANSWER_MAX_BYTES 4096

typedef struct {
	char text[ANSWER_MAX_BYTES + 1];
	gsize length;
} Answer;

/* Reads a line from the terminal @fd until its end, the end of input or a signal; the line break
 * stays.  Returns: false when a signal or an error ended it. */
static bool read_answer(int fd, Answer *answer)
{
	while (answer->length < ANSWER_MAX_BYTES) {
		struct pollfd ready[] = { { .fd = fd, .events = POLLIN },
			                  { .fd = cancel_fd(), .events = POLLIN } };

		if (cancel_signal())
			return false;
		if (poll(ready, G_N_ELEMENTS(ready), -1) < 0) {
			if (errno != EINTR)
				return false;
			continue;
		}
		if (!ready[0].revents)
			continue;

		ssize_t count =
			read(fd, answer->text + answer->length, ANSWER_MAX_BYTES - answer->length);
		if (count < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (count <= 0)
			return count == 0;
		answer->length += (gsize)count;
		if (answer->text[answer->length - 1] == '\n')
			return true;
	}
	return true;
}

bool term_confirm(Term *term, const char *question, bool fallback)
{
	g_return_val_if_fail(term_can_ask(term), false);

	g_autofree char *prompt = g_strdup_printf("%s [%s] ", question, fallback ? "Y/n" : "y/N");
	Answer answer = { 0 };

	term_prompt(term, prompt);
	/* No line at all, at the end of input, is not an empty answer: nobody agreed. */
	if (!read_answer(STDIN_FILENO, &answer) || answer.length == 0) {
		term_prompt(term, "\n");
		return false;
	}
	g_strstrip(answer.text);
	if (!answer.text[0])
		return fallback;
	return g_ascii_strcasecmp(answer.text, "y") == 0 ||
	       g_ascii_strcasecmp(answer.text, "yes") == 0;
}

/* Asks on the terminal @fd with echo off.  Returns: whether there is an answer. */
static bool ask_hidden(Term *term, int fd, const char *prompt, Answer *answer, GError **error)
{
	struct termios shown;

	if (tcgetattr(fd, &shown) < 0) {
		fault_set_errno(error, errno, "cannot ask on the terminal");
		return false;
	}

	struct termios hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	hidden.c_lflag |= ICANON | ISIG;
	/* Stopped and continued by a shell, the terminal would echo again. */
	hidden.c_cc[VSUSP] = _POSIX_VDISABLE;
	if (tcsetattr(fd, TCSAFLUSH, &hidden) < 0) {
		fault_set_errno(error, errno, "cannot turn off the terminal's echo");
		return false;
	}

	/* Asked only now: what is typed after the prompt is neither shown nor flushed. */
	term_prompt(term, prompt);
	bool has_answer = read_answer(fd, answer);
	(void)tcsetattr(fd, TCSAFLUSH, &shown); /* a terminal that is gone needs none */
	term_prompt(term, "\n");
	if (!cancel_check(error))
		return false;
	if (!has_answer)
		fault_set(error, STATUS_IO, NULL, "cannot read from the terminal");
	return has_answer;
}

static GBytes *take_answer(Answer *answer, GError **error)
{
	if (answer->length > 0 && answer->text[answer->length - 1] == '\n')
		answer->length--;
	if (answer->length + 1 >= ANSWER_MAX_BYTES) {
		fault_set(error, STATUS_DATA, "Pass a longer value on stdin.",
		          "the terminal cut the value at %d bytes", ANSWER_MAX_BYTES - 1);
		return NULL;
	}
	if (answer->length == 0) {
		fault_set(error, STATUS_DATA, NULL, "nothing was entered");
		return NULL;
	}
	return secret_new(answer->text, answer->length);
}

GBytes *term_ask_secret(Term *term, const char *prompt, GError **error)
{
	g_auto(FileFd) fd =
		term_can_ask(term) ? open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
	if (fd < 0) {
		fault_set(error, STATUS_USAGE, NULL,
		          "a secret is needed, and there is no terminal to ask on");
		return NULL;
	}

	g_autofree char *line = g_strconcat(prompt, ": ", NULL);
	Answer answer = { 0 };
	bool has_answer = ask_hidden(term, fd, line, &answer, error);
	GBytes *secret = has_answer ? take_answer(&answer, error) : NULL;
	secret_wipe(&answer, sizeof(answer));
	return secret;
}
