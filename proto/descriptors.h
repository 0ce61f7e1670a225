/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors of all files of this folder, for reflection. */
#ifndef MRL_PROTO_DESCRIPTORS_H
#define MRL_PROTO_DESCRIPTORS_H

/**
 * A serialized google.protobuf.FileDescriptorSet: our files and what they import, each after its
 * imports. Static; `mrl_proto_descriptors_end` is one past its last byte.
 */
extern const unsigned char mrl_proto_descriptors[], mrl_proto_descriptors_end[];

#endif
