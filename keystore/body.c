/* keystore/body.c - records in one block of wiped memory
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/body.h"

#include <string.h>

#include "base/fault.h"
#include "keystore/bytes.h"
#include "keystore/crypto.h"
#include "keystore/error.h"
#include "keystore/options.h"

#define NAME_MAX_BYTES 64
#define PROFILE_MAX_BYTES 32
#define COUNT_BYTES 4
#define SIZE_BYTES 2
#define ORIGIN_BYTES 16
#define FINGERPRINT_BYTES 8
#define FIXED_BYTES_0 (1 + 4 + 8 + 8) /* of a record, before its name */
#define FIXED_BYTES (FIXED_BYTES_0 + 8 + 8 + ORIGIN_BYTES + FINGERPRINT_BYTES)

struct Body {
	guint8 *data;
	gsize size;
	GArray *records; /* (element-type BodyRecord) */
};

/* A place in bytes that are not trusted. */
typedef struct {
	const guint8 *at;
	gsize left;
} Cursor;

static bool is_word(const char *text, gsize max_bytes, const char *accept)
{
	gsize length = strlen(text);

	return length >= 1 && length <= max_bytes && g_ascii_isalpha(text[0]) &&
	       strspn(text, accept) == length;
}

bool body_name_is_valid(const char *name)
{
	return is_word(name, NAME_MAX_BYTES,
	               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
}

bool body_profile_is_valid(const char *profile)
{
	return is_word(profile, PROFILE_MAX_BYTES, "abcdefghijklmnopqrstuvwxyz0123456789_-");
}

char *body_join(const char *profile, const char *name)
{
	return strcmp(profile, KEYSTORE_PROFILE_DEFAULT) == 0 ? g_strdup(name)
	                                                      : g_strjoin("/", profile, name, NULL);
}

const char *body_split(const char *joined, char **profile)
{
	const char *slash = strchr(joined, '/');
	const char *name = slash ? slash + 1 : joined;
	g_autofree char *before = slash ? g_strndup(joined, (gsize)(slash - joined)) : NULL;

	if (!body_name_is_valid(name))
		return NULL;
	if (before && strcmp(before, KEYSTORE_PROFILE_OWN) != 0 &&
	    (!body_profile_is_valid(before) || strcmp(before, KEYSTORE_PROFILE_DEFAULT) == 0))
		return NULL;
	*profile = before ? g_steal_pointer(&before) : g_strdup(KEYSTORE_PROFILE_DEFAULT);
	return name;
}

bool body_secret_is_valid(const void *secret, gsize size)
{
	return size >= 1 && size <= KEYSTORE_SECRET_MAX && !memchr(secret, 0, size);
}

static const guint8 *take(Cursor *cursor, gsize size)
{
	const guint8 *at = cursor->at;

	if (cursor->left < size)
		return NULL;
	cursor->at += size;
	cursor->left -= size;
	return at;
}

/* Lower-case letters, or hex digits, and then zeros only. */
static bool take_text(const guint8 *at, gsize size, const char *accept, char *text)
{
	memcpy(text, at, size);
	gsize length = strnlen(text, size);
	for (gsize i = length; i < size; i++)
		if (at[i] != 0)
			return false;
	return strspn(text, accept) == length;
}

static bool take_note(const guint8 *at, bool is_first, KeystoreNote *note)
{
	*note = (KeystoreNote){ .created_s = (gint64)bytes_load(at, 8),
		                .changed_s = (gint64)bytes_load(at + 8, 8) };
	if (is_first)
		return true;

	char fingerprint[FINGERPRINT_BYTES + 1] = "";
	note->expires_s = (gint64)bytes_load(at + 16, 8);
	note->verified_s = (gint64)bytes_load(at + 24, 8);
	at += 32;
	if (at[ORIGIN_BYTES - 1] != 0 ||
	    !take_text(at, ORIGIN_BYTES, "abcdefghijklmnopqrstuvwxyz-", note->origin) ||
	    !take_text(at + ORIGIN_BYTES, FINGERPRINT_BYTES, "0123456789abcdef", fingerprint))
		return false;
	memcpy(note->fingerprint, fingerprint, sizeof(fingerprint));
	return fingerprint[0] == 0 || fingerprint[FINGERPRINT_BYTES - 1] != 0;
}

static bool take_name(Cursor *cursor, gsize size, const char **name)
{
	g_autofree char *profile = NULL;

	*name = (const char *)take(cursor, size + 1);
	return *name && (*name)[size] == '\0' && strlen(*name) == size &&
	       body_split(*name, &profile);
}

/* @fixed_size: of what stands before the name. */
static bool take_record(Cursor *cursor, gsize fixed_size, BodyRecord *record)
{
	const guint8 *fixed = take(cursor, fixed_size);
	bool is_first = fixed_size == FIXED_BYTES_0;

	if (!fixed)
		return false;
	record->secret_size = bytes_load(fixed + 1, 4);
	if (!take_note(fixed + 5, is_first, &record->note) ||
	    !take_name(cursor, fixed[0], &record->name) || (is_first && strchr(record->name, '/')))
		return false;

	record->secret = take(cursor, record->secret_size);
	return record->secret && body_secret_is_valid(record->secret, record->secret_size);
}

static bool take_padding(Cursor *cursor)
{
	const guint8 *at = cursor->at;

	if (cursor->left >= BODY_BLOCK)
		return false;
	for (gsize i = 0; i < cursor->left; i++)
		if (at[i] != 0)
			return false;
	return true;
}

static bool take_size(Cursor *cursor, guint minor, gsize *size)
{
	const guint8 *at = minor > 0 ? take(cursor, SIZE_BYTES) : NULL;

	*size = at ? bytes_load(at, SIZE_BYTES) : FIXED_BYTES_0;
	return minor == 0 || *size == FIXED_BYTES || (minor > 1 && *size > FIXED_BYTES);
}

static bool take_records(Body *body, guint minor)
{
	Cursor cursor = { body->data, body->size };
	const guint8 *count_at = take(&cursor, COUNT_BYTES);
	const char *previous = "";
	gsize fixed_size = 0;

	if (!count_at || body->size % BODY_BLOCK != 0 || !take_size(&cursor, minor, &fixed_size))
		return false;
	for (guint64 count = bytes_load(count_at, COUNT_BYTES); count > 0; count--) {
		BodyRecord record;

		if (!take_record(&cursor, fixed_size, &record) ||
		    strcmp(record.name, previous) <= 0)
			return false;
		g_array_append_val(body->records, record);
		previous = record.name;
	}
	return take_padding(&cursor);
}

Body *body_parse(guint8 *data, gsize size, guint minor, GError **error)
{
	Body *body = g_new0(Body, 1);

	body->data = data;
	body->size = size;
	body->records = g_array_new(false, false, sizeof(BodyRecord));
	if (take_records(body, minor))
		return body;

	body_free(body);
	keystore_fail(error, KEYSTORE_ERROR_CORRUPT, NULL,
	              "the records in the keystore make no sense");
	return NULL;
}

void body_free(Body *body)
{
	if (!body)
		return;

	crypto_free(body->data, body->size);
	g_array_unref(body->records);
	g_free(body);
}

const guint8 *body_data(const Body *body, gsize *size)
{
	*size = body->size;
	return body->data;
}

guint body_count(const Body *body)
{
	return body->records->len;
}

guint body_count_keys(const Body *body)
{
	guint count = 0;

	for (guint i = 0; i < body->records->len; i++)
		count += !g_str_has_prefix(body_record(body, i)->name, KEYSTORE_PROFILE_OWN "/");
	return count;
}

const BodyRecord *body_record(const Body *body, guint index)
{
	return &g_array_index(body->records, BodyRecord, index);
}

const BodyRecord *body_find(const Body *body, const char *name)
{
	for (guint i = 0; i < body->records->len; i++)
		if (strcmp(body_record(body, i)->name, name) == 0)
			return body_record(body, i);

	return NULL;
}

static guint8 *put_record(guint8 *at, const BodyRecord *record)
{
	const KeystoreNote *note = &record->note;
	gsize name_size = strlen(record->name);

	at = bytes_store(at, name_size, 1);
	at = bytes_store(at, record->secret_size, 4);
	at = bytes_store(at, (guint64)note->created_s, 8);
	at = bytes_store(at, (guint64)note->changed_s, 8);
	at = bytes_store(at, (guint64)note->expires_s, 8);
	at = bytes_store(at, (guint64)note->verified_s, 8);
	at = bytes_put(at, note->origin, ORIGIN_BYTES);
	at = bytes_put(at, note->fingerprint, FINGERPRINT_BYTES);
	at = bytes_put(at, record->name, name_size + 1);
	return bytes_put(at, record->secret, record->secret_size);
}

/* Writes @records and reads them back: what leaves here is what body_parse() accepts. */
static Body *build(const GPtrArray *records, GError **error)
{
	gsize size = COUNT_BYTES + SIZE_BYTES;

	for (guint i = 0; i < records->len; i++) {
		const BodyRecord *record = g_ptr_array_index(records, i);
		size += FIXED_BYTES + strlen(record->name) + 1 + record->secret_size;
	}
	size = (size + BODY_BLOCK - 1) / BODY_BLOCK * BODY_BLOCK;
	if (size > BODY_MAX) {
		fault_set(error, STATUS_DATA, "Remove keys that are not needed any more.",
		          "the keystore is full");
		return NULL;
	}

	guint8 *data = crypto_alloc(size);
	guint8 *at = bytes_store(data, records->len, COUNT_BYTES);
	at = bytes_store(at, FIXED_BYTES, SIZE_BYTES);
	for (guint i = 0; i < records->len; i++)
		at = put_record(at, g_ptr_array_index(records, i));
	return body_parse(data, size, 1, error);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	const BodyRecord *const *left = a;
	const BodyRecord *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

/* The records but the one called @name; borrowed. */
static GPtrArray *others(const Body *body, const char *name)
{
	GPtrArray *records = g_ptr_array_new();

	for (guint i = 0; i < body->records->len; i++)
		if (strcmp(body_record(body, i)->name, name) != 0)
			g_ptr_array_add(records, (gpointer)(guintptr)body_record(body, i));
	return records;
}

Body *body_new(void)
{
	g_autoptr(GPtrArray) records = g_ptr_array_new();

	return build(records, NULL);
}

Body *body_with(const Body *body, const BodyRecord *record, GError **error)
{
	g_autoptr(GPtrArray) records = others(body, record->name);

	g_ptr_array_add(records, (gpointer)(guintptr)record);
	g_ptr_array_sort(records, by_name);
	return build(records, error);
}

Body *body_copy(const Body *body)
{
	return body_without(body, ""); /* which no record is called */
}

Body *body_without(const Body *body, const char *name)
{
	g_autoptr(GPtrArray) records = others(body, name);

	return build(records, NULL);
}
