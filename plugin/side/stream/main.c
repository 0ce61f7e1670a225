// SPDX-License-Identifier: Apache-2.0
/* The side program "stream": destinations that are a stream of messages. */
#include "side/stream/sink.h"

int main(int argc, char **argv)
{
    mrl_ship__main(argc, argv, &mrl_stream_program);
}
