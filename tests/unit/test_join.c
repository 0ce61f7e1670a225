// SPDX-License-Identifier: Apache-2.0
/* Side programs that somebody else starts: who listens there is root, or this user. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "side/common/join.h"
#include "unit/unit.h"

enum { STRANGER = 65534 };

static char path[64];

/* Whom the other end sees is who calls listen(). Returns the socket. */
static int listen_as(uid_t uid)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    snprintf(path, sizeof(path), "/tmp/mrelease-join.%d", getpid());
    memcpy(address.sun_path, path, strlen(path));
    unlink(path);
    assert_return_code(bind(fd, (const struct sockaddr *)&address, sizeof(address)), errno);
    assert_return_code(seteuid(uid), errno);
    assert_return_code(listen(fd, 1), errno);
    assert_return_code(seteuid(getuid()), errno);
    return fd;
}

static void a_listener_of_this_user_is_connected_to(void **state)
{
    const int listener = listen_as(geteuid());
    int fd;

    (void)state;
    assert_true(mrl_join__is_socket(path));
    fd = mrl_join__connect(path);
    assert_true(fd >= 0);
    close(fd);
    close(listener);
    unlink(path);
}

static void a_stranger_who_listens_is_refused(void **state)
{
    int listener;

    (void)state;
    if (geteuid())
        skip_because("only root can listen as a stranger");
    listener = listen_as(STRANGER);
    assert_int_equal(mrl_join__connect(path), -EACCES);
    close(listener);
    unlink(path);
}

static void what_is_no_socket_or_too_long_is_none(void **state)
{
    char longer[256];

    (void)state;
    memset(longer, 'a', sizeof(longer) - 1);
    longer[0] = '/';
    longer[sizeof(longer) - 1] = '\0';
    assert_false(mrl_join__is_socket("/dev/null"));
    assert_false(mrl_join__is_socket("/nowhere/at/all"));
    assert_int_equal(mrl_join__connect("/nowhere/at/all"), -ENOENT);
    assert_int_equal(mrl_join__connect(longer), -ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listener_of_this_user_is_connected_to),
        cmocka_unit_test(a_stranger_who_listens_is_refused),
        cmocka_unit_test(what_is_no_socket_or_too_long_is_none),
    };

    return cmocka_run_group_tests_name("join", tests, NULL, NULL);
}
