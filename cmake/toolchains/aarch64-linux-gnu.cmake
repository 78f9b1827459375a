# 64-bit Arm, with Debian's cross compiler and its arm64 packages (deploy/install-deps.sh --cross=arm64).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(TUNEFLEET_TRIPLE aarch64-linux-gnu)
include("${CMAKE_CURRENT_LIST_DIR}/debian-multiarch.cmake")
