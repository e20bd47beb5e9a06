/* An HSA library of a machine that cannot run our code: it starts (unless INIT is an error) and
 * lists a CPU and, if GPU is a name, that GPU. */
#include <hsa/hsa.h>
#include <string.h>

#ifndef INIT
#define INIT HSA_STATUS_SUCCESS
#endif

hsa_status_t hsa_init(void) { return INIT; }
hsa_status_t hsa_shut_down(void) { return HSA_STATUS_SUCCESS; }

hsa_status_t hsa_system_get_info(hsa_system_info_t attribute, void *value) {
  if (attribute == HSA_AMD_SYSTEM_INFO_BUILD_VERSION)
    *(const char **)value = "5.2.3";
  else
    *(uint16_t *)value = 1;
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_iterate_agents(hsa_status_t (*callback)(hsa_agent_t agent, void *data),
                                void *data) {
  hsa_agent_t cpu = {1}, gpu = {2};
  callback(cpu, data);
#ifdef GPU
  callback(gpu, data);
#endif
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_agent_get_info(hsa_agent_t agent, hsa_agent_info_t attribute, void *value) {
  if (attribute == HSA_AGENT_INFO_DEVICE)
    *(hsa_device_type_t *)value = agent.handle == 2 ? HSA_DEVICE_TYPE_GPU : HSA_DEVICE_TYPE_CPU;
#ifdef GPU
  else
    strcpy(value, GPU);
#endif
  return HSA_STATUS_SUCCESS;
}

/* Nobody gets as far as calling these. */
#define UNUSED(name)                                                                               \
  hsa_status_t unused_##name(void) __asm__("hsa_" #name);                                          \
  hsa_status_t unused_##name(void) { return HSA_STATUS_ERROR; }
UNUSED(status_string)
UNUSED(memory_copy)
UNUSED(queue_create)
UNUSED(queue_destroy)
UNUSED(queue_load_read_index_scacquire)
UNUSED(queue_load_write_index_relaxed)
UNUSED(queue_store_write_index_screlease)
UNUSED(signal_create)
UNUSED(signal_destroy)
UNUSED(signal_load_scacquire)
UNUSED(signal_add_relaxed)
UNUSED(signal_store_screlease)
UNUSED(signal_wait_scacquire)
UNUSED(code_object_reader_create_from_memory)
UNUSED(code_object_reader_destroy)
UNUSED(executable_create_alt)
UNUSED(executable_destroy)
UNUSED(executable_load_agent_code_object)
UNUSED(executable_freeze)
UNUSED(executable_get_symbol_by_name)
UNUSED(executable_symbol_get_info)
UNUSED(amd_agent_iterate_memory_pools)
UNUSED(amd_memory_pool_get_info)
UNUSED(amd_memory_pool_allocate)
UNUSED(amd_memory_pool_free)
UNUSED(amd_agents_allow_access)
UNUSED(amd_profiling_set_profiler_enabled)
UNUSED(amd_profiling_get_dispatch_time)
#ifndef OLD
UNUSED(amd_register_system_event_handler)
#endif
