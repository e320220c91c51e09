/* base/process_stream.c - what a child writes: its last bytes and its lines
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/process_private.h"
#include "base/secret.h"

#define BLOCK_BYTES 65536
/** One call takes no more, so that deadlines are seen under a flood. */
#define BLOCKS_AT_ONCE 16
#define DEFAULT_OUTPUT_BYTES ((gsize)1 << 20)
#define MOST_OUTPUT_BYTES ((gsize)1 << 30) /* GByteArray counts with 32 bits */

/** A longer line loses its end.  The second half is never shown when that happens, so that no
 *  part of a secret is, which the cut went through and the mask did not know. */
#define LINE_MAX_BYTES ((gsize)64 * 1024)
#define LINE_HIDDEN_BYTES ((gsize)32 * 1024)

void process_stream_init(ProcessStream *stream, const ProcessSpec *spec)
{
	const char *slash = strrchr(spec->argv[0], '/');

	*stream = (ProcessStream){ .fd = -1, .spec = spec };
	stream->who = slash ? slash + 1 : spec->argv[0];
	stream->max_bytes = spec->max_output_bytes ? MIN(spec->max_output_bytes, MOST_OUTPUT_BYTES)
	                                           : DEFAULT_OUTPUT_BYTES;
	stream->kept = g_byte_array_new();
	stream->line = g_string_new(NULL);
}

static void end_line(ProcessStream *stream)
{
	g_autofree char *text = secret_mask(stream->line->str);

	if (stream->is_overlong) {
		gsize length = strlen(text);
		text[length > LINE_HIDDEN_BYTES ? length - LINE_HIDDEN_BYTES : 0] = '\0';
	}
	log_line(stream->who, "%s", text);
	if (stream->spec->on_line)
		stream->spec->on_line(text, stream->spec->data);

	g_string_truncate(stream->line, 0);
	stream->is_overlong = false;
}

/* Progress displays end their lines with '\r'; "\r\n" is one end. */
static void take_byte(ProcessStream *stream, char byte)
{
	bool is_pair = byte == '\n' && stream->was_return;

	stream->was_return = byte == '\r';
	if (is_pair)
		return;
	if (byte == '\n' || byte == '\r')
		end_line(stream);
	else if (stream->line->len < LINE_MAX_BYTES)
		g_string_append_c(stream->line, byte ? byte : ' ');
	else
		stream->is_overlong = true;
}

/* Memory is twice the bound at most, and each byte is moved once at most. */
static void keep(ProcessStream *stream, const guint8 *data, gsize size_bytes)
{
	g_byte_array_append(stream->kept, data, (guint)size_bytes);
	if (stream->kept->len / 2 > stream->max_bytes) {
		g_byte_array_remove_range(stream->kept, 0,
		                          stream->kept->len - (guint)stream->max_bytes);
		stream->was_cut = true;
	}
}

/* Returns: bytes taken; 0 when there is nothing now, or nothing any more. */
static gsize take_block(ProcessStream *stream)
{
	guint8 block[BLOCK_BYTES];
	ssize_t got = 0;

	do {
		got = stream->is_file ? pread(stream->fd, block, sizeof(block), stream->offset)
		                      : read(stream->fd, block, sizeof(block));
	} while (got < 0 && errno == EINTR);

	if (got <= 0) {
		if (!stream->is_file && !(got < 0 && errno == EAGAIN))
			file_fd_clear(&stream->fd);
		return 0;
	}
	stream->offset += got;
	keep(stream, block, (gsize)got);
	for (ssize_t i = 0; i < got; i++)
		take_byte(stream, (char)block[i]);
	return (gsize)got;
}

void process_stream_read(ProcessStream *stream)
{
	for (int i = 0; i < BLOCKS_AT_ONCE && stream->fd >= 0; i++)
		if (take_block(stream) == 0)
			return;
}

/* What is there now: a process that we had to leave alone may go on writing. */
static void take_rest_of_file(ProcessStream *stream)
{
	struct stat status = { 0 };

	if (!stream->is_file || stream->fd < 0 || fstat(stream->fd, &status) != 0)
		return;
	while (stream->offset < status.st_size && take_block(stream) > 0)
		;
}

char *process_stream_finish(ProcessStream *stream)
{
	take_rest_of_file(stream);
	if (stream->line->len > 0)
		end_line(stream);
	if (stream->kept->len > stream->max_bytes) {
		g_byte_array_remove_range(stream->kept, 0,
		                          stream->kept->len - (guint)stream->max_bytes);
		stream->was_cut = true;
	}
	g_byte_array_append(stream->kept, (const guint8 *)"", 1);
	return (char *)g_byte_array_free(g_steal_pointer(&stream->kept), FALSE);
}

void process_stream_clear(ProcessStream *stream)
{
	file_fd_clear(&stream->fd);
	if (stream->kept)
		g_byte_array_unref(g_steal_pointer(&stream->kept));
	if (stream->line)
		g_string_free(g_steal_pointer(&stream->line), TRUE);
}
