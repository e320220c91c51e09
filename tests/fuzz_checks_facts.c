/* tests/fuzz_checks_facts.c - facts may be anything: a file is somebody else's, a machine is strange
 *
 * What begins with a brace is the text of a facts file.  All else is a machine of tests/data/facts with
 * some members changed, a few bytes for each: most texts that are drawn at random are no JSON.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/checks_unknown.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes);

typedef struct {
	const guint8 *data;
	gsize left;
} Input;

static guint8 take(Input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->data++;
}

static guint64 take_number(Input *input)
{
	static const guint64 numbers[] = {
		FACTS_UNKNOWN, 0, 1, 2, 8 * GIB, 8 * GIB - 1, 10 * GIB, FACTS_UNLIMITED, 20 * GIB,
	};
	guint8 choice = take(input);
	guint64 number = 0;

	if (choice < G_N_ELEMENTS(numbers))
		return numbers[choice];
	if (choice < 128)
		return choice;
	for (guint i = 0; i < 8; i++)
		number = number << 8 | take(input);
	return number > FACTS_UNLIMITED ? FACTS_UNKNOWN : number;
}

static char *take_text(Input *input)
{
	static const char *const texts[] = {
		NULL,
		"",
		"2",
		"1",
		"hybrid",
		"apt",
		"brew",
		"docker",
		"kubernetes",
		"x86_64",
		"arm64",
		"sse4.2 avx",
		"overlay2",
		"vfs",
		"20.10.24+dfsg1",
		"29.0.0-rc.1",
		"v2.40.2",
		"dev",
		"nfs",
		"172.17.0.0/16 10.0.0.0/8",
		"999.1.1.1/99",
		"nvidia",
		"550.120",
		"amd",
		"Darwin",
		"macos",
		"Docker Desktop",
		"docker.io snap",
		"/home/ana",
		"always",
		"enforcing",
		"Docker Desktop 4.43.1 (198352)",
		"18446744073709551616.1",
		"\xff\xfe",
		"2026-02-30",
		"unix:///var/run/docker.sock",
		"http://proxy:99999",
		"amazon",
		"off",
		"0000:0b:00.0",
	};
	guint8 choice = take(input);
	gsize length;
	char *text;

	if (choice < G_N_ELEMENTS(texts))
		return g_strdup(texts[choice]);
	length = MIN((gsize)choice % 24, input->left);
	text = g_strndup((const char *)input->data, length);
	input->data += length;
	input->left -= length;
	return text;
}

static void take_member(Input *input, gpointer object, const Field *field)
{
	guint count = 0;

	switch (field->kind) {
	case FIELD_NUMBER:
		G_STRUCT_MEMBER(guint64, object, field->offset) = take_number(input);
		break;
	case FIELD_TEXT:
		g_free(G_STRUCT_MEMBER(char *, object, field->offset));
		G_STRUCT_MEMBER(char *, object, field->offset) = take_text(input);
		break;
	case FIELD_FACT:
		G_STRUCT_MEMBER(Fact, object, field->offset) = (Fact)(take(input) % 3);
		break;
	case FIELD_WORD:
		while (field->words[count] != NULL)
			count++;
		G_STRUCT_MEMBER(guint, object, field->offset) = take(input) % count;
		break;
	}
}

static void take_members(Input *input, gpointer object, const Fields *fields)
{
	for (gsize i = 0; i < fields->count; i++)
		take_member(input, object, &fields->rows[i]);
}

/* Machines that are whole, and then changed in a few members: most of what is drawn at random fails
 * at the first check that others depend on. */
static Facts *take_machine(Input *input)
{
	static const char *const bases[] = { "linux",        "macos",        "wsl2-ubuntu",
		                             "codespaces",   "macos-colima", "workstation-nvidia",
		                             "engine-silent" };
	static json_t *read[G_N_ELEMENTS(bases)];
	gsize base = take(input) % G_N_ELEMENTS(bases);
	Facts *facts = NULL;

	if (read[base] == NULL)
		read[base] = fixture_json(bases[base]);
	facts = facts_from_json(read[base], NULL);

	for (guint8 changes = take(input) % 32; changes > 0; changes--) {
		gsize i = (gsize)take(input) << 8 | take(input);

		take_member(input, facts, &facts_fields.rows[i % facts_fields.count]);
	}
	for (guint i = 0; i < facts->directories->len; i++)
		if (take(input) % 4 == 0)
			take_members(input, facts->directories->pdata[i], &directory_fields);
	for (guint i = 0; i < facts->ports->len && input->left > 0; i++)
		if (take(input) % 4 == 0)
			take_members(input, facts->ports->pdata[i], &port_fields);
	for (guint i = 0; i < facts->cards->len; i++)
		take_members(input, facts->cards->pdata[i], &card_fields);
	return facts;
}

static Facts *take_file(const Input *input)
{
	g_autoptr(GBytes) text = g_bytes_new(input->data, input->left);
	g_autoptr(json_t) object = json_parse_bytes(text, "facts", NULL);

	return object != NULL ? facts_from_json(object, NULL) : NULL;
}

/* What is written is read back as it was. */
static void check_round_trip(const Facts *facts)
{
	g_autoptr(json_t) once = facts_to_json(facts);
	g_autoptr(Facts) again = facts_from_json(once, NULL);
	g_autoptr(json_t) twice = again != NULL ? facts_to_json(again) : NULL;

	g_assert_nonnull(again);
	g_assert_true(json_equal(once, twice));
}

static void check_findings(const GPtrArray *findings)
{
	for (guint i = 0; i < findings->len; i++) {
		const CheckFinding *finding = findings->pdata[i];

		g_assert_nonnull(finding->measured);
		g_assert_nonnull(finding->remedy);
		if (finding->unit != NULL && finding->measured_value == FACTS_UNKNOWN &&
		    finding->verdict == CHECK_PASS)
			g_error("%s passes by a number that is not known", finding->id);
	}
}

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes)
{
	Input input = { data, size_bytes };
	bool is_file = size_bytes > 0 && *data == '{';
	g_autoptr(Facts) facts = is_file ? take_file(&input) : take_machine(&input);
	const CheckNeeds *needs = &unknown_needs[take(&input) % G_N_ELEMENTS(unknown_needs)];
	const Field *field = &facts_fields.rows[(gsize)take(&input) % facts_fields.count];
	g_autoptr(GPtrArray) findings = NULL;
	const char *found;

	if (facts == NULL)
		return 0;
	findings = check_run_all(facts, needs, NULL);
	check_findings(findings);
	check_round_trip(facts);
	/* It takes ten judgements: of each fourth machine. */
	if (take(&input) % 4 != 0 || unknown_is_a_value(field))
		return 0;
	found = unknown_that_passes(facts, needs, facts, field);
	if (found != NULL)
		g_error("%s passes though %s.%s is not known", found, field->group, field->name);
	return 0;
}
