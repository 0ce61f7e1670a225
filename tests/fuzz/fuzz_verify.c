// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as a file, packed or not: a verdict, whatever they are. And as a line: what the fast
 * path takes for an event is the same event to a reader of JSON.
 */
#include <unistd.h>

#include <sys/mman.h>

#include "command/verify/verify.h"
#include "fuzz.h"

static void compare(const uint8_t *data, size_t size)
{
    struct mrl_line fast = { 0 }, slow = { 0 };
    char *line = fuzz_string(data, size);

    line[size] = '\n';
    mrl_line__parse(line, size, &slow);
    if (mrl_line__scan(line, size, &fast))
        must(slow.kind == MRL_LINE_EVENT && slow.cpu == fast.cpu && slow.lane == fast.lane &&
             slow.seq == fast.seq);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[32], *paths[] = { path, NULL };
    static FILE *nowhere;
    int file = memfd_create("fuzz", MFD_CLOEXEC), status;

    if (!nowhere)
        nowhere = fopen("/dev/null", "w");
    must(file >= 0 && nowhere && write(file, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    status = mrl_verify__files(paths, size % 2 ? &mrl_report_text : &mrl_report_json, nowhere);
    must(status == MRL_VERIFY_COMPLETE || status == MRL_VERIFY_OPEN ||
         status == MRL_VERIFY_CHANGED);
    close(file);
    compare(data, size);
    return 0;
}
