// SPDX-License-Identifier: Apache-2.0
/* Outputs open what is ours, and nothing that others put in its place. As root, with a user who
 * plants. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "sinks/opening.h"
#include "unit.h"

enum { PLANTER = 65534, WAIT_S = 5, ROOM = 128 };

static char directory[] = "/tmp/opening.XXXXXX";

/* Valid until the next call but one. */
static const char *at(const char *name)
{
    static char texts[2][ROOM];
    static unsigned int turn;

    turn = !turn;
    snprintf(texts[turn], ROOM, "%s/%s", directory, name);
    return texts[turn];
}

static void plant(const char *name, mode_t type)
{
    assert_int_equal(mknod(at(name), type | 0666, 0), 0);
    assert_int_equal(chown(at(name), PLANTER, PLANTER), 0);
}

/* In a directory of this mode. */
static void require_root_in(mode_t mode)
{
    if (geteuid())
        skip_because("only root can plant files of another user");
    assert_int_equal(chmod(directory, mode), 0);
    alarm(WAIT_S); /* what is refused is never waited for */
}

static int open_at(const char *name, const struct mrl_opening *how, struct mrl_error *error)
{
    bool created;

    return mrl_opening__open(how, at(name), &created, error);
}

static const struct mrl_opening first = { .group = (gid_t)-1, .waits = true };
static const struct mrl_opening later = { .group = (gid_t)-1 };

static void assert_refused(const char *name, int err, const char *why)
{
    const struct mrl_opening *const ways[] = { &first, &later };
    struct mrl_error error;

    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        assert_int_equal(open_at(name, ways[i], &error), err);
        assert_non_null(strstr(error.text, why));
    }
    assert_int_equal(unlink(at(name)), 0);
}

static void what_others_planted_is_refused_and_not_waited_for(void **state)
{
    static const mode_t modes[] = { 01777, 0777, 01775 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        require_root_in(modes[i]);
        plant("fifo", S_IFIFO);
        assert_refused("fifo", -EACCES, "made by user 65534");
        plant("file", S_IFREG);
        assert_refused("file", -EACCES, "made by user 65534");
        assert_int_equal(symlink("/etc/passwd", at("link")), 0);
        assert_refused("link", -ELOOP, "a symbolic link");
    }
}

/* Its members may share files there, but not read what is written for all. */
static void a_fifo_is_refused_where_a_group_makes_files(void **state)
{
    (void)state;
    require_root_in(0775);
    plant("fifo", S_IFIFO);
    assert_refused("fifo", -EACCES, "made by user 65534");
}

/* A name for a file of ours, which others could choose. */
static void a_second_name_is_refused_where_others_make_names(void **state)
{
    (void)state;
    require_root_in(01777);
    close(open(at("ours"), O_WRONLY | O_CREAT, 0600));
    assert_int_equal(link(at("ours"), at("name")), 0);
    assert_refused("name", -EACCES, "other names");
    unlink(at("ours"));
}

static void what_is_ours_is_opened_there(void **state)
{
    struct mrl_error error;
    int fd, reader;

    (void)state;
    require_root_in(01777);
    close(open(at("ours"), O_WRONLY | O_CREAT, 0600));
    fd = open_at("ours", &first, &error);
    assert_true(fd >= 0 && write(fd, "x", 1) == 1);
    close(fd);
    unlink(at("ours"));
    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
    assert_int_equal(open_at("fifo", &later, &error), -ENXIO);
    reader = open(at("fifo"), O_RDONLY | O_NONBLOCK);
    fd = open_at("fifo", &first, &error);
    assert_true(fd >= 0);
    close(fd);
    close(reader);
    unlink(at("fifo"));
}

/* Who owns a directory that others cannot write may have anything there. */
static void in_a_private_directory_anything_goes(void **state)
{
    struct mrl_error error;
    int fd;

    (void)state;
    require_root_in(0755);
    plant("file", S_IFREG);
    fd = open_at("file", &first, &error);
    assert_true(fd >= 0);
    close(fd);
    unlink(at("file"));
}

static mode_t mode_of(const char *name, gid_t *ret_group)
{
    struct stat file;

    assert_int_equal(stat(at(name), &file), 0);
    *ret_group = file.st_gid;
    return file.st_mode & 07777;
}

static void new_files_have_the_mode_and_group_that_were_asked_for(void **state)
{
    const struct mrl_opening how = { .mode = 0664, .group = PLANTER, .waits = true };
    mode_t mask = umask(077);
    struct mrl_error error;
    gid_t group;
    int fd;

    (void)state;
    require_root_in(0755);
    fd = open_at("plain", &first, &error);
    assert_int_equal(mode_of("plain", &group), 0600); /* 0640, less the umask */
    close(fd);
    fd = open_at("shared", &how, &error);
    assert_int_equal(mode_of("shared", &group), 0664);
    assert_int_equal(group, PLANTER);
    close(fd);
    fd = open_at("plain", &how, &error); /* it was there */
    assert_int_equal(mode_of("plain", &group), 0600);
    assert_int_equal(group, getegid());
    close(fd);
    umask(mask);
    unlink(at("plain"));
    unlink(at("shared"));
}

static void a_group_that_is_not_there_is_named(void **state)
{
    struct mrl_error error;
    gid_t group;

    (void)state;
    assert_int_equal(mrl_opening__find_group("no-such-group", "/a", &group, &error), -EINVAL);
    assert_non_null(strstr(error.text, "no-such-group"));
}

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_planted_is_refused_and_not_waited_for),
        cmocka_unit_test(a_fifo_is_refused_where_a_group_makes_files),
        cmocka_unit_test(a_second_name_is_refused_where_others_make_names),
        cmocka_unit_test(what_is_ours_is_opened_there),
        cmocka_unit_test(in_a_private_directory_anything_goes),
        cmocka_unit_test(new_files_have_the_mode_and_group_that_were_asked_for),
        cmocka_unit_test(a_group_that_is_not_there_is_named),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
