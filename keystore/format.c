/* keystore/format.c - reads and writes the header, opens and seals the body
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/format.h"

#include <string.h>

#include "base/fault.h"
#include "keystore/bytes.h"
#include "keystore/error.h"

#define MAJOR 1
#define CIPHER_CHACHA20_POLY1305 1
#define KDF_SCRYPT 1
#define KDF_HKDF 2

#define AT_SLOTS 74
#define SLOT_BYTES 128
#define SLOT_CHECK_BYTES 16
#define AT_SLOT_CHECK (SLOT_BYTES - SLOT_CHECK_BYTES)
#define MAC_BYTES FORMAT_MAC_BYTES
#define HEADER_BYTES(slots) (AT_SLOTS + SLOT_BYTES * (gsize)(slots) + MAC_BYTES)

/* What a header may ask of us before it proved to be ours: 512 MiB, and 8 times the work of
 * N = 2^17, r = 8, p = 1, the default of the OWASP cheat sheet (2^23 is N * r * p). */
#define LOG_N_MIN 14
#define LOG_N_MAX 19
#define P_MAX 16
#define WORK_MAX ((guint64)1 << 23)
#define TOO_MUCH_WORK "its passphrase asks for too much work"

static const guint8 magic[8] = { 'S', 'W', 'K', 0, '\r', '\n', 0x1a, '\n' };

#define SPAN(array) ((Span){ array, sizeof(array) })
#define INFO(text) ((Span){ text, sizeof(text) - 1 })

static bool corrupt(GError **error, const char *name, const char *why)
{
	static const char hint[] = "See what can be got back with: slipway keys recover";

	return keystore_fail(error, KEYSTORE_ERROR_CORRUPT, hint,
	                     "%s is damaged or was changed: %s", name, why);
}

static void derive(const CryptoKey *file_key, Span salt, Span info, CryptoKey *key)
{
	crypto_hkdf(SPAN(file_key->data), salt, info, key->data, sizeof(key->data));
}

static void slot_check(const guint8 *store_id, const guint8 *slot, guint8 *check)
{
	guint8 data[FORMAT_ID_BYTES + AT_SLOT_CHECK];
	guint8 digest[32];

	bytes_put(bytes_put(data, store_id, FORMAT_ID_BYTES), slot, AT_SLOT_CHECK);
	crypto_sha256(SPAN(data), digest);
	memcpy(check, digest, SLOT_CHECK_BYTES);
}

static bool cost_is_bounded(ScryptCost cost)
{
	return cost.log_n >= LOG_N_MIN && cost.log_n <= LOG_N_MAX && cost.r == 8 && cost.p >= 1 &&
	       cost.p <= P_MAX;
}

static const char *parse_slot(const guint8 *at, const FormatHeader *header, FormatSlot *slot)
{
	guint8 check[SLOT_CHECK_BYTES];

	slot_check(header->store_id, at, check);
	if (memcmp(at + AT_SLOT_CHECK, check, sizeof(check)) != 0)
		return "a slot does not match its check";
	if (at[5] != 0 || at[6] != 0 || at[7] != 0)
		return "a slot has bytes where zeros belong";

	slot->type = (SlotType)at[0];
	slot->cost = (ScryptCost){ at[2], at[3], at[4] };
	memcpy(slot->salt, at + 8, sizeof(slot->salt));
	memcpy(slot->wrapped, at + 40, sizeof(slot->wrapped));
	memcpy(slot->label, at + 88, sizeof(slot->label));
	if (slot->type == SLOT_PASSPHRASE && at[1] == KDF_SCRYPT)
		return cost_is_bounded(slot->cost) ? NULL : TOO_MUCH_WORK;
	if ((slot->type == SLOT_KEY_FILE || slot->type == SLOT_KEYRING) && at[1] == KDF_HKDF)
		return at[2] + at[3] + at[4] == 0 ? NULL : "a slot has a cost";
	return header->minor > FORMAT_MINOR ? NULL : "a slot is of an unknown kind";
}

static bool is_keystore(Span file)
{
	return file.size >= HEADER_BYTES(1) && memcmp(file.data, magic, sizeof(magic)) == 0;
}

