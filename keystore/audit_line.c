/* keystore/audit_line.c - one line of the audit log: written, sealed, read
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "keystore/audit_private.h"

#define SEQ_KEY "\"seq\":"
#define SEGMENT_KEY ",\"segment\":"
#define FIRST_KEY ",\"first\":"
#define MAC_KEY ",\"mac\":\""
#define SEALED_SIZE (sizeof(MAC_KEY) - 1 + AUDIT_HEX_SIZE - 1 + 2)
#define TIME_SIZE sizeof("9999-12-31T23:59:59Z")
#define STORE_PURPOSE "slipway audit store"

static void to_hex(const guint8 *bytes, gsize size, char *hex)
{
	static const char digits[] = "0123456789abcdef";

	for (gsize i = 0; i < size; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	hex[2 * size] = '\0';
}

static bool from_hex(const char *hex, guint8 *bytes, gsize size)
{
	if (!hex || strlen(hex) != 2 * size)
		return false;
	for (gsize i = 0; i < size; i++) {
		int high = g_ascii_xdigit_value(hex[2 * i]);
		int low = g_ascii_xdigit_value(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (guint8)(high << 4 | low);
	}
	return true;
}

void audit_segment_key(const guint8 *key, guint64 segment, CryptoKey *out)
{
	memcpy(out->data, key, sizeof(out->data));
	for (guint64 i = 0; i < MIN(segment, AUDIT_SEGMENT_LIMIT); i++)
		crypto_sha256((Span){ out->data, sizeof(out->data) }, out->data);
}

void audit_store_id(const guint8 *key, char *id)
{
	guint8 mac[CRYPTO_KEY_BYTES];

	crypto_hmac((Span){ key, CRYPTO_KEY_BYTES },
	            (Span){ STORE_PURPOSE, sizeof(STORE_PURPOSE) - 1 }, mac);
	to_hex(mac, (AUDIT_STORE_SIZE - 1) / 2, id);
}

void audit_line_hash(Span line, guint8 *hash)
{
	guint8 digest[CRYPTO_KEY_BYTES];

	crypto_sha256(line, digest);
	memcpy(hash, digest, AUDIT_HASH_BYTES);
}

static void line_mac(Span body, const guint8 *key, char *hex)
{
	guint8 mac[CRYPTO_KEY_BYTES];

	crypto_hmac((Span){ key, CRYPTO_KEY_BYTES }, body, mac);
	to_hex(mac, AUDIT_HASH_BYTES, hex);
}

/* Names of processes and paths are what their owners like; here each byte is one of ASCII that JSON
 * leaves as it is. */
static char *plain(char *text)
{
	for (char *at = text; at && *at; at++)
		if (!g_ascii_isprint(*at) || *at == '"' || *at == '\\')
			*at = '?';
	return text;
}

/* GLib would first look for the character set of the locale, in files. */
static const char *print_now(char *text, gsize size)
{
	time_t now = time(NULL);
	struct tm utc = { 0 };

	(void)gmtime_r(&now, &utc);
	(void)strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &utc);
	return text;
}

/* All of the line but its MAC and what closes it.  Nothing in it needs to be escaped: words of ours,
 * valid names, and plain() text.  jansson would first read random numbers. */
static char *make_body(const AuditEvent *event, const AuditPlace *place, const char *program,
                       const char *store)
{
	g_autofree char *parent = plain(audit_process_name(getppid()));
	g_autofree char *name =
		event->name ? g_strdup_printf("\"%s\"", event->name) : g_strdup("null");
	char prev[AUDIT_HEX_SIZE];
	char moment[TIME_SIZE] = "";

	to_hex(place->prev, AUDIT_HASH_BYTES, prev);
	return g_strdup_printf(
		"{" SEQ_KEY "%" G_GUINT64_FORMAT SEGMENT_KEY "%" G_GUINT64_FORMAT FIRST_KEY
		"%" G_GUINT64_FORMAT ",\"time\":\"%s\",\"op\":\"%s\",\"profile\":\"%s\","
		"\"name\":%s,\"backend\":\"%s\",\"source\":\"%s\",\"result\":\"%s\","
		"\"uid\":%u,\"pid\":%d,\"parent\":\"%s\",\"exe\":\"%s\",\"store\":\"%s\","
		"\"prev\":\"%s\"",
		place->seq, place->segment, place->first, print_now(moment, sizeof(moment)),
		event->op, event->profile, name, event->backend, event->source, event->result,
		(guint)getuid(), (int)getpid(), parent ? parent : "", program, store, prev);
}

