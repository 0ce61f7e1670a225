// SPDX-License-Identifier: Apache-2.0
/*
 * What a run needs after its start, from its own options: paths, system calls, and which
 * capabilities must stay. That is tried with the capabilities gone, and never told by the version
 * of the kernel.
 */
#include "command/run/harden.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/stat.h>

#include "base/append.h"
#include "command/command.h"
#include "command/options/settings.h"
#include "side/common/sandbox.h"
#include "sinks/secret.h"

#define BIT(capability) (1ULL << (capability))
#define CGROUPS         "/sys/fs/cgroup"

struct run {
    const struct mrl_session_options *options;
    struct mrl_plugin *plugin;
};

/* -- outputs ---------------------------------------------------------------------------------- */

/* What an output was given for a text option; NULL: nothing, or the row is of another type. */
static const char *given(const struct mrl_output_spec *spec, const struct mrl_option *row)
{
    const char *text = spec->sink_options + row->offset;

    return row->type == MRL_OPTION_COPY && *text ? text : NULL;
}

/* What is no regular file is never made anew. */
static bool is_special(const char *path)
{
    struct stat file;

    return !stat(path, &file) && !S_ISREG(file.st_mode);
}

static int add_directory(struct mrl_sandbox *sandbox, const char *path, unsigned int rights)
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof(copy), "%s", path);
    return mrl_sandbox__add_path(sandbox, dirname(copy), rights);
}

/* A side program has its own sandbox. Here is the other end of its socket, and where it listens. */
static int add_side(struct mrl_sandbox *sandbox, const struct mrl_output_spec *spec)
{
    const struct mrl_sink_ops *sink = spec->options.sink;
    const char *path = strncmp(spec->options.destination, "unix:", 5) == 0
                           ? strchr(spec->options.destination, '/')
                           : NULL;
    int err = path ? add_directory(sandbox, path, MRL_PATH_SOCKETS) : 0;
    char file[PATH_MAX];

    sandbox->calls |= MRL_CALLS_MESSAGES;
    if (!err && *spec->options.spool.directory) {
        sandbox->calls |= MRL_CALLS_READ | MRL_CALLS_WRITE;
        err = mrl_sandbox__add_path(sandbox, spec->options.spool.directory,
                                    MRL_PATH_MAKE | MRL_PATH_READ);
    }
    /* Files are read here, and again on SIGHUP: the side program may open nothing. */
    for (unsigned int i = 0; !err && i < sink->option_count; i++)
        if (sink->options[i].separator == '/' && given(spec, &sink->options[i]) &&
            *mrl_secret__file(given(spec, &sink->options[i]), file, sizeof(file)))
            err = add_directory(sandbox, file, MRL_PATH_READ);
    return err;
}

/* Where a socket is removed at the end. */
static int add_http(struct mrl_sandbox *sandbox, const char *http)
{
    const char *path = http ? strstr(http, "unix:") : NULL;

    if (http)
        sandbox->calls |= MRL_CALLS_MESSAGES;
    return path ? add_directory(sandbox, path + strlen("unix:"), MRL_PATH_SOCKETS) : 0;
}

static int add_output(struct mrl_sandbox *sandbox, const struct mrl_output_spec *spec)
{
    const struct mrl_sink_ops *sink = spec->options.sink;

    if (sink && sink->side)
        return add_side(sandbox, spec);
    if (!sink || !sink->is_path)
        return 0;
    if (is_special(spec->options.destination))
        return mrl_sandbox__add_path(sandbox, spec->options.destination, MRL_PATH_WRITE);
    return add_directory(sandbox, spec->options.destination, MRL_PATH_MAKE | MRL_PATH_READ);
}

/* -- what must stay --------------------------------------------------------------------------- */

/* Kernels before 5.19 ask for CAP_BPF each time. */
static int reads_counters(void *context)
{
    const struct run *run = context;
    struct mrl_event_counts counts;

    return mrl_plugin__counts(run->plugin, 0, &counts);
}

static int lists_cgroups(void *context)
{
    (void)context;
    return faccessat(AT_FDCWD, CGROUPS, R_OK | X_OK, AT_EACCESS) && errno == EACCES ? -errno : 0;
}

