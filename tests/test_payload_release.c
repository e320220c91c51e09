/* tests/test_payload_release.c - manifests that are refused, versions, and the walk along the roots
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "payload/release.h"
#include "payload/trust.h"
#include "tests/signer.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PROGRAM                                                                            \
	"{\"kind\": \"program\", \"platform\": \"linux-x86_64\", \"name\": \"slipway-1\"," \
	" \"path\": \"v1.0.0/slipway-1\", \"size\": 6000000, \"sha256\": \"" SHA "\"}"
#define HEAD "{\"schema\": 1, \"version\": \"1.0.0\", \"serial\": 7, "
#define EXPIRES "\"expires\": \"2027-11-21T00:00:00Z\", "
#define MANIFEST(artifacts) HEAD EXPIRES "\"artifacts\": [" artifacts "]}"

static Release *parse(const char *text, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	return release_parse(bytes, "m", error);
}

static void test_manifest(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Release) release = parse(MANIFEST(PROGRAM), &error);

	g_assert_no_error(error);
	g_assert_cmpstr(release->version, ==, "1.0.0");
	g_assert_cmpuint(release->serial, ==, 7);
	g_assert_cmpint(release->expires_s, ==, 1826755200);
	const ReleaseArtifact *program = release_program(release, "linux-x86_64");
	g_assert_nonnull(program);
	g_assert_cmpstr(program->path, ==, "v1.0.0/slipway-1");
	g_assert_cmpuint(program->size_bytes, ==, 6000000);
	g_assert_null(release_program(release, "linux-riscv64"));
}

/* @old in the good manifest becomes @replacement. */
static const struct {
	const char *old;
	const char *replacement;
	const char *why;
} hostile[] = {
	{ "\"schema\": 1", "\"schema\": 2", "schema" },
	{ "\"schema\": 1", "\"schema\": 1, \"schema\": 1", "duplicate" },
	{ "1.0.0\", \"serial", "1.0\", \"serial", "version" },
	{ "1.0.0\", \"serial", "../1.0.0\", \"serial", "version" },
	{ "\"serial\": 7", "\"serial\": 0", "serial" },
	{ "\"serial\": 7", "\"serial\": -7", "serial" },
	{ "\"serial\": 7", "\"serial\": 7.5", "serial" },
	{ "\"serial\": 7", "\"serial\": \"7\"", "serial" },
	{ "\"serial\": 7", "\"serial\": 9007199254740993", "serial" },
	{ "2027-11-21T00:00:00Z", "2027-11-21", "expires" },
	{ "2027-11-21T00:00:00Z", "2027-13-21T00:00:00Z", "expires" },
	{ "2027-11-21T00:00:00Z", "2027-11-21T00:00:00+0", "expires" },
	{ "2027-11-21T00:00:00Z", "2027-11-21T00:00:00Z ", "expires" },
	{ "v1.0.0/slipway-1", "../slipway-1", "path" },
	{ "v1.0.0/slipway-1", "v1.0.0/../../slipway-1", "path" },
	{ "v1.0.0/slipway-1", "/slipway-1", "path" },
	{ "v1.0.0/slipway-1", "v1.0.0//slipway-1", "path" },
	{ "v1.0.0/slipway-1", "v1.0.0/slipway-1/", "path" },
	{ "v1.0.0/slipway-1", "./slipway-1", "path" },
	{ "v1.0.0/slipway-1", "file:slipway-1", "path" },
	{ "v1.0.0/slipway-1", "%2e%2e/slipway-1", "path" },
	{ "v1.0.0/slipway-1", "a\\\\b", "path" },
	{ "v1.0.0/slipway-1", "a\\nb", "path" },
	{ "v1.0.0/slipway-1", "a?b", "path" },
	{ "v1.0.0/slipway-1", "", "path" },
	{ "\"name\": \"slipway-1\"", "\"name\": \"v1/slipway\"", "name" },
	{ "\"name\": \"slipway-1\"", "\"name\": \".slipway\"", "name" },
	{ "\"name\": \"slipway-1\"", "\"name\": 1", "name" },
	{ "\"size\": 6000000", "\"size\": 0", "size" },
	{ "\"size\": 6000000", "\"size\": -1", "size" },
	{ "\"size\": 6000000", "\"size\": 67108865", "size" },
	{ "\"size\": 6000000", "\"size\": \"big\"", "size" },
	{ SHA, "0123", "sha256" },
	{ "9abcdef\"", "9abcdeF\"", "sha256" },
	{ "9abcdef\"", "9abcdef0\"", "sha256" },
	{ "linux-x86_64", "linux x86", "platform" },
	{ "linux-x86_64", "\\u001b[2J", "platform" },
	{ "\"program\"", "\"\"", "kind" },
	{ "[" PROGRAM "]", "{}", "list" },
	{ "[" PROGRAM "]", "[1]", "kind" },
	{ PROGRAM, PROGRAM ", " PROGRAM, "twice" },
};

