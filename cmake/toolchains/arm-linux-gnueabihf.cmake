# 32-bit Arm (ARMv7 with NEON), with Debian's cross compiler and its armhf packages: deploy/install-deps.sh --cross=armhf, or
# --compiler=armhf and deploy/make-sysroot.sh. Files and limits are of 64 bits; times are of 32, as in the libraries.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(TUNEFLEET_TRIPLE arm-linux-gnueabihf)
set(CMAKE_C_FLAGS_INIT "-march=armv7-a -mfpu=neon-vfpv4 -D_FILE_OFFSET_BITS=64")
set(CMAKE_CXX_FLAGS_INIT "-march=armv7-a -mfpu=neon-vfpv4 -D_FILE_OFFSET_BITS=64")
include("${CMAKE_CURRENT_LIST_DIR}/debian-multiarch.cmake")
