/* checks/check_desktop_options.c - judges how Docker Desktop is set up
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_desktop.h"

/* Oldest version that is in order with today's compose files.  Source: the stacks' own documents. */
#define VERSION_MINIMUM "4.26"

/* Versions that cannot be worked with.  Source: Docker Desktop's release notes. */
static const struct {
	const char *version, *why;
} bad_table[] = {
	{ "4.16.0", "containers may not start" },
	{ "4.31.0", "volumes of earlier versions are hidden" },
	{ "4.34.0", "compose hangs while it is asleep" },
};

static bool is_mac(const Facts *facts)
{
	return facts_flavour(facts) == FLAVOUR_DESKTOP_MACOS;
}

static bool applies_on_mac(const Facts *facts, const CheckNeeds *needs)
{
	return applies_with_desktop(facts, needs) && is_mac(facts);
}

static bool is_arm(const Facts *facts)
{
	const char *architecture = facts->system.architecture;

	return architecture != NULL &&
	       (strcmp(architecture, "arm64") == 0 || strcmp(architecture, "aarch64") == 0);
}

static bool applies_on_apple_silicon(const Facts *facts, const CheckNeeds *needs)
{
	return applies_on_mac(facts, needs) && is_arm(facts);
}

/* "Docker Desktop 4.43.1 (198352)", else what the program's own files say. */
static const char *version_of(const Facts *facts)
{
	const char *platform = facts->engine.platform;

	if (platform != NULL && g_str_has_prefix(platform, "Docker Desktop "))
		return platform + strlen("Docker Desktop ");
	return facts->desktop.app_version;
}

static void judge_desktop_version(CheckRun *run)
{
	const char *version = version_of(run->facts);
	CheckFinding *finding;

	if (version == NULL) {
		(void)finding_add(run, CHECK_SKIPPED, "no file says it");
		return;
	}
	finding = finding_add_version(run, version, VERSION_MINIMUM);
	for (gsize i = 0; i < G_N_ELEMENTS(bad_table); i++) {
		if (strncmp(version, bad_table[i].version, strlen(bad_table[i].version)) != 0)
			continue;
		finding->verdict = finding->judged = run->check->severity;
		finding_set(&finding->measured,
		            g_strdup_printf("%s: %s", bad_table[i].version, bad_table[i].why));
	}
}

/** A switch, and how it should stand. */
typedef struct {
	DesktopSwitch state;
	DesktopSwitch fallback; /* Docker Desktop's default; UNKNOWN: it depends */
	DesktopSwitch wanted;
} Wanted;

/* Returns: (transfer none) (nullable): the finding, NULL where there are no settings. */
static CheckFinding *judge_switch(CheckRun *run, const Wanted *want)
{
	bool is_default = want->state == DESKTOP_SWITCH_DEFAULT;
	DesktopSwitch state = is_default ? want->fallback : want->state;
	CheckFinding *finding;
	g_autofree char *measured =
		g_strdup_printf("%s%s", state == DESKTOP_SWITCH_ON ? "on" : "off",
	                        is_default ? ", by default" : "");

	if (desktop_add_unread(run) != NULL)
		return NULL;
	if (state == DESKTOP_SWITCH_UNKNOWN)
		finding = finding_add(run, is_default ? CHECK_SKIPPED : CHECK_UNKNOWN,
		                      is_default ? "its default depends on the version" : NULL);
	else
		finding = finding_add(run,
		                      state == want->wanted || run->check->severity == CHECK_PASS
		                              ? CHECK_PASS
		                              : run->check->severity,
		                      measured);
	finding_set_source(finding, g_strdup(run->facts->desktop.file));
	return finding;
}

