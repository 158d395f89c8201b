/* The program as a person runs it: output and exit codes.  It is the one beside this test's folder.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <libgen.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_BYTES = 4 << 20 };

static char program[512];
static char output[OUTPUT_BYTES];

static void find_program(void) {
    char self[400];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(size > 0);
    self[size] = '\0';
    (void)snprintf(program, sizeof program, "%s/../slipstream", dirname(self));
}

/* Starts `slipstream ARGUMENTS` through the shell. */
static FILE *begin(const char *arguments) {
    char line[1200];
    (void)snprintf(line, sizeof line, "%s %s 2>&1", program, arguments);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    return pipe;
}

/* Its exit code; standard output and error end in output. */
static int end(FILE *pipe) {
    size_t size = fread(output, 1, sizeof output - 1, pipe);
    output[size] = '\0';
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int slipstream(const char *arguments) {
    return end(begin(arguments));
}

static char *rest; /* of the output, for strtok_r */

static size_t count_lines(const char *text) {
    size_t lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

TEST(the_version_names_the_libraries) {
    assert_int_equal(slipstream("--version"), 0);
    assert_memory_equal(output, "slipstream ", 11);
    assert_non_null(strstr(output, "librdkafka"));
    assert_non_null(strstr(output, "rocksdb"));
}

TEST(every_command_in_the_help_explains_itself_with_an_example) {
    assert_int_equal(slipstream("--help"), 0);
    char *help = strdup(output);
    int commands = 0;
    for (char *line = strtok_r(help, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char name[20], arguments[60];
        if (sscanf(line, "  %19[a-z]", name) != 1 || strcmp(name, "slipstream") == 0)
            continue;
        commands++;
        (void)snprintf(arguments, sizeof arguments, "help %s", name);
        assert_int_equal(slipstream(arguments), 0);
        assert_non_null(strstr(output, "Usage: slipstream"));
        assert_non_null(strstr(output, "Example"));
    }
    assert_true(commands >= 3);
    free(help);
}

TEST(wrong_usage_ends_with_2_and_says_what_is_wrong) {
    static const struct {
        const char *arguments, *expected;
    } cases[] = {
        {"", "Usage: slipstream COMMAND"},
        {"chekc", "chekc is not a command"},
        {"help chekc", "chekc is not a command"},
        {"check", "something is missing"},
        {"check a b", "too many arguments"},
        {"check --no-such a", "--no-such is not an option"},
        {"check a --rate", "--rate needs a value"},
        {"check docs/examples/demo.yaml --offline --rate x", "--rate: x is not a number"},
        {"check /no/such.yaml", "cannot read /no/such.yaml"},
        {"generate TAPS", "TAPS is none of TIPS"},
        {"generate TIPS --format xml", "--format: xml is not known"},
        {"generate FRAUD --drift-at 5", "--drift-at is for TIPS, REG and LAG"},
        {"generate KIND --kind what", "--kind what is none of none"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(slipstream(cases[i].arguments), 2);
        assert_non_null(strstr(output, cases[i].expected));
    }
}

TEST(check_prints_topics_rights_and_costs_without_a_broker) {
    assert_int_equal(slipstream("check docs/examples/demo.yaml --offline --rate 1000"), 0);
    assert_non_null(strstr(output, "application: demo"));
    assert_non_null(strstr(output, "demo.partials"));
    assert_non_null(strstr(output, "--transactional-id demo"));
    assert_non_null(strstr(output, "rows waiting"));
    assert_int_equal(slipstream("check docs/examples/demo.yaml --offline --acls"), 0);
    assert_int_equal(count_lines(output), 10);
}

static void expect(const char *text) {
    if (!strstr(output, text))
        print_error("no \"%s\" in:\n%s", text, output);
    assert_non_null(strstr(output, text));
}

TEST(check_misses_nothing_that_librdkafka_would_not_take) {
    static const struct {
        const char *name, *value, *expected;
    } cases[] = {
        {"SLIPSTREAM_KAFKA_FETCH_WIAT_MAX_MS", "3",
         "has no such setting; did you mean "
         "kafka.fetch.wait.max.ms?\n"},
        {"SLIPSTREAM_KAFKA_PRODUCER_LINGER", "3",
         "has no such setting; did you mean "
         "kafka.producer.linger.ms?\n"},
        {"SLIPSTREAM_KAFKA_NOT_OF_KAFKA_AT_ALL", "3", "take it out"},
        {"SLIPSTREAM_KAFKA_SECURITY_PROTOCOL", "tls",
         "it takes plaintext, ssl, sasl_plaintext, sasl_ssl\n"},
        {"SLIPSTREAM_KAFKA_FETCH_MIN_BYTES", "0", "outside allowed range 1..100000000"},
        {"SLIPSTREAM_HTTP_BIND", "localhost:99",
         "http.bind: localhost:99 is not an address (write 127.0.0.1:9464 or [::1]:9464)\n"},
    };
    assert_int_equal(slipstream("check docs/examples/demo.yaml --offline --quiet"), 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        (void)setenv(cases[i].name, cases[i].value, 1);
    assert_int_equal(slipstream("check docs/examples/demo.yaml --offline --quiet"), 2);
    assert_int_equal(count_lines(output), COUNT_OF(cases));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        expect(cases[i].expected);
        (void)unsetenv(cases[i].name);
    }
}

/* Each waits five seconds, so all wait at once. */
TEST(brokers_that_do_not_answer_are_named_with_the_reason_and_the_remedy) {
    static const char *const refused[] = {
        "check docs/examples/demo.yaml --quiet", "watch docs/examples/demo.yaml",
        "close docs/examples/demo.yaml --at 2024-01-01", "run docs/examples/demo.yaml",
        "load docs/examples/demo.yaml --feedback /dev/null"};
    FILE *pipes[COUNT_OF(refused) + 1];
    (void)setenv("SLIPSTREAM_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1", 1);
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        pipes[i] = begin(refused[i]);
    (void)setenv("SLIPSTREAM_KAFKA_BOOTSTRAP_SERVERS", "no-such-host.invalid:9092", 1);
    pipes[COUNT_OF(refused)] = begin(refused[0]);
    (void)unsetenv("SLIPSTREAM_KAFKA_BOOTSTRAP_SERVERS");
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_int_equal(end(pipes[i]), 1);
        assert_int_equal(count_lines(output), 1);
        expect("no answer from Kafka at 127.0.0.1:1: ");
        expect("Connection refused; start the broker, or correct kafka.bootstrap.servers\n");
    }
    assert_int_equal(end(pipes[COUNT_OF(refused)]), 1);
    assert_int_equal(count_lines(output), 1);
    expect("Failed to resolve 'no-such-host.invalid:9092'");
    expect("correct kafka.bootstrap.servers (or what the broker advertises), or DNS\n");
}

TEST(check_misses_the_schemas_that_run_would_miss) {
    assert_int_equal(slipstream("check docs/examples/demo.yaml --offline --quiet"), 0);
    (void)setenv("SLIPSTREAM_SCHEMAS_DIRECTORY", "/no/such", 1);
    assert_int_equal(slipstream("check docs/examples/demo.yaml --offline --quiet"), 2);
    assert_non_null(strstr(output, "schemas.directory: /no/such: No such file"));
    (void)setenv("SLIPSTREAM_PREDICTIONS_FORMAT", "json", 1);
    (void)setenv("SLIPSTREAM_FEEDBACK_FORMAT", "json", 1);
    assert_int_equal(slipstream("check docs/examples/demo.yaml --offline --quiet"), 0);
    (void)setenv("SLIPSTREAM_FEEDBACK_FORMAT", "avro", 1);
    (void)setenv("SLIPSTREAM_FEEDBACK_SCHEMA", "/no/such.avsc", 1);
    assert_int_equal(slipstream("check docs/examples/demo.yaml --offline --quiet"), 2);
    assert_non_null(strstr(output, "cannot read schema file /no/such.avsc"));
    (void)unsetenv("SLIPSTREAM_SCHEMAS_DIRECTORY");
    (void)unsetenv("SLIPSTREAM_PREDICTIONS_FORMAT");
    (void)unsetenv("SLIPSTREAM_FEEDBACK_FORMAT");
    (void)unsetenv("SLIPSTREAM_FEEDBACK_SCHEMA");
}

TEST(a_stream_is_the_same_each_time_and_another_with_another_seed) {
    assert_int_equal(slipstream("generate TIPS --count 100"), 0);
    char *first = strdup(output);
    assert_int_equal(count_lines(first), 100);
    assert_int_equal(slipstream("generate TIPS --count 100"), 0);
    assert_string_equal(output, first);
    assert_int_equal(slipstream("generate TIPS --count 100 --seed 2"), 0);
    assert_string_not_equal(output, first);
    free(first);
}

/* Numbers of the line's cells; what is no number counts as 0. */
static void read_cells(const char *line, double *out_cells, int count) {
    for (int i = 0; i < count; i++) {
        out_cells[i] = strtod(line, NULL);
        line += strcspn(line, ",");
        line += *line == ',';
    }
}

/* The rows behind the header, one by one. */
static char *first_row(void) {
    (void)strtok_r(output, "\n", &rest);
    return strtok_r(NULL, "\n", &rest);
}

/* The golden sums of TIPS(1, 1000). */
TEST(the_items_are_those_of_the_named_stream) {
    enum { LABEL = 4, SCORE, HOUR, PASSENGERS, DISTANCE, FARE, SPEED, PAYMENT, ZONE, CELLS };
    assert_int_equal(slipstream("generate TIPS --seed 1 --count 1000 --what items"), 0);
    double sums[CELLS] = {0}, cells[CELLS];
    int rows = 0;
    for (char *line = first_row(); line; line = strtok_r(NULL, "\n", &rest), rows++) {
        read_cells(line, cells, CELLS);
        for (int i = 0; i < CELLS; i++)
            sums[i] += cells[i];
    }
    assert_int_equal(rows, 1000);
    assert_close(sums[LABEL], 530, 0);
    assert_close(sums[HOUR], 11366, 0);
    assert_close(sums[PASSENGERS], 1526, 0);
    assert_close(sums[ZONE], 4528, 0);
    assert_close(sums[SCORE], 534.247703195, 1e-8);
    assert_close(sums[DISTANCE], 3107.843548371, 1e-8);
    assert_close(sums[FARE], 10778.409536141, 1e-8);
}

static double share_of_ones(const char *arguments) {
    enum { TIME = 1, LABEL, CELLS };
    assert_int_equal(slipstream(arguments), 0);
    double rows = 0, ones = 0, before = 0, cells[CELLS];
    for (char *line = first_row(); line; line = strtok_r(NULL, "\n", &rest)) {
        read_cells(line, cells, CELLS);
        assert_true(cells[TIME] >= before);
        before = cells[TIME];
        rows++;
        ones += cells[LABEL];
    }
    assert_true(rows > 0);
    return ones / rows;
}

TEST(feedback_comes_in_order_and_the_world_changes_when_told) {
    assert_close(share_of_ones("generate TIPS --count 10000 --what feedback --format csv"), .544,
                 .02);
    assert_true(share_of_ones("generate TIPS --count 10000 --what feedback --format csv --drift-at "
                              "0 --drift-by -2") < .3);
}

TEST(labels_are_left_out_as_told) {
    assert_int_equal(slipstream("generate TIPS --count 10000 --what feedback --labelled 0.25"), 0);
    assert_close((double)count_lines(output), 2500, 150);
}

TEST(all_streams_can_be_written) {
    static const char *const streams[] = {
        "TIPS", "FRAUD", "REG", "LAG", "KIND --kind e_null", "tips --format csv"};
    for (size_t i = 0; i < COUNT_OF(streams); i++) {
        char arguments[80];
        (void)snprintf(arguments, sizeof arguments, "generate %s --count 40", streams[i]);
        assert_int_equal(slipstream(arguments), 0);
        assert_true(count_lines(output) >= 40);
    }
}

int main(void) {
    find_program();
    const struct CMUnitTest tests[] = {
        CASE(the_version_names_the_libraries),
        CASE(every_command_in_the_help_explains_itself_with_an_example),
        CASE(wrong_usage_ends_with_2_and_says_what_is_wrong),
        CASE(check_prints_topics_rights_and_costs_without_a_broker),
        CASE(check_misses_nothing_that_librdkafka_would_not_take),
        CASE(brokers_that_do_not_answer_are_named_with_the_reason_and_the_remedy),
        CASE(check_misses_the_schemas_that_run_would_miss),
        CASE(a_stream_is_the_same_each_time_and_another_with_another_seed),
        CASE(the_items_are_those_of_the_named_stream),
        CASE(feedback_comes_in_order_and_the_world_changes_when_told),
        CASE(labels_are_left_out_as_told),
        CASE(all_streams_can_be_written),
    };
    return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
