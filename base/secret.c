/* base/secret.c - memory that is wiped, and text that is masked
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/secret.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/resource.h>

#include "base/openssl.h"
#include "base/secret_private.h"

/** Shorter values would eat ordinary text; so would the base64 of less than six bytes. */
#define MASK_MIN_BYTES 6
#define MASK_MIN_BASE64_BYTES 8
#define MASK "[masked]"

typedef struct {
	gsize size_bytes;
	char data[]; /* and a NUL */
} Wiped;

/* Every form of every value, longest first; only ever grows.  Guarded by mask_lock. */
static GRWLock mask_lock;
static GPtrArray *mask_forms; /* (element-type Wiped) */
static bool mask_first_byte[256];

void secret_init(void)
{
	const struct rlimit no_core = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &no_core);
#ifndef SANITIZED /* LeakSanitizer traces its own process */
	secret_deny_tracing();
#endif
}

SecretState secret_state(void)
{
	struct rlimit core = { 0, 0 };
	OpensslHeap heap = openssl_start();

	return (SecretState){
		.has_heap = heap != OPENSSL_HEAP_NONE,
		.is_locked = heap == OPENSSL_HEAP_LOCKED,
		.is_dumpable = secret_is_traceable(),
		.can_dump = getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0,
	};
}

void secret_wipe(void *data, gsize size_bytes)
{
	if (data)
		OPENSSL_cleanse(data, size_bytes);
}

static Wiped *wiped_new(const void *data, gsize size_bytes)
{
	gsize total_bytes = sizeof(Wiped) + size_bytes + 1;

	(void)openssl_start();
	Wiped *wiped = OPENSSL_secure_malloc(total_bytes);
	if (!wiped) /* the secure heap is full */
		wiped = OPENSSL_malloc(total_bytes);
	if (!wiped)
		g_error("out of memory for a secret");

	wiped->size_bytes = size_bytes;
	if (size_bytes > 0)
		memcpy(wiped->data, data, size_bytes);
	wiped->data[size_bytes] = '\0';
	return wiped;
}

static void wiped_free(gpointer data)
{
	Wiped *wiped = data;

	/* Knows by the address which heap it came from. */
	OPENSSL_secure_clear_free(wiped, sizeof(*wiped) + wiped->size_bytes + 1);
}

GBytes *secret_new(const void *data, gsize size_bytes)
{
	g_return_val_if_fail(data || size_bytes == 0, NULL);

	Wiped *wiped = wiped_new(data, size_bytes);

	secret_mask_value(wiped->data, size_bytes);
	return g_bytes_new_with_free_func(wiped->data, size_bytes, wiped_free, wiped);
}

GBytes *secret_new_take(char *data, gsize size_bytes)
{
	GBytes *secret = secret_new(data, size_bytes);

	secret_wipe(data, size_bytes);
	g_free(data);
	return secret;
}

GBytes *secret_new_random_hex(gsize size_bytes)
{
	static const char digits[] = "0123456789abcdef";
	guint8 *random = g_malloc(size_bytes);
	char *hex = g_malloc(size_bytes * 2 + 1);

	(void)openssl_start();
	if (size_bytes > G_MAXINT || RAND_bytes(random, (int)size_bytes) != 1)
		g_error("no source of random numbers");

	for (gsize i = 0; i < size_bytes; i++) {
		hex[2 * i] = digits[random[i] >> 4];
		hex[2 * i + 1] = digits[random[i] & 15];
	}
	secret_wipe(random, size_bytes);
	g_free(random);
	return secret_new_take(hex, size_bytes * 2);
}

const char *secret_text(GBytes *secret)
{
	const char *text = g_bytes_get_data(secret, NULL);

	return text ? text : "";
}

static bool form_is_known(const void *data, gsize size_bytes)
{
	for (guint i = 0; i < mask_forms->len; i++) {
		const Wiped *form = g_ptr_array_index(mask_forms, i);
		if (form->size_bytes == size_bytes && memcmp(form->data, data, size_bytes) == 0)
			return true;
	}
	return false;
}

static void add_form(const char *data, gsize size_bytes, gsize min_bytes)
{
	if (size_bytes < min_bytes || form_is_known(data, size_bytes))
		return;

	guint at = 0;
	while (at < mask_forms->len &&
	       ((const Wiped *)g_ptr_array_index(mask_forms, at))->size_bytes >= size_bytes)
		at++;
	g_ptr_array_insert(mask_forms, (gint)at, wiped_new(data, size_bytes));
	mask_first_byte[(guint8)data[0]] = true;
}

