/* base/ini.c - INI files: our strictness and positions around inih
 *
 * inih as distributions build it cuts lines at 200 bytes and section names at 49, strips " ;" as
 * an inline comment, accepts ':' for '=', ignores what follows "]", is silent about empty sections
 * and does not tell a line number; its build options differ from one distribution to the next.
 * So each line is first judged here, and inih gets a text in which the value of each key is
 * its number: short, free of comment characters, and the way back to its place.  inih then
 * splits sections and keys; whatever its options are, the answer is the same.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/ini.h"

#include <string.h>

#include "base/fault.h"
#include "base/file.h"

/* Our bound on a line and inih's macro have the same name; theirs matters only when inih itself
 * is compiled. */
enum { LINE_MAX_BYTES = INI_MAX_LINE };
#undef INI_MAX_LINE
#include <ini.h>

/* Source: inih's MAX_SECTION and MAX_NAME are 50, with the NUL. */
#define NAME_MAX_BYTES 49

struct IniFile {
	char *name;
	GStringChunk *strings; /* holds every string of the entries */
	IniEntry *lines;       /* in file order; a section has no key, the last no section */
	GPtrArray *entries;    /* (element-type IniEntry), in lines */
	GPtrArray *sections;   /* (element-type utf8), in strings */
	GHashTable *by_place;  /* (element-type IniEntry): a set of the lines */
};

/* A "[section]" or a "key = value" with its continuation lines. */
typedef struct {
	const char *value; /* NULL: a section; not NUL-terminated */
	gsize length;
	GString *joined; /* (nullable): value and the lines behind it */
	guint line;
	guint column;     /* of the value */
	guint key_column; /* of the key or the "[" */
} Head;

typedef struct {
	IniFile *ini;
	GArray *heads;       /* (element-type Head) */
	GString *fed;        /* what inih parses */
	const char *section; /* (nullable): the one that inih is in, in strings */
	GError **error;
	bool has_failed;
} Parser;

typedef struct {
	const char *text; /* not NUL-terminated */
	gsize length;
	guint number;
} Line;

