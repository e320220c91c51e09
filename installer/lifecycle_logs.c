/* installer/lifecycle_logs.c - what the services of a stack write, merged by time
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/lifecycle_logs.h"

#include <string.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "installer/engine.h"

/* How long a line waits for an older one of another container. */
#define PATIENCE_US (G_USEC_PER_SEC / 5)
#define LOOK_US (G_USEC_PER_SEC / 20)
/* Lines that a reader may be ahead of the merge. */
#define AHEAD_MAX 1000

typedef struct Merge Merge;

/** One container and the thread that reads it. */
typedef struct {
	Merge *merge;
	const LogSource *source;
	GThread *thread;
	GQueue lines; /* (element-type Waiting) */
	bool is_over;
	GError *failure;
} Feed;

typedef struct {
	LogEntry *entry;
	gint64 came_us;
} Waiting;

struct Merge {
	GMutex mutex;
	GCond changed;
	Feed *feeds;
	guint count;
	gint64 lines;
	bool is_followed;
	bool is_stopped; /* the readers are to end */
};

void log_source_free(gpointer data)
{
	LogSource *source = data;

	g_free(source->service);
	g_free(source->engine);
	g_free(source->container);
	g_free(source);
}

static void waiting_free(gpointer data)
{
	Waiting *waiting = data;

	log_entry_free(waiting->entry);
	g_free(waiting);
}

/* On the reader's thread; waits while the merge is behind. */
static void put(gpointer to, LogEntry *entry)
{
	Feed *feed = to;
	Merge *merge = feed->merge;
	Waiting *waiting = g_new0(Waiting, 1);

	*waiting = (Waiting){ entry, g_get_monotonic_time() };
	g_mutex_lock(&merge->mutex);
	while (feed->lines.length >= AHEAD_MAX && !merge->is_stopped)
		g_cond_wait(&merge->changed, &merge->mutex);
	g_queue_push_tail(&feed->lines, waiting);
	g_cond_broadcast(&merge->changed);
	g_mutex_unlock(&merge->mutex);
}

static bool take(gpointer reader, const void *data, gsize size_bytes, GError **error)
{
	gpointer *pair = reader;
	Feed *feed = pair[1];

	g_mutex_lock(&feed->merge->mutex);
	bool is_stopped = feed->merge->is_stopped;
	g_mutex_unlock(&feed->merge->mutex);
	if (is_stopped) {
		fault_set(error, STATUS_FAILED, NULL, "stopped");
		return false;
	}
	return log_reader_feed(pair[0], data, size_bytes, error);
}

static gpointer run_feed(gpointer data)
{
	Feed *feed = data;
	Merge *merge = feed->merge;
	const LogSource *source = feed->source;
	g_autofree char *path = log_path_of(source->container, merge->lines, merge->is_followed);
	g_autoptr(LogReader) reader =
		log_reader_new(log_has_terminal(source->engine, source->container), put, feed);
	gpointer pair[] = { reader, feed };
	GError *failure = NULL;

	if (engine_read(source->engine, path, take, pair, &failure))
		log_reader_end(reader);
	g_mutex_lock(&merge->mutex);
	feed->is_over = true;
	feed->failure = failure;
	g_cond_broadcast(&merge->changed);
	g_mutex_unlock(&merge->mutex);
	return NULL;
}

/* Returns: the feed whose first line is the oldest; NULL when there is none, or when an older one may
 * still come.  The lock is held. */
static Feed *choose(Merge *merge, bool *is_over)
{
	Feed *best = NULL;
	bool is_complete = true;

	*is_over = true;
	for (guint i = 0; i < merge->count; i++) {
		Feed *feed = &merge->feeds[i];
		const Waiting *first = g_queue_peek_head(&feed->lines);
		const Waiting *oldest = best ? g_queue_peek_head(&best->lines) : NULL;

		*is_over = *is_over && feed->is_over && !first;
		is_complete = is_complete && (feed->is_over || first);
		if (first && (!oldest || strcmp(first->entry->time, oldest->entry->time) < 0))
			best = feed;
	}
	if (!best || is_complete)
		return best;

	const Waiting *first = g_queue_peek_head(&best->lines);
	bool is_ripe = g_get_monotonic_time() - first->came_us > PATIENCE_US;
	return merge->is_followed && is_ripe ? best : NULL;
}

/* Waits a moment.  @waiting: (transfer full) (nullable): the next line.  Returns: false at the end. */
static bool next(Merge *merge, const LogSource **source, Waiting **waiting)
{
	bool is_over = false;

	*waiting = NULL;
	g_mutex_lock(&merge->mutex);
	for (guint i = 0; i < 2 && !*waiting && !is_over; i++) {
		Feed *feed = choose(merge, &is_over);

		if (feed) {
			*waiting = g_queue_pop_head(&feed->lines);
			*source = feed->source;
			g_cond_broadcast(&merge->changed);
		} else if (!is_over && i == 0) {
			(void)g_cond_wait_until(&merge->changed, &merge->mutex,
			                        g_get_monotonic_time() + LOOK_US);
		}
	}
	g_mutex_unlock(&merge->mutex);
	return !is_over;
}

/* Ends the readers.  Returns: (transfer full) (nullable): the first failure, unless they were stopped. */
static GError *finish(Merge *merge, bool is_stopped)
{
	GError *first = NULL;

	g_mutex_lock(&merge->mutex);
	merge->is_stopped = is_stopped;
	g_cond_broadcast(&merge->changed);
	g_mutex_unlock(&merge->mutex);
	for (guint i = 0; i < merge->count; i++) {
		Feed *feed = &merge->feeds[i];

		(void)g_thread_join(feed->thread);
		g_queue_clear_full(&feed->lines, waiting_free);
		if (!first && !is_stopped)
			first = g_steal_pointer(&feed->failure);
		g_clear_error(&feed->failure);
	}
	return first;
}

bool logs_merge(const GPtrArray *sources, gint64 lines, bool is_followed, LogSink sink, gpointer to,
                GError **error)
{
	g_autofree Feed *feeds = g_new0(Feed, sources->len + 1);
	Merge merge = {
		.feeds = feeds, .count = sources->len, .lines = lines, .is_followed = is_followed
	};
	const LogSource *source = NULL;
	bool is_wanted = true;

	g_mutex_init(&merge.mutex);
	g_cond_init(&merge.changed);
	for (guint i = 0; i < merge.count; i++) {
		feeds[i] = (Feed){ .merge = &merge, .source = sources->pdata[i] };
		g_queue_init(&feeds[i].lines);
		feeds[i].thread = g_thread_new("logs", run_feed, &feeds[i]);
	}
	for (Waiting *line = NULL;
	     is_wanted && cancel_signal() == 0 && next(&merge, &source, &line);) {
		is_wanted = sink(to, source, line ? line->entry : NULL);
		if (line)
			waiting_free(line);
	}

	GError *failure = finish(&merge, !is_wanted || cancel_signal() != 0);
	g_cond_clear(&merge.changed);
	g_mutex_clear(&merge.mutex);
	if (failure)
		g_propagate_error(error, failure);
	return !failure && cancel_check(error);
}
