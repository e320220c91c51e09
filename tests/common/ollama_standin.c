/* tests/common/ollama_standin.c - stands in for Ollama in tests: its commands "serve" and "--version",
 * the parts of its API that slipway uses, and a registry's manifest.  It is no Ollama.
 *
 * Files beside the program's directory, of one word each, say how it is.  "version".  "behaviour":
 * "mute" never answers, "dies" ends at once, "lies" says another version.  "pull": "mismatch-once",
 * "mismatch", "error", "short", "slow".  Models are empty files below HOME.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAYER "sha256:6a0746a1ec1aef3e7ec53868f220ff6e389f6f8ef87a01d77c96807de94ca2aa"
#define LAYER_BYTES 4000000
#define MISMATCH "{\"error\":\"digest mismatch, file must be downloaded again: want a, got b\"}\n"

static char top[PATH_MAX - 300];    /* the installation: two above the program */
static char models[PATH_MAX - 300]; /* where models are kept */

/* Reads one word of TOP/NAME, or "". */
static void read_word(const char *name, char *word, size_t size)
{
	char path[PATH_MAX];
	FILE *file;

	word[0] = '\0';
	snprintf(path, sizeof(path), "%s/%s", top, name);
	file = fopen(path, "re");
	if (!file)
		return;
	if (!fgets(word, (int)size, file))
		word[0] = '\0';
	word[strcspn(word, "\n")] = '\0';
	fclose(file);
}

static void find_places(void)
{
	char self[PATH_MAX] = "";
	const char *home = getenv("HOME");

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		exit(3);
	snprintf(top, sizeof(top), "%.3000s", dirname(dirname(self)));
	snprintf(models, sizeof(models), "%.3000s/.ollama", home ? home : "/");
	(void)mkdir(models, 0755);
	strcat(models, "/models");
	(void)mkdir(models, 0755);
}