/* On by default from macOS 14.1, unless Docker's own virtual machine monitor is used. */
static void judge_desktop_rosetta(CheckRun *run)
{
	const Facts *facts = run->facts;
	bool is_new = facts->system.version != NULL &&
	              version_compare(facts->system.version, "14.1") >= 0;
	CheckFinding *finding = judge_switch(
		run, &(Wanted){ facts->desktop.rosetta,
	                        is_new && facts->desktop.docker_vmm != DESKTOP_SWITCH_ON
	                                ? DESKTOP_SWITCH_ON
	                                : DESKTOP_SWITCH_UNKNOWN,
	                        DESKTOP_SWITCH_ON });

	if (finding != NULL && facts->desktop.docker_vmm == DESKTOP_SWITCH_ON)
		finding_set_remedy(
			finding,
			g_strdup("Docker Desktop > Settings > General: choose Apple Virtualization "
		                 "framework, which has Rosetta, then switch Rosetta on."));
}

static void judge_desktop_vmm(CheckRun *run)
{
	(void)judge_switch(run, &(Wanted){ run->facts->desktop.docker_vmm, DESKTOP_SWITCH_OFF,
	                                   DESKTOP_SWITCH_OFF });
}

static void judge_desktop_virtiofs(CheckRun *run)
{
	(void)judge_switch(run, &(Wanted){ run->facts->desktop.virtiofs, DESKTOP_SWITCH_ON,
	                                   DESKTOP_SWITCH_ON });
}

static void judge_desktop_kubernetes(CheckRun *run)
{
	(void)judge_switch(run, &(Wanted){ run->facts->desktop.kubernetes, DESKTOP_SWITCH_OFF,
	                                   DESKTOP_SWITCH_OFF });
}

static void judge_desktop_saver(CheckRun *run)
{
	const Facts *facts = run->facts;
	CheckFinding *finding =
		judge_switch(run, &(Wanted){ facts->desktop.resource_saver, DESKTOP_SWITCH_ON,
	                                     DESKTOP_SWITCH_OFF });

	/* Nobody waits for it where nobody watches. */
	if (finding != NULL && facts->system.ci != NULL &&
	    g_str_has_prefix(finding->measured, "on"))
		finding->verdict = finding->judged = CHECK_WARN;
}

static void judge_desktop_autostart(CheckRun *run)
{
	(void)judge_switch(run, &(Wanted){ run->facts->desktop.autostart, DESKTOP_SWITCH_OFF,
	                                   DESKTOP_SWITCH_ON });
}

static void judge_desktop_windows(CheckRun *run)
{
	(void)judge_switch(run, &(Wanted){ run->facts->desktop.windows_containers,
	                                   DESKTOP_SWITCH_OFF, DESKTOP_SWITCH_OFF });
}

static void judge_desktop_tcp(CheckRun *run)
{
	(void)judge_switch(run, &(Wanted){ run->facts->desktop.open_tcp, DESKTOP_SWITCH_OFF,
	                                   DESKTOP_SWITCH_OFF });
}

static void judge_desktop_isolation(CheckRun *run)
{
	(void)judge_switch(run, &(Wanted){ run->facts->desktop.isolation, DESKTOP_SWITCH_OFF,
	                                   DESKTOP_SWITCH_OFF });
}

static void judge_desktop_licence(CheckRun *run)
{
	const FactsDesktop *desktop = &run->facts->desktop;
	bool is_open = desktop->licence == DESKTOP_SETTING_DEFAULT ||
	               (desktop->licence == DESKTOP_SETTING_SET && desktop->licence_number == 0);
	CheckFinding *finding;

	if (run->facts->engine.state == ENGINE_OK) {
		(void)finding_add(run, CHECK_PASS, "its engine answers");
		return;
	}
	if (desktop_add_unread(run) != NULL)
		return;
	finding = finding_add(run,
	                      is_open                                       ? run->check->severity
	                      : desktop->licence == DESKTOP_SETTING_UNKNOWN ? CHECK_UNKNOWN
	                                                                    : CHECK_PASS,
	                      is_open ? "not accepted yet" : "accepted");
	finding_set_source(finding, g_strdup(desktop->file));
}

