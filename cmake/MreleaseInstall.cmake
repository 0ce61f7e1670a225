# SPDX-License-Identifier: Apache-2.0
# cmake --install: library, headers, program, pkg-config file and CMake package.
include(CMakePackageConfigHelpers)

install(TARGETS mrelease EXPORT mrelease-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} NAMELINK_COMPONENT development)
if(MRELEASE_FALCO)
  install(TARGETS mrelease_falco LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/mrelease)
endif()
if(MRELEASE_KAFKA)
  install(TARGETS mrelease_kafka RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/mrelease)
endif()
if(MRELEASE_HTTP)
  install(TARGETS mrelease_http RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/mrelease)
endif()
if(MRELEASE_METRICS)
  install(TARGETS mrelease_metrics RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/mrelease)
endif()
if(MRELEASE_STREAM)
  install(TARGETS mrelease_stream RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/mrelease)
endif()
if(MRELEASE_GRPC)
  install(TARGETS mrelease_grpc RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/mrelease)
endif()
if(MRELEASE_PROGRAM)
  install(TARGETS mrelease_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY plugin/include/mrelease DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT mrelease-targets NAMESPACE mrelease:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mrelease)

configure_package_config_file(cmake/mrelease-config.cmake.in ${CMAKE_BINARY_DIR}/mrelease-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mrelease)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/mrelease-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/mrelease-config.cmake ${CMAKE_BINARY_DIR}/mrelease-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mrelease)

# The pkg-config file finds its prefix from where it lies, so that an installed tree can be moved.
file(RELATIVE_PATH MRELEASE_PC_TO_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/mrelease.pc.in ${CMAKE_BINARY_DIR}/mrelease.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/mrelease.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES packaging/mrelease.yaml schemas/config.schema.json DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY packaging/opensearch packaging/systemd DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES docs/man/mrelease.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES docs/man/process_mrelease.2 DESTINATION ${CMAKE_INSTALL_MANDIR}/man2)
install(FILES docs/man/mrelease.yaml.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES packaging/completion/mrelease DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(DIRECTORY LICENSES DESTINATION ${CMAKE_INSTALL_DOCDIR})