static int may_write(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, AT_EACCESS) && errno == EACCES ? -errno : 0;
}

/* A file that makes room, or is opened anew on SIGHUP, needs its directory; and one that is made
 * anew each time. */
static int remakes_files(void *context)
{
    const struct run *run = context;
    int err = 0;

    for (unsigned int i = 0; !err && i < run->options->outputs.count; i++) {
        const struct mrl_output_options *output = &run->options->outputs.specs[i].options;
        char copy[PATH_MAX];

        if (!output->sink || !output->sink->is_path)
            continue;
        snprintf(copy, sizeof(copy), "%s", output->destination);
        err = may_write(copy, W_OK);
        if (!err && !is_special(copy))
            err = may_write(dirname(copy), W_OK | X_OK);
    }
    if (!err && run->options->install_path)
        err = may_write(run->options->install_path, W_OK | X_OK);
    if (!err && run->options->metrics_file) {
        char copy[PATH_MAX];

        snprintf(copy, sizeof(copy), "%s", run->options->metrics_file);
        err = may_write(dirname(copy), W_OK | X_OK);
    }
    return err;
}

static bool is_live(const struct run *run)
{
    return !run->options->plugin.replay;
}

uint64_t mrl_harden__switching(const char *rung)
{
    unsigned int count;
    const struct mrl_rung *rungs = mrl_rung__all(&count);

    for (unsigned int i = 0; i < count; i++)
        if (!strcmp(rungs[i].name, rung))
            return rungs[i].by_perf_events ? BIT(CAP_PERFMON) : 0;
    return 0;
}

static const struct {
    uint64_t capabilities;
    int (*works_without)(void *run);
    bool is_of_probes;
    const char *why;
} stays[] = {
    { BIT(CAP_BPF) | BIT(CAP_PERFMON), reads_counters, true,
      "this kernel wants it for each bpf()" },
    { BIT(CAP_DAC_READ_SEARCH), lists_cgroups, true, CGROUPS " cannot be listed without" },
    { BIT(CAP_DAC_OVERRIDE), remakes_files, false, "a file is in somebody else's directory" },
};

struct reasons {
    char text[512];
    size_t used;
};

static void stay(struct mrl_sandbox *sandbox,
                 struct reasons *reasons,
                 uint64_t capabilities,
                 const char *why)
{
    char names[256];

    mrl_sandbox__name_capabilities(capabilities, names, sizeof(names));
    sandbox->capabilities |= capabilities;
    mrl_append(reasons->text, sizeof(reasons->text), &reasons->used, "%s%s, as %s",
               reasons->used ? "; " : "", names, why);
}

static void keep(struct mrl_sandbox *sandbox, struct run *run, struct reasons *reasons)
{
    uint64_t switching = is_live(run) && run->options->plugin.switchable
                             ? mrl_harden__switching(mrl_plugin__rung(run->plugin))
                             : 0;

    for (size_t i = 0; i < sizeof(stays) / sizeof(stays[0]); i++)
        if ((is_live(run) || !stays[i].is_of_probes) &&
            mrl_sandbox__without_capabilities(stays[i].works_without, run) < 0)
            stay(sandbox, reasons, stays[i].capabilities, stays[i].why);
    if (switching)
        stay(sandbox, reasons, switching, "events of this rung are switched by it");
    if (switching)
        sandbox->calls |= MRL_CALLS_PERF;
}

/* -- groups ----------------------------------------------------------------------------------- */

/* A file that is made later is given to its group: that needs no capability from who is in it. */
static int join(const char *name)
{
    gid_t groups[NGROUPS_MAX + 1];
    int count = getgroups(NGROUPS_MAX, groups);
    struct group row, *group = NULL;
    char room[16 * 1024];

    if (count < 0)
        return -errno;
    if (getgrnam_r(name, &row, room, sizeof(room), &group) || !group)
        return 0; /* who opened the output has told of it */
    for (int i = 0; i < count; i++)
        if (groups[i] == group->gr_gid)
            return 0;
    groups[count] = group->gr_gid;
    return setgroups((size_t)count + 1, groups) && errno != EPERM ? -errno : 0;
}