static bool fail_at(const IniFile *ini, guint line, gsize column, GError **error, const char *why)
{
	fault_set(error, STATUS_CONFIG, NULL, "%s:%u:%zu: %s", ini->name, line, column, why);
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static gsize skip_blanks(const Line *line, gsize from)
{
	while (from < line->length && is_blank(line->text[from]))
		from++;
	return from;
}

static bool check_line(const IniFile *ini, const Line *line, GError **error)
{
	const char *invalid = NULL;

	if (line->length > LINE_MAX_BYTES)
		return fail_at(ini, line->number, LINE_MAX_BYTES + 1, error, "line too long");
	for (gsize i = 0; i < line->length; i++)
		if (g_ascii_iscntrl(line->text[i]) && line->text[i] != '\t')
			return fail_at(ini, line->number, i + 1, error,
			               line->text[i] ? "control byte" : "NUL byte");
	if (!g_utf8_validate_len(line->text, line->length, &invalid))
		return fail_at(ini, line->number, (gsize)(invalid - line->text) + 1, error,
		               "not UTF-8");
	return true;
}

/* What inih would read otherwise than it is meant: too long, ':' for '=', ';' for a comment. */
static bool check_name(const IniFile *ini, const Line *line, gsize start, gsize end, GError **error)
{
	if (end - start > NAME_MAX_BYTES)
		return fail_at(ini, line->number, start + 1, error, "name over 49 bytes");
	for (gsize i = start; i < end; i++)
		if (line->text[i] == ':' || line->text[i] == ';')
			return fail_at(ini, line->number, i + 1, error, "\":\" or \";\" in a name");
	return true;
}

/* "KEY=NUMBER" and a line's end; with printf, it would take most of the time of reading a file. */
static void feed(Parser *parser, const char *key, gsize length)
{
	char digits[] = "0000000000\n";
	guint rest = parser->heads->len;
	gsize at = sizeof(digits) - 3;

	for (; rest > 9; rest /= 10)
		digits[at--] = (char)('0' + rest % 10);
	digits[at] = (char)('0' + rest);
	g_string_append_len(parser->fed, key, (gssize)length);
	g_string_append_c(parser->fed, '=');
	g_string_append(parser->fed, digits + at);
}

static gsize trimmed_end(const Line *line, gsize start, gsize end)
{
	while (end > start && is_blank(line->text[end - 1]))
		end--;
	return end;
}

static bool scan_section(Parser *parser, const Line *line, GError **error)
{
	const char *close = memchr(line->text, ']', line->length);
	if (!close)
		return fail_at(parser->ini, line->number, 1, error, "\"[\" is not closed");

	gsize start = skip_blanks(line, 1);
	gsize end = (gsize)(close - line->text);
	gsize rest = skip_blanks(line, end + 1);
	if (rest < line->length)
		return fail_at(parser->ini, line->number, rest + 1, error, "text after \"]\"");
	if (start >= end)
		return fail_at(parser->ini, line->number, 1, error, "empty section name");
	if (!check_name(parser->ini, line, start, end, error))
		return false;

	Head head = { .line = line->number, .column = 1, .key_column = 1 };
	/* The entry behind it makes inih report the section even when it is empty. */
	g_string_append_c(parser->fed, '[');
	g_string_append_len(parser->fed, line->text + start,
	                    (gssize)(trimmed_end(line, start, end) - start));
	g_string_append(parser->fed, "]\n");
	feed(parser, "x", 1);
	g_array_append_val(parser->heads, head);
	return true;
}

static bool scan_key(Parser *parser, const Line *line, GError **error)
{
	const char *equals = memchr(line->text, '=', line->length);

	if (parser->heads->len == 0)
		return fail_at(parser->ini, line->number, 1, error, "key without a section");
	if (!equals)
		return fail_at(parser->ini, line->number, 1, error, "no \"=\" in this line");

	gsize end = (gsize)(equals - line->text);
	gsize value = skip_blanks(line, end + 1);
	if (end == 0)
		return fail_at(parser->ini, line->number, 1, error, "empty key");
	gsize key_end = trimmed_end(line, 0, end);
	if (!check_name(parser->ini, line, 0, key_end, error))
		return false;

	gsize value_end = trimmed_end(line, value, line->length);
	Head head = {
		.value = line->text + value,
		.length = value_end - value,
		.line = line->number,
		.column = (guint)value + 1,
		.key_column = 1,
	};
	feed(parser, line->text, key_end);
	g_array_append_val(parser->heads, head);
	return true;
}

static bool scan_continuation(Parser *parser, const Line *line, gsize start, GError **error)
{
	guint count = parser->heads->len;
	Head *head = count ? &g_array_index(parser->heads, Head, count - 1) : NULL;

	if (!head || !head->value)
		return fail_at(parser->ini, line->number, start + 1, error,
		               "indented line without a value above it");
	if (!head->joined)
		head->joined = g_string_new_len(head->value, (gssize)head->length);
	if (head->joined->len)
		g_string_append_c(head->joined, '\n');
	g_string_append_len(head->joined, line->text + start,
	                    (gssize)(trimmed_end(line, start, line->length) - start));
	return true;
}

static bool scan_line(Parser *parser, const Line *line, GError **error)
{
	if (!check_line(parser->ini, line, error))
		return false;

	gsize start = skip_blanks(line, 0);
	if (start == line->length || strchr("#;", line->text[start]))
		return true;
	if (start > 0)
		return scan_continuation(parser, line, start, error);
	return line->text[0] == '[' ? scan_section(parser, line, error)
	                            : scan_key(parser, line, error);
}

static bool scan(Parser *parser, const char *text, gsize size_bytes, GError **error)
{
	const char *end = text + size_bytes;

	if (size_bytes >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		text += 3;
	for (guint number = 1; text < end; number++) {
		const char *newline = memchr(text, '\n', (gsize)(end - text));
		const char *line_end = newline ? newline : end;
		Line line = { text, (gsize)(line_end - text), number };

		if (newline && line.length > 0 && line.text[line.length - 1] == '\r')
			line.length--;
		if (!scan_line(parser, &line, error))
			return false;
		text = newline ? newline + 1 : end;
	}
	return true;
}

static void add_section(Parser *parser, const char *section, IniEntry *line)
{
	IniFile *ini = parser->ini;

	char *kept = g_string_chunk_insert(ini->strings, section);

	parser->section = kept;
	*line = (IniEntry){ .section = kept };
	g_ptr_array_add(ini->sections, kept);
}

static void add_entry(Parser *parser, const char *key, const Head *head, IniEntry *line)
{
	IniFile *ini = parser->ini;
	const char *value = head->joined ? head->joined->str : head->value;
	gsize length = head->joined ? head->joined->len : head->length;

	*line = (IniEntry){
		.section = parser->section,
		.key = g_string_chunk_insert(ini->strings, key),
		.value = g_string_chunk_insert_len(ini->strings, value, (gssize)length),
		.line = head->line,
		.column = head->column,
	};
	g_ptr_array_add(ini->entries, line);
}

/* inih's handler: @value is the number of the head. */
static int on_entry(void *data, const char *section, const char *name, const char *value)
{
	Parser *parser = data;
	guint64 index = 0;

	/* inih goes on after an error; a library that reports sections too has no value there. */
	if (parser->has_failed || !value)
		return 1;
	if (!g_ascii_string_to_unsigned(value, 10, 0, parser->heads->len - 1, &index, NULL))
		return 0;

	const Head *head = &g_array_index(parser->heads, Head, index);
	IniEntry *line = &parser->ini->lines[index];
	if (!head->value)
		add_section(parser, section, line);
	else if (g_strcmp0(section, parser->section) == 0)
		add_entry(parser, name, head, line);
	else
		return 0;
	if (!g_hash_table_add(parser->ini->by_place, line))
		parser->has_failed =
			!fail_at(parser->ini, head->line, head->key_column, parser->error,
		                 head->value ? "duplicate key" : "duplicate section");
	return 1;
}

static void head_clear(gpointer data)
{
	Head *head = data;

	if (head->joined)
		g_string_free(head->joined, TRUE);
}

static bool parse(IniFile *ini, const char *text, gsize size_bytes, GError **error)
{
	g_autoptr(GArray) heads = g_array_new(FALSE, FALSE, sizeof(Head));
	g_autoptr(GString) fed = g_string_new(NULL);
	Parser parser = { .ini = ini, .heads = heads, .fed = fed, .error = error };

	g_array_set_clear_func(heads, head_clear);
	if (!scan(&parser, text, size_bytes, error))
		return false;
	ini->lines = g_new0(IniEntry, heads->len + 1);
	int refused = ini_parse_string(fed->str, on_entry, &parser);
	if (parser.has_failed)
		return false;
	if (refused == 0 && ini->entries->len + ini->sections->len == heads->len)
		return true;
	return fail_at(ini, 1, 1, error, "the INI library does not accept this file");
}

static guint hash_line(gconstpointer data)
{
	const IniEntry *line = data;

	return g_str_hash(line->section) * 33 + (line->key ? g_str_hash(line->key) : 0);
}

static gboolean is_same_place(gconstpointer a, gconstpointer b)
{
	const IniEntry *one = a;
	const IniEntry *other = b;

	return g_strcmp0(one->key, other->key) == 0 && g_str_equal(one->section, other->section);
}

static IniFile *ini_new(const char *name)
{
	IniFile *ini = g_new0(IniFile, 1);

	ini->name = g_strdup(name);
	ini->strings = g_string_chunk_new(1024);
	ini->entries = g_ptr_array_new();
	ini->sections = g_ptr_array_new();
	ini->by_place = g_hash_table_new(hash_line, is_same_place);
	return ini;
}

IniFile *ini_parse_bytes(GBytes *text, const char *name, GError **error)
{
	g_return_val_if_fail(text && name, NULL);

	IniFile *ini = ini_new(name);
	gsize size_bytes = 0;
	const char *data = g_bytes_get_data(text, &size_bytes);
	bool is_valid = size_bytes <= INI_MAX_BYTES
	                        ? parse(ini, data ? data : "", size_bytes, error)
	                        : fail_at(ini, 1, 1, error, "larger than 256 KiB");

	if (is_valid)
		return ini;
	ini_free(ini);
	return NULL;
}

IniFile *ini_read(const char *path, GError **error)
{
	g_autoptr(GBytes) text = file_read(path, INI_MAX_BYTES, error);

	return text ? ini_parse_bytes(text, path, error) : NULL;
}

void ini_free(IniFile *ini)
{
	if (!ini)
		return;
	g_hash_table_unref(ini->by_place);
	g_ptr_array_unref(ini->sections);
	g_ptr_array_unref(ini->entries);
	g_free(ini->lines);
	g_string_chunk_free(ini->strings);
	g_free(ini->name);
	g_free(ini);
}

const GPtrArray *ini_entries(const IniFile *ini)
{
	return ini->entries;
}

const GPtrArray *ini_sections(const IniFile *ini)
{
	return ini->sections;
}

const IniEntry *ini_find(const IniFile *ini, const char *section, const char *key)
{
	const IniEntry place = { .section = section, .key = key };

	return g_hash_table_lookup(ini->by_place, &place);
}

const IniEntry *ini_section(const IniFile *ini, const char *section)
{
	static const IniEntry none = { 0 };
	const IniEntry *head = ini_find(ini, section, NULL);

	return head ? head + 1 : &none;
}

const char *ini_value(const IniFile *ini, const char *section, const char *key)
{
	const IniEntry *entry = ini_find(ini, section, key);

	return entry ? entry->value : NULL;
}

bool ini_fail(const IniFile *ini, const IniEntry *entry, GError **error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *why = g_strdup_vprintf(format, args);
	va_end(args);
	return fail_at(ini, entry->line, entry->column, error, why);
}

bool ini_size(const IniFile *ini, const IniEntry *entry, guint64 *size_bytes, GError **error)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	const char *value = entry->value;
	gsize digits = strspn(value, "0123456789");
	g_autofree char *count_text = g_strndup(value, digits);
	const char *unit = value + digits + strspn(value + digits, " ");
	guint64 count = 0;
	guint64 factor = *unit ? 0 : 1;

	for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
		if (g_str_equal(unit, units[i]))
			factor = G_GUINT64_CONSTANT(1) << (10 * i);
	if (!factor || !digits)
		return ini_fail(ini, entry, error, "\"%s\" is not a size like \"512 MiB\"", value);
	if (!g_ascii_string_to_unsigned(count_text, 10, 0, G_MAXUINT64 / factor, &count, NULL))
		return ini_fail(ini, entry, error, "\"%s\" is too large", value);
	*size_bytes = count * factor;
	return true;
}

bool ini_number(const IniFile *ini, const IniEntry *entry, IniRange range, guint64 *number,
                GError **error)
{
	if (g_ascii_string_to_unsigned(entry->value, 10, range.minimum, range.maximum, number,
	                               NULL))
		return true;
	return ini_fail(ini, entry, error,
	                "\"%s\" is not a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
	                entry->value, range.minimum, range.maximum);
}

/* Returns: (nullable): what is behind @words, at the start of a line from @from on. */
static const char *find_line(const char *from, const char *end, const char *words)
{
	g_autofree char *wanted = g_strconcat("\n", words, NULL);
	const char *found = g_strstr_len(from, end - from, wanted);

	return found ? found + strlen(wanted) : NULL;
}

char *ini_peek(GBytes *text, const char *section, const char *key)
{
	g_autofree char *header = g_strdup_printf("[%s]", section);
	g_autofree char *name = g_strconcat(key, " =", NULL);
	gsize size_bytes = 0;
	const char *data = g_bytes_get_data(text, &size_bytes);
	const char *start = data ? data : "";
	const char *end = start + size_bytes;
	const char *inside = find_line(start, end, header);
	const char *next = inside ? find_line(inside, end, "[") : NULL;
	const char *value = inside ? find_line(inside, next ? next : end, name) : NULL;
	const char *stop = value ? memchr(value, '\n', (gsize)(end - value)) : NULL;

	return value ? g_strstrip(g_strndup(value, (gsize)((stop ? stop : end) - value))) : NULL;
}

char **ini_list(const char *value)
{
	static const char between[] = ", \t\r\n";
	GPtrArray *words = g_ptr_array_new();

	for (value += strspn(value, between); *value; value += strspn(value, between)) {
		gsize length = strcspn(value, between);

		g_ptr_array_add(words, g_strndup(value, length));
		value += length;
	}
	g_ptr_array_add(words, NULL);
	return (char **)g_ptr_array_free(words, FALSE);
}
