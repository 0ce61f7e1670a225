# SPDX-License-Identifier: Apache-2.0
# Builds with clang, of the version that the release of Debian has.
find_program(MRELEASE_CLANG NAMES clang-14 clang-19 clang REQUIRED)
string(REGEX REPLACE "clang(-[0-9]+)?$" "clang++\\1" MRELEASE_CLANGXX ${MRELEASE_CLANG})
set(CMAKE_C_COMPILER ${MRELEASE_CLANG})
set(CMAKE_CXX_COMPILER ${MRELEASE_CLANGXX})
