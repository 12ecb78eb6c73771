# Third-party libraries. Pinned versions and hashes: cmake/deps.lock; fetched by tools/deps.sh into .deps/.
# An installed Arrow or DuckDB is taken when SLUICE_SYSTEM_DEPS is on.
set(SLUICE_DEPS ${CMAKE_SOURCE_DIR}/.deps CACHE PATH "where tools/deps.sh put the pinned dependencies")
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

# Arrow + Parquet: the common language of all folders.
add_library(sluice_arrow INTERFACE)
find_package(Arrow QUIET)
find_package(Parquet QUIET)
if(Arrow_FOUND AND Parquet_FOUND AND NOT EXISTS ${SLUICE_DEPS}/arrow/include)
  target_link_libraries(sluice_arrow INTERFACE Arrow::arrow_shared)
  add_library(sluice_parquet INTERFACE)
  target_link_libraries(sluice_parquet INTERFACE Parquet::parquet_shared)
else()
  if(NOT EXISTS ${SLUICE_DEPS}/arrow/include/arrow/api.h)
    message(FATAL_ERROR "Arrow is not installed and not under ${SLUICE_DEPS}: run 'make deps' first")
  endif()
  target_include_directories(sluice_arrow SYSTEM INTERFACE ${SLUICE_DEPS}/arrow/include)
  target_link_libraries(sluice_arrow INTERFACE ${SLUICE_DEPS}/arrow/lib/libarrow.so ${SLUICE_DEPS}/arrow/lib/libarrow_compute.so)
  add_library(sluice_parquet INTERFACE)
  target_link_libraries(sluice_parquet INTERFACE ${SLUICE_DEPS}/arrow/lib/libparquet.so sluice_arrow)
endif()
target_link_libraries(sluice_arrow INTERFACE Threads::Threads)

# DuckDB: evaluation of bounded relational work; only src/sql links it.
add_library(sluice_duckdb INTERFACE)
target_include_directories(sluice_duckdb SYSTEM INTERFACE ${SLUICE_DEPS}/duckdb/include)
target_link_libraries(sluice_duckdb INTERFACE ${SLUICE_DEPS}/duckdb/lib/libduckdb.so)

# simdjson: compiled here under another namespace, hidden: libparquet exports a simdjson of its own (a clash crashes).
add_library(sluice_simdjson STATIC ${SLUICE_DEPS}/simdjson/simdjson.cpp)
target_include_directories(sluice_simdjson SYSTEM PUBLIC ${SLUICE_DEPS}/simdjson)
target_compile_definitions(sluice_simdjson PUBLIC simdjson=sluice_simdjson)
target_compile_options(sluice_simdjson PRIVATE -fvisibility=hidden -w -O2)

set(CMAKE_BUILD_RPATH ${SLUICE_DEPS}/arrow/lib ${SLUICE_DEPS}/duckdb/lib)

find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(RocksDB QUIET)
find_package(OpenSSL REQUIRED)  # digests of the SQL functions md5, sha1, sha2
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
if(SLUICE_TESTS)
  find_package(GTest REQUIRED)
endif()
