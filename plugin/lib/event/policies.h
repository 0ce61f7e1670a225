/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policies that have names, and how many events each wanted. A configuration has one list of
 * them; a policy that stays when the configuration changes is in both lists, and counts on. Lists
 * are shared by filters and by batches, and never change once they are made.
 */
#ifndef MRL_EVENT_POLICIES_H
#define MRL_EVENT_POLICIES_H

#include <mrelease/error.h>
#include <mrelease/event.h>
#include <stdatomic.h>

struct mrl_policy_known {
    atomic_uint refs;
    atomic_ullong matched; /* events; written by one thread at a time */
    size_t size;
    char name[]; /* with a NUL */
};

struct mrl_policies {
    atomic_uint refs;
    unsigned int count;
    struct mrl_policy_known *each[MRL_POLICIES_MAX];
};

/** An empty list; new. NULL without memory. */
struct mrl_policies *mrl_policies__new(void);

/** Adds a policy, before the list is shared. Errors, with a line: -EINVAL no such name can be, or
 * it is there already, or there are too many; -ENOMEM. */
int mrl_policies__add(struct mrl_policies *policies, const char *name, struct mrl_error *error);

/** Whether a text can be the name of a policy. -EINVAL, with a line that says why not. */
int mrl_policy_name__check(const char *name, struct mrl_error *error);

/**
 * A recorded list: that of `before` (NULL: an empty one), where the policy of a bit now has another
 * name, which may be empty. New. Errors: -EBADMSG nobody would record this; -ENOMEM.
 */
int mrl_policies__replace(const struct mrl_policies *before,
                          uint32_t bit,
                          struct mrl_text name,
                          struct mrl_policies **ret_policies);

/** Whether the names of these are as many bytes as there may be. Of a list that was recorded they
 * might not be. */
bool mrl_policies__fit(const struct mrl_policies *policies, uint64_t matched);

/** Before the list is shared: its policies that are also in `before` count on from there. NULL is
 * allowed as either. */
void mrl_policies__continue(struct mrl_policies *policies, const struct mrl_policies *before);

/** NULL is allowed, here and below. */
struct mrl_policies *mrl_policies__ref(const struct mrl_policies *policies);
void mrl_policies__unref(struct mrl_policies *policies);

/** Counts an event that these want. One thread at a time. */
void mrl_policies__count(const struct mrl_policies *policies, uint64_t matched);

#endif
