/* installer/key_doctor.h - how well keys are kept here
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/command.h"
#include "keystore/keystore.h"

typedef enum {
	DOCTOR_OK,
	DOCTOR_WARN,
	DOCTOR_FAIL, /* keys cannot be had, or somebody else could have them */
} DoctorVerdict;

/** What one row found. */
typedef struct {
	DoctorVerdict verdict;
	char *text;   /* a sentence without full stop */
	char *remedy; /* (nullable): a sentence */
} DoctorFinding;
void doctor_finding_clear(DoctorFinding *finding);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DoctorFinding, doctor_finding_clear)

/** What the rows look at; made once. */
typedef struct {
	const App *app;
	Keystore *store;      /* never asks anybody */
	const char *path;     /* of the store file */
	const char *key_file; /* the key file that would be used; may not be there */
	const char *back_end; /* (nullable): it cannot be settled */
	const char *why;
	bool is_file;
	bool is_there;   /* there is a store */
	bool was_opened; /* without asking anybody */
	GError *refusal; /* (nullable): why it was not opened; NULL too where nothing was saved */
	bool can_ask;    /* a person could be asked */
} Doctor;

/** One question.  Adding one: a function and a row in key_doctor.c. */
typedef struct {
	const char *id;    /* stable, in JSON */
	const char *title; /* for people */
	void (*look)(const Doctor *doctor, DoctorFinding *finding);
} DoctorRow;

extern const DoctorRow doctor_table[];
extern const gsize doctor_count;

/** Sets what was found; @remedy (nullable). */
void doctor_say(DoctorFinding *finding, DoctorVerdict verdict, const char *remedy,
                const char *format, ...) G_GNUC_PRINTF(4, 5);

/** Returns: (transfer none): the stable word, in JSON: "warn". */
const char *doctor_verdict_name(DoctorVerdict verdict);

/** Of the system: what kind of file system has the store, and whether memory can be written to a
 *  disk in the clear. */
void doctor_look_at_place(const Doctor *doctor, DoctorFinding *finding);
void doctor_look_at_swap(const Doctor *doctor, DoctorFinding *finding);
