/* payload/openpgp.c - which keys are in a file of OpenPGP keys
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "payload/openpgp.h"

#include <string.h>

#include "base/fault.h"

#define ARMOR_BEGIN "-----BEGIN PGP PUBLIC KEY BLOCK-----"
#define ARMOR_END "-----END PGP PUBLIC KEY BLOCK-----"

/* Packet tags.  Source: RFC 4880, section 4.3. */
enum { TAG_SIGNATURE = 2, TAG_KEY = 6, TAG_USER = 13, TAG_SUBKEY = 14, TAG_ATTRIBUTE = 17 };

/** What is left to read. */
typedef struct {
	const guint8 *data;
	gsize size_bytes;
} Rest;

typedef struct {
	guint tag;
	const guint8 *data;
	gsize size_bytes;
} Packet;

static bool refuse(GError **error, const char *why)
{
	fault_set(error, STATUS_DATA, NULL, "this is not a file of OpenPGP public keys: %s", why);
	return false;
}

/* A number of @count bytes, the highest first. */
static bool take_number(Rest *rest, gsize count, gsize *number)
{
	*number = 0;
	if (rest->size_bytes < count)
		return false;
	for (gsize i = 0; i < count; i++)
		*number = *number << 8 | rest->data[i];
	rest->data += count;
	rest->size_bytes -= count;
	return true;
}

/* RFC 4880, section 4.2.1; no length of unknown end. */
static bool take_old_length(Rest *rest, guint8 head, gsize *length)
{
	guint kind = head & 3;

	return kind < 3 && take_number(rest, (gsize)1 << kind, length);
}

/* RFC 4880, section 4.2.2; no partial lengths: keys have none. */
static bool take_new_length(Rest *rest, gsize *length)
{
	gsize low = 0;

	if (!take_number(rest, 1, length))
		return false;
	if (*length < 192)
		return true;
	if (*length == 255)
		return take_number(rest, 4, length);
	if (*length >= 224 || !take_number(rest, 1, &low))
		return false;
	*length = ((*length - 192) << 8) + low + 192;
	return true;
}

static bool take_packet(Rest *rest, Packet *packet)
{
	guint8 head = *rest->data;
	bool is_new = (head & 0x40) != 0;
	gsize length = 0;

	rest->data++;
	rest->size_bytes--;
	if (!(head & 0x80) ||
	    !(is_new ? take_new_length(rest, &length) : take_old_length(rest, head, &length)) ||
	    length > rest->size_bytes)
		return false;
	*packet = (Packet){ is_new ? head & 0x3f : (head >> 2) & 0xf, rest->data, length };
	rest->data += length;
	rest->size_bytes -= length;
	return true;
}

/* RFC 4880, section 12.2.  (transfer full) */
static char *key_fingerprint(const Packet *packet)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA1);
	const guint8 head[3] = { 0x99, (guint8)(packet->size_bytes >> 8),
		                 (guint8)packet->size_bytes };

	g_checksum_update(checksum, head, sizeof(head));
	g_checksum_update(checksum, packet->data, (gssize)packet->size_bytes);
	return g_ascii_strup(g_checksum_get_string(checksum), -1);
}

static bool check_packet(const Packet *packet, const char *fingerprint, guint *keys, GError **error)
{
	g_autofree char *found = NULL;

	switch (packet->tag) {
	case TAG_SIGNATURE:
	case TAG_USER:
	case TAG_SUBKEY:
	case TAG_ATTRIBUTE:
		return *keys > 0 || refuse(error, "it does not begin with a key");
	case TAG_KEY:
		break;
	default:
		return refuse(error, "something else is in it");
	}
	if (packet->size_bytes < 6 || packet->size_bytes > G_MAXUINT16 || *packet->data != 4)
		return refuse(error, "a key of an unknown version");
	++*keys;
	found = key_fingerprint(packet);
	if (g_str_equal(found, fingerprint))
		return true;
	fault_set(error, STATUS_UNTRUSTED, NULL, "the file has the key %s, not %s", found,
	          fingerprint);
	return false;
}

static bool check_packets(const guint8 *data, gsize size_bytes, const char *fingerprint,
                          GError **error)
{
	Rest rest = { data, size_bytes };
	guint keys = 0;

	while (rest.size_bytes > 0) {
		Packet packet = { 0 };

		if (!take_packet(&rest, &packet))
			return refuse(error, "a packet is malformed");
		if (!check_packet(&packet, fingerprint, &keys, error))
			return false;
	}

	return keys == 1 || refuse(error, "there is not exactly one key in it");
}

/* The lines between the header lines and the checksum.  (transfer full) (nullable) */
static char *find_base64(char **lines)
{
	GString *text = g_string_new(NULL);
	bool is_checksum_seen = false;

	while (*lines && **lines) /* "Version: ..." */
		lines++;
	for (; *lines; lines++) {
		bool is_checksum = **lines == '=';

		if (is_checksum_seen && **lines) {
			g_string_free(text, TRUE);
			return NULL;
		}
		is_checksum_seen = is_checksum_seen || is_checksum;
		if (!is_checksum)
			g_string_append(text, *lines);
	}

	return g_string_free(text, FALSE);
}

/* (transfer full) (nullable): what one block of armor holds; NULL when anything else is there. */
static guchar *remove_armor(const char *text, gsize *size_bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/=";
	g_autofree char *stripped = g_strstrip(g_strdup(text));
	g_autofree char *body = NULL;
	g_autofree char *base64 = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_str_has_prefix(stripped, ARMOR_BEGIN) || !g_str_has_suffix(stripped, ARMOR_END) ||
	    strlen(stripped) < strlen(ARMOR_BEGIN) + strlen(ARMOR_END))
		return NULL;
	body = g_strndup(stripped + strlen(ARMOR_BEGIN),
	                 strlen(stripped) - strlen(ARMOR_BEGIN) - strlen(ARMOR_END));
	lines = g_strsplit(*body == '\n' ? body + 1 : body, "\n", -1);
	base64 = strstr(body, "-----") ? NULL : find_base64(lines);
	if (!base64 || !*base64 || strspn(base64, digits) != strlen(base64))
		return NULL;
	return g_base64_decode(base64, size_bytes);
}

bool openpgp_check_key(GBytes *file, const char *fingerprint, GError **error)
{
	gsize size_bytes = 0;
	const guint8 *data = g_bytes_get_data(file, &size_bytes);
	g_autofree char *text = NULL;
	g_autofree guchar *bare = NULL;

	if (size_bytes == 0 || size_bytes > OPENPGP_MAX_BYTES)
		return refuse(error, "it is empty or too large");
	if (*data & 0x80)
		return check_packets(data, size_bytes, fingerprint, error);
	if (memchr(data, '\0', size_bytes))
		return refuse(error, "it is neither armored nor packets");
	text = g_strndup((const char *)data, size_bytes);
	bare = remove_armor(text, &size_bytes);
	if (!bare)
		return refuse(error, "its armor is malformed, or something is around it");
	return check_packets(bare, size_bytes, fingerprint, error);
}
