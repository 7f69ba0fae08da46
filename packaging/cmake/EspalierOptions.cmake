option(ESPALIER_BUILD_TESTS "Build the tests" ON)
option(ESPALIER_BUILD_APP "Build the window (Qt, QCustomPlot)" ON)
option(ESPALIER_WITH_TORCH "Build the rooms that need LibTorch" ON)
option(ESPALIER_USE_CCACHE "Compile through ccache when it is installed" OFF)
option(ESPALIER_USE_MOLD "Link with mold when it is installed" OFF)
option(ESPALIER_UNITY "Compile recipes and blocks in unity batches" OFF)
set(ESPALIER_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined")
set(ESPALIER_LIBTORCH "" CACHE PATH "Folder that holds LibTorch (torch/lib, torch/include); empty = environment, then the user's cache")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# -fPIC as a plain option below: a PIC/PIE mismatch would make the precompiled header unusable.
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_SKIP_BUILD_RPATH OFF)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

if(ESPALIER_USE_CCACHE)
  find_program(ESPALIER_CCACHE ccache)
  if(ESPALIER_CCACHE)
    # base_dir + no directory hash: a fresh clone in another folder hits the cache.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        ${CMAKE_SOURCE_DIR}/packaging/tools/ccache.sh)
    set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
  endif()
endif()

# One interface target carries every flag, so all files that share the precompiled header agree.
add_library(espalier_flags INTERFACE)
target_include_directories(espalier_flags INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}> $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/generated>)
target_compile_options(espalier_flags INTERFACE -fPIC -Wall -Wextra -Wno-unused-parameter -fstack-protector-strong)
target_compile_definitions(espalier_flags INTERFACE ESPALIER_VERSION="${PROJECT_VERSION}"
  $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
target_link_options(espalier_flags INTERFACE -Wl,-z,relro,-z,now)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(espalier_flags INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
else()
  # g++ 12 sees uninitialized values inside std::optional and std::variant where there are none.
  target_compile_options(espalier_flags INTERFACE -Wno-maybe-uninitialized)
endif()
if(ESPALIER_USE_MOLD)
  find_program(ESPALIER_MOLD mold)
  if(ESPALIER_MOLD)
    target_link_options(espalier_flags INTERFACE -fuse-ld=mold)
  endif()
endif()
if(ESPALIER_SANITIZE)
  target_compile_options(espalier_flags INTERFACE -fsanitize=${ESPALIER_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=undefined)
  target_link_options(espalier_flags INTERFACE -fsanitize=${ESPALIER_SANITIZE})
endif()
