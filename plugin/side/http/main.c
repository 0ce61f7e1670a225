// SPDX-License-Identifier: Apache-2.0
/* The side program "http": destinations that are spoken to by HTTP. */
#include <curl/curl.h>

#include "side/http/sink.h"

int main(int argc, char **argv)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    mrl_ship__main(argc, argv, &mrl_http_program);
}
