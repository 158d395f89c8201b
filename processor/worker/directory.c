/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/directory.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status make(const char *path, struct error *err) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return STATUS_OK;
    return error_set(err, STATUS_IO, "cannot make folder %s: %s", path, strerror(errno));
}

enum status directory_make(char *out_path, size_t size, const char *state, const char *topic,
                           int32_t partition, struct error *err) {
    int used = snprintf(out_path, size, "%s/%s-%d", state, topic, partition);
    if (used < 0 || (size_t)used >= size)
        return error_set(err, STATUS_IO, "the path of the state directory is too long");
    for (char *slash = strchr(out_path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        enum status status = make(out_path, err);
        *slash = '/';
        TRY(status);
    }
    return make(out_path, err);
}

enum status directory_empty(const char *path, struct error *err) {
    DIR *directory = opendir(path);
    if (!directory)
        return error_set(err, STATUS_IO, "cannot read folder %s: %s", path, strerror(errno));
    enum status status = STATUS_OK;
    const struct dirent *entry;
    while (status == STATUS_OK && (entry = readdir(directory)) != NULL) {
        char name[1536];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (unlink(name) != 0 && errno != EISDIR)
            status = error_set(err, STATUS_IO, "cannot remove %s: %s", name, strerror(errno));
    }
    (void)closedir(directory);
    return status;
}
