/* SPDX-License-Identifier: Apache-2.0 */
/* What open_memstream() leaves to its callers. */
#ifndef MRL_BASE_MEMSTREAM_H
#define MRL_BASE_MEMSTREAM_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/**
 * Closes a stream of open_memstream(); `*text`, which was NULL before that, is the caller's to
 * free. Error: -ENOMEM, and `*text` is NULL. fclose() alone does not tell: where glibc lacks the
 * memory to end the text, it leaves NULL there and returns 0.
 */
static inline int mrl_memstream__close(FILE *stream, char **text)
{
    if (!fclose(stream) && *text)
        return 0;
    free(*text);
    *text = NULL;
    return -ENOMEM;
}

#endif
