/* read.h -- from the document's tree to the options' fields: nested and dotted keys, environment,
 * defaults.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_CONFIG_READ_H
#define SLIPSTREAM_CONFIG_READ_H

#include "config/document.h"
#include "config/options.h"

/* What was set, by index into options. */
struct marks {
    int lines[OPTIONS_MAX]; /* 0: not set; -1: by the environment */
    const struct node *structures[OPTIONS_MAX];
};

/* `commit: {interval: 1s}` and `commit.interval: 1s` are the same.  Reads everything but the tasks,
 * whose node is returned (NULL: none, and a problem). */
const struct node *read_application(struct reading *reading, const struct node *root);
/* One item of tasks; where is "tasks[0]". */
void read_task_options(struct reading *reading, const struct node *node, const char *where,
                       struct task_definition *task, struct marks *out_marks);
/* The node of a structured option of the task; NULL when not set. */
const struct node *marks_structure(const struct marks *marks, const char *name);
int marks_line(const struct marks *marks, const char *name); /* 0 when not set in the file */

/* The section kafka (name "") or one item of it ("sasl.username"): appends to config.kafka; refuses
 * what kafka_denied.def lists. */
void read_kafka(struct reading *reading, const char *name, const struct node *node);
void read_kafka_environment(struct reading *reading);
/* The text of a file without its last newline, with a zero behind it; a problem when it cannot be
 * read. */
bool read_secret(struct reading *reading, const char *path, const char *where, int line,
                 struct slice *out_secret);
/* NULL: allowed; else why not. */
const char *kafka_denied_reason(const char *key);
bool kafka_is_secret(const char *key);

/* Windows, groups, metrics, classes of a task, and what follows from them (pane, segment). */
void read_windows(struct reading *reading, const struct node *node, const char *where,
                  struct task_definition *task);
void read_pane(struct reading *reading, const struct node *node, const char *where, int line,
               struct task_definition *task);
void read_groups(struct reading *reading, const struct node *node, const char *where,
                 struct task_definition *task);
void read_metrics(struct reading *reading, const struct node *node, const char *where, int line,
                  struct task_definition *task);

/* The definition's canonical text and its fingerprint. */
void canonical_set(struct reading *reading, struct task_definition *task);

/* Problem "must be a list" unless node is one (a lone item counts as a list of one: count 1). */
int list_count(const struct node *node);
const struct node *list_item(const struct node *node, int index);
/* Problems for the keys of a mapping that are not among allowed (NULL-terminated). */
void refuse_other_keys(struct reading *reading, const struct node *node, const char *where,
                       const char *const *allowed);
/* Text of the scalar under key; NULL when absent; a problem when it is not a scalar. */
const char *scalar_at(struct reading *reading, const struct node *node, const char *key,
                      const char *where);

#endif