static const char *parse_fixed(Span file, FormatHeader *header)
{
	const guint8 *at = file.data;
	gsize body_start = bytes_load(at + 12, 4);

	header->minor = (guint16)bytes_load(at + 10, 2);
	header->generation = bytes_load(at + 16, 8);
	memcpy(header->store_id, at + 24, sizeof(header->store_id));
	memcpy(header->body_salt, at + 40, sizeof(header->body_salt));
	header->slot_count = at[73];
	if (at[72] != CIPHER_CHACHA20_POLY1305)
		return "its cipher is not known to this version of slipway";
	if (header->slot_count < 1 || header->slot_count > FORMAT_SLOTS_MAX ||
	    body_start != HEADER_BYTES(header->slot_count))
		return "its header has the wrong size";
	if (file.size < body_start + BODY_BLOCK + CRYPTO_TAG_BYTES ||
	    file.size > FORMAT_MAX_BYTES ||
	    (file.size - body_start - CRYPTO_TAG_BYTES) % BODY_BLOCK != 0)
		return "it has the wrong size";
	return NULL;
}

/* Says so before anything else is read: the rest is another format's. */
static bool check_major(const guint8 *file, const char *name, GError **error)
{
	guint64 major = bytes_load(file + 8, 2);

	return major == MAJOR ||
	       keystore_fail(error, KEYSTORE_ERROR_CORRUPT, "Update slipway, or restore a backup.",
	                     "%s has format %" G_GUINT64_FORMAT "; this version reads format %d",
	                     name, major, MAJOR);
}

bool format_parse(Span file, const char *name, FormatHeader *header, GError **error)
{
	if (!is_keystore(file))
		return corrupt(error, name, "it does not start like a keystore");
	if (!check_major(file.data, name, error))
		return false;

	const char *why = parse_fixed(file, header);
	guint64 work = 0;

	for (guint i = 0; !why && i < header->slot_count; i++) {
		const guint8 *at = (const guint8 *)file.data + AT_SLOTS + SLOT_BYTES * (gsize)i;

		why = parse_slot(at, header, &header->slots[i]);
		if (!why && header->slots[i].type == SLOT_PASSPHRASE)
			work += crypto_scrypt_work(header->slots[i].cost);
		if (work > WORK_MAX)
			why = TOO_MUCH_WORK;
	}
	return !why || corrupt(error, name, why);
}

/* Binds a wrapped key to its store, its place and its cost. */
static void wrap_aad(const FormatHeader *header, guint index, guint8 *aad)
{
	const FormatSlot *slot = &header->slots[index];
	const guint8 rest[] = { (guint8)index, (guint8)slot->type, slot->cost.log_n, slot->cost.r,
		                slot->cost.p };

	bytes_put(bytes_put(aad, header->store_id, FORMAT_ID_BYTES), rest, sizeof(rest));
}
#define WRAP_AAD_BYTES (FORMAT_ID_BYTES + 5)

static bool slot_kek(const FormatSlot *slot, Span secret, CryptoKey *kek, GError **error)
{
	if (slot->type != SLOT_PASSPHRASE) {
		Span info = slot->type == SLOT_KEY_FILE ? INFO("slipway key file")
		                                        : INFO("slipway keyring");

		crypto_hkdf(secret, SPAN(slot->salt), info, kek->data, sizeof(kek->data));
		return true;
	}
	if (crypto_scrypt(secret, SPAN(slot->salt), slot->cost, kek->data, sizeof(kek->data)))
		return true;

	fault_set(error, STATUS_UNAVAILABLE, "Free some memory and try again.",
	          "the passphrase needs %" G_GUINT64_FORMAT " MiB of memory",
	          ((guint64)slot->cost.r * 128 << slot->cost.log_n) >> 20);
	return false;
}

const char *format_slot_word(SlotType type)
{
	switch (type) {
	case SLOT_PASSPHRASE:
		return "passphrase";
	case SLOT_KEY_FILE:
		return "key file";
	case SLOT_KEYRING:
		return "key in the desktop's keyring";
	}
	return "key of an unknown kind"; /* of a newer version */
}

