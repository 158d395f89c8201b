/* SPDX-License-Identifier: Apache-2.0 */
#include "partition/groups.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"

enum { KIND_VALUE, KIND_OTHER, KIND_MISSING, KINDS, SLOTS_MIN = 64, VALUE_BYTES_MAX = 256 };

static uint64_t hash_of(uint16_t grouping, uint16_t kind, struct slice text) {
    return hash64(text) ^ ((uint64_t)grouping * KINDS + kind) * 0x9e3779b97f4a7c15U;
}

static uint16_t *slot_of(const struct groups *groups, uint64_t hash, uint16_t grouping,
                         uint16_t kind, struct slice text) {
    size_t mask = groups->slot_count - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint16_t number = groups->slots[i];
        if (number == GROUP_ALL)
            return &groups->slots[i];
        const struct group *group = &groups->list[number];
        if (group->hash == hash && group->grouping == grouping && group->kind == kind &&
            slice_equal(slice_from(group->text), text))
            return &groups->slots[i];
    }
}

static void rehash(struct groups *groups) {
    groups->slot_count = groups->slot_count ? groups->slot_count * 2 : SLOTS_MIN;
    free(groups->slots);
    groups->slots = alloc_zero(groups->slot_count, sizeof *groups->slots);
    for (size_t i = 1; i < groups->count; i++) {
        const struct group *group = &groups->list[i];
        *slot_of(groups, group->hash, group->grouping, group->kind, slice_from(group->text)) =
            (uint16_t)i;
    }
}

static char *name_of(const struct groups *groups, uint16_t grouping, uint16_t kind,
                     struct slice text) {
    static const char *const suffixes[KINDS] = {"=", "~other", "~missing"};
    const char *column = groups->definition->groupings[grouping].name;
    size_t size = strlen(column) + strlen(suffixes[kind]) + text.size + 1;
    char *name = alloc_zero(size, 1);
    (void)snprintf(name, size, "%s%s%.*s", column, suffixes[kind], (int)text.size, text.data);
    return name;
}

static uint16_t add(struct groups *groups, uint16_t grouping, uint16_t kind, struct slice text) {
    ASSERT(groups->count < GROUPS_LIMIT);
    if (groups->count == groups->capacity) {
        groups->capacity *= 2;
        groups->list = alloc_resize(groups->list, groups->capacity, sizeof *groups->list);
    }
    uint16_t number = (uint16_t)groups->count++;
    groups->list[number] = (struct group){.grouping = grouping,
                                          .kind = kind,
                                          .text = alloc_copy(text),
                                          .name = name_of(groups, grouping, kind, text),
                                          .hash = hash_of(grouping, kind, text)};
    if (kind == KIND_VALUE)
        groups->admitted[grouping]++;
    groups->text_bytes += text.size;
    groups->changed = true;
    if (groups->count * 2 > groups->slot_count)
        rehash(groups);
    else
        *slot_of(groups, groups->list[number].hash, grouping, kind, text) = number;
    return number;
}

void groups_init(struct groups *groups, const struct task_definition *definition,
                 size_t text_bytes_max) {
    *groups = (struct groups){
        .definition = definition, .count = 1, .capacity = 16, .text_bytes_max = text_bytes_max};
    groups->list = alloc_zero(groups->capacity, sizeof *groups->list);
    groups->list[GROUP_ALL] =
        (struct group){.text = alloc_copy(SLICE("")), .name = alloc_copy(SLICE("all"))};
    buffer_init(&groups->scratch, 1 << 20);
    rehash(groups);
}

void groups_release(struct groups *groups) {
    for (size_t i = 0; i < groups->count; i++) {
        free(groups->list[i].text);
        free(groups->list[i].name);
    }
    free(groups->list);
    free(groups->slots);
    buffer_release(&groups->scratch);
    *groups = (struct groups){0};
}

/* A value of a cross may hold the comma that separates columns: it is escaped, so that names stay
 * unique. */
