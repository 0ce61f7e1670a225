# SPDX-License-Identifier: Apache-2.0
# Switches, warnings and sanitizers, gathered in the target mrelease_options that every target links.
include(CMakeDependentOption)
option(MRELEASE_PROGRAM "Build the program; OFF: the library alone" ON)
option(MRELEASE_FALCO "Build the plugin for Falco" ON)
cmake_dependent_option(MRELEASE_GRPC "Build what serves gRPC, and its client" ON MRELEASE_PROGRAM OFF)
cmake_dependent_option(MRELEASE_HTTP "Build what speaks HTTP: Elasticsearch, OTLP, webhooks and others" ON MRELEASE_PROGRAM OFF)
cmake_dependent_option(MRELEASE_KAFKA "Build what speaks Kafka" ON MRELEASE_PROGRAM OFF)
cmake_dependent_option(MRELEASE_METRICS "Build what serves metrics and health by HTTP" ON MRELEASE_PROGRAM OFF)
cmake_dependent_option(MRELEASE_NAMES "Build what asks runtimes for the names of containers" ON MRELEASE_PROGRAM OFF)
cmake_dependent_option(MRELEASE_STREAM "Build what speaks Fluent Forward, syslog, and to journald" ON MRELEASE_PROGRAM OFF)
cmake_dependent_option(MRELEASE_VALIDATE "Build the verb validate" ON MRELEASE_PROGRAM OFF)
option(MRELEASE_TESTS "Build the tests and benchmarks, which want every part" OFF)
option(MRELEASE_WERROR "Make warnings errors" OFF)
option(MRELEASE_FUZZ "Build the fuzzers (clang)" OFF)
if(MRELEASE_TESTS AND NOT (MRELEASE_PROGRAM AND MRELEASE_FALCO AND MRELEASE_GRPC AND MRELEASE_HTTP AND
    MRELEASE_KAFKA AND MRELEASE_METRICS AND MRELEASE_NAMES AND MRELEASE_STREAM))
  message(FATAL_ERROR "MRELEASE_TESTS wants MRELEASE_PROGRAM, _FALCO, _GRPC, _HTTP, _KAFKA, _METRICS, _NAMES and _STREAM, as tests look at all of it")
endif()
set(MRELEASE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them")

add_library(mrelease_options INTERFACE)
target_compile_definitions(mrelease_options INTERFACE _GNU_SOURCE)
target_compile_options(mrelease_options INTERFACE
  -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wconversion
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>)
if(MRELEASE_WERROR)
  target_compile_options(mrelease_options INTERFACE -Werror)
endif()
if(MRELEASE_SANITIZE)
  target_compile_definitions(mrelease_options INTERFACE MRL_SANITIZED)
  target_compile_options(mrelease_options INTERFACE
    -fsanitize=${MRELEASE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(mrelease_options INTERFACE -fsanitize=${MRELEASE_SANITIZE})
  # clang takes NULL + 0 for a fault, which C2y defines as every compiler has it. Each fuzzer and test has the whole
  # runtime in it: GNU ld takes twice as long for that.
  if(MRELEASE_FUZZ)
    target_compile_options(mrelease_options INTERFACE -fno-sanitize=pointer-overflow)
    find_program(MRELEASE_GOLD ld.gold)
    if(MRELEASE_GOLD)
      target_link_options(mrelease_options INTERFACE -fuse-ld=gold)
    endif()
  endif()
endif()

# Hardening: of every artefact, and of code that is optimised (without, glibc has no fortified functions).
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)
set(CMAKE_REQUIRED_FLAGS -Werror)
check_c_compiler_flag(-fcf-protection MRELEASE_HAS_CF_PROTECTION)
set(CMAKE_REQUIRED_FLAGS "-Werror -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
check_c_source_compiles("#include <string.h>\nint main(void) { return 0; }" MRELEASE_HAS_FORTIFY_3)
unset(CMAKE_REQUIRED_FLAGS)
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT MRELEASE_SANITIZE)
  target_compile_options(mrelease_options INTERFACE -fstack-protector-strong
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$<IF:$<BOOL:${MRELEASE_HAS_FORTIFY_3}>,3,2>
    $<$<BOOL:${MRELEASE_HAS_CF_PROTECTION}>:-fcf-protection>)
endif()
add_link_options(-Wl,-z,relro,-z,now)