/* A multi-line value (a PEM key) is met line by line in what programs print. */
static void add_lines(const char *value, gsize size_bytes)
{
	const char *end = value + size_bytes;

	for (const char *line = value; line < end;) {
		const char *stop = memchr(line, '\n', (gsize)(end - line));
		if (!stop)
			stop = end;
		add_form(line, (gsize)(stop - line), MASK_MIN_BYTES);
		line = stop + 1;
	}
}

static void add_url_encoded(const char *value, gsize size_bytes, const char *digits)
{
	GString *text = g_string_sized_new(size_bytes * 3 + 1); /* never moves */

	for (gsize i = 0; i < size_bytes; i++) {
		guint8 byte = (guint8)value[i];

		if (g_ascii_isalnum(byte) || (byte && strchr("-._~", byte))) {
			g_string_append_c(text, (char)byte);
		} else {
			g_string_append_c(text, '%');
			g_string_append_c(text, digits[byte >> 4]);
			g_string_append_c(text, digits[byte & 15]);
		}
	}
	add_form(text->str, text->len, MASK_MIN_BYTES);
	secret_wipe(text->str, text->len);
	g_string_free(text, TRUE);
}

/* A value inside a longer text that is encoded as a whole ("Basic " and user:password) can start
 * at each of three offsets; only its whole groups of three bytes look the same everywhere. */
static void add_base64(const char *value, gsize size_bytes, gsize offset)
{
	gsize rest_bytes = size_bytes - offset;

	if (offset > 0)
		rest_bytes -= rest_bytes % 3;

	char *text = g_base64_encode((const guchar *)value + offset, rest_bytes);
	gsize length = strcspn(text, "=");

	add_form(text, length, MASK_MIN_BASE64_BYTES);
	for (gsize i = 0; i < length; i++) /* base64url */
		if (text[i] == '+' || text[i] == '/')
			text[i] = text[i] == '+' ? '-' : '_';
	add_form(text, length, MASK_MIN_BASE64_BYTES);
	secret_wipe(text, length);
	g_free(text);
}

void secret_mask_value(const char *value, gsize size_bytes)
{
	if (!value || size_bytes < MASK_MIN_BYTES)
		return;

	g_rw_lock_writer_lock(&mask_lock);
	if (!mask_forms)
		mask_forms = g_ptr_array_new_with_free_func(wiped_free);
	if (!form_is_known(value, size_bytes)) {
		add_form(value, size_bytes, MASK_MIN_BYTES);
		add_lines(value, size_bytes);
		add_url_encoded(value, size_bytes, "0123456789ABCDEF");
		add_url_encoded(value, size_bytes, "0123456789abcdef");
		for (gsize offset = 0; offset < 3; offset++)
			add_base64(value, size_bytes, offset);
	}
	g_rw_lock_writer_unlock(&mask_lock);
}

/* Returns: how many bytes at @text are a known form, the longest. */
static gsize form_length(const char *text, gsize rest_bytes)
{
	if (!mask_first_byte[(guint8)text[0]])
		return 0;

	for (guint i = 0; i < mask_forms->len; i++) {
		const Wiped *form = g_ptr_array_index(mask_forms, i);
		if (form->size_bytes <= rest_bytes &&
		    memcmp(form->data, text, form->size_bytes) == 0)
			return form->size_bytes;
	}
	return 0;
}

/* Returns: how many bytes at @text, which follows "://", come before the last @ of the host part. */
static gsize userinfo_length(const char *text)
{
	gsize length = strcspn(text, "/?#\"'<> \t\r\n");

	while (length > 0 && text[length] != '@')
		length--;
	return length;
}

static gsize hidden_length(const char *text, gsize at, gsize size_bytes)
{
	gsize length = form_length(text + at, size_bytes - at);

	if (at >= 3 && memcmp(text + at - 3, "://", 3) == 0)
		length = MAX(length, userinfo_length(text + at));
	return length;
}

char *secret_mask(const char *text)
{
	g_return_val_if_fail(text, NULL);

	gsize size_bytes = strlen(text);
	GString *masked = g_string_sized_new(size_bytes + sizeof(MASK));
	gsize hidden_end = 0;

	g_rw_lock_reader_lock(&mask_lock);
	for (gsize at = 0; at < size_bytes; at++) {
		gsize end = at + hidden_length(text, at, size_bytes);

		/* Overlapping values are hidden as one. */
		if (end > at && at >= hidden_end)
			g_string_append(masked, MASK);
		hidden_end = MAX(hidden_end, end);
		if (at >= hidden_end)
			g_string_append_c(masked, text[at]);
	}
	g_rw_lock_reader_unlock(&mask_lock);
	return g_string_free(masked, FALSE);
}

const char *secret_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}
