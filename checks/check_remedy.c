/* checks/check_remedy.c - what to do, for each kind of engine
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/check_remedy.h"

#define MIB_SHIFT 20
#define GIB_SHIFT 30

#define RESOURCES "Docker Desktop > Settings > Resources"
#define WSL_CONFIG "in the file .wslconfig of the Windows home directory"
#define DESKTOP_AMOUNTS                                                                       \
	{                                                                                     \
		RESOURCES ": set Memory to at least @ GB, then Apply.",                       \
			RESOURCES ": set CPUs to at least @, then Apply.",                    \
			RESOURCES ": set the disk usage limit to at least @ GB, then Apply.", \
			RESOURCES ": set Swap to @ GB, then Apply."                           \
	}
#define DESKTOP_DAEMON "Docker Desktop > Settings > Docker Engine: add @ to the text, then Apply."
#define DESKTOP_UPDATE "Update Docker Desktop: its whale menu, Check for updates."

/** "@" stands for the amount, or for the setting. */
typedef struct {
	const char *start;
	const char *sizes[4]; /* by EngineSize; (nullable): no such setting */
	guint shift;          /* of the amount: GiB or MiB */
	const char *daemon;
	const char *update;
} Remedies;

static const Remedies remedy_table[] = {
	[FLAVOUR_ENGINE] = { "Start the engine: `sudo systemctl start docker`.",
	                     { NULL },
	                     GIB_SHIFT,
	                     "Add @ to /etc/docker/daemon.json, then run `sudo systemctl restart "
	                     "docker`.",
	                     "Update Docker with the package manager, or from Docker's own "
	                     "repository." },
	[FLAVOUR_ROOTLESS] = { "Start the engine: `systemctl --user start docker`.",
	                       { NULL },
	                       GIB_SHIFT,
	                       "Add @ to ~/.config/docker/daemon.json, then run `systemctl --user "
	                       "restart "
	                       "docker`.",
	                       "Update Docker with the package manager, or from Docker's own "
	                       "repository." },
	[FLAVOUR_SNAP] = { "Start the engine: `sudo snap start docker`.",
	                   { NULL },
	                   GIB_SHIFT,
	                   "Add @ to /var/snap/docker/current/config/daemon.json, then run `sudo "
	                   "snap "
	                   "restart docker`.",
	                   "Run `sudo snap refresh docker`." },
	[FLAVOUR_DESKTOP_MACOS] = { "Open Docker Desktop: `open -a Docker`.", DESKTOP_AMOUNTS,
	                            GIB_SHIFT, DESKTOP_DAEMON, DESKTOP_UPDATE },
	[FLAVOUR_DESKTOP_WINDOWS] = { "Start Docker Desktop in Windows, and switch this "
	                              "distribution on "
	                              "in " RESOURCES " > WSL integration.",
	                              { "Write memory=@GB under [wsl2] " WSL_CONFIG
	                                ", then run `wsl "
	                                "--shutdown` in Windows.",
	                                "Write processors=@ under [wsl2] " WSL_CONFIG
	                                ", then run `wsl "
	                                "--shutdown` in Windows.",
	                                "Free @ GB on the Windows drive that holds the disk image.",
	                                "Write swap=@GB under [wsl2] " WSL_CONFIG ", then run `wsl "
	                                "--shutdown` in Windows." },
	                              GIB_SHIFT,
	                              DESKTOP_DAEMON,
	                              DESKTOP_UPDATE },
	[FLAVOUR_DESKTOP_LINUX] = { "Start Docker Desktop: `systemctl --user start "
	                            "docker-desktop`.",
	                            DESKTOP_AMOUNTS, GIB_SHIFT, DESKTOP_DAEMON, DESKTOP_UPDATE },
	[FLAVOUR_COLIMA] = { "Start the engine: `colima start`.",
	                     { "Run `colima stop`, then `colima start --memory @`.",
	                       "Run `colima stop`, then `colima start --cpu @`.",
	                       "Run `colima stop`, then `colima start --disk @`.", NULL },
	                     GIB_SHIFT,
	                     "Run `colima start --edit`, and add @ under \"docker:\".",
	                     "Update colima, then run `colima delete` and `colima start`: that "
	                     "removes "
	                     "containers and volumes." },
	[FLAVOUR_ORBSTACK] = { "Start the engine: `orb start`.",
	                       { "Run `orb config set memory_mib @`.",
	                         "Run `orb config set cpu @`.", NULL, NULL },
	                       MIB_SHIFT,
	                       "OrbStack > Settings > Docker: add @, then Apply.",
	                       "Run `orb update`." },
	[FLAVOUR_RANCHER] = { "Start Rancher Desktop: `rdctl start`.",
	                      { "Run `rdctl set --virtual-machine.memory-in-gb @`.",
	                        "Run `rdctl set --virtual-machine.number-cpus @`.", NULL, NULL },
	                      GIB_SHIFT,
	                      "Add @ to /etc/docker/daemon.json in Rancher Desktop's machine "
	                      "(`rdctl shell`).",
	                      "Update Rancher Desktop." },
	[FLAVOUR_LIMA] = { "Start the engine: `limactl start docker`.",
	                   { "Run `limactl stop docker`, then `limactl edit --memory @ docker`.",
	                     "Run `limactl stop docker`, then `limactl edit --cpus @ docker`.",
	                     NULL, NULL },
	                   GIB_SHIFT,
	                   "Add @ to the engine's daemon.json in the machine (`limactl shell "
	                   "docker`).",
	                   "Update the engine in the machine (`limactl shell docker`)." },
	[FLAVOUR_PODMAN] = { "Start podman: `systemctl --user start podman.socket`, or `podman "
	                     "machine "
	                     "start`.",
	                     { "Run `podman machine stop`, then `podman machine set --memory @`.",
	                       "Run `podman machine stop`, then `podman machine set --cpus @`.",
	                       NULL, NULL },
	                     MIB_SHIFT,
	                     "Set @ in containers.conf.",
	                     "Update podman." },
	[FLAVOUR_OUTSIDE] = { "Start the engine outside of this container.",
	                      { "Give the machine outside of this container more memory.",
	                        "Give the machine outside of this container more processors.",
	                        "Free space on the machine outside of this container.", NULL },
	                      GIB_SHIFT,
	                      "Add @ to the daemon.json of the engine outside of this container.",
	                      "Update the engine outside of this container." },
};

