/* SPDX-License-Identifier: Apache-2.0 */
/* An input as the messages of one end of a side program's conversation. */
#ifndef MRL_TESTS_FUZZ_SIDE_MESSAGES_H
#define MRL_TESTS_FUZZ_SIDE_MESSAGES_H

#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>

/** Sends them, each of which stands behind its size, as far as there is room. */
static inline void say_all(int socket, const uint8_t *data, size_t size)
{
    while (size > 2) {
        size_t one = data[0] | (size_t)data[1] << 8;

        one = one < size - 2 ? one : size - 2;
        if (send(socket, data + 2, one, MSG_DONTWAIT) < 0)
            return;
        data += 2 + one;
        size -= 2 + one;
    }
}

#endif
