// SPDX-License-Identifier: Apache-2.0
/*
 * Fluent Forward, version 1: chunks of events, each of which is a map, and an acknowledgement for
 * each chunk. Where there is a shared key, both ends prove that they know it before anything is
 * sent (HELO, PING, PONG).
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "side/ship/body.h"
#include "side/ship/rights.h"
#include "side/stream/link.h"
#include "side/stream/msgpack.h"
#include "side/stream/sink.h"

enum {
    ANSWER_MAX = 64 * 1024, /* of any message of a server */
    ROOM = 4096,
    CHUNK_BYTES = 16,
    CHUNK_TEXT = 24, /* in base64 */
    DIGEST_TEXT = 128,
    COMPRESS_FROM = 1024,
};

struct mrl_sink {
    const struct mrl_stream_options *options;
    struct mrl_link *link;
    struct mrl_files files;
    struct mrl_body entries, packed, message, answer;
    char chunk[CHUNK_TEXT + 1];
};

/* -- messages of the server ------------------------------------------------------------------- */

static const char *quote(const struct mrl_sink *sink,
                         const struct mrl_msgpack_value *value,
                         char line[200])
{
    return mrl_files__quote(&sink->files, "", value->bytes,
                            value->type == MRL_MSGPACK_BYTES ? value->size : 0, line);
}

/* One whole message, whose bytes stay in the sink's answer. Errors: that the link has said. */
static int receive(struct mrl_sink *sink, struct mrl_msgpack *ret_message)
{
    struct mrl_body *answer = &sink->answer;
    int err = -EAGAIN;

    mrl_body__empty(answer);
    while (err == -EAGAIN) {
        char room[ROOM];
        ssize_t size = mrl_link__receive(sink->link, room, sizeof(room));

        if (size < 0)
            return (int)size;
        mrl_body__put(answer, room, (size_t)size);
        if (answer->failed || answer->size > ANSWER_MAX)
            return mrl_link__fail(sink->link, MRL_VERDICT_AGAIN, "the server's answer is too long");
        *ret_message = (struct mrl_msgpack){ (const unsigned char *)answer->bytes,
                                             (const unsigned char *)answer->bytes + answer->size };
        err = mrl_msgpack__skip(ret_message);
    }
    if (err)
        return mrl_link__fail(sink->link, MRL_VERDICT_AGAIN,
                              "the server's answer is no MessagePack");
    *ret_message = (struct mrl_msgpack){ (const unsigned char *)answer->bytes, ret_message->at };
    return 0;
}

static bool is_text(const struct mrl_msgpack_value *value, const char *text)
{
    return value->type == MRL_MSGPACK_BYTES && value->size == strlen(text) &&
           !memcmp(value->bytes, text, value->size);
}

/* The value of `key` in the map that is next; without one, that of type OTHER. */
static void find(struct mrl_msgpack from, const char *key, struct mrl_msgpack_value *ret_value)
{
    struct mrl_msgpack_value map = { .size = 0 }, name;

    *ret_value = (struct mrl_msgpack_value){ .type = MRL_MSGPACK_OTHER };
    if (mrl_msgpack__read(&from, &map) || map.type != MRL_MSGPACK_MAP)
        return;
    for (size_t i = 0; i < map.size; i++) {
        struct mrl_msgpack value;

        if (mrl_msgpack__read(&from, &name) || name.type == MRL_MSGPACK_ARRAY ||
            name.type == MRL_MSGPACK_MAP)
            return;
        value = from;
        if (is_text(&name, key)) {
            mrl_msgpack__read(&value, ret_value);
            return;
        }
        if (mrl_msgpack__skip(&from))
            return;
    }
}

/* Whether it is an array of `count` at least that begins with `word`, behind which it stands then.
 */
static bool begins_with(struct mrl_msgpack *message, const char *word, size_t count)
{
    struct mrl_msgpack_value array, first;

    return !mrl_msgpack__read(message, &array) && array.type == MRL_MSGPACK_ARRAY &&
           array.size >= count && !mrl_msgpack__read(message, &first) && is_text(&first, word);
}

