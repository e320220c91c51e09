/* payload/unpack_rules.c - which entries of an archive are admitted
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "payload/unpack_private.h"

#define MIB (G_GUINT64_CONSTANT(1) << 20)
#define GIB (G_GUINT64_CONSTANT(1) << 30)

#define MAX_PATH_BYTES 1024
#define MAX_COMPONENT_BYTES 255
#define MAX_DEPTH 32
#define SHOWN_BYTES 160

/* A ratio says nothing about the headers of a small archive. */
#define RATIO_FREE_BYTES MIB

typedef struct {
	char *name;
	UnpackKind kind;
	bool is_implied; /* a directory that only stands in front of another name */
} Seen;

struct UnpackRules {
	ArchiveLimits limits;
	guint64 archive_bytes;
	guint64 entries;
	guint64 total_bytes;
	GHashTable *seen; /* folded name -> Seen */
	char *stripped;   /* the components that strip_components took off the first entry */
};

static void seen_free(gpointer data)
{
	Seen *seen = data;

	g_free(seen->name);
	g_free(seen);
}

static ArchiveLimits with_defaults(const ArchiveLimits *limits)
{
	ArchiveLimits all = limits ? *limits : (ArchiveLimits){ 0 };

	all.max_entries = all.max_entries ? all.max_entries : 50000;
	all.max_file_bytes = all.max_file_bytes ? all.max_file_bytes : 8 * GIB;
	all.max_total_bytes = all.max_total_bytes ? all.max_total_bytes : 32 * GIB;
	all.max_ratio = all.max_ratio ? all.max_ratio : 200;
	return all;
}

UnpackRules *unpack_rules_new(const ArchiveLimits *limits, guint64 archive_bytes)
{
	UnpackRules *rules = g_new0(UnpackRules, 1);

	rules->limits = with_defaults(limits);
	rules->archive_bytes = archive_bytes;
	rules->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, seen_free);
	return rules;
}

void unpack_rules_free(UnpackRules *rules)
{
	if (!rules)
		return;

	g_hash_table_unref(rules->seen);
	g_free(rules->stripped);
	g_free(rules);
}

void unpack_entry_clear(UnpackEntry *entry)
{
	g_clear_pointer(&entry->path, g_free);
	g_clear_pointer(&entry->target, g_free);
}

char *unpack_escape(const char *name)
{
	g_autofree char *cut = g_strndup(name, SHOWN_BYTES);
	g_autofree char *escaped = g_strescape(cut, NULL);

	return g_strconcat("\"", escaped, strlen(name) > SHOWN_BYTES ? "...\"" : "\"", NULL);
}

/* Always false.  @why continues the sentence that the name starts. */
static bool refuse(const char *name, GError **error, const char *why)
{
	g_autofree char *shown = unpack_escape(name ? name : "");

	fault_set(error, STATUS_DATA, NULL, "entry %s %s", shown, why);
	return false;
}

static guint64 saturated_product(guint64 a, guint64 b)
{
	return b && a > G_MAXUINT64 / b ? G_MAXUINT64 : a * b;
}

static guint64 ratio_bound(const ArchiveLimits *limits, guint64 archive_bytes)
{
	return MAX(RATIO_FREE_BYTES, saturated_product(archive_bytes, limits->max_ratio));
}

guint64 unpack_rules_max_stream(const ArchiveLimits *limits, guint64 archive_bytes)
{
	ArchiveLimits all = with_defaults(limits);

	return ratio_bound(&all, archive_bytes);
}

static bool component_is_good(const char *component, gsize size_bytes, const char *name,
                              GError **error)
{
	if (size_bytes == 0)
		return refuse(name, error, "has an empty path component");
	if (size_bytes > MAX_COMPONENT_BYTES)
		return refuse(name, error, "has a path component of more than 255 bytes");
	if (strncmp(component, "..", MAX(size_bytes, 2)) == 0)
		return refuse(name, error, "leads out of the archive with \"..\"");
	if (strncmp(component, ".", size_bytes) == 0)
		return refuse(name, error, "has a \".\" inside its path");

	return true;
}

/* Bytes that no name may have: they deceive terminals, shells and other systems. */
static bool bytes_are_good(const char *text, const char *name, GError **error)
{
	if (!g_utf8_validate(text, -1, NULL))
		return refuse(name, error, "is not UTF-8");
	if (strchr(text, '\\'))
		return refuse(name, error, "has a backslash in it");
	for (const char *at = text; *at; at = g_utf8_find_next_char(at, NULL))
		if (g_unichar_iscntrl(g_utf8_get_char(at)))
			return refuse(name, error, "has a control character in it");

	return true;
}

