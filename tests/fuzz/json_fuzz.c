/* Any bytes as a JSON record, and as a time.  SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "schemas/json_record.h"
#include "schemas/time_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct column_path columns[] = {
    {"$.id", false}, {"$.at", true}, {"$.a.b[1]", false}, {"$.a", false}, {"$.at", false}};

/* What is a time as text must be the same time when it is written in full. */
static void check_time(struct slice text) {
    int64_t ms, again;
    char full[TIME_TEXT_BYTES + 1];
    if (!time_text_parse(text, &ms))
        return;
    time_text_format(ms, full);
    int64_t first_ms = -62135596800000, last_ms = 253402300799999;
    ASSERT(time_text_parse(slice_from(full), &again));
    ASSERT(again == ms || ms < first_ms || ms > last_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct slice text = {(const char *)data, size};
    struct value values[COUNT_OF(columns)];
    struct path_tree paths;
    struct json_record record = {0};
    check_time(text);
    ASSERT(path_tree_init(&paths, columns, COUNT_OF(columns), NULL) == STATUS_OK);
    if (json_record_read(&record, &paths, text, values) == REFUSAL_NONE) {
        size_t bytes = 0;
        for (size_t i = 0; i < COUNT_OF(columns); i++)
            if (values[i].kind == VALUE_STRING)
                for (size_t k = 0; k < values[i].as.string.size; k++)
                    bytes += values[i].as.string.data[k] != 0;
        ASSERT(bytes <= size * COUNT_OF(columns));
        ASSERT(values[1].kind == VALUE_LONG || values[1].kind == VALUE_MISSING);
    }
    json_record_release(&record);
    path_tree_release(&paths);
    return 0;
}
