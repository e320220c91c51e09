/* payload/stack_value.c - the types of values in a stack.ini
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "payload/stack_private.h"

#define NAME_MAX_BYTES 64
#define REVISION_BYTES 40 /* hex digits of SHA-1, git's object id */
#define SCHEMA 1

static bool has_only(const char *text, const char *allowed)
{
	return text[strspn(text, allowed)] == '\0';
}

bool stack_name_is_good(const char *name)
{
	return g_ascii_isalnum(*name) && strlen(name) <= NAME_MAX_BYTES &&
	       has_only(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-");
}

bool stack_id_is_good(const char *name)
{
	gsize size_bytes = strlen(name);

	return g_ascii_islower(*name) && size_bytes >= 2 && size_bytes <= 32 &&
	       has_only(name, G_CSET_a_2_z G_CSET_DIGITS "-");
}

bool stack_variable_is_good(const char *name)
{
	return g_ascii_isalpha(*name) && strlen(name) <= NAME_MAX_BYTES &&
	       has_only(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_");
}

static bool keep(const IniEntry *entry, void *field)
{
	char **text = field;

	*text = g_strdup(entry->value);
	return true;
}

static bool read_text(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	if (!*entry->value)
		return ini_fail(ini, entry, error, "%s is empty", entry->key);

	return keep(entry, field);
}

static bool read_note(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	(void)field;
	return *entry->value || ini_fail(ini, entry, error, "%s is empty", entry->key);
}

static bool read_id(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	if (!stack_id_is_good(entry->value))
		return ini_fail(ini, entry, error,
		                "\"%s\" is not 2 to 32 of a-z, 0-9 and -, a letter first",
		                entry->value);

	return keep(entry, field);
}

static bool is_dotted_number(const char *text, gsize size_bytes)
{
	for (gsize i = 0; i < size_bytes; i++) {
		bool is_edge = i == 0 || i + 1 == size_bytes || text[i - 1] == '.';

		if (!g_ascii_isdigit(text[i]) && (text[i] != '.' || is_edge))
			return false;
	}

	return size_bytes > 0 && size_bytes <= NAME_MAX_BYTES;
}

/* 1.2.3, 1.2.3-rc1: what follows the numbers says nothing of the order. */
static bool read_version(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	gsize numbers = strspn(entry->value, G_CSET_DIGITS ".");
	const char *rest = entry->value + numbers;

	if (!is_dotted_number(entry->value, numbers) ||
	    (*rest && (!strchr("-+", *rest) || !stack_name_is_good(rest + 1))))
		return ini_fail(ini, entry, error, "\"%s\" is not a version such as 1.2.3",
		                entry->value);

	return keep(entry, field);
}

static bool read_minimum(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	if (!is_dotted_number(entry->value, strlen(entry->value)))
		return ini_fail(ini, entry, error, "\"%s\" is not a version such as 3.12",
		                entry->value);

	return keep(entry, field);
}

static bool read_schema(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	static const IniRange range = { 1, G_MAXUINT32 };
	guint64 schema = 0;

	(void)field;
	if (!ini_number(ini, entry, range, &schema, error))
		return false;
	if (schema != SCHEMA)
		return ini_fail(ini, entry, error,
		                "schema %s is of a later slipway; this one knows schema %d",
		                entry->value, SCHEMA);

	return true;
}

static bool read_scheme(const IniFile *ini, const IniEntry *entry, void *field,
                        const char *const *schemes, GError **error)
{
	g_autoptr(GString) shown = g_string_new(NULL);

	for (gsize i = 0; schemes[i]; i++) {
		const char *rest = entry->value + strlen(schemes[i]);

		if (g_str_has_prefix(entry->value, schemes[i]) && *rest &&
		    !strpbrk(rest, " \t\n\"'`\\<>|"))
			return keep(entry, field);
		g_string_append_printf(shown, "%s%s", i > 0 ? " or " : "", schemes[i]);
	}

	return ini_fail(ini, entry, error, "\"%s\" is not a URL that starts with %s", entry->value,
	                shown->str);
}

static bool read_url(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	static const char *const schemes[] = { "https://", NULL };

	return read_scheme(ini, entry, field, schemes, error);
}

/* Plain http only ever reaches services of the stack, on the loopback interface. */
static bool read_health(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	static const char *const schemes[] = { "http://", "https://", "tcp://", NULL };

	return read_scheme(ini, entry, field, schemes, error);
}

static bool read_source(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	static const char *const schemes[] = { "https://", "file:///", NULL };

	return read_scheme(ini, entry, field, schemes, error);
}

static bool read_revision(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	if (strlen(entry->value) != REVISION_BYTES || !has_only(entry->value, "0123456789abcdef"))
		return ini_fail(ini, entry, error,
		                "\"%s\" is not a full commit id, 40 digits of 0-9 and a-f",
		                entry->value);

	return keep(entry, field);
}

static bool read_prefix(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(entry->value, "/", -1);

	if ((*entry->value != '/' && !g_str_has_prefix(entry->value, "~/")) ||
	    strlen(entry->value) < 3 || g_strv_contains((const char *const *)parts, "..") ||
	    strpbrk(entry->value, "\n\\"))
		return ini_fail(ini, entry, error,
		                "\"%s\" is not a path that starts with / or ~/, without \"..\"",
		                entry->value);

	return keep(entry, field);
}

static bool read_size(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	return ini_size(ini, entry, field, error);
}

static bool read_count(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	static const IniRange range = { 1, 4096 };

	return ini_number(ini, entry, range, field, error);
}

static bool read_port(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	static const IniRange range = { 1, 65535 };

	return ini_number(ini, entry, range, field, error);
}

static bool read_random(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	static const IniRange range = { 16, 1024 };

	return ini_number(ini, entry, range, field, error);
}

static bool read_flag(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	bool *flag = field;

	*flag = strcmp(entry->value, "yes") == 0;
	return *flag || strcmp(entry->value, "no") == 0 ||
	       ini_fail(ini, entry, error, "\"%s\" is neither yes nor no", entry->value);
}

static bool read_variable(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	if (!stack_variable_is_good(entry->value))
		return ini_fail(ini, entry, error,
		                "\"%s\" is not the name of an environment variable", entry->value);

	return keep(entry, field);
}

static bool read_key_kind(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	static const char *const kinds[] = {
		[STACK_KEY_OPTIONAL] = "optional",
		[STACK_KEY_REQUIRED] = "required",
		[STACK_KEY_GENERATED] = "generated",
	};
	StackKeyKind *kind = field;

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (strcmp(entry->value, kinds[i]) == 0) {
			*kind = (StackKeyKind)i;
			return true;
		}

	return ini_fail(ini, entry, error, "\"%s\" is none of optional, required, generated",
	                entry->value);
}

static bool read_words(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	char ***words = field;

	*words = ini_list(entry->value);
	for (gsize i = 0; (*words)[i]; i++)
		if (!stack_name_is_good((*words)[i]))
			return ini_fail(ini, entry, error, "\"%s\" is not a name", (*words)[i]);

	return true;
}

static bool read_command(const IniFile *ini, const IniEntry *entry, void *field, GError **error)
{
	char ***words = field;

	*words = ini_list(entry->value);
	if (**words)
		return true;

	return ini_fail(ini, entry, error, "there is no command");
}

/* clang-format off */
const StackType stack_type_text     = { STACK_FIELD_TEXT,     read_text,     NULL };
const StackType stack_type_note     = { STACK_FIELD_NONE,     read_note,     NULL };
const StackType stack_type_name     = { STACK_FIELD_TEXT,     read_id,       NULL };
const StackType stack_type_version  = { STACK_FIELD_TEXT,     read_version,  NULL };
const StackType stack_type_minimum  = { STACK_FIELD_TEXT,     read_minimum,  NULL };
const StackType stack_type_schema   = { STACK_FIELD_NONE,     read_schema,   NULL };
const StackType stack_type_url      = { STACK_FIELD_TEXT,     read_url,      NULL };
const StackType stack_type_health   = { STACK_FIELD_TEXT,     read_health,   NULL };
const StackType stack_type_source   = { STACK_FIELD_TEXT,     read_source,   NULL };
const StackType stack_type_revision = { STACK_FIELD_TEXT,     read_revision, NULL };
const StackType stack_type_prefix   = { STACK_FIELD_TEXT,     read_prefix,   NULL };
const StackType stack_type_size     = { STACK_FIELD_NUMBER,   read_size,     NULL };
const StackType stack_type_count    = { STACK_FIELD_NUMBER,   read_count,    NULL };
const StackType stack_type_port     = { STACK_FIELD_NUMBER,   read_port,     NULL };
const StackType stack_type_random   = { STACK_FIELD_NUMBER,   read_random,   NULL };
const StackType stack_type_flag     = { STACK_FIELD_FLAG,     read_flag,     NULL };
const StackType stack_type_variable = { STACK_FIELD_TEXT,     read_variable, NULL };
const StackType stack_type_key_kind = { STACK_FIELD_KEY_KIND, read_key_kind, NULL };
const StackType stack_type_words    = { STACK_FIELD_LIST,     read_words,    NULL };
const StackType stack_type_command  = { STACK_FIELD_LIST,     read_command,  NULL };
const StackType stack_type_profiles = { STACK_FIELD_LIST,     read_words,    "profile" };
const StackType stack_type_service  = { STACK_FIELD_TEXT,     read_text,     "service" };
const StackType stack_type_services = { STACK_FIELD_LIST,     read_words,    "service" };
const StackType stack_type_steps    = { STACK_FIELD_LIST,     read_words,    "step" };
/* clang-format on */
