// SPDX-License-Identifier: Apache-2.0
/*
 * Random policies and calls, as tests/policies/judge.py judges them: the reader agrees, and so do
 * the rules of the kernel, which may let through too much, and never too little.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter/filter.h"
#include "unit/kernel_rules.h"
#include "unit/records.h"
#include "unit/unit.h"

enum { LINE_BYTES = 4096, TEXTS_MAX = 1024, SETS = 1100, CALLS = 100, CALL_WORDS = 22 };

/* The policies of a set as they are read. */
struct set {
    struct mrl_policy_texts policies[MRL_POLICIES_MAX];
    const char *events[MRL_POLICIES_MAX][TEXTS_MAX / MRL_POLICIES_MAX];
    const char *scopes[MRL_POLICIES_MAX][TEXTS_MAX / MRL_POLICIES_MAX];
    unsigned int count;
    char bytes[256 * 1024];
    size_t used;
};

struct judged {
    struct test_decoder decoder;
    struct set set;
    struct mrl_filter *filter; /* NULL: the set cannot be, or has not ended */
    struct mrl_rules rules;
    bool is_whole; /* all conditions are rules */
    struct mrl_membership container;
    unsigned int calls, wanted, refused, by_kernel;
};

static struct mrl_membership find_container(void *judged, uint64_t cgroup_id)
{
    (void)cgroup_id;
    return ((struct judged *)judged)->container;
}

static const char *keep(struct set *set, const char *text)
{
    char *copy = set->bytes + set->used;

    set->used += strlen(text) + 1;
    assert_true(set->used <= sizeof(set->bytes));
    return strcpy(copy, text);
}

static void add_text(struct set *set, char what, const char *text)
{
    struct mrl_policy_texts *policy = &set->policies[set->count - (what != 'P')];

    if (what == 'P') {
        *policy = (struct mrl_policy_texts){ .name = keep(set, text),
                                             .events = set->events[set->count],
                                             .scopes = set->scopes[set->count] };
        set->count++;
        return;
    }
    assert_true(set->count && policy->event_count + 1 < TEXTS_MAX / MRL_POLICIES_MAX &&
                policy->scope_count + 1 < TEXTS_MAX / MRL_POLICIES_MAX);
    if (what == 'E')
        set->events[set->count - 1][policy->event_count++] = keep(set, text);
    else
        set->scopes[set->count - 1][policy->scope_count++] = keep(set, text);
}

/* Policies that can match nothing are errors of ours; the evaluator has no opinion of them. */
static void make(struct judged *judged)
{
    static const char *const known[] = { "limits at once", "in a container and in none",
                                         "nothing is", "matches everything" };
    struct mrl_error error = { "" };
    bool is_known = false;

    if (!mrl_filter__of_policies(judged->set.policies, judged->set.count,
                                 &(struct mrl_start){ .boot_ns = 5000 }, &error, &judged->filter)) {
        judged->is_whole = !mrl_filter__rules(judged->filter, &judged->rules);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(known); i++)
        is_known |= strstr(error.text, known[i]) != NULL;
    if (!is_known)
        fail_case("%s", error.text);
    judged->filter = NULL;
    judged->refused++;
}

static void read_name(char name[MRL_NAME_BYTES], const char *word)
{
    memset(name, 'z', MRL_NAME_BYTES); /* what is behind a NUL is garbage */
    strcpy(name, strcmp(word, "-") != 0 ? word : "");
    name[MRL_NAME_BYTES - 1] = '\0';
}

static uint64_t number_of(const char *word)
{
    return *word == '-' ? (uint64_t)strtoll(word, NULL, 10) : strtoull(word, NULL, 10);
}

static uint64_t read_call(struct judged *judged, char *line, struct test_record *record)
{
    const struct mrl_event_def *def;
    char *words[CALL_WORDS], *rest = line;
    struct mrl_record *call = &record->call;
    unsigned int count = 0;

    for (char *word; count < CALL_WORDS && (word = strsep(&rest, " "));)
        words[count++] = word;
    assert_int_equal(count, CALL_WORDS);
    def = mrl_event_def__find(words[0], NULL);
    assert_non_null(def);
    test_record__init(record, def->index);
    call->ret = (int64_t)number_of(words[1]);
    for (unsigned int i = 0; i < 3; i++)
        call->args[i] = number_of(words[2 + i]);
    call->uid = (__u32)number_of(words[5]);
    call->host_pid = (__u32)number_of(words[6]);
    call->host_tid = (__u32)number_of(words[7]);
    call->host_ppid = (__u32)number_of(words[8]);
    call->pid = (__u32)number_of(words[9]);
    call->tid = (__u32)number_of(words[10]);
    call->ppid = (__u32)number_of(words[11]);
    call->mount_ns = (__u32)number_of(words[12]);
    call->pid_ns = (__u32)number_of(words[13]);
    call->cgroup_id = number_of(words[14]);
    call->cpu = (__u16)number_of(words[15]);
    call->leader_start_ns = number_of(words[16]);
    read_name(call->comm, words[17]);
    read_name(call->host_name, words[18]);
    judged->container = (struct mrl_membership){
        .id = { strcmp(words[19], "-") != 0 ? words[19] : "",
                strcmp(words[19], "-") != 0 ? 64 : 0 },
        .lookup = (enum mrl_lookup)number_of(words[20]),
    };
    return strtoull(words[21], NULL, 16);
}

