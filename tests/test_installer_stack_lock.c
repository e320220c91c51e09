/* tests/test_installer_stack_lock.c - digests: what an engine says of them, and where they are written
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "installer/stack_lock.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OLD "sha256:" HEX
#define NEW "sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

/* In @text and @want, "%" stands for "@" NEW. */
static const struct {
	const char *image, *text, *want;
} cases[] = {
	{ "redis:7.4.2", "redis:7.4.2", "redis:7.4.2%" },
	{ "redis:7.4.2", "image: redis:7.4.2\nimage: \"redis:7.4.2\"\n",
	  "image: redis:7.4.2%\nimage: \"redis:7.4.2%\"\n" },
	{ "redis:7.4.2", "image: ${REDIS_IMAGE:-redis:7.4.2}",
	  "image: ${REDIS_IMAGE:-redis:7.4.2%}" },
	{ "redis:7.4.2", "[redis:7.4.2,redis:7.4.2]", "[redis:7.4.2%,redis:7.4.2%]" },
	{ "redis:7.4.2", "A=redis:7.4.2\r\n", "A=redis:7.4.2%\r\n" },
	{ "redis:7.4.2", "myredis:7.4.2 my-redis:7.4.2 my_redis:7.4.2 my.redis:7.4.2", NULL },
	{ "redis:7.4.2", "docker.io/library/redis:7.4.2 a@redis:7.4.2", NULL },
	{ "redis:7.4.2", "redis:7.4.2-alpine redis:7.4.2.1 redis:7.4.21 redis:7.4.2_x", NULL },
	{ "redis:7.4.2", "redis:7.4.2/x redis:7.4.2:x redis:7.4.2@" OLD, NULL },
	{ "redis:7.4.2", "-redis:7.4.2 ${A-redis:7.4.2}", NULL },
	{ "redis:7.4.2", "xredis:7.4.2 redis:7.4.2", "xredis:7.4.2 redis:7.4.2%" },
	{ "redis:7.4.2", "", NULL },
	{ "redis:7.4.2@" OLD, "redis:7.4.2@" OLD " redis:7.4.2", "redis:7.4.2% redis:7.4.2" },
	{ "redis:7.4.2@" OLD, "redis:7.4.2@" OLD "0 x/redis:7.4.2@" OLD, NULL },
	{ "r.example:5000/a/b:1", "FROM r.example:5000/a/b:1 AS x",
	  "FROM r.example:5000/a/b:1% AS x" },
	{ "r.example:5000/a/b", "x: r.example:5000/a/b\nimage: r.example:5000/a/b",
	  "x: r.example:5000/a/b\nimage: r.example:5000/a/b%" },
	/* A service may be called as an image without a tag is. */
	{ "redis", "depends_on: [redis]\n  - redis\n[service redis]\nservices = redis\n", NULL },
	{ "redis", "REDIS_HOST=redis\nhost: ${REDIS_HOST:-redis}\nARG HOST=redis\n", NULL },
	{ "redis", "{image: redis, depends_on: [redis]}", "{image: redis%, depends_on: [redis]}" },
	{ "redis", "  \"image\" : \"redis\"\nREDIS_IMAGE=redis\n",
	  "  \"image\" : \"redis%\"\nREDIS_IMAGE=redis%\n" },
	{ "redis", "image: \"${X:-redis}\"\nimage: ${X:-redis}",
	  "image: \"${X:-redis%}\"\nimage: ${X:-redis%}" },
	{ "redis", "FROM redis\n  from --platform=linux/arm64  redis AS redis\n",
	  "FROM redis%\n  from --platform=linux/arm64  redis% AS redis\n" },
	{ "redis", "COPY --from=redis /a /b\nRUN a from redis\nFROM x AS redis\n",
	  "COPY --from=redis% /a /b\nRUN a from redis\nFROM x AS redis\n" },
	{ "redis",
	  "RUN --mount=type=bind,from=redis,target=/redis redis\nRUN --mount=from=redis x\n",
	  "RUN --mount=type=bind,from=redis%,target=/redis redis\nRUN --mount=from=redis% x\n" },
	{ "redis@" OLD, "x redis@" OLD, "x redis%" },
};

static char *with_digest(const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "%", -1);

	return g_strjoinv("@" NEW, parts);
}

