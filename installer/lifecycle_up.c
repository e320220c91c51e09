/* installer/lifecycle_up.c - a project is started, or stopped and its keys forgotten
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/lifecycle_up.h"

#include <poll.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "installer/compose_start.h"
#include "installer/lifecycle_before.h"
#include "installer/lifecycle_board.h"
#include "installer/lifecycle_health.h"
#include "installer/lifecycle_ports.h"
#include "installer/lifecycle_trouble.h"
#include "installer/secret_files.h"

#define POLL_MS 300

/* Whether the containers are those of the receipt. */
static bool is_recorded(const LifeProject *project, const GPtrArray *services)
{
	const json_t *hashes = json_object_get(project->result, "services");
	g_autofree char *digest = compose_digest(project->compose);

	if (!digest || g_strcmp0(digest, json_text(project->result, "digest")) != 0)
		return false;
	for (guint i = 0; i < services->len; i++) {
		const LifeService *service = services->pdata[i];
		if (service->state == SERVICE_STANDBY)
			continue;
		if (!service->is_ours ||
		    g_strcmp0(json_text(hashes, service->name), service->hash) != 0)
			return false;
	}
	return true;
}

bool lifecycle_is_up(const Lifecycle *life, const LifeProject *project, bool *is_up, GError **error)
{
	g_autoptr(GPtrArray) services = services_list(life, project, error);

	if (!services)
		return false;
	*is_up = services->len > 0 && services_count_ill(services) == 0 &&
	         is_recorded(project, services) &&
	         handover_is_there(json_object_get(project->result, "handover"));
	return true;
}

static bool is_among(char *const *only, const char *name)
{
	return !only || g_strv_contains((const char *const *)only, name);
}

/* Returns: (transfer full) (nullable): what is not well yet; @is_hopeless: waiting changes nothing. */
static char *find_ill(const GPtrArray *services, char *const *only, bool *is_hopeless)
{
	char *ill = NULL;

	for (guint i = 0; i < services->len; i++) {
		const LifeService *service = services->pdata[i];
		bool is_over = service->state == SERVICE_FAILED || service->state == SERVICE_ABSENT;

		if (service_is_well(service) || !is_among(only, service->name) || (ill && !is_over))
			continue;
		g_free(ill);
		*is_hopeless = is_over;
		ill = g_strdup_printf("the service %s is %s", service->name,
		                      service_state_name(service->state));
		if (is_over)
			break;
	}
	return ill;
}

static bool pause_for(guint pause_ms, GError **error)
{
	struct pollfd wait = { .fd = cancel_fd(), .events = POLLIN };

	(void)poll(&wait, wait.fd >= 0 ? 1 : 0, (int)pause_ms);
	return cancel_check(error);
}

/* Until the engine says that they are well. */
static bool wait_for_engine(const Lifecycle *life, const LifeProject *project, char *const *only,
                            GError **error)
{
	gint64 deadline_us =
		g_get_monotonic_time() + (gint64)project->compose->wait_s * G_USEC_PER_SEC;

	for (;;) {
		g_autoptr(GPtrArray) services = services_list(life, project, error);
		bool is_hopeless = false;
		g_autofree char *ill = services ? find_ill(services, only, &is_hopeless) : NULL;

		if (!services || !ill)
			return services != NULL;
		if (is_hopeless || g_get_monotonic_time() > deadline_us) {
			fault_set(error, STATUS_UNVERIFIED, NULL, "%s", ill);
			return false;
		}
		if (!pause_for(POLL_MS, error))
			return false;
	}
}

static bool ask_health(const Lifecycle *life, const LifeProject *project, GPtrArray **answers,
                       GError **error)
{
	g_autoptr(GPtrArray) services = services_list(life, project, error);

	if (!services)
		return false;
	*answers = health_ask(project, services, project->compose->wait_s * 1000);

	const HealthAnswer *bad = health_first_bad(*answers);
	if (bad && cancel_check(error))
		fault_set(error, STATUS_UNVERIFIED, NULL,
		          "the service %s does not answer well at %s: %s", bad->service, bad->url,
		          bad->why);
	return !bad;
}

bool lifecycle_wait(const Lifecycle *life, const LifeProject *project, char *const *only,
                    GError **error)
{
	g_autoptr(GPtrArray) answers = NULL;

	if (wait_for_engine(life, project, only, error) &&
	    ask_health(life, project, &answers, error))
		return true;
	if (cancel_signal() == 0)
		trouble_tell(life, project, answers);
	return false;
}

