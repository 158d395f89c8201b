/* main.c -- the commands by name.  SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "commands/registry.h"
#include "commands/versions.h"

static void print_help(FILE *out) {
    (void)fprintf(out, "slipstream: windowed SLIs of machine-learning models from predictions and "
                       "late feedback in Kafka\n\nUsage: slipstream COMMAND ...\n\n");
    for (size_t i = 0; i < commands_count; i++)
        (void)fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    (void)fprintf(out, "\n  slipstream help COMMAND   what it does, its options, an example\n"
                       "  slipstream --version      versions of slipstream and its libraries\n\n"
                       "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.\n");
}

static const struct command *command_find(const char *name) {
    for (size_t i = 0; i < commands_count; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    (void)fprintf(stderr, "slipstream: %s is not a command; see slipstream --help\n", name);
    return NULL;
}

static int help_on(char *name) {
    char help[] = "--help";
    char *argv[] = {name, help, NULL};
    const struct command *command = command_find(name);
    return command ? command->run(2, argv) : EXIT_USAGE;
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    bool is_help =
        strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    if (argc < 2 || (is_help && argc == 2)) {
        print_help(is_help ? stdout : stderr);
        return is_help ? EXIT_DONE : EXIT_USAGE;
    }
    if (is_help)
        return help_on(argv[2]);
    if (strcmp(name, "--version") == 0) {
        print_versions();
        return EXIT_DONE;
    }
    const struct command *command = command_find(name);
    return command ? command->run(argc - 1, argv + 1) : EXIT_USAGE;
}
