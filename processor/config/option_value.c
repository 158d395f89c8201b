/* option_value.c -- one option's value from text and to text.  SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/options.h"
#include "config/quantity.h"

static void store_integer(void *field, size_t size, int64_t value) {
    int32_t narrow = (int32_t)value;
    memcpy(field, size == sizeof narrow ? (const void *)&narrow : (const void *)&value, size);
}

static int64_t load_integer(const void *field, size_t size) {
    int64_t wide = 0;
    int32_t narrow = 0;
    memcpy(size == sizeof narrow ? (void *)&narrow : (void *)&wide, field, size);
    return size == sizeof narrow ? narrow : wide;
}

static bool parse_integer(enum option_type type, const char *text, int64_t *out_value) {
    if (type == OPTION_DURATION)
        return parse_duration(text, out_value);
    if (type == OPTION_SIZE)
        return parse_size(text, out_value);
    return type == OPTION_TIME ? parse_time(text, out_value) : parse_count(text, out_value);
}

static void set_integer(struct reading *reading, const struct option *option, void *field,
                        const char *text, const char *where, int line) {
    int64_t value = 0, least = 0, most = INT64_MAX;
    if (!parse_integer(option->type, text, &value)) {
        problem_add(reading->problems, line, where, "%.80s is not %s", text,
                    option_type_text(option->type));
        return;
    }
    if ((option->least && parse_integer(option->type, option->least, &least) && value < least) ||
        (option->most && parse_integer(option->type, option->most, &most) && value > most)) {
        problem_add(reading->problems, line, where, "%.80s is outside %s to %s", text,
                    option->least, option->most);
        return;
    }
    store_integer(field, option->size, value);
}

static void set_number(struct reading *reading, const struct option *option, double *field,
                       const char *text, const char *where, int line) {
    double value = 0, least = 0, most = 0;
    if (!parse_number(text, &value))
        problem_add(reading->problems, line, where, "%.80s is not a number", text);
    else if (!parse_number(option->least, &least) || !parse_number(option->most, &most) ||
             value < least || value > most)
        problem_add(reading->problems, line, where, "%.80s is outside %s to %s", text,
                    option->least, option->most);
    else
        *field = value;
}

/* The word at index in "a|b|c"; empty past the last. */
static struct slice word_at(const char *words, int index) {
    for (; index > 0 && *words; index--) {
        words += strcspn(words, "|");
        words += *words == '|';
    }
    return (struct slice){words, strcspn(words, "|")};
}

static void set_choice(struct reading *reading, const struct option *option, void *field,
                       const char *text, const char *where, int line) {
    for (int i = 0; word_at(option->least, i).size > 0; i++)
        if (slice_equal(word_at(option->least, i), slice_from(text))) {
            store_integer(field, option->size, i);
            return;
        }
    problem_add(reading->problems, line, where, "%.80s is none of %s", text, option->least);
}

static void set_text(struct reading *reading, const struct option *option, void *field,
                     const char *text, const char *where, int line) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (option->type == OPTION_NAME &&
        (!*text || strlen(text) > 60 || strspn(text, allowed) != strlen(text))) {
        problem_add(reading->problems, line, where, "%.80s is not %s", text,
                    option_type_text(OPTION_NAME));
        return;
    }
    if (!*text) {
        problem_add(reading->problems, line, where, "is empty (write a text, or none)");
        return;
    }
    const char *copy = strcmp(text, "none") == 0 ? NULL : arena_text(reading->arena, text);
    if (option->type == OPTION_SLICE) {
        struct slice slice = slice_from(copy);
        memcpy(field, &slice, sizeof slice);
    } else {
        memcpy(field, &copy, sizeof copy);
    }
}

static bool is_time(enum option_type type) {
    return type == OPTION_PREDICTION_TIME || type == OPTION_FEEDBACK_TIME;
}

static bool is_prediction(enum option_type type) {
    return type == OPTION_PREDICTION_COLUMN || type == OPTION_PREDICTION_TIME;
}

static void set_column(struct reading *reading, const struct option *option, int *field,
                       const char *text, const char *where, int line) {
    struct topic_definition *topic =
        is_prediction(option->type) ? &reading->config->predictions : &reading->config->feedback;
    *field = strcmp(text, "none") == 0
                 ? -1
                 : column_add(reading, topic, text, is_time(option->type), where, line);
}

