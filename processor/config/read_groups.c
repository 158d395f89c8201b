/* read_groups.c -- how a task cuts its predictions into groups, and which metrics it wants.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "config/quantity.h"
#include "config/read.h"
#include "metrics/metric.h"

enum { NAME_BYTES = 160, BETA_MAX = 1000 };

static bool add_group_column(struct reading *reading, const struct node *node, const char *where,
                             struct grouping_definition *grouping) {
    if (node->kind != NODE_SCALAR || grouping->column_count == GROUPING_COLUMNS_MAX) {
        problem_add(reading->problems, node->line, where, "must be a path or a list of 1 to %d",
                    (int)GROUPING_COLUMNS_MAX);
        return false;
    }
    int column =
        column_add(reading, &reading->config->predictions, node->text, false, where, node->line);
    grouping->columns[grouping->column_count] = column;
    grouping->column_count += column >= 0;
    return column >= 0;
}

/* "zone" for $.zone and $.groups.zone: what follows the last dot. */
static const char *last_step(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path + 1;
}

static const char *default_name(struct reading *reading,
                                const struct grouping_definition *grouping) {
    char name[NAME_BYTES] = "";
    size_t used = 0;
    for (int i = 0; i < grouping->column_count && used < sizeof name; i++) {
        const char *path = reading->config->predictions.columns[grouping->columns[i]].path;
        int more =
            snprintf(name + used, sizeof name - used, "%s%.48s", i ? "," : "", last_step(path));
        used += more > 0 ? (size_t)more : 0;
    }
    return arena_text(reading->arena, name);
}

static void read_grouping(struct reading *reading, const struct node *node, const char *where,
                          struct task_definition *task) {
    static const char *const allowed[] = {"name", "columns", NULL};
    struct grouping_definition grouping = {.name = NULL};
    const struct node *columns = node;
    if (node->kind == NODE_MAPPING) {
        refuse_other_keys(reading, node, where, allowed);
        const char *name = scalar_at(reading, node, "name", where);
        grouping.name = name ? arena_text(reading->arena, name) : NULL;
        columns = node_get(node, "columns");
    }
    if (!columns || list_count(columns) == 0) {
        problem_add(reading->problems, node->line, where,
                    "names no column (write $.zone, [$.zone, $.vendor] or {name: region, columns: "
                    "[$.region]})");
        return;
    }
    for (int i = 0; i < list_count(columns); i++)
        if (!add_group_column(reading, list_item(columns, i), where, &grouping))
            return;
    if (!grouping.name)
        grouping.name = default_name(reading, &grouping);
    for (int i = 0; i < task->grouping_count; i++)
        if (strcmp(task->groupings[i].name, grouping.name) == 0) {
            problem_add(reading->problems, node->line, where, "%.60s is declared twice",
                        grouping.name);
            return;
        }
    task->groupings[task->grouping_count++] = grouping;
}

void read_groups(struct reading *reading, const struct node *node, const char *where,
                 struct task_definition *task) {
    if (list_count(node) > GROUPINGS_MAX) {
        problem_add(reading->problems, node->line, where, "more than %d groupings",
                    (int)GROUPINGS_MAX);
        return;
    }
    for (int i = 0; i < list_count(node); i++) {
        char item[NAME_BYTES];
        (void)snprintf(item, sizeof item, "%.100s[%d]", where, i);
        read_grouping(reading, list_item(node, i), item, task);
    }
}

static bool is_fbeta(const struct metric *metric) {
    return strcmp(metric->name, "fbeta") == 0;
}

/* "precision" as it is, "f2" for fbeta with 2, "lag_0.9" for others with a parameter. */
static const char *published_name(struct reading *reading, const struct metric *metric,
                                  double parameter) {
    char name[NAME_BYTES], number[QUANTITY_BYTES];
    bool is_f = is_fbeta(metric);
    if (!is_f && parameter == metric->parameter)
        return metric->name;
    (void)snprintf(name, sizeof name, "%s%s%s", is_f ? "f" : metric->name, is_f ? "" : "_",
                   format_number(number, parameter));
    return arena_text(reading->arena, name);
}

static void add_metric(struct reading *reading, const struct metric_use *use, int line,
                       const char *where, struct task_definition *task) {
    uint32_t sums = use->metric->sum_count;
    for (int i = 0; i < task->metric_count; i++) {
        sums += task->metrics[i].metric->sum_count;
        if (strcmp(task->metrics[i].name, use->name) == 0) {
            problem_add(reading->problems, line, where, "%s is listed twice", use->name);
            return;
        }
    }
    if (task->metric_count == METRICS_MAX || sums > SUMS_MAX) {
        problem_add(reading->problems, line, where,
                    "too many metrics in one task (at most %d, "
                    "and %d sums)",
                    (int)METRICS_MAX, (int)SUMS_MAX);
        return;
    }
    task->metrics[task->metric_count++] = *use;
}

