/* installer/completion.c - what could stand next on a command line, from the tables
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/completion.h"

#include <string.h>

#include "checks/check.h"
#include "payload/stacks.h"

/** One option, of a command or a setting. */
typedef struct {
	const char *name;
	const char *argument; /* (nullable): without one, it is a flag */
	const char *about;
} Option;

/** What is known when the last word is reached. */
typedef struct {
	const Command *command; /* (nullable): not named yet, or unknown */
	const char *current;    /* the last word */
	const char *partial;    /* what of it is to be replaced */
	GPtrArray *arguments;   /* (element-type utf8) */
	GHashTable *given;      /* names of options */
	const char *const *installed, *const *services;
	const char *wanted; /* (nullable): the argument of the option in front */
	bool are_options_over;
} Line;

static void word_free(gpointer data)
{
	CompletionWord *word = data;

	g_free(word->word);
	g_free(word);
}

void completion_free(Completion *completion)
{
	if (!completion)
		return;

	g_free(completion->stem);
	g_ptr_array_unref(completion->words);
	g_free(completion);
}

static void offer(Completion *completion, const char *text, const char *about)
{
	for (guint i = 0; i < completion->words->len; i++)
		if (g_str_equal(((CompletionWord *)completion->words->pdata[i])->word, text))
			return;

	CompletionWord *word = g_new0(CompletionWord, 1);
	word->word = g_strdup(text);
	word->about = about;
	g_ptr_array_add(completion->words, word);
}

static Option option_of_entry(const GOptionEntry *entry)
{
	const char *argument = entry->arg_description ? entry->arg_description : "VALUE";
	bool is_flag = entry->arg == G_OPTION_ARG_NONE || (entry->flags & G_OPTION_FLAG_NO_ARG);

	return (Option){ entry->long_name, is_flag ? NULL : argument, entry->description };
}

/* All options of a command, settings included. */
static GArray *list_options(const Command *command)
{
	static const Option help = { "help", NULL, "show the options" };
	GArray *list = g_array_new(false, false, sizeof(Option));

	for (const GOptionEntry *entry = command->options; entry && entry->long_name; entry++) {
		Option option = option_of_entry(entry);
		if (!(entry->flags & G_OPTION_FLAG_HIDDEN))
			g_array_append_val(list, option);
	}
	for (gsize i = 0; i < setting_count; i++) {
		const SettingRow *row = &setting_table[i];
		Option option = { row->name, row->type == SETTING_FLAG ? NULL : row->argument,
			          row->meaning };
		g_array_append_val(list, option);
	}
	g_array_append_val(list, help);
	return list;
}

/* Returns: whether "--NAME" or "--NAME=..." is an option of the command. */
static bool find_option(const Command *command, const char *word, Option *found)
{
	g_autoptr(GArray) options = list_options(command);
	gsize length = strcspn(word + 2, "=");

	for (guint i = 0; i < options->len; i++) {
		*found = g_array_index(options, Option, i);
		if (strlen(found->name) == length && strncmp(word + 2, found->name, length) == 0)
			return true;
	}
	return false;
}

static void offer_options(Completion *completion, const Line *line)
{
	g_autoptr(GArray) options = list_options(line->command);

	for (guint i = 0; i < options->len; i++) {
		const Option *option = &g_array_index(options, Option, i);
		g_autofree char *word = g_strconcat("--", option->name, NULL);

		if (!g_hash_table_contains(line->given, option->name))
			offer(completion, word, option->about);
	}
}

/* A name, or a path where it begins like one. */
static void offer_stacks(Completion *completion, const Line *line)
{
	if (strchr(line->partial, '/') || *line->partial == '.' || *line->partial == '~') {
		completion->kind = COMPLETION_FILES;
		return;
	}

	for (const char *const *name = stacks_embedded_names(); *name; name++)
		offer(completion, *name, "embedded stack");
	for (const char *const *name = line->installed; *name; name++)
		offer(completion, *name, "installed stack");
}

static void offer_directories(Completion *completion, const Line *line G_GNUC_UNUSED)
{
	completion->kind = COMPLETION_DIRECTORIES;
}

static void offer_files(Completion *completion, const Line *line G_GNUC_UNUSED)
{
	completion->kind = COMPLETION_FILES;
}

static void offer_shells(Completion *completion, const Line *line G_GNUC_UNUSED)
{
	for (gsize i = 0; i < completion_shell_count; i++)
		offer(completion, completion_shell_table[i].name, NULL);
}

