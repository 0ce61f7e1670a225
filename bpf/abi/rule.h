/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rules: the part of a filter that can be decided from what the kernel has at hand when a call
 * returns. Compiled by both sides; user space writes them as part of a configuration
 * (abi/config.h), the probes obey them.
 */
#ifndef MRL_ABI_RULE_H
#define MRL_ABI_RULE_H

#include <linux/types.h>

#include "record.h"

enum {
    MRL_RULES_MAX = 16,
    MRL_RULE_VALUES_MAX = 16,
    MRL_NAME_RULES_MAX = 4,
    MRL_NAME_RULE_NAMES_MAX = 8,
};

/** What a rule is about. The numbers below MRL_ARGS_MAX are those of the arguments. */
enum mrl_subject {
    MRL_SUBJECT_RET = MRL_ARGS_MAX,
    MRL_SUBJECT_UID,
    MRL_SUBJECT_HOST_PID,
    MRL_SUBJECT_HOST_TID,
    MRL_SUBJECT_HOST_TASK, /* the process or the thread: one of them is enough */
    MRL_SUBJECT_START,     /* CLOCK_BOOTTIME of the process */
    MRL_SUBJECT_COUNT,
    MRL_SUBJECT_NAME = MRL_SUBJECT_COUNT, /* of the thread: struct mrl_name_rule */
    MRL_SUBJECT_NONE,                     /* only user space knows */
};

/** mrl_rule.flags */
enum {
    MRL_RULE_SIGNED = 1 << 0,
    MRL_RULE_NARROW = 1 << 1, /* the value is cut to 32 bits */
    MRL_RULE_MIN = 1 << 2,
    MRL_RULE_MAX = 1 << 3,
};

/**
 * A condition on a number. Numbers are kept as keys, whose unsigned order is the order of the
 * numbers: the sign bit of signed ones is turned round.
 */
struct mrl_rule {
    __u32 events; /* bit per enum mrl_event_index: those that must obey */
    __u32 subject;
    __u32 flags;
    __u32 equal_count; /* of values, the first ones */
    __u32 value_count; /* those behind are the ones that are refused */
    __u32 reserved;
    __u64 policies; /* a bit each: those whose condition it is */
    __u64 min, max; /* both exclusive */
    __u64 values[MRL_RULE_VALUES_MAX];
};

/** A name and the bytes of it that count: with its NUL it is the whole name, without a prefix. */
struct mrl_name_pattern {
    __u64 words[MRL_NAME_BYTES / 8];
    __u64 masks[MRL_NAME_BYTES / 8];
};

/** A condition on a name; the counts as above. */
struct mrl_name_rule {
    __u32 events;
    __u32 equal_count;
    __u32 value_count;
    __u32 reserved;
    __u64 policies;
    struct mrl_name_pattern names[MRL_NAME_RULE_NAMES_MAX];
};

/** A policy wants an event that all of its rules on that event accept. */
struct mrl_rules {
    __u32 count;
    __u32 name_count;
    struct mrl_rule rules[MRL_RULES_MAX];
    struct mrl_name_rule names[MRL_NAME_RULES_MAX];
};

/** The key of a raw register or number under a rule's flags. */
static inline __u64 mrl_rule_key(__u32 flags, __u64 value)
{
    if (flags & MRL_RULE_NARROW)
        value = flags & MRL_RULE_SIGNED ? (__u64)(__s64)(__s32)value : (__u64)(__u32)value;
    return flags & MRL_RULE_SIGNED ? value ^ (1ULL << 63) : value;
}

/**
 * Tracee's order: what is equal to a wanted value passes, then what is equal to a refused one does
 * not, then the range decides; without a range all pass where values are refused, else none.
 */
static inline _Bool mrl_rule_accepts(const volatile struct mrl_rule *rule, __u64 value)
{
    __u32 flags = rule->flags, i = 0;
    __u64 key = mrl_rule_key(flags, value);

    for (; i < MRL_RULE_VALUES_MAX && i < rule->equal_count; i++)
        if (rule->values[i] == key)
            return 1;
    for (; i < MRL_RULE_VALUES_MAX && i < rule->value_count; i++)
        if (rule->values[i] == key)
            return 0;
    if (flags & (MRL_RULE_MIN | MRL_RULE_MAX))
        return (!(flags & MRL_RULE_MIN) || key > rule->min) &&
               (!(flags & MRL_RULE_MAX) || key < rule->max);
    return rule->value_count > rule->equal_count;
}

static inline _Bool mrl_name_fits(const volatile struct mrl_name_pattern *pattern,
                                  __u64 low,
                                  __u64 high)
{
    return (low & pattern->masks[0]) == pattern->words[0] &&
           (high & pattern->masks[1]) == pattern->words[1];
}

/** The same for a name of MRL_NAME_BYTES bytes, whose last one is NUL, as two words. */
static inline _Bool mrl_name_rule_accepts(const volatile struct mrl_name_rule *rule,
                                          __u64 low,
                                          __u64 high)
{
    __u32 i = 0;

    for (; i < MRL_NAME_RULE_NAMES_MAX && i < rule->equal_count; i++)
        if (mrl_name_fits(&rule->names[i], low, high))
            return 1;
    for (; i < MRL_NAME_RULE_NAMES_MAX && i < rule->value_count; i++)
        if (mrl_name_fits(&rule->names[i], low, high))
            return 0;
    return rule->value_count > rule->equal_count;
}

#endif
