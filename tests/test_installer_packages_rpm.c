/* tests/test_installer_packages_rpm.c - what the package managers of rpm systems say
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <sys/utsname.h>

#include "base/fault.h"
#include "base/tree.h"
#include "installer/package_advice.h"
#include "installer/package_manager.h"
#include "installer/package_rpm.h"
#include "installer/package_zypper.h"

static char *join(GPtrArray *names)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < names->len; i++)
		g_string_append_printf(text, "%s%s", i ? "|" : "", (char *)names->pdata[i]);
	return g_string_free(text, FALSE);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* dnf 4.14, dnf5 5.4.6 and zypper 1.14.89 wrote these lines; those of yum and microdnf are made after
 * their sources. */
static const struct {
	const char *name;
	PackageChanges *(*parse)(const char *text);
	const char *text;
	const char *added;
	const char *upgraded;
	const char *removed; /* NULL: no simulation */
} simulations[] = {
	{ "dnf4/install", package_dnf_parse_changes,
	  "tb                                              3.3 MB/s | 3.3 kB     00:00    \n"
	  "Dependencies resolved.\n"
	  "==============================================================================\n"
	  " Package             Architecture      Version              Repository     Size\n"
	  "==============================================================================\n"
	  "Installing:\n"
	  " git                 noarch            2.45.0-1             tb             19 k\n"
	  "Installing dependencies:\n"
	  " git-data            noarch            1-1                  tb             19 k\n"
	  "\nTransaction Summary\n"
	  "==============================================================================\n"
	  "Install  2 Packages\n\nTotal size: 38 k\nOperation aborted.\n",
	  "git|git-data", "", "" },
	{ "dnf4/long-names", package_dnf_parse_changes,
	  "Installing:\n"
	  " a-package-whose-name-is-longer-than-its-column\n"
	  "                     noarch            1-1                  tb             19 k\n"
	  "Installing weak dependencies:\n"
	  " glibc               s390              2-1                  tb             19 k\n"
	  "\nTransaction Summary\n",
	  "a-package-whose-name-is-longer-than-its-column|glibc.s390", "", "" },
	{ "dnf4/replaces", package_dnf_parse_changes,
	  "Installing:\n"
	  " new                 noarch            1-1                  tb             19 k\n"
	  "     replacing  old.noarch 0.9-1\n"
	  "Upgrading:\n"
	  " lib                 noarch            2-1                  tb             19 k\n"
	  "     replacing  lib.noarch 1-1\n"
	  "\nTransaction Summary\n",
	  "new", "lib -> 2-1", "old.noarch" },
	{ "dnf4/remove", package_dnf_parse_changes,
	  "Dependencies resolved.\n"
	  "Removing:\n"
	  " git-data            noarch            1-1                 @tb            347 k\n"
	  "Removing dependent packages:\n"
	  " git                 noarch            2.45.0-1            @tb            347 k\n"
	  "\nTransaction Summary\n Remove  2 Packages\n",
	  "", "", "git-data|git" },
	{ "dnf4/nothing", package_dnf_parse_changes,
	  "Package git-2.45.0-1.noarch is already installed.\nDependencies resolved.\n"
	  "Nothing to do.\nComplete!\n",
	  "", "", "" },
	{ "dnf4/unknown", package_dnf_parse_changes,
	  "No match for argument: nosuch\nError: Unable to find a match: nosuch\n", "", "", NULL },
	{ "dnf5/install", package_dnf_parse_changes,
	  "Updating and loading repositories:\n"
	  " t                                      100% | 113.3 KiB/s |   4.5 KiB |  00m00s\n"
	  "Repositories loaded.\nPackage \"beside-1-1.noarch\" is already installed.\n\n"
	  "Package                  Arch   Version    Repository      Size\n"
	  "Changing reason:\n"
	  " beside                  noarch 0:1-1      @System    347.4 KiB\n"
	  "   External User -> User                                       \n"
	  "Installing:\n"
	  " git                     noarch 0:2.45.0-1 t          347.4 KiB\n"
	  "Installing dependencies:\n"
	  " git-data                noarch 0:1-1      t          347.4 KiB\n"
	  "\nTransaction Summary:\n"
	  " Installing:         2 packages\n Changing reason:    1 package\n\n"
	  "Operation aborted by the user.\n",
	  "git|git-data", "", "" },
	{ "dnf5/upgrade", package_dnf_parse_changes,
	  "Repositories loaded.\n"
	  "Package             Arch   Version Repository      Size\n"
	  "Upgrading:\n"
	  " beside             noarch 0:2-1   t          347.4 KiB\n"
	  "   replacing beside noarch 0:1-1   <unknown>  347.4 KiB\n"
	  "\nTransaction Summary:\n Upgrading:          1 package\n",
	  "", "beside -> 0:2-1", "" },
	{ "yum/install", package_dnf_parse_changes,
	  "Loaded plugins: fastestmirror\nResolving Dependencies\n--> Running transaction check\n"
	  "---> Package git.noarch 0:1.8.3.1-25.el7_9 will be installed\n\n"
	  "Dependencies Resolved\n\n"
	  " Package      Arch       Version              Repository     Size\n"
	  "Installing:\n"
	  " git          noarch     1.8.3.1-25.el7_9     updates       4.4 M\n"
	  "Installing for dependencies:\n"
	  " perl-Git     noarch     1.8.3.1-25.el7_9     updates        56 k\n"
	  "Updating for dependencies:\n"
	  " openssl      noarch     1:1.0.2k-26.el7      updates        56 k\n\n"
	  "Transaction Summary\nInstall  1 Package (+1 Dependent package)\n\n"
	  "Exiting on user command\n",
	  "git|perl-Git", "openssl -> 1:1.0.2k-26.el7", "" },
	{ "microdnf/install", package_microdnf_parse_changes,
	  "Package                              Repository     Size\n"
	  "Installing:                                             \n"
	  " git-core-2.43.5-1.el9.noarch        baseos       4.6 MB\n"
	  " less-2:590-4.el9.s390               baseos     165.9 kB\n"
	  "Upgrading:                                              \n"
	  " openssl-libs-1:3.0.7-27.el9.noarch  baseos       2.2 MB\n"
	  "  replacing openssl-libs-1:3.0.7-25.el9.noarch          \n"
	  "Transaction Summary:\n Installing:        2 packages\n",
	  "git-core|less.s390", "openssl-libs -> openssl-libs-1:3.0.7-27.el9.noarch", "" },
	{ "microdnf/nothing", package_microdnf_parse_changes, "Nothing to do.\n", "", "", "" },
	{ "zypper/install", package_zypper_parse_changes,
	  "<?xml version='1.0'?>\n<stream>\n<message type=\"info\">Loading...</message>\n"
	  "<install-summary download-size=\"38476\" packages-to-change=\"4\">\n<to-install>\n"
	  "<solvable type=\"package\" name=\"git\" edition=\"2.45.0-1\" arch=\"noarch\" "
	  "repository=\"tb\" summary=\"git, for a "
	  "&quot;test&quot;\">\n<description>git</description></solvable>\n"
	  "<solvable type=\"patch\" name=\"p\" edition=\"1\" arch=\"noarch\"/>\n"
	  "</to-install>\n<to-upgrade>\n"
	  "<solvable type=\"package\" name=\"beside\" edition=\"2-1\" arch=\"noarch\" "
	  "edition-old=\"1-1\" arch-old=\"noarch\"/>\n</to-upgrade>\n<to-reinstall>\n"
	  "<solvable type=\"package\" name=\"same\" edition=\"2-1\" arch=\"noarch\"/>\n"
	  "</to-reinstall>\n<to-remove>\n"
	  "<solvable type=\"package\" name=\"old\" edition=\"2-1\" arch=\"s390\"/>\n</to-remove>\n"
	  "</install-summary>\n</stream>\n",
	  "git", "beside 1-1 -> 2-1", "old.s390" },
	{ "zypper/nothing", package_zypper_parse_changes,
	  "<stream>\n<install-summary packages-to-change=\"0\">\n</install-summary>\n</stream>\n",
	  "", "", "" },
	{ "zypper/unknown", package_zypper_parse_changes,
	  "<stream>\n<message type=\"error\">No provider of &apos;nosuch&apos; found.</message>\n"
	  "</stream>\n",
	  "", "", NULL },
	{ "zypper/cut", package_zypper_parse_changes, "<stream>\n<install-summary>\n<to-install>\n",
	  "", "", NULL },
	{ "zypper/broken", package_zypper_parse_changes,
	  "<stream><install-summary><to-install></install-summary></stream>", "", "", NULL },
	{ "zypper/silent", package_zypper_parse_changes, "", "", "", NULL },
};

