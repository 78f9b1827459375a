# 64-bit Android, with the NDK's own toolchain file. Given as cache variables, or else taken from the environment:
#
#   TUNEFLEET_ANDROID_NDK     the NDK, r26 or later; in the environment, ANDROID_NDK_HOME or ANDROID_NDK_ROOT as well
#   TUNEFLEET_ANDROID_PREFIX  where gRPC, protobuf, Abseil, OpenSSL, c-ares, re2, spdlog and fmt were installed for this ABI,
#                             as archives (deploy/README.md)
#
# protoc and grpc_cpp_plugin are this machine's, of the same versions as the libraries.
set(ANDROID_ABI arm64-v8a)
set(ANDROID_PLATFORM android-30)  # memfd_create
set(ANDROID_STL c++_static)

set(ndk "${TUNEFLEET_ANDROID_NDK}")
foreach(name TUNEFLEET_ANDROID_NDK ANDROID_NDK_HOME ANDROID_NDK_ROOT)
  if(NOT ndk)
    set(ndk "$ENV{${name}}")
  endif()
endforeach()
set(prefix "${TUNEFLEET_ANDROID_PREFIX}")
if(NOT prefix)
  set(prefix "$ENV{TUNEFLEET_ANDROID_PREFIX}")
endif()
if(NOT EXISTS "${ndk}/build/cmake/android.toolchain.cmake")
  message(FATAL_ERROR "TUNEFLEET_ANDROID_NDK='${ndk}' holds no NDK; expected build/cmake/android.toolchain.cmake in it "
                      "(set it, ANDROID_NDK_HOME or ANDROID_NDK_ROOT to an unpacked NDK)")
endif()
if(NOT EXISTS "${prefix}/include/grpcpp/grpcpp.h")
  message(FATAL_ERROR "TUNEFLEET_ANDROID_PREFIX='${prefix}' holds no libraries for Android; expected include/grpcpp/grpcpp.h "
                      "in it")
endif()
# Kept for later runs, now that they are right.
set(TUNEFLEET_ANDROID_NDK "${ndk}" CACHE PATH "The Android NDK")
set(TUNEFLEET_ANDROID_PREFIX "${prefix}" CACHE PATH "A folder with the libraries for Android")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TUNEFLEET_ANDROID_NDK TUNEFLEET_ANDROID_PREFIX)

include("${TUNEFLEET_ANDROID_NDK}/build/cmake/android.toolchain.cmake")
list(APPEND CMAKE_FIND_ROOT_PATH "${TUNEFLEET_ANDROID_PREFIX}")
list(APPEND CMAKE_PREFIX_PATH "${TUNEFLEET_ANDROID_PREFIX}")
set(ENV{PKG_CONFIG_LIBDIR} "${TUNEFLEET_ANDROID_PREFIX}/lib/pkgconfig")
