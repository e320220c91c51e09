/* installer/command_doctor.c - "slipway doctor": what is wrong with what this program did here
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "installer/deploy_state.h"
#include "installer/drift.h"
#include "installer/host.h"
#include "installer/receipt.h"
#include "installer/session.h"

/** One run of the doctor. */
typedef struct {
	App *app;
	const StepHost *host; /* (nullable) */
	json_t *receipt;      /* (nullable): it cannot be read */
	json_t *findings;     /* array: id, status (as those of "check"), text, remedy */
	guint failed;
} Doctor;

typedef enum { FINDING_WARN, FINDING_FAIL } FindingGrade;

static void G_GNUC_PRINTF(5, 6) find(Doctor *doctor, FindingGrade grade, const char *id,
                                     const char *remedy, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	json_array_append_new(doctor->findings,
	                      json_pack("{s:s, s:s, s:s, s:s?}", "id", id, "status",
	                                grade == FINDING_FAIL ? "fail" : "warn", "text", text,
	                                "remedy", remedy));
	doctor->failed += grade == FINDING_FAIL;
}

static void find_error(Doctor *doctor, const char *id, const GError *cause)
{
	g_autofree char *message = fault_message(cause);

	find(doctor, FINDING_FAIL, id, fault_hint(cause), "%s", message);
}

static void look_at_state(Doctor *doctor)
{
	const char *state = doctor->app->paths->state;
	struct stat status = { 0 };

	if (lstat(state, &status) == 0 && (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
	                                   (status.st_mode & (S_IWGRP | S_IWOTH))))
		find(doctor, FINDING_FAIL, "state.owner",
		     "Make it a directory of yours that only you can write.",
		     "%s is a link, or others can write into it", state);
}

/* A lock that is held is no fault, but it explains what else is found. */
static void look_at_lock(Doctor *doctor)
{
	g_autofree char *path = g_build_filename(doctor->app->paths->state, "lock", NULL);
	g_autoptr(GError) cause = NULL;
	g_autoptr(Lock) lock G_GNUC_UNUSED =
		file_exists(path) ? lock_take(path, "slipway doctor", 0, &cause) : NULL;

	if (cause && fault_status(cause) == STATUS_BUSY) {
		g_autofree char *message = fault_message(cause);
		find(doctor, FINDING_WARN, "state.lock", "Look again when that run has ended.",
		     "%s", message);
	} else if (cause) {
		find_error(doctor, "state.lock", cause);
	}
}

static void look_at_journal(Doctor *doctor, const char *path)
{
	g_autoptr(GError) cause = NULL;
	g_autoptr(json_t) records = journal_read(path, &cause);

	if (!records)
		find_error(doctor, "journal.damaged", cause);
	else
		find(doctor, FINDING_FAIL, "journal.interrupted",
		     "\"slipway resume\" finishes it, \"slipway rollback\" takes it back.",
		     "a run was interrupted: %s", path);
}

static void look_at_journals(Doctor *doctor)
{
	g_autofree char *folder = g_build_filename(doctor->app->paths->state, "txn", NULL);
	g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
	const char *name = NULL;

	while (directory && (name = g_dir_read_name(directory))) {
		g_autofree char *path = g_build_filename(folder, name, "journal", NULL);
		if (file_exists(path))
			look_at_journal(doctor, path);
	}
}

/* What a recipe reads when it is run must be there by then. */
static void look_at_recipe(Doctor *doctor, const char *stack, const json_t *step)
{
	static const char *const sources[] = { "snapshot", "planned", "listing" };
	gsize i = 0;
	json_t *part = NULL;

	json_array_foreach(json_object_get(step, "undo"), i,
	                   part) for (gsize j = 0; j < G_N_ELEMENTS(sources); j++)
	{
		const char *path = json_text(part, sources[j]);
		if (path && g_path_is_absolute(path) && !file_exists(path))
			find(doctor, FINDING_WARN, "receipt.source", NULL,
			     "%s: taking back \"%s\" will leave it, because %s is gone", stack,
			     json_text_or(step, "text", "?"), path);
	}
}

static void look_at_drift(Doctor *doctor, const char *stack, const json_t *entry)
{
	g_autoptr(json_t) report = drift_report(entry, doctor->host, true);
	gsize i = 0;
	json_t *step = NULL;

	json_array_foreach(report, i, step)
	{
		const char *state = json_text(step, "state");
		bool is_edit = g_str_equal(state, "edited") || g_str_equal(state, "unknown");
		bool is_replaced = g_str_equal(state, "replaced");
		if (!g_str_equal(state, "ok"))
			find(doctor, is_edit ? FINDING_WARN : FINDING_FAIL, "drift",
			     is_edit       ? NULL
			     : is_replaced ? "Move that away, then run \"slipway install\"."
			                   : "\"slipway install\" makes it again.",
			     "%s: %s: \"%s\"", stack, state, json_text_or(step, "text", "?"));
	}
}

