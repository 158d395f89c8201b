/* SPDX-License-Identifier: Apache-2.0 */
#include "state/row_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status check(bool is_ok, const char *what, const char *path, struct error *err) {
    if (is_ok)
        return STATUS_OK;
    return error_set(err, STATUS_IO, "%s %s: %s", what, path, strerror(errno));
}

static enum status make_folder(const char *path, struct error *err) {
    return check(mkdir(path, 0755) == 0 || errno == EEXIST, "make the folder", path, err);
}

enum status row_files_open(struct row_files *files, const char *directory, struct error *err) {
    int size = snprintf(files->folder, sizeof files->folder, "%s/rows", directory);
    if (size < 0 || (size_t)size >= sizeof files->folder)
        return error_set(err, STATUS_IO, "the path is longer than %d bytes", ROW_FOLDER_BYTES);
    TRY(make_folder(directory, err));
    return make_folder(files->folder, err);
}

const char *row_files_path(const struct row_files *files, uint64_t file,
                           char scratch[ROW_PATH_BYTES]) {
    (void)snprintf(scratch, ROW_PATH_BYTES, "%s/%" PRIu64 ".sst", files->folder, file);
    return scratch;
}

enum status row_files_sync(const struct row_files *files, struct error *err) {
    int folder = open(files->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    TRY(check(folder >= 0, "open", files->folder, err));
    enum status status = check(fsync(folder) == 0, "fsync", files->folder, err);
    (void)close(folder);
    return status;
}

enum status row_files_size(const struct row_files *files, uint64_t file, uint64_t *out_bytes,
                           struct error *err) {
    char path[ROW_PATH_BYTES];
    struct stat facts = {0};
    (void)row_files_path(files, file, path);
    TRY(check(stat(path, &facts) == 0, "stat", path, err));
    *out_bytes = (uint64_t)facts.st_size;
    return STATUS_OK;
}

enum status row_files_remove(const struct row_files *files, uint64_t file, struct error *err) {
    char path[ROW_PATH_BYTES];
    (void)row_files_path(files, file, path);
    return check(unlink(path) == 0 || errno == ENOENT, "unlink", path, err);
}

static bool parse_name(const char *name, uint64_t *out_file) {
    char *end = NULL;
    if (*name < '0' || *name > '9')
        return false;
    *out_file = strtoull(name, &end, 10);
    return strcmp(end, ".sst") == 0;
}

enum status row_files_list(const struct row_files *files, uint64_t **out_files, size_t *out_count,
                           struct arena *arena, struct error *err) {
    DIR *folder = opendir(files->folder);
    TRY(check(folder != NULL, "open", files->folder, err));
    struct buffer found;
    buffer_init(&found, SIZE_MAX);
    for (const struct dirent *entry; (entry = readdir(folder));) {
        uint64_t file = 0;
        if (parse_name(entry->d_name, &file))
            buffer_append(&found, &file, sizeof file);
    }
    (void)closedir(folder);
    *out_count = found.size / sizeof **out_files;
    *out_files = arena_take(arena, found.size);
    if (found.size)
        memcpy(*out_files, found.data, found.size);
    buffer_release(&found);
    return STATUS_OK;
}
