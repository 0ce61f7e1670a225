// SPDX-License-Identifier: Apache-2.0
/* What --output, --record and the other options of a session may say. */
#include "command/run/session_options.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "command/options/settings.h"
#include "command/policy/tracee.h"
#include "command/run/record.h"
#include "command/run/services/http.h"

static int add_output(void *member, const char *value, struct mrl_error *error)
{
    return mrl_outputs__add(member, value, error);
}

static int add_record(void *member, const char *value, struct mrl_error *error)
{
    return mrl_record__add(member, value, error);
}

static int check_http(void *member, const char *value, struct mrl_error *error)
{
    struct mrl_http_target target;

    (void)member;
    return mrl_http_target__read(value, MRL_METRICS_NAMES_OWN, &target, error);
}

/* Who collects such files looks at no others. */
static int check_metrics_file(void *member, const char *value, struct mrl_error *error)
{
    const size_t size = strlen(value);

    (void)member;
    return size > 5 && !strcmp(value + size - 5, ".prom")
               ? 0
               : mrl_error__set(error, -EINVAL, "'%.64s': its name ends with .prom", value);
}

static const char *const names_modes[] = {
    [MRL_NAMES_AS_SOCKETS_SAY] = "auto",
    [MRL_NAMES_ASKED] = "on",
    [MRL_NAMES_NOT_ASKED] = "off",
    NULL,
};

static const char *const http_names[] = {
    [MRL_METRICS_NAMES_OWN] = "mrelease", [MRL_METRICS_NAMES_TRACEE] = "tracee", NULL
};

static int set_control(void *member, const char *value, struct mrl_error *error)
{
    return mrl_control_options__parse(member, value, error);
}

static const char *const log_levels[] = { "error", "warning", "info", "debug", NULL };

static const char *const log_formats[] = { "auto", "text", "json", "journal", NULL };

static const char *const sandbox_modes[] = {
    [MRL_SANDBOX_ON] = "on", [MRL_SANDBOX_OFF] = "off", [MRL_SANDBOX_REQUIRE] = "require", NULL
};

const char *mrl_sandbox_mode__word(int mode)
{
    return sandbox_modes[mode];
}

#define AT(member) offsetof(struct mrl_session_options, member)