/* The first word of every command, or the second one of a group. */
static void offer_commands(Completion *completion, const Line *line)
{
	const char *first = line->arguments->len > 0 ? line->arguments->pdata[0] : NULL;
	g_autofree char *group = first ? g_strconcat(first, " ", NULL) : NULL;

	for (gsize i = 0; i < command_count && line->arguments->len < 2; i++) {
		const char *name = command_table[i].name;
		const char *blank = strchr(name, ' ');
		g_autofree char *start = blank ? g_strndup(name, (gsize)(blank - name)) : NULL;

		if (group && g_str_has_prefix(name, group))
			offer(completion, name + strlen(group), command_table[i].summary);
		else if (!group)
			offer(completion, start ? start : name,
			      start ? NULL : command_table[i].summary);
	}
}

static void offer_checks(Completion *completion, const Line *line G_GNUC_UNUSED)
{
	CheckWalk walk = { 0 };
	const Check *check;

	while ((check = check_next(&walk)) != NULL)
		offer(completion, check->id, check->title);
}

/* Calls @visit for the embedded stack that the line names, or for each. */
static void visit_stacks(Completion *completion, const Line *line,
                         void (*visit)(Completion *completion, const Stack *stack))
{
	const char *first = line->arguments->len > 0 ? line->arguments->pdata[0] : NULL;
	const char *const *names = stacks_embedded_names();
	bool is_one = first && g_strv_contains(names, first);

	for (; *names; names++) {
		g_autoptr(StackBundle) bundle =
			!is_one || g_str_equal(*names, first) ? stacks_open(*names, NULL) : NULL;
		if (bundle)
			visit(completion, stacks_definition(bundle));
	}
}

static void visit_profiles(Completion *completion, const Stack *stack)
{
	for (guint i = 0; i < stack->profiles->len; i++)
		offer(completion, ((const StackProfile *)stack->profiles->pdata[i])->name, NULL);
}

static void offer_profiles(Completion *completion, const Line *line)
{
	visit_stacks(completion, line, visit_profiles);
}

/* Names that the embedded stacks declare: to list the keystore would mean to open it. */
static void visit_keys(Completion *completion, const Stack *stack)
{
	for (guint i = 0; i < stack->keys->len; i++)
		offer(completion, ((const StackKey *)stack->keys->pdata[i])->name, NULL);
}

static void offer_keys(Completion *completion, const Line *line)
{
	visit_stacks(completion, line, visit_keys);
}

static void offer_services(Completion *completion, const Line *line)
{
	for (const char *const *name = line->services; *name; name++)
		offer(completion, *name, "service");
}

static const struct {
	const char *word;
	void (*offer)(Completion *completion, const Line *line);
} argument_table[] = {
	{ "STACK", offer_stacks },     { "DIR", offer_directories },  { "FILE", offer_files },
	{ "SHELL", offer_shells },     { "COMMAND", offer_commands }, { "CHECK", offer_checks },
	{ "SERVICE", offer_services }, { "NAME", offer_keys },        { "PROFILE", offer_profiles },
	{ "KEY", offer_keys },
};

/* @argument: as in a usage line: "STACK", "[STACK]", "STACK...", "CHECK,...". */
static void offer_argument(Completion *completion, const Line *line, const char *argument)
{
	const char *start = argument + strspn(argument, "[");
	gsize length = strcspn(start, ",.]");

	for (gsize i = 0; i < G_N_ELEMENTS(argument_table); i++)
		if (strlen(argument_table[i].word) == length &&
		    strncmp(argument_table[i].word, start, length) == 0)
			argument_table[i].offer(completion, line);
}

/* Returns: (transfer full): the words of the usage line. */
static char **usage_words(const Command *command)
{
	return g_strsplit(command->arguments, " ", -1);
}

static bool runs_others(const Command *command)
{
	return g_str_has_prefix(command->arguments, "-- ");
}

/* "check" is a command, and begins the name of another, "check explain". */
static void offer_longer(Completion *completion, const Line *line)
{
	g_autofree char *start = g_strconcat(line->command->name, " ", NULL);

	for (gsize i = 0; i < command_count && line->arguments->len == 0; i++)
		if (g_str_has_prefix(command_table[i].name, start))
			offer(completion, command_table[i].name + strlen(start),
			      command_table[i].summary);
}

/* Returns: whether there is something to offer. */
static bool offer_next_argument(Completion *completion, const Line *line)
{
	g_auto(GStrv) usage = usage_words(line->command);
	guint count = g_strv_length(usage);
	guint at = line->arguments->len;

	if (count > 0 && at >= count && strstr(usage[count - 1], "..."))
		at = count - 1;
	if (at >= count || *usage[at] == '\0')
		return false;
	offer_argument(completion, line, usage[at]);
	if (completion->kind == COMPLETION_WORDS)
		offer_longer(completion, line);
	return completion->words->len > 0 || completion->kind != COMPLETION_WORDS;
}

