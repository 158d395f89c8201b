/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/schema_set.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/schema_tree.h"

enum { FILE_BYTES_MAX = 16 * 1024 * 1024 };

struct entry {
    int32_t id;
    char *name; /* of NAME.ID.avsc */
    char *json;
    size_t size;
};

struct schema_set {
    struct entry *entries; /* ascending ids */
    size_t count;
};

/* Splits NAME.ID.avsc; false when the file's name is of another form. */
static bool split_name(const char *file, struct slice *out_name, int32_t *out_id) {
    size_t size = strlen(file);
    if (size < 5 || strcmp(file + size - 5, ".avsc") != 0)
        return false;
    size_t end = size - 5, start = end;
    while (start > 0 && file[start - 1] >= '0' && file[start - 1] <= '9')
        start--;
    if (start < 2 || file[start - 1] != '.' || start == end || end - start > 10)
        return false;
    long long id = strtoll(file + start, NULL, 10);
    *out_id = (int32_t)id;
    *out_name = (struct slice){file, start - 1};
    return id <= INT32_MAX;
}

static enum status read_file(const char *path, char **out_text, size_t *out_size,
                             struct error *err) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_set(err, STATUS_CONFIG, "%s: %s", path, strerror(errno));
    char *text = alloc_zero(FILE_BYTES_MAX + 1, 1);
    size_t size = fread(text, 1, FILE_BYTES_MAX + 1, file);
    bool is_read = !ferror(file) && size <= FILE_BYTES_MAX;
    (void)fclose(file);
    if (!is_read) {
        free(text);
        return error_set(err, STATUS_CONFIG, "%s: cannot be read or is larger than 16 MB", path);
    }
    *out_text = alloc_resize(text, size + 1, 1);
    *out_size = size;
    return STATUS_OK;
}

static enum status check_schema(const char *path, const struct entry *entry, struct error *err) {
    struct schema_tree tree;
    if (schema_tree_init(&tree, (struct slice){entry->json, entry->size}, err) != STATUS_OK)
        return error_wrap(err, STATUS_CONFIG, "%s", path);
    schema_tree_release(&tree);
    return STATUS_OK;
}

static void entry_release(struct entry *entry) {
    free(entry->name);
    free(entry->json);
}

static void insert(struct schema_set *set, struct entry entry) {
    set->entries = alloc_resize(set->entries, set->count + 1, sizeof *set->entries);
    size_t at = set->count++;
    for (; at > 0 && set->entries[at - 1].id > entry.id; at--)
        set->entries[at] = set->entries[at - 1];
    set->entries[at] = entry;
}

static enum status load_file(struct schema_set *set, const char *directory, const char *file,
                             struct error *err) {
    struct slice name;
    struct entry entry = {0};
    if (!split_name(file, &name, &entry.id))
        return STATUS_OK;
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", directory, file);
    if (length < 0 || (size_t)length >= sizeof path)
        return error_set(err, STATUS_CONFIG, "%s: the path of %s is too long", directory, file);
    if (schema_set_json(set, entry.id).size > 0)
        return error_set(err, STATUS_CONFIG, "%s: another file has the id %d too", path,
                         (int)entry.id);
    TRY(read_file(path, &entry.json, &entry.size, err));
    enum status status = check_schema(path, &entry, err);
    if (status != STATUS_OK) {
        entry_release(&entry);
        return status;
    }
    entry.name = alloc_copy(name);
    insert(set, entry);
    return STATUS_OK;
}

enum status schema_set_load(const char *directory, struct schema_set **out_set, struct error *err) {
    DIR *listing = opendir(directory);
    if (!listing)
        return error_set(err, STATUS_CONFIG,
                         "schemas.directory: %.300s: %s (Avro schemas NAME.ID.avsc; for JSON set "
                         "predictions.format and feedback.format)",
                         directory, strerror(errno));
    struct schema_set *set = alloc_zero(1, sizeof *set);
    enum status status = STATUS_OK;
    for (struct dirent *file; status == STATUS_OK && (file = readdir(listing)) != NULL;)
        status = load_file(set, directory, file->d_name, err);
    (void)closedir(listing);
    if (status == STATUS_OK)
        *out_set = set;
    else
        schema_set_destroy(set);
    return status;
}

void schema_set_destroy(struct schema_set *set) {
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++)
        entry_release(&set->entries[i]);
    free(set->entries);
    free(set);
}

struct slice schema_set_json(const struct schema_set *set, int32_t id) {
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->entries[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == set->count || set->entries[low].id != id)
        return (struct slice){"", 0};
    return (struct slice){set->entries[low].json, set->entries[low].size};
}

int32_t schema_set_find(const struct schema_set *set, const char *name) {
    for (size_t i = set->count; i > 0; i--)
        if (strcmp(set->entries[i - 1].name, name) == 0)
            return set->entries[i - 1].id;
    return -1;
}
