/* tests/test_installer_keys.c - exit statuses of keystore answers, names that may become variables
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/keys.h"

static void test_translate(void)
{
	static const struct {
		KeystoreError code;
		ExitStatus status;
	} cases[] = {
		{ KEYSTORE_ERROR_NOT_FOUND, STATUS_FAILED },
		{ KEYSTORE_ERROR_LOCKED, STATUS_CONFIG },
		{ KEYSTORE_ERROR_UNAVAILABLE, STATUS_CONFIG },
		{ KEYSTORE_ERROR_TIMEOUT, STATUS_BUSY },
		{ KEYSTORE_ERROR_DENIED, STATUS_DENIED },
		{ KEYSTORE_ERROR_CORRUPT, STATUS_DATA },
		{ KEYSTORE_ERROR_WRONG_KEY, STATUS_DENIED },
		{ KEYSTORE_ERROR_BAD_NAME, STATUS_USAGE },
		{ KEYSTORE_ERROR_BAD_SECRET, STATUS_USAGE },
		{ KEYSTORE_ERROR_STALE, STATUS_DATA },
		{ KEYSTORE_ERROR_EXISTS, STATUS_BUSY },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		keystore_fail(&error, cases[i].code, "Do this.", "it failed");
		keys_translate(&error);
		g_assert_cmpint(fault_status(error), ==, cases[i].status);
		g_assert_cmpstr(fault_hint(error), ==, "Do this.");
	}
}

static void test_translate_leaves_others(void)
{
	g_autoptr(GError) none = NULL;
	g_autoptr(GError) other = NULL;

	fault_set(&other, STATUS_IO, NULL, "something else");
	keys_translate(&none);
	keys_translate(&other);
	g_assert_null(none);
	g_assert_cmpint(fault_status(other), ==, STATUS_IO);
}

static void test_variables(void)
{
	static const struct {
		const char *name;
		bool is_variable;
		bool is_steering;
	} cases[] = {
		{ "OPENAI_API_KEY", true, false },
		{ "_x9", true, false },
		{ "db.password", false, false },
		{ "with-dash", false, false },
		{ "9LIVES", false, false },
		{ "", false, false },
		{ "LD_PRELOAD", true, true },
		{ "LD_LIBRARY_PATH", true, true },
		{ "PATH", true, true },
		{ "PATHS", true, false },
		{ "BASH_ENV", true, true },
		{ "PYTHONPATH", true, true },
		{ "SLIPWAY_KEY_FILE", true, true },
		{ "IFS", true, true },
		{ "GITHUB_TOKEN", true, false },
		{ "DYLD_INSERT_LIBRARIES", true, true },
		{ "_JAVA_OPTIONS", true, true },
		{ "A=B", false, false },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_assert_true(keys_is_variable(cases[i].name) == cases[i].is_variable);
		g_assert_true(keys_is_steering(cases[i].name) == cases[i].is_steering);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/installer/keys/translate", test_translate);
	g_test_add_func("/installer/keys/leaves-others", test_translate_leaves_others);
	g_test_add_func("/installer/keys/variables", test_variables);
	return g_test_run();
}
