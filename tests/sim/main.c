/* sim -- the simulator: `sim --seeds N --from S [--long] [--verbose] [--mutation NAME]`.
 *
 * A seed makes a world, runs it with everything going wrong, runs it again undisturbed with the
 * same decisions, and compares both with the oracle and with each other.  With a mutation it is
 * right to fail: the exit status is then 0 iff some seed failed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/mutation.h"
#include "tests/sim/check.h"

enum { OVERFLOWS_MAX = 4096, FUTURES_MAX = 1024 };

struct options {
    int64_t seeds, from;
    bool is_verbose, skips_aborts, has_mutation;
};

static const struct {
    const char *name;
    enum mutation mutation;
} mutations[] = {
    {"skip-abort", MUTATION_NONE}, /* it is the worker's, and the worker is ours */
    {"drop-mark", MUTATION_DROP_MARK},
    {"rows-before-counts", MUTATION_ROWS_BEFORE_COUNTS},
    {"clock-before-partial", MUTATION_CLOCK_BEFORE_PARTIAL},
    {"floor-clocks", MUTATION_FLOOR_CLOCKS},
    {"early-drop", MUTATION_EARLY_DROP},
    {"forget-future", MUTATION_FORGET_FUTURE},
    {"add-twice", MUTATION_ADD_TWICE},
    {"trust-dropped", MUTATION_TRUST_DROPPED},
    {"unmarked", MUTATION_UNMARKED},
};

/* ---- one seed ---- */

static bool check_all(const struct cluster *cluster, const struct oracle *oracle,
                      char out_failure[FAILURE_MAX]) {
    return check_partials(cluster, oracle, out_failure) &&
           check_letters(cluster, oracle, out_failure) && check_history(cluster, out_failure) &&
           check_slis(cluster, oracle, out_failure);
}

static bool check_disturbed(const struct cluster *cluster, struct outcome *out_outcome,
                            struct oracle *out_oracle, char out_failure[FAILURE_MAX]) {
    static struct overflow overflows[OVERFLOWS_MAX];
    static struct place futures[FUTURES_MAX];
    *out_outcome = (struct outcome){
        .decisions = cluster->broker.decisions,
        .decision_count = cluster->broker.decision_count,
        .overflows = overflows,
        .overflow_count = check_overflows(cluster, overflows, OVERFLOWS_MAX),
        .futures = futures,
        .future_count = check_futures(cluster, futures, FUTURES_MAX),
    };
    check_epochs(cluster, &out_outcome->starts);
    cluster->counts->futures += (int64_t)out_outcome->future_count;
    oracle_run(cluster->world, out_outcome, out_oracle);
    return check_all(cluster, out_oracle, out_failure);
}

/* The same logs and decisions, one worker, no trouble. */
static bool check_undisturbed(const struct cluster *disturbed, uint64_t seed,
                              const struct outcome *outcome, const struct oracle *oracle,
                              char out_failure[FAILURE_MAX]) {
    static struct cluster quiet;
    cluster_create(&quiet, disturbed->world, seed + 1, false, disturbed->counts);
    static const struct decision none;
    quiet.given = outcome->decision_count ? outcome->decisions : &none;
    quiet.given_count = outcome->decision_count;
    quiet.given_futures = outcome->futures;
    quiet.given_future_count = outcome->future_count;
    bool is_right = cluster_run(&quiet);
    if (!is_right)
        snprintf(out_failure, FAILURE_MAX, "undisturbed run: %.480s", quiet.failure);
    char detail[FAILURE_MAX] = "";
    if (is_right && !(check_all(&quiet, oracle, detail) && check_counts(&quiet, oracle, detail))) {
        snprintf(out_failure, FAILURE_MAX, "undisturbed run: %.480s", detail);
        is_right = false;
    }
    is_right = is_right && check_equal(disturbed, &quiet, oracle, out_failure) &&
               check_equal_letters(disturbed, &quiet, out_failure);
    cluster_destroy(&quiet);
    return is_right;
}

