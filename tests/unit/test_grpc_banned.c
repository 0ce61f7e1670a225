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
    struct mrl_banned banned = { 0 };

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
    struct mrl_banned banned = { 0 };
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

/* Other connections that it had may be cut a moment later, and make it no longer. */
static void a_ban_counts_once(void **state)
{
    struct mrl_banned banned = { 0 };

    (void)state;
    for (int i = 0; i < 10; i++)
        mrl_banned__add(&banned, &one, NOW + i);
    assert_false(mrl_banned__has(&banned, &one, NOW + MRL_BAN_MS));
}

/* Processes of a pid namespace that ours does not see, but for their user; and this host by TCP. */
static void who_cannot_be_told_from_others_is_not_banned(void **state)
{
    static const struct mrl_peer_id not_one[] = {
        { .uid = 1 },
        { 0 },
        { .address = { 127, 1, 2, 3 } },
        { .address = { [15] = 1 } },
        { .address = { [10] = 0xff, 0xff, 127, 0, 0, 1 } },
    };
    static const struct mrl_peer_id some[] = {
        { .address = { 10, 0, 0, 127 } },
        { .address = { 0xfd, [15] = 1 } },
        { .address = { [10] = 0xff, 0xff, 10, 0, 0, 1 } },
    };
    struct mrl_banned banned = { 0 };

    (void)state;
    for (unsigned int i = 0; i < COUNT_OF(not_one); i++) {
        mrl_banned__add(&banned, &not_one[i], NOW);
        assert_false(mrl_banned__has(&banned, &not_one[i], NOW));
    }
    for (unsigned int i = 0; i < COUNT_OF(some); i++) {
        mrl_banned__add(&banned, &some[i], NOW);
        assert_true(mrl_banned__has(&banned, &some[i], NOW));
    }
}

/* And not the one that does it again and again. */
static void of_too_many_the_first_to_end_is_let_off(void **state)
{
    struct mrl_banned banned = { 0 };
    int64_t now_ms = NOW;

    (void)state;
    ban(&banned, &now_ms);
    mrl_banned__add(&banned, &one, now_ms); /* for two seconds */
    for (int i = 0; i <= MRL_BANNED_MAX; i++) {
        const struct mrl_peer_id id = { .pid = 1000 + i };

        mrl_banned__add(&banned, &id, now_ms);
        assert_true(mrl_banned__has(&banned, &id, now_ms));
        assert_true(mrl_banned__has(&banned, &one, now_ms));
    }
    assert_false(mrl_banned__has(&banned, &other, now_ms));
}

/* Whose connection to a socket of this address it is, as the listener sees it. */
static void identify(const struct sockaddr *any, socklen_t size, struct mrl_peer_id *ret_id)
{
    struct sockaddr_storage bound;
    socklen_t bound_size = sizeof(bound);
    int listener = socket(any->sa_family, SOCK_STREAM, 0),
        client = socket(any->sa_family, SOCK_STREAM, 0), taken;

    assert_int_equal(bind(listener, any, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&bound, &bound_size), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&bound, bound_size), 0);
    taken = accept(listener, NULL, NULL);
    assert_true(taken >= 0);
    mrl_peer_id__of(taken, ret_id);
    close(taken);
    close(client);
    close(listener);
}

static void a_host_is_known_by_its_address_of_either_kind(void **state)
{
    const struct sockaddr_in ipv4 = { .sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6,
                                       .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    const unsigned char loopback[16] = { [15] = 1 };
    struct mrl_peer_id id;
    int probe = socket(AF_INET6, SOCK_STREAM, 0);

    (void)state;
    identify((const struct sockaddr *)&ipv4, sizeof(ipv4), &id);
    assert_memory_equal(id.address, "\x7f\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    if (probe < 0 || bind(probe, (const struct sockaddr *)&ipv6, sizeof(ipv6)))
        skip(); /* a machine without IPv6 */
    close(probe);
    identify((const struct sockaddr *)&ipv6, sizeof(ipv6), &id);
    assert_memory_equal(id.address, loopback, sizeof(loopback));
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
        cmocka_unit_test(who_cannot_be_told_from_others_is_not_banned),
        cmocka_unit_test(of_too_many_the_first_to_end_is_let_off),
        cmocka_unit_test(a_host_is_known_by_its_address_of_either_kind),
        cmocka_unit_test(a_process_is_known_by_its_pid_and_a_host_by_its_address),
    };

    return cmocka_run_group_tests_name("grpc banned", tests, NULL, NULL);
}
