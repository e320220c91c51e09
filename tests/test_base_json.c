/* tests/test_base_json.c - base/json: hostile documents, same value same bytes
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/json.h"

static json_t *parse_sized(const char *text, gsize size_bytes, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, size_bytes);

	return json_parse_bytes(bytes, "t.json", error);
}

static json_t *parse(const char *text, GError **error)
{
	return parse_sized(text, strlen(text), error);
}

static void test_refuses(void)
{
	static const struct {
		const char *text;
		const char *prefix;
	} rows[] = {
		{ "", "t.json:1:1: " },
		{ "{", "t.json:1:1: " },
		{ "{\"a\": 1,\n \"a\": 2}", "t.json:2:4: duplicate object key" },
		{ "{\"a\": 1} x", "t.json:1:10: end of file expected" },
		{ "{} {}", "t.json:1:4: " },
		{ "[\n\n 1e999]", "t.json:3:6: real number overflow" },
		{ "[99999999999999999999]", "t.json:1:21: too big integer" },
		{ "[NaN]", "t.json:1:4: " },
		{ "[01]", "t.json:1:2: " },
		{ "[1,]", "t.json:1:4: " },
		{ "[\"\\u0000\"]", "t.json:1:9: " },
		{ "[\"\xff\"]", "t.json:1:" },
		{ "[\"a\nb\"]", "t.json:1:" },
		{ "// c\n{}", "t.json:1:1: " },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(parse(rows[i].text, &error));
		g_assert_error(error, FAULT, STATUS_DATA);
		g_test_message("%s", error->message);
		g_assert_true(g_str_has_prefix(error->message, rows[i].prefix));
	}
}

static void test_refuses_nul_byte(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(parse_sized("{}\0", 3, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
}

static void test_does_not_quote_the_input(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(parse("{\"key\": sk-hidden-value}", &error));
	g_assert_null(strstr(error->message, "hidden"));
	g_assert_null(strstr(error->message, "sk"));
}

/* Returns: (transfer full): @depth arrays in one another, one on each line. */
static char *nest(guint depth)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < depth; i++)
		g_string_append(text, "[\n");
	for (guint i = 0; i < depth; i++)
		g_string_append(text, "]");
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_bounds_the_depth(void)
{
	g_autofree char *deepest = nest(JSON_MAX_DEPTH);
	g_autofree char *deeper = nest(JSON_MAX_DEPTH + 1);
	g_autofree char *hostile = nest(100000);
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) accepted = parse(deepest, &error);

	g_assert_no_error(error);
	g_assert_nonnull(accepted);
	g_assert_null(parse(deeper, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
	g_assert_cmpstr(error->message, ==, "t.json:65:1: nested deeper than 64");
	g_clear_error(&error);
	g_assert_null(parse(hostile, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
}

static void test_brackets_in_strings_do_not_nest(void)
{
	g_autofree char *run = g_strnfill(200, '[');
	g_autofree char *text = g_strconcat("[\"\\\"\\\\\", \"\\\"", run, "\"]", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) value = parse(text, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(json_array_size(value), ==, 2);
}

static void test_canonical_form(void)
{
	static const struct {
		const char *text;
		const char *canonical;
	} rows[] = {
		{ "{ \"b\": 1,\n\"a\": [ 1.5, true, null ] }", "{\"a\":[1.5,true,null],\"b\":1}" },
		{ "{\"a\": {\"z\": {}, \"y\": []}}", "{\"a\":{\"y\":[],\"z\":{}}}" },
		{ "[\"\\u00fc\"]", "[\"\xC3\xBC\"]" },
		{ "\"text\"", "\"text\"" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(json_t) value = parse(rows[i].text, NULL);
		g_autofree char *canonical = json_canonical(value);
		g_autoptr(json_t) again = parse(canonical, NULL);
		g_autofree char *digest = json_digest(value);
		g_autofree char *digest_again = json_digest(again);

		g_assert_cmpstr(canonical, ==, rows[i].canonical);
		g_assert_cmpstr(digest, ==, digest_again);
	}
}

static void test_digest_is_sha256(void)
{
	g_autoptr(json_t) value = parse("{}", NULL);
	g_autofree char *digest = json_digest(value);

	/* printf '{}' | sha256sum */
	g_assert_cmpstr(digest, ==,
	                "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
}

static void test_pretty_keeps_order(void)
{
	g_autoptr(json_t) value = parse("{\"b\":1,\"a\":[2]}", NULL);
	g_autofree char *text = json_pretty(value);

	g_assert_cmpstr(text, ==, "{\n  \"b\": 1,\n  \"a\": [\n    2\n  ]\n}\n");
}

static void test_members(void)
{
	g_autoptr(json_t) object =
		parse("{\"s\":\"x\",\"n\":1,\"t\":true,\"f\":false,\"z\":null}", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_cmpstr(json_text(object, "s"), ==, "x");
	g_assert_null(json_text(object, "n"));
	g_assert_null(json_text(object, "absent"));
	g_assert_null(json_text(NULL, "s"));
	g_assert_cmpstr(json_text_or(object, "z", "else"), ==, "else");
	g_assert_true(json_flag(object, "t"));
	g_assert_false(json_flag(object, "f"));
	g_assert_false(json_flag(object, "s"));
	g_assert_false(json_flag(object, "absent"));

	g_assert_cmpstr(json_need_text(object, "s", &error), ==, "x");
	g_assert_no_error(error);
	g_assert_null(json_need_text(object, "n", &error));
	g_assert_error(error, FAULT, STATUS_DATA);
	g_assert_cmpstr(error->message, ==, "\"n\" is not a string");
	g_clear_error(&error);
	g_assert_null(json_need_text(object, "absent", &error));
	g_assert_cmpstr(error->message, ==, "\"absent\" is missing");
}

static void test_puts_text(void)
{
	g_autoptr(json_t) object = json_object();

	json_put(object, "a", "x");
	json_put(object, "b", NULL);
	json_put(object, "c", "not \xff UTF-8");
	g_assert_cmpuint(json_object_size(object), ==, 2);
	g_assert_cmpstr(json_text(object, "a"), ==, "x");
	g_assert_cmpstr(json_text(object, "c"), ==, "not \xEF\xBF\xBD UTF-8");
}

static void test_string_arrays(void)
{
	static const char *const strv[] = { "a", "b", NULL };
	g_autoptr(json_t) array = json_from_strv(strv);
	g_autoptr(json_t) none = json_from_strv(NULL);

	json_array_append_new(array, json_integer(1));
	json_array_append_new(array, json_string("c"));
	g_auto(GStrv) back = json_to_strv(array);
	g_autofree char *joined = g_strjoinv(",", back);
	g_auto(GStrv) empty = json_to_strv(NULL);

	g_assert_cmpstr(joined, ==, "a,b,c");
	g_assert_cmpuint(json_array_size(none), ==, 0);
	g_assert_null(empty[0]);
}

static void test_reads_files(void)
{
	g_autofree char *directory = g_dir_make_tmp("slipway-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "a.json", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_null(json_read(path, 100, &error));
	g_assert_error(error, FAULT, STATUS_CANNOT_CREATE);
	g_clear_error(&error);

	g_assert_true(g_file_set_contents(path, "{\"a\":\"x\"}", -1, NULL));
	g_assert_null(json_read(path, 5, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
	g_autoptr(json_t) value = json_read(path, 100, NULL);
	g_assert_cmpstr(json_text(value, "a"), ==, "x");
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(g_rmdir(directory), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/json/refuses", test_refuses);
	g_test_add_func("/json/refuses-nul-byte", test_refuses_nul_byte);
	g_test_add_func("/json/does-not-quote-the-input", test_does_not_quote_the_input);
	g_test_add_func("/json/bounds-the-depth", test_bounds_the_depth);
	g_test_add_func("/json/brackets-in-strings-do-not-nest",
	                test_brackets_in_strings_do_not_nest);
	g_test_add_func("/json/canonical-form", test_canonical_form);
	g_test_add_func("/json/digest-is-sha256", test_digest_is_sha256);
	g_test_add_func("/json/pretty-keeps-order", test_pretty_keeps_order);
	g_test_add_func("/json/members", test_members);
	g_test_add_func("/json/puts-text", test_puts_text);
	g_test_add_func("/json/string-arrays", test_string_arrays);
	g_test_add_func("/json/reads-files", test_reads_files);
	return g_test_run();
}
