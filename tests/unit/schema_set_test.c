/* Schema directories, and the contract in schemas/.  SPDX-License-Identifier: Apache-2.0 */
#include "schemas/schema_set.h"

#include <avro.h>
#include <unistd.h>

#include "tests/lib/test.h"

static const char *const good = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}";

struct directory {
    char path[64];
    const char *files[8];
    size_t count;
};

static void directory_create(struct directory *directory) {
    *directory = (struct directory){.path = "/tmp/slipstream-schemas-XXXXXX"};
    assert_non_null(mkdtemp(directory->path));
}

static const char *path_of(const struct directory *directory, const char *name, char path[128]) {
    (void)snprintf(path, 128, "%s/%s", directory->path, name);
    return path;
}

static void directory_put(struct directory *directory, const char *name, const char *text) {
    char path[128];
    directory->files[directory->count++] = name;
    FILE *file = fopen(path_of(directory, name, path), "wb");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void directory_remove(struct directory *directory) {
    char path[128];
    for (size_t i = 0; i < directory->count; i++)
        (void)unlink(path_of(directory, directory->files[i], path));
    assert_int_equal(rmdir(directory->path), 0);
}

TEST(files_are_found_by_id_and_by_name) {
    struct directory directory;
    struct schema_set *set;
    directory_create(&directory);
    directory_put(&directory, "a.b.7.avsc", good);
    directory_put(&directory, "a.b.12.avsc", "\"string\"");
    directory_put(&directory, "other.2147483647.avsc", good);
    directory_put(&directory, "notes.txt", "x");
    directory_put(&directory, "no_id.avsc", "x");
    directory_put(&directory, "big.99999999999.avsc", "x");
    assert_ok(schema_set_load(directory.path, &set, NULL));
    assert_true(slice_equal(schema_set_json(set, 7), slice_from(good)));
    assert_true(slice_equal(schema_set_json(set, 12), SLICE("\"string\"")));
    assert_int_equal(schema_set_json(set, 8).size, 0);
    assert_int_equal(schema_set_json(set, -1).size, 0);
    assert_int_equal(schema_set_find(set, "a.b"), 12);
    assert_int_equal(schema_set_find(set, "other"), INT32_MAX);
    assert_int_equal(schema_set_find(set, "a"), -1);
    schema_set_destroy(set);
    directory_remove(&directory);
}

static void assert_refused(const char *name, const char *text, const char *expected) {
    struct directory directory;
    struct schema_set *set;
    struct error err = {""};
    directory_create(&directory);
    directory_put(&directory, "good.1.avsc", good);
    directory_put(&directory, name, text);
    assert_int_equal(schema_set_load(directory.path, &set, &err), STATUS_CONFIG);
    assert_non_null(strstr(err.text, expected));
    directory_remove(&directory);
}

TEST(a_file_that_cannot_be_used_is_named_with_the_reason) {
    assert_refused("bad.2.avsc", "{", "bad.2.avsc: line 1");
    assert_refused("bad.2.avsc", "\"strange\"", "bad.2.avsc: unknown type \"strange\"");
    struct error err = {""};
    struct schema_set *set;
    assert_int_equal(schema_set_load("/nowhere/at/all", &set, &err), STATUS_CONFIG);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
}

TEST(two_files_with_one_id_are_refused) {
    assert_refused("b.1.avsc", good, "has the id 1 too");
}

TEST(the_contract_loads_and_avro_c_takes_it_too) {
    static const char *const names[] = {"prediction", "feedback", "dead_letter"};
    static const int32_t ids[] = {1, 2, 6};
    struct schema_set *set;
    struct error err = {""};
    enum status status = schema_set_load("schemas", &set, &err);
    if (status != STATUS_OK)
        print_error("%s\n", err.text);
    assert_ok(status);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct slice json = schema_set_json(set, ids[i]);
        avro_schema_t schema;
        assert_int_equal(schema_set_find(set, names[i]), ids[i]);
        assert_int_equal(avro_schema_from_json_length(json.data, json.size, &schema), 0);
        avro_schema_decref(schema);
    }
    schema_set_destroy(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(files_are_found_by_id_and_by_name),
        CASE(a_file_that_cannot_be_used_is_named_with_the_reason),
        CASE(two_files_with_one_id_are_refused),
        CASE(the_contract_loads_and_avro_c_takes_it_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
