/* tests/test_keystore_crypto.c - known answers from the RFCs; the choice of a scrypt cost
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib.h>
#include <string.h>

#include "keystore/calibrate.h"
#include "keystore/crypto.h"
#include "keystore/memory.h"

static Span span(const char *text)
{
	return (Span){ text, strlen(text) };
}

static Span unhex(const char *hex)
{
	gsize size = strlen(hex) / 2;
	guint8 *data = g_malloc0(size + 1);

	for (gsize i = 0; i < size; i++)
		data[i] = (guint8)(g_ascii_xdigit_value(hex[2 * i]) << 4 |
		                   g_ascii_xdigit_value(hex[2 * i + 1]));
	return (Span){ data, size };
}

static void span_clear(Span *span)
{
	g_free((gpointer)(guintptr)span->data);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Span, span_clear)

static void assert_hex(const guint8 *data, gsize size, const char *hex)
{
	g_auto(Span) expected = unhex(hex);

	g_assert_cmpuint(size, ==, expected.size);
	g_assert_true(memcmp(data, expected.data, size) == 0);
}

/* RFC 7914, section 12. */
static void test_scrypt(void)
{
	static const struct {
		const char *passphrase;
		const char *salt;
		ScryptCost cost;
		const char *expected;
	} cases[] = {
		{ "",
		  "",
		  { 4, 1, 1 },
		  "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
		  "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906" },
		{ "password",
		  "NaCl",
		  { 10, 8, 16 },
		  "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
		  "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640" },
		{ "pleaseletmein",
		  "SodiumChloride",
		  { 14, 8, 1 },
		  "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
		  "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		guint8 out[64];

		g_assert_true(crypto_scrypt(span(cases[i].passphrase), span(cases[i].salt),
		                            cases[i].cost, out, sizeof(out)));
		assert_hex(out, sizeof(out), cases[i].expected);
	}
}

/* RFC 5869, appendix A.1 to A.3. */
static void test_hkdf(void)
{
	static const struct {
		const char *key, *salt, *info, *expected;
	} cases[] = {
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
		  "f0f1f2f3f4f5f6f7f8f9",
		  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
		  "34007208d5b887185865" },
		{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
		  "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
		  "404142434445464748494a4b4c4d4e4f",
		  "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
		  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
		  "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
		  "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
		  "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
		  "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
		  "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
		  "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
		  "cc30c58179ec3e87c14c01d5c1f3434f1d87" },
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
		  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
		  "9d201395faa4b61a96c8" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(Span) key = unhex(cases[i].key);
		g_auto(Span) salt = unhex(cases[i].salt);
		g_auto(Span) info = unhex(cases[i].info);
		gsize size = strlen(cases[i].expected) / 2;
		guint8 out[128];

		crypto_hkdf(key, salt, info, out, size);
		assert_hex(out, size, cases[i].expected);
	}
}

/* RFC 4231, test cases 1 to 4, 6 and 7; the fifth is about a shorter MAC. */
static void test_hmac(void)
{
	static const struct {
		guint8 key_byte; /* 0: the key is @key_text */
		gsize key_size;
		const char *key_text;
		const char *text;
		const char *expected;
	} cases[] = {
		{ 0x0b, 20, NULL, "Hi There",
		  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ 0, 4, "Jefe", "what do ya want for nothing?",
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ 0xaa, 20, NULL,
		  "\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
		  "\xdd\xdd"
		  "\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
		  "\xdd\xdd"
		  "\xdd\xdd\xdd\xdd\xdd\xdd",
		  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
		{ 0, 25,
		  "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14"
		  "\x15\x16"
		  "\x17\x18\x19",
		  "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd"
		  "\xcd\xcd"
		  "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd"
		  "\xcd\xcd"
		  "\xcd\xcd\xcd\xcd\xcd\xcd",
		  "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
		{ 0xaa, 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
		{ 0xaa, 131, NULL,
		  "This is a test using a larger than block-size key and a larger than block-size "
		  "data. The key needs to be hashed before being used by the HMAC algorithm.",
		  "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		guint8 key[131];
		guint8 mac[32];

		memset(key, cases[i].key_byte, sizeof(key));
		if (cases[i].key_text)
			memcpy(key, cases[i].key_text, cases[i].key_size);
		crypto_hmac((Span){ key, cases[i].key_size }, span(cases[i].text), mac);
		assert_hex(mac, sizeof(mac), cases[i].expected);
	}
}

/* RFC 8439, section 2.8.2. */
static void test_aead(void)
{
	static const char plain[] =
		"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for "
		"the future, sunscreen would be it.";
	g_auto(Span) key =
		unhex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
	g_auto(Span) nonce = unhex("070000004041424344454647");
	g_auto(Span) aad = unhex("50515253c0c1c2c3c4c5c6c7");
	CryptoBox box = { .key = key.data, .nonce = nonce.data, .aad = aad };
	guint8 sealed[sizeof(plain) - 1 + CRYPTO_TAG_BYTES];
	guint8 opened[sizeof(plain) - 1];

	crypto_seal(&box, span(plain), sealed);
	assert_hex(sealed, sizeof(sealed),
	           "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
	           "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
	           "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
	           "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691");
	g_assert_true(crypto_open(&box, (Span){ sealed, sizeof(sealed) }, opened));
	g_assert_true(memcmp(opened, plain, sizeof(opened)) == 0);

	sealed[0] ^= 1;
	g_assert_false(crypto_open(&box, (Span){ sealed, sizeof(sealed) }, opened));
	for (gsize i = 0; i < sizeof(opened); i++)
		g_assert_cmpuint(opened[i], ==, 0);
}

static void test_cost(void)
{
	static const guint64 gib = G_GUINT64_CONSTANT(1) << 30;
	static const struct {
		guint64 small_ms;
		guint64 available_bytes;
		ScryptCost expected;
	} cases[] = {
		{ 100, 16 * gib, { 17, 8, 1 } }, /* the usual machine */
		{ 10, 16 * gib, { 18, 8, 1 } },  /* never more than 256 MiB */
		{ 0, 0, { 18, 8, 1 } },          /* fast, memory unknown */
		{ 200, 16 * gib, { 16, 8, 2 } }, /* a slow machine */
		{ 5000, 16 * gib, { 15, 8, 3 } },
		{ 100, gib / 2, { 16, 8, 2 } }, /* a small container */
		{ 100, gib / 16, { 15, 8, 3 } },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		ScryptCost cost = calibrate_choose(cases[i].small_ms, cases[i].available_bytes);

		g_assert_true(memcmp(&cost, &cases[i].expected, sizeof(cost)) == 0);
	}
	g_assert_cmpuint(memory_available(), >, 1024 * 1024);
}

static void test_random(void)
{
	guint8 a[32];
	guint8 b[32];

	crypto_random(a, sizeof(a));
	crypto_random(b, sizeof(b));
	g_assert_false(crypto_equal(a, b, sizeof(a)));
	g_assert_true(crypto_equal(a, a, sizeof(a)));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keystore/crypto/scrypt", test_scrypt);
	g_test_add_func("/keystore/crypto/hkdf", test_hkdf);
	g_test_add_func("/keystore/crypto/hmac", test_hmac);
	g_test_add_func("/keystore/crypto/aead", test_aead);
	g_test_add_func("/keystore/crypto/cost", test_cost);
	g_test_add_func("/keystore/crypto/random", test_random);
	return g_test_run();
}
