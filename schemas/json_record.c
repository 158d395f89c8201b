/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/json_record.h"

#include <jansson.h>

#include "schemas/time_text.h"

void json_record_release(struct json_record *record) {
    json_decref(record->root);
    record->root = NULL;
}

static bool read_time(const json_t *json, struct value *out_value) {
    out_value->kind = VALUE_LONG;
    if (json_is_integer(json)) {
        out_value->as.integer = json_integer_value(json);
        return true;
    }
    if (json_is_real(json))
        return time_from_real(json_real_value(json), &out_value->as.integer);
    struct slice text = {json_string_value(json), json_string_length(json)};
    return json_is_string(json) && time_text_parse(text, &out_value->as.integer);
}

static bool read_value(const json_t *json, struct value *out_value) {
    switch (json_typeof(json)) {
    case JSON_INTEGER:
        *out_value = (struct value){VALUE_LONG, {.integer = json_integer_value(json)}};
        return true;
    case JSON_REAL:
        *out_value = (struct value){VALUE_DOUBLE, {.real = json_real_value(json)}};
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        *out_value = (struct value){VALUE_LONG, {.integer = json_is_true(json)}};
        return true;
    case JSON_STRING:
        out_value->kind = VALUE_STRING;
        out_value->as.string = (struct slice){json_string_value(json), json_string_length(json)};
        return true;
    case JSON_NULL:
    case JSON_OBJECT:
    case JSON_ARRAY:
        break;
    }
    return false;
}

static bool read_slots(const json_t *json, const struct path_tree *paths, uint32_t slot,
                       struct value *out_values) {
    for (; slot != PATH_NO_SLOT; slot = paths->next_slot[slot]) {
        struct value *value = &out_values[slot];
        if (!(paths->is_time[slot] ? read_time(json, value) : read_value(json, value)))
            return false;
    }
    return true;
}

static bool read_node(const json_t *json, const struct path_tree *paths,
                      const struct path_node *node, struct value *out_values) {
    if (!json || json_is_null(json))
        return true;
    if (!read_slots(json, paths, node->slot, out_values))
        return false;
    for (const struct path_node *child = node->child; child; child = child->next) {
        const json_t *inner =
            child->name ? json_object_get(json, child->name) : json_array_get(json, child->index);
        if (!read_node(inner, paths, child, out_values))
            return false;
    }
    return true;
}

enum refusal json_record_read(struct json_record *record, const struct path_tree *paths,
                              struct slice text, struct value *out_values) {
    json_record_release(record);
    record->root = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (!record->root)
        return REFUSAL_UNDECODABLE;
    for (size_t i = 0; i < paths->slot_count; i++)
        out_values[i] = (struct value){.kind = VALUE_MISSING};
    return read_node(record->root, paths, &paths->root, out_values) ? REFUSAL_NONE
                                                                    : REFUSAL_BAD_TYPE;
}
