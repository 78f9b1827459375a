# What Debian's cross toolchains have in common. In: TUNEFLEET_TRIPLE. Libraries of the other architecture lie in
# /usr/lib/TRIPLE and headers are shared, or else all of them in TUNEFLEET_SYSROOT (deploy/make-sysroot.sh), taken from the
# environment when it is not set. protoc and its plugin are this machine's.
set(CMAKE_C_COMPILER "${TUNEFLEET_TRIPLE}-gcc")
set(CMAKE_CXX_COMPILER "${TUNEFLEET_TRIPLE}-g++")
set(CMAKE_LIBRARY_ARCHITECTURE "${TUNEFLEET_TRIPLE}")

set(TUNEFLEET_SYSROOT "$ENV{TUNEFLEET_SYSROOT}" CACHE PATH "A folder with the libraries of the other architecture")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TUNEFLEET_SYSROOT)
if(TUNEFLEET_SYSROOT)
  cmake_path(ABSOLUTE_PATH TUNEFLEET_SYSROOT BASE_DIRECTORY "${CMAKE_CURRENT_LIST_DIR}/../.." NORMALIZE)
  if(NOT EXISTS "${TUNEFLEET_SYSROOT}/.tunefleet-sysroot" OR NOT EXISTS "${TUNEFLEET_SYSROOT}/usr/lib/${TUNEFLEET_TRIPLE}")
    message(FATAL_ERROR "TUNEFLEET_SYSROOT='${TUNEFLEET_SYSROOT}' holds nothing for ${TUNEFLEET_TRIPLE}; "
                        "expected a folder made by deploy/make-sysroot.sh")
  endif()
  set(CMAKE_SYSROOT "${TUNEFLEET_SYSROOT}")
  set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
  set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
  set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
  set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
  # The C and C++ libraries to link with, and the code that starts a program, are the sysroot's, not those of the cross
  # compiler, which may be older; so may be its linker.
  file(GLOB library "${TUNEFLEET_SYSROOT}/usr/lib/gcc/${TUNEFLEET_TRIPLE}/*/libstdc++.a")
  cmake_path(GET library PARENT_PATH folder)
  set(CMAKE_EXE_LINKER_FLAGS_INIT "-L${folder} -B${TUNEFLEET_SYSROOT}/usr/lib/${TUNEFLEET_TRIPLE}")
  if(EXISTS "${TUNEFLEET_SYSROOT}/.tunefleet-tools/ld")
    string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " -B${TUNEFLEET_SYSROOT}/.tunefleet-tools")
  endif()
  set(ENV{PKG_CONFIG_SYSROOT_DIR} "${TUNEFLEET_SYSROOT}")
endif()
set(ENV{PKG_CONFIG_LIBDIR} "${TUNEFLEET_SYSROOT}/usr/lib/${TUNEFLEET_TRIPLE}/pkgconfig:${TUNEFLEET_SYSROOT}/usr/share/pkgconfig")
