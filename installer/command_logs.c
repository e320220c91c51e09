/* installer/command_logs.c - "slipway logs"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <poll.h>
#include <unistd.h>

#include "base/fault.h"
#include "installer/lifecycle_logs.h"
#include "installer/lifecycle_services.h"
#include "installer/session.h"

#define LINES 100

static gboolean is_followed;
static const char *lines_text;

const GOptionEntry command_logs_options[] = {
	{ "follow", 'f', 0, G_OPTION_ARG_NONE, &is_followed, "go on with what comes", NULL },
	{ "lines", 'n', 0, G_OPTION_ARG_STRING, &lines_text,
	  "how many of each service: a number, or all (100)", "N" },
	{ 0 },
};

/** Who gets the lines. */
typedef struct {
	App *app;
	GHashTable *hues; /* service -> TermStyle */
	int width;        /* of the longest name */
	json_t *list;     /* (nullable): for --json */
} Sink;

/* Nobody reads any more: "slipway logs -f | head". */
static bool is_reader_gone(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

static json_t *to_json(const LogSource *source, const LogEntry *entry)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "service", source->service, "stream",
	                 entry->is_error ? "stderr" : "stdout", "written", entry->time, "text",
	                 entry->text);
}

static bool show(gpointer to, const LogSource *source, const LogEntry *entry)
{
	const Sink *sink = to;
	Term *term = sink->app->term;

	if (!entry)
		return !is_reader_gone();
	if (sink->list) {
		json_array_append_new(sink->list, to_json(source, entry));
	} else if (term_is_events(term)) {
		g_autoptr(json_t) event = to_json(source, entry);
		json_put(event, "event", "line");
		term_event(term, event);
	} else {
		g_autofree char *name = g_strdup_printf("%-*s |", sink->width, source->service);
		gpointer hue = g_hash_table_lookup(sink->hues, source->service);
		g_autofree char *styled = term_styled(term, GPOINTER_TO_UINT(hue), name);
		term_print(term, "%s %s\n", styled, entry->text);
	}
	return true;
}

static bool read_lines(gint64 *lines, GError **error)
{
	guint64 number = LINES;

	*lines = -1;
	if (lines_text && g_str_equal(lines_text, "all"))
		return true;
	if (lines_text &&
	    !g_ascii_string_to_unsigned(lines_text, 10, 0, G_MAXINT32, &number, NULL)) {
		fault_set(error, STATUS_USAGE, NULL,
		          "--lines wants a number or \"all\", not \"%s\"", lines_text);
		return false;
	}
	*lines = (gint64)number;
	return true;
}

static void add_source(GPtrArray *sources, const LifeProject *project, const LifeService *service)
{
	LogSource *source = g_new0(LogSource, 1);

	*source = (LogSource){ g_strdup(service->name), g_strdup(project->compose->engine),
		               g_strdup(service->container) };
	g_ptr_array_add(sources, source);
}

/* Those that are named, or all that have a container. */
static bool add_sources(const Lifecycle *life, const LifeProject *project, char **names,
                        GPtrArray *sources, GError **error)
{
	g_autoptr(GPtrArray) services = services_list(life, project, error);

	if (!services)
		return false;
	for (char **name = names; *name; name++)
		if (!services_need(services, *name, error))
			return false;
	for (guint i = 0; i < services->len; i++) {
		const LifeService *service = services->pdata[i];
		if (service->container &&
		    (!*names || g_strv_contains((const char *const *)names, service->name)))
			add_source(sources, project, service);
	}
	return true;
}

static void fill_sink(Sink *sink, const GPtrArray *sources)
{
	for (guint i = 0; i < sources->len; i++) {
		const LogSource *source = sources->pdata[i];
		TermStyle hue = TERM_HUE_1 + i % TERM_HUE_COUNT;

		g_hash_table_insert(sink->hues, source->service, GUINT_TO_POINTER((guint)hue));
		sink->width = MAX(sink->width, (int)g_utf8_strlen(source->service, -1));
	}
}

bool command_logs(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	g_autoptr(Lifecycle) life = lifecycle_open_containers(app, argv[0], error);
	g_autoptr(GPtrArray) sources = g_ptr_array_new_with_free_func(log_source_free);
	g_autoptr(GHashTable) hues = g_hash_table_new(g_str_hash, g_str_equal);
	Sink sink = { .app = app, .hues = hues };
	gint64 lines = 0;

	if (!life || !read_lines(&lines, error))
		return false;
	if (is_followed && term_is_json(app->term)) {
		fault_set(error, STATUS_USAGE, "Use --events: one object for each line.",
		          "--json is one document, and --follow has no end");
		return false;
	}
	for (guint i = 0; i < life->projects->len; i++)
		if (!add_sources(life, life->projects->pdata[i], argv + 1, sources, error))
			return false;
	if (sources->len == 0)
		term_note(app->term, "%s is down; there is nothing to show.", life->title);

	fill_sink(&sink, sources);
	if (term_is_json(app->term)) {
		sink.list = json_array();
		session_put(app, "lines", sink.list);
	}
	return logs_merge(sources, lines, is_followed, show, &sink, error);
}