bool format_has_slot(const FormatHeader *header, SlotType type)
{
	for (guint i = 0; i < header->slot_count; i++)
		if (header->slots[i].type == type)
			return true;
	return false;
}

bool format_same_slots(const FormatHeader *a, const FormatHeader *b)
{
	if (a->slot_count != b->slot_count)
		return false;
	for (guint i = 0; i < a->slot_count; i++)
		if (memcmp(a->slots[i].wrapped, b->slots[i].wrapped, FORMAT_WRAPPED_BYTES) != 0)
			return false;
	return memcmp(a->store_id, b->store_id, sizeof(a->store_id)) == 0;
}

const guint8 *format_mac(Span file, const FormatHeader *header)
{
	return (const guint8 *)file.data + HEADER_BYTES(header->slot_count) - MAC_BYTES;
}

bool format_unlock_slot(const FormatHeader *header, guint index, const SlotKey *key,
                        CryptoKey *file_key, GError **error)
{
	const FormatSlot *slot = &header->slots[index];
	g_auto(CryptoKey) kek = { 0 };
	guint8 aad[WRAP_AAD_BYTES];

	if (!slot_kek(slot, key->secret, &kek, error))
		return false;
	wrap_aad(header, index, aad);
	CryptoBox box = { .key = kek.data, .aad = SPAN(aad) };
	if (crypto_open(&box, SPAN(slot->wrapped), file_key->data))
		return true;

	return keystore_fail(error, KEYSTORE_ERROR_WRONG_KEY, NULL,
	                     "the %s does not open the keystore", format_slot_word(key->type));
}

bool format_unlock(const FormatHeader *header, const SlotKey *key, CryptoKey *file_key, guint *slot,
                   GError **error)
{
	g_autoptr(GError) cause = NULL;

	for (guint i = 0; i < header->slot_count; i++) {
		if (header->slots[i].type != key->type)
			continue;
		g_clear_error(&cause);
		if (format_unlock_slot(header, i, key, file_key, &cause)) {
			if (slot)
				*slot = i;
			return true;
		}
		if (cause->domain != KEYSTORE_ERROR)
			break;
	}
	if (!cause)
		keystore_fail(&cause, KEYSTORE_ERROR_WRONG_KEY, NULL,
		              "the keystore is not opened by a %s but by a %s",
		              format_slot_word(key->type), format_slot_word(header->slots[0].type));
	g_propagate_error(error, g_steal_pointer(&cause));
	return false;
}

static void header_mac(const FormatHeader *header, const CryptoKey *file_key, const guint8 *file,
                       guint8 *mac)
{
	g_auto(CryptoKey) key = { 0 };

	derive(file_key, SPAN(header->body_salt), INFO("slipway header"), &key);
	crypto_hmac(SPAN(key.data), (Span){ file, HEADER_BYTES(header->slot_count) - MAC_BYTES },
	            mac);
}

Body *format_open(Span file, const FormatHeader *header, const CryptoKey *file_key,
                  const char *name, GError **error)
{
	gsize body_start = HEADER_BYTES(header->slot_count);
	const guint8 *sealed = (const guint8 *)file.data + body_start;
	gsize size = file.size - body_start - CRYPTO_TAG_BYTES;
	guint8 mac[MAC_BYTES];
	g_auto(CryptoKey) key = { 0 };

	header_mac(header, file_key, file.data, mac);
	if (!crypto_equal(mac, sealed - MAC_BYTES, MAC_BYTES)) {
		corrupt(error, name, "its header does not match its seal");
		return NULL;
	}

	guint8 *plain = crypto_alloc(size);
	derive(file_key, SPAN(header->body_salt), INFO("slipway body"), &key);
	CryptoBox box = { .key = key.data, .aad = SPAN(mac) };
	if (!crypto_open(&box, (Span){ sealed, size + CRYPTO_TAG_BYTES }, plain)) {
		crypto_free(plain, size);
		corrupt(error, name, "its content does not match its seal");
		return NULL;
	}
	return body_parse(plain, size, header->minor, error);
}

