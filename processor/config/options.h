/* options.h -- options.def as a table: find, suggest, set from text, write as text.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_CONFIG_OPTIONS_H
#define SLIPSTREAM_CONFIG_OPTIONS_H

#include "base/arena.h"
#include "config/definition.h"
#include "config/problem.h"

enum option_scope {
    OPTION_APPLICATION,
    OPTION_PREDICTIONS,
    OPTION_FEEDBACK,
    OPTION_TASK, /* one item of tasks; the others together are "not task" */
};

enum option_type {
    OPTION_NAME,     /* const char *: letters, digits, . _ -; at most 60 */
    OPTION_TEXT,     /* const char *; "none" is NULL */
    OPTION_SLICE,    /* struct slice; "none" is empty */
    OPTION_DURATION, /* an integer of 4 or 8 bytes, as all that follow up to CHOICE */
    OPTION_SIZE,
    OPTION_COUNT,
    OPTION_TIME,
    OPTION_CHOICE,            /* index into the words of least */
    OPTION_NUMBER,            /* double */
    OPTION_PREDICTION_COLUMN, /* int: index into config.predictions.columns, -1 for "none" */
    OPTION_PREDICTION_TIME,
    OPTION_FEEDBACK_COLUMN, /* the same in config.feedback */
    OPTION_FEEDBACK_TIME,
    OPTION_STRUCTURE, /* a list or mapping, read by code of its own */
};

struct option {
    enum option_scope scope;
    enum option_type type;
    const char *name, *default_text, *least, *most, *text;
    size_t offset, size; /* of the field */
};

extern const struct option options[];
extern const size_t options_count;

enum { COLUMNS_MAX = 128, OPTIONS_MAX = 96 };

/* What reading a configuration carries along. */
struct reading {
    struct config *config;
    struct arena *arena; /* owns all strings of the configuration */
    struct problems *problems;
};

/* NULL: unknown.  is_task chooses between the options of a task and all others. */
const struct option *option_find(const char *name, bool is_task);
/* Whether some option's name begins with "section.". */
bool option_has_section(const char *section, bool is_task);
/* The known name nearest to name by edit distance; NULL when none is near. */
const char *option_suggest(const char *name, bool is_task);
size_t edit_distance(const char *a, const char *b); /* Levenshtein; 99 beyond 63 bytes */
/* Where the option's field lives in the configuration; task: of OPTION_TASK. */
void *option_field(const struct option *option, const struct config *config,
                   const struct task_definition *task);

/* Parses, checks the range and stores.  where and line name it in problems; never for
 * OPTION_STRUCTURE. */
void option_set(struct reading *reading, const struct option *option, struct task_definition *task,
                const char *text, const char *where, int line);
/* The present value as it would be written; "none" when not set.  Borrows scratch or the config. */
const char *option_text(const struct option *option, const struct config *config,
                        const struct task_definition *task, char scratch[64]);
/* "a duration (write 250ms, ...)". */
const char *option_type_text(enum option_type type);

/* The index of path among the topic's columns; adds it.  -1 and a problem when path is none. */
int column_add(struct reading *reading, struct topic_definition *topic, const char *path,
               bool is_time, const char *where, int line);
char *arena_text(struct arena *arena, const char *text);

#endif
