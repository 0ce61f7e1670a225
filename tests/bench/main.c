// SPDX-License-Identifier: Apache-2.0
/* The benchmark program: groups by name, results as a table or as JSON. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

static const struct bench_group *const groups[] = {
    &bench_encode,   &bench_protobuf, &bench_falco,    &bench_start,    &bench_memory, &bench_tax,
    &bench_latency,  &bench_flood,    &bench_bpftrace, &bench_validate, &bench_grpc,   &bench_paced,
    &bench_identity, &bench_spool,    &bench_metrics,  &bench_names,
};

enum { GROUP_COUNT = sizeof(groups) / sizeof(groups[0]), KEY_LIST = 256 };

struct choices {
    bool chosen[GROUP_COUNT];
    bool any, list, json;
};

static const struct argp_option options[] = {
    { "only", 'o', "GROUP", 0, "Measure this group; may be repeated", 0 },
    { "format", 'f', "FORMAT", 0, "table (default) or json", 0 },
    { "list", KEY_LIST, NULL, 0, "Print the groups and end", 0 },
    { 0 },
};

static void choose(struct choices *choices, const char *name, struct argp_state *state)
{
    bool found = false;

    for (unsigned int i = 0; i < GROUP_COUNT; i++)
        if (!strcmp(groups[i]->name, name))
            found = choices->chosen[i] = choices->any = true;
    if (!found)
        argp_error(state, "no group is called '%s': --list names them", name);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct choices *choices = state->input;

    switch (key) {
    case 'o':
        choose(choices, argument, state);
        return 0;
    case 'f':
        choices->json = !strcmp(argument, "json");
        if (!choices->json && strcmp(argument, "table") != 0)
            argp_error(state, "format '%s' is neither table nor json", argument);
        return 0;
    case KEY_LIST:
        choices->list = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_groups(void)
{
    for (unsigned int i = 0; i < GROUP_COUNT; i++)
        printf("%-8s %s\n", groups[i]->name, groups[i]->doc);
}

int main(int argc, char **argv)
{
    const struct argp arguments = { options, parse, NULL, "Benchmarks of mrelease.",
                                    NULL,    NULL,  NULL };
    struct bench bench = { json_array() };
    struct choices choices = { 0 };
    int failed = 0;

    argp_err_exit_status = 2;
    argp_parse(&arguments, argc, argv, 0, NULL, &choices);
    if (choices.list) {
        print_groups();
    } else {
        for (unsigned int i = 0; i < GROUP_COUNT; i++)
            if (choices.chosen[i] || !choices.any)
                failed |= groups[i]->run(&bench);
        if (choices.json)
            bench_print_json(&bench);
        else
            bench_print_table(&bench);
    }
    json_decref(bench.results);
    return failed || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
