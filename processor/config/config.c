/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/read.h"

enum { TASKS_MAX = 32, NAME_BYTES = 120, CLASS_BYTES_MAX = 200 };

/* The configuration and what it points into; config stands first, so that one pointer is both. */
struct owned_config {
    struct config config;
    struct arena arena;
};

static void read_classes(struct reading *reading, const struct node *node, const char *where,
                         int line, struct task_definition *task) {
    bool is_wanted = task->kind == TASK_MULTICLASS;
    int count = node ? list_count(node) : 0;
    if (is_wanted != (node != NULL) || (is_wanted && (count < 2 || count > CLASSES_MAX))) {
        problem_add(reading->problems, line, where,
                    "a multiclass task, and no other, needs a list of 2 to %d classes",
                    (int)CLASSES_MAX);
        return;
    }
    for (int i = 0; i < count; i++) {
        const struct node *item = list_item(node, i);
        if (item->kind != NODE_SCALAR || !*item->text || strlen(item->text) > CLASS_BYTES_MAX) {
            problem_add(reading->problems, item->line, where, "a class is text of 1 to %d bytes",
                        (int)CLASS_BYTES_MAX);
            return;
        }
        for (int k = 0; k < task->class_count; k++)
            if (strcmp(task->classes[k], item->text) == 0)
                problem_add(reading->problems, item->line, where, "%.60s is listed twice",
                            item->text);
        task->classes[task->class_count++] = arena_text(reading->arena, item->text);
    }
}

/* Which column a task reads follows from its kind. */
static void check_columns(struct reading *reading, const char *where, int line,
                          struct task_definition *task) {
    static const char *const outputs[] = {"", "$.output.class", "$.output.value"};
    bool is_binary = task->kind == TASK_BINARY;
    int *wanted = is_binary ? &task->score_column : &task->output_column;
    int other = is_binary ? task->output_column : task->score_column;
    if (other >= 0)
        problem_add(reading->problems, line, where, "%s",
                    is_binary ? "a binary task reads score, not output"
                              : "only a binary task reads score; this kind reads output");
    if (*wanted < 0)
        *wanted =
            column_add(reading, &reading->config->predictions,
                       is_binary ? "$.output.score" : outputs[task->kind], false, where, line);
    if (task->positive_label && !is_binary)
        problem_add(reading->problems, line, where, "positive is for binary tasks");
    if ((task->where_column >= 0) != (task->where_value.size > 0) ||
        (task->feedback_where_column >= 0) != (task->feedback_where_value.size > 0))
        problem_add(reading->problems, line, where,
                    "where needs both column and equals (where: {column: $.model, equals: fraud})");
}

static void read_task(struct reading *reading, const struct node *node, int index,
                      struct task_definition *task) {
    char where[NAME_BYTES], name[NAME_BYTES];
    (void)snprintf(where, sizeof where, "tasks[%d]", index);
    if (node->kind != NODE_MAPPING) {
        problem_add(reading->problems, node->line, where, "must be a mapping (name, horizon, ...)");
        return;
    }
    struct marks marks = {{0}, {0}};
    size_t problems = reading->problems->count;
    read_task_options(reading, node, where, task, &marks);
    (void)snprintf(name, sizeof name, "tasks[%d].classes", index);
    read_classes(reading, marks_structure(&marks, "classes"), name, node->line, task);
    check_columns(reading, where, node->line, task);
    (void)snprintf(name, sizeof name, "tasks[%d].windows", index);
    if (marks_structure(&marks, "windows"))
        read_windows(reading, marks_structure(&marks, "windows"), name, task);
    (void)snprintf(name, sizeof name, "tasks[%d].pane", index);
    int line = marks_line(&marks, "pane");
    if (reading->problems->count == problems)
        read_pane(reading, marks_structure(&marks, "pane"), name, line ? line : node->line, task);
    (void)snprintf(name, sizeof name, "tasks[%d].groups", index);
    if (marks_structure(&marks, "groups"))
        read_groups(reading, marks_structure(&marks, "groups"), name, task);
    (void)snprintf(name, sizeof name, "tasks[%d].metrics", index);
    read_metrics(reading, marks_structure(&marks, "metrics"), name, node->line, task);
}

