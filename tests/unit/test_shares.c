// SPDX-License-Identifier: Apache-2.0
/* What meets in the tables of shares meets by chance alone (docs/limits.md). */
#include <abi/share.h>

#include "unit/unit.h"

enum {
    ENTRIES = 4096,
    SEEDS = ENTRIES, /* so one is met once, on average */
    DISTANCES = 3000,
    UID = 1000,
    RELEASE = 0x12345678,
    MET_MAX = 16, /* of the pairs that are tried none would have so many by chance */
};

static __u64 place_of(__u32 uid, __u32 release, __u64 seed)
{
    const struct mrl_share share = { .owner_uid = uid, .release = release };

    return mrl_share__hash(&share, seed) % ENTRIES;
}

static void assert_rarely_meet(const struct mrl_share *one, const struct mrl_share *other)
{
    unsigned int met = 0;

    for (__u64 i = 1; i <= SEEDS; i++) {
        __u64 seed = mrl_mix(mrl_mix(0, i), i);

        met += place_of(one->owner_uid, one->release, seed) ==
               place_of(other->owner_uid, other->release, seed);
    }
    assert_in_range(met, 0, MET_MAX);
}

static void owners_meet_by_chance_whatever_their_numbers_are(void **state)
{
    const struct mrl_share one = { .owner_uid = UID };

    (void)state;
    for (__u32 i = 1; i <= DISTANCES; i++)
        assert_rarely_meet(&one, &(struct mrl_share){ .owner_uid = UID + i });
}

static void targets_meet_by_chance_whatever_their_numbers_are(void **state)
{
    const struct mrl_share one = { .owner_uid = UID, .release = RELEASE };

    (void)state;
    for (unsigned int bit = 0; bit < 32; bit++) {
        __u32 other = RELEASE ^ 1U << bit;

        assert_rarely_meet(&one, &(struct mrl_share){ .owner_uid = UID, .release = other });
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owners_meet_by_chance_whatever_their_numbers_are),
        cmocka_unit_test(targets_meet_by_chance_whatever_their_numbers_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
