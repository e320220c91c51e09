/* installer/dotenv.c - reads .env files strictly: a value that could be two values is a fault
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/dotenv.h"

#include <string.h>

#include "base/fault.h"
#include "base/secret.h"

/* Largest number of assignments.  Source: our own bound; the files of people have some dozens. */
#define ENTRIES_MAX 1024
#define BOM "\xef\xbb\xbf"
#define QUOTE_HINT "; put the value into single quotes"

struct Dotenv {
	GBytes *text;
	GPtrArray *entries; /* (element-type DotenvEntry) */
};

/** What is left of one line. */
typedef struct {
	const char *at;
	const char *end;
} Rest;

typedef struct {
	char *data;
	gsize size_bytes;
} Buffer;

static void buffer_free(gpointer data)
{
	Buffer *buffer = data;

	secret_wipe(buffer->data, buffer->size_bytes);
	g_free(buffer->data);
	g_free(buffer);
}

GBytes *dotenv_buffer(gsize size_bytes, char **data)
{
	Buffer *buffer = g_new0(Buffer, 1);

	buffer->data = g_malloc0(size_bytes + 1);
	buffer->size_bytes = size_bytes;
	*data = buffer->data;
	return g_bytes_new_with_free_func(buffer->data, size_bytes, buffer_free, buffer);
}

static void entry_free(gpointer data)
{
	DotenvEntry *entry = data;

	g_clear_pointer(&entry->value, g_bytes_unref);
	g_free(entry->name);
	g_free(entry);
}

