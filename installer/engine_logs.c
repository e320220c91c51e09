/* installer/engine_logs.c - what containers wrote, out of the engine's stream
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/engine_logs.h"

#include <string.h>

#include "base/fault.h"
#include "installer/engine.h"

/* Stream (1 stdout, 2 stderr), three zeros, length as big-endian 32 bits.  Source: the engine's API,
 * "Attach to a container", stream format. */
#define HEADER_BYTES 8
#define STDERR_STREAM 2
#define ESCAPE 0x1b

struct LogReader {
	bool is_terminal;
	void (*on_entry)(gpointer to, LogEntry *entry);
	gpointer to;
	guint8 header[HEADER_BYTES];
	gsize header_bytes;
	gsize left_bytes;  /* of the frame */
	GString *lines[2]; /* what came of stdout's and stderr's line */
};

void log_entry_free(gpointer data)
{
	LogEntry *entry = data;

	if (!entry)
		return;
	g_free(entry->time);
	g_free(entry->text);
	g_free(entry);
}

LogReader *log_reader_new(bool is_terminal, void (*on_entry)(gpointer to, LogEntry *entry),
                          gpointer to)
{
	LogReader *reader = g_new0(LogReader, 1);

	reader->is_terminal = is_terminal;
	reader->on_entry = on_entry;
	reader->to = to;
	reader->lines[0] = g_string_new(NULL);
	reader->lines[1] = g_string_new(NULL);
	return reader;
}

void log_reader_free(LogReader *reader)
{
	if (!reader)
		return;
	g_string_free(reader->lines[0], TRUE);
	g_string_free(reader->lines[1], TRUE);
	g_free(reader);
}

/* Returns: what stands behind the escape sequence at @at, "ESC [ ... letter" or "ESC c". */
static const char *skip_escape(const char *at)
{
	at++;
	if (*at != '[')
		return *at ? at + 1 : at;
	at++;
	while (*at && !g_ascii_isalpha(*at) && *at != '~')
		at++;
	return *at ? at + 1 : at;
}

/* A line of a stranger's program must not steer the terminal. */
static char *clean(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *out = g_string_new(NULL);
	const char *at = valid;

	while (*at) {
		guchar byte = (guchar)*at;
		/* U+0080 to U+009F are control characters of eight bits. */
		bool is_c1 = byte == 0xc2 && (guchar)at[1] < 0xa0;

		if (byte == ESCAPE) {
			at = skip_escape(at);
			continue;
		}
		if (is_c1)
			at++;
		else if (byte == '\t' || (byte >= ' ' && byte != 0x7f))
			g_string_append_c(out, *at);
		at++;
	}
	return g_string_free(out, FALSE);
}

/* "TIME TEXT" */
static void emit(LogReader *reader, guint which)
{
	GString *line = reader->lines[which];
	const char *space = strchr(line->str, ' ');
	bool is_stamped = space && g_ascii_isdigit(*line->str) && space[-1] == 'Z';
	LogEntry *entry = g_new0(LogEntry, 1);

	entry->time = is_stamped ? g_strndup(line->str, (gsize)(space - line->str)) : g_strdup("");
	entry->text = clean(is_stamped ? space + 1 : line->str);
	entry->is_error = which == 1;
	g_string_truncate(line, 0);
	reader->on_entry(reader->to, entry);
}

static void take_text(LogReader *reader, guint which, const char *data, gsize size_bytes)
{
	GString *line = reader->lines[which];

	for (gsize i = 0; i < size_bytes; i++) {
		if (data[i] == '\n')
			emit(reader, which);
		else if (line->len < LOG_LINE_MAX_BYTES && data[i] != '\0' && data[i] != '\r')
			g_string_append_c(line, data[i]);
	}
}

void log_reader_end(LogReader *reader)
{
	for (guint which = 0; which < 2; which++)
		if (reader->lines[which]->len > 0)
			emit(reader, which);
}

/* Returns: how many of the bytes it took; 0 with @error set for what is no header. */
static gsize take_header(LogReader *reader, const guint8 *data, gsize size_bytes, GError **error)
{
	gsize count = MIN(size_bytes, HEADER_BYTES - reader->header_bytes);
	const guint8 *header = reader->header;

	memcpy(reader->header + reader->header_bytes, data, count);
	reader->header_bytes += count;
	if (reader->header_bytes < HEADER_BYTES)
		return count;
	if (header[0] > STDERR_STREAM || header[1] || header[2] || header[3]) {
		fault_set(error, STATUS_DATA, NULL, "the engine's stream of lines has no frames");
		return 0;
	}
	reader->left_bytes =
		(gsize)header[4] << 24 | (gsize)header[5] << 16 | (gsize)header[6] << 8 | header[7];
	if (reader->left_bytes == 0)
		reader->header_bytes = 0;
	return count;
}

bool log_reader_feed(gpointer user, const void *data, gsize size_bytes, GError **error)
{
	LogReader *reader = user;
	const guint8 *at = data;

	if (reader->is_terminal) {
		take_text(reader, 0, data, size_bytes);
		return true;
	}
	while (size_bytes > 0) {
		bool is_in_frame = reader->left_bytes > 0;
		gsize count = is_in_frame ? MIN(size_bytes, reader->left_bytes)
		                          : take_header(reader, at, size_bytes, error);

		if (count == 0)
			return false;
		if (is_in_frame) {
			take_text(reader, reader->header[0] == STDERR_STREAM, (const char *)at,
			          count);
			reader->left_bytes -= count;
			reader->header_bytes = reader->left_bytes > 0 ? HEADER_BYTES : 0;
		}
		at += count;
		size_bytes -= count;
	}
	return true;
}

char *log_path_of(const char *container, gint64 lines, bool is_followed)
{
	g_autofree char *tail =
		lines < 0 ? g_strdup("all") : g_strdup_printf("%" G_GINT64_FORMAT, lines);

	return g_strdup_printf(
		"/containers/%s/logs?stdout=1&stderr=1&timestamps=1&tail=%s&follow=%d", container,
		tail, is_followed);
}

bool log_has_terminal(const char *endpoint, const char *container)
{
	g_autofree char *path = g_strdup_printf("/containers/%s/json", container);
	g_autoptr(json_t) object = engine_get(endpoint, path, NULL);

	return json_flag(json_object_get(object, "Config"), "Tty");
}

static void keep(gpointer to, LogEntry *entry)
{
	g_ptr_array_add(to, entry);
}

static gint by_time(gconstpointer a, gconstpointer b)
{
	const LogEntry *left = *(LogEntry *const *)a;
	const LogEntry *right = *(LogEntry *const *)b;

	return strcmp(left->time, right->time);
}

GPtrArray *log_tail(const char *endpoint, const char *container, guint lines)
{
	g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(log_entry_free);
	GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *path = log_path_of(container, lines, false);
	g_autoptr(LogReader) reader =
		log_reader_new(log_has_terminal(endpoint, container), keep, entries);

	if (engine_read(endpoint, path, log_reader_feed, reader, NULL))
		log_reader_end(reader);
	g_ptr_array_sort(entries, by_time); /* stable: a merge sort */
	for (guint i = 0; i < entries->len; i++)
		g_ptr_array_add(texts, g_strdup(((LogEntry *)entries->pdata[i])->text));
	return texts;
}