static void test_simulations(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(simulations); i++) {
		g_autoptr(PackageChanges) changes = simulations[i].parse(simulations[i].text);

		g_test_message("%s", simulations[i].name);
		g_assert_true((changes != NULL) == (simulations[i].removed != NULL));
		if (!changes)
			continue;
		g_autofree char *added = join(changes->added);
		g_autofree char *upgraded = join(changes->upgraded);
		g_autofree char *removed = join(changes->removed);
		g_assert_cmpstr(added, ==, simulations[i].added);
		g_assert_cmpstr(upgraded, ==, simulations[i].upgraded);
		g_assert_cmpstr(removed, ==, simulations[i].removed);
	}
}

static const struct {
	const char *text;
	const char *why;
} complaints[] = {
	{ "<?xml version='1.0'?>\n<stream>\n<message type=\"info\">Loading...</message>\n"
	  "<message type=\"error\">No provider of &apos;nosuch&apos; found.</message>\n</stream>\n",
	  "No provider of 'nosuch' found." },
	{ "<stream><prompt id=\"1\">\n<description>Problem: 1: nothing provides &apos;x&apos;\n"
	  " Solution 1: do not install</description>\n<text>Choose</text></prompt></stream>",
	  "Problem: 1: nothing provides 'x'" },
	{ "<stream><solvable name=\"git\"><description>git</description></solvable></stream>",
	  NULL },
	{ "Problem: 1: nothing provides", NULL },
	{ "<stream><message type=\"error\">cut", NULL },
};