static bool name_is_good(const char *clean, const char *name, GError **error)
{
	guint depth = 0;

	if (*clean == '/')
		return refuse(name, error, "is an absolute path");
	if (strlen(clean) > MAX_PATH_BYTES)
		return refuse(name, error, "is a path of more than 1024 bytes");
	if (!bytes_are_good(clean, name, error))
		return false;

	for (const char *at = clean;; at++) {
		gsize size_bytes = strcspn(at, "/");

		if (!component_is_good(at, size_bytes, name, error))
			return false;
		if (++depth > MAX_DEPTH)
			return refuse(name, error, "is more than 32 directories deep");
		at += size_bytes;
		if (!*at)
			return true;
	}
}

/* "./a/b/" -> "a/b": how tar writes "." and directories.  Returns: "" for the root itself. */
static char *clean_name(const UnpackClaim *claim)
{
	const char *name = claim->name;
	char *clean = NULL;
	gsize size_bytes = 0;

	if (g_str_equal(name, "."))
		return g_strdup("");
	if (g_str_has_prefix(name, "./"))
		name += 2;

	clean = g_strdup(name);
	size_bytes = strlen(clean);
	if (claim->kind == UNPACK_DIRECTORY && size_bytes > 1 && clean[size_bytes - 1] == '/')
		clean[size_bytes - 1] = '\0';
	return clean;
}

/* Of ASCII the same comes out either way, at a tenth of the cost. */
static char *fold(const char *name)
{
	if (g_str_is_ascii(name))
		return g_ascii_strdown(name, -1);

	g_autofree char *decomposed = g_utf8_normalize(name, -1, G_NORMALIZE_DEFAULT);

	return g_utf8_casefold(decomposed, -1);
}

static bool refuse_pair(const char *name, const char *other, GError **error, const char *why)
{
	g_autofree char *shown = unpack_escape(name);
	g_autofree char *shown_other = unpack_escape(other);

	fault_set(error, STATUS_DATA, NULL, "entry %s %s %s", shown, why, shown_other);
	return false;
}

static void remember(UnpackRules *rules, const char *name, UnpackKind kind, bool is_implied)
{
	Seen *seen = g_new0(Seen, 1);

	seen->name = g_strdup(name);
	seen->kind = kind;
	seen->is_implied = is_implied;
	g_hash_table_replace(rules->seen, fold(name), seen);
}

static Seen *recall(const UnpackRules *rules, const char *name)
{
	g_autofree char *key = fold(name);

	return g_hash_table_lookup(rules->seen, key);
}

static bool note_parents(UnpackRules *rules, const char *name, GError **error)
{
	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		g_autofree char *parent = g_strndup(name, (gsize)(slash - name));
		const Seen *seen = recall(rules, parent);

		if (!seen)
			remember(rules, parent, UNPACK_DIRECTORY, true);
		else if (strcmp(seen->name, parent) != 0)
			return refuse_pair(name, seen->name, error,
			                   "lies in a directory that differs only in case from");
		else if (seen->kind != UNPACK_DIRECTORY)
			return refuse_pair(name, seen->name, error,
			                   "lies below an entry that is no directory:");
	}

	return true;
}

static bool note_name(UnpackRules *rules, const char *name, UnpackKind kind, GError **error)
{
	Seen *seen = recall(rules, name);

	if (!note_parents(rules, name, error))
		return false;
	if (!seen) {
		remember(rules, name, kind, false);
		return true;
	}
	if (strcmp(seen->name, name) != 0)
		return refuse_pair(name, seen->name, error, "differs only in case from");
	if (kind != UNPACK_DIRECTORY || !seen->is_implied)
		return refuse(name, error, "is in the archive twice");

	seen->is_implied = false;
	return true;
}

static bool count_entry(UnpackRules *rules, const UnpackClaim *claim, GError **error)
{
	const ArchiveLimits *limits = &rules->limits;
	guint64 size_bytes = claim->size_bytes > 0 ? (guint64)claim->size_bytes : 0;

	if (claim->size_bytes < 0)
		return refuse(claim->name, error, "has a negative size");
	if (size_bytes > 0 && claim->kind != UNPACK_FILE)
		return refuse(claim->name, error, "is no file, but has content");
	if (size_bytes > limits->max_file_bytes)
		return refuse(claim->name, error, "is larger than one file may be");
	rules->total_bytes += size_bytes;
	if (rules->total_bytes > limits->max_total_bytes)
		return refuse(claim->name, error, "makes the archive larger than it may be");
	if (rules->total_bytes > ratio_bound(limits, rules->archive_bytes))
		return refuse(claim->name, error,
		              "makes the content too large for so small an archive");

	return true;
}

static bool type_is_good(const UnpackRules *rules, const UnpackClaim *claim, GError **error)
{
	switch (claim->kind) {
	case UNPACK_OTHER:
		return refuse(claim->name, error, "is a device, a FIFO or a socket");
	case UNPACK_SYMLINK:
		if (!rules->limits.has_symlinks)
			return refuse(claim->name, error, "is a symbolic link");
		break;
	case UNPACK_FILE:
	case UNPACK_DIRECTORY:
	case UNPACK_HARDLINK:
	default:
		break;
	}
	/* Readers take an unknown type for a file; those who wrote it meant something else. */
	if (claim->typeflag > 0 && !strchr("01257S", claim->typeflag))
		return refuse(claim->name, error, "is of an unknown type");
	if (claim->typeflag < 0)
		return refuse(claim->name, error, "has no header of its own");
	if (claim->mode & 07000)
		return refuse(claim->name, error, "is setuid, setgid or sticky");

	return true;
}

