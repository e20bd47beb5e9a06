//===- AgentApi.cpp - agents, ISAs, caches --------------------------------===//
//
// The facts of a Radeon RX 7900 XTX, as ROCm reports them on such a card.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

#include <cstdio>
#include <thread>

using namespace tinysim;
using namespace tinysim::hsa;

namespace {
/// Every GPU has this one; objects whose address is a handle.
struct Isa {
  const char *name = "amdgcn-amd-amdhsa--gfx1100";
};
struct Wavefront {
  uint32_t size;
};
struct Cache {
  const char *name;
  uint8_t level;
  uint32_t bytes;
};
} // namespace

static const Isa kIsa;
static const Wavefront kWavefronts[] = {{32}, {64}};
static const Cache kCaches[] = {
    {"gfx1100 L1", 1, 32 << 10}, {"gfx1100 L2", 2, 6144 << 10}, {"gfx1100 L3", 3, 98304 << 10}};

template <typename T> static uint64_t address(const T &object) {
  return reinterpret_cast<uint64_t>(&object);
}

static constexpr hsa_dim3_t kGridMax = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
static constexpr uint16_t kWorkgroupMax[3] = {1024, 1024, 1024};

//===----------------------------------------------------------------------===//
// Agents
//===----------------------------------------------------------------------===//

/// In the headers of later versions of ROCm, whose programs ask for them.
enum LaterAgentInfo : uint32_t {
  kMemoryAvailable = 0xA015,
  kTimestampFrequency = 0xA016,
  kAsicFamilyId = 0xA107,
  kUcodeVersion = 0xA108,
  kSdmaUcodeVersion = 0xA109,
  kNumSdmaEngines = 0xA10A,
  kNumSdmaXgmiEngines = 0xA10B,
  kIommuSupport = 0xA110,
  kNumXcc = 0xA111,
  kDriverUid = 0xA112,
  kNearestCpu = 0xA113,
  kMemoryProperties = 0xA114,
};