static void append_text(struct buffer *out, struct slice text, bool is_cross) {
    size_t size = text.size < VALUE_BYTES_MAX ? text.size : VALUE_BYTES_MAX;
    for (size_t i = 0; i < size; i++) {
        char c = text.data[i] == '\0' ? ' ' : text.data[i];
        if (is_cross && (c == ',' || c == '\\'))
            buffer_append(out, "\\", 1);
        buffer_append(out, &c, 1);
    }
}

static bool append_value(struct buffer *out, const struct value *value, bool is_cross) {
    char number[32];
    switch (value->kind) {
    case VALUE_MISSING:
        return false;
    case VALUE_STRING:
        append_text(out, value->as.string, is_cross);
        return true;
    case VALUE_LONG:
        (void)snprintf(number, sizeof number, "%" PRId64, value->as.integer);
        break;
    case VALUE_DOUBLE:
        (void)snprintf(number, sizeof number, "%.15g", value->as.real);
        break;
    }
    buffer_append(out, number, strlen(number));
    return true;
}

static bool text_of(struct groups *groups, const struct grouping_definition *grouping,
                    const struct value *columns, struct slice *out_text) {
    bool is_cross = grouping->column_count > 1;
    if (!is_cross && columns[grouping->columns[0]].kind == VALUE_STRING &&
        columns[grouping->columns[0]].as.string.size <= VALUE_BYTES_MAX &&
        !memchr(columns[grouping->columns[0]].as.string.data, 0,
                columns[grouping->columns[0]].as.string.size)) {
        *out_text = columns[grouping->columns[0]].as.string;
        return true;
    }
    buffer_reset(&groups->scratch);
    for (int i = 0; i < grouping->column_count; i++) {
        if (i > 0)
            buffer_append(&groups->scratch, ",", 1);
        if (!append_value(&groups->scratch, &columns[grouping->columns[i]], is_cross))
            return false;
    }
    *out_text = buffer_slice(&groups->scratch);
    return true;
}

static uint16_t number_of(struct groups *groups, uint16_t grouping, uint16_t kind,
                          struct slice text) {
    uint16_t number = *slot_of(groups, hash_of(grouping, kind, text), grouping, kind, text);
    if (number != GROUP_ALL)
        return number;
    if (kind == KIND_VALUE && (groups->admitted[grouping] >= groups->definition->groups_max ||
                               groups->text_bytes + text.size > groups->text_bytes_max))
        return number_of(groups, grouping, KIND_OTHER, SLICE(""));
    return add(groups, grouping, kind, text);
}

void groups_of(struct groups *groups, const struct value *columns, uint16_t *out_numbers) {
    const struct task_definition *definition = groups->definition;
    for (int i = 0; i < definition->grouping_count; i++) {
        struct slice text = SLICE("");
        uint16_t kind =
            text_of(groups, &definition->groupings[i], columns, &text) ? KIND_VALUE : KIND_MISSING;
        out_numbers[i] =
            number_of(groups, (uint16_t)i, kind, kind == KIND_VALUE ? text : SLICE(""));
    }
}

const char *groups_name(const struct groups *groups, uint16_t number) {
    ASSERT(number < groups->count);
    return groups->list[number].name;
}

void groups_write(const struct groups *groups, struct buffer *out) {
    write_long(out, (int64_t)groups->count - 1);
    for (size_t i = 1; i < groups->count; i++) {
        write_long(out, groups->list[i].grouping);
        write_long(out, groups->list[i].kind);
        write_bytes(out, slice_from(groups->list[i].text));
    }
}

bool groups_read(struct groups *groups, struct reader *reader) {
    int64_t count = read_long(reader);
    if (count < 0 || count >= GROUPS_LIMIT || groups->count != 1)
        return false;
    for (int64_t i = 0; i < count && !reader->failed; i++) {
        int64_t grouping = read_long(reader), kind = read_long(reader);
        struct slice text = read_bytes(reader);
        if (reader->failed || grouping < 0 || grouping >= groups->definition->grouping_count ||
            kind < 0 || kind >= KINDS)
            return false;
        (void)add(groups, (uint16_t)grouping, (uint16_t)kind, text);
    }
    groups->changed = false;
    return !reader->failed;
}
