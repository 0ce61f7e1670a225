// SPDX-License-Identifier: Apache-2.0
#include "event/policies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* -- names ------------------------------------------------------------------------------------ */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* A subdomain, as RFC 1123 has it: what Kubernetes takes for the name of an object. It needs no
 * quoting in any format. */
int mrl_policy_name__check(const char *name, struct mrl_error *error)
{
    size_t size = strlen(name);

    if (!size)
        return mrl_error__set(error, -EINVAL, "a policy without a name");
    if (size > MRL_POLICY_NAME_MAX)
        return mrl_error__set(error, -EINVAL,
                              "policy '%.32s...' has %zu bytes of name: more than %d", name, size,
                              MRL_POLICY_NAME_MAX);
    for (size_t i = 0; i < size; i++) {
        bool is_end = !i || i + 1 == size || name[i - 1] == '.' || name[i + 1] == '.';

        if (!is_word(name[i]) && (is_end || (name[i] != '-' && name[i] != '.')))
            return mrl_error__set(error, -EINVAL,
                                  "'%.64s' is no name of a policy: a-z, 0-9, '-' and '.', with a "
                                  "letter or a digit at both ends and beside each '.'",
                                  name);
    }
    return 0;
}

unsigned int mrl_event__policies(const struct mrl_event *event,
                                 struct mrl_text names[MRL_POLICIES_MAX])
{
    const struct mrl_policies *policies = event->all_policies;
    unsigned int count = 0;

    for (unsigned int i = 0; policies && i < policies->count; i++)
        if (event->policies & (1ULL << i))
            names[count++] = (struct mrl_text){ policies->each[i]->name, policies->each[i]->size };
    if (!count)
        names[count++] = (struct mrl_text){ "", 0 };
    return count;
}

/* -- lists ------------------------------------------------------------------------------------ */

struct mrl_policies *mrl_policies__new(void)
{
    struct mrl_policies *policies = calloc(1, sizeof(*policies));

    if (policies)
        policies->refs = 1;
    return policies;
}

static size_t bytes_of(const struct mrl_policies *policies)
{
    size_t bytes = 0;

    for (unsigned int i = 0; i < policies->count; i++)
        bytes += policies->each[i]->size;
    return bytes;
}

static struct mrl_policy_known *find(const struct mrl_policies *policies, const char *name)
{
    for (unsigned int i = 0; i < policies->count; i++)
        if (!strcmp(policies->each[i]->name, name))
            return policies->each[i];
    return NULL;
}

static struct mrl_policy_known *new_known(struct mrl_text name)
{
    struct mrl_policy_known *known = calloc(1, sizeof(*known) + name.size + 1);

    if (!known)
        return NULL;
    known->refs = 1;
    known->size = name.size;
    memcpy(known->name, name.bytes, name.size);
    return known;
}

int mrl_policies__add(struct mrl_policies *policies, const char *name, struct mrl_error *error)
{
    struct mrl_policy_known *known;
    size_t size = strlen(name);

    if (policies->count == MRL_POLICIES_MAX)
        return mrl_error__set(error, -EINVAL, "more than %d policies", MRL_POLICIES_MAX);
    if (mrl_policy_name__check(name, error))
        return -EINVAL;
    if (find(policies, name))
        return mrl_error__set(error, -EINVAL, "policy '%.64s' is there twice", name);
    if (bytes_of(policies) + size > MRL_POLICY_NAMES_MAX)
        return mrl_error__set(error, -EINVAL,
                              "policy '%.64s': the names of all policies take more than %d bytes",
                              name, MRL_POLICY_NAMES_MAX);
    known = new_known((struct mrl_text){ name, size });
    if (!known)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    policies->each[policies->count++] = known;
    return 0;
}

static void unref_known(struct mrl_policy_known *known)
{
    if (atomic_fetch_sub(&known->refs, 1) == 1)
        free(known);
}

/* -- of a recording --------------------------------------------------------------------------- */

static bool is_name(struct mrl_text name)
{
    char text[MRL_POLICY_NAME_MAX + 1] = "";

    if (name.size > MRL_POLICY_NAME_MAX)
        return false;
    memcpy(text, name.bytes, name.size);
    return !name.size || (strlen(text) == name.size && !mrl_policy_name__check(text, NULL));
}

/* Bits up to this one that were not told of have the empty name. */
static int widen(struct mrl_policies *policies, uint32_t bit)
{
    for (; policies->count <= bit; policies->count++) {
        policies->each[policies->count] = new_known((struct mrl_text){ "", 0 });
        if (!policies->each[policies->count])
            return -ENOMEM;
    }
    return 0;
}

int mrl_policies__replace(const struct mrl_policies *before,
                          uint32_t bit,
                          struct mrl_text name,
                          struct mrl_policies **ret_policies)
{
    struct mrl_policies *policies;
    struct mrl_policy_known *known;

    if (bit >= MRL_POLICIES_MAX || !is_name(name))
        return -EBADMSG;
    policies = mrl_policies__new();
    known = policies ? new_known(name) : NULL;
    for (unsigned int i = 0; known && before && i < before->count; i++) {
        atomic_fetch_add(&before->each[i]->refs, 1);
        policies->each[policies->count++] = before->each[i];
    }
    if (!known || widen(policies, bit)) {
        free(known);
        mrl_policies__unref(policies);
        return -ENOMEM;
    }
    unref_known(policies->each[bit]);
    policies->each[bit] = known;
    *ret_policies = policies;
    return 0;
}

bool mrl_policies__fit(const struct mrl_policies *policies, uint64_t matched)
{
    size_t bytes = 0;

    for (unsigned int i = 0; policies && i < policies->count; i++)
        if (matched & (1ULL << i))
            bytes += policies->each[i]->size;
    return bytes <= MRL_POLICY_NAMES_MAX;
}

/* -- of a configuration ----------------------------------------------------------------------- */

void mrl_policies__continue(struct mrl_policies *policies, const struct mrl_policies *before)
{
    for (unsigned int i = 0; policies && before && i < policies->count; i++) {
        struct mrl_policy_known *known = find(before, policies->each[i]->name);

        if (!known)
            continue;
        atomic_fetch_add(&known->refs, 1);
        unref_known(policies->each[i]);
        policies->each[i] = known;
    }
}

struct mrl_policies *mrl_policies__ref(const struct mrl_policies *policies)
{
    struct mrl_policies *shared = (struct mrl_policies *)policies;

    if (shared)
        atomic_fetch_add(&shared->refs, 1);
    return shared;
}

void mrl_policies__unref(struct mrl_policies *policies)
{
    if (!policies || atomic_fetch_sub(&policies->refs, 1) != 1)
        return;
    for (unsigned int i = 0; i < policies->count; i++)
        unref_known(policies->each[i]);
    free(policies);
}

void mrl_policies__count(const struct mrl_policies *policies, uint64_t matched)
{
    for (; policies && matched; matched &= matched - 1) {
        atomic_ullong *count = &policies->each[__builtin_ctzll(matched)]->matched;

        /* One writer: no need for a locked instruction. */
        atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1,
                              memory_order_relaxed);
    }
}