static hsa_status_t amdInfo(Runtime &runtime, Agent &agent, uint32_t attribute, void *value) {
  bool isGpu = agent.isGpu;
  uint32_t cores = std::max(1u, std::thread::hardware_concurrency());
  switch (attribute) {
  case HSA_AMD_AGENT_INFO_CHIP_ID:
    return give<uint32_t>(value, isGpu ? 0x744c : 0);
  case HSA_AMD_AGENT_INFO_CACHELINE_SIZE:
    return give<uint32_t>(value, 64);
  case HSA_AMD_AGENT_INFO_COMPUTE_UNIT_COUNT:
  case HSA_AMD_AGENT_INFO_COOPERATIVE_COMPUTE_UNIT_COUNT:
    return give<uint32_t>(value, isGpu ? 96 : cores);
  case HSA_AMD_AGENT_INFO_MAX_CLOCK_FREQUENCY:
    return give<uint32_t>(value, isGpu ? 2482 : 0); // MHz
  case HSA_AMD_AGENT_INFO_DRIVER_NODE_ID:
    return give<uint32_t>(value, agent.node);
  case HSA_AMD_AGENT_INFO_MAX_ADDRESS_WATCH_POINTS:
    return give<uint32_t>(value, isGpu ? 4 : 1);
  case HSA_AMD_AGENT_INFO_BDFID:
    return give<uint32_t>(value, isGpu ? (agent.node + 2) << 8 : 0);
  case HSA_AMD_AGENT_INFO_DOMAIN:
    return give<uint32_t>(value, 0);
  case HSA_AMD_AGENT_INFO_MEMORY_WIDTH:
    return give<uint32_t>(value, isGpu ? 384 : 0);
  case HSA_AMD_AGENT_INFO_MEMORY_MAX_FREQUENCY:
    return give<uint32_t>(value, isGpu ? 1249 : 0); // MHz
  case HSA_AMD_AGENT_INFO_PRODUCT_NAME:
    return giveText(value, agent.product, 64);
  case HSA_AMD_AGENT_INFO_MAX_WAVES_PER_CU:
    return give<uint32_t>(value, isGpu ? 32 : 0);
  case HSA_AMD_AGENT_INFO_NUM_SIMDS_PER_CU:
    return give<uint32_t>(value, isGpu ? 2 : 0);
  case HSA_AMD_AGENT_INFO_NUM_SHADER_ENGINES:
    return give<uint32_t>(value, isGpu ? 6 : 0);
  case HSA_AMD_AGENT_INFO_NUM_SHADER_ARRAYS_PER_SE:
    return give<uint32_t>(value, isGpu ? 2 : 0);
  case HSA_AMD_AGENT_INFO_HDP_FLUSH:
    return give(value, hsa_amd_hdp_flush_t{});
  case HSA_AMD_AGENT_INFO_COOPERATIVE_QUEUES:
    return give<bool>(value, false);
  case HSA_AMD_AGENT_INFO_UUID: {
    char text[24];
    std::snprintf(text, sizeof(text), "GPU-711700000000110%u", agent.node % 10);
    return giveText(value, isGpu ? text : "CPU-XX", 21);
  }
  case HSA_AMD_AGENT_INFO_ASIC_REVISION:
    return give<uint32_t>(value, 0);
  case HSA_AMD_AGENT_INFO_SVM_DIRECT_HOST_ACCESS:
    return give<bool>(value, !isGpu);
  case kMemoryAvailable: {
    uint64_t bytes = 0;
    if (isGpu)
      bytes = agent.pools.front()->bytes - agent.pools.front()->used;
    return give(value, bytes);
  }
  case kTimestampFrequency:
    return give<uint64_t>(value, 1'000'000'000);
  case kAsicFamilyId:
    return give<uint32_t>(value, isGpu ? 145 : 0);
  case kUcodeVersion:
  case kSdmaUcodeVersion:
  case kNumSdmaXgmiEngines:
  case kIommuSupport:
    return give<uint32_t>(value, 0);
  case kNumSdmaEngines:
    return give<uint32_t>(value, isGpu ? 2 : 0);
  case kNumXcc:
    return give<uint32_t>(value, isGpu ? 1 : 0);
  case kDriverUid:
    return give<uint32_t>(value, agent.node);
  case kNearestCpu:
    return give(value, runtime.cpu().handle());
  case kMemoryProperties:
    return give<uint64_t>(value, 0); // a set of flags
  }
  return HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

hsa_status_t hsa_agent_get_info(hsa_agent_t handle, hsa_agent_info_t attribute, void *value) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, handle);
  if (!value)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  bool isGpu = agent->isGpu;
  switch (bitsOf(attribute)) {
  case HSA_AGENT_INFO_NAME:
    return giveText(value, agent->name, 64);
  case HSA_AGENT_INFO_VENDOR_NAME:
    return giveText(value, agent->vendor, 64);
  case HSA_AGENT_INFO_FEATURE:
    return give<uint32_t>(value, isGpu ? HSA_AGENT_FEATURE_KERNEL_DISPATCH : 0);
  case HSA_AGENT_INFO_MACHINE_MODEL:
    return give<uint32_t>(value, HSA_MACHINE_MODEL_LARGE);
  case HSA_AGENT_INFO_PROFILE:
    return give<uint32_t>(value, isGpu ? HSA_PROFILE_BASE : HSA_PROFILE_FULL);
  case HSA_AGENT_INFO_DEFAULT_FLOAT_ROUNDING_MODE:
  case HSA_AGENT_INFO_BASE_PROFILE_DEFAULT_FLOAT_ROUNDING_MODES:
    return give<uint32_t>(value, HSA_DEFAULT_FLOAT_ROUNDING_MODE_NEAR);
  case HSA_AGENT_INFO_FAST_F16_OPERATION:
    return give<bool>(value, isGpu);
  case HSA_AGENT_INFO_WAVEFRONT_SIZE:
    return give<uint32_t>(value, isGpu ? 32 : 0);
  case HSA_AGENT_INFO_WORKGROUP_MAX_DIM: {
    uint16_t none[3] = {};
    return give(value, isGpu ? kWorkgroupMax : none);
  }
  case HSA_AGENT_INFO_WORKGROUP_MAX_SIZE:
    return give<uint32_t>(value, isGpu ? 1024 : 0);
  case HSA_AGENT_INFO_GRID_MAX_DIM:
    return give(value, isGpu ? kGridMax : hsa_dim3_t{});
  case HSA_AGENT_INFO_GRID_MAX_SIZE:
    return give<uint32_t>(value, isGpu ? UINT32_MAX : 0);
  case HSA_AGENT_INFO_FBARRIER_MAX_SIZE:
    return give<uint32_t>(value, isGpu ? 32 : 0);
  case HSA_AGENT_INFO_QUEUES_MAX:
    return give<uint32_t>(value, isGpu ? 128 : 0);
  case HSA_AGENT_INFO_QUEUE_MIN_SIZE:
    return give<uint32_t>(value, isGpu ? 64 : 0);
  case HSA_AGENT_INFO_QUEUE_MAX_SIZE:
    return give<uint32_t>(value, isGpu ? 128 << 10 : 0);
  case HSA_AGENT_INFO_QUEUE_TYPE:
    return give<uint32_t>(value, HSA_QUEUE_TYPE_MULTI);
  case HSA_AGENT_INFO_NODE:
    return give<uint32_t>(value, agent->node);
  case HSA_AGENT_INFO_DEVICE:
    return give<uint32_t>(value, isGpu ? HSA_DEVICE_TYPE_GPU : HSA_DEVICE_TYPE_CPU);
  case HSA_AGENT_INFO_CACHE_SIZE: {
    uint32_t sizes[4] = {};
    for (const Cache &cache : kCaches)
      sizes[cache.level - 1] = isGpu ? cache.bytes : 0;
    return give(value, sizes);
  }
  case HSA_AGENT_INFO_ISA:
    return give(value, hsa_isa_t{isGpu ? address(kIsa) : 0});
  case HSA_AGENT_INFO_EXTENSIONS: {
    uint8_t extensions[128] = {};
    extensions[HSA_EXTENSION_AMD_LOADER / 8] |= 1 << HSA_EXTENSION_AMD_LOADER % 8;
    return give(value, extensions);
  }
  case HSA_AGENT_INFO_VERSION_MAJOR:
    return give<uint16_t>(value, 1);
  case HSA_AGENT_INFO_VERSION_MINOR:
    return give<uint16_t>(value, 1);
  }
  return amdInfo(*runtime, *agent, bitsOf(attribute), value);
}

