/* installer/step_ollama.c - step kind "ollama": an Ollama that answers
 *
 * One that is there already, whoever installed it, is used and left alone.  Else a release is
 * unpacked aside, exchanged for the one before while the service stands still, and has to answer
 * with its version; if it does not, the transaction brings back the one before.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <poll.h>
#include <string.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "checks/facts.h"
#include "installer/ollama_api.h"
#include "installer/ollama_fetch.h"
#include "installer/ollama_find.h"
#include "installer/owned_tree.h"
#include "installer/recipe.h"
#include "installer/service.h"
#include "installer/service_step.h"
#include "payload/stack.h"

#define ASK_TIMEOUT_MS 2000
#define POLL_MS 100
/* Looking for graphics cards takes half a minute with some drivers. */
#define WAIT_S_DEFAULT 90
#define LOG_TAIL_BYTES ((gsize)600)
#define LOG_MAX_BYTES ((gsize)64 * 1024 * 1024)

static const char *const keys[] = { "!version", "!release", "!path", "minimum", "host",
	                            "*digests", "wait_s",   "own",   NULL };

static const char *url_of(const StepRun *run)
{
	return json_text_or(run->step->inputs, "at", "");
}

static const json_t *service_of(const StepRun *run)
{
	return json_object_get(run->step->inputs, "service");
}

/* (nullable): the program, where a package brings it: then the service is all that is ours. */
static const char *packaged_of(const StepRun *run)
{
	return json_text(run->step->inputs, "packaged");
}

/* Whether the stack has one to itself, whatever else there is. */
static bool is_own(const StepRun *run)
{
	return g_str_equal(json_text_or(run->step->inputs, "own", "no"), "yes");
}

static Probe probe_packaged(const StepRun *run)
{
	return recipe_is_recorded(run) && file_exists(packaged_of(run)) ? PROBE_OURS : PROBE_ABSENT;
}

/* By files alone; what only answers is asked for by ask_ollama(). */
static bool probe_ollama(const StepRun *run, Probe *probe, GError **error)
{
	const char *path = recipe_input(run, "path", error);

	if (!path)
		return false;

	*probe = packaged_of(run) ? probe_packaged(run) : owned_tree_probe(run, path);
	if (is_own(run) || packaged_of(run) || *probe != PROBE_ABSENT || run->receipt)
		return true;

	g_autofree char *found = ollama_find_installed(NULL);
	*probe = found ? PROBE_FOREIGN : PROBE_ABSENT;
	return true;
}

static bool has_release(const StepRun *run, GError **error)
{
	const char *lacks = json_text(run->step->inputs, "lacks");

	if (lacks)
		fault_set(error, STATUS_UNAVAILABLE,
		          "Install Ollama by other means, or leave the step out with --skip.", "%s",
		          lacks);
	return !lacks;
}

static char *describe_holder(const FactsPort *port)
{
	if (port->container)
		return g_strdup_printf("the container %s", port->container);
	if (port->program && port->pid != FACTS_UNKNOWN)
		return g_strdup_printf("%s (process %" G_GUINT64_FORMAT ")", port->program,
		                       port->pid);
	if (port->uid != FACTS_UNKNOWN)
		return g_strdup_printf("a program of user %" G_GUINT64_FORMAT, port->uid);
	return g_strdup("another program");
}

/* Something that is no Ollama may listen there. */
static bool port_is_free(const StepRun *run, GError **error)
{
	const char *colon = strrchr(url_of(run), ':');
	guint64 number = colon ? g_ascii_strtoull(colon + 1, NULL, 10) : 0;
	guint16 asked = (guint16)MIN(number, G_MAXUINT16);
	const FactsRequest request = { .ports = &asked, .port_count = 1 };
	g_autoptr(Facts) facts = facts_read(&request);
	const FactsPort *port = facts_port(facts, asked);

	if (!port || port->is_free != FACT_NO)
		return true;

	g_autofree char *holder = describe_holder(port);
	fault_set(error, STATUS_UNAVAILABLE,
	          "Stop it, or choose another port with --set step.STEP.host=127.0.0.1:PORT.",
	          "port %u is taken by %s", (guint)asked, holder);
	return false;
}

/* Asked before there is anything to undo: a port that is taken would only show at the very end. */
static bool check_port(const StepRun *run, GError **error)
{
	g_autofree char *version = NULL;

	if (service_is_running(service_of(run)))
		return true;
	version = ollama_ask_version(url_of(run), ASK_TIMEOUT_MS, NULL);
	if (!version)
		return port_is_free(run, error);

	fault_set(error, STATUS_BUSY,
	          is_own(run) ? "Choose another port: host = 127.0.0.1:PORT."
	                      : "Run the command again: it will be used as it is.",
	          "an Ollama that slipway did not install answers at %s", url_of(run));
	return false;
}

/* An Ollama of somebody else's has to be new enough; it is theirs to update. */
static bool ask_ollama(const StepRun *run, Probe *probe, GError **error)
{
	const char *minimum = json_text(run->step->inputs, "minimum");
	g_auto(OllamaFound) found = { 0 };

	if (*probe == PROBE_PARTIAL || run->receipt)
		return true;
	bool is_wanted = is_own(run) || !ollama_find(url_of(run), &found);
	if (is_wanted)
		return has_release(run, error) && check_port(run, error);

	*probe = PROBE_FOREIGN;
	if (!minimum || !found.version || stack_version_compare(found.version, minimum) >= 0)
		return true;

	fault_set(error, STATUS_UNAVAILABLE,
	          "Update it the way it was installed, or leave the step out with --skip ollama.",
	          "the Ollama at %s is %s, older than %s", found.where, found.version, minimum);
	return false;
}