static char *fill(const char *pattern, const char *text)
{
	g_auto(GStrv) parts = g_strsplit(pattern, "@", -1);

	return g_strjoinv(text, parts);
}

/* Where nothing is known of an engine, there may be none. */
char *remedy_start(const Facts *facts)
{
	Flavour flavour = facts_flavour(facts);
	const char *start = remedy_table[flavour].start;

	if (flavour == FLAVOUR_ENGINE && g_strcmp0(facts->system.name, "Darwin") == 0)
		return g_strdup("Install Docker Desktop, OrbStack or colima, and start it.");
	if (flavour == FLAVOUR_ENGINE && facts->system.has_systemd == FACT_NO)
		return g_strdup("Start the engine: `sudo service docker start`.");
	return g_strdup(start);
}

/* Rounded up: what is set has to suffice. */
char *remedy_size(const Facts *facts, EngineSize size, guint64 amount)
{
	const Remedies *row = &remedy_table[facts_flavour(facts)];
	guint64 unit = G_GUINT64_CONSTANT(1) << row->shift;
	guint64 number = size == ENGINE_CPUS ? amount : amount / unit + (amount % unit != 0);
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, number);

	return row->sizes[size] != NULL ? fill(row->sizes[size], text) : NULL;
}

char *remedy_daemon(const Facts *facts, const char *setting)
{
	return fill(remedy_table[facts_flavour(facts)].daemon, setting);
}

char *remedy_update(const Facts *facts)
{
	return g_strdup(remedy_table[facts_flavour(facts)].update);
}
