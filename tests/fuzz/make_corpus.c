// SPDX-License-Identifier: Apache-2.0
/*
 * Writes the records from which fuzz_record starts: one of each event, with and without target, and
 * targets at their limits. Run it when the layout of records changes:
 *
 *     build/fuzz/tests/fuzz/make_corpus tests/fuzz/corpus/fuzz_record
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/records.h"

static void save(const char *directory, const char *name, const struct test_record *record)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "we");
    if (!file || fwrite(record, record->call.size, 1, file) != 1 || fclose(file)) {
        perror(path);
        exit(1);
    }
}

static void save_targets(const char *directory)
{
    char steps[MRL_EXE_BYTES] = { 0 };
    struct test_record record;

    test_record__init(&record, MRL_EVENT_DO_MRELEASE);
    test_record__add_target(&record);
    save(directory, "target", &record);
    test_record__set_path(&record, "", 0);
    save(directory, "target_without_path", &record);
    test_record__set_path(&record, steps, sizeof(steps));
    save(directory, "target_of_empty_steps", &record);
    memset(steps, 'x', sizeof(steps) - 1);
    test_record__set_path(&record, steps, sizeof(steps));
    record.target.flags = 0x3f;
    memset(&record.target.before, 0xff, sizeof(record.target.before));
    memset(record.target.comm, 0xff, sizeof(record.target.comm));
    save(directory, "target_with_long_path", &record);
}

int main(int argc, char **argv)
{
    struct test_record record;

    if (argc != 2) {
        fprintf(stderr, "usage: make_corpus DIRECTORY\n");
        return 2;
    }
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        test_record__init(&record, i);
        record.call.flags = i % 2 ? MRL_RECORD_COMPAT : 0;
        save(argv[1], mrl_event_def__at(i)->name, &record);
    }
    test_record__init(&record, MRL_EVENT_PROCESS_MRELEASE);
    record.call.flags = MRL_RECORD_NO_ENTRY;
    memset(record.call.comm, '<', sizeof(record.call.comm));
    save(argv[1], "blocked_call", &record);
    save_targets(argv[1]);
    return 0;
}
