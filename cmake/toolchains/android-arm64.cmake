# 64-bit Android, with the NDK's own toolchain file. In the environment: ANDROID_NDK_HOME, the NDK (r25 or later), and
# TUNEFLEET_ANDROID_PREFIX, where gRPC, protobuf, Abseil, OpenSSL, c-ares, re2 and zlib were installed for the same ABI,
# as archives. protoc and grpc_cpp_plugin of this machine must be of the same versions.
set(ANDROID_ABI arm64-v8a)
set(ANDROID_PLATFORM android-30)  # memfd_create
set(ANDROID_STL c++_static)
if(NOT EXISTS "$ENV{ANDROID_NDK_HOME}/build/cmake/android.toolchain.cmake")
  message(FATAL_ERROR "ANDROID_NDK_HOME='$ENV{ANDROID_NDK_HOME}' holds no NDK; expected build/cmake/android.toolchain.cmake in it")
endif()
include("$ENV{ANDROID_NDK_HOME}/build/cmake/android.toolchain.cmake")
list(APPEND CMAKE_FIND_ROOT_PATH "$ENV{TUNEFLEET_ANDROID_PREFIX}")
list(APPEND CMAKE_PREFIX_PATH "$ENV{TUNEFLEET_ANDROID_PREFIX}")
