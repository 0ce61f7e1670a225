// SPDX-License-Identifier: Apache-2.0
#include "command/doctor/runtimes.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <mrelease/side.h>
#include <mrelease/sink.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include "base/tame.h"
#include "command/options/wrap.h"

enum { COLUMNS = 8, LINE_BYTES = 640, PATIENCE_S = 8, WORDS_AT = 15 };

/* -- sockets ---------------------------------------------------------------------------------- */

static void describe_owner(const char *path, char *text, size_t size)
{
    struct passwd user, *has_user = NULL;
    struct group group, *has_group = NULL;
    char users[1024], groups[4096], user_id[16], group_id[16];
    struct stat file;

    if (stat(path, &file)) {
        snprintf(text, size, "%s", strerror(errno));
        return;
    }
    snprintf(user_id, sizeof(user_id), "%u", file.st_uid);
    snprintf(group_id, sizeof(group_id), "%u", file.st_gid);
    if (getpwuid_r(file.st_uid, &user, users, sizeof(users), &has_user))
        has_user = NULL;
    if (getgrgid_r(file.st_gid, &group, groups, sizeof(groups), &has_group))
        has_group = NULL;
    snprintf(text, size, "%04o %.14s:%.14s", file.st_mode & 07777U,
             has_user ? user.pw_name : user_id, has_group ? group.gr_name : group_id);
}

/* -- asking ----------------------------------------------------------------------------------- */

/* In a child: the side program, which gives up its rights by itself, and cannot wait for ever. */
__attribute__((noreturn)) static void become_program(const char *program,
                                                     const struct mrl_names_options *options,
                                                     int output)
{
    char words[MRL_NAMES_SOCKETS_MAX][MRL_NAMES_PATH_BYTES + 20];
    const char *arguments[MRL_NAMES_SOCKETS_MAX + 3] = { program, "look" };

    for (size_t i = 0; i < MRL_NAMES_SOCKETS_MAX && options->sockets[i].runtime; i++) {
        snprintf(words[i], sizeof(words[i]), "%s=%s",
                 mrl_runtime__name((enum mrl_runtime)options->sockets[i].runtime),
                 options->sockets[i].path);
        arguments[2 + i] = words[i];
    }
    dup2(output, STDOUT_FILENO);
    alarm(PATIENCE_S);
    execv(program, (char *const *)(uintptr_t)arguments);
    _exit(EXIT_FAILURE);
}

static void copy(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text);
    mrl_tame(to);
}

/* "RUNTIME PATH INTERFACE STATE VERSION CONTAINERS MICROSECONDS WHY", by tabs. */
static void read_line(char *line, struct mrl_found_runtimes *found)
{
    struct mrl_found_runtime *one = &found->at[found->count];
    char *words[COLUMNS];
    unsigned int count = 0;

    line[strcspn(line, "\n")] = '\0';
    while (count < COLUMNS && (words[count] = strsep(&line, "\t")))
        count++;
    if (count < COLUMNS || found->count == MRL_RUNTIMES_FOUND_MAX)
        return;
    copy(one->runtime, sizeof(one->runtime), words[0]);
    copy(one->path, sizeof(one->path), words[1]);
    copy(one->interface, sizeof(one->interface), words[2]);
    copy(one->state, sizeof(one->state), words[3]);
    copy(one->version, sizeof(one->version), words[4]);
    one->containers = (unsigned int)strtoul(words[5], NULL, 10);
    one->lookup_us = strtol(words[6], NULL, 10);
    copy(one->why, sizeof(one->why), words[7]);
    describe_owner(one->path, one->owner, sizeof(one->owner));
    found->count++;
}

static void ask(const char *program,
                const struct mrl_names_options *options,
                struct mrl_found_runtimes *found)
{
    char line[LINE_BYTES];
    int ends[2];
    FILE *answers;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC)) {
        snprintf(found->note, sizeof(found->note), "%s", strerror(errno));
        return;
    }
    fflush(stdout);
    child = fork();
    if (!child)
        become_program(program, options, ends[1]);
    close(ends[1]);
    answers = fdopen(ends[0], "r");
    while (answers && fgets(line, sizeof(line), answers))
        read_line(line, found);
    if (answers)
        fclose(answers);
    else
        close(ends[0]);
    if (child < 0 || waitpid(child, NULL, 0) != child)
        snprintf(found->note, sizeof(found->note), "%s", strerror(errno));
}

void mrl_found_runtimes__look(const struct mrl_names_options *options,
                              struct mrl_found_runtimes *ret_found)
{
    char program[PATH_MAX];
    struct mrl_error error;

    *ret_found = (struct mrl_found_runtimes){ .count = 0 };
    if (mrl_side__find(mrl_sides__names()->side, NULL, program, sizeof(program), &error))
        snprintf(ret_found->note, sizeof(ret_found->note), "%.190s", error.text);
    else
        ask(program, options, ret_found);
}

/* -- the report ------------------------------------------------------------------------------- */

/* What there is to say behind the name of a runtime. */
static void describe(const struct mrl_found_runtime *one, char *text, size_t size)
{
    char lookup[80] = "";

    if (one->lookup_us >= 0)
        snprintf(lookup, sizeof(lookup), "; %u containers, a lookup took %.1f ms", one->containers,
                 (double)one->lookup_us / 1000);
    if (strcmp(one->state, "up") != 0)
        snprintf(text, size, "%s (%s), %s: %s: %s", one->path, one->owner, one->interface,
                 one->state, one->why);
    else
        snprintf(text, size, "%s (%s), %s: %s%s%s%s", one->path, one->owner, one->interface,
                 *one->version ? one->version : "up", lookup, *one->why ? "; " : "", one->why);
}

static void print_one(const struct mrl_found_runtime *one)
{
    struct mrl_wrap wrap = { stdout, (int)mrl_sink__columns_fd(STDOUT_FILENO), WORDS_AT,
                             WORDS_AT - 1 };
    char text[1024];

    describe(one, text, sizeof(text));
    printf("  %-12s", one->runtime);
    mrl_wrap__put(&wrap, text);
    putchar('\n');
}

void mrl_found_runtimes__print(const struct mrl_found_runtimes *found)
{
    printf("\nRuntimes that --names can ask\n");
    for (unsigned int i = 0; i < found->count; i++)
        print_one(&found->at[i]);
    if (*found->note)
        printf("  %s\n", found->note);
    else if (!found->count)
        printf("  none at the usual sockets; --names-socket RUNTIME=PATH names others\n");
}

json_t *mrl_found_runtimes__json(const struct mrl_found_runtimes *found)
{
    json_t *array = json_array();

    for (unsigned int i = 0; i < found->count; i++) {
        const struct mrl_found_runtime *one = &found->at[i];

        json_array_append_new(
            array, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:o, s:s}", "runtime",
                             one->runtime, "path", one->path, "interface", one->interface, "owner",
                             one->owner, "state", one->state, "version", one->version, "containers",
                             (int)one->containers, "lookupMicroseconds",
                             one->lookup_us < 0 ? json_null() : json_integer(one->lookup_us), "why",
                             one->why));
    }
    return array;
}
