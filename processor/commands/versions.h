/* versions.h -- what this binary was built from.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_COMMANDS_VERSIONS_H
#define SLIPSTREAM_COMMANDS_VERSIONS_H

/* "slipstream 0.1.0" and a line for each library, to standard output. */
void print_versions(void);

#endif
