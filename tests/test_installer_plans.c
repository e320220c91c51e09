/* tests/test_installer_plans.c - properties of random plans, with shrinking
 *
 * apply then undo is the identity, apply then apply is apply, taking back any prefix is the identity,
 * and so is taking an upgrade back.  Any prefix of a journal is read as a prefix of its records.
 * Fixed seeds, and one at random, which is printed: PLANS_SEED=N tries that one again, PLANS=N sets how
 * many plans each seed makes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>

#include "installer/journal.h"
#include "tests/installer_fixture.h"

#define STEPS_MAX 8
#define BEFORE_MAX 4
#define PLANS_PER_SEED 6

static const guint fixed_seeds[] = { 1, 2, 3 };
static const char *const paths[] = { "a", "b", "a/b", "a/c", "d/e/f", "d/e", "d", "a/b/g" };
static const char *const members[] = { "t0", "t1", "t2" };
static const char *const modes[] = { "0644", "0600", "0755" };
static const StepKind *const kinds[] = { &step_kind_directory, &step_kind_file, &step_kind_file,
	                                 &step_kind_wrapper };

/** A step, or what is there before it; indices of the tables above. */
typedef struct {
	guint kind, path, member, mode;
} Choice;

typedef struct {
	Choice before[BEFORE_MAX];
	guint before_count;
	Choice steps[STEPS_MAX];
	guint step_count;
	guint prefix; /* so many steps are taken */
	bool is_cut;  /* the last of them was killed behind its intent */
} Sample;

static Choice choose(GRand *chance)
{
	return (Choice){
		.kind = (guint)g_rand_int_range(chance, 0, G_N_ELEMENTS(kinds)),
		.path = (guint)g_rand_int_range(chance, 0, G_N_ELEMENTS(paths)),
		.member = (guint)g_rand_int_range(chance, 0, G_N_ELEMENTS(members)),
		.mode = (guint)g_rand_int_range(chance, 0, G_N_ELEMENTS(modes)),
	};
}

static Sample choose_sample(GRand *chance)
{
	Sample sample = { 0 };

	sample.before_count = (guint)g_rand_int_range(chance, 0, BEFORE_MAX + 1);
	sample.step_count = (guint)g_rand_int_range(chance, 1, STEPS_MAX + 1);
	sample.prefix = (guint)g_rand_int_range(chance, 0, (gint32)sample.step_count + 1);
	sample.is_cut = g_rand_boolean(chance);
	for (guint i = 0; i < sample.before_count; i++)
		sample.before[i] = choose(chance);
	for (guint i = 0; i < sample.step_count; i++)
		sample.steps[i] = choose(chance);
	return sample;
}

static void put_members(const Fixture *fixture, const char *version)
{
	for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
		g_autofree char *text = g_strdup_printf("%s of %s\n", members[i], version);
		put_member(fixture, members[i], text);
	}
}

static void begin(const Fixture *fixture, const Sample *sample)
{
	g_autoptr(GError) error = NULL;

	for (char *const *path = (char *const[]){ fixture->home, fixture->txn_dir, NULL }; *path;
	     path++) {
		g_assert_true(tree_remove(*path, &error));
		g_assert_true(file_make_dirs(*path, 0755, NULL, &error));
	}
	put_members(fixture, "1");
	for (guint i = 0; i < sample->before_count; i++) {
		const Choice *choice = &sample->before[i];
		g_autofree char *path = at(fixture, paths[choice->path]);
		g_autofree char *parent = g_path_get_dirname(path);
		if (file_exists(path) || !file_make_dirs(parent, 0755, NULL, NULL))
			continue; /* a file is in the way: another choice came first */
		if (choice->kind == 0)
			g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
		else
			put_path(path, choice->member ? "mine\n" : "t0 of 1\n", 0640);
	}
}

static Step *step_of(const Fixture *fixture, const Choice *choice, guint number)
{
	g_autofree char *path = at(fixture, paths[choice->path]);
	Step *step = make_step(fixture, kinds[choice->kind],
	                       json_pack("{s:s, s:s, s:s}", "path", path, "mode",
	                                 choice->kind == 0 ? "0755" : modes[choice->mode], "from",
	                                 members[choice->member]));

	g_free(step->id);
	step->id = g_strdup_printf("s%u", number);
	return step;
}

/** What a run of a sample did: recipes in their order, and records by step, for the next version. */
typedef struct {
	GPtrArray *recipes; /* (element-type json_t) */
	json_t *records[STEPS_MAX];
	guint done;
} Outcome;

static void free_json(gpointer value)
{
	json_decref(value);
}

