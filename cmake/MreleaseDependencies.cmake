# SPDX-License-Identifier: Apache-2.0
# What the project is built from; ci/deps installs all of it from Debian.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(LIBBPF REQUIRED IMPORTED_TARGET libbpf>=1.1)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.13)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd>=1.4)
find_program(BPF_CLANG NAMES clang-14 clang REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)

# Linked statically and hidden, so that no user of the library sees it.
find_path(MURMURHASH_INCLUDE murmurhash.h REQUIRED)
find_library(MURMURHASH_ARCHIVE libmurmurhash.a REQUIRED)
add_library(murmurhash STATIC IMPORTED)
set_target_properties(murmurhash PROPERTIES
  IMPORTED_LOCATION ${MURMURHASH_ARCHIVE} INTERFACE_INCLUDE_DIRECTORIES ${MURMURHASH_INCLUDE})

find_path(DEFLATE_INCLUDE libdeflate.h REQUIRED)
find_library(DEFLATE_ARCHIVE libdeflate.a REQUIRED)
add_library(deflate STATIC IMPORTED)
set_target_properties(deflate PROPERTIES
  IMPORTED_LOCATION ${DEFLATE_ARCHIVE} INTERFACE_INCLUDE_DIRECTORIES ${DEFLATE_INCLUDE})

find_path(UTHASH_INCLUDE uthash.h REQUIRED)
find_path(VALIJSON_INCLUDE valijson/validator.hpp REQUIRED)
find_path(RAPIDJSON_INCLUDE rapidjson/reader.h REQUIRED)

pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c>=1.4)
pkg_check_modules(GRPC REQUIRED IMPORTED_TARGET grpc gpr)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
find_program(PROTOC NAMES protoc REQUIRED)
find_program(PROTOC_C NAMES protoc-c REQUIRED)
find_path(PROTOBUF_INCLUDE google/protobuf/timestamp.proto REQUIRED)
