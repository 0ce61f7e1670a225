// SPDX-License-Identifier: Apache-2.0
/*
 * The verb check-config: reads a configuration as run would, and looks whether this host has what
 * it names. Every fault is told, and not only the first.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/tame.h"
#include "command/command.h"
#include "command/options/layers.h"
#include "command/options/say.h"
#include "command/run/services/http.h"
#include "command/run/session_options.h"
#include "command/session/policies.h"
#include "sinks/opening.h"
#include "sinks/secret.h"

#define USUAL_FILE "/etc/mrelease/mrelease.yaml"

struct check_options {
    int format;
    const char *user;
};

static const char *const formats[] = { "text", "json", NULL };

static const struct mrl_option rows[] = {
    { .name = "format",
      .type = MRL_OPTION_CHOICE,
      .offset = offsetof(struct check_options, format),
      .words = formats,
      .preset = "text",
      .doc = "How faults print: a line each, or one object." },
    { .name = "user",
      .type = MRL_OPTION_TEXT,
      .offset = offsetof(struct check_options, user),
      .value = "NAME",
      .doc = "Look as this user, whom the service runs as; by default as who asks." },
};

struct checking {
    struct mrl_session_options *session;
    json_t *faults, *warnings; /* texts */
};

static void note(json_t *texts, const char *text)
{
    char line[sizeof(((struct mrl_error *)0)->text)];

    snprintf(line, sizeof(line), "%s", text);
    json_array_append_new(texts, json_string(mrl_tame(line)));
}

static void note_fault(void *context, const char *text)
{
    note(((struct checking *)context)->faults, text);
}

static void note_remark(void *context,
                        enum mrl_policy_remark remark,
                        const char *place,
                        const char *text)
{
    struct checking *checking = context;
    struct mrl_error whole;

    mrl_error__set(&whole, -EINVAL, "%s%s%s", place, *place ? ": " : "", text);
    note(remark == MRL_POLICY_FAULT ? checking->faults : checking->warnings, whole.text);
}

/* -- what the host has ------------------------------------------------------------------------ */

/* A directory in which files are made, of which one may be there already. */
static int check_place(const char *path, struct mrl_error *error)
{
    char copy[PATH_MAX];
    const char *directory;
    struct stat file;

    snprintf(copy, sizeof(copy), "%s", path);
    directory = dirname(copy);
    if (stat(directory, &file))
        return mrl_error__set(error, -errno, "%.200s: %s", directory, strerror(errno));
    if (!S_ISDIR(file.st_mode))
        return mrl_error__set(error, -ENOTDIR, "%.200s is no directory", directory);
    if (!stat(path, &file) && !S_ISREG(file.st_mode) && !S_ISDIR(file.st_mode))
        directory = path; /* of a FIFO or a device nothing is made */
    if (faccessat(AT_FDCWD, directory, W_OK, AT_EACCESS))
        return mrl_error__set(error, -errno, "%.200s: nothing can be written there: %s", directory,
                              strerror(errno));
    if (!stat(path, &file) && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS))
        return mrl_error__set(error, -errno, "%.200s: %s", path, strerror(errno));
    return 0;
}

static int check_readable(const char *path, struct mrl_error *error)
{
    if (!faccessat(AT_FDCWD, path, R_OK, AT_EACCESS))
        return 0;
    return mrl_error__set(error, -errno, "%.200s: %s", path, strerror(errno));
}

/* Files that its settings name: certificates, tokens. */
static int check_files(const struct mrl_output_spec *spec, struct mrl_error *error)
{
    const struct mrl_sink_ops *sink = spec->options.sink;
    char file[PATH_MAX];
    int err = 0;

    for (unsigned int i = 0; !err && sink && i < sink->option_count; i++) {
        const struct mrl_option *row = &sink->options[i];
        const char *text = spec->sink_options + row->offset;

        if (row->type == MRL_OPTION_COPY && row->separator == '/' && *text &&
            *mrl_secret__file(text, file, sizeof(file)))
            err = check_readable(file, error);
    }
    return err;
}

static int check_output(const struct mrl_output_spec *spec, struct mrl_error *error)
{
    const struct mrl_sink_ops *sink = spec->options.sink;
    char path[PATH_MAX];
    int err = 0;

    if (sink && sink->side)
        err = mrl_side__find(sink->side, NULL, path, sizeof(path), error);
    if (!err && sink && sink->is_path)
        err = check_place(spec->options.destination, error);
    else if (!err && sink && !strncmp(spec->options.destination, "unix:/", 6) && sink->control)
        err = check_place(spec->options.destination + 5, error);
    if (!err && *spec->options.spool.directory)
        err = check_place(spec->options.spool.directory, error);
    return err ? err : check_files(spec, error);
}