static bool run_seed(const struct options *options, uint64_t seed, struct sim_counts *counts,
                     char out_failure[FAILURE_MAX]) {
    static struct world world;
    static struct cluster cluster;
    struct oracle oracle = {0};
    struct outcome outcome;
    world_create(&world, seed);
    cluster_create(&cluster, &world, seed, true, counts);
    cluster.skips_aborts = options->skips_aborts;
    bool is_right = cluster_run(&cluster);
    if (!is_right)
        snprintf(out_failure, FAILURE_MAX, "%.500s", cluster.failure);
    is_right = is_right && check_disturbed(&cluster, &outcome, &oracle, out_failure);
    if (is_right && !world.has_orphan_limit && !world.switch_ms)
        is_right = check_undisturbed(&cluster, seed, &outcome, &oracle, out_failure);
    oracle_release(&oracle);
    cluster_destroy(&cluster);
    world_release(&world);
    return is_right;
}

/* ---- the program ---- */

static void print_counts(const struct sim_counts *counts) {
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {
        {"steps", counts->steps},
        {"commits", counts->commits},
        {"commits with nothing to say", counts->empty_commits},
        {"aborts", counts->aborts},
        {"unknown outcomes, committed", counts->unknown_committed},
        {"unknown outcomes, aborted", counts->unknown_aborted},
        {"crashes", counts->crashes},
        {"crashes at a write of a flush", counts->crashes_in_flush},
        {"crashes at a write of an opening", counts->crashes_in_open},
        {"transactions that stood still", counts->stalls},
        {"partitions moved", counts->moves},
        {"zombies refused", counts->zombies_fenced},
        {"disks lost", counts->disks_lost},
        {"openings with a replay", counts->rebuilds},
        {"records compacted", counts->compacted},
        {"idle decisions", counts->idle_decisions},
        {"changes of epoch", counts->epochs},
        {"refused by the wall clock", counts->futures},
        {"partials", counts->partials},
        {"SLIs", counts->slis},
        {"FINAL", counts->finals},
        {"dead letters", counts->dead_letters},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        printf("%12" PRId64 "  %s\n", rows[i].value, rows[i].name);
    for (int i = 1; i < REFUSAL_COUNT; i++)
        if (counts->refusals[i])
            printf("%12" PRId64 "    %s\n", counts->refusals[i], refusal_code((enum refusal)i));
}

static bool set_mutation(struct options *options, const char *name) {
    for (size_t i = 0; i < COUNT_OF(mutations); i++) {
        if (strcmp(mutations[i].name, name) != 0)
            continue;
        mutation = mutations[i].mutation;
        options->skips_aborts = i == 0;
        options->has_mutation = true;
        return true;
    }
    fprintf(stderr, "sim: no mutation %s\n", name);
    return false;
}

static bool read_options(int count, char **arguments, struct options *out_options) {
    *out_options = (struct options){.seeds = 1000, .from = 1};
    for (int i = 1; i < count; i++) {
        const char *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (strcmp(arguments[i], "--verbose") == 0) {
            out_options->is_verbose = true;
        } else if (strcmp(arguments[i], "--long") == 0) {
            out_options->seeds = 100000;
        } else if (value && strcmp(arguments[i], "--seeds") == 0) {
            out_options->seeds = strtoll(arguments[++i], NULL, 10);
        } else if (value && strcmp(arguments[i], "--from") == 0) {
            out_options->from = strtoll(arguments[++i], NULL, 10);
        } else if (value && strcmp(arguments[i], "--mutation") == 0) {
            if (!set_mutation(out_options, arguments[++i]))
                return false;
        } else {
            fprintf(stderr, "sim: unknown option %s\n", arguments[i]);
            return false;
        }
    }
    return true;
}

static bool run(const struct options *options) {
    struct sim_counts counts = {0};
    int64_t failures = 0;
    for (int64_t i = 0; i < options->seeds; i++) {
        char failure[FAILURE_MAX] = "";
        int64_t seed = options->from + i;
        bool is_right = run_seed(options, (uint64_t)seed, &counts, failure);
        failures += !is_right;
        if (!is_right)
            printf("FAILED seed %" PRId64 ": %s\n", seed, failure);
        else if (options->is_verbose)
            printf("seed %" PRId64 " is right\n", seed);
        fflush(stdout);
        if (!is_right && options->has_mutation && !options->is_verbose)
            break;
    }
    print_counts(&counts);
    printf("%" PRId64 " seeds from %" PRId64 ", %" PRId64 " failed\n", options->seeds,
           options->from, failures);
    return options->has_mutation ? failures > 0 : failures == 0;
}

int main(int count, char **arguments) {
    struct options options;
    if (!read_options(count, arguments, &options))
        return 2;
    return run(&options) ? 0 : 1;
}