static void test_complaints(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(complaints); i++) {
		g_autofree char *why = package_zypper_explain(complaints[i].text);

		g_assert_cmpstr(why, ==, complaints[i].why);
	}
}

static void test_litter(void)
{
	g_autofree char *dir = g_dir_make_tmp("slipway-XXXXXX", NULL);
	static const char *const names[] = { "git",          "git;6b0199d0",  "other;6b0199d0",
		                             "git;6b0199d",  "git;6b0199dx",  "git.conf",
		                             "a;b;00000000", "a;b;0000000000" };
	g_autofree char *files =
		g_strdup_printf("%s/git\n%s/a;b\n%s\n(contains no files)\n", dir, dir, dir);
	g_autoptr(GPtrArray) litter = NULL;
	g_autofree char *joined = NULL;
	g_autofree char *want = g_strdup_printf("%s/a;b;00000000|%s/git;6b0199d0", dir, dir);

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(dir, names[i], NULL);

		g_assert_true(g_file_set_contents(path, "", 0, NULL));
	}
	litter = package_rpm_find_litter(files);
	g_ptr_array_sort(litter, by_name);
	joined = join(litter);
	g_assert_cmpstr(joined, ==, want);
	g_assert_true(tree_remove(dir, NULL));
}

static void test_list(void)
{
	g_autoptr(PackageSet) set = package_set_new();
	g_autoptr(PackageSet) empty = package_set_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	struct utsname machine;

	g_assert_cmpint(uname(&machine), ==, 0);
	text = g_strdup_printf("git\tnoarch\t2.45.0-1\nbash\t%s\t5-1\nvim\t%s_v2\t9-1\n"
	                       "glibc\ts390\t2-1\nkernel\tnoarch\t6.1\nkernel\tnoarch\t6.2\n"
	                       "gpg-pubkey\t(none)\tf2cbf7c5-6b0190ed\n",
	                       machine.machine, machine.machine);
	g_assert_true(package_rpm_parse_list(text, set, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(g_hash_table_size(set->installed), ==, 5);
	g_assert_cmpstr(g_hash_table_lookup(set->installed, "git"), ==, "2.45.0-1");
	g_assert_cmpstr(g_hash_table_lookup(set->installed, "bash"), ==, "5-1");
	g_assert_cmpstr(g_hash_table_lookup(set->installed, "vim"), ==, "9-1");
	g_assert_cmpstr(g_hash_table_lookup(set->installed, "glibc.s390"), ==, "2-1");
	g_assert_cmpstr(g_hash_table_lookup(set->installed, "kernel"), ==, "6.1 6.2");
	g_assert_false(package_rpm_parse_list("\n", empty, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
}

static void test_marks(void)
{
	g_autoptr(PackageSet) dnf = package_set_new();
	g_autoptr(PackageSet) zypper = package_set_new();

	package_rpm_parse_reasons("a\tnoarch\tuser\nb\tnoarch\tdependency\nc\tnoarch\tWeak "
	                          "Dependency\nd\ts390\tDependency\ne\tnoarch\tunknown\n\n",
	                          dnf);
	g_assert_cmpuint(g_hash_table_size(dnf->automatic), ==, 3);
	g_assert_true(g_hash_table_contains(dnf->automatic, "b"));
	g_assert_true(g_hash_table_contains(dnf->automatic, "d.s390"));
	package_zypper_parse_automatic("# AutoInstalled generated\n#\ngit-data\n#\n", zypper);
	g_assert_cmpuint(g_hash_table_size(zypper->automatic), ==, 1);
	g_assert_true(g_hash_table_contains(zypper->automatic, "git-data"));
}

static const struct {
	const char *text;
	const char *words;
} repositories[] = {
	{ "[a]\nname=a\ngpgkey=file:///etc/pki/rpm-gpg/KEY\n", "" },
	{ "[a]\ngpgkey=https://example.invalid/KEY\n[b]\ngpgkey = /etc/KEY\n",
	  "--setopt=a.gpgkey=" },
	{ "[a]\ngpgkey=file:///etc/KEY\n       https://example.invalid/KEY\nname=a\n",
	  "--setopt=a.gpgkey=" },
	{ "[a]\ngpgkey=file:///etc/KEY, http://example.invalid/KEY\r\n", "--setopt=a.gpgkey=" },
	{ "[a]\r\ngpgkey=file:///etc/KEY\r\n[b]\r\ngpgkey=ftp://x\r\n ftp://y\r\n",
	  "--setopt=b.gpgkey=" },
	{ "[a]\nbaseurl=https://example.invalid/\n  https://example.invalid/2\n", "" },
	{ "[a]\ngpgkeys=https://example.invalid/\n", "" },
	{ "gpgkey=https://example.invalid/\n", "" },
	{ "", "" },
};

static void test_network_keys(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(repositories); i++) {
		g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
		g_autofree char *joined = NULL;

		package_dnf_distrust(repositories[i].text, words);
		joined = join(words);
		g_test_message("%s", repositories[i].text);
		g_assert_cmpstr(joined, ==, repositories[i].words);
	}
}

static const struct {
	const char *manager;
	int exit_code;
	const char *text;
	PackageVerdict verdict;
} endings[] = {
	{ "dnf4", 200, "", PACKAGE_BUSY },
	{ "dnf4", 1, "Error: Unable to find a match: nosuch", PACKAGE_UNKNOWN },
	{ "dnf4", 1, "Operation aborted.", PACKAGE_DECLINED },
	{ "dnf4", 1, "Error: GPG check FAILED", PACKAGE_UNTRUSTED },
	{ "dnf4", 1,
	  "[MIRROR] git.rpm: Status code: 404\nNo more mirrors to try - All mirrors "
	  "were already tried without success",
	  PACKAGE_STALE },
	{ "dnf4", 1, "Problem: conflicting requests", PACKAGE_FAILED },
	{ "dnf5", 1, "Operation aborted by the user.", PACKAGE_DECLINED },
	{ "dnf5", 1, "Failed to obtain rpm transaction lock", PACKAGE_BUSY },
	{ "dnf5", 1, "OpenPGP check for package \"git\" has failed", PACKAGE_UNTRUSTED },
	{ "yum", 1, "Exiting on user command", PACKAGE_DECLINED },
	{ "zypper", 7, "", PACKAGE_BUSY },
	{ "zypper", 102, "", PACKAGE_WARNED },
	{ "zypper", 103, "", PACKAGE_AGAIN },
	{ "zypper", 104, "", PACKAGE_UNKNOWN },
	{ "zypper", 106, "", PACKAGE_WARNED },
	{ "zypper", 107, "", PACKAGE_WARNED },
	{ "zypper", 8, "Signature verification failed [4-Signatures]", PACKAGE_UNTRUSTED },
	{ "zypper", 4, "Problem: nothing provides", PACKAGE_FAILED },
	{ "apt", 100, "E: Unable to locate package x", PACKAGE_UNKNOWN },
	{ "apt", 100, "E: Could not get lock /var/lib/dpkg/lock-frontend", PACKAGE_BUSY },
	{ "apt", 100, "E: Failed to fetch x  404  Not Found", PACKAGE_STALE },
	{ "apt", 0, "Could not get lock", PACKAGE_DONE },
};

static void test_endings(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
		const PackageManager *manager = package_manager_row(endings[i].manager);

		g_test_message("%s %d %s", endings[i].manager, endings[i].exit_code,
		               endings[i].text);
		g_assert_cmpint(
			package_manager_judge(manager, endings[i].exit_code, endings[i].text), ==,
			endings[i].verdict);
	}
}

static const struct {
	bool (*parse)(const char *line, double *fraction, char **detail);
	const char *line;
	const char *detail;
} progress_lines[] = {
	{ package_dnf_parse_progress, "  Installing       : git-2.45.0-1.noarch       2/2 ",
	  "Installing : git-2.45.0-1.noarch 2/2" },
	{ package_dnf_parse_progress, "[4/4] Installing git-0:2.45.0-1.noarch  100% |   3.2 MiB/s",
	  "Installing "
	  "git-0:2.45.0-1.noarch 100% "
	  "| 3.2 MiB/s" },
	{ package_dnf_parse_progress, "Installing dependencies:", NULL },
	{ package_dnf_parse_progress, " Installing:         2 packages", NULL },
	{ package_dnf_parse_progress, "", NULL },
	{ package_dnf_parse_progress, "[", NULL },
	{ package_zypper_parse_progress, "(1/2) Installing: git-data-1-1.noarch [..done]",
	  "(1/2) Installing: git-data-1-1.noarch" },
	{ package_zypper_parse_progress, "Retrieving: git-1.noarch (tb) (2/2),  18.8 KiB    ",
	  "Retrieving: git-1.noarch (tb) (2/2),  18.8 KiB" },
	{ package_zypper_parse_progress, "Reading installed packages...", NULL },
};

static void test_progress(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(progress_lines); i++) {
		g_autofree char *detail = NULL;
		double fraction = 0;
		bool is_stage = progress_lines[i].parse(progress_lines[i].line, &fraction, &detail);

		g_test_message("%s", progress_lines[i].line);
		g_assert_true(is_stage == (progress_lines[i].detail != NULL));
		g_assert_cmpstr(detail, ==, progress_lines[i].detail);
	}
}

static void test_advice(void)
{
	const char *const packages[] = { "git", "python3", NULL };

	for (gsize i = 0; i < package_advice_count; i++) {
		const PackageAdvice *advice = &package_advice_table[i];
		g_autoptr(GError) error = NULL;

		g_assert_true(package_advice_find(advice->immutable) == advice);
		g_assert_true(!advice->catalogue || package_manager_row(advice->catalogue) ||
		              g_str_equal(advice->catalogue, "dnf"));
		package_advice_set(advice, packages, &error);
		g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
		g_assert_nonnull(strstr(fault_hint(error), "git python3"));
		g_assert_null(strstr(error->message, "%s"));
	}
	g_assert_null(package_advice_find(NULL));
	g_assert_null(package_advice_find("something new"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/packages/rpm/simulations", test_simulations);
	g_test_add_func("/packages/rpm/complaints", test_complaints);
	g_test_add_func("/packages/rpm/litter", test_litter);
	g_test_add_func("/packages/rpm/list", test_list);
	g_test_add_func("/packages/rpm/marks", test_marks);
	g_test_add_func("/packages/rpm/network-keys", test_network_keys);
	g_test_add_func("/packages/rpm/progress", test_progress);
	g_test_add_func("/packages/endings", test_endings);
	g_test_add_func("/packages/advice", test_advice);
	return g_test_run();
}
