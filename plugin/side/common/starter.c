// SPDX-License-Identifier: Apache-2.0
#include "side/common/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "side/common/join.h"
#include "side/common/message.h"

#ifdef MRL_SANITIZED
enum { STACK_BYTES = 8 * 1024 * 1024 };
#else
enum { STACK_BYTES = 512 * 1024 };
#endif

enum { NICER = 5 };

enum op { START, BURY };

struct question {
    uint32_t op;
    int32_t of; /* the program's index, or its pid */
};

struct answer {
    int32_t err, value; /* a pid, 0 of a program that somebody else starts; or a status */
};

/* -- in the starter --------------------------------------------------------------------------- */

/* Of the environment a program gets what the sanitizers' runtimes read, and nothing else. */
static void clean_environment(void)
{
    static const char *const kept[] = { "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS",
                                        "UBSAN_OPTIONS" };
    enum { COUNT = sizeof(kept) / sizeof(kept[0]) };
    char *values[COUNT];

    for (size_t i = 0; i < COUNT; i++) {
        const char *value = getenv(kept[i]);

        values[i] = value ? strdup(value) : NULL;
    }
    clearenv();
    for (size_t i = 0; i < COUNT; i++)
        if (values[i])
            setenv(kept[i], values[i], 1);
    /* A heap per thread would be most of a small program's memory. */
    setenv("MALLOC_ARENA_MAX", "2", 1);
}

/* Standard input and output are nobody's; errors go where ours go, for the sanitizers. */
static void leave_standard(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (null > STDERR_FILENO)
        close(null);
}