static void take_option(Line *line, const char *word)
{
	Option option;

	if (!g_str_has_prefix(word, "--") || !find_option(line->command, word, &option))
		return;
	g_hash_table_add(line->given, g_strdup(option.name));
	if (option.argument && !strchr(word, '='))
		line->wanted = option.argument;
}

/* Takes one word in front of the last.  Returns: false when another program's line begins here. */
static bool take_word(Line *line, const char *word)
{
	if (line->wanted) {
		line->wanted = NULL;
	} else if (!line->are_options_over && g_str_equal(word, "--")) {
		line->are_options_over = true;
	} else if (!line->are_options_over && *word == '-' && word[1]) {
		take_option(line, word);
	} else if (runs_others(line->command)) {
		return false;
	} else {
		g_ptr_array_add(line->arguments, g_strdup(word));
	}
	return true;
}

/* Splits the last word: in front of the place that is completed is what stays. */
static void set_stem(Completion *completion, Line *line, const char *start, const char *argument)
{
	const char *comma = strstr(argument, ",...") ? strrchr(start, ',') : NULL;

	line->partial = comma ? comma + 1 : start;
	completion->stem = g_strndup(line->current, (gsize)(line->partial - line->current));
}

static void offer_last(Completion *completion, Line *line)
{
	const char *equals = strchr(line->current, '=');
	Option option;

	if (line->wanted) {
		set_stem(completion, line, line->current, line->wanted);
		offer_argument(completion, line, line->wanted);
	} else if (line->are_options_over || *line->current != '-') {
		if (!offer_next_argument(completion, line) && !line->are_options_over &&
		    *line->current == '\0')
			offer_options(completion, line);
	} else if (!equals) {
		offer_options(completion, line);
	} else if (g_str_has_prefix(line->current, "--") &&
	           find_option(line->command, line->current, &option) && option.argument) {
		set_stem(completion, line, equals + 1, option.argument);
		offer_argument(completion, line, option.argument);
	}
}

/* The command itself is not whole yet. */
static void offer_start(Completion *completion, const Line *line)
{
	offer_commands(completion, line);
	if (line->arguments->len == 0 && *line->current == '-') {
		offer(completion, "--help", "show the commands");
		offer(completion, "--version", "show the version");
	}
}

/* @at: the first word behind the command's name; there is one. */
static void read_line(Completion *completion, Line *line, const char *const *words, guint at)
{
	while (words[at + 1] && take_word(line, words[at]))
		at++;
	if (words[at + 1] || (runs_others(line->command) && !line->wanted &&
	                      (line->are_options_over || *line->current != '-'))) {
		completion->kind = COMPLETION_COMMAND;
		completion->command_at = at;
		return;
	}

	offer_last(completion, line);
}

Completion *completion_new(const char *const *words, const char *const *installed,
                           const char *const *services)
{
	guint count = 0;
	guint at = 0;
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) given = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Completion *completion = g_new0(Completion, 1);
	Line line = {
		.arguments = arguments, .given = given, .installed = installed, .services = services
	};

	while (words[count])
		count++;
	completion->words = g_ptr_array_new_with_free_func(word_free);
	line.current = line.partial = count > 0 ? words[count - 1] : "";
	line.command = count > 1 ? command_find(words[0], count > 2 ? words[1] : NULL) : NULL;
	at = line.command && strchr(line.command->name, ' ') ? 2 : 1;
	if (at >= count) /* "keys set" as one word */
		line.command = NULL;
	if (line.command)
		read_line(completion, &line, words, at);
	for (guint i = 0; !line.command && i + 1 < count; i++)
		g_ptr_array_add(arguments, g_strdup(words[i]));
	if (!line.command)
		offer_start(completion, &line);

	if (!completion->stem)
		completion->stem = g_strdup("");
	return completion;
}

static bool is_break(const char *word)
{
	return g_str_equal(word, "=") || g_str_equal(word, ":");
}

char **completion_join(const char *const *words, guint *at)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	bool is_open = false; /* the word in front goes on */

	for (guint i = 0; words[i]; i++) {
		bool is_joined = list->len > 0 && (is_open || is_break(words[i]));

		is_open = is_break(words[i]);
		if (!is_joined) {
			if (at)
				at[list->len] = i;
			g_ptr_array_add(list, g_strdup(words[i]));
			continue;
		}
		char **last = (char **)&list->pdata[list->len - 1];
		char *whole = g_strconcat(*last, words[i], NULL);
		g_free(*last);
		*last = whole;
	}

	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&list), false);
}
