# Flags of every target of ours. Third-party headers come in as SYSTEM.
add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Wno-sign-conversion -Wno-psabi -Wno-invalid-pch)
# False ones of g++ 12 about std::string in optimised code (GCC bugs 105329, 105651).
add_compile_options($<$<CONFIG:Release>:-Wno-array-bounds> $<$<CONFIG:Release>:-Wno-restrict> $<$<CONFIG:Release>:-Wno-stringop-overflow>)
# In dev and asan: a user's compiler may know warnings that ours does not, and with other options ours gives false ones.
option(SLUICE_WERROR "warnings are errors" OFF)
if(SLUICE_WERROR)
  add_compile_options(-Werror)
endif()
set(SLUICE_SANITIZE "" CACHE STRING "value of -fsanitize=, empty for none")
if(SLUICE_SANITIZE)
  add_compile_options(-fsanitize=${SLUICE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SLUICE_SANITIZE})
endif()
# gcc's preprocessor output names the precompiled header instead of its contents: ccache needs that to keep an object.
option(SLUICE_CACHED_PCH "let ccache keep objects that use the precompiled header" OFF)
if(SLUICE_CACHED_PCH)
  add_compile_options(-fpch-preprocess)
endif()
# Programs, too: the precompiled header serves only objects of its own kind.
if(BUILD_SHARED_LIBS)
  add_compile_options(-fPIC)
endif()