/* One that was killed, or left as it was. */
static void look_at_deployment(Doctor *doctor, const char *name)
{
	g_autofree char *directory = deploy_directory(doctor->app->paths->state, name);
	DeployState state = { 0 };
	g_autoptr(GError) cause = NULL;
	bool is_there = false;

	if (!deploy_state_read(directory, &state, &is_there, &cause)) {
		find_error(doctor, "deployment.damaged", cause);
	} else if (is_there && state.unfinished) {
		g_autofree char *remedy =
			g_strdup_printf("\"slipway deploy %s --rollback\" takes it back.", name);
		find(doctor, FINDING_FAIL, "deployment.interrupted", remedy,
		     "%s: the deployment %s did not end", name, state.unfinished->id);
	}
	deploy_state_clear(&state);
}

static void look_at_stack(Doctor *doctor, const char *name, const json_t *entry)
{
	const char *stack_dir = json_text_or(entry, "stack_dir", "");
	gsize deferred = json_array_size(json_object_get(entry, "deferred"));
	gsize i = 0;
	json_t *step = NULL;

	if (!file_exists(stack_dir))
		find(doctor, FINDING_FAIL, "receipt.definition",
		     "\"slipway install\" puts it there again.", "%s: its definition %s is gone",
		     name, stack_dir);
	if (deferred > 0)
		find(doctor, FINDING_WARN, "receipt.deferred", "\"slipway resume\" does them.",
		     "%s: %u steps were put off", name, (guint)deferred);
	json_array_foreach(json_object_get(entry, "steps"), i, step)
		look_at_recipe(doctor, name, step);
	look_at_deployment(doctor, name);
	look_at_drift(doctor, name, entry);
}

static void look_at_receipt(Doctor *doctor)
{
	g_autoptr(GError) cause = NULL;
	const char *name = NULL;
	json_t *entry = NULL;

	doctor->receipt = receipt_load(doctor->app->paths->state, &cause);
	if (!doctor->receipt)
		find_error(doctor, "receipt.damaged", cause);
	json_object_foreach(json_object_get(doctor->receipt, "stacks"), name, entry)
		look_at_stack(doctor, name, entry);
}

/* What no run needs any more, and what a kill behind the end of one left. */
static void look_at_leftovers(Doctor *doctor)
{
	g_autoptr(GPtrArray) left = g_ptr_array_new_with_free_func(g_free);

	if (!doctor->receipt)
		return;

	txn_find_leftovers(doctor->app->paths->state, doctor->receipt, left);
	for (guint i = 0; i < left->len; i++)
		find(doctor, FINDING_WARN, "leftover", "\"slipway rollback\" removes it.",
		     "of no use any more: %s", (const char *)left->pdata[i]);
}

/* One row, one thing to look at, in the order in which it is shown. */
static void (*const look_table[])(Doctor *doctor) = {
	look_at_state, look_at_lock, look_at_journals, look_at_receipt, look_at_leftovers,
};

static void print(const Doctor *doctor)
{
	Term *term = doctor->app->term;
	gsize i = 0;
	json_t *finding = NULL;

	json_array_foreach(doctor->findings, i, finding)
	{
		const char *remedy = json_text(finding, "remedy");
		term_print(term, "%s  %s\n", json_text(finding, "status"),
		           json_text(finding, "text"));
		if (remedy)
			term_print(term, "      %s\n", remedy);
	}
	if (json_array_size(doctor->findings) == 0)
		term_print(term, "Nothing is wrong.\n");
}

bool command_doctor(App *app, int argc G_GNUC_UNUSED, char **argv G_GNUC_UNUSED, GError **error)
{
	g_autoptr(HostState) host = host_new(app, NULL, NULL);
	Doctor doctor = { .app = app,
		          .host = host ? host_get(host) : NULL,
		          .findings = json_array() };

	for (gsize i = 0; i < G_N_ELEMENTS(look_table); i++)
		look_table[i](&doctor);
	session_put(app, "findings", doctor.findings);
	print(&doctor);
	json_decref(doctor.receipt);
	if (doctor.failed == 0)
		return true;

	fault_set(error, STATUS_FAILED, NULL, "%u of the findings need a decision", doctor.failed);
	return false;
}
