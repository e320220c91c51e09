/* installer/package_rpm.c - what rpm, dnf, microdnf and yum say
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/package_rpm.h"

#include <string.h>
#include <sys/utsname.h>

#include "base/fault.h"

#define TRANSACTION_DIGITS 8

/* One row of a list, split at tabs. */
enum { COLUMN_NAME, COLUMN_ARCHITECTURE, COLUMN_LAST, COLUMNS };

/* "x86_64_v2" is AlmaLinux's for newer processors. */
char *package_rpm_name(const char *name, const char *arch)
{
	struct utsname machine;

	if (g_str_equal(arch, "noarch") ||
	    (uname(&machine) == 0 && g_str_has_prefix(arch, machine.machine)))
		return g_strdup(name);
	return g_strconcat(name, ".", arch, NULL);
}

static void add_row(PackageSet *set, char *const *row)
{
	g_autofree char *name = package_rpm_name(row[COLUMN_NAME], row[COLUMN_ARCHITECTURE]);
	const char *other = g_hash_table_lookup(set->installed, name);
	char *version = other ? g_strconcat(other, " ", row[COLUMN_LAST], NULL)
	                      : g_strdup(row[COLUMN_LAST]);

	g_hash_table_insert(set->installed, g_steal_pointer(&name), version);
}

bool package_rpm_parse_list(const char *text, PackageSet *set, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) row = g_strsplit(*line, "\t", -1);

		if (g_strv_length(row) == COLUMNS && !g_str_equal(row[COLUMN_NAME], "gpg-pubkey"))
			add_row(set, row);
	}
	if (g_hash_table_size(set->installed) > 0)
		return true;
	fault_set(error, STATUS_DATA, NULL, "rpm lists no package at all");
	return false;
}

/* dnf 4 says "dependency" and "weak-dependency", dnf 5 "Dependency" and "Weak Dependency". */
void package_rpm_parse_reasons(const char *text, PackageSet *set)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) row = g_strsplit(*line, "\t", -1);
		g_autofree char *reason = NULL;

		if (g_strv_length(row) != COLUMNS)
			continue;
		reason = g_ascii_strdown(row[COLUMN_LAST], -1);
		if (g_str_has_suffix(reason, "dependency"))
			g_hash_table_add(
				set->automatic,
				package_rpm_name(row[COLUMN_NAME], row[COLUMN_ARCHITECTURE]));
	}
}

/** The table of a transaction while it is read. */
typedef struct {
	PackageChanges *changes;
	GString *row; /* a row whose name is long goes on in the next line */
	const char *heading;
	char *(*name_of)(char *const *words);
	bool is_table; /* there is one, or nothing to do */
} Table;

static char *join_fields(char *const *fields)
{
	return fields[0] && fields[1] ? package_rpm_name(fields[0], fields[1]) : NULL;
}

/* "git-2:2.45.0-1.fc40.noarch" */
static char *split_full_name(char *const *fields)
{
	g_autofree char *name = g_strdup(fields[0]);
	char *arch = name ? strrchr(name, '.') : NULL;
	char *dash = arch ? g_strrstr_len(name, arch - name, "-") : NULL;

	dash = dash ? g_strrstr_len(name, dash - name, "-") : NULL;
	if (!dash)
		return NULL;
	*dash = '\0';
	return package_rpm_name(name, arch + 1);
}

/* Returns: (transfer full): the words of a row. */
static char **split_row(const char *row)
{
	g_auto(GStrv) words = g_strsplit_set(row, " \t", -1);
	GPtrArray *fields = g_ptr_array_new();

	for (char **word = words; *word; word++)
		if (**word)
			g_ptr_array_add(fields, g_strdup(*word));
	g_ptr_array_add(fields, NULL);
	return (char **)g_ptr_array_free(fields, FALSE);
}

static bool is_one_of(const char *heading, const char *const *starts)
{
	for (; *starts; starts++)
		if (g_str_has_prefix(heading, *starts))
			return true;

	return false;
}

static const char *version_in(const Table *table, char *const *fields)
{
	bool has_column = table->name_of != split_full_name && fields[1] && fields[2];

	return has_column ? fields[2] : fields[0];
}

static void end_row(Table *table)
{
	g_auto(GStrv) fields = split_row(table->row->str);
	g_autofree char *name = table->heading ? table->name_of(fields) : NULL;

	g_string_truncate(table->row, 0);
	if (!name)
		return;
	if (is_one_of(table->heading, (const char *const[]){ "Installing", NULL }))
		g_ptr_array_add(table->changes->added, g_steal_pointer(&name));
	else if (is_one_of(table->heading, (const char *const[]){ "Removing", NULL }))
		g_ptr_array_add(table->changes->removed, g_steal_pointer(&name));
	else if (is_one_of(table->heading,
	                   (const char *const[]){ "Upgrading:", "Updating:", "Updating for",
	                                          "Downgrading:", NULL }))
		g_ptr_array_add(table->changes->upgraded,
		                g_strdup_printf("%s -> %s", name, version_in(table, fields)));
}

