# sluice_module(<folder> SOURCES ... HEADERS ... [PRIVATE_LIBS ...] [PUBLIC_LIBS ...])
#   One folder of src/ = one library sluice_<folder> (shared in the checked builds, where each of the many test programs
#   would else hold a copy: 4 of 5 GB); what it links is read from src/layers.txt.
# sluice_test(<name> SOURCES ... FOLDER <folder> [LIBS ...] [PARTS part=filter ...])   a GoogleTest program, run as one
#   ctest, or as one per part: <name>_<part> runs what the filter names.
file(STRINGS ${CMAKE_SOURCE_DIR}/src/layers.txt layer_lines REGEX "^[a-z]")
set(SLUICE_LAYERS "")
foreach(line IN LISTS layer_lines)
  string(REGEX MATCH "^([a-z]+):(.*)$" _ "${line}")
  set(name ${CMAKE_MATCH_1})
  string(STRIP "${CMAKE_MATCH_2}" below)
  string(REPLACE " " ";" below "${below}")
  list(APPEND SLUICE_LAYERS ${name})
  set(SLUICE_BELOW_${name} ${below})
endforeach()

# The precompiled header has a target of its own, so that no folder's definitions leak into it.
file(WRITE ${CMAKE_BINARY_DIR}/pch.cc "")
add_library(sluice_pch STATIC ${CMAKE_BINARY_DIR}/pch.cc)
target_link_libraries(sluice_pch PRIVATE sluice_arrow)
target_precompile_headers(sluice_pch PRIVATE ${CMAKE_SOURCE_DIR}/src/base/pch.h)

function(sluice_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;PRIVATE_LIBS;PUBLIC_LIBS" ${ARGN})
  add_library(sluice_${name} ${ARG_SOURCES})
  target_sources(sluice_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}/src FILES ${ARG_HEADERS})
  target_include_directories(sluice_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_precompile_headers(sluice_${name} REUSE_FROM sluice_pch)
  target_link_libraries(sluice_${name} PUBLIC sluice_arrow ${ARG_PUBLIC_LIBS} PRIVATE ${ARG_PRIVATE_LIBS})
  foreach(below IN LISTS SLUICE_BELOW_${name})
    if(EXISTS ${CMAKE_SOURCE_DIR}/src/${below}/CMakeLists.txt)
      target_link_libraries(sluice_${name} PUBLIC sluice_${below})
    endif()
  endforeach()
endfunction()

# SLUICE_TEST_LABELS limits the test programs to those with one of these labels (all when empty); the target
# sluice_tests builds exactly the programs that are left and what they link.
set(SLUICE_TEST_LABELS "" CACHE STRING "labels of the tests to build, all when empty")
add_custom_target(sluice_tests)

# What every test runs under: the sanitizers stop at the first fault and read the one suppression file each.
set(suppressions ${CMAKE_SOURCE_DIR}/tools/sanitizers)
set(SLUICE_TEST_ENVIRONMENT
  "ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:suppressions=${suppressions}/asan.supp"
  "LSAN_OPTIONS=print_suppressions=0:suppressions=${suppressions}/lsan.supp"
  "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:suppressions=${suppressions}/ubsan.supp"
  "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:ignore_noninstrumented_modules=1:suppressions=${suppressions}/tsan.supp"
  "SLUICE_SOURCE_DIR=${CMAKE_SOURCE_DIR}"
  "SLUICE_BINARY=${CMAKE_BINARY_DIR}/bin/sluice")
if(SLUICE_SANITIZE STREQUAL "thread")
  # Memory that goes from thread to thread through Arrow's own pool would look like a race.
  list(APPEND SLUICE_TEST_ENVIRONMENT "ARROW_DEFAULT_MEMORY_POOL=system")
endif()

# sluice_script_test(<name> COMMAND ... [LABELS ...] [TIMEOUT seconds] [PROPERTIES ...])   a test that is not a program of ours.
function(sluice_script_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "COMMAND;LABELS;PROPERTIES" ${ARGN})
  if(NOT SLUICE_TESTS OR SLUICE_TEST_LABELS)
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 600)
  endif()
  add_test(NAME ${name} COMMAND ${ARG_COMMAND})
  set_tests_properties(${name} PROPERTIES
    LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "${SLUICE_TEST_ENVIRONMENT}" ${ARG_PROPERTIES})
endfunction()

function(sluice_test name)
  cmake_parse_arguments(ARG "" "FOLDER" "SOURCES;LIBS;LABELS;PARTS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  set(wanted ${ARG_LABELS})
  if(SLUICE_TEST_LABELS)
    list(FILTER wanted INCLUDE REGEX "^(${SLUICE_TEST_LABELS})$")
  endif()
  if(NOT SLUICE_TESTS OR NOT wanted)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  if(SLUICE_SANITIZE STREQUAL "thread")
    target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tools/sanitizers/c11_threads.cc)
  endif()
  target_precompile_headers(${name} REUSE_FROM sluice_pch)
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} sluice_arrow GTest::gtest GTest::gtest_main)
  if(ARG_FOLDER)
    target_link_libraries(${name} PRIVATE sluice_${ARG_FOLDER})
  endif()
  add_dependencies(sluice_tests ${name})
  set(tests ${name})
  if(ARG_PARTS)
    set(tests "")
    foreach(part IN LISTS ARG_PARTS)
      string(REGEX MATCH "^([a-z_]+)=(.*)$" _ "${part}")
      add_test(NAME ${name}_${CMAKE_MATCH_1} COMMAND ${name} --gtest_filter=${CMAKE_MATCH_2})
      list(APPEND tests ${name}_${CMAKE_MATCH_1})
    endforeach()
  else()
    add_test(NAME ${name} COMMAND ${name})
  endif()
  set_tests_properties(${tests} PROPERTIES
    LABELS "${ARG_LABELS}" TIMEOUT 600 ENVIRONMENT "${SLUICE_TEST_ENVIRONMENT}")
endfunction()