static void read_tasks(struct reading *reading, const struct node *tasks) {
    struct config *config = reading->config;
    if (tasks->count > TASKS_MAX) {
        problem_add(reading->problems, tasks->line, "tasks", "more than %d tasks", (int)TASKS_MAX);
        return;
    }
    size_t bytes = (size_t)tasks->count * sizeof *config->tasks;
    config->tasks = arena_take(reading->arena, bytes);
    memset(config->tasks, 0, bytes);
    config->task_count = tasks->count;
    for (int i = 0; i < tasks->count; i++) {
        struct task_definition *task = &config->tasks[i];
        read_task(reading, tasks->items[i], i, task);
        for (int k = 0; k < i && task->name; k++)
            if (config->tasks[k].name && strcmp(config->tasks[k].name, task->name) == 0)
                problem_add(reading->problems, tasks->items[i]->line, "tasks",
                            "two tasks are named %s", task->name);
    }
}

static void set_topic(struct reading *reading, const char **topic, const char *suffix) {
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof name, "%s.%s", reading->config->application, suffix);
    if (!*topic)
        *topic = arena_text(reading->arena, name);
}

static void set_topics(struct reading *reading) {
    struct config *config = reading->config;
    set_topic(reading, &config->slis_topic, "slis");
    set_topic(reading, &config->dead_letters_topic, "dead-letters");
    set_topic(reading, &config->partials_topic, "partials");
    set_topic(reading, &config->checkpoints_topic, "checkpoints");
    set_topic(reading, &config->state_topic, "state");
    set_topic(reading, &config->tasks_topic, "tasks");
}

static void check_topic_names(struct reading *reading) {
    const struct config *config = reading->config;
    const char *names[] = {config->predictions.topic, config->feedback.topic,
                           config->slis_topic,        config->dead_letters_topic,
                           config->partials_topic,    config->checkpoints_topic,
                           config->state_topic,       config->tasks_topic};
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!names[i] || strlen(names[i]) > 249 || strspn(names[i], allowed) != strlen(names[i]))
            problem_add(reading->problems, 0, NULL, "%.80s is not a name of a topic",
                        names[i] ? names[i] : "none");
        for (size_t k = 0; k < i; k++)
            if (names[i] && names[k] && strcmp(names[i], names[k]) == 0)
                problem_add(reading->problems, 0, NULL, "topic %s has two roles: name them apart",
                            names[i]);
    }
}

static void check_input(struct reading *reading, const char *where,
                        const struct topic_definition *topic, bool is_avro) {
    if (is_avro != (topic->schema_file != NULL))
        problem_add(reading->problems, 0, where,
                    "format avro, and no other, needs the writer schema's file (schema: ...)");
    if (topic->id_column < 0 || topic->time_column < 0)
        problem_add(reading->problems, 0, where, "id and time must each name a path");
}

const char *config_brokers(const struct config *config) {
    for (int i = 0; i < config->kafka_count; i++)
        if (strcmp(config->kafka[i].key, "bootstrap.servers") == 0 ||
            strcmp(config->kafka[i].key, "metadata.broker.list") == 0)
            return config->kafka[i].value;
    return NULL;
}

static void read_state_key(struct reading *reading) {
    enum { BYTES_MIN = 16 };
    struct config *config = reading->config;
    if (config->state_key_file &&
        read_secret(reading, config->state_key_file, "state.key.file", 0, &config->state_key) &&
        config->state_key.size < BYTES_MIN)
        problem_add(reading->problems, 0, "state.key.file",
                    "%s holds less than %d bytes (head -c 32 /dev/urandom | base64)",
                    config->state_key_file, (int)BYTES_MIN);
}