/* "old.x86_64 1.0-1" (dnf 4), "old x86_64 1.0-1" (dnf 5), "old-1.0-1.x86_64" (microdnf). */
static bool is_same_package(const Table *table, char *const *old, char *const *new)
{
	g_autofree char *name = table->name_of(new);
	g_autofree char *full = split_full_name(old);
	gsize length = name ? strlen(name) : 0;

	if (table->name_of == split_full_name)
		return g_strcmp0(full, name) == 0;
	return strncmp(*old, name, length) == 0 && (!(*old)[length] || (*old)[length] == '.');
}

/* Another name means that the old package goes. */
static void read_replaced(Table *table, const char *line)
{
	g_auto(GStrv) fields = split_row(line);
	g_auto(GStrv) row = split_row(table->row->str);

	if (fields[1] && row[0] && row[1] && !is_same_package(table, fields + 1, row))
		g_ptr_array_add(table->changes->removed, g_strdup(fields[1]));
}

static void read_line(Table *table, const char *line)
{
	gsize indent = strspn(line, " ");

	if (indent == 0 || !line[indent]) {
		end_row(table);
		table->heading = g_str_has_suffix(line, ":") ? line : NULL;
		if (g_str_has_prefix(line, "Transaction Summary") ||
		    g_str_has_prefix(line, "Nothing to do"))
			table->is_table = true;
		return;
	}
	if (!table->heading || table->is_table)
		return;
	if (g_str_has_prefix(line + indent, "replacing ")) {
		read_replaced(table, line);
		return;
	}
	if (indent == 1)
		end_row(table);
	g_string_append(table->row, line);
}

static PackageChanges *parse_table(const char *text, char *(*name_of)(char *const *fields))
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autoptr(PackageChanges) changes = package_changes_new();
	Table table = {
		.changes = changes,
		.row = g_string_new(NULL),
		.name_of = name_of,
	};

	for (char **line = lines; *line; line++)
		read_line(&table, g_strchomp(*line));
	end_row(&table);
	(void)g_string_free(table.row, TRUE);
	return table.is_table ? g_steal_pointer(&changes) : NULL;
}

PackageChanges *package_dnf_parse_changes(const char *text)
{
	return parse_table(text, join_fields);
}

PackageChanges *package_microdnf_parse_changes(const char *text)
{
	return parse_table(text, split_full_name);
}

/* "  Installing       : git-2.45.0-1.noarch      2/2 ", "[2/4] Installing git-0:2.45.0-1.noarch" */
bool package_dnf_parse_progress(const char *line, double *fraction, char **detail)
{
	static const char *const stages[] = { "Downloading",       "Installing", "Upgrading",
		                              "Updating",          "Erasing",    "Removing",
		                              "Running scriptlet", "Verifying" };
	g_auto(GStrv) words = split_row(line);
	char **start = words[0] && *words[0] == '[' ? words + 1 : words;

	for (gsize i = 0; *start && i < G_N_ELEMENTS(stages); i++) {
		g_autofree char *text = g_strjoinv(" ", start);

		/* "Installing:" heads a table. */
		if (!g_str_has_prefix(text, stages[i]) || g_str_has_suffix(*start, ":") ||
		    g_str_has_suffix(text, ":"))
			continue;
		*fraction = -1;
		*detail = g_steal_pointer(&text);
		return true;
	}

	return false;
}

/* Whether @path is a file of @files with the number of a transaction behind it. */
static bool is_litter(GHashTable *files, const char *path)
{
	const char *number = strrchr(path, ';');
	g_autofree char *file = number ? g_strndup(path, (gsize)(number - path)) : NULL;

	return file && strlen(number + 1) == TRANSACTION_DIGITS &&
	       strspn(number + 1, "0123456789abcdef") == TRANSACTION_DIGITS &&
	       g_hash_table_contains(files, file);
}

static void search(const char *directory, GHashTable *files, GPtrArray *litter)
{
	g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(directory, name, NULL);

		if (is_litter(files, path))
			g_ptr_array_add(litter, g_steal_pointer(&path));
	}
}