void option_set(struct reading *reading, const struct option *option, struct task_definition *task,
                const char *text, const char *where, int line) {
    void *field = option_field(option, reading->config, task);
    switch (option->type) {
    case OPTION_NAME:
    case OPTION_TEXT:
    case OPTION_SLICE:
        set_text(reading, option, field, text, where, line);
        return;
    case OPTION_DURATION:
    case OPTION_SIZE:
    case OPTION_COUNT:
    case OPTION_TIME:
        set_integer(reading, option, field, text, where, line);
        return;
    case OPTION_CHOICE:
        set_choice(reading, option, field, text, where, line);
        return;
    case OPTION_NUMBER:
        set_number(reading, option, field, text, where, line);
        return;
    case OPTION_PREDICTION_COLUMN:
    case OPTION_PREDICTION_TIME:
    case OPTION_FEEDBACK_COLUMN:
    case OPTION_FEEDBACK_TIME:
        set_column(reading, option, field, text, where, line);
        return;
    case OPTION_STRUCTURE:
        return;
    }
}

static const char *column_text(const struct option *option, const struct config *config,
                               const int *field) {
    const struct topic_definition *topic =
        is_prediction(option->type) ? &config->predictions : &config->feedback;
    return *field < 0 ? "none" : topic->columns[*field].path;
}

static const char *integer_text(const struct option *option, const void *field, char scratch[64]) {
    int64_t value = load_integer(field, option->size);
    if (option->type == OPTION_DURATION)
        return format_duration(scratch, value);
    if (option->type == OPTION_SIZE)
        return format_size(scratch, value);
    if (option->type == OPTION_TIME)
        return format_time(scratch, value);
    (void)snprintf(scratch, 64, "%" PRId64, value);
    return scratch;
}

static const char *choice_text(const struct option *option, const void *field, char scratch[64]) {
    struct slice word = word_at(option->least, (int)load_integer(field, option->size));
    (void)snprintf(scratch, 64, "%.*s", (int)word.size, word.data);
    return scratch;
}

const char *option_text(const struct option *option, const struct config *config,
                        const struct task_definition *task, char scratch[64]) {
    const void *field = option_field(option, config, task);
    const char *text = NULL;
    switch (option->type) {
    case OPTION_NAME:
    case OPTION_TEXT:
        memcpy(&text, field, sizeof text);
        return text ? text : "none";
    case OPTION_SLICE:
        text = ((const struct slice *)field)->data;
        return text && *text ? text : "none";
    case OPTION_DURATION:
    case OPTION_SIZE:
    case OPTION_COUNT:
    case OPTION_TIME:
        return integer_text(option, field, scratch);
    case OPTION_CHOICE:
        return choice_text(option, field, scratch);
    case OPTION_NUMBER:
        return format_number(scratch, *(const double *)field);
    case OPTION_PREDICTION_COLUMN:
    case OPTION_PREDICTION_TIME:
    case OPTION_FEEDBACK_COLUMN:
    case OPTION_FEEDBACK_TIME:
        return column_text(option, config, field);
    case OPTION_STRUCTURE:
        break;
    }
    return "none";
}

/* $ and then one or more of .name and [digits]. */
static bool is_path(const char *text) {
    static const char stops[] = ".[]";
    if (*text++ != '$' || !*text)
        return false;
    while (*text) {
        bool is_item = *text == '[';
        if (!is_item && *text != '.')
            return false;
        size_t size = is_item ? strspn(++text, "0123456789") : strcspn(++text, stops);
        if (size == 0 || (is_item && (size > 6 || text[size] != ']')))
            return false;
        text += size + is_item;
    }
    return true;
}

int column_add(struct reading *reading, struct topic_definition *topic, const char *path,
               bool is_time_column, const char *where, int line) {
    if (!is_path(path)) {
        problem_add(reading->problems, line, where, "%.80s is not %s", path,
                    option_type_text(OPTION_PREDICTION_COLUMN));
        return -1;
    }
    for (int i = 0; i < topic->column_count; i++)
        if (topic->columns[i].is_time == is_time_column &&
            strcmp(topic->columns[i].path, path) == 0)
            return i;
    if (topic->column_count == COLUMNS_MAX) {
        problem_add(reading->problems, line, where, "more than %d different paths of one topic",
                    (int)COLUMNS_MAX);
        return -1;
    }
    topic->columns[topic->column_count] = (struct column_definition){
        .path = arena_text(reading->arena, path), .is_time = is_time_column};
    return topic->column_count++;
}
