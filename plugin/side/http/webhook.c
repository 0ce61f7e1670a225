// SPDX-License-Identifier: Apache-2.0
/*
 * Any server that takes POST: lines, or one array. Signed as Standard Webhooks has it, where there
 * is a key; the id of a request is that of its content, so that a second try has the same.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "side/http/sink.h"

enum { ID_BYTES = 40, KEY_BYTES = 512, SIGNATURES = 1024 };

static void put_items(struct mrl_sink *sink, const struct mrl_items *items)
{
    bool is_array = sink->options->is_array;

    for (size_t i = 0; i < items->count; i++) {
        if (is_array)
            mrl_body__text(&sink->body, i ? "," : "[");
        mrl_body__put(&sink->body, items->items[i].bytes, mrl_http_item__size(&items->items[i]));
        if (!is_array)
            mrl_body__text(&sink->body, "\n");
    }
    if (is_array)
        mrl_body__text(&sink->body, "]");
}

static void name(const struct mrl_body *body, char id[ID_BYTES])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)body->bytes, body->size, digest);
    strcpy(id, "msg_");
    for (int i = 0; i < 16; i++)
        sprintf(id + 4 + 2 * i, "%02x", digest[i]);
}

/* "whsec_BASE64", or the key itself. Returns its size. */
static size_t read_key(const char *word, size_t size, unsigned char key[KEY_BYTES])
{
    static const char lead[] = "whsec_";
    char digits[KEY_BYTES] = "";
    size_t padding = 0;
    int all;

    if (size >= KEY_BYTES)
        size = KEY_BYTES - 1;
    if (size <= sizeof(lead) - 1 || strncmp(word, lead, sizeof(lead) - 1) != 0) {
        memcpy(key, word, size);
        return size;
    }
    size -= sizeof(lead) - 1;
    memcpy(digits, word + sizeof(lead) - 1, size);
    while (padding < size && digits[size - 1 - padding] == '=')
        padding++;
    all = EVP_DecodeBlock(key, (const unsigned char *)digits, (int)size);
    explicit_bzero(digits, sizeof(digits));
    return all < (int)padding ? 0 : (size_t)all - padding;
}

/* "v1,BASE64" of HMAC-SHA256 over what is signed. */
static size_t put_signature(char *to, const char *word, size_t size, const struct mrl_body *what)
{
    unsigned char key[KEY_BYTES], digest[SHA256_DIGEST_LENGTH];
    size_t key_size = read_key(word, size, key);

    HMAC(EVP_sha256(), key, (int)key_size, (const unsigned char *)what->bytes, what->size, digest,
         NULL);
    explicit_bzero(key, sizeof(key));
    strcpy(to, "v1,");
    return 3 + (size_t)EVP_EncodeBlock((unsigned char *)to + 3, digest, sizeof(digest));
}

/* A signature by each key, while they are changed: keys stand one behind the other. */
static void sign(const char *keys,
                 const char *id,
                 const char *time,
                 const struct mrl_body *body,
                 char text[SIGNATURES])
{
    struct mrl_body what = { .bytes = NULL };
    size_t used = 0;

    mrl_body__text(&what, id);
    mrl_body__text(&what, ".");
    mrl_body__text(&what, time);
    mrl_body__text(&what, ".");
    mrl_body__put(&what, body->bytes, body->size);
    *text = '\0';
    while (*keys && used + 80 < SIGNATURES && !what.failed) {
        size_t size = strcspn(keys, " \t");

        if (used)
            text[used++] = ' ';
        if (size)
            used += put_signature(text + used, keys, size, &what);
        keys += size + strspn(keys + size, " \t");
    }
    mrl_body__done(&what);
}

static void deliver(struct mrl_sink *sink,
                    const struct mrl_items *items,
                    struct mrl_delivery *delivery)
{
    const char *keys = mrl_http__file(sink->http, MRL_FILE_SIGNING_KEY);
    char id[ID_BYTES], signatures[SIGNATURES], now[24];
    char id_line[ID_BYTES + 16], time_line[48], signature_line[SIGNATURES + 24];
    const char *headers[] = { id_line, time_line, keys ? signature_line : NULL, NULL };
    struct mrl_http_answer answer;

    put_items(sink, items);
    name(&sink->body, id);
    snprintf(now, sizeof(now), "%lld", (long long)time(NULL));
    snprintf(id_line, sizeof(id_line), "webhook-id: %s", id);
    snprintf(time_line, sizeof(time_line), "webhook-timestamp: %s", now);
    if (keys) {
        sign(keys, id, now, &sink->body, signatures);
        snprintf(signature_line, sizeof(signature_line), "webhook-signature: %s", signatures);
    }
    mrl_http_sink__post(sink, items,
                        sink->options->is_array ? "application/json" : "application/x-ndjson",
                        headers, sink->options->is_compressed, &answer);
    if (mrl_http_sink__judge(sink, items, &answer, delivery))
        mrl_http_sink__take_all(items, delivery);
}

const struct mrl_http_destination mrl_http_webhook = {
    .row = &mrl_sink_webhook,
    .authorization = "Bearer ",
    .deliver = deliver,
};
