# Reference pages generated from the ODS files, so that they cannot disagree
# with the code. They are committed (docs/generated) to be readable without a
# build; the test `stale-docs` compares them with what the build generates.

# tiny_add_doc(Page generator-flags...): docs/generated/<Page>.md from LLVM_TARGET_DEFINITIONS.
function(tiny_add_doc page)
  tablegen(MLIR ${page}.md ${ARGN})
  set(generated "${CMAKE_BINARY_DIR}/docs/generated/${page}.md")
  add_custom_command(OUTPUT "${generated}"
    COMMAND ${CMAKE_COMMAND} -E copy "${CMAKE_CURRENT_BINARY_DIR}/${page}.md" "${generated}"
    DEPENDS "${CMAKE_CURRENT_BINARY_DIR}/${page}.md")
  add_custom_target(tiny-docs-${page} DEPENDS "${generated}")
  set_property(GLOBAL APPEND PROPERTY TINY_DOC_TARGETS tiny-docs-${page})
  set_property(GLOBAL APPEND PROPERTY TINY_DOCS "${generated}")
endfunction()

# tiny_finish_docs(): call once, after every tiny_add_doc.
function(tiny_finish_docs)
  get_property(pages GLOBAL PROPERTY TINY_DOCS)
  set(generated "${CMAKE_BINARY_DIR}/docs/generated")
  set(committed "${CMAKE_SOURCE_DIR}/docs/generated")
  list(JOIN pages "," joined) # a list would fall apart into arguments
  set(compare ${CMAKE_COMMAND} -D "GENERATED=${joined}" -D "COMMITTED=${committed}")
  set(script "${CMAKE_SOURCE_DIR}/cmake/CompareDocs.cmake")

  get_property(targets GLOBAL PROPERTY TINY_DOC_TARGETS)
  add_custom_target(tiny-docs-pages ALL DEPENDS ${targets})
  add_custom_target(tiny-docs
    COMMAND ${compare} -D UPDATE=ON -P "${script}"
    DEPENDS tiny-docs-pages COMMENT "Writing docs/generated" VERBATIM)
  if(TINY_ENABLE_TESTS)
    add_test(NAME stale-docs COMMAND ${compare} -P "${script}")
    set_tests_properties(stale-docs PROPERTIES LABELS lint)
  endif()
endfunction()
