/* tests/test_payload_openpgp.c - which files of keys are taken for a pinned fingerprint
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "payload/openpgp.h"

/* Made by gpg 2.2.40 for this test: two keys with a subkey each. */
#define ONE "631DFC1E6437FC5B5756EE0384C50FF76D414A0C"
#define BEGIN "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
#define END "-----END PGP PUBLIC KEY BLOCK-----\n"

static const char one[] = "mDMEawGfYhYJKwYBBAHaRw8BAQdAoNBfyrYhgWwt69whv3o5mqg0moGoV2FlPqnF\n"
			  "lfGSCYW0A29uZYiQBBMWCAA4FiEEYx38HmQ3/FtXVu4DhMUP921BSgwFAmsBn2IC\n"
			  "GwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQhMUP921BSgzwNwEAl1LaPWw3\n"
			  "ZKH7I9KGKP+pAqKY35OkM0utBfbyhW8oKU8A/2sf5m87nyckI/9hXso11xiX1l9o\n"
			  "cbwuKbFNIar1m0wLuDgEawGfYhIKKwYBBAGXVQEFAQEHQJ+mmfDZMmVU6fo7BcGs\n"
			  "Xo8Ooa6EgWkmlI7eq+/rqgxSAwEIB4h4BBgWCAAgFiEEYx38HmQ3/FtXVu4DhMUP\n"
			  "921BSgwFAmsBn2ICGwwACgkQhMUP921BSgyjtgD/bMBrIjqE1Cci8ezeKYJ1212a\n"
			  "NXi3fhWtz3XLBFEfn7EA+QFUV3xdykl2Ulvc61SvhX3blih94bgHxs1c7t/gNv0N\n";
static const char one_checksum[] = "=BlTc\n";
static const char two[] = "mDMEawGfYhYJKwYBBAHaRw8BAQdAhWdf3OUnQEN9MMGYAcFAus2/hL9gMoNb+Slw\n"
			  "cC4DX760A3R3b4iQBBMWCAA4FiEEprRof15VqAZMyZ7HPxIvh6JWRlYFAmsBn2IC\n"
			  "GwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQPxIvh6JWRlaG6wD9FBvBXBGH\n"
			  "4VttwukLGsYHKUTDQkgd4FE8gRrde71RKUEA/RQz6JtrR+LnOzM3gl7FR9bQfMFt\n"
			  "Jx2WYUzTUlYMs4oGuDgEawGfYhIKKwYBBAGXVQEFAQEHQNxtiqoQsayYJtENuV6X\n"
			  "pz86o54N00m1fKZEvDixtOsVAwEIB4h4BBgWCAAgFiEEprRof15VqAZMyZ7HPxIv\n"
			  "h6JWRlYFAmsBn2ICGwwACgkQPxIvh6JWRlYebQEAjFPkuro+0XXs19bCb0+uqOOw\n"
			  "CXs9t3Qjiw3RcV1UxckBAP8fHoqobUylMBhrFYdjdmrmubpFvBwW/ujkPfV+FOUM\n";

static bool check(const char *text, const char *fingerprint, GError **error)
{
	g_autoptr(GBytes) file = g_bytes_new(text, strlen(text));

	return openpgp_check_key(file, fingerprint, error);
}

static void test_armored(void)
{
	g_autofree char *plain = g_strconcat(BEGIN "\n", one, one_checksum, END, NULL);
	g_autofree char *bare = g_strconcat(BEGIN "\n", one, END, NULL);
	g_autofree char *headed = g_strconcat(BEGIN "Version: GnuPG v2\nComment: x\n\n", one,
	                                      one_checksum, END, NULL);
	g_autofree char *spaced = g_strconcat("\n", plain, "\n\n", NULL);
	const char *const files[] = { plain, bare, headed, spaced };

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_true(check(files[i], ONE, &error));
		g_assert_no_error(error);
	}
}

static void test_another_key(void)
{
	g_autofree char *text = g_strconcat(BEGIN "\n", two, END, NULL);
	g_autoptr(GError) error = NULL;

	g_assert_false(check(text, ONE, &error));
	g_assert_error(error, FAULT, STATUS_UNTRUSTED);
	g_assert_nonnull(strstr(error->message, "A6B4687F5E55A8064CC99EC73F122F87A2564656"));
}