static void test_places(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *text = cases[i].text;
		g_autofree char *want = with_digest(cases[i].want ? cases[i].want : text);
		guint places = 0;
		g_autofree char *got = stack_lock_replace(text, cases[i].image, NEW, &places);

		g_assert_cmpstr(got, ==, want);
		g_assert_cmpint(places > 0, ==, cases[i].want != NULL);
	}
}

#define ANSWER(digest, platforms) \
	"{\"Descriptor\":{\"digest\":" digest "},\"Platforms\":" platforms "}"

static void test_answers(void)
{
	static const struct {
		const char *text, *platforms; /* NULL: refused */
	} answers[] = {
		{ ANSWER("\"" OLD "\"", "[]"), "" },
		{ ANSWER("\"" OLD "\"", "null"), "" },
		{ ANSWER("\"" OLD "\"", "\"linux\""), "" },
		{ ANSWER("\"" OLD "\"",
		         "[1, {}, {\"os\": 2}, {\"os\": \"linux\", \"architecture\": \"amd64\"},"
		         " {\"os\": \"linux\", \"architecture\": \"arm\", \"variant\": \"v7\"},"
		         " {\"os\": \"linux\", \"architecture\": \"amd64\"},"
		         " {\"os\": \"unknown\", \"architecture\": \"unknown\"},"
		         " {\"os\": \"a b\\u001b[31m\", \"architecture\": \"x\"}]"),
		  "linux/amd64 linux/arm/v7" },
		{ ANSWER("\"" HEX "\"", "[]"), NULL },
		{ ANSWER("\"sha256:" HEX "0\"", "[]"), NULL },
		{ ANSWER("\"sha256:0123\"", "[]"), NULL },
		{ ANSWER("\"sha512:" HEX "\"", "[]"), NULL },
		{ ANSWER("\"sha256:" HEX " x\"", "[]"), NULL },
		{ ANSWER("\"sha256:"
		         "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\"",
		         "[]"),
		  NULL },
		{ ANSWER("1", "[]"), NULL },
		{ "{}", NULL },
		{ "[]", NULL },
		{ "\"sha256:" HEX "\"", NULL },
		{ "{\"Descriptor\": [\"" OLD "\"]}", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
		g_autoptr(GPtrArray) platforms = g_ptr_array_new_with_free_func(g_free);
		g_autoptr(GError) error = NULL;
		g_autoptr(json_t) answer = json_loads(answers[i].text, JSON_DECODE_ANY, NULL);
		g_autofree char *digest = stack_lock_parse(answer, platforms, &error);

		g_assert_nonnull(answer);
		if (!answers[i].platforms) {
			g_assert_error(error, FAULT, STATUS_DATA);
			g_assert_null(digest);
			continue;
		}
		g_ptr_array_add(platforms, NULL);
		g_autofree char *names = g_strjoinv(" ", (char **)platforms->pdata);
		g_assert_no_error(error);
		g_assert_cmpstr(digest, ==, OLD);
		g_assert_cmpstr(names, ==, answers[i].platforms);
	}
}

/* A registry can send as much as an answer holds. */
static void test_a_flood_of_platforms(void)
{
	g_autoptr(GPtrArray) platforms = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(json_t) answer =
		json_pack("{s:{s:s}, s:[]}", "Descriptor", "digest", OLD, "Platforms");

	for (guint i = 0; i < 1000; i++) {
		g_autofree char *name = g_strdup_printf("a%u", i);
		json_array_append_new(json_object_get(answer, "Platforms"),
		                      json_pack("{s:s, s:s}", "os", "linux", "architecture", name));
	}
	g_autofree char *digest = stack_lock_parse(answer, platforms, NULL);
	g_assert_cmpstr(digest, ==, OLD);
	g_assert_cmpuint(platforms->len, <=, 64);
}

static void put(const char *directory, const char *name, const char *text, gsize size_bytes)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);

	g_assert_true(file_make_dirs(parent, 0755, NULL, NULL));
	g_assert_true(file_write(path, text, size_bytes, 0754, NULL));
}

static void assert_text(const char *directory, const char *name, const char *want)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_autofree char *whole = with_digest(want);
	g_autofree char *text = NULL;
	struct stat status;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, whole);
	g_assert_cmpint(stat(path, &status), ==, 0);
	g_assert_cmpuint(status.st_mode & 07777, ==, 0754);
}

