/* installer/command_keys_doctor.c - "slipway keys doctor": how well keys are kept here
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "installer/key_doctor.h"
#include "installer/keys.h"

/* Opens it where nobody has to answer and nothing has to be started. */
static void try_to_open(Doctor *doctor)
{
	g_autofree char *why = NULL;

	if (!doctor->is_there)
		return;
	if (!doctor->is_file && !keystore_probe(doctor->store, &why)) {
		keystore_fail(&doctor->refusal, KEYSTORE_ERROR_LOCKED, NULL, "%s", why);
		return;
	}
	g_autoptr(GBytes) key = keystore_derive(doctor->store, "doctor", &doctor->refusal);
	doctor->was_opened = key != NULL;
	/* Of an older version, and empty since. */
	if (g_error_matches(doctor->refusal, KEYSTORE_ERROR, KEYSTORE_ERROR_NOT_FOUND)) {
		doctor->was_opened = true;
		g_clear_error(&doctor->refusal);
	}
}

static void show(App *app, const DoctorRow *row, const DoctorFinding *finding, json_t *checks)
{
	static const TermStyle styles[] = {
		[DOCTOR_OK] = TERM_GOOD,
		[DOCTOR_WARN] = TERM_WARN,
		[DOCTOR_FAIL] = TERM_BAD,
	};
	const char *verdict = doctor_verdict_name(finding->verdict);
	g_autofree char *padded = g_strdup_printf("%-4s", verdict);
	g_autofree char *word = term_styled(app->term, styles[finding->verdict], padded);

	json_array_append_new(checks,
	                      json_pack("{s:s, s:s, s:s, s:s?}", "id", row->id, "status", verdict,
	                                "text", finding->text, "remedy", finding->remedy));
	term_print(app->term, "%s  %s: %s\n", word, row->title, finding->text);
	if (finding->remedy)
		term_print(app->term, "      %s\n", finding->remedy);
}

static bool look(App *app, const Doctor *doctor, GError **error)
{
	json_t *checks = json_array();
	guint failed = 0;

	for (gsize i = 0; i < doctor_count; i++) {
		g_auto(DoctorFinding) finding = { 0 };

		doctor_table[i].look(doctor, &finding);
		failed += finding.verdict == DOCTOR_FAIL;
		show(app, &doctor_table[i], &finding, checks);
	}
	app->document = json_pack("{s:s, s:s?, s:s?, s:o}", "keystore", doctor->path, "backend",
	                          doctor->back_end, "why", doctor->why, "checks", checks);
	if (failed > 0)
		fault_set(error, STATUS_FAILED, NULL, "%u of %u are not as they should be", failed,
		          (guint)doctor_count);
	return failed == 0;
}

bool command_keys_doctor(App *app, int argc G_GNUC_UNUSED, char **argv G_GNUC_UNUSED,
                         GError **error)
{
	g_autofree char *path = keys_path(app);
	g_autofree char *default_key = g_build_filename(app->paths->state, "keystore.key", NULL);
	const char *key_file = settings_text(app->settings, "key-file");
	g_autoptr(Keystore) store = keys_open_unasked(app, error);

	if (!store)
		return false;
	Doctor doctor = {
		.app = app,
		.store = store,
		.path = path,
		.key_file = key_file ? key_file : default_key,
		.can_ask = term_can_ask(app->term),
	};
	doctor.back_end = keystore_back_end(store, &doctor.why, &doctor.refusal);
	doctor.is_file = g_strcmp0(doctor.back_end, "file") == 0;
	doctor.is_there = doctor.back_end && keystore_exists(store);
	if (doctor.back_end)
		try_to_open(&doctor);
	bool is_good = look(app, &doctor, error);
	g_clear_error(&doctor.refusal);
	return is_good;
}
