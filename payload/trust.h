/* payload/trust.h - whose signature counts: the root of trust and how it is replaced
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "payload/signature.h"

/** Bounds of a root document and of one walk.  Source: The Update Framework 1.0.33, 5.3, which
 *  wants both to exist; the numbers are ours. */
#define TRUST_MAX_BYTES ((gsize)64 * 1024)
#define TRUST_MAX_STEPS 64
#define TRUST_MAX_KEYS 16

/** A root document: the keys that sign releases, and those that sign the next root. */
typedef struct {
	guint64 version; /* 0: nobody has made keys yet; both lists are empty then */
	char *expires;   /* RFC 3339, in UTC */
	gint64 expires_s;
	guint threshold;  /* of the root keys */
	GArray *roots;    /* (element-type SignatureKey) */
	GArray *releases; /* (element-type SignatureKey); any one of them signs a release */
} TrustRoot;

/**
 * Reads a root document; members that are not known are passed over.
 *
 * Returns: (transfer full): the root; or NULL with DATA set: not JSON, another schema, over a bound,
 * no time, a key that signature_key_parse() refuses or that is there twice, a threshold that cannot be met.
 */
TrustRoot *trust_parse(GBytes *text, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void trust_root_free(TrustRoot *root);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TrustRoot, trust_root_free)

/** Returns: (transfer full): the root document that was the newest when this program was built. */
GBytes *trust_embedded(void);

/** Returns: the time in seconds since 1970; when the clock says an earlier one, that of the build. */
gint64 trust_now(void);

/** Returns: (transfer full): what tells two lists of release keys apart, in hex. */
char *trust_releases_digest(const TrustRoot *root);

/** Where the next roots come from and where they are kept. */
typedef struct {
	/** Returns: (transfer full): the document; NULL with @is_absent, or with the error set. */
	GBytes *(*get)(const char *name, gsize max_bytes, bool *is_absent, gpointer data,
	               GError **error);
	/** (nullable): hears of each root that is trusted now, before the next is asked for. */
	bool (*keep)(GBytes *text, gpointer data, GError **error);
	gpointer data;
} TrustSource;

/**
 * Replaces @root by its successors, "root.N.json" with "root.N.json.sig", until there is none.
 * Each is signed by the threshold of its predecessor and by its own.
 *
 * Returns: false with UNTRUSTED (not signed so, another number, expired, more than 64 steps), CONFIG
 * (@root has no keys), DATA or the error of @source set; @root is the last that is trusted.
 */
bool trust_walk(TrustRoot **root, const TrustSource *source,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: whether @signatures, the text of a *.sig file called @name, has one of a release key for
 *  @manifest; else false with UNTRUSTED or DATA set. */
bool trust_check_release(const TrustRoot *root, GBytes *manifest, GBytes *signatures,
                         const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
