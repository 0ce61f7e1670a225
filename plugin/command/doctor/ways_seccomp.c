// SPDX-License-Identifier: Apache-2.0
/* Ways past a seccomp filter that the caller has put on itself. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "command/doctor/ways.h"

enum { WAIT_MS = 10000 };

/* From now on the call is answered so. Returns what seccomp() says, or -errno. */
static int set_filter(uint32_t answer, unsigned int options)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)mrl_way__number(), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof(instructions) / sizeof(instructions[0]), instructions };
    int result;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return -errno;
    result = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, options, &program);
    return result < 0 ? -errno : result;
}

static void take_signal(int signal)
{
    (void)signal;
}

int mrl_way__filter(unsigned long answer)
{
    int err = set_filter((uint32_t)answer, 0);

    if (err)
        return err;
    if (answer == SECCOMP_RET_TRAP)
        signal(SIGSYS, take_signal);
    mrl_way__call();
    return 0;
}

/* A child that calls, and waits for an answer. Its number, or -errno. */
static pid_t start_caller(int *ret_listener)
{
    pid_t child;

    *ret_listener = set_filter(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    if (*ret_listener < 0)
        return *ret_listener;
    child = fork();
    if (!child) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        mrl_way__call();
        _exit(0);
    }
    return child < 0 ? -errno : child;
}

/* Another filter may answer in our place: then the caller ends, and nobody asks us. */
static int await_request(int listener, pid_t child, struct seccomp_notif *request)
{
    struct pollfd either[] = {
        { .fd = listener, .events = POLLIN },
        { .fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN },
    };
    int ready = poll(either, either[1].fd < 0 ? 1 : 2, WAIT_MS);

    if (either[1].fd >= 0)
        close(either[1].fd);
    if (ready <= 0 || !either[0].revents)
        return -EPERM;
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, request) ? -errno : 0;
}

static int end_caller(pid_t child, int err)
{
    if (err)
        kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return err;
}

int mrl_way__supervisor(unsigned long flags)
{
    struct seccomp_notif request = { 0 };
    struct seccomp_notif_resp response = { .error = flags ? 0 : -EPERM, .flags = (uint32_t)flags };
    int listener, err;
    pid_t child = start_caller(&listener);

    if (child < 0)
        return child;
    err = await_request(listener, child, &request);
    response.id = request.id;
    if (!err && ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response))
        err = -errno;
    return end_caller(child, err);
}

/* It waits within the call when it is killed. */
int mrl_way__killed(unsigned long argument)
{
    struct seccomp_notif request = { 0 };
    int listener, err;
    pid_t child = start_caller(&listener);

    (void)argument;
    if (child < 0)
        return child;
    err = await_request(listener, child, &request);
    kill(child, SIGKILL);
    return end_caller(child, err);
}
