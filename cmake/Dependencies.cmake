# Every dependency is a system package (deploy/install-deps.sh installs them).
find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)  # MODULE: Debian ships no CONFIG for it
find_package(absl CONFIG REQUIRED)
find_package(gRPC CONFIG REQUIRED)
if(NOT TARGET gRPC::grpc_cpp_plugin)  # built for another system, without programs: this machine's
  find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
  add_executable(gRPC::grpc_cpp_plugin IMPORTED)
  set_target_properties(gRPC::grpc_cpp_plugin PROPERTIES IMPORTED_LOCATION "${GRPC_CPP_PLUGIN}")
endif()
find_package(OpenSSL REQUIRED)
if(TUNEFLEET_BUILD_TRACKER)
  find_package(SQLite3 REQUIRED)
endif()

# Header-only: Debian has no archives of spdlog and fmt, and the agent is to need nothing but the C library.
find_path(SPDLOG_INCLUDE_DIR spdlog/spdlog.h REQUIRED)
find_path(FMT_INCLUDE_DIR fmt/format-inl.h REQUIRED)
add_library(tunefleet_spdlog INTERFACE)
add_library(tunefleet::spdlog ALIAS tunefleet_spdlog)
target_include_directories(tunefleet_spdlog SYSTEM INTERFACE ${SPDLOG_INCLUDE_DIR} ${FMT_INCLUDE_DIR})
target_compile_definitions(tunefleet_spdlog INTERFACE SPDLOG_FMT_EXTERNAL FMT_HEADER_ONLY)

if(TUNEFLEET_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()

if(TUNEFLEET_BUILD_TUNER)
  find_package(LLVM 19.1 CONFIG REQUIRED)  # a bare 19 does not match Debian's version file
  find_package(LLD CONFIG REQUIRED HINTS "${LLVM_LIBRARY_DIR}/cmake/lld")
  find_package(ZLIB REQUIRED)

  # Debian's xgboost package has a broken CMake config.
  find_path(XGBOOST_INCLUDE_DIR xgboost/c_api.h REQUIRED)
  find_library(XGBOOST_LIBRARY xgboost REQUIRED)
  add_library(xgboost::capi UNKNOWN IMPORTED)
  set_target_properties(xgboost::capi PROPERTIES IMPORTED_LOCATION "${XGBOOST_LIBRARY}"
                                                 INTERFACE_INCLUDE_DIRECTORIES "${XGBOOST_INCLUDE_DIR}")

  add_library(tunefleet_llvm INTERFACE)
  target_include_directories(tunefleet_llvm SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS})
  target_link_libraries(tunefleet_llvm INTERFACE lldELF lldCommon LLVM-19 ZLIB::ZLIB zstd)
  target_link_directories(tunefleet_llvm INTERFACE ${LLVM_LIBRARY_DIRS})
endif()

if(TUNEFLEET_BUILD_BENCHMARKS)
  find_package(dnnl CONFIG REQUIRED)
  find_package(benchmark CONFIG REQUIRED)
endif()