/* A symlink stays inside if ".." stands only in front and not more often than there are
 * directories above it: those are real ones, and every further link obeys the same rule. */
static bool symlink_is_good(const char *path, const char *target, GError **error)
{
	guint depth = 0;

	if (!target || !*target || *target == '/' || strlen(target) > MAX_PATH_BYTES)
		return refuse(path, error,
		              "is a symbolic link that is empty, absolute or too long");
	if (!bytes_are_good(target, path, error))
		return false;

	for (const char *at = path; *at; at++)
		depth += *at == '/';
	while (g_str_has_prefix(target, "../") || g_str_equal(target, "..")) {
		if (depth-- == 0)
			return refuse(path, error, "is a symbolic link that leads out");
		target += target[2] ? 3 : 2;
	}

	return !*target || name_is_good(target, path, error);
}

/* Returns: (transfer full): @name without its first components; NULL with DATA set. */
static char *strip(UnpackRules *rules, const char *name, GError **error)
{
	const char *at = name;

	for (guint i = 0; i < rules->limits.strip_components; i++) {
		at = strchr(at, '/');
		if (!at)
			return g_strdup("");
		at++;
	}

	g_autofree char *front = g_strndup(name, (gsize)(at - name));
	if (!rules->stripped)
		rules->stripped = g_strdup(front);
	if (strcmp(front, rules->stripped) != 0) {
		(void)refuse_pair(name, rules->stripped, error, "is not below");
		return NULL;
	}

	return g_strdup(at);
}

static bool is_wanted(const UnpackRules *rules, const char *name)
{
	const char *const *only = rules->limits.only;

	for (gsize i = 0; only && only[i]; i++)
		if (g_str_has_prefix(name, only[i]))
			return true;

	return !only;
}

/* Fills entry->path and entry->target; both stay NULL for an entry that is not selected. */
static bool place(UnpackRules *rules, const char *name, const UnpackClaim *claim,
                  UnpackEntry *entry, GError **error)
{
	if (!is_wanted(rules, name))
		return true;

	g_autofree char *path = strip(rules, name, error);
	if (!path)
		return false;
	if (!*path)
		return claim->kind == UNPACK_DIRECTORY ||
		       refuse(name, error, "lies above the directory that is taken off");
	if (claim->kind == UNPACK_SYMLINK) {
		if (!symlink_is_good(path, claim->target, error))
			return false;
		entry->target = g_strdup(claim->target);
	}
	if (claim->kind == UNPACK_HARDLINK) {
		const char *target =
			claim->target + (g_str_has_prefix(claim->target, "./") ? 2 : 0);

		entry->target =
			is_wanted(rules, target) ? strip(rules, target, error) : g_strdup("");
		if (!entry->target)
			return false;
		if (!*entry->target)
			return refuse(name, error, "is a hard link to a file that is left out");
	}

	entry->path = g_steal_pointer(&path);
	return true;
}

/* Only a file that this archive brought already: never a link, never something outside. */
static bool hardlink_is_good(const UnpackRules *rules, const UnpackClaim *claim, GError **error)
{
	const char *target = claim->target;
	const Seen *seen = NULL;

	if (claim->kind != UNPACK_HARDLINK)
		return true;
	if (!target)
		return refuse(claim->name, error, "is a hard link to nothing");
	if (g_str_has_prefix(target, "./"))
		target += 2;
	if (!name_is_good(target, claim->name, error))
		return false;

	seen = recall(rules, target);
	if (!seen || strcmp(seen->name, target) != 0 || seen->kind != UNPACK_FILE)
		return refuse(claim->name, error,
		              "is a hard link to no earlier file of the archive");

	return true;
}

bool unpack_rules_admit(UnpackRules *rules, const UnpackClaim *claim, UnpackEntry *entry,
                        GError **error)
{
	if (++rules->entries > rules->limits.max_entries) {
		fault_set(error, STATUS_DATA, NULL, "more than %" G_GUINT64_FORMAT " entries",
		          rules->limits.max_entries);
		return false;
	}
	if (!claim->name)
		return refuse("", error, "has no name");

	g_autofree char *name = clean_name(claim);
	if (!type_is_good(rules, claim, error) || !count_entry(rules, claim, error))
		return false;
	if (!*name && claim->kind == UNPACK_DIRECTORY)
		return true;
	if (!name_is_good(name, claim->name, error) || !hardlink_is_good(rules, claim, error) ||
	    !note_name(rules, name, claim->kind, error))
		return false;

	entry->kind = claim->kind;
	entry->size_bytes = (guint64)claim->size_bytes;
	entry->is_executable = (claim->mode & 0111) != 0;
	return place(rules, name, claim, entry, error);
}