static void say(int fd, const char *text)
{
	size_t rest = strlen(text);

	while (rest > 0) {
		ssize_t sent = send(fd, text, rest, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		text += sent;
		rest -= (size_t)sent;
	}
}

static void answer(int fd, int status, const char *body)
{
	char head[200];

	snprintf(head, sizeof(head),
	         "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
	         "Connection: close\r\n\r\n",
	         status, strlen(body));
	say(fd, head);
	say(fd, body);
}

/* The value of "model" in a body, with a tag; '/' is not expected. */
static bool model_of(const char *body, char *name, size_t size)
{
	const char *at = strstr(body, "\"model\"");
	const char *from = at ? strchr(at + 7, '"') : NULL;
	const char *to = from ? strchr(from + 1, '"') : NULL;

	if (!to || (size_t)(to - from) > size - 20)
		return false;
	snprintf(name, size, "%.*s", (int)(to - from - 1), from + 1);
	if (!strchr(name, ':'))
		strcat(name, ":latest");
	return !strchr(name, '/');
}

static void model_path(const char *name, char *path)
{
	snprintf(path, PATH_MAX, "%s/%.200s", models, name);
}

static void list_models(int fd)
{
	char body[8192] = "{\"models\":[";
	DIR *directory = opendir(models);
	const struct dirent *entry;
	bool is_first = true;

	while (directory && (entry = readdir(directory))) {
		char row[600];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(row, sizeof(row),
		         "%s{\"name\":\"%.250s\",\"model\":\"%.250s\",\"size\":4000000}",
		         is_first ? "" : ",", entry->d_name, entry->d_name);
		strncat(body, row, sizeof(body) - strlen(body) - 3);
		is_first = false;
	}
	if (directory)
		closedir(directory);
	strcat(body, "]}");
	answer(fd, 200, body);
}

static void layer_lines(int fd, bool is_slow)
{
	char line[300];

	for (int i = 0; i <= 4; i++) {
		char done[60] = "";
		if (i > 0) /* left out while it is 0 */
			snprintf(done, sizeof(done), ",\"completed\":%d", LAYER_BYTES / 4 * i);
		snprintf(line, sizeof(line),
		         "{\"status\":\"pulling 6a0746a1ec1a\",\"digest\":\"" LAYER
		         "\",\"total\":%d%s}\n",
		         LAYER_BYTES, done);
		say(fd, line);
		if (is_slow)
			sleep(2);
	}
}

static void pull(int fd, const char *body)
{
	static int pulls;
	char name[300];
	char path[PATH_MAX];
	char how[40];

	read_word("pull", how, sizeof(how));
	pulls++;
	if (!model_of(body, name, sizeof(name))) {
		answer(fd, 400, "{\"error\":\"invalid model name\"}");
		return;
	}
	say(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n"
	        "{\"status\":\"pulling manifest\"}\n");
	layer_lines(fd, strcmp(how, "slow") == 0);
	if (strcmp(how, "short") == 0)
		return;
	if (strcmp(how, "error") == 0) {
		say(fd, "{\"error\":\"max retries exceeded: EOF\"}\n");
		return;
	}
	if (strcmp(how, "mismatch") == 0 || (strcmp(how, "mismatch-once") == 0 && pulls == 1)) {
		say(fd, MISMATCH);
		return;
	}
	model_path(name, path);
	FILE *file = fopen(path, "we");
	if (file)
		fclose(file);
	say(fd, "{\"status\":\"verifying sha256 digest\"}\n{\"status\":\"writing manifest\"}\n"
	        "{\"status\":\"success\"}\n");
}

static void delete (int fd, const char *body)
{
	char name[300];
	char path[PATH_MAX];

	if (!model_of(body, name, sizeof(name))) {
		answer(fd, 400, "{\"error\":\"invalid model name\"}");
		return;
	}
	model_path(name, path);
	if (unlink(path) == 0)
		answer(fd, 200, "");
	else
		answer(fd, 404, "{\"error\":\"model not found\"}");
}

static void manifest(int fd, const char *path)
{
	char body[600];
	const char *size = strstr(path, "huge") ? "99999999999999" : "4000000";

	snprintf(body, sizeof(body),
	         "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:c\",\"size\":500},"
	         "\"layers\":["
	         "{\"mediaType\":\"application/vnd.ollama.image.model\",\"digest\":\"" LAYER
	         "\",\"size\":%s}]}",
	         size);
	answer(fd, strstr(path, "absent") ? 404 : 200, body);
}

static void say_version(int fd)
{
	char behaviour[40];
	char version[40];
	char body[100];

	read_word("behaviour", behaviour, sizeof(behaviour));
	read_word("version", version, sizeof(version));
	snprintf(body, sizeof(body), "{\"version\":\"%s\"}",
	         strcmp(behaviour, "lies") == 0 ? "0.0.1" : version);
	answer(fd, 200, body);
}

static void handle(int fd, char *request)
{
	const char *method = strtok(request, " ");
	const char *path = strtok(NULL, " ");
	const char *rest = strtok(NULL, "");
	const char *body = rest ? strstr(rest, "\r\n\r\n") : NULL;

	if (!method || !path || !body)
		answer(fd, 400, "{}");
	else if (strcmp(path, "/api/version") == 0)
		say_version(fd);
	else if (strcmp(path, "/api/tags") == 0)
		list_models(fd);
	else if (strcmp(path, "/api/pull") == 0)
		pull(fd, body);
	else if (strcmp(path, "/api/delete") == 0)
		delete (fd, body);
	else if (strncmp(path, "/v2/", 4) == 0)
		manifest(fd, path);
	else
		answer(fd, 404, "404 page not found");
}

/* Reads a head, and the body that it announces. */
static void serve_one(int fd)
{
	static char request[65536];
	size_t length = 0;
	size_t wanted = sizeof(request) - 1;

	memset(request, 0, sizeof(request));
	while (length < wanted) {
		ssize_t got = recv(fd, request + length, sizeof(request) - 1 - length, 0);
		if (got <= 0)
			break;
		length += (size_t)got;
		const char *end = strstr(request, "\r\n\r\n");
		const char *announced = strstr(request, "Content-Length: ");
		if (end)
			wanted = (size_t)(end - request) + 4 +
			         (announced ? strtoul(announced + 16, NULL, 10) : 0);
	}
	if (length > 0)
		handle(fd, request);
	(void)shutdown(fd, SHUT_WR);
	while (recv(fd, request, sizeof(request), 0) > 0)
		continue;
}

static int listen_at(const char *host)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	const char *colon = host ? strrchr(host, ':') : NULL;
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_port = htons((unsigned short)(colon ? atoi(colon + 1) : 11434));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0) {
		fprintf(stderr, "Error: listen tcp %s: bind: %s\n", host ? host : "",
		        strerror(errno));
		exit(1);
	}
	return fd;
}

static int serve(void)
{
	char behaviour[40];

	read_word("behaviour", behaviour, sizeof(behaviour));
	if (strcmp(behaviour, "dies") == 0) {
		fprintf(stderr, "stand-in: this release is broken\n");
		return 1;
	}
	while (strcmp(behaviour, "mute") == 0)
		pause();
	int listener = listen_at(getenv("OLLAMA_HOST"));
	fprintf(stderr, "stand-in listens at %s\n", getenv("OLLAMA_HOST"));
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			continue;
		serve_one(fd);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	char version[40];

	find_places();
	if (argc > 1 && strcmp(argv[1], "serve") == 0)
		return serve();
	read_word("version", version, sizeof(version));
	printf("Warning: could not connect to a running Ollama instance\n"
	       "Warning: client version is %s\n",
	       version);
	return 0;
}
