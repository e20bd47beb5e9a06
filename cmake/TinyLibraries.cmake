# The settings of every Tiny library and tool, once.
#
# Debian's MLIR and LLVM are linked as their two shared libraries only: naming a
# component library as well would duplicate TypeIDs and command line options.
# Debian builds them with NDEBUG, and the size of some classes depends on it, so
# Tiny defines it in every preset too and checks with TINY_CHECK instead of assert.

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(MLIR_LINK_MLIR_DYLIB ON)
set(LLVM_LINK_LLVM_DYLIB ON)

find_program(TINY_CCACHE ccache)
if(TINY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${TINY_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${TINY_CCACHE}")
endif()

add_library(TinySettings INTERFACE)
target_compile_definitions(TinySettings INTERFACE NDEBUG ${LLVM_DEFINITIONS_LIST})
target_compile_options(TinySettings INTERFACE
  -Wall -Wextra -Wno-unused-parameter -fno-exceptions -ffp-contract=off)
target_include_directories(TinySettings INTERFACE
  "$<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>"
  "$<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/include>"
  "$<INSTALL_INTERFACE:include>")
target_include_directories(TinySettings SYSTEM INTERFACE
  "$<BUILD_INTERFACE:${LLVM_INCLUDE_DIRS}>" "$<BUILD_INTERFACE:${MLIR_INCLUDE_DIRS}>")
if(TINY_ENABLE_ASAN)
  target_compile_options(TinySettings INTERFACE
    -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(TinySettings INTERFACE -fsanitize=address,undefined)
endif()

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
  set_property(GLOBAL APPEND PROPERTY TINY_LIBRARIES ${name})
endfunction()

# tiny_add_passes(Stage): Passes.h.inc for include/Tiny/<Stage>/Passes.td and its documentation.
function(tiny_add_passes stage)
  set(LLVM_TARGET_DEFINITIONS Passes.td)
  mlir_tablegen(Passes.h.inc -gen-pass-decls -name Tiny${stage})
  add_public_tablegen_target(Tiny${stage}PassesIncGen)
  add_mlir_doc(Passes Tiny${stage}Passes docs/ -gen-pass-doc)
endfunction()

# tiny_add_tool(name sources... [LINK libs...])
function(tiny_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE TinySettings ${ARG_LINK})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
  install(TARGETS ${name} RUNTIME DESTINATION bin)
endfunction()
