# SPDX-License-Identifier: Apache-2.0
# mrl_add_bpf(TARGET SOURCE): compiles a BPF program and makes its skeleton <name>.skel.h, to be had
# by linking TARGET. <name> is the source's name up to its first dot. With MRELEASE_BPF_OF, the skeleton is that of
# another build, which was made before.
set(MRELEASE_BPF_OF "" CACHE PATH "Another build of this tree, whose BPF skeletons are taken")
function(mrl_add_bpf target source)
  get_filename_component(name ${source} NAME_WE)
  if(MRELEASE_BPF_OF)
    file(RELATIVE_PATH folder ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_BINARY_DIR})
    add_library(${target} INTERFACE)
    target_include_directories(${target} SYSTEM INTERFACE ${MRELEASE_BPF_OF}/${folder})
    return()
  endif()
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(arch x86)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    set(arch arm64)
  else()
    message(FATAL_ERROR "no event table for ${CMAKE_SYSTEM_PROCESSOR}")
  endif()
  # Lines of the source stand in the object, by their file: the same wherever the tree lies.
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h)
  add_custom_command(OUTPUT ${object}
    COMMAND ${BPF_CLANG} -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Wno-unused-parameter -Werror
      -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
      -D__TARGET_ARCH_${arch} -I${CMAKE_SOURCE_DIR}/bpf
      -isystem ${CMAKE_SYSROOT}/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
      -MD -MF ${object}.d -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
    DEPENDS ${source} DEPFILE ${object}.d COMMENT "BPF object ${name}" VERBATIM)
  add_custom_command(OUTPUT ${skeleton}
    COMMAND ${BPFTOOL} gen object ${object}.linked ${object}
    COMMAND ${BPFTOOL} gen skeleton ${object}.linked name ${name}_bpf > ${skeleton}
    DEPENDS ${object} COMMENT "BPF skeleton ${name}" VERBATIM)
  add_custom_target(${target}_skeleton DEPENDS ${skeleton})
  add_library(${target} INTERFACE)
  add_dependencies(${target} ${target}_skeleton)
  target_include_directories(${target} SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()