static void say_set(const struct set *set, uint64_t policies)
{
    for (unsigned int i = 0; i < set->count; i++) {
        if (!(policies & (1ULL << i)))
            continue;
        print_error("policy %u:", i);
        for (unsigned int j = 0; j < set->policies[i].event_count; j++)
            print_error(" -e '%s'", set->events[i][j]);
        for (unsigned int j = 0; j < set->policies[i].scope_count; j++)
            print_error(" -s '%s'", set->scopes[i][j]);
        print_error("\n");
    }
}

static void judge(struct judged *judged, const char *text)
{
    char line[LINE_BYTES];
    struct test_record record;
    uint64_t wanted, reader, kernel, all;
    unsigned int event;

    strcpy(line, text);
    wanted = read_call(judged, line, &record);
    event = record.call.event;
    /* One that nobody names would be one that was enabled, and is not watched here. */
    all = judged->filter->events & (1U << event) ? mrl_filter__wanted_by(judged->filter, event) : 0;
    kernel = test_rules__left(&judged->rules, &record.call, all);
    reader =
        all ? mrl_filter__match(judged->filter, test_decoder__event(&judged->decoder, &record)) : 0;
    if (all)
        mrl_batch__take_back(judged->decoder.batch, 0);
    if (reader != wanted || wanted & ~kernel || (judged->is_whole && !kernel != !wanted)) {
        say_set(&judged->set, (reader ^ wanted) | (wanted & ~kernel) | (wanted ? 0 : kernel));
        fail_case("%s: wanted %" PRIx64 ", reader %" PRIx64 ", kernel %" PRIx64, text, wanted,
                  reader, kernel);
    }
    judged->calls++;
    judged->wanted += wanted != 0;
    judged->by_kernel += all && !kernel;
}

static void take(struct judged *judged, char *line)
{
    struct set *set = &judged->set;

    line[strcspn(line, "\n")] = '\0';
    if (*line == '.') {
        mrl_filter__free(judged->filter);
        judged->filter = NULL;
        *set = (struct set){ .count = 0 };
        return;
    }
    if (*line != 'C') {
        add_text(set, *line, line + 2);
        return;
    }
    if (!judged->filter && set->used) {
        make(judged);
        set->used =
            judged->filter ? set->used : 0; /* the rest of a set that cannot be is skipped */
    }
    if (judged->filter)
        judge(judged, line + 2);
}

static void policies_want_what_an_independent_judge_says(void **state)
{
    const char *seed = getenv("MRELEASE_TEST_SEED");
    struct judged *judged = calloc(1, sizeof(*judged));
    char command[512], line[LINE_BYTES];
    FILE *from;

    (void)state;
    assert_non_null(judged);
    test_decoder__init(&judged->decoder);
    judged->decoder.host.container = find_container;
    judged->decoder.host.containers = judged;
    snprintf(command, sizeof(command), "/usr/bin/python3 -B %s/policies/judge.py %d %d %d",
             MRL_TEST_DIR, seed ? atoi(seed) : 20, SETS, CALLS);
    from = popen(command, "re");
    assert_non_null(from);
    while (fgets(line, sizeof(line), from))
        take(judged, line);
    assert_int_equal(pclose(from), 0);
    print_message("%u calls, %u wanted by a policy, %u refused by the kernel alone; %u of %d sets "
                  "cannot be\n",
                  judged->calls, judged->wanted, judged->by_kernel, judged->refused, SETS);
    assert_true(judged->calls >= 100 * 1000);
    assert_in_range(judged->wanted, judged->calls / 10, judged->calls * 9 / 10);
    assert_true(judged->by_kernel > judged->calls / 20);
    mrl_filter__free(judged->filter);
    test_decoder__done(&judged->decoder);
    free(judged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_want_what_an_independent_judge_says),
    };

    return cmocka_run_group_tests_name("policies_judged", tests, NULL, NULL);
}