/* In the child of the starter. Does not return: on failure the parent reads why. */
static void become(const struct mrl_startable *program, const char *word, int socket, int report)
{
    const struct rlimit stack = { STACK_BYTES, STACK_BYTES };
    char *const arguments[] = { (char *)(uintptr_t)program->path, (char *)(uintptr_t)MRL_SIDE_SERVE,
                                (char *)(uintptr_t)word, NULL };
    const int niceness = getpriority(PRIO_PROCESS, 0);
    sigset_t none;
    int err;

    /* Out of the way of descriptor 3, and closed by exec. */
    report = fcntl(report, F_DUPFD_CLOEXEC, MRL_SIDE_SOCKET + 1);
    if (socket != MRL_SIDE_SOCKET)
        dup2(socket, MRL_SIDE_SOCKET);
    else
        fcntl(socket, F_SETFD, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* What a thread's stack takes counts for RLIMIT_DATA. */
    setrlimit(RLIMIT_STACK, &stack);
    /* What strangers make it do may not take the time of who reads events, nor of others where the
     * sensor itself is given more than they are. */
    if (!program->is_awaited)
        setpriority(PRIO_PROCESS, 0, niceness > 0 ? niceness + NICER : NICER);
    syscall(SYS_close_range, MRL_SIDE_SOCKET + 1, ~0U, 1U << 2 /* CLOSE_RANGE_CLOEXEC */);
    execv(program->path, arguments);
    err = errno;
    if (write(report, &err, sizeof(err)) != sizeof(err))
        _exit(126);
    _exit(127);
}

/* 0, or the -errno of the child's exec. */
static int wait_for_exec(int report)
{
    int err = 0;

    return read(report, &err, sizeof(err)) == sizeof(err) ? -err : 0;
}

/* Returns the pid, or -errno. `*ret_socket` is the main process's end. */
static pid_t launch(const struct mrl_startable *program, const char *word, int *ret_socket)
{
    int pair[2], report[2], err = 0;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return -errno;
    if (pipe2(report, O_CLOEXEC)) {
        err = -errno;
        close(pair[0]);
        close(pair[1]);
        return err;
    }
    pid = fork();
    if (!pid)
        become(program, word, pair[1], report[1]);
    close(pair[1]);
    close(report[1]);
    err = pid < 0 ? -errno : wait_for_exec(report[0]);
    close(report[0]);
    if (err) {
        close(pair[0]);
        if (pid > 0)
            waitpid(pid, NULL, 0);
        return err;
    }
    *ret_socket = pair[0];
    return pid;
}

struct started_list {
    pid_t pids[MRL_STARTED_MAX]; /* 0: free. Not reaped, so that the number is nobody else's. */
};

static pid_t *find(struct started_list *list, pid_t pid)
{
    for (unsigned int i = 0; i < MRL_STARTED_MAX; i++)
        if (list->pids[i] == pid)
            return &list->pids[i];
    return NULL;
}

static void reply(int socket, const struct answer *answer, const int *fds, unsigned int count)
{
    struct iovec part = { (void *)(uintptr_t)answer, sizeof(*answer) };
    char control[CMSG_SPACE(2 * sizeof(int))] __attribute__((aligned(sizeof(size_t)))) = { 0 };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

    if (count) {
        struct cmsghdr *head = (struct cmsghdr *)(void *)control;

        header.msg_control = control;
        header.msg_controllen = sizeof(control);
        *head = (struct cmsghdr){ CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
        memcpy(CMSG_DATA(head), fds, count * sizeof(int));
    }
    while (sendmsg(socket, &header, MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
}

/* Returns its status. */
static int end(pid_t pid)
{
    int status = 0;

    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* It is ended by the end of the connection: there is no process of ours to tell of it. */
static void join_for(int socket, const char *path)
{
    int fd = mrl_join__connect(path);
    const struct answer answer = { fd < 0 ? fd : 0, 0 };

    reply(socket, &answer, &fd, fd < 0 ? 0 : 1);
    if (fd >= 0)
        close(fd);
}

static void start_for(int socket,
                      const struct mrl_startable *program,
                      const char *word,
                      struct started_list *list)
{
    pid_t *free_place = find(list, 0);
    struct answer answer = { -EAGAIN, 0 };
    int fds[2] = { -1, -1 };

    if (free_place)
        answer.value = launch(program, word, &fds[0]);
    if (free_place && answer.value < 0)
        answer = (struct answer){ answer.value, 0 };
    if (answer.value <= 0) {
        reply(socket, &answer, NULL, 0);
        return;
    }
    fds[1] = (int)syscall(SYS_pidfd_open, answer.value, 0);
    answer.err = fds[1] < 0 ? -errno : 0;
    if (answer.err)
        end(answer.value);
    else
        *free_place = answer.value;
    reply(socket, &answer, fds, answer.err ? 0 : 2);
    close(fds[0]);
    if (fds[1] >= 0)
        close(fds[1]);
}

static void bury_for(int socket, pid_t pid, struct started_list *list)
{
    pid_t *place = pid > 0 ? find(list, pid) : NULL;
    struct answer answer = { place ? 0 : -ESRCH, 0 };

    if (place) {
        answer.value = end(pid);
        *place = 0;
    }
    reply(socket, &answer, NULL, 0);
}

/* Until the main process is gone. */
static void serve(int socket,
                  const struct mrl_startable *programs,
                  unsigned int count,
                  const char *word)
{
    struct started_list list = { { 0 } };
    struct question question;

    for (;;) {
        ssize_t size = recv(socket, &question, sizeof(question), 0);

        if (size < 0 && errno == EINTR)
            continue;
        if (size != sizeof(question))
            break;
        if (question.op == START && (uint32_t)question.of < count &&
            mrl_join__is_socket(programs[question.of].path))
            join_for(socket, programs[question.of].path);
        else if (question.op == START && (uint32_t)question.of < count)
            start_for(socket, &programs[question.of], word, &list);
        else
            bury_for(socket, question.of, &list);
    }
    for (unsigned int i = 0; i < MRL_STARTED_MAX; i++)
        if (list.pids[i])
            kill(list.pids[i], SIGKILL);
}

/* What gives a program its own user, and ends it then, stays; and what a program needs to leave its
 * bounding set. */
static bool drop_capabilities(void)
{
    const uint64_t kept =
        1ULL << CAP_SETUID | 1ULL << CAP_SETGID | 1ULL << CAP_SETPCAP | 1ULL << CAP_KILL;
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct sets[2] = { { 0 } };

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (int i = 0; i <= CAP_LAST_CAP; i++)
        if (!(kept & 1ULL << i))
            prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
    if (syscall(SYS_capget, &head, sets))
        return false;
    for (int i = 0; i < 2; i++) {
        sets[i].permitted &= (uint32_t)(kept >> 32 * i);
        sets[i].effective = sets[i].permitted;
        sets[i].inheritable = 0;
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return !syscall(SYS_capset, &head, sets);
}

/* Signals of a terminal or a service manager go to all of a group: the main process says what they
 * mean. */
static void be_starter(int socket,
                       const struct mrl_startable *programs,
                       unsigned int count,
                       const char *word)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_NAME, "mrelease-start");
    clean_environment();
    leave_standard();
    for (int fd = STDERR_FILENO + 1; fd < socket; fd++)
        close(fd);
    syscall(SYS_close_range, socket + 1, ~0U, 0); /* since 5.9 */
    if (!drop_capabilities()) {
        dprintf(STDERR_FILENO, "the starter of side programs cannot give up its rights: %s\n",
                strerror(errno));
        _exit(1);
    }
    serve(socket, programs, count, word);
    _exit(0);
}

/* -- in the main process ---------------------------------------------------------------------- */

int mrl_starter__fork(const struct mrl_startable *programs,
                      unsigned int count,
                      const char *word,
                      struct mrl_starter *ret_starter)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return -errno;
    pid = fork();
    if (!pid) {
        close(pair[0]);
        be_starter(pair[1], programs, count, word);
    }
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return -EAGAIN;
    }
    *ret_starter = (struct mrl_starter){ .socket = pair[0], .pid = pid };
    pthread_mutex_init(&ret_starter->lock, NULL);
    return 0;
}

/* With the lock held. Returns how many descriptors came, or -errno. */
static int ask(struct mrl_starter *starter,
               const struct question *question,
               struct answer *ret_answer,
               int fds[2])
{
    struct iovec part = { ret_answer, sizeof(*ret_answer) };
    char control[CMSG_SPACE(2 * sizeof(int))] __attribute__((aligned(sizeof(size_t))));
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
    };
    const struct cmsghdr *head;
    ssize_t size;
    int count;

    if (send(starter->socket, question, sizeof(*question), MSG_NOSIGNAL) < 0)
        return -EPIPE;
    do
        size = recvmsg(starter->socket, &header, MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size != sizeof(*ret_answer))
        return -EPIPE;
    head = CMSG_FIRSTHDR(&header);
    if (!head)
        return 0;
    count = head->cmsg_len < CMSG_LEN(2 * sizeof(int)) ? 1 : 2;
    memcpy(fds, CMSG_DATA(head), (size_t)count * sizeof(int));
    return count;
}

int mrl_starter__join_only(const struct mrl_startable *programs, struct mrl_starter *ret_starter)
{
    *ret_starter = (struct mrl_starter){ .socket = -1, .joined = programs };
    return 0;
}

static int join_one(const struct mrl_startable *program, struct mrl_started *ret_started)
{
    const int fd = mrl_join__connect(program->path);

    *ret_started = (struct mrl_started){ fd, -1, 0 };
    return fd < 0 ? fd : 0;
}

int mrl_starter__start(struct mrl_starter *starter,
                       unsigned int index,
                       struct mrl_started *ret_started)
{
    const struct question question = { START, (int32_t)index };
    struct answer answer;
    int fds[2], count;

    if (starter->joined)
        return join_one(&starter->joined[index], ret_started);
    pthread_mutex_lock(&starter->lock);
    count = ask(starter, &question, &answer, fds);
    pthread_mutex_unlock(&starter->lock);
    if (count < 0)
        return count;
    if (answer.err)
        return answer.err;
    if (count == 1 && !answer.value) {
        *ret_started = (struct mrl_started){ fds[0], -1, 0 };
        return 0;
    }
    if (count != 2 && !answer.value)
        return -EMFILE;
    if (count != 2) { /* there were no descriptors left for what came: it is nobody's */
        if (count)
            close(fds[0]);
        mrl_starter__bury(starter, answer.value);
        return -EMFILE;
    }
    *ret_started = (struct mrl_started){ fds[0], fds[1], answer.value };
    return 0;
}

int mrl_starter__bury(struct mrl_starter *starter, pid_t pid)
{
    const struct question question = { BURY, pid };
    struct answer answer;
    int fds[2], count;

    pthread_mutex_lock(&starter->lock);
    count = ask(starter, &question, &answer, fds);
    pthread_mutex_unlock(&starter->lock);
    return count < 0 ? count : answer.err ? answer.err : answer.value;
}

void mrl_starter__end(struct mrl_starter *starter)
{
    if (starter->socket < 0)
        return;
    close(starter->socket);
    starter->socket = -1;
    while (waitpid(starter->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    pthread_mutex_destroy(&starter->lock);
}
