/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Formats: how an event becomes bytes. An encoder is made once and used for any number of events.
 */
#ifndef MRELEASE_ENCODE_H
#define MRELEASE_ENCODE_H

#include <mrelease/declare.h>
#include <mrelease/error.h>
#include <mrelease/event.h>
#include <mrelease/extra.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/types.h>

MRL_BEGIN_DECLARATIONS

/** Belongs to one thread at a time. */
struct mrl_encoder;

/** No event takes more bytes than this, in any format. */
#define MRL_EVENT_TEXT_MAX ((size_t)48 * 1024)

/** A host, as a SIEM tells it from others. Each text is "" where it is not known. */
struct mrl_host_identity {
    char name[65];
    char kernel[65];       /**< its release, as "6.12.48" */
    char architecture[65]; /**< "x86_64" */
    char boot_id[37];
    char machine_id[33];
    char os_name[65]; /**< "Debian GNU/Linux" */
    char os_version[33];
};

/** Reads that of this host: uname(2), /proc, /etc/machine-id, os-release(5). */
void mrl_host_identity__read(struct mrl_host_identity *ret_identity);

/** How the text will be seen. */
struct mrl_encoder_options {
    /** Colours, for a terminal. */
    bool colour;
    /** The table shows a '?' for what is not ASCII, for a terminal that knows nothing else. */
    bool ascii;
    /** Names in place of user ids. Looks them up (blocking) once per user. */
    bool user_names;
    /** Set of extras (mrelease/extra.h) that JSON formats put behind the arguments of a call. */
    uint32_t extras;
    /** Of a terminal, in columns: the table fits. 0: lines may be of any length. */
    unsigned int width;
    /** Asked before each event for the columns of a terminal whose size may change: the table then
     * fits again, behind new titles. 0: no change. NULL: `width` stays. */
    unsigned int (*columns)(const void *columns_context);
    const void *columns_context;
    /** The table shows all fields, however long its lines. */
    bool wide;
    /** Each event is an item: its bytes stand behind a struct mrl_item_head (mrelease/item.h). */
    bool items;
    /** Where the events happened, borrowed until the encoder is made; NULL: that is not known. */
    const struct mrl_host_identity *host;
};

/** With mrl_encoder_options.items. */
#define MRL_ITEM_BYTES_MAX (MRL_EVENT_TEXT_MAX + 64)

/** A format. Static. */
struct mrl_format {
    const char *name;
    /** The format that this name stands for; NULL when it is not an alias. */
    const char *alias_of;
    const char *doc;
    /** Not lines: one event may be any bytes. Only the sink of mrl_capture__sink() takes it. */
    bool binary;
    /** Prints mrl_event.executable without an extra. */
    bool shows_executable;
    /** Set of extras that it shows without being asked; the source has to know. */
    uint32_t extras;
};

/** The known formats. */
const struct mrl_format *mrl_format__all(unsigned int *ret_count);

/** How a shape writes a value. */
enum mrl_form {
    MRL_FORM_OWN,      /**< as its kind wants it; of no place: a place has another */
    MRL_FORM_NUMBER,   /**< digits */
    MRL_FORM_LONG,     /**< the same; an unsigned number beyond 2^63 - 1 is not said */
    MRL_FORM_TEXT,     /**< a string, also of a number */
    MRL_FORM_DATE,     /**< ns since the epoch as RFC 3339 */
    MRL_FORM_MS,       /**< ns as ms, cut */
    MRL_FORM_TRUTH,    /**< 0 is false */
    MRL_FORM_SEVERITY, /**< as the shape numbers enum mrl_severity */
    MRL_FORM_LIST,     /**< a text of words between commas, as a list of strings */
    MRL_FORM_COUNT
};

enum { MRL_PLACE_BYTES = 96, MRL_PLACES_MAX = 176 };

/** Where a shape says what. */
struct mrl_shape_place {
    /** Members of objects, with dots between them; in flat shapes a key, or "" of a header. */
    char path[MRL_PLACE_BYTES];
    /** What: a field, or what is told of events beside their fields; NULL: always `word`. */
    const struct mrl_field *field;
    const char *word;
    enum mrl_form form;
    /** The word, or its parts between commas, are elements of a list. */
    bool in_list;
    /** The extra that has to be asked for; NULL: none. */
    const struct mrl_extra *extra;
    bool may_be_null, may_be_left_out;
    /** Said where the value is not known; NULL: nothing is. */
    const char *otherwise;
};

/** The places of an event in a format that is a shape, with all extras; 0 of any other format. */
unsigned int mrl_format__places(const char *format,
                                const struct mrl_event_def *def,
                                struct mrl_shape_place places[MRL_PLACES_MAX]);

/**
 * Makes an encoder for the format called `format`. `options` may be NULL. `*ret_encoder` is new.
 * Errors: -EINVAL unknown format, with the nearest; -ENOMEM.
 */
int mrl_encoder__new(const char *format,
                     const struct mrl_encoder_options *options,
                     struct mrl_error *error,
                     struct mrl_encoder **ret_encoder);

/** What precedes the first event (column titles, the header of a capture); empty for most formats.
 * Valid as the encoder. */
struct mrl_text mrl_encoder__preamble(const struct mrl_encoder *encoder);

/**
 * Writes `event` as one line with its newline (in the binary format, as frames). Allocates nothing,
 * but for a name that options.user_names has to look up. Returns the bytes written (0 for the
 * format "none"), or -ENOBUFS when `size` < MRL_EVENT_TEXT_MAX, of items
 * MRL_ITEM_BYTES_MAX.
 */
ssize_t mrl_encoder__put(struct mrl_encoder *encoder,
                         const struct mrl_event *event,
                         char *buffer,
                         size_t size);

/** NULL is allowed. */
void mrl_encoder__free(struct mrl_encoder *encoder);

MRL_END_DECLARATIONS

#endif
