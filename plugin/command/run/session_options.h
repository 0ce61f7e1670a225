/* SPDX-License-Identifier: Apache-2.0 */
/* What a session is asked for. */
#ifndef MRL_COMMAND_RUN_SESSION_OPTIONS_H
#define MRL_COMMAND_RUN_SESSION_OPTIONS_H

#include <mrelease/mrelease.h>

#include "command/policy/policy.h"
#include "command/run/control_options.h"
#include "command/run/outputs.h"
#include "side/common/names/service.h"

struct mrl_settings; /* command/options/settings.h */

/** The words of --sandbox, in this order. */
enum mrl_sandbox_mode { MRL_SANDBOX_ON, MRL_SANDBOX_OFF, MRL_SANDBOX_REQUIRE };

/** The words of --names, in this order. */
enum mrl_names_mode { MRL_NAMES_AS_SOCKETS_SAY, MRL_NAMES_ASKED, MRL_NAMES_NOT_ASKED };

/** Zeroed but for plugin (MRL_PLUGIN_OPTIONS) is a valid start. */
struct mrl_session_options {
    struct mrl_plugin_options plugin;
    struct mrl_outputs outputs;
    uint32_t extras;                            /* set of them, for all outputs */
    uint64_t count;                             /* of events to deliver; 0: no end */
    uint64_t duration_ns;                       /* 0: no end */
    int log_level;                              /* enum mrl_log_level */
    bool quiet;                                 /* log_level is warning at most */
    int log_format;                             /* enum mrl_log_format */
    int sandbox;                                /* enum mrl_sandbox_mode */
    const char *sandbox_paths[MRL_OUTPUTS_MAX]; /* directories of outputs to come */
    unsigned int sandbox_path_count;
    struct mrl_control_options control;
    const struct mrl_settings *settings; /* what all this was read from; NULL: nobody knows */
    const char *http;         /* as mrl_http_target__read() takes it; NULL: nothing is served */
    const char *metrics_file; /* ends with .prom; NULL: none is written */
    int http_names;           /* enum mrl_metrics_names */
    int names;                /* enum mrl_names_mode */
    struct mrl_names_options names_sockets;
    const char *side_sockets; /* mrl_sides_options.sockets */
    const char *install_path; /* where tracee.pid is; NULL: nowhere */
    const char *policies[MRL_POLICY_PATHS_MAX];
    unsigned int policy_count;
    int tracee;                       /* enum mrl_tracee */
    struct mrl_policy_set policy_set; /* what was read there */
    uint64_t policy_mounts;           /* mrl_policy_mounts__look(), before it was read */
    /* NULL, or who says what is to be said of the begin, and this of the end, for the totals. */
    void (*ended)(struct mrl_plugin *plugin);
};

/** The groups of rows that fill them. */
void mrl_session_options__groups(struct mrl_session_options *options,
                                 struct mrl_option_group groups[2]);

/** Whether a run asks runtimes for names: a replay shows what was recorded. */
bool mrl_session_options__ask_names(const struct mrl_session_options *options);

/** Whether they can be read anew: of a file, or its policies, and not of a replay. */
bool mrl_session_options__may_reload(const struct mrl_session_options *options);

/** Whether such a run listens for 'mrelease ctl'. */
bool mrl_session_options__has_control(const struct mrl_session_options *options);

/** Whether --events names sensor_state. */
bool mrl_session_options__name_states(const struct mrl_session_options *options);

/** The log level, which --quiet lowers. */
int mrl_session_options__level(const struct mrl_session_options *options);

/** The word of a mode. Static. */
const char *mrl_sandbox_mode__word(int mode);

/** The rows of the outputs and of ends; the target is a struct mrl_session_options. */
const struct mrl_option *mrl_session_options__rows(unsigned int *ret_count);

#endif