void dotenv_free(Dotenv *file)
{
	if (!file)
		return;

	g_ptr_array_unref(file->entries);
	g_bytes_unref(file->text);
	g_free(file);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool has_rest(const Rest *rest)
{
	return rest->at < rest->end;
}

static void skip_blanks(Rest *rest)
{
	while (has_rest(rest) && is_blank(*rest->at))
		rest->at++;
}

/* Returns: whether nothing follows, or blanks and a comment. */
static bool is_over(Rest rest)
{
	const char *start = rest.at;

	skip_blanks(&rest);
	return !has_rest(&rest) || (*rest.at == '#' && rest.at > start);
}

static const char *read_plain(Rest rest, GString *value)
{
	if (has_rest(&rest) && *rest.at == '~')
		return "begins with ~, which a shell replaces" QUOTE_HINT;

	for (; has_rest(&rest) && !is_over(rest); rest.at++) {
		if (is_blank(*rest.at))
			return "has blanks in it" QUOTE_HINT;
		if (strchr("$`\\'\"", *rest.at))
			return "has a $, `, \\ or quote in it, which some programs "
			       "replace" QUOTE_HINT;
		if (*rest.at == '#')
			return "has a # in it, which begins a comment for some programs" QUOTE_HINT;
		if (strchr(";&|<>()", *rest.at))
			return "has one of ; & | < > ( ) in it, which end it for a "
			       "shell" QUOTE_HINT;
		g_string_append_c(value, *rest.at);
	}
	return NULL;
}

/* The same in all programs: what stands between two quotes, with nothing to replace in it. */
static const char *read_single(Rest rest, GString *value)
{
	for (rest.at++; has_rest(&rest) && *rest.at != '\''; rest.at++) {
		if (*rest.at == '\\' && rest.at + 1 < rest.end && strchr("\\'", rest.at[1]))
			return "has \\\\ or \\' in single quotes, which some programs replace";
		g_string_append_c(value, *rest.at);
	}
	if (!has_rest(&rest))
		return "has a quote that is not closed on its line";

	rest.at++;
	return is_over(rest) ? NULL : "has text behind its closing quote";
}

static const char *read_double(Rest rest, GString *value)
{
	for (rest.at++; has_rest(&rest) && *rest.at != '"'; rest.at++) {
		char c = *rest.at;

		if (c == '$' || c == '`')
			return "has a $ or ` in double quotes, which some programs "
			       "replace" QUOTE_HINT;
		if (c == '\\' && (rest.at + 1 >= rest.end || rest.at[1] != 'n'))
			return "has a \\ in double quotes, which some programs replace" QUOTE_HINT;
		if (c == '\\')
			rest.at++;
		g_string_append_c(value, c == '\\' ? '\n' : c);
	}
	if (!has_rest(&rest))
		return "has a quote that is not closed on its line";

	rest.at++;
	return is_over(rest) ? NULL : "has text behind its closing quote";
}

/* Sets the entry's value or its fault. */
static void read_value(DotenvEntry *entry, Rest rest)
{
	GString *value = g_string_sized_new((gsize)(rest.end - rest.at) + 1); /* never moves */
	char first = '\0';

	if (has_rest(&rest))
		first = *rest.at;
	if (first == '\'')
		entry->fault = read_single(rest, value);
	else if (first == '"')
		entry->fault = read_double(rest, value);
	else if (is_blank(first) && !is_over(rest))
		entry->fault = "has blanks around its \"=\"";
	else
		entry->fault = read_plain(rest, value);

	if (!entry->fault && value->len > 0)
		entry->value = secret_new(value->str, value->len);
	secret_wipe(value->str, value->len);
	g_string_free(value, TRUE);
}

static gsize name_length(const Rest *rest)
{
	const char *at = rest->at;

	while (at < rest->end &&
	       (g_ascii_isalpha(*at) || *at == '_' || (at > rest->at && g_ascii_isdigit(*at))))
		at++;
	return (gsize)(at - rest->at);
}

static void skip_export(Rest *rest)
{
	static const char word[] = "export";
	gsize length = strlen(word);

	if ((gsize)(rest->end - rest->at) > length && strncmp(rest->at, word, length) == 0 &&
	    is_blank(rest->at[length])) {
		rest->at += length;
		skip_blanks(rest);
	}
}

/* Returns: what is wrong with the line as a whole; NULL when nothing is. */
static const char *read_line(Dotenv *file, Rest rest, DotenvEntry place)
{
	skip_blanks(&rest);
	if (!has_rest(&rest) || *rest.at == '#')
		return NULL;

	skip_export(&rest);
	gsize length = name_length(&rest);
	const char *name = rest.at;
	rest.at += length;
	bool has_blanks = has_rest(&rest) && is_blank(*rest.at);
	skip_blanks(&rest);
	if (length == 0 || !has_rest(&rest) || *rest.at != '=')
		return "is not NAME=VALUE";
	if (file->entries->len >= ENTRIES_MAX)
		return "is one assignment too many";

	DotenvEntry *entry = g_memdup(&place, sizeof(place));
	entry->name = g_strndup(name, length);
	rest.at++;
	if (has_blanks)
		entry->fault = "has blanks around its \"=\"";
	else if (dotenv_find(file, entry->name))
		entry->fault = "was assigned on an earlier line already";
	else
		read_value(entry, rest);
	g_ptr_array_add(file->entries, entry);
	return NULL;
}

/* Returns: what is wrong with the bytes at all; @line: (out): where. */
static const char *find_bad_byte(const char *text, gsize size, guint *line)
{
	const char *stop = NULL;
	const char *fault = NULL;

	if (!g_utf8_validate(text, (gssize)size, &stop))
		fault = *stop ? "is not UTF-8 text" : "has a NUL byte in it";
	*line = 1;
	for (const char *at = text; at < text + size && at != stop; at++) {
		bool is_line_end =
			*at == '\n' || (*at == '\r' && (at[1] == '\n' || at + 1 == text + size));

		if (((guchar)*at < ' ' && *at != '\t' && !is_line_end) || *at == 0x7f)
			return "has a control byte in it";
		*line += *at == '\n';
	}
	return fault;
}

static bool fail(GError **error, const char *name, guint line, const char *why)
{
	fault_set(error, STATUS_DATA, NULL, "%s:%u: the line %s", name, line, why);
	return false;
}

static bool read_lines(Dotenv *file, const char *name, GError **error)
{
	gsize size = 0;
	const char *text = g_bytes_get_data(file->text, &size);
	const char *end = text + size;
	guint line = 0;
	const char *fault = find_bad_byte(text, size, &line);
	if (fault)
		return fail(error, name, line, fault);

	const char *at = size >= strlen(BOM) && memcmp(text, BOM, strlen(BOM)) == 0
	                         ? text + strlen(BOM)
	                         : text;
	for (line = 1; at < end; line++) {
		const char *stop = memchr(at, '\n', (gsize)(end - at));
		const char *next = stop ? stop + 1 : end;
		const char *last = stop ? stop : end;

		if (last > at && last[-1] == '\r')
			last--;
		DotenvEntry place = { .line = line,
			              .start = (gsize)(at - text),
			              .size = (gsize)(last - at) };
		fault = read_line(file, (Rest){ at, last }, place);
		if (fault)
			return fail(error, name, line, fault);
		at = next;
	}
	return true;
}

Dotenv *dotenv_parse(GBytes *text, const char *name, GError **error)
{
	g_return_val_if_fail(text && name, NULL);

	gsize size = 0;
	const char *from = g_bytes_get_data(text, &size);
	g_autoptr(Dotenv) file = g_new0(Dotenv, 1);
	char *data = NULL;

	/* A copy, which ends with a NUL. */
	file->text = dotenv_buffer(size, &data);
	if (size > 0)
		memcpy(data, from, size);
	file->entries = g_ptr_array_new_with_free_func(entry_free);
	return read_lines(file, name, error) ? g_steal_pointer(&file) : NULL;
}

const GPtrArray *dotenv_entries(const Dotenv *file)
{
	return file->entries;
}

const DotenvEntry *dotenv_find(const Dotenv *file, const char *name)
{
	for (guint i = 0; i < file->entries->len; i++) {
		const DotenvEntry *entry = g_ptr_array_index(file->entries, i);
		if (strcmp(entry->name, name) == 0)
			return entry;
	}
	return NULL;
}

static void append(char **to, const char *data, gsize size)
{
	memcpy(*to, data, size);
	*to += size;
}

GBytes *dotenv_comment_out(const Dotenv *file, const char *const *names)
{
	static const char before[] = "# ";
	static const char behind[] = ": slipway keeps it now, see \"slipway keys get\"";
	gsize size = 0;
	const char *text = g_bytes_get_data(file->text, &size);
	gsize done = 0;
	char *data = NULL;
	g_autoptr(GBytes) room =
		dotenv_buffer(size + file->entries->len * (sizeof(before) + sizeof(behind)), &data);
	char *to = data;

	for (guint i = 0; i < file->entries->len; i++) {
		const DotenvEntry *entry = g_ptr_array_index(file->entries, i);

		if (!g_strv_contains(names, entry->name))
			continue;
		append(&to, text + done, entry->start - done);
		append(&to, before, strlen(before));
		append(&to, entry->name, strlen(entry->name));
		append(&to, behind, strlen(behind));
		done = entry->start + entry->size;
	}
	append(&to, text + done, size - done);
	return g_bytes_new_from_bytes(room, 0, (gsize)(to - data));
}
