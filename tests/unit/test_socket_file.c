// SPDX-License-Identifier: Apache-2.0
/* The mode of a socket's file, and of what others put in its place. */
#include <string.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "base/socket_file.h"
#include "unit/unit.h"

enum { MODE = 0640 };

static char room[] = "/tmp/mrelease-socket-XXXXXX";

static mode_t mode_of(const char *path)
{
    struct stat file;

    assert_int_equal(stat(path, &file), 0);
    return file.st_mode & 07777;
}

static void a_socket_gets_its_mode_and_what_is_in_its_place_does_not(void **state)
{
    struct sockaddr_un where = { .sun_family = AF_UNIX };
    char other[64], link[64];
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    assert_non_null(mkdtemp(room));
    snprintf(where.sun_path, sizeof(where.sun_path), "%s/s", room);
    snprintf(other, sizeof(other), "%s/other", room);
    snprintf(link, sizeof(link), "%s/link", room);
    assert_int_equal(bind(fd, (const struct sockaddr *)&where, sizeof(where)), 0);
    assert_int_equal(close(open(other, O_CREAT | O_WRONLY | O_EXCL, 0600)), 0);
    assert_int_equal(symlink(other, link), 0);

    assert_int_equal(mrl_socket_file__give(where.sun_path, MODE, (gid_t)-1), 0);
    assert_int_equal(mode_of(where.sun_path), MODE);
    assert_int_equal(mrl_socket_file__give(link, 0666, (gid_t)-1), -EPERM);
    assert_int_equal(mrl_socket_file__give(other, 0666, (gid_t)-1), -EPERM);
    assert_int_equal(mode_of(other), 0600);

    close(fd);
    unlink(link);
    unlink(other);
    unlink(where.sun_path);
    rmdir(room);
    assert_int_equal(mrl_socket_file__give(where.sun_path, MODE, (gid_t)-1), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_gets_its_mode_and_what_is_in_its_place_does_not),
    };

    return cmocka_run_group_tests_name("socket file", tests, NULL, NULL);
}
