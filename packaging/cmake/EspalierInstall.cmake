# `cmake --install` gives the two programs, desktop integration, the sample data and what find_package(Espalier) needs.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(programs)
foreach(program espalier espalier-cli)
  if(TARGET ${program})
    list(APPEND programs ${program})
  endif()
endforeach()
if(programs)
  # LibTorch stays where it is, outside the installation: its folder is kept as run path.
  set_target_properties(${programs} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS ${programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES packaging/linux/org.espalier.Espalier.desktop DESTINATION ${CMAKE_INSTALL_DATADIR}/applications)
install(FILES packaging/linux/org.espalier.Espalier.metainfo.xml DESTINATION ${CMAKE_INSTALL_DATADIR}/metainfo)
install(FILES packaging/linux/org.espalier.Espalier.svg DESTINATION ${CMAKE_INSTALL_DATADIR}/icons/hicolor/scalable/apps)
install(DIRECTORY resources/samples DESTINATION ${CMAKE_INSTALL_DATADIR}/espalier)
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The public recipe interface for modules built elsewhere.
install(DIRECTORY engine/base engine/feed engine/metrics engine/api engine/data engine/nn engine/quant engine/interop
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/espalier/engine
        FILES_MATCHING PATTERN "*.h" PATTERN "store_image_source.h" EXCLUDE)
install(FILES ${CMAKE_BINARY_DIR}/generated/engine/api/api_stamp.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/espalier/engine/api)
install(DIRECTORY packaging/template DESTINATION ${CMAKE_INSTALL_DATADIR}/espalier)
configure_package_config_file(packaging/cmake/EspalierConfig.cmake.in ${CMAKE_BINARY_DIR}/EspalierConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Espalier PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/EspalierConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/EspalierConfig.cmake ${CMAKE_BINARY_DIR}/EspalierConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Espalier)
