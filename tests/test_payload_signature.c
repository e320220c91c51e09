/* tests/test_payload_signature.c - payload/signature: known answers, keys and files that are refused
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "tests/signer.h"

static void unhex(const char *hex, guint8 *bytes)
{
	for (gsize i = 0; hex[2 * i]; i++)
		bytes[i] = (guint8)(g_ascii_xdigit_value(hex[2 * i]) << 4 |
		                    g_ascii_xdigit_value(hex[2 * i + 1]));
}

/* RFC 8032, section 7.1: TEST 1 to 3 and SHA(abc). */
static const struct {
	const char *key;
	const char *message;
	const char *signature;
} vectors[] = {
	{ "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
	  "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
	{ "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
	{ "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	  "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
	{ "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	  "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
	  "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704" },
};

static void test_vectors(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
		gsize size_bytes = strlen(vectors[i].message) / 2;
		guint8 message[64] = { 0 };
		guint8 signature[SIGNATURE_BYTES] = { 0 };
		SignatureKey key = { 0 };
		g_autoptr(GError) error = NULL;

		unhex(vectors[i].message, message);
		unhex(vectors[i].signature, signature);
		g_assert_true(signature_key_parse(vectors[i].key, &key, &error));
		g_autoptr(GBytes) bytes = g_bytes_new(message, size_bytes);
		g_assert_true(signature_verify(&key, bytes, signature));

		/* Each bit counts: of the message, of R and of S. */
		message[0] ^= 1;
		g_autoptr(GBytes) other = g_bytes_new(message, MAX(size_bytes, 1));
		g_assert_false(signature_verify(&key, other, signature));
		for (gsize at = 0; at < SIGNATURE_BYTES; at += 9) {
			signature[at] ^= 0x10;
			g_assert_false(signature_verify(&key, bytes, signature));
			signature[at] ^= 0x10;
		}
	}
}

/* S + L is the same number for the curve; it is refused, so that a signature has one form. */
static void test_malleable(void)
{
	static const guint8 order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
		                          0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
		                          0,    0,    0,    0,    0,    0,    0,    0,
		                          0,    0,    0,    0,    0,    0,    0,    0x10 };
	guint8 signature[SIGNATURE_BYTES] = { 0 };
	SignatureKey key = { 0 };
	g_autoptr(GBytes) empty = g_bytes_new_static("", 0);
	unsigned carry = 0;

	g_assert_true(signature_key_parse(vectors[0].key, &key, NULL));
	unhex(vectors[0].signature, signature);
	for (gsize i = 0; i < sizeof(order); i++) {
		carry += (unsigned)signature[32 + i] + order[i];
		signature[32 + i] = (guint8)carry;
		carry >>= 8;
	}
	g_assert_cmpuint(carry, ==, 0);
	g_assert_false(signature_verify(&key, empty, signature));
}

static void test_refused_keys(void)
{
	static const char *const keys[] = {
		"",
		"d75a",
		"D75A980182B10AB7D54BFED3C964073A0EE172F3DAA62325AF021A68F707511A",
		"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a0",
		"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511g",
		/* The eight points of small order ... */
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		/* ... and other ways to write some: y + p, and x = 0 with a sign. */
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autoptr(GError) error = NULL;
		SignatureKey key = { 0 };

		g_test_message("%s", keys[i]);
		g_assert_false(signature_key_parse(keys[i], &key, &error));
		g_assert_error(error, FAULT, STATUS_DATA);
	}
}

/* Under the identity, R = identity and S = 0 would sign anything; an unset key is that close. */
static void test_unset_key(void)
{
	SignatureKey unset = { 0 };
	guint8 signature[SIGNATURE_BYTES] = { 1 };
	guint accepted = 0;

	for (guint i = 0; i < 64; i++) {
		g_autofree char *text = g_strdup_printf("message %u", i);
		g_autoptr(GBytes) message = g_bytes_new(text, strlen(text));
		accepted += signature_verify(&unset, message, signature) ? 1 : 0;
	}
	g_assert_cmpuint(accepted, ==, 0);
}

#define ID "0123456789abcdef"
#define A64 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define LINE "ed25519 " ID " " A64 "AAAAAAAAAAAAAAAAAAAAAA==\n"

static void test_refused_files(void)
{
	static const char *const files[] = {
		"",
		"\n",
		"ed25519 " ID " " A64 "AAAAAAAAAAAAAAAAAAAAAA==",
		LINE "\n",
		LINE LINE,
		" " LINE,
		"ed25519  " ID " " A64 "AAAAAAAAAAAAAAAAAAAAA==\n",
		"rsa4096 " ID " " A64 "AAAAAAAAAAAAAAAAAAAAAA==\n",
		"ed25519 0123456789ABCDEF " A64 "AAAAAAAAAAAAAAAAAAAAAA==\n",
		"ed25519 " ID " " A64 "AAAAAAAAAAAAAAAAAAAAAB==\n",
		"ed25519 " ID " " A64 "AAAAAAAAAAAAAAAAAAAAA===\n",
		"ed25519 " ID " " A64 "AAAAAAAAAAA AAAAAAAAAA==\n",
		"ed25519 " ID " " A64 "AAAAAAAAAAAAAAAAAAAAAA==\r\n",
		"ed25519 " ID " " A64 "AAAAAAAAAAAAAAAAAAAAAAAA\n",
		"ed25519 " ID "\n",
		"ed25519 \n",
		"<html>\n",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autoptr(GBytes) text = g_bytes_new(files[i], strlen(files[i]));
		g_autoptr(GError) error = NULL;

		g_test_message("%s", files[i]);
		g_assert_null(signature_parse(text, "m.sig", &error));
		g_assert_error(error, FAULT, STATUS_DATA);
		g_assert_true(g_str_has_prefix(error->message, "m.sig:"));
	}
}

static void test_bounds(void)
{
	g_autoptr(GString) lines = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < SIGNATURE_MAX_LINES; i++)
		g_string_append_printf(lines, "ed25519 %016x " A64 "AAAAAAAAAAAAAAAAAAAAAA==\n", i);
	g_autoptr(GBytes) most = g_bytes_new(lines->str, lines->len);
	g_autoptr(GArray) signatures = signature_parse(most, "m.sig", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(signatures->len, ==, SIGNATURE_MAX_LINES);

	g_string_append(lines, LINE);
	g_autoptr(GBytes) more = g_bytes_new(lines->str, lines->len);
	g_assert_null(signature_parse(more, "m.sig", &error));
	g_assert_error(error, FAULT, STATUS_DATA);
	g_clear_error(&error);

	g_autoptr(GBytes) with_nul = g_bytes_new(LINE "\0" LINE, 2 * sizeof(LINE) - 1);
	g_assert_null(signature_parse(with_nul, "m.sig", &error));
	g_assert_error(error, FAULT, STATUS_DATA);
}

static void test_count(void)
{
	static const char document[] = "{\"version\": 1}\n";
	Signer signers[3] = { 0 };
	g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(SignatureKey));
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = g_bytes_new_static(document, strlen(document));
	g_autoptr(GBytes) other = g_bytes_new_static("{}\n", 3);

	for (guint8 i = 0; i < G_N_ELEMENTS(signers); i++)
		signer_init(&signers[i], i);
	g_autofree char *first = signer_line(&signers[0], SIGNATURE_ROOT, document);
	g_autofree char *second = signer_line(&signers[1], SIGNATURE_ROOT, document);
	g_autofree char *elsewhere = signer_line(&signers[2], SIGNATURE_MANIFEST, document);
	g_autofree char *text = g_strconcat(first, second, elsewhere, NULL);
	g_autoptr(GBytes) file = g_bytes_new(text, strlen(text));
	g_autoptr(GArray) signatures = signature_parse(file, "r.sig", &error);
	g_assert_no_error(error);

	g_assert_cmpuint(signature_count(signatures, keys, SIGNATURE_ROOT, bytes), ==, 0);
	g_array_append_val(keys, signers[0].key);
	g_assert_cmpuint(signature_count(signatures, keys, SIGNATURE_ROOT, bytes), ==, 1);
	g_array_append_val(keys, signers[0].key); /* there twice: still one */
	g_assert_cmpuint(signature_count(signatures, keys, SIGNATURE_ROOT, bytes), ==, 1);
	g_array_append_val(keys, signers[1].key);
	g_array_append_val(keys, signers[2].key); /* it signed for another purpose */
	g_assert_cmpuint(signature_count(signatures, keys, SIGNATURE_ROOT, bytes), ==, 2);
	g_assert_cmpuint(signature_count(signatures, keys, SIGNATURE_MANIFEST, bytes), ==, 1);
	g_assert_cmpuint(signature_count(signatures, keys, SIGNATURE_ROOT, other), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(signers); i++)
		signer_clear(&signers[i]);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/payload/signature/vectors", test_vectors);
	g_test_add_func("/payload/signature/malleable", test_malleable);
	g_test_add_func("/payload/signature/refused_keys", test_refused_keys);
	g_test_add_func("/payload/signature/unset_key", test_unset_key);
	g_test_add_func("/payload/signature/refused_files", test_refused_files);
	g_test_add_func("/payload/signature/bounds", test_bounds);
	g_test_add_func("/payload/signature/count", test_count);
	return g_test_run();
}
