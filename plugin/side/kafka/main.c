// SPDX-License-Identifier: Apache-2.0
/* The side program "kafka": topics of Kafka. */
#include <pthread.h>

#include "side/kafka/sink.h"

/* librdkafka has a thread for each broker of a cluster, and stacks count as memory. */
enum { STACK_BYTES = 256 * 1024 };

static void bound_stacks(void)
{
    pthread_attr_t attributes;

    if (pthread_attr_init(&attributes))
        return;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
}

int main(int argc, char **argv)
{
    bound_stacks();
    mrl_ship__main(argc, argv, &mrl_kafka_program);
}
