# Compile settings shared by every target, and the three ways a target is declared here.
#
#   tunefleet_library(name SOURCES ... PUBLIC_DEPS ... PRIVATE_DEPS ...)   -> tunefleet::name
#   tunefleet_program(name SOURCES ... DEPS ...)                          -> bin/name
#   tunefleet_test(name SOURCES ... DEPS ... [LABELS ...] [TIMEOUT s])    -> one gtest program, one ctest entry; the target
#                                                                           tests_LABEL builds all tests of a label

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
  set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

add_library(tunefleet_settings INTERFACE)
target_compile_features(tunefleet_settings INTERFACE cxx_std_20)
target_include_directories(tunefleet_settings INTERFACE "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}")
# GCC 12 gives false maybe-uninitialized and restrict warnings on std::variant and std::string when it optimises.
target_compile_options(tunefleet_settings INTERFACE -Wall -Wextra -Werror -Wno-missing-field-initializers
                                                    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-restrict>)
if(TUNEFLEET_SANITIZE)
  target_compile_options(tunefleet_settings INTERFACE -fsanitize=${TUNEFLEET_SANITIZE} -fno-omit-frame-pointer
                                                      -fno-sanitize-recover=undefined)
  target_link_options(tunefleet_settings INTERFACE -fsanitize=${TUNEFLEET_SANITIZE})
endif()

function(tunefleet_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC_DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(tunefleet_${name} STATIC ${ARG_SOURCES})
  add_library(tunefleet::${name} ALIAS tunefleet_${name})
  set_target_properties(tunefleet_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(tunefleet_${name} PUBLIC tunefleet_settings ${ARG_PUBLIC_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
endfunction()

function(tunefleet_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE tunefleet_settings ${ARG_DEPS})
endfunction()

function(tunefleet_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS;ENVIRONMENT" ${ARGN})
  if(NOT TUNEFLEET_BUILD_TESTS)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_link_libraries(${name} PRIVATE tunefleet_settings ${ARG_DEPS} GTest::gmock GTest::gtest GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}" ENVIRONMENT "${ARG_ENVIRONMENT}")
  foreach(label IN LISTS ARG_LABELS)
    if(NOT TARGET tests_${label})
      add_custom_target(tests_${label})
    endif()
    add_dependencies(tests_${label} ${name})
  endforeach()
endfunction()