static void judge_desktop_sign_in(CheckRun *run)
{
	const Facts *facts = run->facts;
	bool is_asked = facts->desktop.must_sign_in == FACT_YES && facts->engine.state != ENGINE_OK;

	if (facts->desktop.must_sign_in == FACT_UNKNOWN)
		(void)finding_add(run, CHECK_SKIPPED, "not looked at");
	else
		(void)finding_add(run, is_asked ? run->check->severity : CHECK_PASS,
		                  facts->desktop.must_sign_in == FACT_YES
		                          ? "wanted by registry.json"
		                          : "not wanted");
}

static void judge_desktop_admin(CheckRun *run)
{
	const FactsDesktop *desktop = &run->facts->desktop;
	CheckFinding *finding;

	if (desktop->admin_file == NULL) {
		(void)finding_add(run, CHECK_PASS, "none found");
		return;
	}
	finding = finding_add(run, desktop->admin_why != NULL ? run->check->severity : CHECK_PASS,
	                      desktop->admin_why != NULL ? desktop->admin_why : "in order");
	finding_set_source(finding, g_strdup(desktop->admin_file));
}

/* Only what a remedy here would change, or what keeps a stack from running. */
static bool matters(const char *name)
{
	static const char *const names[] = { "useVirtualizationFrameworkRosetta",
		                             "useVirtualizationFrameworkVirtioFS",
		                             "useGrpcfuse",
		                             "kubernetes.enabled",
		                             "kubernetes",
		                             "proxy",
		                             "containersProxy",
		                             "enhancedContainerIsolation",
		                             "exposeDockerAPIOnTCP2375",
		                             "filesharingAllowedDirectories",
		                             "linuxVM.wslEngineEnabled",
		                             "linuxVM.dockerDaemonOptions",
		                             "blockDockerLoad",
		                             "portBindingBehavior",
		                             NULL };

	return g_strv_contains(names, name);
}

static void judge_desktop_locked(CheckRun *run)
{
	const FactsDesktop *desktop = &run->facts->desktop;
	g_auto(GStrv) names = g_strsplit(desktop->locked != NULL ? desktop->locked : "", " ", -1);
	g_autoptr(GString) list = g_string_new(NULL);
	CheckFinding *finding;

	for (char **name = names; *name != NULL; name++)
		if (matters(*name))
			g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "", *name);

	finding = finding_add(run, list->len > 0 ? run->check->severity : CHECK_PASS,
	                      list->len > 0 ? list->str : "none that matters here");
	if (desktop->admin_file != NULL)
		finding_set_source(finding, g_strdup(desktop->admin_file));
}

static void judge_desktop_files(CheckRun *run)
{
	const char *differing = run->facts->desktop.differing;

	if (desktop_add_unread(run) == NULL)
		(void)finding_add(run, differing != NULL ? run->check->severity : CHECK_PASS,
		                  differing != NULL ? differing
		                                    : "they agree, or there is one alone");
}

/* Docker Desktop's own list, where the file has none. */
static const char default_sharing[] = "/Users\n/Volumes\n/private\n/tmp\n/var/folders";

static bool is_shared(const char *path, char *const *directories)
{
	for (; *directories != NULL; directories++) {
		gsize length = strlen(*directories);

		if (g_str_has_prefix(path, *directories) &&
		    (path[length] == '/' || path[length] == '\0' || length == 1))
			return true;
	}
	return false;
}

static void judge_desktop_sharing(CheckRun *run)
{
	const char *text = run->facts->desktop.file_sharing;
	const char *home = run->facts->system.home;
	g_autofree char *fallback = is_mac(run->facts) ? g_strdup(default_sharing)
	                                               : g_strdup(home != NULL ? home : "/");
	g_auto(GStrv) shared = g_strsplit(text != NULL ? text : fallback, "\n", -1);
	bool is_one = false;

	if (desktop_add_unread(run) != NULL)
		return;
	for (gsize i = 0; i < run->needs->disk_count; i++) {
		const char *path = run->needs->disk[i].path;

		if (is_shared(path, shared))
			continue;
		finding_set(&finding_add(run, run->check->severity, path)->needed,
		            g_strjoinv(", ", shared));
		is_one = true;
	}
	if (!is_one)
		(void)finding_add(run, CHECK_PASS, "the stack's directories are shared");
}

