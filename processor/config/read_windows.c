/* read_windows.c -- the windows of a task, its panes and segments.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/quantity.h"
#include "config/read.h"

enum {
    FAN_OUT_MAX = 1440,       /* windows that one label revises, for each definition */
    WINDOW_PANES_MAX = 50000, /* panes merged into one window */
    HORIZON_PANES_MAX = 50000,
    SEGMENTS = 48,
    SEGMENT_MS_MIN = 60000,
    PANE_MS_MIN = 1000,
    NAME_BYTES = 120,
};

static const int64_t window_ms_max = 366 * INT64_C(86400000);

int list_count(const struct node *node) {
    return node->kind == NODE_SEQUENCE ? node->count : 1;
}

const struct node *list_item(const struct node *node, int index) {
    return node->kind == NODE_SEQUENCE ? node->items[index] : node;
}

void refuse_other_keys(struct reading *reading, const struct node *node, const char *where,
                       const char *const *allowed) {
    for (int i = 0; i < node->count; i++) {
        const char *nearest = NULL;
        size_t least = 3;
        for (const char *const *name = allowed; *name && least > 0; name++) {
            size_t distance = edit_distance(node->keys[i], *name);
            if (distance < least) {
                least = distance;
                nearest = *name;
            }
        }
        if (nearest && least > 0)
            problem_add(reading->problems, node->key_lines[i], where,
                        "%.80s is not an option; did you mean %s?", node->keys[i], nearest);
        else if (!nearest)
            problem_add(reading->problems, node->key_lines[i], where, "%.80s is not an option",
                        node->keys[i]);
    }
}

const char *scalar_at(struct reading *reading, const struct node *node, const char *key,
                      const char *where) {
    const struct node *item = node_get(node, key);
    if (item && item->kind != NODE_SCALAR)
        problem_add(reading->problems, item->line, where, "%s must be one value", key);
    return item && item->kind == NODE_SCALAR ? item->text : NULL;
}

/* false and a problem when it is no duration; absent leaves out_ms alone. */
static bool duration_at(struct reading *reading, const struct node *node, const char *key,
                        const char *where, int64_t *out_ms) {
    const char *text = scalar_at(reading, node, key, where);
    if (!text || parse_duration(text, out_ms))
        return true;
    problem_add(reading->problems, node->line, where, "%s: %.60s is not %s", key, text,
                option_type_text(OPTION_DURATION));
    return false;
}

static const char *default_name(struct reading *reading, const struct window_definition *window) {
    char name[NAME_BYTES], size[QUANTITY_BYTES], slide[QUANTITY_BYTES], offset[QUANTITY_BYTES];
    (void)format_duration(size, window->size_ms);
    (void)format_duration(slide, window->slide_ms);
    (void)format_duration(offset, window->offset_ms);
    (void)snprintf(name, sizeof name, "%s%s%s%s%s%s",
                   window->kind == WINDOW_CUMULATIVE ? "cumulative-" : "", size,
                   window->kind == WINDOW_TUMBLING ? "" : "/",
                   window->kind == WINDOW_TUMBLING ? "" : slide, window->offset_ms ? "+" : "",
                   window->offset_ms ? offset : "");
    return arena_text(reading->arena, name);
}

static bool read_window_fields(struct reading *reading, const struct node *node, const char *where,
                               struct window_definition *window, const char **out_name) {
    static const char *const allowed[] = {"size", "slide", "cumulative", "offset", "name", NULL};
    if (node->kind == NODE_SCALAR) {
        if (parse_duration(node->text, &window->size_ms))
            return true;
        problem_add(reading->problems, node->line, where, "%.60s is not %s", node->text,
                    option_type_text(OPTION_DURATION));
        return false;
    }
    refuse_other_keys(reading, node, where, allowed);
    bool is_cumulative = node_get(node, "cumulative") != NULL;
    if (is_cumulative == (node_get(node, "size") != NULL)) {
        problem_add(reading->problems, node->line, where,
                    "needs one of size and cumulative (write 1h, {size: 1d, slide: 1h} or "
                    "{cumulative: 1d, slide: 1h})");
        return false;
    }
    *out_name = scalar_at(reading, node, "name", where);
    if (is_cumulative)
        window->kind = WINDOW_CUMULATIVE;
    else if (node_get(node, "slide"))
        window->kind = WINDOW_HOPPING;
    return duration_at(reading, node, is_cumulative ? "cumulative" : "size", where,
                       &window->size_ms) &&
           duration_at(reading, node, "slide", where, &window->slide_ms) &&
           duration_at(reading, node, "offset", where, &window->offset_ms);
}

static bool check_window(struct reading *reading, int line, const char *where,
                         const struct window_definition *window) {
    char scratch[QUANTITY_BYTES];
    if (window->size_ms < PANE_MS_MIN || window->size_ms > window_ms_max ||
        window->slide_ms < PANE_MS_MIN)
        problem_add(reading->problems, line, where,
                    "size and slide must be at least 1s, and the size at most 366d");
    else if (window->size_ms % window->slide_ms != 0)
        problem_add(reading->problems, line, where, "the size must be a multiple of the slide");
    else if (window->size_ms / window->slide_ms > FAN_OUT_MAX)
        problem_add(reading->problems, line, where,
                    "one label would revise %" PRId64 " windows (at most %d): slide by %s or more",
                    window->size_ms / window->slide_ms, (int)FAN_OUT_MAX,
                    format_duration(scratch, (window->size_ms + FAN_OUT_MAX - 1) / FAN_OUT_MAX));
    else if (window->offset_ms >= window->slide_ms)
        problem_add(reading->problems, line, where, "the offset must be less than the slide");
    else
        return true;
    return false;
}