hsa_status_t hsa_agent_get_exception_policies(hsa_agent_t handle, hsa_profile_t, uint16_t *mask) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, handle);
  if (!mask)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  *mask = 0;
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_coherency_get_type(hsa_agent_t handle, hsa_amd_coherency_type_t *type) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, handle);
  if (!type || !agent->isGpu)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  *type = HSA_AMD_COHERENCY_TYPE_COHERENT;
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_amd_coherency_set_type(hsa_agent_t handle, hsa_amd_coherency_type_t type) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, handle);
  // All memory is coherent here, which is right for a program that asks for less, too.
  return agent->isGpu && bitsOf(type) <= HSA_AMD_COHERENCY_TYPE_NONCOHERENT
             ? HSA_STATUS_SUCCESS
             : HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

//===----------------------------------------------------------------------===//
// Caches
//===----------------------------------------------------------------------===//

hsa_status_t hsa_agent_iterate_caches(hsa_agent_t handle,
                                      hsa_status_t (*callback)(hsa_cache_t cache, void *data),
                                      void *data) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, handle);
  if (!callback)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  for (const Cache &cache : kCaches)
    if (agent->isGpu)
      if (hsa_status_t status = callback({address(cache)}, data))
        return status;
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_cache_get_info(hsa_cache_t handle, hsa_cache_info_t attribute, void *value) {
  TINY_HSA_RUNTIME(runtime);
  const Cache *cache = nullptr;
  for (const Cache &candidate : kCaches)
    if (address(candidate) == handle.handle)
      cache = &candidate;
  if (!cache)
    return HSA_STATUS_ERROR_INVALID_CACHE;
  if (!value)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  uint32_t length = static_cast<uint32_t>(std::strlen(cache->name));
  switch (bitsOf(attribute)) {
  case HSA_CACHE_INFO_NAME_LENGTH:
    return give<uint32_t>(value, length);
  case HSA_CACHE_INFO_NAME:
    return giveText(value, cache->name, length + 1);
  case HSA_CACHE_INFO_LEVEL:
    return give<uint8_t>(value, cache->level);
  case HSA_CACHE_INFO_SIZE:
    return give<uint32_t>(value, cache->bytes);
  }
  return HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

//===----------------------------------------------------------------------===//
// ISAs
//===----------------------------------------------------------------------===//

hsa_status_t hsa_agent_iterate_isas(hsa_agent_t handle,
                                    hsa_status_t (*callback)(hsa_isa_t isa, void *data),
                                    void *data) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, handle);
  if (!callback)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  if (!agent->isGpu) // a CPU runs no kernels
    return HSA_STATUS_ERROR_INVALID_AGENT;
  return callback({address(kIsa)}, data);
}

hsa_status_t hsa_isa_from_name(const char *name, hsa_isa_t *isa) {
  TINY_HSA_RUNTIME(runtime);
  if (!name || !isa)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  if (std::strcmp(name, kIsa.name) != 0)
    return HSA_STATUS_ERROR_INVALID_ISA_NAME;
  isa->handle = address(kIsa);
  return HSA_STATUS_SUCCESS;
}

