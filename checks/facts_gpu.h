/* checks/facts_gpu.h - facts: graphics cards, and what programs need to compute on them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/fact.h"

/** A graphics card, as the PCI bus, its driver and, when it was asked, nvidia-smi say. */
typedef struct {
	char *address; /* on the PCI bus: "0000:0b:00.0"; (nullable): no such bus */
	char *vendor;  /* "nvidia", "amd", "intel", "apple"; else as on the bus: "0x1234" */
	char *device;  /* (nullable): "0x2331" */
	char *name;    /* (nullable): "NVIDIA H100 80GB HBM3" */
	char *driver;  /* (nullable): kernel driver that has it: "nvidia", "nouveau", "vfio-pci" */
	char *target;  /* (nullable): what programs are compiled for: "gfx1100", "9.0" */
	guint64 memory_bytes; /* of its own; FACTS_UNKNOWN for NVIDIA unless nvidia-smi was asked */
	guint64 memory_free_bytes; /* at the moment */
	guint64 shared_bytes; /* of the machine's memory that it may use beside its own (AMD: GTT) */
} FactsCard;

typedef struct {
	char *nvidia_driver;      /* (nullable): version of the kernel module that is loaded */
	char *nvidia_library;     /* (nullable): version of the library that programs would load */
	Fact has_nvidia_devices;  /* /dev/nvidiactl and /dev/nvidia0 */
	Fact has_nvidia_modprobe; /* the program that makes devices when they are first needed */
	Fact has_nvidia_uvm;      /* /dev/nvidia-uvm: without it there is no CUDA */
	Fact has_nvidia_toolkit;  /* a program of the container toolkit */
	Fact has_cdi;             /* a description of devices for containers, of any vendor */
	Fact is_nvidia_asked;     /* nvidia-smi was, for the cards' memory */
	char *nvidia_why;         /* (nullable): why nvidia-smi, when asked, said nothing */
	Fact has_nouveau;         /* the free driver is loaded */
	Fact has_kfd;             /* /dev/kfd: AMD's compute driver */
	Fact can_use_kfd;         /* this user may open it, and a render node */
	Fact can_use_render;      /* this user may open each render node; unknown: there is none */
	Fact has_dxg;             /* /dev/dxg: WSL passes the card of Windows through */
	Fact has_dxg_library;     /* with the libraries of the driver of Windows */
	Fact lets_containers;     /* SELinux: container_use_devices is on */
	guint64 jetpack;          /* NVIDIA's Jetson: 5 or 6; 0: none */
	guint64 metal_bytes; /* Apple silicon: of the machine's memory, what the card may use */
} FactsGpu;
