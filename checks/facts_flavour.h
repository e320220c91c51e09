/* checks/facts_flavour.h - whose engine it is: that decides where its settings are
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>

#include "checks/facts_machine.h"

typedef enum {
	FLAVOUR_ENGINE, /* Docker Engine on this machine; also when nothing is known */
	FLAVOUR_ROOTLESS,
	FLAVOUR_SNAP,
	FLAVOUR_DESKTOP_MACOS,
	FLAVOUR_DESKTOP_WINDOWS, /* reached from WSL 2 */
	FLAVOUR_DESKTOP_LINUX,
	FLAVOUR_COLIMA,
	FLAVOUR_ORBSTACK,
	FLAVOUR_RANCHER,
	FLAVOUR_LIMA,
	FLAVOUR_PODMAN,
	FLAVOUR_OUTSIDE, /* the socket of an engine outside of our container */
} Flavour;

/** Returns: by what the engine says, else by its socket, else by what is installed. */
Flavour facts_flavour(const Facts *facts);

/** Returns: "Docker Desktop". */
const char *flavour_name(Flavour flavour);

/** Returns: whether it is Docker Desktop, on whatever system. */
bool flavour_is_desktop(Flavour flavour);

/** Returns: whether it runs in a virtual machine: its paths and sizes are not those of this machine. */
bool flavour_is_machine(Flavour flavour);
