/* SPDX-License-Identifier: Apache-2.0 */
/* What Kubernetes' runtimes answer, read: any bytes. */
#ifndef MRL_SIDE_NAMES_CRI_H
#define MRL_SIDE_NAMES_CRI_H

#include <protobuf-c/protobuf-c.h>

#include "side/names/naming.h"

/** Of ContainerStatus, and of PodSandboxStatus. Returns false where it is about another container,
 * or about none. */
bool mrl_cri__read_status(const ProtobufCMessage *answer,
                          enum mrl_runtime runtime,
                          const char *id,
                          struct mrl_naming *ret_naming);
bool mrl_cri__read_sandbox(const ProtobufCMessage *answer,
                           enum mrl_runtime runtime,
                           const char *id,
                           struct mrl_naming *ret_naming);

/** Whether what a list says of an image is only its id: then who asks for the container learns
 * more. */
bool mrl_cri__is_image_id(const struct mrl_naming *naming);

#endif
