// SPDX-License-Identifier: Apache-2.0
// The descriptor set that protoc writes, as read-only data. See descriptors.h.
        .section .rodata
        .balign 8
        .globl mrl_proto_descriptors, mrl_proto_descriptors_end
        .hidden mrl_proto_descriptors, mrl_proto_descriptors_end
mrl_proto_descriptors:
        .incbin MRL_DESCRIPTOR_SET
mrl_proto_descriptors_end:
        .section .note.GNU-stack, "", %progbits
