/* installer/lifecycle_volumes.c - the data of a project, out of its volumes and back
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/lifecycle_volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/process.h"
#include "installer/engine.h"

#define VOLUME_LABEL "com.docker.compose.volume"
#define HELPER_LABEL "slipway.helper=backup"
/* Where the helper has them; no image has such a directory. */
#define PLACE "/.slipway-volumes"
#define REMOVE_MS 60000
#define DOCKER_MS 60000

void volume_free(gpointer data)
{
	Volume *volume = data;

	if (!volume)
		return;
	g_free(volume->name);
	g_free(volume->key);
	g_free(volume->driver);
	json_decref(volume->labels);
	json_decref(volume->options);
	g_free(volume);
}

static json_t *object_or_empty(const json_t *value)
{
	return json_is_object(value) ? json_deep_copy(value) : json_object();
}

static Volume *volume_of(const char *name, const char *driver, const json_t *labels,
                         const json_t *options)
{
	Volume *volume = g_new0(Volume, 1);

	volume->name = g_strdup(name);
	volume->key = g_strdup(json_text_or(labels, VOLUME_LABEL, name));
	volume->driver = g_strdup(driver);
	volume->labels = object_or_empty(labels);
	volume->options = object_or_empty(options);
	return volume;
}

json_t *volume_to_json(const Volume *volume)
{
	return json_pack("{s:s, s:s, s:s, s:O, s:O}", "name", volume->name, "key", volume->key,
	                 "driver", volume->driver, "labels", volume->labels, "options",
	                 volume->options);
}

/* As the engine allows them; nothing that could be a path or an option. */
static bool is_good_name(const char *name)
{
	if (!g_ascii_isalnum(*name))
		return false;
	for (; *name; name++)
		if (!g_ascii_isalnum(*name) && !strchr("_.-", *name))
			return false;
	return true;
}

Volume *volume_from_json(const json_t *object)
{
	const char *name = json_text_or(object, "name", "");

	return is_good_name(name) ? volume_of(name, json_text_or(object, "driver", "local"),
	                                      json_object_get(object, "labels"),
	                                      json_object_get(object, "options"))
	                          : NULL;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp((*(Volume *const *)a)->name, (*(Volume *const *)b)->name);
}

GPtrArray *volumes_list(const LifeProject *project, GError **error)
{
	g_autoptr(json_t) answer = compose_list(project->compose, "/volumes", error);
	const json_t *list = json_object_get(answer, "Volumes");
	GPtrArray *volumes = answer ? g_ptr_array_new_with_free_func(volume_free) : NULL;

	for (gsize i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		g_ptr_array_add(volumes, volume_of(json_text_or(one, "Name", ""),
		                                   json_text_or(one, "Driver", "local"),
		                                   json_object_get(one, "Labels"),
		                                   json_object_get(one, "Options")));
	}
	if (volumes)
		g_ptr_array_sort(volumes, by_name);
	return volumes;
}

/* Runs docker on the project's engine; @words owns its strings and gets a NULL. */
static char *run_docker(const LifeProject *project, GPtrArray *words, GError **error)
{
	char *docker = process_find("docker");
	g_autofree char *host = g_strconcat("DOCKER_HOST=", project->compose->engine, NULL);
	const char *const env[] = { host, NULL };

	if (!docker) {
		fault_set(error, STATUS_UNAVAILABLE, NULL, "there is no docker program");
		return NULL;
	}
	g_ptr_array_insert(words, 0, docker);
	g_ptr_array_add(words, NULL);

	const ProcessSpec spec = { .argv = (const char *const *)words->pdata,
		                   .env = env,
		                   .timeout_ms = DOCKER_MS };
	return process_capture(&spec, error);
}

static GPtrArray *words_new(const char *const *words)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(g_free);

	for (; *words; words++)
		g_ptr_array_add(list, g_strdup(*words));
	return list;
}

/* Any image does that is there: nothing of it runs. */
static char *make_from(const LifeProject *project, const GPtrArray *volumes, const char *image,
                       GError **error)
{
	g_autoptr(GPtrArray) words = words_new((const char *const[]){
		"create", "--pull", "never", "--network", "none", "--label", HELPER_LABEL, NULL });

	for (guint i = 0; i < volumes->len; i++) {
		const Volume *volume = volumes->pdata[i];
		g_ptr_array_add(words, g_strdup("--volume"));
		g_ptr_array_add(words, g_strdup_printf("%s:" PLACE "/%s:nocopy", volume->name,
		                                       volume->name));
	}
	g_ptr_array_add(words, g_strdup(image));
	g_ptr_array_add(words, g_strdup("none"));
	return run_docker(project, words, error);
}