static GBytes *packets_of(const char *base64)
{
	gsize size_bytes = 0;
	g_auto(GStrv) lines = g_strsplit(base64, "\n", -1);
	g_autofree char *joined = g_strjoinv("", lines);
	guchar *data = g_base64_decode(joined, &size_bytes);

	return g_bytes_new_take(data, size_bytes);
}

/* The package manager would trust both. */
static void test_a_second_key_beside_it(void)
{
	g_autoptr(GBytes) first = packets_of(one);
	g_autoptr(GBytes) second = packets_of(two);
	g_autoptr(GByteArray) both = g_byte_array_new();
	g_autoptr(GBytes) file = NULL;
	g_autoptr(GError) error = NULL;

	g_byte_array_append(both, g_bytes_get_data(first, NULL), (guint)g_bytes_get_size(first));
	g_byte_array_append(both, g_bytes_get_data(second, NULL), (guint)g_bytes_get_size(second));
	file = g_byte_array_free_to_bytes(g_steal_pointer(&both));
	g_assert_true(openpgp_check_key(first, ONE, NULL));
	g_assert_false(openpgp_check_key(file, ONE, &error));
	g_assert_error(error, FAULT, STATUS_UNTRUSTED);
}

static void test_what_is_not_a_file_of_keys(void)
{
	g_autofree char *good = g_strconcat(BEGIN "\n", one, one_checksum, END, NULL);
	g_autofree char *before = g_strconcat("trust me\n", good, NULL);
	g_autofree char *behind = g_strconcat(good, "trust me\n", NULL);
	g_autofree char *twice = g_strconcat(good, good, NULL);
	g_autofree char *unended = g_strconcat(BEGIN "\n", one, NULL);
	g_autofree char *checksum = g_strconcat(BEGIN "\n", one, one_checksum, two, END, NULL);
	g_autofree char *strange = g_strconcat(BEGIN "\n!", one, END, NULL);
	const char *const files[] = {
		before,
		behind,
		twice,
		unended,
		checksum,
		strange,
		"",
		BEGIN,
		END,
		BEGIN END,
		BEGIN "\n" END,
		"<html>",
		"\x99",
		"\xc6\xff\xff\xff\xff\xff",
		"\xc2\x01x",
		"\xc6\xe1x",
		"\x9bx",
		"\xcb\x01x",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autoptr(GError) error = NULL;

		g_test_message("%u", (guint)i);
		g_assert_false(check(files[i], ONE, &error));
		g_assert_error(error, FAULT, STATUS_DATA);
	}
}

/* Cut anywhere, it is never taken for whole: unless exactly behind a packet. */
static void test_cut_and_changed(void)
{
	g_autoptr(GBytes) whole = packets_of(one);
	gsize size_bytes = 0;
	const guint8 *data = g_bytes_get_data(whole, &size_bytes);
	guint taken = 0;

	for (gsize i = 0; i < size_bytes; i++) {
		g_autoptr(GBytes) cut = g_bytes_new(data, i);
		g_autofree guint8 *copy = g_malloc(size_bytes);

		memcpy(copy, data, size_bytes);
		taken += openpgp_check_key(cut, ONE, NULL);
		copy[i] ^= 0x10;
		g_autoptr(GBytes) changed = g_bytes_new_take(g_steal_pointer(&copy), size_bytes);
		if (i < 2 + 51) /* the key itself */
			g_assert_false(openpgp_check_key(changed, ONE, NULL));
		else
			(void)!openpgp_check_key(changed, ONE, NULL);
	}
	g_assert_cmpuint(taken, ==, 4);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/payload/openpgp/armored", test_armored);
	g_test_add_func("/payload/openpgp/another-key", test_another_key);
	g_test_add_func("/payload/openpgp/second-key", test_a_second_key_beside_it);
	g_test_add_func("/payload/openpgp/not-keys", test_what_is_not_a_file_of_keys);
	g_test_add_func("/payload/openpgp/cut-and-changed", test_cut_and_changed);
	return g_test_run();
}
