/* payload/release_version.c - versions, and which comes first (Semantic Versioning 2.0.0)
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "payload/release.h"

#define VERSION_MAX_BYTES 64

static bool is_number(const char *text)
{
	gsize digits = strspn(text, "0123456789");

	return digits > 0 && text[digits] == '\0' && (digits == 1 || text[0] != '0');
}

static bool is_all_digits(const char *text)
{
	return text[strspn(text, "0123456789")] == '\0';
}

/* Identifiers with dots between them; a number of a pre-release has no leading zero. */
static bool are_identifiers(const char *text, bool is_prerelease)
{
	static const char chars[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ-";
	g_auto(GStrv) parts = g_strsplit(text, ".", -1);

	for (char **part = parts; *part; part++)
		if (**part == '\0' || (*part)[strspn(*part, chars)] ||
		    (is_prerelease && is_all_digits(*part) && !is_number(*part)))
			return false;

	return parts[0];
}

/* Cuts @text into its core and, NULL where there is none, pre-release and build. */
static void cut(char *text, const char **prerelease, const char **build)
{
	char *plus = strchr(text, '+');
	if (plus)
		*plus = '\0';
	char *minus = strchr(text, '-');
	if (minus)
		*minus = '\0';

	*build = plus ? plus + 1 : NULL;
	*prerelease = minus ? minus + 1 : NULL;
}

bool release_is_version(const char *text)
{
	g_autofree char *core = g_strdup(text);
	const char *prerelease = NULL;
	const char *build = NULL;

	cut(core, &prerelease, &build);
	g_auto(GStrv) numbers = g_strsplit(core, ".", -1);
	return strlen(text) <= VERSION_MAX_BYTES && g_strv_length(numbers) == 3 &&
	       is_number(numbers[0]) && is_number(numbers[1]) && is_number(numbers[2]) &&
	       (!prerelease || are_identifiers(prerelease, true)) &&
	       (!build || are_identifiers(build, false));
}

/* Numbers without leading zeros: the longer one is larger. */
static int compare_numbers(const char *a, const char *b)
{
	if (strlen(a) != strlen(b))
		return strlen(a) < strlen(b) ? -1 : 1;

	return strcmp(a, b);
}

static int compare_identifiers(const char *a, const char *b)
{
	if (is_all_digits(a) != is_all_digits(b))
		return is_all_digits(a) ? -1 : 1;

	return is_all_digits(a) ? compare_numbers(a, b) : strcmp(a, b);
}

/* The shorter list, all else equal, comes first. */
static int compare_lists(const char *a, const char *b)
{
	g_auto(GStrv) left = g_strsplit(a, ".", -1);
	g_auto(GStrv) right = g_strsplit(b, ".", -1);
	gsize i = 0;

	for (; left[i] && right[i]; i++) {
		int order = compare_identifiers(left[i], right[i]);
		if (order != 0)
			return order;
	}
	return (left[i] ? 1 : 0) - (right[i] ? 1 : 0);
}

int release_compare_versions(const char *a, const char *b)
{
	g_autofree char *left = g_strdup(a);
	g_autofree char *right = g_strdup(b);
	const char *left_pre = NULL;
	const char *right_pre = NULL;
	const char *build = NULL;

	cut(left, &left_pre, &build);
	cut(right, &right_pre, &build);
	int order = compare_lists(left, right);
	if (order != 0)
		return order;
	if (!left_pre || !right_pre)
		return (left_pre ? 0 : 1) - (right_pre ? 0 : 1);
	return compare_lists(left_pre, right_pre);
}
