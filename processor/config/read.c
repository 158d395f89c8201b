/* SPDX-License-Identifier: Apache-2.0 */
#include "config/read.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 160 };

/* One walk over a mapping: the whole document, or one task. */
struct walk {
    struct reading *reading;
    struct task_definition *task; /* NULL: the document */
    const char *where;            /* "tasks[0]" or NULL */
    struct marks *marks;
    const struct node *tasks;
};

static const char *full_name(const struct walk *walk, const char *name, char scratch[NAME_BYTES]) {
    (void)snprintf(scratch, NAME_BYTES, "%s%s%.80s", walk->where ? walk->where : "",
                   walk->where ? "." : "", name);
    return scratch;
}

static void unknown_key(struct walk *walk, const char *name, int line) {
    const char *nearest = option_suggest(name, walk->task != NULL);
    if (nearest)
        problem_add(walk->reading->problems, line, walk->where,
                    "%.80s is not an option; did you mean %s?", name, nearest);
    else
        problem_add(walk->reading->problems, line, walk->where,
                    "%.80s is not an option (see `slipstream reference`)", name);
}

static void set_option(struct walk *walk, const struct option *option, const struct node *node) {
    char scratch[NAME_BYTES];
    const char *where = full_name(walk, option->name, scratch);
    int *mark = &walk->marks->lines[option - options];
    if (*mark > 0) {
        problem_add(walk->reading->problems, node->line, where, "is set twice, first on line %d",
                    *mark);
        return;
    }
    *mark = node->line;
    walk->marks->structures[option - options] = node;
    if (option->type == OPTION_STRUCTURE)
        return;
    if (node->kind != NODE_SCALAR)
        problem_add(walk->reading->problems, node->line, where, "must be %s, not a %s",
                    option_type_text(option->type),
                    node->kind == NODE_SEQUENCE ? "list" : "mapping");
    else
        option_set(walk->reading, option, walk->task, node->text, where, node->line);
}

static void walk_mapping(struct walk *walk, const struct node *node, const char *prefix) {
    char name[NAME_BYTES];
    for (int i = 0; i < node->count; i++) {
        const struct node *item = node->items[i];
        (void)snprintf(name, sizeof name, "%s%s%.60s", prefix, *prefix ? "." : "", node->keys[i]);
        bool is_task = walk->task != NULL;
        const struct option *option = option_find(name, is_task);
        if (option && !(item->kind == NODE_MAPPING && option_has_section(name, is_task) &&
                        option->type != OPTION_STRUCTURE))
            set_option(walk, option, item);
        else if (!is_task && strcmp(name, "tasks") == 0 && item->kind == NODE_SEQUENCE)
            walk->tasks = item;
        else if (!is_task && strcmp(name, "kafka") == 0)
            read_kafka(walk->reading, "", item);
        else if (!is_task && strncmp(name, "kafka.", 6) == 0)
            read_kafka(walk->reading, name + 6, item);
        else if (item->kind == NODE_MAPPING && option_has_section(name, is_task))
            walk_mapping(walk, item, name);
        else
            unknown_key(walk, name, node->key_lines[i]);
    }
}

/* SLIPSTREAM_COMMIT_INTERVAL for commit.interval. */
static const char *environment_name(const char *option, char scratch[NAME_BYTES]) {
    int size = snprintf(scratch, NAME_BYTES, "SLIPSTREAM_%s", option);
    for (int i = 0; i < size; i++)
        scratch[i] =
            isalnum((unsigned char)scratch[i]) ? (char)toupper((unsigned char)scratch[i]) : '_';
    return scratch;
}

static void read_environment(struct walk *walk) {
    char name[NAME_BYTES];
    for (size_t i = 0; i < options_count; i++) {
        if (options[i].scope == OPTION_TASK)
            continue;
        const char *text = getenv(environment_name(options[i].name, name));
        if (!text)
            continue;
        walk->marks->lines[i] = -1;
        option_set(walk->reading, &options[i], NULL, text, name, 0);
    }
}

static void set_default(struct walk *walk, const struct option *option) {
    char scratch[NAME_BYTES];
    if (option->default_text)
        option_set(walk->reading, option, walk->task, option->default_text,
                   full_name(walk, option->name, scratch), 0);
}

static void require(struct walk *walk, const struct option *option, int line) {
    char scratch[NAME_BYTES];
    if (!option->default_text)
        problem_add(walk->reading->problems, line, full_name(walk, option->name, scratch),
                    "is missing: %s", option->text);
}

/* Columns are numbered as they come, so defaults must not add what the file replaces: first "none"
 * everywhere, then the file, then the defaults of what is left. */
static bool is_column(const struct option *option) {
    return option->type >= OPTION_PREDICTION_COLUMN && option->type <= OPTION_FEEDBACK_TIME;
}

static void read_scope(struct walk *walk, const struct node *node) {
    bool is_task = walk->task != NULL;
    for (size_t i = 0; i < options_count; i++) {
        if ((options[i].scope == OPTION_TASK) != is_task)
            continue;
        if (is_column(&options[i]))
            *(int *)option_field(&options[i], walk->reading->config, walk->task) = -1;
        else
            set_default(walk, &options[i]);
    }
    walk_mapping(walk, node, "");
    if (!is_task)
        read_environment(walk);
    for (size_t i = 0; i < options_count; i++) {
        if ((options[i].scope == OPTION_TASK) != is_task || walk->marks->lines[i] != 0)
            continue;
        if (is_column(&options[i]))
            set_default(walk, &options[i]);
        require(walk, &options[i], node->line);
    }
}

const struct node *read_application(struct reading *reading, const struct node *root) {
    struct marks marks = {{0}, {0}};
    struct walk walk = {.reading = reading, .marks = &marks};
    read_scope(&walk, root);
    read_kafka_environment(reading);
    if (!walk.tasks || walk.tasks->count == 0)
        problem_add(reading->problems, 0, "tasks",
                    "is missing: a list of at least one task (name, horizon, windows, ...)");
    return walk.tasks;
}

void read_task_options(struct reading *reading, const struct node *node, const char *where,
                       struct task_definition *task, struct marks *out_marks) {
    struct walk walk = {.reading = reading, .task = task, .where = where, .marks = out_marks};
    read_scope(&walk, node);
}

const struct node *marks_structure(const struct marks *marks, const char *name) {
    const struct option *option = option_find(name, true);
    ASSERT(option != NULL);
    return marks->structures[option - options];
}

int marks_line(const struct marks *marks, const char *name) {
    const struct option *option = option_find(name, true);
    ASSERT(option != NULL);
    int line = marks->lines[option - options];
    return line > 0 ? line : 0;
}