static const struct mrl_option rows[] = {
    { .name = "output",
      .letter = 'o',
      .type = MRL_OPTION_OWN,
      .offset = AT(outputs),
      .many = MRL_OUTPUTS_MAX,
      .parse = add_output,
      .word = mrl_outputs__format,
      .separator = ':',
      .value = "FORMAT[:DEST]",
      .preset = "json",
      .reloads = true,
      .doc = "A format, and where to, as json:PATH; help lists the destinations. May be repeated. "
             "Settings follow the format, as json,policy=block:PATH. On a terminal, table is the "
             "default." },
    { .name = "extra",
      .type = MRL_OPTION_SET,
      .offset = AT(extras),
      .word = mrl_extra__name,
      .value = "EXTRAS",
      .doc = "Further arguments, after Tracee's own; 'mrelease events' lists their fields. "
             "exe fills executable.path." },
    { .name = "policy",
      .letter = 'p',
      .type = MRL_OPTION_PATH,
      .offset = AT(policies),
      .many = MRL_POLICY_PATHS_MAX,
      .counter = AT(policy_count),
      .separator = '/',
      .value = "FILE|DIR",
      .reloads = true,
      .doc =
          "Policies, as Tracee's files have them: events and scopes under a name. Of a directory "
          "all *.yaml, *.yml and *.json. May be repeated; in place of --events and --scope." },
    { .name = "tracee",
      .type = MRL_OPTION_CHOICE,
      .offset = AT(tracee),
      .words = mrl_tracee_names,
      .what = "version of Tracee",
      .preset = "any",
      .reloads = true,
      .doc =
          "What this version refuses in policies, events and scopes is refused here, too; any: nothing "
          "is." },
    { .name = "record",
      .type = MRL_OPTION_OWN,
      .offset = AT(outputs),
      .parse = add_record,
      .value = "FILE",
      .separator = '/',
      .doc = "Also write the records to this new file, for 'mrelease replay'; beside --output. A "
             "recording that is there becomes FILE.1. Settings precede it, as "
             "rotate=1G,keep=9:FILE." },
    { .name = "http",
      .type = MRL_OPTION_TEXT,
      .offset = AT(http),
      .parse = check_http,
      .value = "ADDRESS",
      .doc = "Serve /metrics for Prometheus, and /livez, /readyz, /healthz, at HOST[:PORT], "
             "unix:PATH or systemd; the port is " MRL_METRICS_PORT
             " where none is given. Settings precede it, as mode=0660:unix:PATH." },
    { .name = "http-names",
      .type = MRL_OPTION_CHOICE,
      .offset = AT(http_names),
      .words = http_names,
      .what = "value of http-names",
      .preset = "mrelease",
      .doc = "tracee: metrics have Tracee's names as well, and the port is " MRL_METRICS_PORT_TRACEE
             " where none is given." },
    { .name = "names",
      .type = MRL_OPTION_CHOICE,
      .offset = AT(names),
      .words = names_modes,
      .what = "value of names",
      .preset = "auto",
      .doc = "Whether the runtimes of this host are asked for the names of containers and pods. "
             "auto: where a --names-socket is given. on without one: at the usual sockets." },
    { .name = "names-socket",
      .type = MRL_OPTION_OWN,
      .offset = AT(names_sockets),
      .many = MRL_NAMES_SOCKETS_MAX,
      .parse = mrl_names_options__add,
      .separator = '=',
      .value = "RUNTIME=PATH",
      .doc = "Where a runtime listens: containerd, crio, docker, podman or cri-dockerd. May be "
             "repeated; then none other is asked." },
    { .name = "names-wait",
      .type = MRL_OPTION_DURATION,
      .offset = AT(plugin.names_wait_ns),
      .max = 10000000000,
      .preset = "50ms",
      .doc = "How long an event may wait for the names of its container; 0s: not at all. Events of "
             "others do not wait with it." },
    { .name = "metrics-file",
      .type = MRL_OPTION_TEXT,
      .offset = AT(metrics_file),
      .parse = check_metrics_file,
      .value = "FILE.prom",
      .separator = '/',
      .doc = "Write the metrics to this file every five seconds, for the textfile collector of "
             "node_exporter." },
    { .name = "install-path",
      .type = MRL_OPTION_PATH,
      .offset = AT(install_path),
      .value = "DIRECTORY",
      .separator = '/',
      .doc = "Write tracee.pid there once events are watched, as Tracee does, and remove it at the "
             "end." },
    { .name = "count",
      .letter = 'n',
      .type = MRL_OPTION_COUNT,
      .offset = AT(count),
      .doc = "End after N events." },
    { .name = "duration",
      .letter = 'd',
      .type = MRL_OPTION_DURATION,
      .offset = AT(duration_ns),
      .min = 1,
      .doc = "End after this time, like 500ms, 10s or 5m." },
    { .name = "log-level",
      .type = MRL_OPTION_CHOICE,
      .offset = AT(log_level),
      .words = log_levels,
      .what = "log level",
      .preset = "info",
      .reloads = true,
      .doc = "How much to say on standard error." },
    { .name = "quiet",
      .letter = 'q',
      .type = MRL_OPTION_SWITCH,
      .offset = AT(quiet),
      .reloads = true,
      .doc = "Say nothing but warnings and errors: --log-level warning." },
    { .name = "log-format",
      .type = MRL_OPTION_CHOICE,
      .offset = AT(log_format),
      .words = log_formats,
      .what = "log format",
      .preset = "auto",
      .doc = "How lines on standard error look: text has the time, json is an object per line, "
             "journal has the priorities that journald reads. auto: journal under systemd, text "
             "on a terminal and in a file, else the line alone." },
    { .name = "control",
      .type = MRL_OPTION_OWN,
      .offset = AT(control),
      .parse = set_control,
      .separator = '/',
      .value = "PATH|off",
      .doc = "Socket for 'mrelease ctl'; by default $RUNTIME_DIRECTORY/control where a service "
             "manager made that directory. mode=0660,group=NAME:PATH lets a group ask for the "
             "status." },
    { .name = "sandbox",
      .type = MRL_OPTION_CHOICE,
      .offset = AT(sandbox),
      .words = sandbox_modes,
      .preset = "on",
      .doc = "Whether the program gives up its rights once all is open: on goes without what the "
             "kernel lacks, require ends then." },
    { .name = "sandbox-paths",
      .type = MRL_OPTION_PATH,
      .offset = AT(sandbox_paths),
      .many = MRL_OUTPUTS_MAX,
      .counter = AT(sandbox_path_count),
      .value = "DIRECTORY",
      .separator = '/',
      .doc = "Another directory for files that are opened after the start. May be repeated." },
    { .name = "side-sockets",
      .type = MRL_OPTION_PATH,
      .offset = AT(side_sockets),
      .value = "DIRECTORY",
      .doc = "Sockets by which side programs are reached, DIRECTORY/http for one, where a service "
             "manager starts them as services of their own. What has none there is started by "
             "mrelease itself." },
};

const struct mrl_option *mrl_session_options__rows(unsigned int *ret_count)
{
    *ret_count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}

void mrl_session_options__groups(struct mrl_session_options *options,
                                 struct mrl_option_group groups[2])
{
    groups[0] = (struct mrl_option_group){ .target = &options->plugin };
    groups[0].rows = mrl_plugin_options__rows(&groups[0].count);
    groups[1] = (struct mrl_option_group){ .target = options };
    groups[1].rows = mrl_session_options__rows(&groups[1].count);
}

bool mrl_session_options__ask_names(const struct mrl_session_options *options)
{
    const bool are_named = options->names_sockets.sockets[0].runtime != MRL_RUNTIME_UNKNOWN;

    return !options->plugin.replay && (options->names == MRL_NAMES_ASKED ||
                                       (options->names == MRL_NAMES_AS_SOCKETS_SAY && are_named));
}

bool mrl_session_options__may_reload(const struct mrl_session_options *options)
{
    const char *file = options->settings ? options->settings->file : NULL;

    return options->settings && !options->plugin.replay &&
           (file ? strcmp(file, "-") != 0 : options->policy_count > 0);
}

bool mrl_session_options__has_control(const struct mrl_session_options *options)
{
    char path[MRL_CONTROL_PATH];

    return options->settings && !options->plugin.replay &&
           *mrl_control_options__path(&options->control, path);
}

/* The preset of a replay, all events, does not count. */
bool mrl_session_options__name_states(const struct mrl_session_options *options)
{
    struct mrl_plugin_options plugin = options->plugin;
    uint32_t events;

    plugin.replay = NULL;
    return !mrl_plugin_options__events(&plugin, &events, NULL) &&
           events & (1U << mrl_event_def__find("sensor_state", NULL)->index);
}

int mrl_session_options__level(const struct mrl_session_options *options)
{
    return options->quiet && options->log_level > MRL_LOG_WARNING ? MRL_LOG_WARNING
                                                                  : options->log_level;
}
