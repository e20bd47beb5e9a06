//===- Unimplemented.cpp - what this HSA library does not do --------------===//
//
// A program is linked with all of ROCm's library, and must start even where it uses
// a part that we do not have: images, the finalizer of HSAIL, sharing between
// processes, managed memory. Each of these functions is there, says once that it is
// not implemented, and gives back an error.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

#include <link.h>

using namespace tinysim::hsa;

static hsa_status_t refuse(const char *function, std::atomic<bool> &wasSaid) {
  if (!wasSaid.exchange(true))
    log(std::string(function) + " is not implemented; it returns HSA_STATUS_ERROR");
  return HSA_STATUS_ERROR;
}

// The headers declare them with their arguments, which nobody looks at here. So they have names of
// their own in C++, and the right one for the linker.
#define TINY_UNIMPLEMENTED(name)                                                                   \
  extern "C" __attribute__((visibility("default"))) hsa_status_t unimplemented_##name() __asm__(   \
      #name);                                                                                      \
  hsa_status_t unimplemented_##name() {                                                            \
    static std::atomic<bool> wasSaid{false};                                                       \
    return refuse(#name, wasSaid);                                                                 \
  }

TINY_UNIMPLEMENTED(hsa_amd_image_create)
TINY_UNIMPLEMENTED(hsa_amd_image_get_info_max_dim)
TINY_UNIMPLEMENTED(hsa_amd_interop_map_buffer)
TINY_UNIMPLEMENTED(hsa_amd_interop_unmap_buffer)
TINY_UNIMPLEMENTED(hsa_amd_ipc_memory_attach)
TINY_UNIMPLEMENTED(hsa_amd_ipc_memory_create)
TINY_UNIMPLEMENTED(hsa_amd_ipc_memory_detach)
TINY_UNIMPLEMENTED(hsa_amd_ipc_signal_attach)
TINY_UNIMPLEMENTED(hsa_amd_ipc_signal_create)
TINY_UNIMPLEMENTED(hsa_amd_memory_migrate)
TINY_UNIMPLEMENTED(hsa_amd_memory_pool_can_migrate)
TINY_UNIMPLEMENTED(hsa_amd_queue_cu_get_mask)
TINY_UNIMPLEMENTED(hsa_amd_queue_cu_set_mask)
TINY_UNIMPLEMENTED(hsa_amd_svm_attributes_get)
TINY_UNIMPLEMENTED(hsa_amd_svm_attributes_set)
TINY_UNIMPLEMENTED(hsa_amd_svm_prefetch_async)
TINY_UNIMPLEMENTED(hsa_code_object_deserialize)
TINY_UNIMPLEMENTED(hsa_code_object_destroy)
TINY_UNIMPLEMENTED(hsa_code_object_get_info)
TINY_UNIMPLEMENTED(hsa_code_object_get_symbol)
TINY_UNIMPLEMENTED(hsa_code_object_get_symbol_from_name)
TINY_UNIMPLEMENTED(hsa_code_object_iterate_symbols)
TINY_UNIMPLEMENTED(hsa_code_object_serialize)
TINY_UNIMPLEMENTED(hsa_code_symbol_get_info)
TINY_UNIMPLEMENTED(hsa_executable_load_code_object)
TINY_UNIMPLEMENTED(hsa_executable_load_program_code_object)
TINY_UNIMPLEMENTED(hsa_ext_image_clear)
TINY_UNIMPLEMENTED(hsa_ext_image_copy)
TINY_UNIMPLEMENTED(hsa_ext_image_create)
TINY_UNIMPLEMENTED(hsa_ext_image_create_with_layout)
TINY_UNIMPLEMENTED(hsa_ext_image_data_get_info)
TINY_UNIMPLEMENTED(hsa_ext_image_data_get_info_with_layout)
TINY_UNIMPLEMENTED(hsa_ext_image_destroy)
TINY_UNIMPLEMENTED(hsa_ext_image_export)
TINY_UNIMPLEMENTED(hsa_ext_image_get_capability)
TINY_UNIMPLEMENTED(hsa_ext_image_get_capability_with_layout)
TINY_UNIMPLEMENTED(hsa_ext_image_import)
TINY_UNIMPLEMENTED(hsa_ext_program_add_module)
TINY_UNIMPLEMENTED(hsa_ext_program_create)
TINY_UNIMPLEMENTED(hsa_ext_program_destroy)
TINY_UNIMPLEMENTED(hsa_ext_program_finalize)
TINY_UNIMPLEMENTED(hsa_ext_program_get_info)
TINY_UNIMPLEMENTED(hsa_ext_program_iterate_modules)
TINY_UNIMPLEMENTED(hsa_ext_sampler_create)
TINY_UNIMPLEMENTED(hsa_ext_sampler_destroy)

// Debuggers look for it in ROCm's library, and find here that nothing is loaded.
extern "C" __attribute__((visibility("default"))) r_debug _amdgpu_r_debug = {};
