// SPDX-License-Identifier: Apache-2.0
#include "unit/sandboxed.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/wait.h>

#include "unit/unit.h"

enum { WAIT_S = 20 };

char sandboxed_directory[] = "/tmp/sandbox.XXXXXX";

void sandboxed__want(bool holds, const char *what, long number)
{
    if (holds)
        return;
    fprintf(stderr, "# %s %ld: %s\n", what, number, strerror(errno));
    _exit(1);
}

void sandboxed__run(void (*act)(void))
{
    const int deadly[] = { SIGSEGV, SIGILL, SIGABRT, SIGBUS, SIGSYS };
    pid_t child = fork();
    int status;

    if (!child) {
        for (size_t i = 0; i < COUNT_OF(deadly); i++)
            signal(deadly[i], SIG_DFL); /* cmocka's would go on with the tests */
        alarm(WAIT_S);
        act();
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        fail_case("ended by signal %d", WTERMSIG(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

void sandboxed__enter(uint32_t calls, uint64_t capabilities)
{
    struct mrl_sandbox sandbox = { .calls = calls, .capabilities = capabilities };
    struct mrl_error missing;

    WANT(!mrl_sandbox__add_path(&sandbox, sandboxed_directory, MRL_PATH_MAKE | MRL_PATH_READ));
    WANT(!mrl_sandbox__add_path(&sandbox, "/proc/self", MRL_PATH_READ));
    WANT(!mrl_sandbox__add_path(&sandbox, "/not/there", MRL_PATH_READ));
    if (mrl_sandbox__enter(&sandbox, &missing)) {
        fprintf(stderr, "# %s\n", missing.text);
        _exit(1);
    }
    mrl_sandbox__done(&sandbox);
}

bool sandboxed__refuses(long number, long first)
{
    errno = 0;
    return syscall(number, first, -1L, -1L, -1L, -1L, -1L) < 0 && errno == EPERM;
}

int sandboxed__set_up(void **state)
{
    (void)state;
    return mkdtemp(sandboxed_directory) ? 0 : -1;
}

int sandboxed__tear_down(void **state)
{
    (void)state;
    return rmdir(sandboxed_directory);
}
