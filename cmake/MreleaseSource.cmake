# SPDX-License-Identifier: Apache-2.0
# MRELEASE_SOURCE_ID: which source this is. "git archive" writes the commit into this file; a clone asks git, but only
# where the clone is this very tree: one that was unpacked inside of another project's is not that project's commit.
set(MRELEASE_SOURCE_ID "$Format:%H$")
if(MRELEASE_SOURCE_ID MATCHES "^[0-9a-f]+$")
  string(SUBSTRING ${MRELEASE_SOURCE_ID} 0 12 MRELEASE_SOURCE_ID)
  return()
endif()
set(MRELEASE_SOURCE_ID unknown)
if(EXISTS ${CMAKE_SOURCE_DIR}/.git)
  execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} describe --always --dirty --abbrev=12
    OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(described)
    set(MRELEASE_SOURCE_ID ${described})
  endif()
endif()