char *helper_make(const LifeProject *project, const GPtrArray *volumes, GError **error)
{
	g_auto(GStrv) images = compose_images(project->compose, error);
	g_autoptr(GError) cause = NULL;

	for (char **image = images; image && *image; image++) {
		char *helper = NULL;

		g_clear_error(&cause);
		helper = make_from(project, volumes, *image, &cause);
		if (helper)
			return helper;
	}
	if (cause)
		g_propagate_prefixed_error(error, g_steal_pointer(&cause),
		                           "no container could be made from the stack's images: ");
	else if (images)
		fault_set(error, STATUS_UNAVAILABLE, NULL, "the stack names no image");
	return NULL;
}

bool helper_remove(const LifeProject *project, const char *helper, GError **error)
{
	g_autofree char *path = g_strdup_printf("/containers/%s?force=1", helper);

	return engine_do(project->compose->engine, "DELETE", path, REMOVE_MS, error);
}

static char *archive_path(const char *helper, const Volume *volume)
{
	return g_strdup_printf("/containers/%s/archive?path=" PLACE "/%s/.", helper, volume->name);
}

/** A file that is being written. */
typedef struct {
	int fd;
	guint64 size_bytes;
	GChecksum *sum;
} Saving;

static bool write_piece(gpointer to, const void *data, gsize size_bytes, GError **error)
{
	Saving *saving = to;

	if (!file_write_all(saving->fd, data, size_bytes, error))
		return false;
	g_checksum_update(saving->sum, data, (gssize)size_bytes);
	saving->size_bytes += size_bytes;
	return true;
}

static bool close_synced(int fd, const char *path, GError **error)
{
	bool is_synced = fsync(fd) == 0;
	int failure = errno;

	if (close(fd) == 0 && is_synced)
		return true;
	fault_set_errno(error, is_synced ? errno : failure, "cannot write %s", path);
	return false;
}

bool volume_save(const LifeProject *project, const char *helper, const Volume *volume,
                 const char *path, VolumeFile *file, GError **error)
{
	g_autofree char *from = archive_path(helper, volume);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		fault_set_errno(error, errno, "cannot create %s", path);
		return false;
	}

	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	Saving saving = { fd, 0, sum };
	bool is_read = engine_read(project->compose->engine, from, write_piece, &saving, error);
	if (!close_synced(fd, path, is_read ? error : NULL) || !is_read) {
		g_prefix_error(error, "volume %s: ", volume->name);
		return false;
	}
	*file = (VolumeFile){ saving.size_bytes, g_strdup(g_checksum_get_string(sum)) };
	return true;
}

bool volume_load(const LifeProject *project, const char *helper, const Volume *volume,
                 const char *path, GError **error)
{
	g_autofree char *to = archive_path(helper, volume);
	g_auto(FileFd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0) {
		fault_set_errno(error, errno, "cannot open %s", path);
		return false;
	}
	if (engine_send(project->compose->engine, to, fd, error))
		return true;
	g_prefix_error(error, "volume %s: ", volume->name);
	return false;
}

static void add_pairs(GPtrArray *words, const char *option, const json_t *pairs)
{
	const char *name = NULL;
	json_t *value = NULL;

	json_object_foreach((json_t *)(guintptr)pairs, name, value)
	{
		if (!json_is_string(value))
			continue;
		g_ptr_array_add(words, g_strdup(option));
		g_ptr_array_add(words, g_strdup_printf("%s=%s", name, json_string_value(value)));
	}
}

bool volume_renew(const LifeProject *project, const Volume *volume, GError **error)
{
	g_autofree char *path = g_strconcat("/volumes/", volume->name, NULL);
	g_autoptr(GPtrArray) words = words_new(
		(const char *const[]){ "volume", "create", "--driver", volume->driver, NULL });

	if (!engine_do(project->compose->engine, "DELETE", path, REMOVE_MS, error))
		return false;
	add_pairs(words, "--label", volume->labels);
	add_pairs(words, "--opt", volume->options);
	g_ptr_array_add(words, g_strdup(volume->name));

	g_autofree char *made = run_docker(project, words, error);
	return made != NULL;
}
