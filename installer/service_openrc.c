/* installer/service_openrc.c - services of OpenRC
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <unistd.h>

#include "base/process.h"
#include "installer/service_private.h"

#define WORDS (const char *const[])
#define COMMANDS (const char *const *const[])

/* openrc(8) makes the directory when it is what started the machine. */
static bool is_here(void)
{
	g_autofree char *program = process_find("rc-service");

	return geteuid() == 0 && program && g_file_test("/run/openrc", G_FILE_TEST_IS_DIR);
}

static void place(json_t *service)
{
	const char *name = service_text(service, "name");
	g_autofree char *file = g_build_filename("/etc/init.d", name, NULL);
	g_autofree char *link = g_build_filename("/etc/runlevels/default", name, NULL);

	json_put(service, "file", file);
	json_put(service, "link", link);
	json_put(service, "target", file);
}

static char *join_quoted(const json_t *words, gsize first)
{
	GString *text = g_string_new(NULL);

	for (gsize i = first; i < json_array_size(words); i++) {
		g_autofree char *quoted =
			g_shell_quote(json_string_value(json_array_get(words, i)));
		g_string_append_printf(text, "%s%s", text->len ? " " : "", quoted);
	}
	return g_string_free(text, FALSE);
}

/* command_args is taken apart by the shell once more, so that it is quoted twice. */
static char *render(const json_t *service)
{
	const json_t *argv = json_object_get(service, "argv");
	g_autofree char *environment = join_quoted(json_object_get(service, "env"), 0);
	g_autofree char *title = g_shell_quote(service_text(service, "title"));
	g_autofree char *log = g_shell_quote(service_text(service, "log"));
	g_autofree char *program = g_shell_quote(json_string_value(json_array_get(argv, 0)));
	g_autofree char *arguments = join_quoted(argv, 1);
	g_autofree char *twice = g_shell_quote(arguments);

	return g_strdup_printf("#!/sbin/openrc-run\n"
	                       "# Written by slipway.\n"
	                       "name=%s\n"
	                       "supervisor=supervise-daemon\n"
	                       "command=%s\n"
	                       "command_args=%s\n"
	                       "output_log=%s\n"
	                       "error_log=%s\n"
	                       "respawn_delay=3\n"
	                       "respawn_max=0\n"
	                       "export %s\n"
	                       "\n"
	                       "depend() {\n"
	                       "\tafter net\n"
	                       "}\n",
	                       title, program, twice, log, log, environment);
}

const ServiceManager service_openrc = {
	.name = "openrc",
	.is_here = is_here,
	.place = place,
	.render = render,
	.ask = COMMANDS{ WORDS{ "rc-service", "--quiet", "@name@", "status", NULL }, NULL },
	.begin = COMMANDS{ WORDS{ "rc-service", "@name@", "restart", NULL }, NULL },
	.end = COMMANDS{ WORDS{ "rc-service", "@name@", "stop", NULL }, NULL },
	.file_mode = 0755,
};
