# A program that needs no shared library but those of the C library (dlopen does not work without them):
#
#   tunefleet_static_program(name SOURCES ... LIBRARIES ...)   -> bin/name
#
# LIBRARIES are libraries of this project and all that those need of it. What they need besides comes from the archives
# of gRPC and its relatives, in one group: CMake's imported targets know the shared objects alone.
function(tunefleet_static_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  set(archives "")
  foreach(library grpc++ grpc upb gpr address_sorting protobuf cares re2 ssl crypto z)
    find_library(TUNEFLEET_ARCHIVE_${library} "lib${library}.a" REQUIRED)
    mark_as_advanced(TUNEFLEET_ARCHIVE_${library})
    list(APPEND archives "${TUNEFLEET_ARCHIVE_${library}}")
  endforeach()
  find_library(TUNEFLEET_ARCHIVE_zstd libzstd.a)  # of OpenSSL since 3.2
  mark_as_advanced(TUNEFLEET_ARCHIVE_zstd)
  if(TUNEFLEET_ARCHIVE_zstd)
    list(APPEND archives "${TUNEFLEET_ARCHIVE_zstd}")
  endif()
  cmake_path(GET TUNEFLEET_ARCHIVE_grpc PARENT_PATH folder)
  file(GLOB abseil "${folder}/libabsl_*.a")
  list(FILTER abseil EXCLUDE REGEX "_test_util")

  add_executable(${name} ${ARG_SOURCES})
  list(TRANSFORM ARG_LIBRARIES PREPEND tunefleet_)
  list(TRANSFORM ARG_LIBRARIES REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE files)
  foreach(library IN LISTS ARG_LIBRARIES)
    target_include_directories(${name} SYSTEM PRIVATE $<TARGET_PROPERTY:${library},INTERFACE_SYSTEM_INCLUDE_DIRECTORIES>)
  endforeach()
  if(ANDROID)
    list(APPEND archives log)  # the system's; gRPC writes to it
  endif()
  target_link_libraries(${name} PRIVATE tunefleet_settings -static-libstdc++ -static-libgcc -Wl,--gc-sections
                                        -Wl,--start-group ${files} ${archives} ${abseil} -Wl,--end-group
                                        Threads::Threads ${CMAKE_DL_LIBS})
  add_dependencies(${name} ${ARG_LIBRARIES})
endfunction()
