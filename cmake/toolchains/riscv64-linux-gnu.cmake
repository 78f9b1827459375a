# 64-bit RISC-V, with Debian's cross compiler and its riscv64 packages (deploy/install-deps.sh --cross=riscv64).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(TUNEFLEET_TRIPLE riscv64-linux-gnu)
include("${CMAKE_CURRENT_LIST_DIR}/debian-multiarch.cmake")