static void test_hostile(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(hostile); i++) {
		g_auto(GStrv) parts = g_strsplit(MANIFEST(PROGRAM), hostile[i].old, -1);
		g_autofree char *text = g_strjoinv(hostile[i].replacement, parts);
		g_autoptr(GError) error = NULL;

		g_test_message("%s -> %s", hostile[i].old, hostile[i].replacement);
		g_assert_cmpuint(g_strv_length(parts), >, 1);
		g_assert_null(parse(text, &error));
		g_assert_error(error, FAULT, STATUS_DATA);
		g_assert_nonnull(strstr(error->message, hostile[i].why));
	}
}

static void test_manifest_bounds(void)
{
	g_autofree char *blanks = g_strnfill(RELEASE_MAX_BYTES, ' ');
	g_autofree char *large = g_strconcat(MANIFEST(PROGRAM), blanks, NULL);
	g_autoptr(GString) many = g_string_new(HEAD EXPIRES "\"artifacts\": [1");
	g_autoptr(GError) error = NULL;

	g_assert_null(parse(large, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
	g_clear_error(&error);

	for (guint i = 0; i < RELEASE_MAX_ARTIFACTS; i++)
		g_string_append(many, ",1");
	g_string_append(many, "]}");
	g_assert_null(parse(many->str, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
	g_assert_nonnull(strstr(error->message, "at most"));
}

/* In ascending order; the section 11 of Semantic Versioning has the middle of it. */
static const char *const ascending[] = {
	"0.0.0",
	"0.0.9",
	"0.0.10",
	"0.2.0",
	"1.0.0-alpha",
	"1.0.0-alpha.1",
	"1.0.0-alpha.beta",
	"1.0.0-beta",
	"1.0.0-beta.2",
	"1.0.0-beta.11",
	"1.0.0-rc.1",
	"1.0.0",
	"1.0.1",
	"9.9.9",
	"10.0.0",
	"99999999999999999999.0.0",
	"100000000000000000000.0.0",
};

static void test_versions(void)
{
	static const char *const refused[] = {
		"",
		"1",
		"1.2",
		"1.2.3.4",
		"01.2.3",
		"1.02.3",
		"v1.2.3",
		"1.2.3-",
		"1.2.x",
		"1.2.3+",
		"1.2.3-01",
		"1.2.3-a..b",
		"1.2.3-a/b",
		" 1.2.3",
		"1.2.3\n",
		"-1.2.3",
		"1.2.3-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(refused); i++)
		g_assert_false(release_is_version(refused[i]));
	for (gsize i = 0; i < G_N_ELEMENTS(ascending); i++) {
		g_assert_true(release_is_version(ascending[i]));
		g_assert_cmpint(release_compare_versions(ascending[i], ascending[i]), ==, 0);
		for (gsize j = i + 1; j < G_N_ELEMENTS(ascending); j++) {
			g_assert_cmpint(release_compare_versions(ascending[i], ascending[j]), <, 0);
			g_assert_cmpint(release_compare_versions(ascending[j], ascending[i]), >, 0);
		}
	}
	g_assert_true(release_is_version("1.0.0-a+b-1.001"));
	g_assert_cmpint(release_compare_versions("1.0.0+a", "1.0.0+b"), ==, 0);
}

#define SIGNERS 4
#define LAST_DAY "9999-12-31T23:59:59Z"

typedef struct {
	Signer signers[SIGNERS];
	GHashTable *files; /* what the source holds: name -> text */
	guint kept;
} World;

static void world_init(World *world, gconstpointer data G_GNUC_UNUSED)
{
	for (guint8 i = 0; i < SIGNERS; i++)
		signer_init(&world->signers[i], i);
	world->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static void world_clear(World *world, gconstpointer data G_GNUC_UNUSED)
{
	for (gsize i = 0; i < SIGNERS; i++)
		signer_clear(&world->signers[i]);
	g_hash_table_unref(world->files);
}

/* Returns: (transfer full): a root whose keys are those of the signers in @roots, by digit. */
static char *root_text(const World *world, guint version, guint threshold, const char *roots,
                       const char *expires)
{
	g_autoptr(GString) list = g_string_new(NULL);

	for (const char *digit = roots; *digit; digit++)
		g_string_append_printf(list, "%s\"%s\"", list->len ? ", " : "",
		                       world->signers[*digit - '0'].hex);
	return g_strdup_printf("{\"schema\": 1, \"version\": %u, \"expires\": \"%s\", "
	                       "\"threshold\": %u, \"roots\": [%s], \"releases\": [\"%s\"]}\n",
	                       version, expires, threshold, list->str, world->signers[3].hex);
}

static char *sign(const World *world, const char *text, const char *signers)
{
	g_autoptr(GString) lines = g_string_new(NULL);

	for (const char *digit = signers; *digit; digit++) {
		g_autofree char *line =
			signer_line(&world->signers[*digit - '0'], SIGNATURE_ROOT, text);
		g_string_append(lines, line);
	}
	return g_string_free(g_steal_pointer(&lines), FALSE);
}

static void publish(World *world, guint number, char *text, const char *signers)
{
	g_hash_table_insert(world->files, g_strdup_printf("root.%u.json.sig", number),
	                    sign(world, text, signers));
	g_hash_table_insert(world->files, g_strdup_printf("root.%u.json", number), text);
}

static GBytes *get(const char *name, gsize max_bytes, bool *is_absent, gpointer data,
                   GError **error)
{
	const World *world = data;
	const char *text = g_hash_table_lookup(world->files, name);

	g_assert_cmpuint(max_bytes, <=, TRUST_MAX_BYTES);
	*is_absent = !text;
	if (text && *text == '\0') { /* a server that is down */
		fault_set(error, STATUS_UNAVAILABLE, NULL, "%s: HTTP status 503", name);
		return NULL;
	}
	return text ? g_bytes_new(text, strlen(text)) : NULL;
}

static bool keep(GBytes *text, gpointer data, GError **error)
{
	World *world = data;

	(void)error;
	g_assert_cmpuint(g_bytes_get_size(text), >, 0);
	world->kept++;
	return true;
}

static TrustRoot *begin(const World *world, guint threshold, const char *roots)
{
	g_autofree char *text = root_text(world, 1, threshold, roots, LAST_DAY);
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	g_autoptr(GError) error = NULL;
	TrustRoot *root = trust_parse(bytes, "root", &error);

	g_assert_no_error(error);
	return root;
}

static bool walk(World *world, TrustRoot **root, GError **error)
{
	TrustSource source = { .get = get, .keep = keep, .data = world };

	world->kept = 0;
	return trust_walk(root, &source, error);
}

static void test_walk(World *world, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(TrustRoot) root = begin(world, 1, "0");
	g_autoptr(GError) error = NULL;

	g_assert_true(walk(world, &root, &error));
	g_assert_cmpuint(root->version, ==, 1);

	publish(world, 2, root_text(world, 2, 1, "1", "2001-01-01T00:00:00Z"), "01");
	publish(world, 3, root_text(world, 3, 1, "2", LAST_DAY), "12");
	g_assert_true(walk(world, &root, &error)); /* an expired one on the way is no matter */
	g_assert_cmpuint(root->version, ==, 3);
	g_assert_cmpuint(world->kept, ==, 2);
}

/* How root.2.json is made, and what becomes of it. */
static const struct {
	const char *what;
	guint number;
	guint threshold;
	const char *roots;
	const char *signers;
	const char *expires;
	int status;
} steps[] = {
	{ "both have signed", 2, 1, "1", "01", LAST_DAY, 0 },
	{ "the same key again", 2, 1, "0", "0", LAST_DAY, 0 },
	{ "not by the old key", 2, 1, "1", "1", LAST_DAY, STATUS_UNTRUSTED },
	{ "not by its own key", 2, 1, "1", "0", LAST_DAY, STATUS_UNTRUSTED },
	{ "by a stranger", 2, 1, "1", "2", LAST_DAY, STATUS_UNTRUSTED },
	{ "by a release key", 2, 1, "1", "13", LAST_DAY, STATUS_UNTRUSTED },
	{ "a number left out", 3, 1, "1", "01", LAST_DAY, STATUS_UNTRUSTED },
	{ "the number before", 1, 1, "1", "01", LAST_DAY, STATUS_UNTRUSTED },
	{ "its own threshold not met", 2, 2, "12", "01", LAST_DAY, STATUS_UNTRUSTED },
	{ "its own threshold met", 2, 2, "12", "012", LAST_DAY, 0 },
	{ "a threshold of 3 for 2 keys", 2, 3, "12", "012", LAST_DAY, STATUS_DATA },
	{ "a threshold of 0", 2, 0, "12", "012", LAST_DAY, STATUS_DATA },
	{ "no keys", 2, 1, "", "0", LAST_DAY, STATUS_DATA },
	{ "one key twice", 2, 2, "11", "01", LAST_DAY, STATUS_DATA },
	{ "expired", 2, 1, "1", "01", "2001-01-01T00:00:00Z", STATUS_UNTRUSTED },
	{ "no time", 2, 1, "1", "01", "never", STATUS_DATA },
};

static void test_steps(World *world, gconstpointer data G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		g_autoptr(TrustRoot) root = begin(world, 1, "0");
		g_autoptr(GError) error = NULL;

		g_test_message("%s", steps[i].what);
		publish(world, 2,
		        root_text(world, steps[i].number, steps[i].threshold, steps[i].roots,
		                  steps[i].expires),
		        steps[i].signers);
		bool is_done = walk(world, &root, &error);
		g_assert_cmpint(is_done ? 0 : (int)fault_status(error), ==, steps[i].status);
	}
}

/* Two of three have to sign; twice the same is one. */
static void test_threshold(World *world, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *signers;
		bool is_trusted;
	} rows[] = { { "0", false }, { "3", false }, { "02", true }, { "012", true } };

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(TrustRoot) root = begin(world, 2, "012");
		g_autoptr(GError) error = NULL;

		publish(world, 2, root_text(world, 2, 1, "0", LAST_DAY), rows[i].signers);
		g_assert_true(walk(world, &root, &error) == rows[i].is_trusted);
	}
}

static void test_broken_way(World *world, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(TrustRoot) root = begin(world, 1, "0");
	g_autoptr(GError) error = NULL;

	publish(world, 2, root_text(world, 2, 1, "1", LAST_DAY), "01");
	g_hash_table_insert(world->files, g_strdup("root.3.json"), g_strdup(""));
	g_assert_false(walk(world, &root, &error));
	g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
	g_assert_cmpuint(root->version, ==, 2); /* as far as it got */
	g_assert_cmpuint(world->kept, ==, 1);
	g_clear_error(&error);

	publish(world, 3, root_text(world, 3, 1, "1", LAST_DAY), "1");
	g_hash_table_remove(world->files, "root.3.json.sig");
	g_assert_false(walk(world, &root, &error));
	g_assert_error(error, FAULT, STATUS_UNTRUSTED);
}

static void test_too_many(World *world, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(TrustRoot) root = begin(world, 1, "0");
	g_autoptr(GError) error = NULL;

	for (guint number = 2; number <= TRUST_MAX_STEPS + 1; number++)
		publish(world, number, root_text(world, number, 1, "0", LAST_DAY), "0");
	g_autoptr(TrustRoot) same = begin(world, 1, "0");
	g_assert_true(walk(world, &same, &error));
	g_assert_cmpuint(same->version, ==, TRUST_MAX_STEPS + 1);

	publish(world, TRUST_MAX_STEPS + 2, root_text(world, TRUST_MAX_STEPS + 2, 1, "0", LAST_DAY),
	        "0");
	g_assert_false(walk(world, &root, &error));
	g_assert_error(error, FAULT, STATUS_UNTRUSTED);
}

static void test_embedded(void)
{
	g_autoptr(GBytes) text = trust_embedded();
	g_autoptr(GError) error = NULL;
	g_autoptr(TrustRoot) root = trust_parse(text, "embedded", &error);

	g_assert_no_error(error);
	g_assert_nonnull(root);
	g_assert_cmpint(trust_now(), >, 0);
}

static void test_no_keys(World *world, gconstpointer data G_GNUC_UNUSED)
{
	static const char none[] = "{\"schema\": 1, \"version\": 0, \"expires\": \"" LAST_DAY
				   "\", \"threshold\": 1, \"roots\": [], \"releases\": []}";
	g_autoptr(GBytes) text = g_bytes_new_static(none, strlen(none));
	g_autoptr(GError) error = NULL;
	g_autoptr(TrustRoot) root = trust_parse(text, "none", &error);

	g_assert_no_error(error);
	g_assert_false(walk(world, &root, &error));
	g_assert_error(error, FAULT, STATUS_CONFIG);
}

#define ADD(name, function) \
	g_test_add("/payload/trust/" name, World, NULL, world_init, function, world_clear)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/payload/release/manifest", test_manifest);
	g_test_add_func("/payload/release/hostile", test_hostile);
	g_test_add_func("/payload/release/bounds", test_manifest_bounds);
	g_test_add_func("/payload/release/versions", test_versions);
	g_test_add_func("/payload/trust/embedded", test_embedded);
	ADD("walk", test_walk);
	ADD("steps", test_steps);
	ADD("threshold", test_threshold);
	ADD("broken_way", test_broken_way);
	ADD("too_many", test_too_many);
	ADD("no_keys", test_no_keys);
	return g_test_run();
}
