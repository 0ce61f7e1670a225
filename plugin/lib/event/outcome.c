// SPDX-License-Identifier: Apache-2.0
/*
 * What a call of process_mrelease came to. Said only of what was observed: its answer, and the
 * target at entry and at exit. docs/outcomes.md has the rules in words; the order of the kernel's
 * checks, on which they rest, is mm/oom_kill.c's (flags, descriptor, memory, dying, lock, reaping).
 *
 * Some things never go back: a process that is dying stays so, MMF_OOM_SKIP and MMF_UNSTABLE stay
 * set, a dump that ended does not begin again. So what was so at entry was so at the check between,
 * and what was not so at exit was not.
 */
#include <errno.h>
#include <string.h>

#include "event/pages.h"
#include "event/raw.h"

#define UNKNOWN "unknown"

static bool saw(const struct mrl_raw *raw, uint32_t flags)
{
    return raw->look && (raw->look->flags & flags) == flags;
}

/* The process behind the descriptor was the same at both ends. */
static bool is_same_after(const struct mrl_raw *raw)
{
    return saw(raw, MRL_TARGET_FOUND | MRL_TARGET_AFTER);
}

/* -- success ---------------------------------------------------------------------------------- */

/* A reaper had been there before, and left nothing that it may take. */
static bool had_nothing_left(const struct mrl_raw *raw)
{
    return raw->look->before.anon <= (int64_t)mrl_pages__bound(raw);
}

/* The reaper ran during the call, or it did not, or who knows. */
static enum { RAN, DID_NOT_RUN, OPEN } reaper(const struct mrl_raw *raw)
{
    if (saw(raw, MRL_TARGET_REAPED))
        return RAN;
    if (saw(raw, MRL_TARGET_OOM_SKIP))
        return DID_NOT_RUN;
    /* 0 means that the mark was there, or that the reaper ran. */
    if (saw(raw, MRL_TARGET_MM_AFTER) && !saw(raw, MRL_TARGET_SKIP_AFTER))
        return RAN;
    if (saw(raw, MRL_TARGET_WATCHED))
        return DID_NOT_RUN;
    if (!saw(raw, MRL_TARGET_MM_AFTER) || saw(raw, MRL_TARGET_UNSTABLE))
        return OPEN;
    /* The reaper's first act is to set the other mark. */
    return saw(raw, MRL_TARGET_UNSTABLE_AFTER) ? RAN : DID_NOT_RUN;
}

static const char *succeeded(const struct mrl_raw *raw)
{
    if (!saw(raw, MRL_TARGET_FOUND | MRL_TARGET_MM))
        return UNKNOWN;
    if (saw(raw, MRL_TARGET_UNSTABLE) && had_nothing_left(raw))
        return "already_reaped";
    switch (reaper(raw)) {
    case RAN:
        return "reaped";
    case DID_NOT_RUN:
        return "already_reaped";
    default:
        return UNKNOWN;
    }
}

/* -- failure ---------------------------------------------------------------------------------- */

static const char *refused(const struct mrl_raw *raw)
{
    uint32_t flags = (uint32_t)raw->record->args[1];
    uint32_t known = saw(raw, MRL_TARGET_REAP_KILL) ? MRL_PROCESS_MRELEASE_REAP_KILL : 0;

    if (flags & ~known)
        return "bad_flags";
    if (!is_same_after(raw))
        return UNKNOWN;
    /* With a known flag the call kills first: that the target lives on is no reason. */
    if (!saw(raw, MRL_TARGET_DYING_AFTER))
        return flags ? UNKNOWN : "not_dying";
    if (!saw(raw, MRL_TARGET_DYING))
        return UNKNOWN;
    if (saw(raw, MRL_TARGET_DUMPING))
        return saw(raw, MRL_TARGET_DUMPING_AFTER) ? "core_dumping" : UNKNOWN;
    /* Dying and not dumping: one reason is left. That it is seen guards against a swapped target.
     */
    return saw(raw, MRL_TARGET_SHARED) ? "shared_mm" : UNKNOWN;
}

static const char *not_there(const struct mrl_raw *raw)
{
    if (saw(raw, MRL_TARGET_THREAD))
        return "bad_fd";
    if (saw(raw, MRL_TARGET_GONE))
        return "race_lost";
    if (!saw(raw, MRL_TARGET_FOUND) || saw(raw, MRL_TARGET_KERNEL))
        return UNKNOWN;
    if (!saw(raw, MRL_TARGET_MM) || saw(raw, MRL_TARGET_DYING))
        return "race_lost";
    return is_same_after(raw) && saw(raw, MRL_TARGET_DYING_AFTER) ? "race_lost" : UNKNOWN;
}

/* -- by answer -------------------------------------------------------------------------------- */

/* All that the call itself answers: what says it all, or who looks further. */
static const struct rule {
    int64_t answer;
    const char *word;
    const char *(*look)(const struct mrl_raw *raw);
} rules[] = {
    { 0, NULL, succeeded },           { -EINVAL, NULL, refused },   { -ESRCH, NULL, not_there },
    { -EBADF, "bad_fd", NULL },       { -EAGAIN, "partial", NULL }, { -EINTR, "interrupted", NULL },
    { -ENOSYS, "unsupported", NULL },
};

static const struct rule *find_rule(int64_t answer)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].answer == answer)
            return &rules[i];
    return NULL;
}

static const char *outcome_of(const struct mrl_raw *raw)
{
    const struct rule *rule = find_rule(raw->record->ret);

    if (!(raw->record->flags & MRL_RECORD_NO_ENTRY)) {
        if (!rule)
            return UNKNOWN;
        return rule->word ? rule->word : rule->look(raw);
    }
    if (raw->record->flags & MRL_RECORD_BLOCKED)
        return "blocked";
    /* The call may have been under way when the probes were attached: then its entry is missing,
     * and nothing is known. Only an answer that the call itself never gives must come from a
     * seccomp filter. */
    return rule && raw->record->ret != -ENOSYS ? UNKNOWN : "blocked";
}

void mrl_value__outcome(const struct mrl_raw *raw, struct mrl_value *value)
{
    const char *text = outcome_of(raw);

    value->absent = !raw->look;
    if (raw->look)
        value->text = (struct mrl_text){ text, strlen(text) };
}
