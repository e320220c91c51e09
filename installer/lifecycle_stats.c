/* installer/lifecycle_stats.c - what containers use
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/lifecycle_stats.h"

#include "installer/engine.h"

typedef struct {
	const char *engine;
	const LifeService *service;
	LifeStats *stats;
} Asking;

static guint64 number(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (guint64)value : 0;
}

/* As "docker stats" counts: the page cache that nobody uses is no use of memory.  Control groups of
 * version 1 say total_inactive_file, those of version 2 inactive_file. */
static guint64 memory_of(const json_t *memory)
{
	const json_t *stats = json_object_get(memory, "stats");
	guint64 usage = number(memory, "usage");
	guint64 cache =
		number(stats, json_object_get(stats, "total_inactive_file") ? "total_inactive_file"
	                                                                    : "inactive_file");

	return cache < usage ? usage - cache : usage;
}

static double cpu_of(const json_t *answer)
{
	const json_t *now = json_object_get(answer, "cpu_stats");
	const json_t *before = json_object_get(answer, "precpu_stats");
	const json_t *usage_now = json_object_get(now, "cpu_usage");
	const json_t *usage_before = json_object_get(before, "cpu_usage");
	guint64 used = number(usage_now, "total_usage") - number(usage_before, "total_usage");
	guint64 passed = number(now, "system_cpu_usage") - number(before, "system_cpu_usage");
	guint64 processors = number(now, "online_cpus");
	bool is_sane = number(usage_now, "total_usage") >= number(usage_before, "total_usage") &&
	               number(now, "system_cpu_usage") > number(before, "system_cpu_usage");

	return is_sane ? 100.0 * (double)used / (double)passed * (double)processors : 0;
}

LifeStats stats_parse(const json_t *answer)
{
	const json_t *memory = json_object_get(answer, "memory_stats");

	return (LifeStats){
		.memory_bytes = memory_of(memory),
		.limit_bytes = number(memory, "limit"),
		.cpu_percent = cpu_of(answer),
		.processes = number(json_object_get(answer, "pids_stats"), "current"),
		.is_known = json_is_object(memory),
	};
}

static gpointer ask(gpointer data)
{
	const Asking *asking = data;
	g_autofree char *path =
		g_strdup_printf("/containers/%s/stats?stream=0", asking->service->container);
	g_autoptr(json_t) answer = engine_get(asking->engine, path, NULL);

	*asking->stats = stats_parse(answer);
	return NULL;
}

LifeStats *stats_ask(const char *engine, const GPtrArray *services)
{
	LifeStats *stats = g_new0(LifeStats, services->len + 1);
	g_autofree Asking *askings = g_new0(Asking, services->len + 1);
	g_autofree GThread **threads = g_new0(GThread *, services->len + 1);

	for (guint i = 0; i < services->len; i++) {
		askings[i] = (Asking){ engine, services->pdata[i], &stats[i] };
		if (service_runs(services->pdata[i]))
			threads[i] = g_thread_new("stats", ask, &askings[i]);
	}
	for (guint i = 0; i < services->len; i++)
		if (threads[i])
			(void)g_thread_join(threads[i]);
	return stats;
}
