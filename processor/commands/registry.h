/* registry.h -- the commands of commands.def, declared.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_COMMANDS_REGISTRY_H
#define SLIPSTREAM_COMMANDS_REGISTRY_H

#include "commands/command.h"

#define COMMAND(name) extern const struct command command_##name;
#include "commands/commands.def"
#undef COMMAND

#endif
