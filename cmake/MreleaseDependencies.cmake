# SPDX-License-Identifier: Apache-2.0
# What the project is built from, part by part; ci/deps installs all of it on Debian. What is missing is one line that
# names Debian's package and the option that does without.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# mrl_missing(WHAT PACKAGE OPTION): OPTION "" when nothing does without.
function(mrl_missing what package option)
  set(without "")
  if(option)
    set(without ", or configure with -D${option}=OFF")
  endif()
  message(FATAL_ERROR "${what} is missing: install ${package} (ci/deps does so)${without}")
endfunction()

# mrl_find_module(PREFIX MODULES PACKAGE OPTION): libraries by pkg-config, as the target PkgConfig::PREFIX.
function(mrl_find_module prefix modules package option)
  pkg_check_modules(${prefix} QUIET IMPORTED_TARGET GLOBAL ${modules})
  if(NOT ${prefix}_FOUND)
    mrl_missing("${modules}" ${package} "${option}")
  endif()
endfunction()

# mrl_find(path|library|program VARIABLE NAMES PACKAGE OPTION)
function(mrl_find kind variable names package option)
  if(kind STREQUAL path)
    find_path(${variable} NAMES ${names})
  elseif(kind STREQUAL library)
    find_library(${variable} NAMES ${names})
  else()
    find_program(${variable} NAMES ${names} PATHS /usr/sbin /sbin)
  endif()
  if(NOT ${variable})
    mrl_missing("${names}" ${package} "${option}")
  endif()
endfunction()

# mrl_find_static(TARGET HEADER PACKAGE): linked statically and hidden, so that no user of the library sees it.
function(mrl_find_static target header package)
  mrl_find(path MRELEASE_${target}_INCLUDE ${header} ${package} "")
  mrl_find(library MRELEASE_${target}_ARCHIVE lib${target}.a ${package} "")
  add_library(${target} STATIC IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${MRELEASE_${target}_ARCHIVE}
    INTERFACE_INCLUDE_DIRECTORIES ${MRELEASE_${target}_INCLUDE})
endfunction()

mrl_find_module(LIBBPF libbpf>=1.1 libbpf-dev "")
mrl_find_static(murmurhash murmurhash.h libmurmurhash-dev)
mrl_find_static(deflate libdeflate.h libdeflate-dev)
mrl_find(path UTHASH_INCLUDE uthash.h uthash-dev "")
mrl_find(program BPFTOOL bpftool bpftool "")

