/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/setting_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/options.h"
#include "kafka/settings.h"

enum { NAME_BYTES = 64, RANGE_BYTES = 200, DISTANCE_MAX = 3 };

/* A row of librdkafka's own table: "name | C/P | range | default | importance | description". */
struct property {
    char name[NAME_BYTES], range[RANGE_BYTES];
};

static void copy_cell(const char *cell, const char *end, char *out, size_t room) {
    while (cell < end && *cell == ' ')
        cell++;
    while (end > cell && end[-1] == ' ')
        end--;
    size_t size = (size_t)(end - cell) < room ? (size_t)(end - cell) : room - 1;
    memcpy(out, cell, size);
    out[size] = '\0';
}

static bool read_row(const char *line, struct property *out_property) {
    const char *first = strchr(line, '|');
    const char *second = first ? strchr(first + 1, '|') : NULL;
    const char *third = second ? strchr(second + 1, '|') : NULL;
    if (!third || line[0] < 'a' || line[0] > 'z')
        return false;
    copy_cell(line, first, out_property->name, NAME_BYTES);
    copy_cell(second + 1, third, out_property->range, RANGE_BYTES);
    return true;
}

/* The property whose name is nearest, in letters, to name; false: none is near. */
static bool nearest(const char *name, struct property *out_property) {
    char *table = NULL, *rest = NULL;
    size_t size = 0, least = DISTANCE_MAX + 1;
    FILE *file = open_memstream(&table, &size);
    if (!file)
        return false;
    rd_kafka_conf_properties_show(file);
    bool is_whole = fclose(file) == 0;
    struct property property;
    for (char *line = is_whole ? strtok_r(table, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest)) {
        size_t distance =
            read_row(line, &property) ? edit_distance(name, property.name) : DISTANCE_MAX + 1;
        if (distance < least) {
            least = distance;
            *out_property = property;
        }
    }
    free(table);
    return least <= DISTANCE_MAX;
}

static enum status unknown(const struct setting *setting, const char *name, struct error *err) {
    struct property near;
    int prefix = (int)(name - setting->key);
    if (nearest(name, &near))
        return error_set(err, STATUS_CONFIG,
                         "kafka.%s: librdkafka %s has no such setting; did you mean kafka.%.*s%s?",
                         setting->key, rd_kafka_version_str(), prefix, setting->key, near.name);
    return error_set(
        err, STATUS_CONFIG,
        "kafka.%s: librdkafka %s has no such setting; take it out, or find its name in "
        "librdkafka's CONFIGURATION.md",
        setting->key, rd_kafka_version_str());
}

enum status setting_check(const struct setting *setting, struct error *err) {
    const char *name = setting_name(setting->key);
    char reason[300] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_res_t result =
        rd_kafka_conf_set(conf, name, setting->value, reason, sizeof reason);
    rd_kafka_conf_destroy(conf);
    if (result == RD_KAFKA_CONF_OK)
        return STATUS_OK;
    if (result == RD_KAFKA_CONF_UNKNOWN)
        return unknown(setting, name, err);
    struct property itself;
    bool is_listed = !strstr(reason, "range") && nearest(name, &itself) &&
                     strcmp(itself.name, name) == 0 && itself.range[0];
    return error_set(err, STATUS_CONFIG, "kafka.%s: %s%s%s", setting->key,
                     setting->secret ? "librdkafka does not take its value" : reason,
                     is_listed ? "; it takes " : "", is_listed ? itself.range : "");
}