void audit_line_append(GString *out, const AuditEvent *event, const AuditPlace *place,
                       const guint8 *key, const char *store)
{
	g_autofree char *path = plain(audit_program());
	const char *program = path ? path : "";
	g_autofree char *body = make_body(event, place, program, store);
	gsize size = strlen(body) + SEALED_SIZE + 1;
	char mac[AUDIT_HEX_SIZE] = "";

	/* Of a long path the end says more. */
	if (size > AUDIT_LINE_MAX) {
		program += MIN(size - AUDIT_LINE_MAX, strlen(program));
		g_free(body);
		body = make_body(event, place, program, store);
	}
	if (key)
		line_mac((Span){ body, strlen(body) }, key, mac);
	g_string_append_printf(out, "%s" MAC_KEY "%s\"}\n", body, mac);
}

static const char *scan_number(const char *at, const char *key, guint64 *number)
{
	char *end = NULL;

	if (!at || !g_str_has_prefix(at, key) || !g_ascii_isdigit(at[strlen(key)]))
		return NULL;
	*number = g_ascii_strtoull(at + strlen(key), &end, 10);
	return end;
}

bool audit_line_scan(const char *line, AuditPlace *place)
{
	const char *at = scan_number(line, "{" SEQ_KEY, &place->seq);

	at = scan_number(at, SEGMENT_KEY, &place->segment);
	at = scan_number(at, FIRST_KEY, &place->first);
	return at && *at == ',' && place->seq > 0 && place->seq < G_MAXINT64 &&
	       place->segment <= AUDIT_SEGMENT_LIMIT;
}

static bool read_number(const json_t *line, const char *name, guint64 *number)
{
	const json_t *value = json_object_get(line, name);

	*number = (guint64)json_integer_value(value);
	return json_is_integer(value) && json_integer_value(value) >= 0;
}

json_t *audit_line_parse(Span text, AuditPlace *place)
{
	static const char *const words[] = { "time",   "op",     "profile", "backend",
		                             "source", "result", "store",   "mac" };
	g_autoptr(json_t) line = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, NULL);

	if (!json_is_object(line) || !read_number(line, "seq", &place->seq) || place->seq == 0 ||
	    !read_number(line, "segment", &place->segment) ||
	    !read_number(line, "first", &place->first) || place->segment > AUDIT_SEGMENT_LIMIT ||
	    !from_hex(json_text(line, "prev"), place->prev, AUDIT_HASH_BYTES))
		return NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (!json_text(line, words[i]))
			return NULL;
	return g_steal_pointer(&line);
}

bool audit_line_is_torn(Span text)
{
	AuditPlace place = { 0 };

	if (text.size == 0 || text.size >= AUDIT_LINE_MAX)
		return false;

	g_autoptr(json_t) line = audit_line_parse(text, &place);
	return line == NULL;
}

bool audit_line_is_genuine(Span line, const guint8 *key)
{
	const char *text = line.data;
	char mac[AUDIT_HEX_SIZE];

	if (line.size <= SEALED_SIZE)
		return false;
	gsize body_size = line.size - SEALED_SIZE;
	line_mac((Span){ text, body_size }, key, mac);
	g_autofree char *end = g_strdup_printf(MAC_KEY "%s\"}", mac);
	return crypto_equal(text + body_size, end, SEALED_SIZE);
}

char *audit_head_print(const AuditHead *head)
{
	char hash[AUDIT_HEX_SIZE];

	to_hex(head->hash, AUDIT_HASH_BYTES, hash);
	return g_strdup_printf("%" G_GUINT64_FORMAT " %s", head->seq, hash);
}

AuditHead audit_head_parse(const char *text)
{
	AuditHead head = { 0 };
	char *end = NULL;
	guint64 seq = text ? g_ascii_strtoull(text, &end, 10) : 0;

	if (end && *end == ' ' && seq < G_MAXINT64 &&
	    from_hex(end + 1, head.hash, AUDIT_HASH_BYTES))
		head.seq = seq;
	return head;
}
