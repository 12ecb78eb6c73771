# sluice_error_pages: app/error_pages.h over docs/errors/*.md, embedded by tools/embed_errors.py. Linked by src/app.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
file(GLOB error_pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/errors/*.md)  # documents, not sources
set(error_pages_cc ${CMAKE_BINARY_DIR}/error_pages_table.cc)
add_custom_command(
  OUTPUT ${error_pages_cc}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/embed_errors.py ${CMAKE_SOURCE_DIR}/docs/errors ${error_pages_cc}
  DEPENDS ${error_pages} ${CMAKE_SOURCE_DIR}/tools/embed_errors.py ${CMAKE_SOURCE_DIR}/docs/errors
  VERBATIM)
add_library(sluice_error_pages STATIC ${CMAKE_SOURCE_DIR}/src/app/error_pages.cc ${error_pages_cc})
target_include_directories(sluice_error_pages PUBLIC ${CMAKE_SOURCE_DIR}/src)
sluice_test(error_pages_test SOURCES ${CMAKE_SOURCE_DIR}/src/app/error_pages_test.cc LIBS sluice_error_pages)
