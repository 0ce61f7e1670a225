/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in manual pages: escaped, and in lines that a page can be read and compared by. */
#ifndef MRL_PAGES_ROFF_H
#define MRL_PAGES_ROFF_H

/** Prints plain text as filled lines, each sentence on a new one. */
void mrl_roff__text(const char *text);

/** Prints plain text without a newline. */
void mrl_roff__word(const char *text);

#endif