/* -- the handshake ---------------------------------------------------------------------------- */

struct piece {
    const char *bytes;
    size_t size;
};

/* SHA-512 of all pieces, up to one without bytes, in hexadecimal. Error: -ENOMEM. */
static int digest(const struct piece *pieces, char text[DIGEST_TEXT + 1])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    bool ok = context && EVP_DigestInit_ex(context, EVP_sha512(), NULL) == 1;

    for (; ok && pieces->bytes; pieces++)
        ok = EVP_DigestUpdate(context, pieces->bytes, pieces->size) == 1;
    ok = ok && EVP_DigestFinal_ex(context, bytes, &size) == 1;
    EVP_MD_CTX_free(context);
    for (unsigned int i = 0; i < size; i++)
        snprintf(text + (size_t)2 * i, 3, "%02x", bytes[i]);
    return ok ? 0 : -ENOMEM;
}

static struct piece piece_of(const char *text)
{
    return (struct piece){ text, strlen(text) };
}

static struct piece piece_of_value(const struct mrl_msgpack_value *value)
{
    return (struct piece){ value->bytes ? value->bytes : "",
                           value->type == MRL_MSGPACK_BYTES ? value->size : 0 };
}

static int send_ping(struct mrl_sink *sink, struct piece nonce, struct piece auth, const char *salt)
{
    const char *name = mrl_ship__host()->name, *user = sink->options->user;
    struct piece key[] = { piece_of(salt),
                           piece_of(name),
                           nonce,
                           piece_of(sink->files.texts[MRL_FILE_TOKEN]),
                           { NULL, 0 } };
    struct piece password[] = {
        auth, piece_of(user), piece_of(sink->files.texts[MRL_FILE_PASSWORD]), { NULL, 0 }
    };
    char key_text[DIGEST_TEXT + 1] = "", password_text[DIGEST_TEXT + 1] = "";
    const char *texts[] = { "PING", name, salt, key_text, user, password_text };
    struct mrl_body ping = { .size = 0 };
    int err = digest(key, key_text);

    if (!err && *user)
        err = digest(password, password_text);
    mrl_msgpack__array(&ping, 6);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        mrl_msgpack__text(&ping, texts[i], strlen(texts[i]));
    if (err || ping.failed)
        err = mrl_link__fail(sink->link, MRL_VERDICT_AGAIN, "out of memory");
    else
        err = mrl_link__send(sink->link, ping.bytes, ping.size);
    mrl_body__done(&ping);
    return err;
}

/* The server proves that it knows the key, too. `nonce` is a copy. */
static int take_pong(struct mrl_sink *sink, struct piece nonce, const char *salt)
{
    struct mrl_msgpack_value ok, reason, name, proof;
    char expected[DIGEST_TEXT + 1] = "", line[200];
    struct mrl_msgpack message;
    int err = receive(sink, &message);

    if (err)
        return err;
    if (!begins_with(&message, "PONG", 5) || mrl_msgpack__read(&message, &ok) ||
        mrl_msgpack__read(&message, &reason) || mrl_msgpack__read(&message, &name) ||
        mrl_msgpack__read(&message, &proof))
        return mrl_link__fail(sink->link, MRL_VERDICT_AGAIN, "the server's answer is no PONG");
    if (!ok.truth)
        return mrl_link__fail(sink->link, MRL_VERDICT_MISCONFIGURED, "the server refuses: %s",
                              quote(sink, &reason, line));
    if (digest((struct piece[]){ piece_of(salt),
                                 piece_of_value(&name),
                                 nonce,
                                 piece_of(sink->files.texts[MRL_FILE_TOKEN]),
                                 { NULL, 0 } },
               expected) ||
        proof.type != MRL_MSGPACK_BYTES || proof.size != DIGEST_TEXT ||
        CRYPTO_memcmp(proof.bytes, expected, DIGEST_TEXT) != 0)
        return mrl_link__fail(sink->link, MRL_VERDICT_MISCONFIGURED,
                              "the server does not know the shared key");
    return 0;
}

