/* installer/lifecycle_health.c - services asked as their users would
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/lifecycle_health.h"

#include <poll.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/http.h"

#define ASK_MS 5000
#define FIRST_PAUSE_MS 100
#define PAUSE_MAX_MS 2000

typedef struct {
	HealthAnswer *answer;
	gint64 deadline_us;
} Asking;

static void answer_free(gpointer data)
{
	HealthAnswer *answer = data;

	g_free(answer->service);
	g_free(answer->url);
	g_free(answer->why);
	g_free(answer);
}

static void ask_once(HealthAnswer *answer)
{
	const HttpRequest request = { .url = answer->url, .timeout_ms = ASK_MS };
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) body = http_get(&request, &error);

	g_clear_pointer(&answer->why, g_free);
	answer->is_good = body || fault_status(error) == STATUS_DATA; /* a long answer is one */
	if (!answer->is_good)
		answer->why = fault_message(error);
}

/* Returns: false when a signal came. */
static bool pause_for(guint pause_ms)
{
	struct pollfd wait = { .fd = cancel_fd(), .events = POLLIN };

	(void)poll(&wait, wait.fd >= 0 ? 1 : 0, (int)pause_ms);
	return cancel_signal() == 0;
}

static gpointer ask(gpointer data)
{
	const Asking *asking = data;
	guint pause_ms = FIRST_PAUSE_MS;

	ask_once(asking->answer);
	while (!asking->answer->is_good && g_get_monotonic_time() < asking->deadline_us &&
	       pause_for(pause_ms)) {
		ask_once(asking->answer);
		pause_ms = MIN(pause_ms * 2, PAUSE_MAX_MS);
	}
	return NULL;
}

static HealthAnswer *answer_new(const LifeProject *project, const LifeService *service)
{
	bool is_asked = service->container && service->about && service->about->health;
	char *url = is_asked ? lifecycle_expand(project, service->about->health) : NULL;

	if (!url)
		return NULL;
	HealthAnswer *answer = g_new0(HealthAnswer, 1);
	answer->service = g_strdup(service->name);
	answer->url = url;
	return answer;
}

GPtrArray *health_ask(const LifeProject *project, const GPtrArray *services, guint wait_ms)
{
	GPtrArray *answers = g_ptr_array_new_with_free_func(answer_free);
	g_autofree Asking *askings = g_new0(Asking, services->len + 1);
	g_autofree GThread **threads = g_new0(GThread *, services->len + 1);
	gint64 deadline_us = g_get_monotonic_time() + (gint64)wait_ms * 1000;

	for (guint i = 0; i < services->len; i++) {
		HealthAnswer *answer = answer_new(project, services->pdata[i]);
		if (answer)
			g_ptr_array_add(answers, answer);
	}
	for (guint i = 0; i < answers->len; i++) {
		askings[i] = (Asking){ answers->pdata[i], deadline_us };
		threads[i] = g_thread_new("health", ask, &askings[i]);
	}
	for (guint i = 0; i < answers->len; i++)
		(void)g_thread_join(threads[i]);
	return answers;
}

const HealthAnswer *health_first_bad(const GPtrArray *answers)
{
	for (guint i = 0; i < answers->len; i++) {
		const HealthAnswer *answer = answers->pdata[i];
		if (!answer->is_good)
			return answer;
	}
	return NULL;
}