GPtrArray *package_rpm_find_litter(const char *files)
{
	g_auto(GStrv) lines = g_strsplit(files, "\n", -1);
	g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) directories =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GPtrArray *litter = g_ptr_array_new_with_free_func(g_free);
	GHashTableIter each;
	gpointer directory;

	for (char **line = lines; *line; line++)
		if (**line == '/') {
			g_hash_table_add(known, *line);
			g_hash_table_add(directories, g_path_get_dirname(*line));
		}
	g_hash_table_iter_init(&each, directories);
	while (g_hash_table_iter_next(&each, &directory, NULL))
		search(directory, known, litter);
	return litter;
}

static bool is_on_this_machine(const char *keys)
{
	g_auto(GStrv) words = g_strsplit_set(keys, " \t,", -1);

	for (char **word = words; *word; word++)
		if (**word && !g_str_has_prefix(*word, "file:") && **word != '/')
			return false;

	return true;
}

/* (nullable): what stands behind "gpgkey =", or on the lines that go on with it. */
static const char *find_keys(const char *line, bool *goes_on)
{
	const char *equals = strchr(line, '=');

	if (g_ascii_isspace(*line))
		return *goes_on ? line : NULL;
	*goes_on = g_str_has_prefix(line, "gpgkey") && equals &&
	           strspn(line + 6, " \t") == (gsize)(equals - line - 6);
	return *goes_on ? equals + 1 : NULL;
}

void package_dnf_distrust(const char *text, GPtrArray *words)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *id = NULL;
	bool goes_on = false;

	for (char **line = lines; *line; line++) {
		const char *keys = find_keys(*line, &goes_on);

		g_strchomp(*line);
		if (**line == '[') {
			g_free(id);
			id = g_strndup(*line + 1, strcspn(*line + 1, "]"));
		} else if (keys && id && !is_on_this_machine(keys)) {
			g_ptr_array_add(words, g_strdup_printf("--setopt=%s.gpgkey=", id));
			g_clear_pointer(&id, g_free); /* once is enough */
		}
	}
}

static void read_repositories(const char *directory, GPtrArray *words)
{
	g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(directory, name, NULL);
		g_autofree char *text = NULL;

		if (g_str_has_suffix(name, ".repo") && g_file_get_contents(path, &text, NULL, NULL))
			package_dnf_distrust(text, words);
	}
}

static char **distrust_all(void)
{
	GPtrArray *words = g_ptr_array_new();

	read_repositories("/etc/yum.repos.d", words);
	read_repositories("/etc/distro.repos.d", words);
	read_repositories("/usr/share/dnf5/repos.d", words);
	g_ptr_array_add(words, NULL);
	return (char **)g_ptr_array_free(words, FALSE);
}

/* yum 3.4, dnf 4.14 to 4.23, dnf 5.2 to 5.4, microdnf 3.9. */
static const PackageWords words[] = {
	{ "Failed to obtain", PACKAGE_BUSY }, /* "rpm transaction lock", "the transaction lock" */
	{ "can't create transaction lock", PACKAGE_BUSY },
	{ "already locked by", PACKAGE_BUSY },
	{ "GPG check FAILED", PACKAGE_UNTRUSTED },
	{ "GPG signature verification error", PACKAGE_UNTRUSTED },
	{ "OpenPGP check", PACKAGE_UNTRUSTED },
	{ "is not signed", PACKAGE_UNTRUSTED },
	{ "GPG public keys installed", PACKAGE_UNTRUSTED },
	{ "incorrect checksum", PACKAGE_DAMAGED },
	{ "checksum doesn't match", PACKAGE_DAMAGED },
	{ "does not match intended download", PACKAGE_DAMAGED },
	{ "All mirrors were", PACKAGE_STALE },
	{ "all mirrors were already tried", PACKAGE_STALE },
	{ "No more mirrors to try", PACKAGE_STALE },
	{ "No match for argument", PACKAGE_UNKNOWN },
	{ "Unable to find a match", PACKAGE_UNKNOWN },
	{ "Operation aborted", PACKAGE_DECLINED },
	{ "Exiting on user command", PACKAGE_DECLINED },
	{ NULL, PACKAGE_FAILED },
};

const PackageDialect package_dnf_dialect = {
	.parse_list = package_rpm_parse_list,
	.parse_automatic = package_rpm_parse_reasons,
	.parse_changes = package_dnf_parse_changes,
	.parse_progress = package_dnf_parse_progress,
	.find_litter = package_rpm_find_litter,
	.edited = ".rpmsave",
	.displaced = ".rpmorig",
	.options = distrust_all,
	.words = words,
};

const PackageDialect package_microdnf_dialect = {
	.parse_list = package_rpm_parse_list,
	.parse_changes = package_microdnf_parse_changes,
	.parse_progress = package_dnf_parse_progress,
	.find_litter = package_rpm_find_litter,
	.edited = ".rpmsave",
	.displaced = ".rpmorig",
	.options = distrust_all,
	.words = words,
};
