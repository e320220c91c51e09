/* installer/command_update.c - "slipway update": this program itself
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/utsname.h>

#include "base/fault.h"
#include "installer/host.h"
#include "installer/session.h"
#include "installer/update.h"

static gboolean is_check;
static gboolean is_revert;
static gboolean is_downgrade_allowed;
static char *wanted_version;
static char *manifest_path;

const GOptionEntry command_update_options[] = {
	{ "check", 0, 0, G_OPTION_ARG_NONE, &is_check, "only say whether there is a newer release",
	  NULL },
	{ "to", 0, 0, G_OPTION_ARG_STRING, &wanted_version, "this release, not the newest",
	  "VERSION" },
	{ "allow-downgrade", 0, 0, G_OPTION_ARG_NONE, &is_downgrade_allowed,
	  "an older release may replace this one, after a question or with --yes", NULL },
	{ "revert", 0, 0, G_OPTION_ARG_NONE, &is_revert,
	  "put the program back that was here before the last update", NULL },
	{ "verify-manifest", 0, 0, G_OPTION_ARG_FILENAME, &manifest_path,
	  "only check the signature of a release's manifest, FILE.sig beside it", "FILE" },
	{ 0 },
};

/* Each mode stands alone; the other options belong to the update itself. */
static bool check_options(GError **error)
{
	int modes = (is_check ? 1 : 0) + (is_revert ? 1 : 0) + (manifest_path ? 1 : 0);

	if (modes > 1 ||
	    ((is_revert || manifest_path) && (wanted_version || is_downgrade_allowed))) {
		fault_set(error, STATUS_USAGE, "See \"slipway help update\".",
		          "these options do not go together");
		return false;
	}
	if (wanted_version && !release_is_version(wanted_version)) {
		fault_set(error, STATUS_USAGE, NULL, "--to %s: that is not a version",
		          wanted_version);
		return false;
	}
	return true;
}

char *update_platform(void)
{
	struct utsname name = { 0 };

	if (uname(&name) != 0)
		return g_strdup("unknown");

	g_autofree char *system = g_ascii_strdown(name.sysname, -1);
	return g_strdup_printf("%s-%s", g_str_equal(system, "darwin") ? "macos" : system,
	                       g_str_equal(name.machine, "arm64") ? "aarch64" : name.machine);
}

/* Returns: (transfer none) (nullable): the file for this machine. */
static const ReleaseArtifact *find_program(const Release *release, GError **error)
{
	g_autofree char *platform = update_platform();
	const ReleaseArtifact *program = release_program(release, platform);

	if (!program)
		fault_set(error, STATUS_UNAVAILABLE, NULL, "release %s has no program for %s",
		          release->version, platform);
	return program;
}

static void describe(App *app, const UpdatePlace *place, const char *available, bool is_changed)
{
	app->document = json_pack("{s:s, s:s, s:s, s:b}", "current", VERSION, "available",
	                          available, "program", place->program, "changed", is_changed);
}

static bool report(App *app, const UpdatePlace *place, const Release *release)
{
	int order = release_compare_versions(release->version, VERSION);

	describe(app, place, release->version, false);
	if (order > 0)
		term_print(app->term,
		           "slipway %s can be had; this is %s.  Run \"slipway update\".\n",
		           release->version, VERSION);
	else if (order == 0)
		term_print(app->term, "This is slipway %s: nothing to do.\n", VERSION);
	else
		term_print(app->term, "This is slipway %s; the release is %s, which is older.\n",
		           VERSION, release->version);
	return true;
}

/* Going back to an older one is what an attacker would want, so somebody has to say so. */
static bool check_downgrade(App *app, const Release *release, GError **error)
{
	g_autofree char *question =
		g_strdup_printf("Replace slipway %s by the older %s?", VERSION, release->version);

	if (is_downgrade_allowed)
		return session_confirm(app, question, error);
	fault_set(error, STATUS_UNTRUSTED, "If you want that, add --allow-downgrade.",
	          "release %s is older than this program, %s", release->version, VERSION);
	return false;
}

static bool update(App *app, const UpdatePlace *place, const Release *release, GError **error)
{
	int order = release_compare_versions(release->version, VERSION);

	if (is_check || order == 0)
		return report(app, place, release);

	const ReleaseArtifact *program = find_program(release, error);
	if (!program || !update_check_writable(place, error) ||
	    (order < 0 && !check_downgrade(app, release, error)) ||
	    !update_exchange(app, place, release, program, error))
		return false;

	describe(app, place, release->version, true);
	term_print(app->term, "%s is slipway %s now; it was %s.\n", place->program,
	           release->version, VERSION);
	term_note(app->term,
	          "The one before is kept as %s; \"slipway update --revert\" brings it "
	          "back.",
	          place->previous);
	return true;
}

static bool revert(App *app, const UpdatePlace *place, GError **error)
{
	g_autofree char *version = NULL;

	if (!update_check_writable(place, error))
		return false;
	version = update_revert(app, place, error);
	if (!version)
		return false;

	describe(app, place, version, true);
	term_print(app->term, "%s is slipway %s again; %s is kept as %s.\n", place->program,
	           version, VERSION, place->previous);
	return true;
}

bool command_update(App *app, int argc G_GNUC_UNUSED, char **argv G_GNUC_UNUSED, GError **error)
{
	if (!check_options(error))
		return false;
	if (manifest_path)
		return update_verify_manifest(app, manifest_path, error);

	g_autofree char *program = host_self_path();
	g_autoptr(UpdatePlace) place = update_place_new(program);
	if (!update_check_owner(program, error))
		return false;
	if (is_revert)
		return revert(app, place, error);

	g_autoptr(Release) release = update_find_release(app, wanted_version, error);
	return release && update(app, place, release, error);
}
