// SPDX-License-Identifier: Apache-2.0
#include "command/options/wrap.h"

#include <mrelease/sink.h>
#include <string.h>
#include <unistd.h>

enum { USUAL_COLUMNS = 80 };

static void put_word(struct mrl_wrap *wrap, const char *word, size_t size)
{
    int width = 0;

    for (size_t i = 0; i < size; i++)
        width += (word[i] & 0xc0) != 0x80;
    if (wrap->width && wrap->column > wrap->indent && wrap->column + 1 + width > wrap->width) {
        fprintf(wrap->to, "\n%*s", wrap->indent, "");
        wrap->column = wrap->indent;
    } else if (wrap->column > 0) {
        fputc(' ', wrap->to);
        wrap->column++;
    }
    fwrite(word, 1, size, wrap->to);
    wrap->column += width;
}

void mrl_wrap__put(struct mrl_wrap *wrap, const char *text)
{
    for (size_t size; *text; text += size + (text[size] == ' ')) {
        size = strcspn(text, " ");
        put_word(wrap, text, size);
    }
}

int mrl_wrap__columns(void)
{
    const unsigned int columns = mrl_sink__columns_fd(STDOUT_FILENO);

    return columns ? (int)columns : USUAL_COLUMNS;
}
