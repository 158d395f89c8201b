/* versions.c -- the versions come from the build, so that no library's header is needed here.
 * SPDX-License-Identifier: Apache-2.0 */
#include "commands/versions.h"

#include <stdio.h>

#include "base/attributes.h"

void print_versions(void) {
    static const struct {
        const char *name, *version;
    } built_with[] = {
        {"librdkafka", VERSION_RDKAFKA}, {"avro-c", VERSION_AVRO},
        {"rocksdb", VERSION_ROCKSDB},    {"jansson", VERSION_JANSSON},
        {"libyaml", VERSION_YAML},       {"libmicrohttpd", VERSION_MICROHTTPD},
        {"xxhash", VERSION_XXHASH},
    };
    (void)printf("slipstream %s\n", VERSION_SLIPSTREAM);
    for (size_t i = 0; i < COUNT_OF(built_with); i++)
        (void)printf("%-13s %s\n", built_with[i].name, built_with[i].version);
}