static int join_groups(const struct mrl_outputs *outputs)
{
    int err = 0;

    for (unsigned int i = 0; !err && i < outputs->count; i++) {
        const struct mrl_output_spec *spec = &outputs->specs[i];
        const struct mrl_sink_ops *sink = spec->options.sink;

        for (unsigned int j = 0; !err && sink && j < sink->option_count; j++)
            if (!strcmp(sink->options[j].name, "group") && given(spec, &sink->options[j]))
                err = join(given(spec, &sink->options[j]));
    }
    return err;
}

/* -- entering --------------------------------------------------------------------------------- */

/* A directory, or a file, which editors replace by another, and conf.d beside it. */
static int add_configuration(struct mrl_sandbox *sandbox, const char *path)
{
    struct stat file;

    return !stat(path, &file) && S_ISDIR(file.st_mode)
               ? mrl_sandbox__add_path(sandbox, path, MRL_PATH_READ)
               : add_directory(sandbox, path, MRL_PATH_READ);
}

static int fill_paths(struct mrl_sandbox *sandbox, const struct run *run)
{
    static const struct {
        const char *path;
        unsigned int rights;
        bool is_of_probes;
    } paths[] = {
        { "/proc/self", MRL_PATH_READ, false },
        { CGROUPS, MRL_PATH_READ, true },
        { "/sys/kernel/tracing", MRL_PATH_READ | MRL_PATH_WRITE, true },
        { "/sys/kernel/debug/tracing", MRL_PATH_READ | MRL_PATH_WRITE, true },
        { "/sys/bus/event_source", MRL_PATH_READ, true },
        { "/sys/devices/kprobe", MRL_PATH_READ, true },
        /* The names of users and groups, as they are now. */
        { "/etc/nsswitch.conf", MRL_PATH_READ, false },
        { "/etc/passwd", MRL_PATH_READ, false },
        { "/etc/group", MRL_PATH_READ, false },
    };
    const struct mrl_session_options *options = run->options;
    int err = 0;

    for (size_t i = 0; !err && i < sizeof(paths) / sizeof(paths[0]); i++)
        if (is_live(run) || !paths[i].is_of_probes)
            err = mrl_sandbox__add_path(sandbox, paths[i].path, paths[i].rights);
    if (!err && mrl_session_options__may_reload(options) && options->settings->file)
        err = add_configuration(sandbox, options->settings->file);
    for (unsigned int i = 0; !err && i < options->policy_count; i++)
        if (mrl_session_options__may_reload(options))
            err = add_configuration(sandbox, options->policies[i]);
    for (unsigned int i = 0; !err && i < options->sandbox_path_count; i++)
        err = mrl_sandbox__add_path(sandbox, options->sandbox_paths[i],
                                    MRL_PATH_MAKE | MRL_PATH_READ);
    for (unsigned int i = 0; !err && i < options->outputs.count; i++)
        err = add_output(sandbox, &options->outputs.specs[i]);
    if (mrl_session_options__ask_names(options))
        sandbox->calls |= MRL_CALLS_MESSAGES;
    if (!err)
        err = add_http(sandbox, options->http);
    if (!err && options->install_path)
        err = mrl_sandbox__add_path(sandbox, options->install_path, MRL_PATH_MAKE);
    if (!err && options->metrics_file)
        err = add_directory(sandbox, options->metrics_file, MRL_PATH_MAKE | MRL_PATH_READ);
    return err;
}

static int enter(struct run *run, struct mrl_error *missing, struct reasons *reasons)
{
    struct mrl_sandbox sandbox = { .calls = MRL_CALLS_READ | MRL_CALLS_WRITE };
    int err = fill_paths(&sandbox, run);
    char control[MRL_CONTROL_PATH];

    if (is_live(run))
        sandbox.calls |= MRL_CALLS_BPF | MRL_CALLS_PROVE;
    if (is_live(run) && run->options->plugin.switchable)
        sandbox.calls |= MRL_CALLS_PROBES;
    if (!err && mrl_session_options__has_control(run->options)) {
        sandbox.calls |= MRL_CALLS_MESSAGES | MRL_CALLS_ACCEPT;
        err = add_directory(&sandbox, mrl_control_options__path(&run->options->control, control),
                            MRL_PATH_SOCKETS);
    }
    if (mrl_session_options__may_reload(run->options))
        sandbox.calls |= MRL_CALLS_MESSAGES; /* to side programs of later outputs */
    if (!err)
        err = join_groups(&run->options->outputs);
    if (err)
        mrl_error__set(missing, err, "%s", strerror(-err));
    if (!err) {
        keep(&sandbox, run, reasons);
        err = mrl_sandbox__enter(&sandbox, missing);
    }
    mrl_sandbox__done(&sandbox);
    return err;
}

