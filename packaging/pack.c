/* packaging/pack.c - build tool: files into one archive, the same bytes each time
 *
 * Usage: pack OUT.tar[.zst] ROOT FILE...   FILEs are relative to ROOT and sorted by byte.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static G_NORETURN void G_GNUC_PRINTF(1, 2) die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *message = g_strdup_vprintf(format, args);
	va_end(args);
	g_printerr("pack: %s\n", message);
	exit(1);
}

static void hold(struct archive *out, int status)
{
	if (status != ARCHIVE_OK)
		die("%s", archive_error_string(out));
}

static struct archive *open_archive(const char *path)
{
	struct archive *out = archive_write_new();

	hold(out, archive_write_set_format_pax_restricted(out));
	if (g_str_has_suffix(path, ".zst")) {
		hold(out, archive_write_add_filter_zstd(out));
		hold(out, archive_write_set_filter_option(out, "zstd", "compression-level", "19"));
	}
	hold(out, archive_write_open_filename(out, path));
	return out;
}

/* Owner, names, times and the umask of the builder stay outside. */
static void add_header(struct archive *out, const char *name, const struct stat *st)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, st->st_mode & S_IXUSR ? 0755 : 0644);
	archive_entry_set_size(entry, st->st_size);
	archive_entry_set_mtime(entry, 0, 0);
	hold(out, archive_write_header(out, entry));
	archive_entry_free(entry);
}

static void add_content(struct archive *out, int fd, const char *name, guint64 size_bytes)
{
	static char block[65536];
	gssize got = 0;

	while ((got = read(fd, block, sizeof block)) > 0) {
		if ((guint64)got > size_bytes || archive_write_data(out, block, (gsize)got) != got)
			die("%s changed while it was read", name);
		size_bytes -= (guint64)got;
	}
	if (got < 0 || size_bytes > 0)
		die("cannot read %s", name);
}

static void add_file(struct archive *out, const char *root, const char *name)
{
	g_autofree char *path = g_build_filename(root, name, NULL);
	struct stat st = { 0 };
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		die("%s is not a regular file (symbolic links are not packed)", path);

	add_header(out, name, &st);
	add_content(out, fd, name, (guint64)st.st_size);
	(void)close(fd);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		die("usage: pack OUT.tar[.zst] ROOT FILE...");

	struct archive *out = open_archive(argv[1]);
	for (int i = 3; i < argc; i++) {
		if (i > 3 && strcmp(argv[i - 1], argv[i]) >= 0)
			die("%s does not come after %s", argv[i], argv[i - 1]);
		add_file(out, argv[2], argv[i]);
	}
	hold(out, archive_write_close(out));
	archive_write_free(out);
	return 0;
}