static void read_window(struct reading *reading, const struct node *node, const char *where,
                        struct task_definition *task) {
    struct window_definition window = {.kind = WINDOW_TUMBLING};
    const char *name = NULL;
    if (node->kind == NODE_SEQUENCE) {
        problem_add(reading->problems, node->line, where, "must be a duration or a mapping");
        return;
    }
    if (!read_window_fields(reading, node, where, &window, &name))
        return;
    if (window.slide_ms == 0 && window.kind == WINDOW_TUMBLING)
        window.slide_ms = window.size_ms;
    if (!check_window(reading, node->line, where, &window))
        return;
    if (window.kind == WINDOW_HOPPING && window.slide_ms == window.size_ms)
        window.kind = WINDOW_TUMBLING;
    window.name = name ? arena_text(reading->arena, name) : default_name(reading, &window);
    for (int i = 0; i < task->window_count; i++)
        if (strcmp(task->windows[i].name, window.name) == 0) {
            problem_add(reading->problems, node->line, where,
                        "another window is named %.60s too (give it a name:)", window.name);
            return;
        }
    task->windows[task->window_count++] = window;
}

void read_windows(struct reading *reading, const struct node *node, const char *where,
                  struct task_definition *task) {
    if (list_count(node) == 0 || list_count(node) > WINDOWS_MAX) {
        problem_add(reading->problems, node->line, where, "must be a list of 1 to %d windows",
                    (int)WINDOWS_MAX);
        return;
    }
    for (int i = 0; i < list_count(node); i++) {
        char item[NAME_BYTES];
        (void)snprintf(item, sizeof item, "%.100s[%d]", where, i);
        read_window(reading, list_item(node, i), item, task);
    }
}

static int64_t greatest_common_divisor(int64_t a, int64_t b) {
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static int64_t widest_pane(const struct task_definition *task) {
    int64_t pane_ms = 0;
    for (int i = 0; i < task->window_count; i++) {
        const struct window_definition *window = &task->windows[i];
        pane_ms = greatest_common_divisor(pane_ms, window->size_ms);
        pane_ms = greatest_common_divisor(pane_ms, window->slide_ms);
        pane_ms = greatest_common_divisor(pane_ms, window->offset_ms);
    }
    return pane_ms;
}

static bool set_pane(struct reading *reading, const struct node *node, const char *where, int line,
                     struct task_definition *task) {
    char scratch[QUANTITY_BYTES];
    int64_t widest_ms = widest_pane(task);
    task->pane_ms = widest_ms;
    if (!node || (node->kind == NODE_SCALAR && strcmp(node->text, "none") == 0))
        return true;
    if (node->kind != NODE_SCALAR || !parse_duration(node->text, &task->pane_ms)) {
        problem_add(reading->problems, line, where, "is not %s", option_type_text(OPTION_DURATION));
        return false;
    }
    if (task->pane_ms < PANE_MS_MIN || widest_ms % task->pane_ms != 0) {
        problem_add(reading->problems, line, where,
                    "must divide %s, the greatest common divisor of the windows, and be 1s or more",
                    format_duration(scratch, widest_ms));
        return false;
    }
    return true;
}

void read_pane(struct reading *reading, const struct node *node, const char *where, int line,
               struct task_definition *task) {
    task->segment_ms = (task->horizon_ms + SEGMENTS - 1) / SEGMENTS;
    if (task->segment_ms < SEGMENT_MS_MIN)
        task->segment_ms = SEGMENT_MS_MIN;
    if (task->window_count == 0 || !set_pane(reading, node, where, line, task))
        return;
    char pane[QUANTITY_BYTES];
    (void)format_duration(pane, task->pane_ms);
    int64_t size_ms = 0;
    for (int i = 0; i < task->window_count; i++)
        if (task->windows[i].size_ms > size_ms)
            size_ms = task->windows[i].size_ms;
    if (task->pane_ms < PANE_MS_MIN)
        problem_add(reading->problems, line, where,
                    "the windows share no pane of 1s or more: align sizes, slides and offsets");
    else if (size_ms / task->pane_ms > WINDOW_PANES_MAX)
        problem_add(reading->problems, line, where,
                    "the largest window would have %" PRId64 " panes of %s (at most %d): "
                    "use a larger slide",
                    size_ms / task->pane_ms, pane, (int)WINDOW_PANES_MAX);
    else if (task->horizon_ms / task->pane_ms > HORIZON_PANES_MAX)
        problem_add(reading->problems, line, where,
                    "%" PRId64 " panes of %s would stay open over the horizon (at most %d): "
                    "use larger windows and slides, or a shorter horizon",
                    task->horizon_ms / task->pane_ms, pane, (int)HORIZON_PANES_MAX);
}
