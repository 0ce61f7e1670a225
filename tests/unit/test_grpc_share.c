// SPDX-License-Identifier: Apache-2.0
/* How many calls a connection of the gRPC server may have open. */
#include "side/grpc/server/share.h"
#include "unit.h"

static void a_connection_has_a_hundred_calls_whatever_others_have(void **state)
{
    struct mrl_shares shares = { .lock = PTHREAD_MUTEX_INITIALIZER };
    struct mrl_share *own = NULL, *other;

    (void)state;
    for (int i = 0; i < MRL_SHARE_CALLS; i++) {
        own = mrl_share__take(&shares, "fd:7");
        assert_non_null(own);
    }
    assert_null(mrl_share__take(&shares, "fd:7"));
    other = mrl_share__take(&shares, "fd:70");
    assert_non_null(other);
    assert_ptr_not_equal(own, other);
    mrl_share__give_back(&shares, own);
    assert_ptr_equal(mrl_share__take(&shares, "fd:7"), own);
    assert_null(mrl_share__take(&shares, "fd:7"));
    for (int i = 0; i < MRL_SHARE_CALLS; i++)
        mrl_share__give_back(&shares, own);
    mrl_share__give_back(&shares, other);
    assert_null(shares.table);
}

static void a_call_without_a_share_gives_nothing_back(void **state)
{
    struct mrl_shares shares = { .lock = PTHREAD_MUTEX_INITIALIZER };

    (void)state;
    mrl_share__give_back(&shares, NULL);
    assert_null(shares.table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_has_a_hundred_calls_whatever_others_have),
        cmocka_unit_test(a_call_without_a_share_gives_nothing_back),
    };

    return cmocka_run_group_tests_name("grpc_share", tests, NULL, NULL);
}
