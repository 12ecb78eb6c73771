# The checks of tools/ as tests: the same scripts that `make lint-fast` runs (headers: `make lint`).
find_package(Python3 REQUIRED COMPONENTS Interpreter)
foreach(check layers tidy errors docs)
  set(script ${CMAKE_SOURCE_DIR}/tools/check_${check}.py)
  if(check STREQUAL "tidy")
    set(script ${CMAKE_SOURCE_DIR}/tools/tidy.py)
  endif()
  sluice_script_test(check_${check} COMMAND ${Python3_EXECUTABLE} ${script} LABELS check)
endforeach()
