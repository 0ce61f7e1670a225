// SPDX-License-Identifier: Apache-2.0
/* Which files --policy reads, and what no such file is. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "unit/policy_sets.h"
#include "unit/problems.h"

static char place[64];

static int enter_place(void **state)
{
    (void)state;
    snprintf(place, sizeof(place), "/tmp/mrelease-policies.XXXXXX");
    return mkdtemp(place) && !chdir(place) ? forget_problems(state) : -1;
}

static int leave_place(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", place);
    return chdir("/") || system(command);
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_read(const char *path, bool is_again, const char *joined, const char *said)
{
    struct test_policies test;

    test_policies__read(&test, path, is_again);
    if (test.err != (*joined ? 0 : -EINVAL) || strcmp(test.joined, joined) != 0 ||
        strcmp(test.said, said) != 0)
        problem("%s: %d \"%s\", said \"%s\", wanted \"%s\"", path, test.err, test.joined, test.said,
                said);
    test_policies__done(&test);
}

/* -- what is read ----------------------------------------------------------------------------- */

/* As a ConfigMap is mounted: names are links to a directory that is exchanged. */
static void a_directory_is_read_as_tracee_reads_it(void **state)
{
    (void)state;
    assert_int_equal(mkdir("..2026", 0700) || mkdir("z.yaml", 0700), 0);
    put("..2026/b.yaml", POLICY_OF("b"));
    put("..2026/a.json", "{\"type\":\"policy\",\"name\":\"a\",\"scope\":[\"global\"],\"rules\":"
                         "[{\"event\":\"mlock\"}]}");
    assert_int_equal(symlink("..2026", "..data"), 0);
    assert_int_equal(symlink("..data/b.yaml", "b.yaml"), 0);
    assert_int_equal(symlink("..data/a.json", "a.json"), 0);
    put("c.yml", POLICY_OF("c"));
    put("README", "no policy");
    put(".hidden.yaml", "no policy");
    assert_read(".", false, "a:; mlock|b:; mlock|c:; mlock|", "");
    assert_int_equal(mkfifo("d.yaml", 0600), 0);
    assert_read(".", false, "", "!./d.yaml: it is no regular file, but a FIFO\n");
    assert_read("z.yaml", false, "", "!z.yaml: no file in it is named *.yaml, *.yml or *.json\n");
    assert_int_equal(problems, 0);
}

static void a_directory_has_so_many_files_and_no_more(void **state)
{
    char path[32];

    (void)state;
    for (int i = 0; i < 256; i++) {
        snprintf(path, sizeof(path), "%03d.yaml", i);
        put(path, i ? "# none" : POLICY_OF("a"));
    }
    for (int i = 0; i < 2; i++) {
        struct test_policies test;

        test_policies__read(&test, ".", false);
        assert_int_equal(test.set.file_count, i ? 0 : 256);
        test_policies__done(&test);
        put("256.yaml", "# none");
    }
    assert_read(".", false, "", "!.: there are more files in it than there may be policies\n");
    assert_int_equal(problems, 0);
}

/* -- what is not ------------------------------------------------------------------------------ */

static void make_socket(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
}

static void make_large(const char *path, off_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
}

static void what_is_no_file_is_told_at_once(void **state)
{
    static const struct {
        const char *path, *said;
    } cases[] = {
        { "", "!the path of a policy cannot be empty\n" },
        { "none", "!none: No such file or directory\n" },
        { "file/none", "!file/none: Not a directory\n" },
        { "loop", "!loop: Too many levels of symbolic links\n" },
        { "socket", "!socket: it is no regular file, but a socket\n" },
        { "fifo", "!fifo: a FIFO that nobody writes\n" },
        { "/dev/zero", "!/dev/zero: it is no regular file, but a device\n" },
        { "/dev/null", "!/dev/null:1:1: there is no policy in it\n" },
        { "large", "!large:1:1: more than 1024 KiB\n" },
        { "huge", "!huge:1:1: more than 1024 KiB\n" },
    };

    (void)state;
    put("file", "");
    assert_int_equal(symlink("loop", "loop"), 0);
    make_socket("socket");
    assert_int_equal(mkfifo("fifo", 0600), 0);
    make_large("large", MRL_POLICY_FILE_BYTES_MAX + 1);
    make_large("huge", (off_t)1 << 40);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_read(cases[i].path, false, "", cases[i].said);
    assert_read("fifo", true, "", "!fifo: it is no regular file, but a FIFO\n");
    assert_read("/dev/null", true, "", "!/dev/null: it is no regular file, but a device\n");
    assert_int_equal(problems, 0);
}

