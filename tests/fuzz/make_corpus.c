// SPDX-License-Identifier: Apache-2.0
/*
 * Writes the records from which fuzz_record starts (one of each event, with and without target, and
 * targets at their limits), and captures of them for fuzz_capture. Run it when the layout of
 * records or captures changes:
 *
 *     build/fuzz/tests/fuzz/make_corpus tests/fuzz/corpus
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/captures.h"

static void write_file(
    const char *directory, const char *fuzzer, const char *name, const void *bytes, size_t size)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s/%s", directory, fuzzer, name);
    file = fopen(path, "we");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file)) {
        perror(path);
        exit(1);
    }
}

static void save(const char *directory, const char *name, const struct test_record *record)
{
    write_file(directory, "fuzz_record", name, record, record->call.size);
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
    record.target.flags = 0x7fffff;
    memset(&record.target.before, 0xff, sizeof(record.target.before));
    memset(record.target.comm, 0xff, sizeof(record.target.comm));
    save(directory, "target_with_long_path", &record);
    record.call.event = MRL_EVENT_PROCESS_MRELEASE;
    record.call.ret = -22;
    save(directory, "target_of_a_failed_call", &record);
}

static void save_locks(const char *directory)
{
    const struct mrl_locks locks = { 1, MRL_LOCKS_UNKNOWN, 65536 };
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK2);
    record.call.flags = MRL_RECORD_LOCKS;
    record.call.args[2] = 0x81;
    record.call.size = sizeof(record.call) + sizeof(locks);
    memcpy(&record.target, &locks, sizeof(locks)); /* what follows the record */
    save(directory, "locks", &record);
}

static void save_callers(const char *directory)
{
    char steps[MRL_EXE_BYTES] = { 0 };
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    test_record__set_caller_path(&record, "oomd\0bin", sizeof("oomd\0bin"));
    record.call.flags |= MRL_RECORD_EXE_CUT;
    save(directory, "caller_with_path", &record);
    memset(steps, 0xff, sizeof(steps) - 1);
    test_record__init_full(&record);
    test_record__set_path(&record, steps, sizeof(steps));
    test_record__set_caller_path(&record, steps, sizeof(steps));
    save(directory, "caller_and_target_with_long_paths", &record);
}

static void save_records(const char *directory)
{
    struct test_record record;

    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        test_record__init(&record, i);
        record.call.flags = i % 2 ? MRL_RECORD_COMPAT : 0;
        save(directory, mrl_event_def__at(i)->name, &record);
    }
    test_record__init(&record, MRL_EVENT_PROCESS_MRELEASE);
    record.call.flags = MRL_RECORD_NO_ENTRY;
    memset(record.call.comm, '<', sizeof(record.call.comm));
    save(directory, "blocked_call", &record);
    save_targets(directory);
    save_callers(directory);
    save_locks(directory);
}

static void fill_each_event(struct test_capture *capture)
{
    struct test_record record;

    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        test_record__init(&record, i);
        test_capture__add(capture, &record);
    }
    test_capture__close(capture);
}

/* `missing` bytes of its end are left out. */
static void save_capture(const char *directory,
                         const char *name,
                         void (*fill)(struct test_capture *capture),
                         size_t missing)
{
    static char bytes[16 * 1024];
    struct test_capture *capture;
    void *state;
    FILE *file;
    size_t size;

    test_capture__set_up(&state);
    capture = state;
    fill(capture);
    file = fopen(capture->path, "re");
    size = file ? fread(bytes, 1, sizeof(bytes), file) : 0;
    if (size <= missing) {
        perror(capture->path);
        exit(1);
    }
    fclose(file);
    write_file(directory, "fuzz_capture", name, bytes, size - missing);
    test_capture__tear_down(&state);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: make_corpus DIRECTORY\n");
        return 2;
    }
    save_records(argv[1]);
    save_capture(argv[1], "containers_and_a_gap", test_capture__fill, 0);
    save_capture(argv[1], "each_event", fill_each_event, 0);
    save_capture(argv[1], "torn", test_capture__fill, 20);
    save_capture(argv[1], "without_end", test_capture__fill, 40);
    return 0;
}
