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

#define NAME_MAX_BYTES 64
#define COUNT_BYTES 4
#define FIXED_BYTES (1 + 4 + 8 + 8) /* of a record, before its name */

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

bool body_name_is_valid(const char *name)
{
	gsize length = strlen(name);

	return length >= 1 && length <= NAME_MAX_BYTES && g_ascii_isalpha(name[0]) &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
	               length;
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

static bool take_record(Cursor *cursor, BodyRecord *record)
{
	const guint8 *fixed = take(cursor, FIXED_BYTES);

	if (!fixed)
		return false;
	gsize name_size = fixed[0];
	record->secret_size = bytes_load(fixed + 1, 4);
	record->created_s = (gint64)bytes_load(fixed + 5, 8);
	record->changed_s = (gint64)bytes_load(fixed + 13, 8);
	record->name = (const char *)take(cursor, name_size + 1);
	if (!record->name || record->name[name_size] != '\0' || strlen(record->name) != name_size ||
	    !body_name_is_valid(record->name))
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

static bool take_records(Body *body)
{
	Cursor cursor = { body->data, body->size };
	const guint8 *count_at = take(&cursor, COUNT_BYTES);
	const char *previous = "";

	if (!count_at || body->size % BODY_BLOCK != 0)
		return false;
	for (guint64 count = bytes_load(count_at, COUNT_BYTES); count > 0; count--) {
		BodyRecord record;

		if (!take_record(&cursor, &record) || strcmp(record.name, previous) <= 0)
			return false;
		g_array_append_val(body->records, record);
		previous = record.name;
	}
	return take_padding(&cursor);
}

Body *body_parse(guint8 *data, gsize size, GError **error)
{
	Body *body = g_new0(Body, 1);

	body->data = data;
	body->size = size;
	body->records = g_array_new(false, false, sizeof(BodyRecord));
	if (take_records(body))
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
	gsize name_size = strlen(record->name);

	at = bytes_store(at, name_size, 1);
	at = bytes_store(at, record->secret_size, 4);
	at = bytes_store(at, (guint64)record->created_s, 8);
	at = bytes_store(at, (guint64)record->changed_s, 8);
	memcpy(at, record->name, name_size + 1);
	at += name_size + 1;
	memcpy(at, record->secret, record->secret_size);
	return at + record->secret_size;
}

/* Writes @records and reads them back: what leaves here is what body_parse() accepts. */
static Body *build(const GPtrArray *records, GError **error)
{
	gsize size = COUNT_BYTES;

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
	for (guint i = 0; i < records->len; i++)
		at = put_record(at, g_ptr_array_index(records, i));
	return body_parse(data, size, error);
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

Body *body_without(const Body *body, const char *name)
{
	g_autoptr(GPtrArray) records = others(body, name);

	return build(records, NULL);
}
