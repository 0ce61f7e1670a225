// SPDX-License-Identifier: Apache-2.0
/* The picture of the README: the table of a recorded release, as a terminal shows it, in SVG. */
#include <mrelease/mrelease.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pages.h"

#define CAPTURE "cmake/pages/release.capture"

enum { COLUMNS = 80, LEFT = 16, TOP = 56, LINE_HEIGHT = 21, DAY_S = 24 * 60 * 60 };

#define COMMAND "# mrelease run\n\033[0m"

#define COLUMN_WIDTH 8.4 /* of most fonts, at 14 pixels */

struct screen {
    int line, column;
    const char *style; /* of what comes; "": none */
};

static const struct {
    const char *code, *style;
} styles[] = { { "\033[1m", " class=\"title\"" },
               { "\033[31m", " class=\"error\"" },
               { "\033[36m", " class=\"event\"" },
               { "\033[0m", "" } };

static void put_escaped(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] == '<' || text[i] == '&')
            fputs(text[i] == '<' ? "&lt;" : "&amp;", stdout);
        else
            putchar(text[i]);
}

/* A word has a place of its own: fonts differ in their width. */
static void put_word(struct screen *screen, const char *text, size_t size)
{
    printf("<text x=\"%.1f\" y=\"%d\"%s>", LEFT + screen->column * COLUMN_WIDTH,
           TOP + screen->line * LINE_HEIGHT, screen->style);
    put_escaped(text, size);
    puts("</text>");
    screen->column += (int)size;
}

/* Returns the size of a code that sets a style; 0: none stands there. */
static size_t take_style(struct screen *screen, const char *at)
{
    for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++)
        if (!strncmp(at, styles[i].code, strlen(styles[i].code))) {
            screen->style = styles[i].style;
            return strlen(styles[i].code);
        }
    return 0;
}

static void put_lines(struct screen *screen, struct mrl_text lines)
{
    const char *at = lines.bytes, *end = at + lines.size;

    while (at < end) {
        size_t size = take_style(screen, at);

        if (!size && *at == '\n') {
            screen->line++;
            screen->column = 0;
        } else if (!size && *at == ' ') {
            screen->column++;
        } else if (!size) {
            size = strcspn(at, " \n\033");
            put_word(screen, at, size);
        }
        at += size ? size : 1;
    }
}

/* At the same time of the present day: else there would be a date, that of the recording. */
static void put_event(struct screen *screen,
                      struct mrl_encoder *encoder,
                      const struct mrl_event *event)
{
    static char line[MRL_EVENT_TEXT_MAX + 1];
    struct mrl_event today = *event;
    uint64_t day = (uint64_t)(time(NULL) / DAY_S * DAY_S) * 1000000000;
    ssize_t size;

    today.entry_ns = day + event->entry_ns % ((uint64_t)DAY_S * 1000000000);
    size = mrl_encoder__put(encoder, &today, line, sizeof(line) - 1);
    if (size < 0)
        abort();
    line[size] = '\0'; /* for strcspn() */
    put_lines(screen, (struct mrl_text){ line, (size_t)size });
}

void mrl_pages__picture(void)
{
    const struct mrl_encoder_options look = { .colour = true,
                                              .width = COLUMNS,
                                              .user_names = true };
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct screen screen = { .style = " class=\"typed\"" };
    struct mrl_encoder *encoder;
    struct mrl_plugin *plugin;
    struct mrl_batch *batch;
    struct mrl_error error;
    int count;

    setenv("TZ", "UTC", 1);
    options.replay = CAPTURE;
    if (mrl_plugin__open(&options, &error, &plugin) ||
        mrl_encoder__new("table", &look, &error, &encoder)) {
        fprintf(stderr, "mrelease_pages: %s\n", error.text);
        exit(1);
    }
    put_lines(&screen, (struct mrl_text){ COMMAND, strlen(COMMAND) });
    put_lines(&screen, mrl_encoder__preamble(encoder));
    while ((count = mrl_plugin__next_batch(plugin, 0, &batch)) >= 0) {
        for (int i = 0; i < count; i++)
            put_event(&screen, encoder, mrl_batch__at(batch, (size_t)i));
        if (count)
            mrl_batch__unref(batch);
    }
    mrl_encoder__free(encoder);
    mrl_plugin__close(plugin);
}