static void what_may_not_be_read_is_named(void **state)
{
    (void)state;
    if (geteuid())
        skip_because("needs root, to be somebody else");
    assert_int_equal(mkdir("closed", 0700) || mkdir("listed", 0744), 0);
    put("file.yaml", POLICY_OF("a"));
    put("closed/a.yaml", POLICY_OF("a"));
    put("listed/a.yaml", POLICY_OF("a"));
    assert_int_equal(chmod("file.yaml", 0600) || chmod(".", 0755), 0);
    assert_int_equal(seteuid(65534), 0);
    assert_read("closed", false, "", "!closed: Permission denied\n");
    assert_read("closed/a.yaml", false, "", "!closed/a.yaml: Permission denied\n");
    assert_read("listed", false, "", "!listed/a.yaml: Permission denied\n");
    assert_read("file.yaml", false, "", "!file.yaml: Permission denied\n");
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(problems, 0);
}

/* -- what is waited for ----------------------------------------------------------------------- */

struct writer {
    const char *path, *text;
    unsigned int before_us, amid_us;
};

static void *write_fifo(void *context)
{
    const struct writer *writer = context;
    int fd;

    usleep(writer->before_us);
    fd = open(writer->path, O_WRONLY | O_CLOEXEC);
    usleep(writer->amid_us);
    if (write(fd, writer->text, strlen(writer->text)) != (ssize_t)strlen(writer->text))
        abort();
    close(fd);
    return NULL;
}

/* What is said on standard error while the policies are read. */
static void read_aside(const char *path, char *said, size_t size)
{
    int kept = dup(STDERR_FILENO), aside = memfd_create("said", MFD_CLOEXEC);
    ssize_t count;

    assert_true(kept >= 0 && aside >= 0 && dup2(aside, STDERR_FILENO) >= 0);
    assert_read(path, false, "a:; mlock|", "");
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    count = pread(aside, said, size - 1, 0);
    said[count > 0 ? count : 0] = '\0';
    close(kept);
    close(aside);
}

/* Who is about to write to a FIFO, and who takes long: as kubectl in <(kubectl ...). */
static void whoever_writes_a_fifo_is_waited_for(void **state)
{
    static const char *const told[] = {
        "",
        "mrelease: warning: slow: waiting until whoever writes this FIFO has closed it\n",
    };
    struct writer writers[] = { { "late", POLICY_OF("a"), 20000, 0 },
                                { "slow", POLICY_OF("a"), 0, 2500000 } };
    pthread_t thread;
    char said[256];
    int fd;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(writers); i++) {
        assert_int_equal(mkfifo(writers[i].path, 0600), 0);
        assert_int_equal(pthread_create(&thread, NULL, write_fifo, &writers[i]), 0);
        read_aside(writers[i].path, said, sizeof(said));
        /* Who was not waited for may end as well. */
        fd = open(writers[i].path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        pthread_join(thread, NULL);
        close(fd);
        assert_string_equal(said, told[i]);
    }
    assert_int_equal(problems, 0);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, enter_place, leave_place)
    const struct CMUnitTest tests[] = {
        test(a_directory_is_read_as_tracee_reads_it),
        test(a_directory_has_so_many_files_and_no_more),
        test(what_is_no_file_is_told_at_once),
        test(what_may_not_be_read_is_named),
        test(whoever_writes_a_fifo_is_waited_for),
    };

    return cmocka_run_group_tests_name("policy_paths", tests, NULL, NULL);
}
