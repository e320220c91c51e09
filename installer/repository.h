/* installer/repository.h - a vendor's own package repository, where the distribution's is too old
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/step.h"
#include "payload/catalogue.h"

/** Returns: whether some file of the package manager's sources below @root ("" for the machine's own)
 *  names @url already: a second one with another key would stop apt. */
bool repository_is_known(const char *root, const char *url);

/**
 * Makes the step that adds the repository of @vendor before packages are installed: two files, with
 * the key that signs it and with where it is.
 *
 * @key_url: of the key, mirrors applied.
 *
 * Returns: (transfer full) (nullable): NULL where @manager is not apt or of the dnf family.
 */
Step *repository_step(const char *manager, const char *name, const CatalogueVendor *vendor,
                      const char *key_url);

/** Executes the primitive repository_remove: takes the two files away unless somebody changed them;
 *  idempotent.  @left: (element-type utf8). */
bool repository_undo(const json_t *primitive, GPtrArray *left,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