static int introduce(struct mrl_sink *sink)
{
    struct mrl_msgpack_value nonce, auth;
    unsigned char random[CHUNK_BYTES];
    char salt[2 * CHUNK_BYTES + 1];
    struct mrl_msgpack message;
    char *copy;
    int err = receive(sink, &message);

    if (err)
        return err;
    if (!begins_with(&message, "HELO", 2))
        return mrl_link__fail(sink->link, MRL_VERDICT_MISCONFIGURED, "the server says no HELO");
    find(message, "nonce", &nonce);
    find(message, "auth", &auth);
    RAND_bytes(random, sizeof(random));
    for (unsigned int i = 0; i < sizeof(random); i++)
        snprintf(salt + (size_t)2 * i, 3, "%02x", random[i]);
    copy = malloc(piece_of_value(&nonce).size + 1);
    if (!copy)
        return mrl_link__fail(sink->link, MRL_VERDICT_AGAIN, "out of memory");
    memcpy(copy, piece_of_value(&nonce).bytes, piece_of_value(&nonce).size);
    err = send_ping(sink, piece_of_value(&nonce), piece_of_value(&auth), salt);
    err = err ? err : take_pong(sink, (struct piece){ copy, piece_of_value(&nonce).size }, salt);
    free(copy);
    return err;
}

/* -- chunks ----------------------------------------------------------------------------------- */

/* An event: its time, with nanoseconds, and a map. What is no object of JSON is refused. */
static void put_entry(struct mrl_sink *sink,
                      const struct mrl_item *item,
                      size_t number,
                      struct mrl_delivery *delivery)
{
    size_t before = sink->entries.size;
    uint64_t time_ns = item->head.time_ns;
    unsigned char time[10] = { 0xd7, 0 }; /* EventTime: seconds, nanoseconds */
    uint64_t both = time_ns / 1000000000 << 32 | time_ns % 1000000000;

    for (unsigned int i = 0; i < 8; i++)
        time[9 - i] = (unsigned char)(both >> 8 * i);
    mrl_msgpack__array(&sink->entries, 2);
    mrl_body__put(&sink->entries, time, sizeof(time));
    if (!mrl_msgpack__json(&sink->entries, item->bytes, item->size))
        return;
    sink->entries.size = before;
    mrl_delivery__judge(delivery, number, MRL_VERDICT_REFUSED, "it is no object of JSON");
}

static void put_chunk(struct mrl_sink *sink, size_t count)
{
    const char *tag = *sink->options->tag ? sink->options->tag : "mrelease";
    bool is_compressed = !sink->options->is_plain && sink->entries.size >= COMPRESS_FROM &&
                         !mrl_body__compress(&sink->entries, &sink->packed);
    const struct mrl_body *entries = is_compressed ? &sink->packed : &sink->entries;
    unsigned char random[CHUNK_BYTES];

    RAND_bytes(random, sizeof(random));
    EVP_EncodeBlock((unsigned char *)sink->chunk, random, sizeof(random));
    mrl_body__empty(&sink->message);
    mrl_msgpack__array(&sink->message, 3);
    mrl_msgpack__text(&sink->message, tag, strlen(tag));
    mrl_msgpack__binary(&sink->message, entries->size);
    mrl_body__put(&sink->message, entries->bytes, entries->size);
    mrl_msgpack__map(&sink->message, 2 + is_compressed);
    mrl_msgpack__text(&sink->message, "chunk", 5);
    mrl_msgpack__text(&sink->message, sink->chunk, CHUNK_TEXT);
    mrl_msgpack__text(&sink->message, "size", 4);
    mrl_msgpack__number(&sink->message, count);
    if (is_compressed) {
        mrl_msgpack__text(&sink->message, "compressed", 10);
        mrl_msgpack__text(&sink->message, "gzip", 4);
    }
    sink->message.failed = sink->message.failed || entries->failed;
}

