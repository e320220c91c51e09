/* installer/command_completion.c - "slipway completion": the scripts, and what they ask for
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "installer/completion.h"
#include "installer/receipt.h"
#include "payload/stack.h"

/* Names in the receipt; none where it cannot be read. */
static char **installed_names(const App *app)
{
	g_autoptr(json_t) receipt = app->paths ? receipt_load(app->paths->state, NULL) : NULL;
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const char *name = NULL;
	json_t *stack = NULL;

	json_object_foreach(json_object_get(receipt, "stacks"), name, stack)
	{
		if (!g_str_equal(name, RECEIPT_FIXES))
			g_ptr_array_add(names, g_strdup(name));
	}
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&names), false);
}

/* Those of the installed stack that one of @words names. */
static char **service_names(const App *app, const char *const *words)
{
	g_autoptr(json_t) receipt = app->paths ? receipt_load(app->paths->state, NULL) : NULL;
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const json_t *entry = NULL;

	for (; *words && !entry; words++)
		entry = receipt_stack(receipt, *words);

	g_autofree char *path =
		g_build_filename(json_text_or(entry, "stack_dir", "/"), "stack.ini", NULL);
	g_autoptr(GBytes) text = entry ? file_read(path, INI_MAX_BYTES, NULL) : NULL;
	g_autoptr(Stack) stack = text ? stack_parse(text, path, NULL) : NULL;
	const GPtrArray *services = stack ? stack->services : NULL;
	for (guint i = 0; services && i < services->len; i++)
		g_ptr_array_add(names, g_strdup(((const StackService *)services->pdata[i])->name));
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&names), false);
}

static void print_kind(Term *term, const Completion *completion, guint command_at)
{
	static const char *const words[] = {
		[COMPLETION_WORDS] = "words",
		[COMPLETION_FILES] = "files",
		[COMPLETION_DIRECTORIES] = "directories",
	};

	if (completion->kind == COMPLETION_COMMAND)
		term_print(term, "command %u\n", command_at);
	else
		term_print(term, "%s\n", words[completion->kind]);
}

static void print_described(Term *term, const Completion *completion)
{
	for (guint i = 0; i < completion->words->len; i++) {
		const CompletionWord *word = completion->words->pdata[i];
		term_print(term, "%s%s%s%s\n", completion->stem, word->word,
		           word->about ? "\t" : "", word->about ? word->about : "");
	}
}

/* @raw: the last word as bash has split it; what bash took apart is not part of an answer. */
static void print_literal(Term *term, const Completion *completion, const char *whole,
                          const char *raw)
{
	const char *typed = g_str_equal(raw, "=") || g_str_equal(raw, ":") ? "" : raw;
	gsize front = strlen(whole) - strlen(typed);

	for (guint i = 0; i < completion->words->len; i++) {
		const CompletionWord *word = completion->words->pdata[i];
		g_autofree char *text = g_strconcat(completion->stem, word->word, NULL);

		if (g_str_has_prefix(text, whole))
			term_print(term, "%s\n", text + front);
	}
}

static void suggest(const App *app, const CompletionShell *shell, char *const *words, guint count)
{
	g_autofree guint *at = g_new0(guint, count + 1);
	g_auto(GStrv) installed = installed_names(app);
	g_auto(GStrv) joined =
		shell->is_literal ? completion_join((const char *const *)words, at) : NULL;
	const char *const *line = (const char *const *)(joined ? joined : words);
	g_auto(GStrv) services = service_names(app, line);
	g_autoptr(Completion) completion =
		completion_new(line, (const char *const *)installed, (const char *const *)services);

	print_kind(app->term, completion,
	           joined ? at[completion->command_at] : completion->command_at);
	if (joined)
		print_literal(app->term, completion, joined[g_strv_length(joined) - 1],
		              words[count - 1]);
	else
		print_described(app->term, completion);
}

static char *list_shells(void)
{
	g_autoptr(GString) list = g_string_new("Name a shell: slipway completion ");

	for (gsize i = 0; i < completion_shell_count; i++)
		g_string_append_printf(list, "%s%s", i > 0 ? "|" : "",
		                       completion_shell_table[i].name);
	return g_strdup(list->str);
}

bool command_completion(App *app, int argc, char **argv, GError **error)
{
	const CompletionShell *shell = argc > 0 ? completion_shell_find(argv[0]) : NULL;
	char **words = argv + 1;

	if (!shell) {
		g_autofree char *hint = list_shells();
		fault_set(error, STATUS_USAGE, hint, "there is no completion for \"%s\"",
		          argc > 0 ? argv[0] : "");
		return false;
	}

	if (*words && g_str_equal(*words, "--"))
		words++;
	if (*words) {
		suggest(app, shell, words, g_strv_length(words));
		return true;
	}

	g_autoptr(GBytes) script = shell->script();
	const char *text = g_bytes_get_data(script, NULL);
	app->document = json_pack("{s:s, s:s, s:s}", "shell", shell->name, "place", shell->place,
	                          "script", text);
	term_print(app->term, "%s", text);
	return true;
}
