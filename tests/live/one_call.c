// SPDX-License-Identifier: Apache-2.0
/* All that a container of one call runs. Linked statically: there is nothing else in it. */
#include <unistd.h>

#include <sys/syscall.h>

int main(void)
{
    return syscall(SYS_munlock, 0L, 0L) != 0;
}
