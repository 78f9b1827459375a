# 64-bit RISC-V, with Debian 12's cross compiler and Debian 13's libraries (deploy/make-sysroot.sh).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(TUNEFLEET_TRIPLE riscv64-linux-gnu)
include("${CMAKE_CURRENT_LIST_DIR}/debian-multiarch.cmake")
