/* Any bytes as a configuration: refused with at least one line, or good, and then what is printed
 * means the same.  SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/error.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NULL: it was refused. */
static struct config *parse(struct slice text) {
    struct problems problems;
    struct config *config = NULL;
    problems_init(&problems, "fuzz");
    bool is_good = config_parse("fuzz", text, &config, &problems) == STATUS_OK;
    ASSERT(is_good == (problems.count == 0) && is_good == (config != NULL));
    ASSERT(is_good || problems_first(&problems).size > 0);
    problems_release(&problems);
    return config;
}

static void check_printed(const struct config *config) {
    struct buffer text;
    buffer_init(&text, 16 << 20);
    config_print(config, &text);
    struct config *again = parse(buffer_slice(&text));
    ASSERT(again && again->task_count == config->task_count);
    for (int i = 0; i < config->task_count; i++)
        ASSERT(again->tasks[i].fingerprint == config->tasks[i].fingerprint);
    config_destroy(again);
    buffer_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct config *config = parse((struct slice){(const char *)data, size});
    if (config)
        check_printed(config);
    config_destroy(config);
    return 0;
}