static void say(const struct mrl_session_options *options,
                enum mrl_log_level level,
                const char *text)
{
    options->plugin.log(options->plugin.log_context, level, text);
}

int mrl_harden__enter(const struct mrl_session_options *options,
                      struct mrl_plugin *plugin,
                      struct mrl_error *error)
{
    struct run run = { options, plugin };
    struct reasons reasons = { .used = 0 };
    struct mrl_error missing = { "" }, line;
    int err;

    if (options->sandbox == MRL_SANDBOX_OFF) {
        say(options, MRL_LOG_WARNING, "sandbox off: this process keeps all its rights");
        return 0;
    }
    err = enter(&run, &missing, &reasons);
    if (err < 0)
        return mrl_error__set(error, err, "sandbox: %s", missing.text);
    if (err && options->sandbox == MRL_SANDBOX_REQUIRE)
        return mrl_error__set(error, -EOPNOTSUPP, "--sandbox require: %s", missing.text);
    mrl_error__set(&line, 0, "sandbox: %s, and goes without", missing.text);
    if (err)
        say(options, MRL_LOG_WARNING, line.text);
    mrl_error__set(&line, 0, "sandbox: what stays: %s", reasons.text);
    if (reasons.used)
        say(options, MRL_LOG_INFO, line.text);
    return 0;
}

bool mrl_harden__hides(const char *path)
{
    char copy[PATH_MAX];
    const char *directory;
    int fd;

    snprintf(copy, sizeof(copy), "%s", path);
    directory = dirname(copy);
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd < 0 && errno == EACCES && !faccessat(AT_FDCWD, directory, R_OK, AT_EACCESS);
}

/* Whether permissions alone, which Landlock has no part in, let this process make the file. */
static bool is_permitted(const char *path)
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof(copy), "%s", path);
    return (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 || errno == ENOENT) &&
           faccessat(AT_FDCWD, dirname(copy), W_OK | X_OK, AT_EACCESS) == 0;
}

/* The first of the files that it may read, and cannot. */
static bool is_kept_from_reading(const struct mrl_output_spec *spec)
{
    const struct mrl_sink_ops *sink = spec->options.sink;
    char file[PATH_MAX];

    for (unsigned int i = 0; i < sink->option_count; i++) {
        const struct mrl_option *row = &sink->options[i];

        if (row->separator != '/' || !given(spec, row) ||
            !*mrl_secret__file(given(spec, row), file, sizeof(file)) ||
            faccessat(AT_FDCWD, file, R_OK, AT_EACCESS))
            continue;
        if (mrl_harden__hides(file))
            return true;
    }
    return false;
}

const char *mrl_harden__hint(const struct mrl_session_options *options,
                             const struct mrl_output_spec *spec,
                             int err)
{
    const struct mrl_sink_ops *sink = spec->options.sink;
    const char *path = !sink ? NULL : sink->is_path ? spec->options.destination : NULL;

    if (options->sandbox == MRL_SANDBOX_OFF || (err != -EACCES && err != -EPERM))
        return "";
    if (*spec->options.spool.directory)
        path = spec->options.spool.directory;
    if (err == -EACCES && ((path && is_permitted(path)) || (sink && is_kept_from_reading(spec))))
        return " (the sandbox holds a run to the directories that its outputs had at the start, "
               "and those of sandbox-paths: it needs a restart)";
    return err == -EPERM || !geteuid()
               ? " (after the start, this wants a right that was given up: it needs a restart)"
               : "";
}