#define TINY_HSA_ISA(object)                                                                       \
  if (object.handle != address(kIsa))                                                              \
  return HSA_STATUS_ERROR_INVALID_ISA

hsa_status_t hsa_isa_get_info_alt(hsa_isa_t isa, hsa_isa_info_t attribute, void *value) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_ISA(isa);
  if (!value)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  uint32_t length = static_cast<uint32_t>(std::strlen(kIsa.name)) + 1;
  switch (bitsOf(attribute)) {
  case HSA_ISA_INFO_NAME_LENGTH: // with the zero byte, as ROCm counts
    return give<uint32_t>(value, length);
  case HSA_ISA_INFO_NAME:
    return giveText(value, kIsa.name, length);
  case HSA_ISA_INFO_CALL_CONVENTION_COUNT:
    return give<uint32_t>(value, 1);
  case HSA_ISA_INFO_CALL_CONVENTION_INFO_WAVEFRONT_SIZE:
    return give<uint32_t>(value, 32);
  case HSA_ISA_INFO_CALL_CONVENTION_INFO_WAVEFRONTS_PER_COMPUTE_UNIT:
    return give<uint32_t>(value, 32);
  case HSA_ISA_INFO_MACHINE_MODELS: {
    const bool models[2] = {false, true};
    return give(value, models);
  }
  case HSA_ISA_INFO_PROFILES: {
    const bool profiles[2] = {true, false};
    return give(value, profiles);
  }
  case HSA_ISA_INFO_DEFAULT_FLOAT_ROUNDING_MODES:
  case HSA_ISA_INFO_BASE_PROFILE_DEFAULT_FLOAT_ROUNDING_MODES: {
    const bool modes[3] = {false, false, true};
    return give(value, modes);
  }
  case HSA_ISA_INFO_FAST_F16_OPERATION:
    return give<bool>(value, true);
  case HSA_ISA_INFO_WORKGROUP_MAX_DIM:
    return give(value, kWorkgroupMax);
  case HSA_ISA_INFO_WORKGROUP_MAX_SIZE:
    return give<uint32_t>(value, 1024);
  case HSA_ISA_INFO_GRID_MAX_DIM:
    return give(value, kGridMax);
  case HSA_ISA_INFO_GRID_MAX_SIZE:
    return give<uint64_t>(value, UINT64_MAX);
  case HSA_ISA_INFO_FBARRIER_MAX_SIZE:
    return give<uint32_t>(value, 32);
  }
  return HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

hsa_status_t hsa_isa_get_info(hsa_isa_t isa, hsa_isa_info_t attribute, uint32_t index,
                              void *value) {
  return index == 0 ? hsa_isa_get_info_alt(isa, attribute, value) : HSA_STATUS_ERROR_INVALID_INDEX;
}

hsa_status_t hsa_isa_get_exception_policies(hsa_isa_t isa, hsa_profile_t, uint16_t *mask) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_ISA(isa);
  if (!mask)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  *mask = 0;
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_isa_get_round_method(hsa_isa_t isa, hsa_fp_type_t, hsa_flush_mode_t,
                                      hsa_round_method_t *method) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_ISA(isa);
  if (!method)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  *method = HSA_ROUND_METHOD_SINGLE; // fused multiply-add rounds once
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_isa_compatible(hsa_isa_t code, hsa_isa_t agent, bool *result) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_ISA(code);
  TINY_HSA_ISA(agent);
  if (!result)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  *result = true; // there is one
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_isa_iterate_wavefronts(
    hsa_isa_t isa, hsa_status_t (*callback)(hsa_wavefront_t wavefront, void *data), void *data) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_ISA(isa);
  if (!callback)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  for (const Wavefront &wavefront : kWavefronts)
    if (hsa_status_t status = callback({address(wavefront)}, data))
      return status;
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_wavefront_get_info(hsa_wavefront_t handle, hsa_wavefront_info_t attribute,
                                    void *value) {
  TINY_HSA_RUNTIME(runtime);
  for (const Wavefront &wavefront : kWavefronts)
    if (address(wavefront) == handle.handle)
      return value && bitsOf(attribute) == HSA_WAVEFRONT_INFO_SIZE
                 ? give<uint32_t>(value, wavefront.size)
                 : HSA_STATUS_ERROR_INVALID_ARGUMENT;
  return HSA_STATUS_ERROR_INVALID_WAVEFRONT;
}
