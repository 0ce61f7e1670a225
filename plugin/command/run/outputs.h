/* SPDX-License-Identifier: Apache-2.0 */
/* --output: from texts to the outputs of a pipeline. */
#ifndef MRL_COMMAND_RUN_OUTPUTS_H
#define MRL_COMMAND_RUN_OUTPUTS_H

#include <mrelease/mrelease.h>
#include <stddef.h>

enum { MRL_SPEC_FORMAT_BYTES = 32 };

/** One --output, checked: FORMAT[,SETTING=VALUE…][:DESTINATION]. */
struct mrl_output_spec {
    char format[MRL_SPEC_FORMAT_BYTES];
    unsigned int has_policy;                                       /* how often it was given */
    _Alignas(max_align_t) char sink_options[MRL_SINK_OPTIONS_MAX]; /* as its rows describe them */
    struct mrl_output_options options; /* points to the members above once it is opened */
};

/** Zeroed is empty. */
struct mrl_outputs {
    struct mrl_output_spec specs[MRL_OUTPUTS_MAX];
    unsigned int count;
    struct mrl_host_identity host; /* where the events are of; zeroed: not known */
};

/**
 * Adds one after checking all that can be checked without touching anything; `spec` is borrowed.
 * Error: -EINVAL, with the nearest word.
 */
int mrl_outputs__add(struct mrl_outputs *outputs, const char *spec, struct mrl_error *error);

/** The settings that every output takes; the target is a struct mrl_output_spec. */
const struct mrl_option *mrl_output_spec__rows(unsigned int *ret_count);

/** Applies the `size` bytes of settings at `list`, "policy=POLICY,queue=SIZE", which are those of
 * every output and of the sink. Error: -EINVAL, with the nearest word. */
int mrl_output_spec__set(struct mrl_output_spec *spec,
                         const char *list,
                         size_t size,
                         struct mrl_error *error);

/**
 * Adds a copy of one. Error: -EINVAL the sink refuses it, there are too many, or another goes to
 * the same place, however that is spelled, or ever will: when its name holds the time, or it is
 * rotated.
 */
int mrl_outputs__append(struct mrl_outputs *outputs,
                        const struct mrl_output_spec *spec,
                        struct mrl_error *error);

/** The format at `index` of those that --output takes; NULL after the last. */
const char *mrl_outputs__format(unsigned int index);

enum { MRL_SINK_USAGE_BYTES = 128 };

/** How people write the destination of a sink: "PATH", or behind a format of its own. Returns
 * `text`. */
const char *mrl_outputs__usage(const struct mrl_sink_ops *sink, char text[MRL_SINK_USAGE_BYTES]);

/** Prints the destinations and the settings of --output, for help. */
void mrl_outputs__print_help(void);

/** Whether a format or an extra shows the path of the caller's executable. */
bool mrl_outputs__show_executable(const struct mrl_outputs *outputs, uint32_t extras);

/** These extras, and those that a format shows without being asked: for mrl_plugin_options. */
uint32_t mrl_outputs__extras(const struct mrl_outputs *outputs, uint32_t extras);

/** Whether clients of an output may enable and disable events. */
bool mrl_outputs__switch_events(const struct mrl_outputs *outputs);

/**
 * Decides which outputs take sensor_state: all, where --events names it or the events are numbered;
 * else those whose readers ask for it themselves. Returns whether any does.
 */
bool mrl_outputs__take_states(struct mrl_outputs *outputs, uint32_t extras, bool named);

/**
 * The options of the output at `index`, with these extras; valid until `outputs` moves. One without
 * a policy of its own blocks when it is the only one, and drops the oldest beside others, or in a
 * side program.
 */
const struct mrl_output_options *mrl_outputs__complete(struct mrl_outputs *outputs,
                                                       unsigned int index,
                                                       uint32_t extras);

/** Opens all as outputs of `pipeline`, with these extras. Errors: as mrl_pipeline__add(). */
int mrl_outputs__open(struct mrl_outputs *outputs,
                      uint32_t extras,
                      struct mrl_pipeline *pipeline,
                      struct mrl_error *error);

#endif
