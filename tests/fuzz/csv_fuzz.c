/* Any bytes as comma-separated values.  SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "schemas/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Written again with every field in quotes, the fields must come back. */
static void check_again(const struct csv_record *record) {
    struct csv_record again = {0};
    struct buffer text;
    buffer_init(&text, 1 << 20);
    for (size_t i = 0; i < record->count; i++) {
        buffer_append(&text, i ? ",\"" : "\"", i ? 2 : 1);
        for (size_t k = 0; k < record->fields[i].size; k++) {
            char byte = record->fields[i].data[k];
            buffer_append(&text, &byte, 1);
            if (byte == '"')
                buffer_append(&text, &byte, 1);
        }
        buffer_append(&text, "\"", 1);
    }
    ASSERT(csv_cut(buffer_slice(&text), true, &again) == CSV_RECORD);
    ASSERT(again.count == record->count && again.size == text.size);
    for (size_t i = 0; i < record->count; i++)
        ASSERT(slice_equal(again.fields[i], record->fields[i]));
    buffer_release(&text);
    csv_record_release(&again);
}

static void check_fields(const struct csv_record *record) {
    for (size_t i = 0; i < record->count; i++) {
        struct value value = csv_value(record->fields[i]), time;
        ASSERT((value.kind == VALUE_MISSING) == (record->fields[i].size == 0));
        if (csv_time(record->fields[i], &time))
            ASSERT(time.kind == VALUE_LONG || time.kind == VALUE_MISSING);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct csv_record record = {0};
    struct slice text = {(const char *)data, size};
    while (text.size > 0) {
        enum csv_cut early = csv_cut(text, false, &record);
        size_t early_size = record.size;
        enum csv_cut cut = csv_cut(text, true, &record);
        ASSERT(cut != CSV_MORE && record.size > 0 && record.size <= text.size);
        ASSERT(record.raw.size <= record.size);
        /* What is decided before the end is seen does not change then. */
        ASSERT(early == CSV_MORE || (early == cut && early_size == record.size));
        if (cut == CSV_RECORD) {
            check_fields(&record);
            check_again(&record);
        }
        text.data += record.size;
        text.size -= record.size;
    }
    csv_record_release(&record);
    return 0;
}
