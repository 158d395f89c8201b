/* SPDX-License-Identifier: Apache-2.0 */
#include "config/options.h"

#include <stdio.h>
#include <string.h>

#include "base/attributes.h"
#include "base/error.h"

#define SCOPE_APPLICATION struct config
#define SCOPE_PREDICTIONS struct topic_definition
#define SCOPE_FEEDBACK struct topic_definition
#define SCOPE_TASK struct task_definition

const struct option options[] = {
#define OPTION(scope_, type_, field_, name_, default_, least_, most_, text_)                       \
    {.scope = OPTION_##scope_,                                                                     \
     .type = OPTION_##type_,                                                                       \
     .name = (name_),                                                                              \
     .default_text = (default_),                                                                   \
     .least = (least_),                                                                            \
     .most = (most_),                                                                              \
     .text = (text_),                                                                              \
     .offset = offsetof(SCOPE_##scope_, field_),                                                   \
     .size = sizeof(((SCOPE_##scope_ *)NULL)->field_)},
#include "config/options.def"
#undef OPTION
};
const size_t options_count = COUNT_OF(options);
_Static_assert(COUNT_OF(options) <= OPTIONS_MAX, "raise OPTIONS_MAX");

static bool in_class(const struct option *option, bool is_task) {
    return (option->scope == OPTION_TASK) == is_task;
}

const struct option *option_find(const char *name, bool is_task) {
    for (size_t i = 0; i < options_count; i++)
        if (in_class(&options[i], is_task) && strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

bool option_has_section(const char *section, bool is_task) {
    size_t size = strlen(section);
    for (size_t i = 0; i < options_count; i++)
        if (in_class(&options[i], is_task) && strncmp(options[i].name, section, size) == 0 &&
            options[i].name[size] == '.')
            return true;
    return false;
}

size_t edit_distance(const char *a, const char *b) {
    enum { LIMIT = 64, FAR = 99 };
    size_t a_size = strlen(a), b_size = strlen(b), row[LIMIT];
    if (a_size >= LIMIT || b_size >= LIMIT)
        return FAR;
    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t above = row[j], best = diagonal + (a[i - 1] != b[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[b_size];
}

const char *option_suggest(const char *name, bool is_task) {
    const char *nearest = NULL;
    size_t least = strlen(name) < 6 ? 2 : 3;
    for (size_t i = 0; i < options_count; i++) {
        size_t distance =
            in_class(&options[i], is_task) ? edit_distance(name, options[i].name) : least + 1;
        if (distance < least || (distance == least && !nearest)) {
            least = distance;
            nearest = options[i].name;
        }
    }
    return nearest;
}

static const void *scope_base(const struct option *option, const struct config *config,
                              const struct task_definition *task) {
    switch (option->scope) {
    case OPTION_PREDICTIONS:
        return &config->predictions;
    case OPTION_FEEDBACK:
        return &config->feedback;
    case OPTION_TASK:
        return task;
    case OPTION_APPLICATION:
        break;
    }
    return config;
}

/* The configuration is const for all but its reader, who made it. */
void *option_field(const struct option *option, const struct config *config,
                   const struct task_definition *task) {
    union {
        const void *seen;
        void *made;
    } base = {.seen = scope_base(option, config, task)};
    return (char *)base.made + option->offset;
}

const char *option_type_text(enum option_type type) {
    static const char *const texts[] = {
        [OPTION_NAME] = "a name (letters, digits, . _ -, at most 60)",
        [OPTION_TEXT] = "text",
        [OPTION_SLICE] = "text",
        [OPTION_DURATION] = "a duration (write 250ms, 10s, 5m, 24h or 7d)",
        [OPTION_SIZE] = "a size (write 512B, 64kB, 64MB or 1GB)",
        [OPTION_COUNT] = "a whole number",
        [OPTION_TIME] = "a time (write 2020-01-31 or 2020-01-31T10:00:00Z)",
        [OPTION_CHOICE] = "one of the words",
        [OPTION_NUMBER] = "a number",
        [OPTION_PREDICTION_COLUMN] = "a path (write $.name, $.a.b or $.a[0])",
        [OPTION_PREDICTION_TIME] = "a path (write $.name, $.a.b or $.a[0])",
        [OPTION_FEEDBACK_COLUMN] = "a path (write $.name, $.a.b or $.a[0])",
        [OPTION_FEEDBACK_TIME] = "a path (write $.name, $.a.b or $.a[0])",
        [OPTION_STRUCTURE] = "a list or mapping",
    };
    return texts[type];
}

char *arena_text(struct arena *arena, const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = arena_take(arena, size);
    memcpy(copy, text, size);
    return copy;
}