static int check_directory(const char *path, struct mrl_error *error)
{
    struct stat file;

    if (stat(path, &file))
        return mrl_error__set(error, -errno, "%.200s: %s", path, strerror(errno));
    return S_ISDIR(file.st_mode) ? 0
                                 : mrl_error__set(error, -ENOTDIR, "%.200s is no directory", path);
}

static int check_http(const struct mrl_session_options *session, struct mrl_error *error)
{
    struct mrl_http_target http;
    char program[PATH_MAX];
    int err = mrl_http_target__read(session->http, (enum mrl_metrics_names)session->http_names,
                                    &http, error);

    if (!err)
        err = mrl_side__find(mrl_sides__metrics()->side, NULL, program, sizeof(program), error);
    if (!err && !strncmp(http.destination, "unix:/", 6))
        err = check_place(http.destination + 5, error);
    return err;
}

/* A socket that is not there may come. */
static int check_names(const struct mrl_session_options *session, struct mrl_error *error)
{
    char program[PATH_MAX];

    return mrl_session_options__ask_names(session)
               ? mrl_side__find(mrl_sides__names()->side, NULL, program, sizeof(program), error)
               : 0;
}

static int check_control(const struct mrl_control_options *control, struct mrl_error *error)
{
    gid_t group;
    int err = mrl_opening__find_group(control->group, control->path, &group, error);

    return err || !*control->path ? err : check_place(control->path, error);
}

/* A value that its row took, and that came to the options last. */
static int look(void *context,
                const struct mrl_setting *setting,
                const struct mrl_option *row,
                struct mrl_error *error)
{
    const struct mrl_session_options *session = ((struct checking *)context)->session;
    const struct mrl_outputs *outputs = &session->outputs;

    (void)setting;
    if (!strcmp(row->name, "output") || !strcmp(row->name, "record"))
        return check_output(&outputs->specs[outputs->count - 1], error);
    if (!strcmp(row->name, "sandbox-paths"))
        return check_directory(session->sandbox_paths[session->sandbox_path_count - 1], error);
    if (!strcmp(row->name, "metrics-file"))
        return check_place(session->metrics_file, error);
    if (!strcmp(row->name, "http"))
        return check_http(session, error);
    if (!strcmp(row->name, "names") || !strcmp(row->name, "names-socket"))
        return check_names(session, error);
    if (!strcmp(row->name, "control"))
        return check_control(&session->control, error);
    return 0;
}

/* Who may write it says what runs, and where events go. */
static void look_who_writes(struct checking *checking, const char *path)
{
    struct mrl_error text;
    struct stat file;

    if (stat(path, &file) || !(file.st_mode & (S_IWGRP | S_IWOTH)) ||
        (!(file.st_mode & S_IWOTH) && !file.st_gid))
        return;
    mrl_error__set(&text, -EPERM, "%.200s: %s may write it: its mode is %04o", path,
                   file.st_mode & S_IWOTH ? "everybody" : "a group",
                   (unsigned int)file.st_mode & 07777);
    note(checking->warnings, text.text);
}

static void look_at_writers(struct checking *checking, char *const *files, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++)
        look_who_writes(checking, files[i]);
}

/* -- policies --------------------------------------------------------------------------------- */

static void check_policies(struct checking *checking)
{
    struct mrl_session_options *session = checking->session;
    struct mrl_policy_set *set = &session->policy_set;
    struct mrl_error error;

    if (mrl_session_policies__check(session, &error))
        note_fault(checking, error.text);
    if (!session->policy_count)
        return;
    *set = (struct mrl_policy_set){ .say = note_remark,
                                    .context = checking,
                                    .tracee = (enum mrl_tracee)session->tracee,
                                    .is_again = true };
    if (mrl_policy_set__read(set, session->policies, session->policy_count, &error) && !set->faults)
        note_fault(checking, error.text);
    look_at_writers(checking, set->files, set->file_count);
    mrl_policy_set__free(set);
}

/* -- who looks -------------------------------------------------------------------------------- */