/* Rules that join several options; only when each of them is good by itself. */
static void check_together(struct reading *reading) {
    enum { AVRO = 1 };
    struct config *config = reading->config;
    set_topics(reading);
    check_topic_names(reading);
    check_input(reading, "predictions", &config->predictions, config->predictions.format == AVRO);
    check_input(reading, "feedback", &config->feedback, config->feedback.format == AVRO);
    if (!config_brokers(config))
        problem_add(reading->problems, 0, "kafka",
                    "bootstrap.servers is missing (kafka: {bootstrap.servers: \"host:9092\"})");
    read_state_key(reading);
    if (config->idle_advance == IDLE_NONE)
        config->idle_timeout_ms = 0;
    if (!config->state_directory || !config->schema_directory)
        problem_add(reading->problems, 0, NULL, "state.directory and schemas.directory are needed");
}

static struct topic_definition empty_topic(struct arena *arena) {
    struct topic_definition topic = {.columns =
                                         arena_take(arena, COLUMNS_MAX * sizeof *topic.columns)};
    return topic;
}

static void read_root(struct reading *reading, const struct node *root) {
    if (root->kind != NODE_MAPPING) {
        problem_add(reading->problems, root->line, NULL, "must be a mapping (application: ...)");
        return;
    }
    const struct node *tasks = read_application(reading, root);
    if (tasks)
        read_tasks(reading, tasks);
    if (reading->problems->count == 0)
        check_together(reading);
    for (int i = 0; i < reading->config->task_count && reading->problems->count == 0; i++)
        canonical_set(reading, &reading->config->tasks[i]);
}

static struct owned_config *owned_create(void) {
    struct owned_config *owned = alloc_zero(1, sizeof *owned);
    arena_init(&owned->arena);
    owned->config.predictions = empty_topic(&owned->arena);
    owned->config.feedback = empty_topic(&owned->arena);
    return owned;
}

static enum status finish(struct owned_config *owned, const struct problems *problems,
                          struct config **out_config) {
    if (problems->count > 0) {
        config_destroy(&owned->config);
        return STATUS_CONFIG;
    }
    *out_config = &owned->config;
    return STATUS_OK;
}

enum status config_parse(const char *name, struct slice text, struct config **out_config,
                         struct problems *problems) {
    struct owned_config *owned = owned_create();
    struct reading reading = {&owned->config, &owned->arena, problems};
    struct node *root = NULL;
    struct error err = {0};
    problems->file = name;
    if (document_parse(text, &owned->arena, &root, &err) == STATUS_OK)
        read_root(&reading, root);
    else
        problem_add(problems, 0, NULL, "%s", err.text);
    return finish(owned, problems, out_config);
}

enum status config_read(const char *path, struct config **out_config, struct problems *problems) {
    struct owned_config *owned = owned_create();
    struct reading reading = {&owned->config, &owned->arena, problems};
    struct node *root = NULL;
    struct error err = {0};
    problems->file = path;
    if (document_load(path, &owned->arena, &root, &err) == STATUS_OK)
        read_root(&reading, root);
    else
        problem_add(problems, 0, NULL, "%s", err.text);
    return finish(owned, problems, out_config);
}

enum status config_load(const char *path, struct config **out_config, struct error *err) {
    struct problems problems;
    problems_init(&problems, path);
    enum status status = config_read(path, out_config, &problems);
    struct slice first = problems_first(&problems);
    if (problems.count > 1)
        (void)error_set(err, status, "%.*s (and %zu more: slipstream check %.100s)",
                        first.size < 300 ? (int)first.size : 300, first.data, problems.count - 1,
                        path);
    else if (problems.count == 1)
        (void)error_set(err, status, "%.*s", (int)first.size, first.data);
    problems_release(&problems);
    return status;
}

void config_destroy(struct config *config) {
    if (!config)
        return;
    struct owned_config *owned = (struct owned_config *)config;
    arena_release(&owned->arena);
    free(owned);
}
