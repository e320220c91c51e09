/* installer/step_block.c - step kind "block": a fenced block in a file of a person's
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "installer/block.h"
#include "installer/recipe.h"
#include "installer/step_file.h"

#define FILE_MAX_BYTES ((gsize)1024 * 1024)

static const char *const keys[] = { NULL };

/** What is there. */
typedef struct {
	const char *path;
	const char *name;
	char *wanted; /* the block */
	char *text;   /* of the file; "": there is none */
	mode_t mode;
	bool is_there;   /* the file */
	bool is_strange; /* no text file of this user's */
	BlockState state;
	BlockPlace place;
} Look;

static void look_clear(Look *look)
{
	g_free(look->wanted);
	g_free(look->text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Look, look_clear)

/* Returns: (transfer full) (nullable): NULL for what is no text. */
static char *read_text(const char *path)
{
	g_autoptr(GBytes) bytes = file_read(path, FILE_MAX_BYTES, NULL);
	g_autofree char *text = bytes ? recipe_text(bytes) : NULL;

	return text && strlen(text) == g_bytes_get_size(bytes) ? g_steal_pointer(&text) : NULL;
}

static bool look_at(const StepRun *run, Look *look, GError **error)
{
	const char *lines = recipe_input(run, "lines", error);
	struct stat st = { .st_mode = S_IFREG | 0644, .st_uid = geteuid() };

	look->path = lines ? recipe_input(run, "path", error) : NULL;
	look->name = look->path ? recipe_input(run, "name", error) : NULL;
	if (!look->name)
		return false;

	look->wanted = block_new(look->name, lines);
	look->is_there = lstat(look->path, &st) == 0;
	look->mode = st.st_mode & 0777;
	look->text = look->is_there && S_ISREG(st.st_mode) ? read_text(look->path) : g_strdup("");
	look->is_strange = !look->text || !S_ISREG(st.st_mode) || st.st_uid != geteuid();
	if (!look->is_strange)
		look->state = block_find(look->text, look->name, &look->place);
	return true;
}

static bool is_block(const Look *look, const char *sha256)
{
	g_autoptr(GBytes) bytes =
		g_bytes_new(look->text + look->place.start, look->place.end - look->place.start);
	g_autofree char *digest = file_digest_bytes(bytes);

	return g_strcmp0(digest, sha256) == 0;
}

static char *digest_of(const char *text)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	return file_digest_bytes(bytes);
}

static Probe judge_whole(const StepRun *run, const Look *look)
{
	const char *recorded = json_text(json_object_get(run->receipt, "result"), "sha256");
	g_autofree char *wanted = digest_of(look->wanted);

	if (is_block(look, wanted))
		return run->receipt ? PROBE_OURS : PROBE_PARTIAL;
	if (is_block(look, recorded))
		return PROBE_PARTIAL;
	return recorded ? PROBE_EDITED : PROBE_FOREIGN;
}

static bool probe_block(const StepRun *run, Probe *probe, GError **error)
{
	g_auto(Look) look = { 0 };

	if (!look_at(run, &look, error))
		return false;
	if (look.is_strange || look.state == BLOCK_TORN)
		*probe = PROBE_FOREIGN;
	else if (look.state == BLOCK_WHOLE)
		*probe = judge_whole(run, &look);
	else /* a person took it out */
		*probe = run->receipt ? PROBE_EDITED : PROBE_ABSENT;
	return true;
}

static json_t *prepare_block(const StepRun *run, GError **error)
{
	g_auto(Look) look = { 0 };

	if (!look_at(run, &look, error))
		return NULL;

	bool is_glued = look.text && *look.text && !g_str_has_suffix(look.text, "\n");
	g_autofree char *stage = recipe_stage(run, look.path);
	g_autofree char *parent = g_path_get_dirname(look.path);
	g_autofree char *digest = digest_of(look.wanted);
	json_t *recipe = json_array();

	recipe_add_missing_dirs(recipe, parent);
	recipe_add(recipe, "block_remove", "path", look.path, "name", look.name, "sha256", digest,
	           NULL);
	json_t *part = json_array_get(recipe, json_array_size(recipe) - 1);
	json_object_set_new(part, "created", json_boolean(!look.is_there));
	json_object_set_new(part, "glued", json_boolean(is_glued));
	recipe_add(recipe, "remove_tree", "path", stage, "token", run->token, NULL);
	return recipe;
}

static json_t *apply_block(const StepRun *run, GError **error)
{
	g_auto(Look) look = { 0 };

	if (!look_at(run, &look, error))
		return NULL;
	if (look.is_strange || look.state == BLOCK_TORN) {
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "%s was changed by somebody just now",
		          look.path);
		return NULL;
	}

	g_autofree char *text =
		block_put(look.text, look.state == BLOCK_WHOLE ? &look.place : NULL, look.wanted);
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	g_autofree char *digest = digest_of(look.wanted);
	g_autofree char *stage = recipe_stage(run, look.path);
	/* A run that was killed right after the rename left the stage. */
	if (g_str_equal(text, look.text)
	            ? !tree_remove(stage, error)
	            : !step_file_write_staged(run, look.path, bytes, look.mode, error))
		return NULL;
	return json_pack("{s:s, s:s}", "path", look.path, "sha256", digest);
}

const StepKind step_kind_block = {
	.name = "block",
	.verb = "add a block to",
	.keys = keys,
	.weight = 1,
	.keeps_foreign = true,
	.probe = probe_block,
	.prepare = prepare_block,
	.apply = apply_block,
};