static json_t *prepare_ollama(const StepRun *run, GError **error)
{
	const char *path = recipe_input(run, "path", error);
	const json_t *service = service_of(run);
	g_autoptr(json_t) recipe = json_array();

	if (!path || !check_port(run, error))
		return NULL;

	service_step_begin(run, service, recipe);
	if (!packaged_of(run)) {
		g_autoptr(json_t) tree = owned_tree_recipe(run, path);
		json_array_extend(recipe, tree);
	}
	return service_step_end(run, service, recipe, error) ? g_steal_pointer(&recipe) : NULL;
}

/* While the new one is loaded the old one goes on; it stands still only for two renames. */
static bool exchange(const StepRun *run, const char *path, GError **error)
{
	g_autofree char *staged = owned_tree_stage(run, path, error);

	if (!staged || !ollama_fetch(run, staged, error))
		return false;

	recipe_report(run, -1, "exchanging");
	return service_stop(service_of(run), error) && owned_tree_place(run, path, staged, error);
}

/* The end of what it wrote, for the message; systemd keeps that elsewhere. */
static char *last_words(const json_t *service)
{
	g_autoptr(GBytes) bytes = file_read(json_text_or(service, "log", "/"), LOG_MAX_BYTES, NULL);
	g_autofree char *text = bytes ? recipe_text(bytes) : g_strdup("");
	gsize length = strlen(text);
	const char *tail = length > LOG_TAIL_BYTES ? text + length - LOG_TAIL_BYTES : text;
	g_autofree char *valid = g_utf8_make_valid(tail, -1);
	g_strstrip(valid);

	return *valid ? g_strconcat(": ", valid, NULL) : g_strdup("");
}

static bool has_ended(const json_t *service)
{
	return g_str_equal(json_text_or(service, "manager", ""), "process") &&
	       !service_is_running(service);
}

/* A release is known exactly; of a package it is enough that it is new enough. */
static bool is_wanted(const StepRun *run, const char *version)
{
	const char *minimum = json_text_or(run->step->inputs, "minimum", "0");

	if (!version || !packaged_of(run))
		return g_strcmp0(version, json_text(run->step->inputs, "version")) == 0;
	return stack_version_compare(version, minimum) >= 0;
}

/* One question.  Returns: whether waiting is over; @error is set when it was in vain. */
static bool is_settled(const StepRun *run, gint64 deadline_us, GError **error)
{
	const char *wanted = json_text_or(run->step->inputs, "version", "");
	g_autoptr(GError) why = NULL;
	g_autofree char *version = ollama_ask_version(url_of(run), ASK_TIMEOUT_MS, &why);

	if (is_wanted(run, version))
		return true;
	if (version) {
		fault_set(error, STATUS_UNVERIFIED, NULL, "Ollama %s answers at %s, not %s",
		          version, url_of(run), wanted);
		return true;
	}
	if (!has_ended(service_of(run)) && g_get_monotonic_time() < deadline_us)
		return false;

	g_autofree char *words = last_words(service_of(run));
	g_autofree char *cause = fault_message(why);
	fault_set(error, STATUS_UNVERIFIED, NULL,
	          "Ollama %s was started and does not answer (%s)%s", wanted, cause, words);
	return true;
}

static bool await_answer(const StepRun *run, GError **error)
{
	const char *text = json_text(run->step->inputs, "wait_s");
	guint64 wait_s = WAIT_S_DEFAULT;
	g_autoptr(GError) failure = NULL;
	struct pollfd cancelled = { .fd = cancel_fd(), .events = POLLIN };

	if (text && !g_ascii_string_to_unsigned(text, 10, 1, 3600, &wait_s, error))
		return false;

	gint64 deadline_us = g_get_monotonic_time() + (gint64)wait_s * G_USEC_PER_SEC;
	recipe_report(run, -1, "waiting for its answer");
	while (!is_settled(run, deadline_us, &failure)) {
		(void)poll(&cancelled, 1, POLL_MS);
		if (!cancel_check(error))
			return false;
	}
	if (!failure)
		return true;
	g_propagate_error(error, g_steal_pointer(&failure));
	return false;
}

static bool make_program(const StepRun *run, const char *path, GError **error)
{
	return packaged_of(run) || owned_tree_is_complete(run, path) || exchange(run, path, error);
}

static json_t *apply_ollama(const StepRun *run, GError **error)
{
	const char *path = recipe_input(run, "path", error);

	if (!path || !make_program(run, path, error))
		return NULL;

	g_autoptr(json_t) service = service_step_apply(run, service_of(run), error);
	if (!service || !await_answer(run, error))
		return NULL;

	json_t *result = packaged_of(run) ? json_object() : owned_tree_result(run, path, error);
	if (result) {
		json_object_update(result, service);
		json_put(result, "url", url_of(run));
	}
	return result;
}

const StepKind step_kind_ollama = {
	.name = "ollama",
	.verb = "install Ollama into",
	.keys = keys,
	.weight = 120,
	.keeps_foreign = true,
	.probe = probe_ollama,
	.ask = ask_ollama,
	.prepare = prepare_ollama,
	.apply = apply_ollama,
};
