/* registry.c -- the table of commands, and what several of them need.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "commands/registry.h"

#include <stdio.h>

#include "base/attributes.h"

const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "commands/commands.def"
#undef COMMAND
};
const size_t commands_count = COUNT_OF(commands);

struct config *command_config(const char *path) {
    struct config *config = NULL;
    struct problems problems;
    problems_init(&problems, path);
    if (config_read(path, &config, &problems) != STATUS_OK) {
        (void)fwrite(problems.text.data, 1, problems.text.size, stderr);
        config = NULL;
    }
    problems_release(&problems);
    return config;
}

int command_failed(const struct command *command, enum status status, const struct error *err) {
    (void)fprintf(stderr, "slipstream %s: %s\n", command->name, err->text);
    return status == STATUS_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}