static void outcome_clear(Outcome *outcome)
{
	g_clear_pointer(&outcome->recipes, g_ptr_array_unref);
	for (gsize i = 0; i < STEPS_MAX; i++)
		json_decref(outcome->records[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

static bool take_step(const Fixture *fixture, Step *step, json_t **record, bool is_cut,
                      Outcome *outcome)
{
	StepRun run = make_run(fixture, step, *record);
	Probe probe = PROBE_ABSENT;
	g_autoptr(GError) error = NULL;
	g_autofree char *digest = step_digest(step);

	if (!step->kind->probe(&run, &probe, &error) ||
	    (probe != PROBE_ABSENT && probe != PROBE_PARTIAL))
		return true; /* nothing to do, or in the way: the plan would say so */

	json_t *recipe = step->kind->prepare(&run, &error);
	if (!recipe)
		return false;
	g_ptr_array_add(outcome->recipes, recipe);
	if (is_cut)
		return false;

	json_t *result = step->kind->apply(&run, &error);
	if (!result)
		return false; /* a file where a directory should be: the run fails, and is taken back */
	outcome->done++;
	json_decref(*record);
	*record = json_pack("{s:s, s:O, s:o}", "digest", digest, "undo", recipe, "result", result);
	return true;
}

/* As the scheduler does: up to the first step that fails. */
static guint steps_taken; /* of all samples: that something is tried at all */

static Outcome run_sample(const Fixture *fixture, const Sample *sample, const Outcome *before)
{
	Outcome outcome = { .recipes = g_ptr_array_new_with_free_func(free_json) };
	bool goes_on = true;

	for (guint i = 0; i < sample->step_count; i++)
		outcome.records[i] =
			before && before->records[i] ? json_incref(before->records[i]) : NULL;
	for (guint i = 0; i < sample->prefix && goes_on; i++) {
		g_autoptr(Step) step = step_of(fixture, &sample->steps[i], i);
		goes_on = take_step(fixture, step, &outcome.records[i],
		                    sample->is_cut && i + 1 == sample->prefix, &outcome);
	}
	steps_taken += outcome.done;
	return outcome;
}

static bool take_back(Fixture *fixture, const Outcome *outcome)
{
	for (guint i = outcome->recipes->len; i-- > 0;) {
		g_autoptr(GError) error = NULL;
		if (!try_undo(fixture, outcome->recipes->pdata[i], &error))
			return false;
	}
	return true;
}

static bool is_same(const Fixture *fixture, const char *before)
{
	g_autofree char *now = snapshot(fixture);

	return g_str_equal(before, now);
}

static bool undo_is_identity(Fixture *fixture, const Sample *sample)
{
	begin(fixture, sample);
	g_autofree char *before = snapshot(fixture);
	g_auto(Outcome) outcome = run_sample(fixture, sample, NULL);

	/* Twice: the second time finds it done. */
	return take_back(fixture, &outcome) && is_same(fixture, before) &&
	       take_back(fixture, &outcome) && is_same(fixture, before);
}

static bool again_is_nothing(Fixture *fixture, const Sample *sample)
{
	Sample whole = *sample;

	whole.is_cut = false;
	begin(fixture, &whole);
	g_auto(Outcome) first = run_sample(fixture, &whole, NULL);
	g_autofree char *after = snapshot(fixture);
	/* Two steps that write the same file undo one another's work: no plan has such. */
	for (guint i = 0; i < whole.prefix; i++)
		for (guint j = 0; j < i; j++)
			if (whole.steps[i].path == whole.steps[j].path)
				return true;
	if (first.recipes->len != first.done)
		return true; /* it failed */
	g_auto(Outcome) second = run_sample(fixture, &whole, &first);
	return second.recipes->len == 0 && is_same(fixture, after);
}

static bool upgrade_undo_is_identity(Fixture *fixture, const Sample *sample)
{
	Sample whole = *sample;

	whole.is_cut = false;
	begin(fixture, &whole);
	g_auto(Outcome) first = run_sample(fixture, &whole, NULL);
	g_autofree char *before = snapshot(fixture);
	put_members(fixture, "2");
	g_auto(Outcome) second = run_sample(fixture, sample, &first);
	return take_back(fixture, &second) && is_same(fixture, before);
}

typedef bool (*Property)(Fixture *fixture, const Sample *sample);

static void drop(Choice *choices, guint *count, guint at_index)
{
	for (guint i = at_index; i + 1 < *count; i++)
		choices[i] = choices[i + 1];
	(*count)--;
}

/* Returns: the smallest sample on the way that still fails. */
static Sample shrink(Fixture *fixture, Property holds, Sample sample)
{
	for (guint i = 0; i < sample.step_count + sample.before_count;) {
		Sample less = sample;
		if (i < less.step_count) {
			drop(less.steps, &less.step_count, i);
			less.prefix = MIN(less.prefix, less.step_count);
		} else {
			drop(less.before, &less.before_count, i - less.step_count);
		}
		if (holds(fixture, &less)) {
			i++;
		} else {
			sample = less;
			i = 0;
		}
	}
	return sample;
}

static void tell(const char *what, const Choice *choices, guint count)
{
	for (guint i = 0; i < count; i++)
		g_test_message("%s %s %s from %s, mode %s", what, kinds[choices[i].kind]->name,
		               paths[choices[i].path], members[choices[i].member],
		               modes[choices[i].mode]);
}

static guint plan_count(void)
{
	const char *wanted = g_getenv("PLANS");

	return wanted ? (guint)g_ascii_strtoull(wanted, NULL, 10) : PLANS_PER_SEED;
}

static void try_seed(Fixture *fixture, Property holds, guint seed)
{
	g_autoptr(GRand) chance = g_rand_new_with_seed(seed);

	for (guint i = 0; i < plan_count(); i++) {
		Sample sample = choose_sample(chance);
		if (holds(fixture, &sample))
			continue;
		sample = shrink(fixture, holds, sample);
		tell("before:", sample.before, sample.before_count);
		tell("step:", sample.steps, sample.step_count);
		g_test_message("seed %u, %u steps taken, cut: %d", seed, sample.prefix,
		               sample.is_cut);
		g_test_fail();
		return;
	}
}

static guint random_seed(void)
{
	const char *wanted = g_getenv("PLANS_SEED");
	guint seed = wanted ? (guint)g_ascii_strtoull(wanted, NULL, 10) : g_random_int() >> 1;

	g_test_message("PLANS_SEED=%u", seed);
	return seed;
}

static void test_property(Fixture *fixture, gconstpointer property)
{
	Property holds = *(const Property *)property;

	for (gsize i = 0; i < G_N_ELEMENTS(fixed_seeds); i++)
		try_seed(fixture, holds, fixed_seeds[i]);
	try_seed(fixture, holds, random_seed());
	g_assert_cmpuint(steps_taken, >, plan_count());
}

/* A record with members of many kinds. */
static json_t *random_record(GRand *chance)
{
	json_t *record = json_pack("{s:s}", "type", "step");
	gint members_left = g_rand_int_range(chance, 0, 6);

	for (; members_left > 0; members_left--) {
		g_autofree char *key = g_strdup_printf("k%d", g_rand_int_range(chance, 0, 9));
		g_autofree char *text = g_strnfill((gsize)g_rand_int_range(chance, 0, 300),
		                                   (char)g_rand_int_range(chance, 'a', 'z'));
		json_object_set_new(record, key,
		                    g_rand_boolean(chance)
		                            ? json_string(text)
		                            : json_integer((json_int_t)g_rand_int(chance)));
	}
	return record;
}

/* Without the sync of g_file_set_contents(): a thousand times. */
static void put_bytes(const char *path, const char *bytes, gsize size_bytes)
{
	g_auto(FileFd) fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	g_assert_cmpint(fd, >=, 0);
	g_assert_true(file_write_all(fd, bytes, size_bytes, NULL));
}

/* Every record that is read is one that was written, in its place. */
static void assert_prefix(const json_t *found, const json_t *written)
{
	g_assert_cmpuint(json_array_size(found), <=, json_array_size(written));
	for (gsize i = 0; i < json_array_size(found); i++)
		g_assert_true(json_equal(json_array_get(found, i), json_array_get(written, i)));
}

static void check_journal(const Fixture *fixture, guint seed)
{
	g_autoptr(GRand) chance = g_rand_new_with_seed(seed);
	g_autofree char *path = g_build_filename(fixture->txn_dir, "journal", NULL);
	g_autofree char *copy = g_build_filename(fixture->txn_dir, "copy", NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *bytes = NULL;
	gsize size_bytes = 0;
	Journal *journal = journal_create(path, &error);

	g_assert_no_error(error);
	for (gint count = g_rand_int_range(chance, 1, 12); count > 0; count--)
		g_assert_true(journal_append(journal, random_record(chance), &error));
	journal_free(journal);
	g_autoptr(json_t) written = journal_read(path, &error);
	g_assert_no_error(error);
	g_assert_true(g_file_get_contents(path, &bytes, &size_bytes, &error));

	for (gsize cut = 0; cut <= size_bytes; cut++) {
		put_bytes(copy, bytes, cut);
		g_autoptr(json_t) found = journal_read(copy, &error);
		g_assert_no_error(error);
		assert_prefix(found, written);
		g_assert_true(cut < size_bytes || json_equal(found, written));
	}
	for (guint i = 0; i < 400; i++) {
		gsize place = (gsize)g_rand_int_range(chance, 0, (gint32)size_bytes);
		char bit = (char)(1 << g_rand_int_range(chance, 0, 8));
		bytes[place] ^= bit;
		put_bytes(copy, bytes, size_bytes);
		g_autoptr(json_t) found = journal_read(copy, NULL);
		if (found)
			assert_prefix(found, written);
		bytes[place] ^= bit;
	}
	g_assert_cmpint(unlink(path), ==, 0);
}

static void test_journal(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	for (gsize i = 0; i < 3; i++)
		check_journal(fixture, fixed_seeds[i]);
	check_journal(fixture, random_seed());
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		Property holds;
	} table[] = {
		{ "/plans/undo", undo_is_identity },
		{ "/plans/again", again_is_nothing },
		{ "/plans/upgrade", upgrade_undo_is_identity },
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		g_test_add(table[i].path, Fixture, &table[i].holds, set_up, test_property,
		           tear_down);
	add("/plans/journal", test_journal);
	return g_test_run();
}
