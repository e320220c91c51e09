/* checks/facts_flavour.c - whose engine it is
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts_flavour.h"

#include <string.h>

static const struct {
	const char *name;
	bool is_machine;
} flavour_table[] = {
	[FLAVOUR_ENGINE] = { "Docker Engine", false },
	[FLAVOUR_ROOTLESS] = { "Docker Engine without root", false },
	[FLAVOUR_SNAP] = { "Docker as a snap", false },
	[FLAVOUR_DESKTOP_MACOS] = { "Docker Desktop", true },
	[FLAVOUR_DESKTOP_WINDOWS] = { "Docker Desktop for Windows", true },
	[FLAVOUR_DESKTOP_LINUX] = { "Docker Desktop for Linux", true },
	[FLAVOUR_COLIMA] = { "colima", true },
	[FLAVOUR_ORBSTACK] = { "OrbStack", true },
	[FLAVOUR_RANCHER] = { "Rancher Desktop", true },
	[FLAVOUR_LIMA] = { "Lima", true },
	[FLAVOUR_PODMAN] = { "podman", false },
	[FLAVOUR_OUTSIDE] = { "an engine outside of this container", true },
};

/** A word in what the engine calls itself, or in the path of its socket. */
typedef struct {
	const char *word;
	Flavour flavour;
} Sign;

static const Sign product_signs[] = { { "OrbStack", FLAVOUR_ORBSTACK },
	                              { "Rancher Desktop", FLAVOUR_RANCHER } };
static const Sign socket_signs[] = {
	{ "/.colima/", FLAVOUR_COLIMA },     { "/colima/", FLAVOUR_COLIMA },
	{ "/.orbstack/", FLAVOUR_ORBSTACK }, { "/.rd/", FLAVOUR_RANCHER },
	{ "/.lima/", FLAVOUR_LIMA },         { "/podman", FLAVOUR_PODMAN }
};
static const Sign context_signs[] = { { "context colima", FLAVOUR_COLIMA },
	                              { "context orbstack", FLAVOUR_ORBSTACK },
	                              { "context rancher-desktop", FLAVOUR_RANCHER } };

static Flavour match(const char *text, const Sign *signs, gsize count)
{
	for (gsize i = 0; text != NULL && i < count; i++)
		if (strstr(text, signs[i].word) != NULL)
			return signs[i].flavour;

	return FLAVOUR_ENGINE;
}

static bool contains(const char *text, const char *part)
{
	return text != NULL && strstr(text, part) != NULL;
}

/* Its socket is Desktop's own, or the engine says so; where it does not answer, a settings file is
 * the best that is known. */
static bool is_desktop(const Facts *facts)
{
	const FactsEngine *engine = &facts->engine;

	if (engine->product != NULL || engine->platform != NULL)
		return contains(engine->product, "Docker Desktop") ||
		       contains(engine->platform, "Docker Desktop");
	if (contains(engine->endpoint, "/.docker/desktop/") ||
	    contains(engine->endpoint, "/.docker/run/"))
		return true;
	return facts->desktop.state != DESKTOP_ABSENT || facts->wsl.has_desktop == FACT_YES;
}

static Flavour desktop_of(const Facts *facts)
{
	if (facts->system.wsl != FACTS_UNKNOWN && facts->system.wsl > 0)
		return FLAVOUR_DESKTOP_WINDOWS;
	return g_strcmp0(facts->system.name, "Darwin") == 0 ? FLAVOUR_DESKTOP_MACOS
	                                                    : FLAVOUR_DESKTOP_LINUX;
}

/* A chroot has the machine's own engine, if it has one at all. */
static bool is_outside(const Facts *facts)
{
	const char *container = facts->system.container;

	return container != NULL && strcmp(container, "chroot") != 0 &&
	       facts->engine.is_here != FACT_YES;
}

Flavour facts_flavour(const Facts *facts)
{
	const FactsEngine *engine = &facts->engine;
	Flavour flavour = match(engine->product, product_signs, G_N_ELEMENTS(product_signs));

	if (engine->is_podman == FACT_YES)
		return FLAVOUR_PODMAN;
	if (flavour == FLAVOUR_ENGINE)
		flavour = match(engine->endpoint, socket_signs, G_N_ELEMENTS(socket_signs));
	if (flavour == FLAVOUR_ENGINE)
		flavour =
			match(engine->endpoint_source, context_signs, G_N_ELEMENTS(context_signs));
	if (flavour != FLAVOUR_ENGINE)
		return flavour;
	if (is_desktop(facts))
		return desktop_of(facts);
	if (is_outside(facts) && engine->state == ENGINE_OK)
		return FLAVOUR_OUTSIDE;
	if (contains(engine->root_dir, "/var/snap/") ||
	    contains(facts->client.cli_target, "/snap/"))
		return FLAVOUR_SNAP;
	return engine->is_rootless == FACT_YES ? FLAVOUR_ROOTLESS : FLAVOUR_ENGINE;
}

const char *flavour_name(Flavour flavour)
{
	return flavour_table[flavour].name;
}

bool flavour_is_desktop(Flavour flavour)
{
	return flavour == FLAVOUR_DESKTOP_MACOS || flavour == FLAVOUR_DESKTOP_WINDOWS ||
	       flavour == FLAVOUR_DESKTOP_LINUX;
}

bool flavour_is_machine(Flavour flavour)
{
	return flavour_table[flavour].is_machine;
}