# Any clang that knows the target.
function(mrl_compiles_bpf result compiler)
  execute_process(COMMAND ${compiler} -target bpf -mcpu=v3 -g -O2 -x c -c /dev/null -o /dev/null
    RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
  if(failed)
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()
find_program(BPF_CLANG NAMES clang-14 clang clang-19 clang-18 clang-17 clang-16 clang-15 VALIDATOR mrl_compiles_bpf)
if(NOT BPF_CLANG)
  mrl_missing("a clang that compiles for BPF" clang "")
endif()

if(MRELEASE_PROGRAM OR MRELEASE_FALCO)
  mrl_find_module(JANSSON jansson>=2.13 libjansson-dev "MRELEASE_PROGRAM=OFF -DMRELEASE_FALCO")
endif()
if(MRELEASE_PROGRAM)
  mrl_find_module(YAML yaml-0.1 libyaml-dev MRELEASE_PROGRAM)
  mrl_find_module(ZLIB zlib zlib1g-dev MRELEASE_PROGRAM)
  mrl_find_module(ZSTD libzstd>=1.4 libzstd-dev MRELEASE_PROGRAM)
  mrl_find_module(SECCOMP libseccomp>=2.5 libseccomp-dev MRELEASE_PROGRAM)
  mrl_find_module(CAP libcap libcap-dev MRELEASE_PROGRAM)
endif()

# The two files in C++, where only a C++ library does what is wanted. The clang that compiles for BPF is a compiler of
# C++ as well.
if(MRELEASE_VALIDATE OR MRELEASE_GRPC)
  get_filename_component(bpf_clang_name ${BPF_CLANG} NAME)
  string(REPLACE clang clang++ clangxx ${bpf_clang_name})
  if(NOT CMAKE_CXX_COMPILER AND NOT DEFINED ENV{CXX})
    mrl_find(program CMAKE_CXX_COMPILER "c++;g++;clang++;${clangxx}" g++ "MRELEASE_VALIDATE=OFF -DMRELEASE_GRPC")
  endif()
  enable_language(CXX)
endif()

if(MRELEASE_VALIDATE)
  # ci/deps unpacks the headers alone: their package wants Qt and X11.
  find_path(VALIJSON_INCLUDE valijson/validator.hpp PATHS ${CMAKE_SOURCE_DIR}/build/deps/usr/include
    NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
  mrl_find(path VALIJSON_INCLUDE valijson/validator.hpp "the headers of libvalijson-dev" MRELEASE_VALIDATE)
  mrl_find(path RAPIDJSON_INCLUDE rapidjson/reader.h rapidjson-dev MRELEASE_VALIDATE)
endif()

# What nothing else does without: each option that wants it, for who has to leave it out.
if(MRELEASE_GRPC OR MRELEASE_NAMES)
  set(without "MRELEASE_NAMES=OFF -DMRELEASE_GRPC")
  mrl_find_module(PROTOBUF_C libprotobuf-c>=1.4 libprotobuf-c-dev ${without})
  mrl_find(path GRPC_INCLUDE grpc/grpc.h libgrpc-dev ${without})
  mrl_find(library GRPC_LIBRARY grpc libgrpc-dev ${without})
  mrl_find(library GPR_LIBRARY gpr libgrpc-dev ${without})
  # Not by pkg-config: it takes a second to read gRPC's file with all that this names, and CMake asks twenty times.
  add_library(mrelease_grpc_core INTERFACE)
  target_include_directories(mrelease_grpc_core SYSTEM INTERFACE ${GRPC_INCLUDE})
  target_link_libraries(mrelease_grpc_core INTERFACE ${GRPC_LIBRARY} ${GPR_LIBRARY})
  mrl_find(program PROTOC_C protoc-c protobuf-c-compiler ${without})
endif()

if(MRELEASE_GRPC)
  mrl_find_module(OPENSSL "libssl;libcrypto" libssl-dev MRELEASE_GRPC)
  mrl_find(program PROTOC protoc protobuf-compiler MRELEASE_GRPC)
  mrl_find(path PROTOBUF_INCLUDE google/protobuf/timestamp.proto libprotobuf-dev MRELEASE_GRPC)
  mrl_find(path ABSL_INCLUDE absl/synchronization/mutex.h libabsl-dev MRELEASE_GRPC)
  mrl_find(library ABSL_SYNCHRONIZATION_LIBRARY absl_synchronization libabsl-dev MRELEASE_GRPC)
  add_library(mrelease_absl INTERFACE)
  target_include_directories(mrelease_absl SYSTEM INTERFACE ${ABSL_INCLUDE})
  target_link_libraries(mrelease_absl INTERFACE ${ABSL_SYNCHRONIZATION_LIBRARY})
endif()

if(MRELEASE_NAMES)
  mrl_find_module(CURL libcurl>=7.85 libcurl4-openssl-dev MRELEASE_NAMES)
endif()

if(MRELEASE_HTTP)
  mrl_find_module(CURL libcurl>=7.85 libcurl4-openssl-dev MRELEASE_HTTP)
  mrl_find_module(OPENSSL "libssl;libcrypto" libssl-dev MRELEASE_HTTP)
  mrl_find_module(PROTOBUF_C libprotobuf-c>=1.4 libprotobuf-c-dev MRELEASE_HTTP)
  mrl_find(program PROTOC_C protoc-c protobuf-c-compiler MRELEASE_HTTP)
endif()

if(MRELEASE_KAFKA)
  mrl_find_module(RDKAFKA rdkafka>=2.0 librdkafka-dev MRELEASE_KAFKA)
endif()

if(MRELEASE_METRICS)
  mrl_find_module(MICROHTTPD libmicrohttpd>=0.9.75 libmicrohttpd-dev MRELEASE_METRICS)
endif()

if(MRELEASE_STREAM)
  mrl_find_module(OPENSSL "libssl;libcrypto" libssl-dev MRELEASE_STREAM)
endif()

if(MRELEASE_TESTS)
  mrl_find_module(CMOCKA cmocka libcmocka-dev MRELEASE_TESTS)
endif()
