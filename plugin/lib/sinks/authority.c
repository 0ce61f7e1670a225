// SPDX-License-Identifier: Apache-2.0
#include "sinks/authority.h"

#include <ctype.h>
#include <string.h>

bool mrl_authority__is(const char *text, size_t size)
{
    size_t host = 0, port;

    if (*text == '[')
        host = strspn(text + 1, "0123456789abcdefABCDEF:.") + 2;
    else
        while (host < size && (isalnum((unsigned char)text[host]) || strchr(".-_", text[host])))
            host++;
    if (!host || host > size || (*text == '[' && (host < 4 || text[host - 1] != ']')))
        return false;
    if (host == size)
        return true;
    port = strspn(text + host + 1, "0123456789");
    return text[host] == ':' && port && port < 6 && host + 1 + port == size;
}

const char *mrl_authority__behind(const char *schemes, const char *url)
{
    const size_t size = strcspn(url, ":/");

    if (strncmp(url + size, "://", 3) != 0)
        return NULL;
    for (const char *at = schemes; *at; at += strcspn(at, " "), at += *at == ' ')
        if (strcspn(at, " ") == size && !strncmp(at, url, size))
            return url + size + 3;
    return NULL;
}
