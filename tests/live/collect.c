// SPDX-License-Identifier: Apache-2.0
/* The lines of a test, judged and sampled. */
#include "collect.h"

#include <ctype.h>
#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#define VARIABLE "MRELEASE_TEST_LINES"
#define START    "{\"timestamp\":"

enum { DESCRIPTORS = 16, SHAPES = 1 << 16 };

/* Of this process: hashes of the shapes that are in its file already; 0 is none. */
static uint64_t shapes[SHAPES];
static unsigned int shape_count;
static bool failed;

/* Lines that differ in the digits of their numbers only have the same shape. */
static uint64_t shape_of(const char *line, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (isdigit((unsigned char)line[i]) ? '0' : (unsigned char)line[i])) *
               0x100000001b3;
    return hash ? hash : 1;
}

/* Returns whether the shape is new. When there is no more room, every one is. */
static bool add_shape(uint64_t shape)
{
    size_t i = shape % SHAPES;

    if (shape_count > SHAPES / 2)
        return true;
    while (shapes[i] && shapes[i] != shape)
        i = (i + 1) % SHAPES;
    if (shapes[i])
        return false;
    shapes[i] = shape;
    shape_count++;
    return true;
}

/* One for each judged file: a file has one dialect. */
static FILE *open_sample(void)
{
    static unsigned int number;
    char path[4096];
    FILE *sample;

    snprintf(path, sizeof(path), "%s/%s-%d-%u.jsonl", getenv(VARIABLE),
             program_invocation_short_name, (int)getpid(), number++);
    sample = fopen(path, "ae");
    if (!sample)
        perror(path);
    return sample;
}

/* A line without its end is of a program that was killed, or of a write that failed in its middle.
 */
static bool is_whole(const char *line, ssize_t size)
{
    return size > 1 && line[size - 1] == '\n' && line[size - 2] == '}';
}

static void judge_lines(FILE *file, FILE *validator, FILE *sample)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;

    while ((size = getline(&line, &room, file)) > 0) {
        if (!is_whole(line, size))
            continue;
        fwrite(line, 1, (size_t)size, validator);
        if (add_shape(shape_of(line, (size_t)size)))
            fwrite(line, 1, (size_t)size, sample);
    }
    free(line);
}

static void judge_file(FILE *file, const char *path)
{
    FILE *validator = popen("'" MRL_TEST_PROGRAM "' validate - >&2", "we");
    FILE *sample = open_sample();

    if (!validator || !sample) {
        failed = true;
        return;
    }
    judge_lines(file, validator, sample);
    failed |= fclose(sample) != 0;
    if (pclose(validator)) {
        fprintf(stderr, "# not valid: lines of %s\n", path);
        failed = true;
    }
}

static int judge_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    char start[sizeof(START)] = "";
    FILE *file;

    (void)where;
    if (type != FTW_F || !S_ISREG(status->st_mode) || !MRL_TEST_VALIDATES)
        return 0;
    file = fopen(path, "re");
    if (!file)
        return 0;
    if (fread(start, 1, sizeof(start) - 1, file) == sizeof(start) - 1 && !strcmp(start, START)) {
        rewind(file);
        judge_file(file, path);
    }
    fclose(file);
    return 0;
}

int collect__directory(const char *directory)
{
    failed = false;
    if (getenv(VARIABLE))
        nftw(directory, judge_entry, DESCRIPTORS, FTW_PHYS);
    return failed ? -1 : 0;
}
