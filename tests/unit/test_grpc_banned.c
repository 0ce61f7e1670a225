// SPDX-License-Identifier: Apache-2.0
/* Peers that get no other connection for a while, and who they are. */
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "side/grpc/listen/banned.h"
#include "unit/unit.h"

enum { NOW = 100000 };

static const struct mrl_peer_id one = { .uid = 1, .pid = 7 }, other = { .uid = 1, .pid = 8 };

static void a_ban_is_of_one_and_ends(void **state)
{
    struct mrl_banned banned = { .next = 0 };

    (void)state;
    assert_false(mrl_banned__has(&banned, &one, NOW));
    mrl_banned__add(&banned, &one, NOW);
    assert_true(mrl_banned__has(&banned, &one, NOW + MRL_BAN_MS - 1));
    assert_false(mrl_banned__has(&banned, &other, NOW));
    assert_false(mrl_banned__has(&banned, &one, NOW + MRL_BAN_MS));
}

/* How long the next ban is. */
static int64_t ban(struct mrl_banned *banned, int64_t *now_ms)
{
    int64_t ms = 0;

    mrl_banned__add(banned, &one, *now_ms);
    while (mrl_banned__has(banned, &one, *now_ms + ms))
        ms++;
    *now_ms += ms;
    return ms;
}

static void who_goes_on_is_banned_for_longer(void **state)
{
    struct mrl_banned banned = { .next = 0 };
    int64_t now_ms = NOW;

    (void)state;
    assert_int_equal(ban(&banned, &now_ms), 1000);
    assert_int_equal(ban(&banned, &now_ms), 2000);
    assert_int_equal(ban(&banned, &now_ms), 4000);
    assert_int_equal(ban(&banned, &now_ms), 8000);
    assert_int_equal(ban(&banned, &now_ms), 8000);
    now_ms += MRL_BAN_FORGET_MS;
    assert_int_equal(ban(&banned, &now_ms), 1000);
}

/* Connections that it had before are cut as well, and make it no longer. */
static void a_ban_counts_once(void **state)
{
    struct mrl_banned banned = { .next = 0 };

    (void)state;
    for (int i = 0; i < 10; i++)
        mrl_banned__add(&banned, &one, NOW + i);
    assert_false(mrl_banned__has(&banned, &one, NOW + MRL_BAN_MS));
}

static void of_too_many_the_first_is_let_off(void **state)
{
    struct mrl_banned banned = { .next = 0 };

    (void)state;
    mrl_banned__add(&banned, &one, NOW);
    for (int i = 1; i <= MRL_BANNED_MAX; i++) {
        const struct mrl_peer_id id = { .pid = 1000 + i };

        assert_true(mrl_banned__has(&banned, &one, NOW));
        mrl_banned__add(&banned, &id, NOW);
        assert_true(mrl_banned__has(&banned, &id, NOW));
    }
    assert_false(mrl_banned__has(&banned, &one, NOW));
}

static void a_process_is_known_by_its_pid_and_a_host_by_its_address(void **state)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const unsigned char loopback[16] = { 127, 0, 0, 1 };
    int pair[2], listener = socket(AF_INET, SOCK_STREAM, 0),
                 client = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t size = sizeof(address);
    struct mrl_peer_id id;
    char text[128];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    mrl_peer_id__of(pair[0], &id);
    assert_int_equal(id.pid, getpid());
    assert_int_equal(id.uid, getuid());
    mrl_peer_id__name(pair[0], text);
    assert_non_null(strstr(text, "(process "));
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    mrl_peer_id__of(listener, &id); /* it has none */
    assert_int_equal(id.pid, 0);
    mrl_peer_id__name(listener, text);
    assert_string_equal(text, "a peer that is gone");
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, size), 0);
    mrl_peer_id__of(client, &id);
    assert_int_equal(id.pid, 0);
    assert_memory_equal(id.address, loopback, sizeof(loopback));
    mrl_peer_id__name(client, text);
    assert_non_null(strstr(text, "127.0.0.1 port "));
    close(pair[0]);
    close(pair[1]);
    close(listener);
    close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ban_is_of_one_and_ends),
        cmocka_unit_test(who_goes_on_is_banned_for_longer),
        cmocka_unit_test(a_ban_counts_once),
        cmocka_unit_test(of_too_many_the_first_is_let_off),
        cmocka_unit_test(a_process_is_known_by_its_pid_and_a_host_by_its_address),
    };

    return cmocka_run_group_tests_name("grpc banned", tests, NULL, NULL);
}
