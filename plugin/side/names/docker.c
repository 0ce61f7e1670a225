// SPDX-License-Identifier: Apache-2.0
/*
 * Docker's interface, which Podman speaks as well: HTTP at a unix socket. One container is asked
 * for by the list of all, filtered: what inspects it waits until it has started.
 */
#include "side/names/docker.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tame.h"
#include "side/names/asker.h"

#define HOST "http://localhost"

enum { URL_BYTES = 256, HEADERS_MAX = 32 * 1024, OK = 200, NOT_FOUND = 404, IMAGE_BYTES = 80 };

/* The last image, whose digest is that of most containers that come together. */
struct docker {
    char *bytes; /* of an answer */
    size_t size, room, header_bytes;
    long status;
    bool is_too_long;
    char image[IMAGE_BYTES], digest[MRL_NAMING_TEXT_MAX + 1];
};

/* -- requests --------------------------------------------------------------------------------- */

/* Twice as much each time: an answer may come in many pieces. */
static bool make_room(struct docker *docker, size_t size)
{
    const size_t room = 2 * (docker->size + size);
    char *longer;

    if (docker->size + size <= docker->room)
        return true;
    longer = realloc(docker->bytes, room);
    if (!longer)
        return false;
    docker->bytes = longer;
    docker->room = room;
    return true;
}

/* Less than it was given ends the request. */
static size_t take_body(char *bytes, size_t one, size_t size, void *context)
{
    struct mrl_asker *asker = context;
    struct docker *docker = asker->state;

    (void)one;
    docker->is_too_long = docker->size + size > MRL_ANSWER_BYTES;
    if (docker->is_too_long || !make_room(docker, size))
        return 0;
    memcpy(docker->bytes + docker->size, bytes, size);
    docker->size += size;
    return size;
}

/* "Server: Docker/20.10.24 (linux)", "Server: Libpod/4.3.1 (linux)". Who else serves HTTP there is
 * neither. */
static size_t take_header(char *bytes, size_t one, size_t size, void *context)
{
    static const char server[] = "Server: ";
    const char *name = bytes + sizeof(server) - 1;
    struct mrl_asker *asker = context;
    struct docker *docker = asker->state;

    (void)one;
    docker->header_bytes += size;
    if (docker->header_bytes > HEADERS_MAX)
        return 0;
    if (size > sizeof(server) + 7 && !strncasecmp(bytes, server, sizeof(server) - 1) &&
        (!memcmp(name, "Docker/", 7) || !memcmp(name, "Libpod/", 7))) {
        snprintf(asker->version, sizeof(asker->version), "%.*s", (int)(size - sizeof(server) + 1),
                 name);
        asker->version[strcspn(asker->version, "\r\n")] = '\0';
        mrl_tame(asker->version);
    }
    return size;
}

static const struct {
    CURLcode code;
    int err;
} errors[] = {
    { CURLE_COULDNT_CONNECT, -ENOTCONN }, { CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT },
    { CURLE_RECV_ERROR, -ENOTCONN },      { CURLE_SEND_ERROR, -ENOTCONN },
    { CURLE_GOT_NOTHING, -ENOTCONN },     { CURLE_OUT_OF_MEMORY, -ENOMEM },
};

static int read_result(struct mrl_asker *asker, CURLcode code, const char *reason)
{
    const struct docker *docker = asker->state;
    const long status = docker->status;
    int err = -EBADMSG;

    if (code == CURLE_OK && status == OK)
        return 0;
    if (code == CURLE_OK)
        return mrl_asker__fail(asker, status == NOT_FOUND ? -ENOENT : -EBADMSG, "status %ld",
                               status);
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i].code == code)
            err = errors[i].err;
    if (docker->is_too_long || docker->header_bytes > HEADERS_MAX)
        return mrl_asker__fail(asker, err, "its %s too long",
                               docker->is_too_long ? "answer is" : "headers are");
    return mrl_asker__fail(asker, err, "%s", *reason ? reason : curl_easy_strerror(code));
}

/* A connection for each: there are few. */
static int get(struct mrl_asker *asker, const char *url, unsigned int timeout_ms)
{
    struct docker *docker = asker->state;
    CURL *easy = curl_easy_init();
    char reason[CURL_ERROR_SIZE] = "";
    CURLcode code;

    if (!easy)
        return -ENOMEM;
    docker->size = docker->header_bytes = 0;
    docker->status = 0;
    docker->is_too_long = false;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, asker->path);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "mrelease");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, asker);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, asker);
    code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &docker->status);
    curl_easy_cleanup(easy);
    return read_result(asker, code, reason);
}

/* -- images ----------------------------------------------------------------------------------- */

/* "sha256:…", or the digits alone, as Podman has it. */
static bool is_image_id(const char *id)
{
    const size_t size = id ? strnlen(id, IMAGE_BYTES) : 0;

    return size && size < IMAGE_BYTES && strspn(id, "abcdefsh0123456789:") == size;
}

/* Without it there is no digest, and that is all. */
static int set_digest(struct mrl_asker *asker, const char *image, struct mrl_naming *naming)
{
    struct docker *docker = asker->state;
    char url[URL_BYTES];
    int err;

    if (!is_image_id(image))
        return 0;
    if (!strcmp(image, docker->image)) {
        mrl_naming__set(naming, MRL_NAME_IMAGE_DIGEST, docker->digest);
        return 0;
    }
    snprintf(url, sizeof(url), HOST "/images/%s/json", image);
    err = get(asker, url, MRL_ASK_MS);
    if (err)
        return err;
    mrl_docker__read_digest(docker->bytes, docker->size, naming);
    snprintf(docker->image, sizeof(docker->image), "%s", image);
    snprintf(docker->digest, sizeof(docker->digest), "%.*s",
             (int)naming->names.texts[MRL_NAME_IMAGE_DIGEST].size,
             naming->names.texts[MRL_NAME_IMAGE_DIGEST].bytes);
    return 0;
}