static const struct metric *metric_named(struct reading *reading, const char *name, int line,
                                         const char *where, enum task_kind kind) {
    static const char *const kinds[] = {"binary", "multiclass", "regression"};
    const struct metric *metric = metric_find(slice_from(name));
    if (!metric) {
        const char *nearest = NULL;
        size_t least = 4;
        for (size_t i = 0; i < metrics_count; i++)
            if (edit_distance(name, metrics[i]->name) < least) {
                least = edit_distance(name, metrics[i]->name);
                nearest = metrics[i]->name;
            }
        problem_add(reading->problems, line, where, "%.60s is not a metric%s%s%s", name,
                    nearest ? "; did you mean " : " (see `slipstream reference`)",
                    nearest ? nearest : "", nearest ? "?" : "");
        return NULL;
    }
    if (metric->kinds & (1U << kind))
        return metric;
    problem_add(reading->problems, line, where, "%s is not for %s tasks", name, kinds[kind]);
    return NULL;
}

static void set_parameter(struct reading *reading, const struct node *value, const char *where,
                          const char *key, struct metric_use *use) {
    double most = is_fbeta(use->metric) ? (double)BETA_MAX : 1; /* others: a quantile */
    if (use->metric->parameter == 0)
        problem_add(reading->problems, value->line, where, "%s takes no parameter (write - %s)",
                    use->metric->name, use->metric->name);
    else if (value->kind != NODE_SCALAR || !parse_number(value->text, &use->parameter) ||
             use->parameter <= 0 || use->parameter > most)
        problem_add(reading->problems, value->line, where,
                    "%.60s must be a number above 0, at most %g", key, most);
}

/* {fbeta: 2}, {fbeta: {beta: 2}} and {fbeta: {beta: 2, name: f_two}}. */
static void read_parameter(struct reading *reading, const struct node *node, const char *where,
                           struct metric_use *use) {
    if (node->kind != NODE_MAPPING) {
        set_parameter(reading, node, where, use->metric->name, use);
        return;
    }
    static const char *const allowed[] = {"beta", "quantile", "name", NULL};
    refuse_other_keys(reading, node, where, allowed);
    for (int i = 0; i < node->count; i++) {
        const struct node *value = node->items[i];
        if (strcmp(node->keys[i], "name") != 0)
            set_parameter(reading, value, where, node->keys[i], use);
        else if (value->kind == NODE_SCALAR)
            use->name = arena_text(reading->arena, value->text);
    }
}

static void read_metric(struct reading *reading, const struct node *node, const char *where,
                        struct task_definition *task) {
    bool is_mapping = node->kind == NODE_MAPPING && node->count == 1;
    if (node->kind != NODE_SCALAR && !is_mapping) {
        problem_add(reading->problems, node->line, where,
                    "must be a metric's name or {fbeta: {beta: 2}}");
        return;
    }
    const char *name = is_mapping ? node->keys[0] : node->text;
    const struct metric *metric = metric_named(reading, name, node->line, where, task->kind);
    if (!metric)
        return;
    struct metric_use use = {.metric = metric, .parameter = metric->parameter};
    if (is_mapping)
        read_parameter(reading, node->items[0], where, &use);
    if (!use.name)
        use.name = published_name(reading, metric, use.parameter);
    add_metric(reading, &use, node->line, where, task);
}

void read_metrics(struct reading *reading, const struct node *node, const char *where, int line,
                  struct task_definition *task) {
    bool is_default = !node || (node->kind == NODE_SCALAR && strcmp(node->text, "all") == 0);
    for (size_t i = 0; is_default && i < metrics_count; i++) {
        if (!(metrics[i]->kinds & (1U << task->kind)))
            continue;
        struct metric_use use = {.metric = metrics[i], .parameter = metrics[i]->parameter};
        use.name = published_name(reading, metrics[i], use.parameter);
        add_metric(reading, &use, line, where, task);
    }
    if (!is_default && list_count(node) == 0)
        problem_add(reading->problems, line, where,
                    "is empty: nothing would be published; leave it out for all of them");
    for (int i = 0; !is_default && i < list_count(node); i++) {
        char item[NAME_BYTES];
        (void)snprintf(item, sizeof item, "%.100s[%d]", where, i);
        read_metric(reading, list_item(node, i), item, task);
    }
}
