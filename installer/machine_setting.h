/* installer/machine_setting.h - settings of the machine that "check --fix" makes and takes back
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** How the files of settings of the kernel begin; each holds one. */
#define SYSCTL_PREFIX "/etc/sysctl.d/60-slipway-"

/** Returns: false with FOREIGN set unless @path begins as above, and @setting is the name of one. */
bool sysctl_check_names(const char *path, const char *setting, GError **error);

/** Returns: (transfer full): the file in which the kernel has @setting: "/proc/sys/vm/max_map_count". */
char *sysctl_place(const char *setting);

/** Returns: (transfer full) (nullable): what the kernel has now. */
char *sysctl_current(const char *setting);

/** Returns: false with FOREIGN set for any other group than docker: the others are not for us. */
bool group_check_name(const char *group, GError **error);

/** Returns: (transfer full) (nullable): the command; NULL where no program for it is there. */
char **group_argv(const char *user, const char *group, bool is_added);

/** Returns: whether /etc/group lists @user. */
bool group_has(const char *user, const char *group);

/** Returns: the number of @group by /etc/group; G_MAXUINT64 when it has none. */
guint64 group_number(const char *group);