void format_new(FormatHeader *header, CryptoKey *file_key)
{
	*header = (FormatHeader){ .minor = FORMAT_MINOR };
	crypto_random(header->store_id, sizeof(header->store_id));
	crypto_random(file_key->data, sizeof(file_key->data));
}

bool format_set_slot(FormatHeader *header, guint index, const CryptoKey *file_key,
                     const SlotKey *key, ScryptCost cost, GError **error)
{
	FormatSlot *slot = &header->slots[index];
	FormatSlot made = { .type = key->type };
	g_auto(CryptoKey) kek = { 0 };
	guint8 aad[WRAP_AAD_BYTES];

	g_return_val_if_fail(index < header->slot_count, false);
	if (key->type == SLOT_PASSPHRASE)
		made.cost = cost;
	memcpy(made.label, slot->label, sizeof(made.label));
	crypto_random(made.salt, sizeof(made.salt));
	if (!slot_kek(&made, key->secret, &kek, error))
		return false;

	*slot = made;
	wrap_aad(header, index, aad);
	CryptoBox box = { .key = kek.data, .aad = SPAN(aad) };
	crypto_seal(&box, SPAN(file_key->data), slot->wrapped);
	return true;
}

bool format_add_slot(FormatHeader *header, const CryptoKey *file_key, const SlotKey *key,
                     ScryptCost cost, GError **error)
{
	guint index = header->slot_count;

	g_return_val_if_fail(index < FORMAT_SLOTS_MAX, false);
	header->slots[index] = (FormatSlot){ .type = key->type };
	header->slot_count++;
	if (format_set_slot(header, index, file_key, key, cost, error))
		return true;
	header->slot_count--;
	return false;
}

static guint8 *put_slot(guint8 *start, const FormatHeader *header, const FormatSlot *slot)
{
	guint8 *at = start;

	*at++ = (guint8)slot->type;
	*at++ = slot->type == SLOT_PASSPHRASE ? KDF_SCRYPT : KDF_HKDF;
	*at++ = slot->cost.log_n;
	*at++ = slot->cost.r;
	*at++ = slot->cost.p;
	at = bytes_store(at, 0, 3);
	at = bytes_put(at, slot->salt, sizeof(slot->salt));
	at = bytes_put(at, slot->wrapped, sizeof(slot->wrapped));
	at = bytes_put(at, slot->label, sizeof(slot->label));
	slot_check(header->store_id, start, at);
	return at + SLOT_CHECK_BYTES;
}

static guint8 *put_header(guint8 *at, const FormatHeader *header)
{
	at = bytes_put(at, magic, sizeof(magic));
	at = bytes_store(at, MAJOR, 2);
	at = bytes_store(at, header->minor, 2);
	at = bytes_store(at, HEADER_BYTES(header->slot_count), 4);
	at = bytes_store(at, header->generation, 8);
	at = bytes_put(at, header->store_id, sizeof(header->store_id));
	at = bytes_put(at, header->body_salt, sizeof(header->body_salt));
	*at++ = CIPHER_CHACHA20_POLY1305;
	*at++ = (guint8)header->slot_count;
	for (guint i = 0; i < header->slot_count; i++)
		at = put_slot(at, header, &header->slots[i]);
	return at;
}

GBytes *format_seal(FormatHeader *header, const CryptoKey *file_key, const Body *body)
{
	Span plain = { 0 };
	g_auto(CryptoKey) key = { 0 };

	header->minor = FORMAT_MINOR;
	header->generation++;
	crypto_random(header->body_salt, sizeof(header->body_salt));
	plain.data = body_data(body, &plain.size);

	gsize size = HEADER_BYTES(header->slot_count) + plain.size + CRYPTO_TAG_BYTES;
	guint8 *file = g_malloc(size);
	guint8 *mac = put_header(file, header);
	header_mac(header, file_key, file, mac);
	derive(file_key, SPAN(header->body_salt), INFO("slipway body"), &key);
	CryptoBox box = { .key = key.data, .aad = { mac, MAC_BYTES } };
	crypto_seal(&box, plain, mac + MAC_BYTES);
	return g_bytes_new_take(file, size);
}