static int await_ack(struct mrl_sink *sink)
{
    struct mrl_msgpack_value ack;
    struct mrl_msgpack message, copy;
    char line[200];
    int err = receive(sink, &message);

    if (err)
        return err;
    copy = message;
    if (begins_with(&copy, "HELO", 1))
        return mrl_link__fail(sink->link, MRL_VERDICT_MISCONFIGURED,
                              "the server wants a shared key: shared-key-file=");
    find(message, "ack", &ack);
    if (!is_text(&ack, sink->chunk))
        return mrl_link__fail(sink->link, MRL_VERDICT_AGAIN,
                              "the server acknowledges something else: %s",
                              quote(sink, &ack, line));
    return 0;
}

static int send_chunk(struct mrl_sink *sink)
{
    int opened;

    if (sink->message.failed)
        return mrl_link__fail(sink->link, MRL_VERDICT_AGAIN, "out of memory");
    /* One that the server has closed meanwhile is opened anew. */
    if (mrl_link__is_open(sink->link))
        mrl_link__drain(sink->link);
    opened = mrl_link__open(sink->link);
    if (opened == 1 && sink->files.sizes[MRL_FILE_TOKEN])
        opened = introduce(sink);
    if (opened < 0)
        return opened;
    opened = mrl_link__send(sink->link, sink->message.bytes, sink->message.size);
    return opened ? opened : await_ack(sink);
}

static int fluent_look(struct mrl_sink *sink, const int *stop, struct mrl_error *error)
{
    return mrl_stream__look(sink->link, stop, error);
}

static void fluent_deliver(struct mrl_sink *sink,
                           const struct mrl_items *items,
                           struct mrl_delivery *ret_delivery)
{
    size_t count = 0;

    mrl_body__empty(&sink->entries);
    for (size_t i = 0; i < items->count; i++) {
        put_entry(sink, &items->items[i], i, ret_delivery);
        count += ret_delivery->judged[i].verdict != MRL_VERDICT_REFUSED;
    }
    if (!count)
        return;
    put_chunk(sink, count);
    mrl_link__begin(sink->link, items->stop);
    if (send_chunk(sink)) {
        mrl_delivery__judge_all(ret_delivery, 0, items->count, mrl_link__verdict(sink->link), "%s",
                                mrl_link__why(sink->link));
        return;
    }
    for (size_t i = 0; i < items->count; i++)
        if (ret_delivery->judged[i].verdict != MRL_VERDICT_REFUSED)
            mrl_delivery__judge(ret_delivery, i, MRL_VERDICT_TAKEN, NULL);
}

/* -- the sink --------------------------------------------------------------------------------- */

static int fluent_close(struct mrl_sink *sink)
{
    mrl_link__free(sink->link);
    mrl_files__done(&sink->files);
    mrl_body__done(&sink->entries);
    mrl_body__done(&sink->packed);
    mrl_body__done(&sink->message);
    mrl_body__done(&sink->answer);
    free(sink);
    return 0;
}

static int fluent_reopen(struct mrl_sink *sink, const int *fds, struct mrl_error *error)
{
    return mrl_stream__take_files(sink->link, fds[0], &sink->files, error);
}

static int fluent_open(const struct mrl_sink_target *target,
                       struct mrl_error *error,
                       struct mrl_sink **ret_sink)
{
    struct mrl_sink *sink = calloc(1, sizeof(*sink));
    int err;

    if (!sink)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    sink->options = target->options;
    err = mrl_stream__open_link(target, "24224", &sink->files, error, &sink->link);
    if (err)
        fluent_close(sink);
    else
        *ret_sink = sink;
    return err;
}

const struct mrl_stream_destination mrl_stream_fluent = {
    .row = &mrl_sink_fluent,
    .open = fluent_open,
    .deliver = fluent_deliver,
    .look = fluent_look,
    .close = fluent_close,
    .reopen = fluent_reopen,
};