static void test_files(void)
{
	static const char named[] = "FROM a:1\n";
	g_autoptr(GError) error = NULL;
	g_autofree char *top = g_dir_make_tmp("slipway-XXXXXX", &error);
	g_autofree char *stack = g_build_filename(top, "stack", NULL);
	g_autofree char *link = g_build_filename(stack, "link", NULL);
	g_autofree char *links = g_build_filename(stack, "links", NULL);
	g_autofree char *outside = g_build_filename(top, "outside", NULL);
	g_autofree char *huge = g_strnfill((1 << 20) + 1, ' ');
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	memcpy(huge, named, strlen(named));
	put(stack, "stack.ini", named, strlen(named));
	put(stack, "deep/er/Dockerfile", named, strlen(named));
	put(stack, "README.md", named, strlen(named));
	put(stack, ".git/config", named, strlen(named));
	put(stack, "binary", "FROM a:1\n\0", strlen(named) + 1);
	put(stack, "huge", huge, strlen(huge));
	put(outside, "text", named, strlen(named));
	g_assert_cmpint(symlink("../outside/text", link), ==, 0);
	g_assert_cmpint(symlink("../outside", links), ==, 0);
	for (const char *const *name =
	             (const char *const[]){ "a:1", "b:1", "c:1", "d:1@" OLD, NULL };
	     *name; name++)
		g_ptr_array_add(names, (gpointer)(guintptr)*name);

	g_autoptr(GPtrArray) images = stack_lock_images(names);
	LockImage *a = images->pdata[0];
	LockImage *b = images->pdata[1];
	LockImage *d = images->pdata[3];
	a->digest = g_strdup(NEW);
	b->digest = g_strdup(NEW);
	a->status = b->status = LOCK_WRITTEN;
	g_assert_true(stack_lock_write(images, stack, &error));
	g_assert_no_error(error);
	assert_text(stack, "stack.ini", "FROM a:1%\n");
	assert_text(stack, "deep/er/Dockerfile", "FROM a:1%\n");
	assert_text(stack, "README.md", named);
	assert_text(stack, ".git/config", named);
	assert_text(stack, "binary", named);
	assert_text(stack, "huge", huge);
	assert_text(outside, "text", named);
	g_assert_cmpint(a->status, ==, LOCK_WRITTEN);
	g_assert_cmpuint(a->places, ==, 2);
	g_assert_cmpint(b->status, ==, LOCK_NOWHERE);
	g_assert_cmpint(((LockImage *)images->pdata[2])->status, ==, LOCK_NONE);
	g_assert_cmpint(d->status, ==, LOCK_UNCHANGED);
	g_assert_true(tree_remove(top, &error));
}

/* One name, without a digest here and with two there: each place gets its own. */
static void test_one_name_twice(void)
{
	static const char text[] = "a:1 a:1@" OLD " b:1 b:1@" OLD;
	g_autofree char *top = g_dir_make_tmp("slipway-XXXXXX", NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	put(top, "x", text, strlen(text));
	for (const char *const *name = (const char *const[]){ "a:1@" OLD, "a:1", "b:1@" OLD, NULL };
	     *name; name++)
		g_ptr_array_add(names, (gpointer)(guintptr)*name);

	g_autoptr(GPtrArray) images = stack_lock_images(names);
	LockImage *bare = images->pdata[1];
	LockImage *b = images->pdata[2];
	bare->digest = g_strdup(NEW);
	bare->status = LOCK_WRITTEN;
	g_assert_true(stack_lock_write(images, top, NULL));
	assert_text(top, "x", "a:1% a:1@" OLD " b:1@" OLD " b:1@" OLD);
	g_assert_cmpint(((LockImage *)images->pdata[0])->status, ==, LOCK_UNCHANGED);
	g_assert_cmpint(bare->status, ==, LOCK_WRITTEN);
	g_assert_cmpint(b->status, ==, LOCK_WRITTEN); /* as a run that was killed leaves it */
	g_assert_true(tree_remove(top, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lock/places", test_places);
	g_test_add_func("/lock/answers", test_answers);
	g_test_add_func("/lock/a flood of platforms", test_a_flood_of_platforms);
	g_test_add_func("/lock/files", test_files);
	g_test_add_func("/lock/one name twice", test_one_name_twice);
	return g_test_run();
}
