/* installer/package_advice.c - systems whose packages are not installed while they run
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/package_advice.h"

#include "base/fault.h"

/* Their package managers are there too (dnf, zypper, pacman), and would fail, or change an image that
 * the next update puts away. */
const PackageAdvice package_advice_table[] = {
	{ "ostree", "dnf", "an image that rpm-ostree makes",
	  "Run \"sudo rpm-ostree install --idempotent %s\", restart the machine, then run slipway "
	  "again." },
	{ "transactional-update", "zypper", "a snapshot that transactional-update makes",
	  "Run \"sudo transactional-update -n pkg install %s\", restart the machine, then run "
	  "slipway again." },
	{ "nixos", NULL, "built from its configuration",
	  "Add %s to environment.systemPackages in /etc/nixos/configuration.nix, run \"sudo "
	  "nixos-rebuild switch\", then run slipway again." },
	{ "steamos", "pacman", "an image that each update replaces",
	  "Run slipway in a container, in which %s can be installed: \"distrobox create --name "
	  "slipway --image debian:stable\", then \"distrobox enter slipway\"." },
};

const gsize package_advice_count = G_N_ELEMENTS(package_advice_table);

const PackageAdvice *package_advice_find(const char *immutable)
{
	for (gsize i = 0; immutable && i < package_advice_count; i++)
		if (g_str_equal(package_advice_table[i].immutable, immutable))
			return &package_advice_table[i];

	return NULL;
}

/* @text with @word in the place of its "%s". */
static char *fill(const char *text, const char *word)
{
	g_auto(GStrv) parts = g_strsplit(text, "%s", 2);

	return g_strjoinv(word, parts);
}

void package_advice_set(const PackageAdvice *advice, const char *const *packages, GError **error)
{
	g_autofree char *joined = g_strjoinv(" ", (char **)(guintptr)packages);
	g_autofree char *hint = fill(advice->advice, joined);

	fault_set(error, STATUS_UNAVAILABLE, hint, "%s: missing, and this system is %s", joined,
	          advice->title);
}
