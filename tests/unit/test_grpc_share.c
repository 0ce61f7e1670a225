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

/* The sizes of a room, as one peer finds them, and then others. */
static void a_peer_has_a_part_of_each_room(void **state)
{
    static const unsigned int parts[MRL_ROOMS] = { 1024, 256, 256, 1024 },
                              sizes[MRL_ROOMS] = { 4096, 1024, 1024, 2048 };
    struct mrl_shares shares = { .lock = PTHREAD_MUTEX_INITIALIZER };
    struct mrl_peer *peers[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        peers[i] = mrl_peer__enter(&shares, &(struct mrl_peer_id){ .pid = 7 + i });
    assert_ptr_equal(mrl_peer__enter(&shares, &(struct mrl_peer_id){ .pid = 7 }), peers[0]);
    mrl_peer__leave(&shares, peers[0]);
    for (unsigned int room = 0; room < MRL_ROOMS; room++) {
        unsigned int taken = 0;

        for (unsigned int i = 0; taken < sizes[room]; i++) {
            for (unsigned int j = 0; j < parts[room]; j++, taken++)
                assert_int_equal(mrl_room__take(&shares, peers[i], room), MRL_ROOM_TAKEN);
            assert_int_equal(mrl_room__take(&shares, peers[i], room),
                             taken < sizes[room] ? MRL_ROOM_PART_IS_FULL : MRL_ROOM_IS_FULL);
        }
        assert_int_equal(mrl_room__take(&shares, NULL, room), MRL_ROOM_IS_FULL);
        mrl_room__give_back(&shares, peers[0], room);
        assert_int_equal(mrl_room__take(&shares, peers[0], room), MRL_ROOM_TAKEN);
        for (unsigned int i = 0; taken; taken -= parts[room], i++)
            for (unsigned int j = 0; j < parts[room]; j++)
                mrl_room__give_back(&shares, peers[i], room);
    }
    for (int i = 0; i < 4; i++)
        mrl_peer__leave(&shares, peers[i]);
    assert_null(shares.peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_has_a_hundred_calls_whatever_others_have),
        cmocka_unit_test(a_peer_has_a_part_of_each_room),
        cmocka_unit_test(a_call_without_a_share_gives_nothing_back),
    };

    return cmocka_run_group_tests_name("grpc_share", tests, NULL, NULL);
}
