//===- SystemApi.cpp - status codes, system information, extensions -------===//

#include "Internal.h"

#include <algorithm>

using namespace tinysim;
using namespace tinysim::hsa;

//===----------------------------------------------------------------------===//
// Status codes
//===----------------------------------------------------------------------===//

hsa_status_t hsa_status_string(hsa_status_t status, const char **text) {
  TINY_HSA_RUNTIME(runtime);
  if (!text)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  static const struct {
    uint32_t status;
    const char *text;
  } kTexts[] = {
#define TINY_STATUS(name, text) {name, #name ": " text}
      TINY_STATUS(HSA_STATUS_SUCCESS, "the function has done its work"),
      TINY_STATUS(HSA_STATUS_INFO_BREAK, "a callback has ended an iteration"),
      TINY_STATUS(HSA_STATUS_ERROR, "an error without a more precise status"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_ARGUMENT, "an argument is not one of those allowed"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_QUEUE_CREATION, "the agent has no such queue"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_ALLOCATION, "the allocation is not possible"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_AGENT, "this is no agent"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_REGION, "this is no memory region"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_SIGNAL, "this is no signal"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_QUEUE, "this is no queue"),
      TINY_STATUS(HSA_STATUS_ERROR_OUT_OF_RESOURCES, "there is not enough memory"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_PACKET_FORMAT, "a packet is malformed"),
      TINY_STATUS(HSA_STATUS_ERROR_RESOURCE_FREE, "a resource could not be freed"),
      TINY_STATUS(HSA_STATUS_ERROR_NOT_INITIALIZED, "hsa_init was not called"),
      TINY_STATUS(HSA_STATUS_ERROR_REFCOUNT_OVERFLOW, "there are too many references"),
      TINY_STATUS(HSA_STATUS_ERROR_INCOMPATIBLE_ARGUMENTS, "the arguments do not fit together"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_INDEX, "an index is out of range"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_ISA, "this is no instruction set architecture"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_ISA_NAME, "no architecture has this name"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_CODE_OBJECT, "this is no code object"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_EXECUTABLE, "this is no executable"),
      TINY_STATUS(HSA_STATUS_ERROR_FROZEN_EXECUTABLE, "the executable is frozen"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_SYMBOL_NAME, "there is no symbol of this name"),
      TINY_STATUS(HSA_STATUS_ERROR_VARIABLE_ALREADY_DEFINED, "the variable is defined"),
      TINY_STATUS(HSA_STATUS_ERROR_VARIABLE_UNDEFINED, "the variable is not defined"),
      TINY_STATUS(HSA_STATUS_ERROR_EXCEPTION, "a kernel has raised an exception"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_CODE_SYMBOL, "this is no symbol of a code object"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_EXECUTABLE_SYMBOL, "this is no symbol"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_FILE, "the file cannot be read"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_CODE_OBJECT_READER, "this is no code object reader"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_CACHE, "this is no cache"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_WAVEFRONT, "this is no wavefront"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_SIGNAL_GROUP, "this is no signal group"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_RUNTIME_STATE, "the runtime cannot do this now"),
      TINY_STATUS(HSA_STATUS_ERROR_FATAL, "nothing can go on after this"),
      TINY_STATUS(HSA_STATUS_ERROR_INVALID_MEMORY_POOL, "this is no memory pool"),
      TINY_STATUS(HSA_STATUS_ERROR_MEMORY_APERTURE_VIOLATION, "a misaligned or misplaced access"),
      TINY_STATUS(HSA_STATUS_ERROR_ILLEGAL_INSTRUCTION, "an instruction that does not exist"),
      TINY_STATUS(HSA_STATUS_ERROR_MEMORY_FAULT, "an access to memory that is not there"),
#undef TINY_STATUS
  };
  for (const auto &entry : kTexts)
    if (entry.status == bitsOf(status)) {
      *text = entry.text;
      return HSA_STATUS_SUCCESS;
    }
  return HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

//===----------------------------------------------------------------------===//
// The system
//===----------------------------------------------------------------------===//

hsa_status_t hsa_system_get_info(hsa_system_info_t attribute, void *value) {
  TINY_HSA_RUNTIME(runtime);
  if (!value)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  /// In the headers of later versions of ROCm.
  enum : uint32_t {
    mwaitxEnabled = 0x203,
    dmabufSupported = 0x204,
    virtualMemorySupported = 0x205,
    xnackEnabled = 0x206,
    extensionVersionMajor = 0x207,
    extensionVersionMinor = 0x208,
  };
  switch (bitsOf(attribute)) {
  case HSA_SYSTEM_INFO_VERSION_MAJOR:
  case HSA_SYSTEM_INFO_VERSION_MINOR:
  case extensionVersionMajor:
    return give<uint16_t>(value, 1);
  case extensionVersionMinor:
    return give<uint16_t>(value, 0);
  case HSA_SYSTEM_INFO_TIMESTAMP:
    return give<uint64_t>(value, now());
  case HSA_SYSTEM_INFO_TIMESTAMP_FREQUENCY:
    return give<uint64_t>(value, 1'000'000'000);
  case HSA_SYSTEM_INFO_SIGNAL_MAX_WAIT:
    return give<uint64_t>(value, kForever);
  case HSA_SYSTEM_INFO_ENDIANNESS:
    return give<uint32_t>(value, HSA_ENDIANNESS_LITTLE);
  case HSA_SYSTEM_INFO_MACHINE_MODEL:
    return give<uint32_t>(value, HSA_MACHINE_MODEL_LARGE);
  case HSA_SYSTEM_INFO_EXTENSIONS: {
    uint8_t extensions[128] = {};
    extensions[HSA_EXTENSION_AMD_LOADER / 8] |= 1 << HSA_EXTENSION_AMD_LOADER % 8;
    return give(value, extensions);
  }
  case HSA_AMD_SYSTEM_INFO_BUILD_VERSION:
    return give<const char *>(value, "tiny-hsa-sim " TINY_VERSION);
  case HSA_AMD_SYSTEM_INFO_SVM_SUPPORTED:
  case HSA_AMD_SYSTEM_INFO_SVM_ACCESSIBLE_BY_DEFAULT:
  case mwaitxEnabled:
  case dmabufSupported:
  case virtualMemorySupported:
  case xnackEnabled:
    return give<bool>(value, false);
  }
  return HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

//===----------------------------------------------------------------------===//
// Extensions
//===----------------------------------------------------------------------===//

// There is one, AMD's loader.
static constexpr uint16_t kLoaderMajor = 1, kLoaderMinor = 3;

hsa_status_t hsa_extension_get_name(uint16_t extension, const char **name) {
  TINY_HSA_RUNTIME(runtime);
  if (!name)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  switch (extension) {
  case HSA_EXTENSION_FINALIZER:
    *name = "HSA_EXTENSION_FINALIZER";
    return HSA_STATUS_SUCCESS;
  case HSA_EXTENSION_IMAGES:
    *name = "HSA_EXTENSION_IMAGES";
    return HSA_STATUS_SUCCESS;
  case HSA_EXTENSION_PERFORMANCE_COUNTERS:
    *name = "HSA_EXTENSION_PERFORMANCE_COUNTERS";
    return HSA_STATUS_SUCCESS;
  case HSA_EXTENSION_PROFILING_EVENTS:
    *name = "HSA_EXTENSION_PROFILING_EVENTS";
    return HSA_STATUS_SUCCESS;
  case HSA_EXTENSION_AMD_PROFILER:
    *name = "HSA_EXTENSION_AMD_PROFILER";
    return HSA_STATUS_SUCCESS;
  case HSA_EXTENSION_AMD_LOADER:
    *name = "HSA_EXTENSION_AMD_LOADER";
    return HSA_STATUS_SUCCESS;
  case HSA_EXTENSION_AMD_AQLPROFILE:
    *name = "HSA_EXTENSION_AMD_AQLPROFILE";
    return HSA_STATUS_SUCCESS;
  }
  return HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

static bool isKnown(uint16_t extension) {
  return extension <= HSA_EXTENSION_STD_LAST ||
         (extension >= HSA_AMD_FIRST_EXTENSION && extension <= HSA_AMD_LAST_EXTENSION);
}

hsa_status_t hsa_system_major_extension_supported(uint16_t extension, uint16_t major,
                                                  uint16_t *minor, bool *result) {
  TINY_HSA_RUNTIME(runtime);
  if (!isKnown(extension) || !minor || !result)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  *result = extension == HSA_EXTENSION_AMD_LOADER && major == kLoaderMajor;
  if (*result)
    *minor = kLoaderMinor;
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_system_extension_supported(uint16_t extension, uint16_t major, uint16_t minor,
                                            bool *result) {
  uint16_t has = 0;
  hsa_status_t status = hsa_system_major_extension_supported(extension, major, &has, result);
  if (status == HSA_STATUS_SUCCESS)
    *result = *result && minor <= has;
  return status;
}

hsa_status_t hsa_agent_major_extension_supported(uint16_t extension, hsa_agent_t handle,
                                                 uint16_t major, uint16_t *minor, bool *result) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, handle);
  return hsa_system_major_extension_supported(extension, major, minor, result);
}

hsa_status_t hsa_agent_extension_supported(uint16_t extension, hsa_agent_t handle, uint16_t major,
                                           uint16_t minor, bool *result) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, handle);
  return hsa_system_extension_supported(extension, major, minor, result);
}

hsa_status_t hsa_system_get_major_extension_table(uint16_t extension, uint16_t major, size_t bytes,
                                                  void *table) {
  TINY_HSA_RUNTIME(runtime);
  if (!isKnown(extension) || !table)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  if (extension != HSA_EXTENSION_AMD_LOADER || major != kLoaderMajor)
    return HSA_STATUS_ERROR;
  return giveLoaderTable(table, bytes);
}

hsa_status_t hsa_system_get_extension_table(uint16_t extension, uint16_t major, uint16_t minor,
                                            void *table) {
  // The size of the table follows from its version.
  static const size_t kBytes[] = {
      sizeof(hsa_ven_amd_loader_1_00_pfn_t), sizeof(hsa_ven_amd_loader_1_01_pfn_t),
      sizeof(hsa_ven_amd_loader_1_02_pfn_t), sizeof(hsa_ven_amd_loader_1_03_pfn_t)};
  if (Runtime::get() && minor > kLoaderMinor)
    return HSA_STATUS_ERROR;
  return hsa_system_get_major_extension_table(extension, major,
                                              kBytes[std::min(minor, kLoaderMinor)], table);
}
