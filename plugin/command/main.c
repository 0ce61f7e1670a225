// SPDX-License-Identifier: Apache-2.0
/* The program: finds the verb and runs it. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"

static int unknown_option(const char *word)
{
    static const char *const options[] = { "--help", "--version" };
    struct mrl_error error;

    mrl_error__unknown(&error, "option", word, options, sizeof(options) / sizeof(options[0]));
    return mrl_usage_error(NULL, error.text);
}

/* A file that is opened must not become what everybody takes for standard output or error. */
static void open_standard_descriptors(void)
{
    int fd;

    while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
        ;
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    const struct mrl_verb *verb;
    struct mrl_error error;

    open_standard_descriptors();
    if (argc < 2)
        return mrl_usage_error(NULL, "which verb?");
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        argv[1] = (char *)"help";
    if (!strcmp(argv[1], "--version"))
        argv[1] = (char *)"version";
    if (*argv[1] == '-')
        return unknown_option(argv[1]);
    verb = mrl_verb__find(argv[1], &error);
    return verb ? verb->run(verb, argc - 1, argv + 1) : mrl_usage_error(NULL, error.text);
}
