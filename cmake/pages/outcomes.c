// SPDX-License-Identifier: Apache-2.0
/* The table of docs/outcomes.md, from the rows of the verb explain. */
#include <stdio.h>

#include "command/verbs/explain.h"
#include "pages.h"

void mrl_pages__outcomes(void)
{
    const struct mrl_explained *row;

    puts("| outcome | answer | what it means | observed | `unknown` instead, when |\n"
         "|---|---|---|---|---|");
    for (unsigned int i = 0; (row = mrl_explained__at(i)); i++)
        if (row->answers)
            printf("| `%s` | %s | %s | %s | %s |\n", row->word, row->answers, row->means,
                   row->observed, row->otherwise);
}