/* -- the asker -------------------------------------------------------------------------------- */

static void docker_close(struct mrl_asker *asker)
{
    struct docker *docker = asker->state;

    if (docker)
        free(docker->bytes);
    free(docker);
    asker->state = NULL;
}

/* The list that follows says whether it answers. */
static int docker_open(struct mrl_asker *asker)
{
    asker->state = calloc(1, sizeof(struct docker));
    return asker->state ? 0 : -ENOMEM;
}

/* A list, while it is read. */
struct listing {
    struct mrl_asker *asker;
    struct mrl_naming *room;
    void (*take)(void *context, const struct mrl_naming *naming);
    void *context;
    unsigned int count;
};

/* Without its digest it is named all the same. */
static int take_container(void *context, const json_t *container)
{
    struct listing *listing = context;
    const char *image;
    int err;

    if (listing->count == MRL_LISTED_MAX)
        return mrl_asker__fail(listing->asker, -E2BIG,
                               "it lists more than %d containers: no more are taken",
                               MRL_LISTED_MAX);
    listing->count++;
    if (!mrl_docker__read_container(container, listing->asker->runtime, listing->room, &image))
        return 0;
    err = set_digest(listing->asker, image, listing->room);
    listing->take(listing->context, listing->room);
    return err == -ETIMEDOUT ? err : 0;
}

/* The list is kept apart: digests are asked for while it is read. */
static int read_list(struct docker *docker, struct listing *listing)
{
    const bool is_too_long = docker->is_too_long;
    char *bytes = docker->bytes;
    const size_t size = docker->size;
    int err;

    docker->bytes = NULL;
    docker->size = docker->room = 0;
    err = mrl_docker__each(bytes, size, take_container, listing);
    free(bytes);
    if (err != -EBADMSG)
        return err;
    if (is_too_long && listing->count)
        return mrl_asker__fail(listing->asker, -E2BIG,
                               "its list is too long: the first %u containers are taken",
                               listing->count);
    if (is_too_long)
        return mrl_asker__fail(listing->asker, err, "its answer is too long");
    if (listing->count)
        return mrl_asker__fail(listing->asker, err, "what follows %u containers cannot be read",
                               listing->count);
    return mrl_asker__fail(listing->asker, err, "its answer is no list of containers");
}

static int docker_list(struct mrl_asker *asker,
                       struct mrl_naming *room,
                       void (*take)(void *context, const struct mrl_naming *naming),
                       void *context)
{
    struct listing listing = { asker, room, take, context, 0 };
    struct docker *docker = asker->state;
    const int err = get(asker, HOST "/containers/json", MRL_LIST_MS);

    /* Of one that is too long, what fits is there. */
    if (err && !(docker->is_too_long && docker->status == OK))
        return err == -ENOENT ? mrl_asker__fail(asker, -EBADMSG, "it knows no such list") : err;
    return read_list(docker, &listing);
}

struct wanted {
    const char *id;
    struct mrl_asker *asker;
    struct mrl_naming *naming;
    unsigned int count;
    char image[IMAGE_BYTES + 1]; /* one that is too long stays so */
};

/* An id may be cut in a question: only the whole one is right. */
static int take_wanted(void *context, const json_t *container)
{
    struct wanted *wanted = context;
    const size_t size = strlen(wanted->id);
    const char *image;

    if (wanted->count++ == MRL_LISTED_MAX)
        return mrl_asker__fail(wanted->asker, -E2BIG, "it lists more than %d containers for one",
                               MRL_LISTED_MAX);
    if (!mrl_docker__read_container(container, wanted->asker->runtime, wanted->naming, &image) ||
        wanted->naming->names.id.size != size || memcmp(wanted->naming->id, wanted->id, size) != 0)
        return 0;
    snprintf(wanted->image, sizeof(wanted->image), "%s", image ? image : "");
    return 1;
}

static int docker_find(struct mrl_asker *asker, const char *id, struct mrl_naming *ret_naming)
{
    struct wanted wanted = { id, asker, ret_naming, 0, "" };
    const struct docker *docker = asker->state;
    char url[URL_BYTES];
    int err;

    snprintf(url, sizeof(url),
             HOST "/containers/json?all=1&filters=%%7B%%22id%%22%%3A%%5B%%22%s"
                  "%%22%%5D%%7D",
             id);
    err = get(asker, url, MRL_ASK_MS);
    if (err)
        return err == -ENOENT ? mrl_asker__fail(asker, -EBADMSG, "it knows no such list") : err;
    err = mrl_docker__each(docker->bytes, docker->size, take_wanted, &wanted);
    if (err == -E2BIG)
        return -EBADMSG;
    if (err < 0)
        return mrl_asker__fail(asker, err, "its answer is no list of containers");
    if (!err)
        return -ENOENT;
    set_digest(asker, wanted.image, ret_naming);
    return 0;
}

const struct mrl_asker_ops mrl_asker_docker = {
    .name = "Docker's interface",
    .interface = MRL_INTERFACE_DOCKER,
    .open = docker_open,
    .close = docker_close,
    .list = docker_list,
    .find = docker_find,
};
