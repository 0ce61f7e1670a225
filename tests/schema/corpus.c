// SPDX-License-Identifier: Apache-2.0
/* Lines that are typed or come from an independent encoder. */
#include "corpus.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

static void read_file(struct corpus *corpus, const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t size;

    assert_non_null(file);
    while ((size = getline(&line, &room, file)) > 0) {
        assert_true(line[size - 1] == '\n' && corpus->count < CORPUS_LINES_MAX);
        line[size - 1] = '\0';
        corpus->lines[corpus->count++] = strdup(line);
    }
    free(line);
    fclose(file);
}

static int is_json(const struct dirent *entry)
{
    return strstr(entry->d_name, ".json") != NULL;
}

static void read_golden(struct corpus *corpus)
{
    char directory[512], path[1024];
    struct dirent **entries;
    int count;

    snprintf(directory, sizeof(directory), "%s/golden/%s", MRL_TEST_DIR, corpus->dialect->name);
    count = scandir(directory, &entries, is_json, alphasort);
    if (count < 0) /* no golden line in this dialect */
        return;
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
        read_file(corpus, path);
        free(entries[i]);
    }
    free(entries);
}

void corpus__init(struct corpus *corpus, const struct mrl_dialect *dialect)
{
    char path[512];
    struct mrl_error error;

    *corpus = (struct corpus){ .dialect = dialect };
    if (mrl_check__new(dialect, &error, &corpus->check))
        fail_case("%s", error.text);
    snprintf(path, sizeof(path), "%s/schema/corpus/%s.jsonl", MRL_TEST_DIR, dialect->name);
    read_file(corpus, path);
    read_golden(corpus);
    assert_true(corpus->count > 10);
}

void corpus__done(struct corpus *corpus)
{
    for (unsigned int i = 0; i < corpus->count; i++)
        free(corpus->lines[i]);
    mrl_check__free(corpus->check);
}