static bool applies_with_sharing(const Facts *facts, const CheckNeeds *needs)
{
	return applies_with_desktop(facts, needs) &&
	       facts_flavour(facts) != FLAVOUR_DESKTOP_WINDOWS;
}

static void judge_desktop_proxy(CheckRun *run)
{
	const FactsDesktop *desktop = &run->facts->desktop;
	const FactsNetwork *network = &run->facts->network;
	const char *here =
		network->https_proxy != NULL ? network->https_proxy : network->http_proxy;
	bool is_manual = g_strcmp0(desktop->proxy_mode, "manual") == 0;
	bool is_other = is_manual && desktop->proxy != NULL && g_strcmp0(desktop->proxy, here) != 0;
	CheckFinding *finding;

	if (desktop_add_unread(run) != NULL)
		return;
	finding = finding_add(run, is_other ? run->check->severity : CHECK_PASS,
	                      is_manual && desktop->proxy != NULL ? desktop->proxy
	                                                          : "that of the system");
	if (is_other)
		finding->needed = g_strdup(here != NULL ? here : "none, as in this shell");
}

/* clang-format off */
const Check check_rows_desktop_options[] = {
	{ "desktop.version", "Docker Desktop's version", CHECK_WARN, CHECK_LOCAL, NULL, "engine /version, program's files",
	  "Update Docker Desktop: its whale menu, Check for updates.",
	  "Versions before 4.26 are too old for the stack's compose files; 4.16.0, 4.31.0 and 4.34.0 have faults "
	  "that its release notes name.",
	  applies_with_desktop, judge_desktop_version },
	{ "desktop.licence", "Docker Desktop's terms", CHECK_WARN, CHECK_LOCAL, NULL, "settings file LicenseTermsVersion",
	  "Open Docker Desktop once, and read and accept its terms.",
	  "Before that its engine does not start; on a machine that nobody looks at it waits for ever.",
	  applies_with_desktop, judge_desktop_licence },
	{ "desktop.sign_in", "signing in", CHECK_WARN, CHECK_LOCAL, NULL, "registry.json",
	  "Sign in to Docker Desktop with an account of your organisation.",
	  "With registry.json an administrator has Docker Desktop start its engine only for members of an "
	  "organisation.",
	  applies_with_desktop, judge_desktop_sign_in },
	{ "desktop.admin", "administrator's settings", CHECK_WARN, CHECK_LOCAL, NULL, "admin-settings.json",
	  "Ask whoever administers this machine to mend the file.",
	  "Docker Desktop may refuse to start, or start with other settings, when this file is no valid JSON.",
	  applies_with_desktop, judge_desktop_admin },
	{ "desktop.locked", "settings that are locked", CHECK_WARN, CHECK_LOCAL, NULL, "admin-settings.json",
	  "Ask whoever administers this machine: changes in Docker Desktop's settings do not count for these.",
	  "An administrator can lock settings. Memory, processors, swap and disk are never among them. From "
	  "4.36 on the same can come from the organisation's account, which no file here shows.",
	  applies_with_desktop, judge_desktop_locked },
	{ "desktop.files", "older settings file", CHECK_WARN, CHECK_LOCAL, NULL, "settings.json",
	  "Nothing to do: the newer file counts. Remove settings.json, lest somebody edits it.",
	  "After an update to 4.35 or later both files are there; settings in the older one do nothing.",
	  applies_with_desktop, judge_desktop_files },
	{ "desktop.rosetta", "Rosetta for amd64 images", CHECK_WARN, CHECK_LOCAL, NULL, "settings file",
	  "Docker Desktop > Settings > General: switch on Rosetta for x86_64/amd64 emulation, then Apply.",
	  "Images that are made for amd64 alone run several times slower under QEMU, and some of them not at "
	  "all. Choosing Docker VMM and going back leaves Rosetta off.",
	  applies_on_apple_silicon, judge_desktop_rosetta },
	{ "desktop.vmm", "Docker's own machine monitor", CHECK_WARN, CHECK_LOCAL, NULL, "settings file UseLibkrun",
	  "Docker Desktop > Settings > General: choose Apple Virtualization framework, then Apply.",
	  "Docker VMM has no Rosetta, and trouble with databases on mounted directories.",
	  applies_on_apple_silicon, judge_desktop_vmm },
	{ "desktop.virtiofs", "VirtioFS", CHECK_WARN, CHECK_LOCAL, NULL, "settings file",
	  "Docker Desktop > Settings > General: choose VirtioFS, then Apply.",
	  "gRPC FUSE and osxfs are slower by far, and do not pass on all changes of files.",
	  applies_on_mac, judge_desktop_virtiofs },
	{ "desktop.sharing", "shared directories", CHECK_FAIL, CHECK_LOCAL, NULL, "settings file FilesharingDirectories",
	  "Docker Desktop > Settings > Resources > File sharing: add the directory, then Apply.",
	  "Containers can mount directories of these places alone: \"Mounts denied\" else.",
	  applies_with_sharing, judge_desktop_sharing },
	{ "desktop.kubernetes", "Kubernetes", CHECK_WARN, CHECK_LOCAL, NULL, "settings file",
	  "Docker Desktop > Settings > Kubernetes: switch it off, unless you need it; then Apply.",
	  "It takes 1 to 2 GiB of the engine's memory, and the stack does not use it.",
	  applies_with_desktop, judge_desktop_kubernetes },
	{ "desktop.saver", "Resource Saver", CHECK_PASS, CHECK_LOCAL, NULL, "settings file",
	  "Docker Desktop > Settings > Resources > Advanced: switch Resource Saver off.",
	  "It stops the machine when no container runs; the next command waits 3 to 10 s until it is awake.",
	  applies_with_desktop, judge_desktop_saver },
	{ "desktop.autostart", "start at login", CHECK_PASS, CHECK_LOCAL, NULL, "settings file",
	  "Docker Desktop > Settings > General: Start Docker Desktop when you sign in.",
	  "Without it the stack's containers are gone after a restart, until somebody opens Docker Desktop.",
	  applies_with_desktop, judge_desktop_autostart },
	{ "desktop.windows", "containers of Windows", CHECK_FAIL, CHECK_LOCAL, NULL, "settings file",
	  "Docker Desktop's whale menu: Switch to Linux containers.",
	  "The stack's images are for Linux.",
	  applies_with_desktop, judge_desktop_windows },
	{ "desktop.tcp", "access on port 2375", CHECK_WARN, CHECK_LOCAL, NULL, "settings file",
	  "Docker Desktop > Settings > General: switch off Expose daemon on tcp://localhost:2375.",
	  "Every program on this machine, and through it every web page, could become root in the machine.",
	  applies_with_desktop, judge_desktop_tcp },
	{ "desktop.isolation", "Enhanced Container Isolation", CHECK_WARN, CHECK_LOCAL, NULL, "settings file",
	  "Have the stack's images excepted, or switch it off: Settings > General.",
	  "It keeps containers from using the engine's socket and from being privileged, which some of the "
	  "stack's services may need.",
	  applies_with_desktop, judge_desktop_isolation },
	{ "desktop.proxy", "Docker Desktop's proxy", CHECK_WARN, CHECK_LOCAL, NULL, "settings file, environment",
	  "Docker Desktop > Settings > Resources > Proxies: set that of this shell, or choose the system's.",
	  "Images are loaded through Docker Desktop's proxy, everything else through that of this shell.",
	  applies_with_desktop, judge_desktop_proxy },
	{ 0 },
};
/* clang-format on */
