/* installer/stack_lock.h - the digests of the images that a stack names, from their registries into its files
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/json.h"
#include "base/term.h"

typedef enum {
	LOCK_UNCHANGED, /* its digest stands everywhere; judged: its registry has it */
	LOCK_WRITTEN,
	LOCK_MOVED,   /* written, in the place of another one */
	LOCK_NONE,    /* judged: it has no digest */
	LOCK_MISSING, /* its registry does not have it */
	LOCK_NOWHERE, /* no file has it as it is: nothing could be written */
	LOCK_FAILED,  /* it could not be asked for */
} LockStatus;

/** One image of a stack. */
typedef struct {
	char *name;           /* "redis:7.4.2" */
	char *digest;         /* (nullable): "sha256:..." that stands, or has to stand, behind it */
	char *earlier;        /* (nullable): that stood behind it */
	char *today;          /* (nullable): that the tag stands for, where it was asked for that */
	GPtrArray *platforms; /* (element-type utf8): "linux/amd64", as far as they are known */
	char *message;        /* (nullable): why it is as it is */
	guint places;         /* where it was written */
	LockStatus status;
} LockImage;

void stack_lock_free(LockImage *image);

/** What registries are asked for. */
typedef enum {
	LOCK_NEW,     /* digests of what has none */
	LOCK_REFRESH, /* digests of all */
	LOCK_CHECK,   /* whether they have the digests, and what the tags stand for */
} LockMode;

/** Returns: (transfer full) (element-type LockImage): of @names, as LintReport.images has them; nothing was
 *  asked. */
GPtrArray *stack_lock_images(const GPtrArray *names);

/**
 * Has the engine at @endpoint ask the registries, one image after another, 30 s each, with no account;
 * @term shows it.  Where nothing is to be asked, there need be no engine.
 *
 * Returns: true, also where an image could not be had, which its status says; false with the errors of
 * engine_get() set where there is no engine, or a cancellation.
 */
bool stack_lock_ask(GPtrArray *images, LockMode mode, const char *endpoint, Term *term,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Reads an engine's answer to "/distribution/NAME/json".  Returns: (transfer full): the digest;
 *  NULL with DATA set.  @platforms: (element-type utf8): those of Linux and others are appended. */
char *stack_lock_parse(const json_t *answer, GPtrArray *platforms,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Writes the digests into the text files below @directory: each file as a whole, with its mode; no
 * symbolic link is followed.  Where an image stands in none of them, its status says so.
 *
 * Returns: false with IO, DENIED or CANNOT_CREATE set; files before that one are written.
 */
bool stack_lock_write(GPtrArray *images, const char *directory,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): @text with @digest behind @image, a name or one with a digest, wherever that
 *  stands as a whole; one without a tag only where an image is named: behind "image:", FROM and the
 *  like.  @places: is added to. */
char *stack_lock_replace(const char *text, const char *image, const char *digest, guint *places);
