/* tests/bench_run.c - runs commands in turn, again and again; prints how long and how large each was
 *
 * Usage: bench_run ROUNDS COMMAND...
 *
 * A COMMAND is one argument, split at blanks; "unix:PATH" asks the container engine at that socket for its
 * /info, from here.  One line for each: microseconds (median, least), the largest resident set in KiB, the
 * command.  Small on purpose: a child inherits the resident set of
 * the process that it was forked from as its least.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX 16

typedef struct {
	const char *text;
	char *words[WORDS_MAX + 1];
	double *took_us;
	long resident_kib;
} Command;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void command_init(Command *command, const char *text, size_t rounds)
{
	char *rest = strdup(text);
	size_t count = 0;

	command->text = text;
	command->took_us = calloc(rounds, sizeof(*command->took_us));
	if (!rest || !command->took_us)
		die("bench_run");

	for (char *word; count < WORDS_MAX && (word = strsep(&rest, " "));)
		if (*word)
			command->words[count++] = word;
	if (count == 0)
		exit(64);
}

static double now_us(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void ask_info(const char *path)
{
	static const char question[] = "GET /info HTTP/1.0\r\nHost: docker\r\n\r\n";
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	char answer[65536];
	size_t taken = 0;
	ssize_t size = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&name, sizeof(name)) != 0 ||
	    write(fd, question, sizeof(question) - 1) != (ssize_t)sizeof(question) - 1)
		die(path);
	while ((size = read(fd, answer, sizeof(answer))) > 0)
		taken += (size_t)size;
	if (size < 0 || taken == 0)
		die(path);
	(void)close(fd);
}

static void command_ask(Command *command, size_t round)
{
	const double start = now_us();

	ask_info(strchr(command->text, ':') + 1);
	command->took_us[round] = now_us() - start;
}

static void command_run(Command *command, size_t round, const posix_spawn_file_actions_t *quiet)
{
	struct rusage used = { 0 };
	const double start = now_us();
	pid_t pid = 0;
	int status = 0;

	if (posix_spawn(&pid, command->words[0], quiet, NULL, command->words, environ) != 0)
		die(command->words[0]);
	if (wait4(pid, &status, 0, &used) != pid)
		die("wait4");
	command->took_us[round] = now_us() - start;
	if (WIFSIGNALED(status)) {
		fprintf(stderr, "bench_run: %s: %s\n", command->text, strsignal(WTERMSIG(status)));
		exit(1);
	}
	if (used.ru_maxrss > command->resident_kib)
		command->resident_kib = used.ru_maxrss;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	const size_t rounds = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	const size_t count = argc > 2 ? (size_t)argc - 2 : 0;
	Command *commands = calloc(count + 1, sizeof(*commands));
	posix_spawn_file_actions_t quiet;

	if (rounds == 0 || !commands)
		return 64;
	if (posix_spawn_file_actions_init(&quiet) != 0)
		die("bench_run");
	for (int fd = 0; fd < 3; fd++)
		(void)posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", O_RDWR, 0);

	for (size_t i = 0; i < count; i++)
		command_init(&commands[i], argv[i + 2], rounds);
	for (size_t round = 0; round < rounds; round++)
		for (size_t i = 0; i < count; i++)
			if (strncmp(commands[i].text, "unix:", strlen("unix:")) == 0)
				command_ask(&commands[i], round);
			else
				command_run(&commands[i], round, &quiet);
	for (size_t i = 0; i < count; i++) {
		qsort(commands[i].took_us, rounds, sizeof(double), compare);
		printf("%.0f %.0f %ld %s\n", commands[i].took_us[rounds / 2],
		       commands[i].took_us[0], commands[i].resident_kib, commands[i].text);
	}
	return 0;
}
