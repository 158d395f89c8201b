/* SPDX-License-Identifier: Apache-2.0 */
#include "http/prometheus.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static void add_text(struct buffer *text, const char *what) {
    buffer_append(text, what, strlen(what));
}

/* HELP escapes backslash and line feed; label values the double quote too. */
static void add_escaped(struct buffer *text, const char *what, bool is_label) {
    for (; *what; what++) {
        if (*what == '\n')
            add_text(text, "\\n");
        else if (*what == '\\' || (is_label && *what == '"'))
            buffer_append(text, (char[]){'\\', *what}, 2);
        else
            buffer_append(text, what, 1);
    }
}

void prometheus_begin(struct metrics_page *page, struct buffer *text) {
    *page = (struct metrics_page){.text = text};
}

void prometheus_family(struct metrics_page *page, const char *name, const char *type,
                       const char *help) {
    ASSERT(strncmp(name, "slipstream_", 11) == 0 || strncmp(name, "process_", 8) == 0);
    ASSERT(page->declared_count < PROMETHEUS_FAMILIES_MAX);
    for (size_t i = 0; i < page->declared_count; i++)
        ASSERT(strcmp(page->declared[i], name) != 0);
    page->declared[page->declared_count++] = page->family = name;
    add_text(page->text, "# HELP ");
    add_text(page->text, name);
    add_text(page->text, " ");
    add_escaped(page->text, help, false);
    add_text(page->text, "\n# TYPE ");
    add_text(page->text, name);
    add_text(page->text, " ");
    add_text(page->text, type);
    add_text(page->text, "\n");
}

static void add_value(struct buffer *text, double value) {
    char digits[32];
    if (isnan(value))
        (void)snprintf(digits, sizeof digits, "NaN");
    else if (isinf(value))
        (void)snprintf(digits, sizeof digits, value > 0 ? "+Inf" : "-Inf");
    else
        (void)snprintf(digits, sizeof digits, "%.17g", value);
    add_text(text, digits);
}

void prometheus_sample(struct metrics_page *page, double value,
                       const struct prometheus_label *labels, size_t label_count) {
    ASSERT(page->family != NULL);
    add_text(page->text, page->family);
    for (size_t i = 0; i < label_count; i++) {
        add_text(page->text, i == 0 ? "{" : ",");
        add_text(page->text, labels[i].name);
        add_text(page->text, "=\"");
        add_escaped(page->text, labels[i].value, true);
        add_text(page->text, "\"");
    }
    add_text(page->text, label_count > 0 ? "} " : " ");
    add_value(page->text, value);
    add_text(page->text, "\n");
}

void prometheus_single(struct metrics_page *page, const char *name, const char *type,
                       const char *help, double value) {
    if (isnan(value))
        return;
    prometheus_family(page, name, type, help);
    prometheus_sample(page, value, NULL, 0);
}