static bool start(Lifecycle *life, LifeProject *project, const StepHost *host, Handover *handover,
                  GError **error)
{
	const json_t *record = json_object_get(project->result, "handover");

	if (!compose_start(project->inputs, record, host, project->compose, handover, error)) {
		if (cancel_signal() == 0)
			trouble_tell(life, project, NULL);
		return false;
	}
	return lifecycle_wait(life, project, NULL, error);
}

static bool record_start(Lifecycle *life, LifeProject *project, const Handover *handover,
                         GError **error)
{
	g_autoptr(json_t) result = compose_started(project->compose, handover, error);

	if (!result || !lifecycle_record(life, project, result, error))
		return false;
	if (json_text(result, "note"))
		term_note(life->app->term, "Note: %s", json_text(result, "note"));
	return true;
}

/* Says in one message what failed, what that means, and what comes next. */
static void take_back(Lifecycle *life, LifeProject *project, const Before *before,
                      const GError *cause, GError **error)
{
	g_autoptr(GPtrArray) undone = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) second = NULL;
	g_autofree char *message = fault_message(cause);

	cancel_suspend(true);
	bool is_back = before_return(project, before, undone, &second);
	if (g_hash_table_size(before->containers) == 0)
		is_back &= handover_forget(project->inputs, second ? NULL : &second);
	cancel_suspend(false);

	g_ptr_array_add(undone, NULL);
	g_autofree char *list = g_strjoinv(", ", (char **)undone->pdata);
	log_line("up", "failed: %s; taken back: %s", message, list);
	if (is_back) {
		fault_set(error, fault_status(cause), fault_hint(cause),
		          "%s; what this run started was taken back (%s)", message,
		          *list ? list : "nothing");
		return;
	}

	g_autofree char *why = fault_message(second);
	g_autofree char *hint = g_strdup_printf(
		"Mend that, then run \"slipway up %s\" to go on, or \"slipway down %s\".",
		life->name, life->name);
	fault_set(error, STATUS_INCOMPLETE, hint, "%s; taking it back failed too: %s", message,
	          why);
}

static bool look_first(const Lifecycle *life, const LifeProject *project, Before *before,
                       GError **error)
{
	g_autoptr(GPtrArray) services = NULL;

	if (!compose_check(project->compose, error) || !before_take(project, before, error))
		return false;
	services = services_list(life, project, error);
	return services && ports_check(life, project, services, error);
}

bool lifecycle_up(Lifecycle *life, LifeProject *project, const StepHost *host, GError **error)
{
	g_auto(Before) before = { 0 };
	g_auto(Handover) handover = { 0 };
	g_autoptr(GError) cause = NULL;

	if (!lifecycle_is_whole(life, project, error) || !look_first(life, project, &before, error))
		return false;

	Board *board = board_new(life, project);
	bool is_done = start(life, project, host, &handover, &cause) &&
	               record_start(life, project, &handover, &cause);
	board_free(board, is_done);
	project->compose->environment = NULL; /* the hand-over ends here */
	if (!is_done)
		take_back(life, project, &before, cause, error);
	return is_done;
}

static bool has_keys(const LifeProject *project)
{
	g_autofree char *directory = secret_files_directory(project->compose->project, NULL);

	return json_object_get(project->inputs, "handover") && directory && file_exists(directory);
}

bool lifecycle_is_down(const LifeProject *project, bool has_volumes, bool *is_down, GError **error)
{
	g_autoptr(json_t) containers =
		compose_list(project->compose, "/containers/json?all=1", error);
	g_autoptr(json_t) networks =
		containers ? compose_list(project->compose, "/networks", error) : NULL;
	g_autoptr(json_t) volumes =
		networks && has_volumes ? compose_list(project->compose, "/volumes", error) : NULL;

	if (!networks || (has_volumes && !volumes))
		return false;
	*is_down = json_array_size(containers) == 0 && json_array_size(networks) == 0 &&
	           json_array_size(json_object_get(volumes, "Volumes")) == 0 &&
	           !has_keys(project) && json_flag(project->result, "is_down");
	return true;
}

bool lifecycle_down(Lifecycle *life, LifeProject *project, bool has_volumes, bool *is_changed,
                    GError **error)
{
	g_auto(Before) before = { 0 };
	bool is_down = false;

	if (!lifecycle_is_down(project, has_volumes, &is_down, error))
		return false;
	*is_changed = !is_down;
	return is_down || (before_take(project, &before, error) &&
	                   compose_take_down(project->compose, has_volumes, life->left, error) &&
	                   handover_forget(project->inputs, error) &&
	                   (!has_volumes || lifecycle_restoring(life, project, NULL, error)) &&
	                   lifecycle_mark(life, project, true, error));
}
