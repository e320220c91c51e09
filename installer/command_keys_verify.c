/* installer/command_keys_verify.c - "slipway keys verify": asks the providers whether they take the keys
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/secret.h"
#include "installer/key_verify.h"
#include "installer/keys.h"
#include "payload/stacks.h"

static char *stack_name;

const GOptionEntry command_keys_verify_options[] = {
	{ "stack", 0, 0, G_OPTION_ARG_STRING, &stack_name, "the keys that a stack declares",
	  "STACK" },
	{ 0 },
};

/** One key and the answer to it. */
typedef struct {
	const App *app;
	char *name;
	bool is_named;  /* it was asked for; without it, an answer is missed */
	GBytes *secret; /* (nullable): not there */
	KeyVerdict verdict;
	char *why;
} Job;

static void job_free(gpointer data)
{
	Job *job = data;

	if (job->secret)
		g_bytes_unref(job->secret);
	g_free(job->name);
	g_free(job->why);
	g_free(job);
}

static void add_job(const App *app, GPtrArray *jobs, const char *name, bool is_named)
{
	Job *job = g_new0(Job, 1);

	job->app = app;
	job->name = g_strdup(name);
	job->is_named = is_named;
	g_ptr_array_add(jobs, job);
}

/* Of a generated key there is no provider. */
static bool add_declared(const App *app, GPtrArray *jobs, GError **error)
{
	g_autoptr(StackBundle) bundle = stacks_open(stack_name, error);
	const GPtrArray *keys = bundle ? stacks_definition(bundle)->keys : NULL;

	for (guint i = 0; keys && i < keys->len; i++) {
		const StackKey *key = g_ptr_array_index(keys, i);

		if (key->kind != STACK_KEY_GENERATED)
			add_job(app, jobs, key->name, key->kind == STACK_KEY_REQUIRED);
	}
	return bundle != NULL;
}

static bool make_jobs(const App *app, GPtrArray *jobs, char **names, GError **error)
{
	for (char **name = names; *name; name++) {
		if (!keystore_check_name(*name, error))
			return false;
		add_job(app, jobs, *name, true);
	}
	if (stack_name)
		return add_declared(app, jobs, error);
	for (gsize i = 0; !*names && i < key_provider_count; i++)
		add_job(app, jobs, key_provider_table[i].name, false);
	return true;
}

/* All of them in one round trip.  What was not asked for by name, and is not there, is left out. */
static bool look_up(GPtrArray *jobs, Keystore *store, GError **error)
{
	g_autofree const char **names = g_new0(const char *, jobs->len + 1);
	g_autofree GBytes **secrets = g_new0(GBytes *, jobs->len + 1);

	for (guint i = 0; i < jobs->len; i++)
		names[i] = ((const Job *)g_ptr_array_index(jobs, i))->name;
	if (!keystore_lookup_all(store, names, secrets, error))
		return false;
	for (guint i = jobs->len; i-- > 0;) {
		Job *job = g_ptr_array_index(jobs, i);

		job->secret = secrets[i];
		if (!job->secret && !job->is_named)
			g_ptr_array_remove_index(jobs, i);
	}
	return true;
}

static gpointer run_job(gpointer data)
{
	Job *job = data;

	job->verdict = key_verify(job->app, job->name, job->secret, &job->why);
	return NULL;
}

/* Each waits for its own server, so they wait together. */
static void run_jobs(GPtrArray *jobs)
{
	g_autoptr(GPtrArray) threads = g_ptr_array_new();

	for (guint i = 0; i < jobs->len; i++) {
		Job *job = g_ptr_array_index(jobs, i);

		if (job->secret) {
			g_ptr_array_add(threads, g_thread_new("verify", run_job, job));
			continue;
		}
		job->verdict = KEY_MISSING;
		job->why = g_strdup("it is neither in the keystore nor in the environment");
	}
	for (guint i = 0; i < threads->len; i++)
		(void)g_thread_join(g_ptr_array_index(threads, i));
}

