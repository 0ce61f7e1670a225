// SPDX-License-Identifier: Apache-2.0
/*
 * mrelease_pages TEMPLATE: prints the template with each @NAME@ replaced by what the rows of the
 * program say. It is built with the program for ci/generate, and not installed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "pages.h"

static void print_version(void)
{
    fputs(mrl_version(), stdout);
}

static const struct {
    const char *mark;
    void (*print)(void);
} marks[] = {
    { "@VERSION@", print_version },
    { "@VERBS@", mrl_pages__verbs },
    { "@DESTINATIONS@", mrl_pages__destinations },
    { "@PROFILES@", mrl_pages__profiles },
    { "@KEYS@", mrl_pages__keys },
    { "@COMPLETION@", mrl_pages__completion },
    { "@CONFIG_SCHEMA@", mrl_pages__config_schema },
    { "@SHAPE_FIELDS@", mrl_pages__shape_fields },
    { "@SHAPE_WORDS@", mrl_pages__shape_words },
    { "@PICTURE@", mrl_pages__picture },
    { "@OUTCOMES@", mrl_pages__outcomes },
};

/* Prints what stands for the mark at `text`. Returns the bytes of the mark, or 0 when no mark
 * stands there. */
static size_t print_mark(const char *text)
{
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        size_t size = strlen(marks[i].mark);

        if (!strncmp(marks[i].mark, text, size)) {
            marks[i].print();
            return size;
        }
    }
    return 0;
}

/* A line that is one mark is replaced as a whole: its newline is that of the replacement. */
static void print_line(const char *line)
{
    const char *at = line;

    while (*at) {
        size_t size = *at == '@' ? print_mark(at) : 0;

        if (!size)
            putchar(*at);
        else if (at == line && at[size] == '\n')
            return;
        at += size ? size : 1;
    }
}

int main(int argc, char **argv)
{
    FILE *template = argc == 2 ? fopen(argv[1], "re") : NULL;
    char *line = NULL;
    size_t room = 0;

    if (!template) {
        fprintf(stderr, "mrelease_pages: %s\n", argc == 2 ? strerror(errno) : "which template?");
        return 1;
    }
    while (getline(&line, &room, template) > 0)
        print_line(line);
    free(line);
    fclose(template);
    return fflush(stdout) || ferror(stdout);
}
