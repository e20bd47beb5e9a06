# The settings of every Tiny library and tool, once.
#
# Debian's MLIR and LLVM are linked as their two shared libraries only: naming a
# component library as well would duplicate TypeIDs and command line options.
# Debian builds them with NDEBUG, and the size of some classes depends on it, so
# Tiny defines it in every preset too: what must hold is checked by code that stays, not by assert.

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON) # libMLIR.so is in no default folder
set(MLIR_LINK_MLIR_DYLIB ON)
set(LLVM_LINK_LLVM_DYLIB ON)

include(CMakePackageConfigHelpers)
include(TinyDocs)

find_program(TINY_CCACHE ccache)
if(TINY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${TINY_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${TINY_CCACHE}")
endif()

# What a user of the installed headers needs too is outside of BUILD_INTERFACE.
add_library(TinySettings INTERFACE)
target_compile_features(TinySettings INTERFACE cxx_std_17)
target_compile_definitions(TinySettings INTERFACE NDEBUG)
target_compile_options(TinySettings INTERFACE -fno-exceptions
  "$<BUILD_INTERFACE:-Wall;-Wextra;-Wno-unused-parameter;-ffp-contract=off>")
target_include_directories(TinySettings INTERFACE
  "$<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>"
  "$<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/include>"
  "$<INSTALL_INTERFACE:include>")
target_include_directories(TinySettings SYSTEM INTERFACE
  "$<BUILD_INTERFACE:${LLVM_INCLUDE_DIRS}>" "$<BUILD_INTERFACE:${MLIR_INCLUDE_DIRS}>")

# Debian's libraries and the code of the JIT are not instrumented. So: no vptr and
# no function check (both read type data that such code does not have). The rest is
# for run time, in TINY_SANITIZER_ENVIRONMENT: containers and arenas that change hands
# between the two kinds of code would be reported for memory that is fine
# (detect_container_overflow, allow_user_poisoning), and MLIR's registries live until
# the process ends (detect_leaks).
if(TINY_ENABLE_ASAN)
  target_compile_options(TinySettings INTERFACE "$<BUILD_INTERFACE:-fsanitize=address,undefined>"
    "$<BUILD_INTERFACE:-fno-sanitize=vptr,function;-fno-sanitize-recover=all;-fno-omit-frame-pointer>")
  target_compile_definitions(TinySettings INTERFACE "$<BUILD_INTERFACE:_GLIBCXX_ASSERTIONS>")
  target_link_options(TinySettings INTERFACE "$<BUILD_INTERFACE:-fsanitize=address,undefined>")
endif()
# A report aborts, or a test that expects exit status 1 would take it for that.
set(TINY_SANITIZER_ENVIRONMENT
  "ASAN_OPTIONS=abort_on_error=1:detect_container_overflow=0:allow_user_poisoning=0:detect_leaks=0:detect_stack_use_after_return=1"
  "UBSAN_OPTIONS=abort_on_error=1:print_stacktrace=1"
  "ASAN_SYMBOLIZER_PATH=${LLVM_TOOLS_BINARY_DIR}/llvm-symbolizer")

# Headers only: the library itself is found when a program runs. ROCm's own are newer than Debian's.
find_path(TINY_HSA_INCLUDE_DIR hsa/hsa.h HINTS /opt/rocm/include REQUIRED)
target_include_directories(TinySettings SYSTEM INTERFACE
  "$<BUILD_INTERFACE:${TINY_HSA_INCLUDE_DIR}>")

install(TARGETS TinySettings EXPORT TinyTargets)

# tiny_add_library(Name sources... [DEPENDS tablegen targets...] [LINK libs...] [NO_MLIR])
# One static library per stage. NO_MLIR keeps the Runtime free of MLIR and LLVM.
function(tiny_add_library name)
  cmake_parse_arguments(ARG "NO_MLIR" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC TinySettings ${ARG_LINK})
  if(NOT ARG_NO_MLIR)
    target_link_libraries(${name} PUBLIC MLIR LLVM)
  endif()
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  install(TARGETS ${name} EXPORT TinyTargets ARCHIVE DESTINATION lib)
  set_property(GLOBAL APPEND PROPERTY TINY_LIBRARIES ${name})
endfunction()

# tiny_add_passes(Stage): Passes.h.inc for include/Tiny/<Stage>/Passes.td and its documentation.
function(tiny_add_passes stage)
  set(LLVM_TARGET_DEFINITIONS Passes.td)
  mlir_tablegen(Passes.h.inc -gen-pass-decls -name Tiny${stage})
  add_public_tablegen_target(Tiny${stage}PassesIncGen)
  tiny_add_doc(${stage}Passes -gen-pass-doc)
endfunction()

# tiny_add_tool(name sources... [LINK libs...])
function(tiny_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE TinySettings ${ARG_LINK})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
  install(TARGETS ${name} RUNTIME DESTINATION bin)
  set_property(GLOBAL APPEND PROPERTY TINY_TOOLS ${name})
endfunction()

# tiny_install_package(): headers and find_package(Tiny). Call once, after the libraries.
function(tiny_install_package)
  set(where lib/cmake/Tiny)
  configure_package_config_file("${CMAKE_SOURCE_DIR}/cmake/TinyConfig.cmake.in"
    "${CMAKE_BINARY_DIR}/TinyConfig.cmake" INSTALL_DESTINATION ${where})
  write_basic_package_version_file("${CMAKE_BINARY_DIR}/TinyConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion)
  install(FILES "${CMAKE_BINARY_DIR}/TinyConfig.cmake" "${CMAKE_BINARY_DIR}/TinyConfigVersion.cmake"
    DESTINATION ${where})
  install(EXPORT TinyTargets NAMESPACE Tiny:: DESTINATION ${where})
  # Tiny's .td files are installed as well: a dialect built on this one includes them.
  install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/" DESTINATION include
    FILES_MATCHING PATTERN "*.h" PATTERN "*.td")
  install(DIRECTORY "${CMAKE_BINARY_DIR}/include/" DESTINATION include
    FILES_MATCHING PATTERN "*.inc")
endfunction()