static int become(const char *name, struct mrl_error *error)
{
    struct passwd row, *user = NULL;
    char room[16 * 1024];

    if (getpwnam_r(name, &row, room, sizeof(room), &user) || !user)
        return mrl_error__set(error, -EINVAL, "there is no user '%.64s'", name);
    if (user->pw_uid == geteuid())
        return 0;
    if (initgroups(name, user->pw_gid) || setgid(user->pw_gid) || setuid(user->pw_uid))
        return mrl_error__set(error, -errno, "--user %.64s: %s", name, strerror(errno));
    return 0;
}

/* -- telling ---------------------------------------------------------------------------------- */

/* "FILE:LINE:COLUMN: what" taken apart; what has no place has none. */
static json_t *fault_object(const char *text)
{
    const char *at = text;
    unsigned int line, column;
    int size = 0;

    while ((at = strchr(at, ':'))) {
        if (sscanf(at, ":%u:%u: %n", &line, &column, &size) == 2 && size)
            return json_pack("{s:s%, s:i, s:i, s:s}", "file", text, (size_t)(at - text), "line",
                             (int)line, "column", (int)column, "message", at + size);
        at++;
    }
    return json_pack("{s:s}", "message", text);
}

static json_t *objects(const json_t *texts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(texts); i++)
        json_array_append_new(list, fault_object(json_string_value(json_array_get(texts, i))));
    return list;
}

static json_t *result_object(const struct checking *checking, const struct mrl_settings *settings)
{
    json_t *files = json_array();

    for (unsigned int i = 0; i < settings->file_count; i++)
        json_array_append_new(files, json_string(mrl_tame(settings->files[i])));
    return json_pack("{s:b, s:o, s:o, s:o}", "ok", !json_array_size(checking->faults), "files",
                     files, "faults", objects(checking->faults), "warnings",
                     objects(checking->warnings));
}

static void print_text(const struct checking *checking, const struct mrl_settings *settings)
{
    const size_t count = json_array_size(checking->faults);

    for (size_t i = 0; i < count; i++)
        puts(json_string_value(json_array_get(checking->faults, i)));
    for (size_t i = 0; i < json_array_size(checking->warnings); i++)
        printf("warning: %s\n", json_string_value(json_array_get(checking->warnings, i)));
    if (count)
        return;
    for (unsigned int i = 0; i < settings->file_count; i++)
        printf("%s%s", i ? ", " : "", mrl_tame(settings->files[i]));
    puts(": nothing is wrong");
}

static int tell(const struct checking *checking,
                const struct mrl_settings *settings,
                const struct check_options *options)
{
    json_t *result = options->format ? result_object(checking, settings) : NULL;
    int status;

    if (!options->format) {
        print_text(checking, settings);
    } else {
        json_dumpf(result, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(result);
    status = mrl_flush_stdout();
    return status ? status : json_array_size(checking->faults) ? MRL_EXIT_FAILED : MRL_EXIT_OK;
}

static int check(const char *path, const struct check_options *options)
{
    struct mrl_session_options *session = calloc(1, sizeof(*session));
    struct checking checking = { .session = session,
                                 .faults = json_array(),
                                 .warnings = json_array() };
    struct mrl_settings settings = { .fault = note_fault, .applied = look, .context = &checking };
    struct mrl_option_group groups[2];
    struct mrl_error error = { "" };
    int status = MRL_EXIT_FAILED;

    if (session && checking.faults && checking.warnings) {
        session->plugin = (struct mrl_plugin_options)MRL_PLUGIN_OPTIONS;
        session->settings = &settings;
        mrl_session_options__groups(session, groups);
        if (mrl_layers__read_file(path, groups, 2, &settings, &error))
            note_fault(&checking, error.text);
        look_at_writers(&checking, settings.files, settings.file_count);
        check_policies(&checking);
        status = tell(&checking, &settings, options);
    }
    json_decref(checking.faults);
    json_decref(checking.warnings);
    mrl_settings__free(&settings);
    free(session);
    return status;
}

static int run(const struct mrl_verb *verb, int argc, char **argv)
{
    struct check_options options = { .user = NULL };
    const struct mrl_option_group group = { rows, sizeof(rows) / sizeof(rows[0]), &options };
    struct mrl_error error;
    int status, operand = mrl_arguments__parse(verb, argc, argv, &group, 1, &status);

    if (operand < 0)
        return status;
    if (options.user && become(options.user, &error))
        return mrl_usage_error(verb, error.text);
    return check(operand < argc ? argv[operand] : USUAL_FILE, &options);
}

const struct mrl_verb mrl_verb_check_config = {
    .name = "check-config",
    .operands = "[FILE|DIR]",
    .operands_max = 1,
    .doc = "Read a configuration as run would, and tell all of its faults.",
    .run = run,
};