static const Job *find_verified(const GPtrArray *jobs, const char *name)
{
	for (guint i = 0; i < jobs->len; i++) {
		const Job *job = g_ptr_array_index(jobs, i);
		bool is_good = job->verdict == KEY_VALID || job->verdict == KEY_LIMITED;

		if (is_good && !keys_is_in_environment(name) && strcmp(job->name, name) == 0)
			return job;
	}
	return NULL;
}

/* Writes down when the keys of the store were found good. */
static bool record(const GPtrArray *jobs, Keystore *store, GError **error)
{
	g_autoptr(GPtrArray) entries = keystore_list(store, error);
	g_autoptr(GArray) changes = g_array_new(false, true, sizeof(KeystoreChange));

	for (guint i = 0; entries && i < entries->len; i++) {
		KeystoreEntry *entry = g_ptr_array_index(entries, i);
		KeystoreChange change = { .name = entry->name, .note = &entry->note };

		if (!find_verified(jobs, entry->name))
			continue;
		entry->note.verified_s = g_get_real_time() / G_USEC_PER_SEC;
		g_array_append_val(changes, change);
	}
	if (!entries || changes->len == 0)
		return entries != NULL;
	return keystore_apply(store, (const KeystoreChange *)(gconstpointer)changes->data,
	                      changes->len, error);
}

static void show(App *app, const GPtrArray *jobs)
{
	static const char *const headings[] = { "NAME", "ANSWER", "WHY" };
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	json_t *keys = json_array();

	for (guint i = 0; i < jobs->len; i++) {
		const Job *job = g_ptr_array_index(jobs, i);
		const char *verdict = key_verdict_name(job->verdict);

		g_ptr_array_add(cells, g_strdup(job->name));
		g_ptr_array_add(cells, g_strdup(verdict));
		g_ptr_array_add(cells, g_strdup(job->why));
		json_array_append_new(keys, json_pack("{s:s, s:s, s:s}", "name", job->name,
		                                      "verdict", verdict, "why", job->why));
	}
	app->document = json_pack("{s:o}", "keys", keys);
	if (jobs->len > 0)
		term_table(app->term, headings, G_N_ELEMENTS(headings), cells);
	else
		term_note(app->term, "There is no key whose provider is known.");
}

static guint count(const GPtrArray *jobs, KeyVerdict verdict)
{
	guint found = 0;

	for (guint i = 0; i < jobs->len; i++) {
		const Job *job = g_ptr_array_index(jobs, i);

		/* One that nobody asked for by name is no failure. */
		found += job->verdict == verdict && (verdict != KEY_UNVERIFIABLE || job->is_named);
	}
	return found;
}

static bool conclude(const GPtrArray *jobs, GError **error)
{
	guint refused = count(jobs, KEY_REFUSED) + count(jobs, KEY_MISSING);
	guint open = count(jobs, KEY_UNREACHABLE) + count(jobs, KEY_UNCLEAR) +
	             count(jobs, KEY_UNVERIFIABLE);

	if (refused > 0)
		fault_set(error, STATUS_FAILED, "Put in a new one with: slipway keys rotate NAME",
		          "%u of %u keys are refused or missing", refused, jobs->len);
	else if (open > 0)
		fault_set(error, STATUS_UNAVAILABLE, NULL, "%u of %u keys could not be verified",
		          open, jobs->len);
	return refused == 0 && open == 0;
}

bool command_keys_verify(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	g_autoptr(Keystore) store =
		stack_name ? keys_open(app, error) : keys_open_for_command(app, error);
	g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(job_free);
	g_autoptr(GError) cause = NULL;

	if (!store || !make_jobs(app, jobs, argv, error) || !look_up(jobs, store, error))
		return false;
	run_jobs(jobs);
	show(app, jobs);
	if (keystore_exists(store) && !record(jobs, store, &cause)) {
		g_autofree char *message = fault_message(cause);
		term_warn(app->term, "slipway: cannot write down that they were verified: %s",
		          message);
	}
	return conclude(jobs, error);
}
