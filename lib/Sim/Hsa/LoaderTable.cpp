//===- LoaderTable.cpp - the hsa_ven_amd_loader extension -----------------===//
//
// What debuggers and profilers ask: which loaded code object an address belongs to,
// and where its file is.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <unistd.h>

using namespace tinysim;
using namespace tinysim::hsa;

/// The loaded code object that `address` lies in, under the lock of executables.
static LoadedCodeObject *objectAt(Runtime &runtime, const void *address) {
  auto value = reinterpret_cast<uint64_t>(address);
  for (LoadedCodeObject *loaded : runtime.loadedObjects)
    if (value - loaded->object.base() < loaded->object.bytes())
      return loaded;
  return nullptr;
}

static hsa_status_t queryHostAddress(const void *device, const void **host) {
  TINY_HSA_RUNTIME(runtime);
  if (!device || !host)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  std::lock_guard<std::mutex> lock(runtime->executableMutex);
  if (!objectAt(*runtime, device))
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  *host = device; // one address space
  return HSA_STATUS_SUCCESS;
}

static hsa_status_t querySegmentDescriptors(hsa_ven_amd_loader_segment_descriptor_t *descriptors,
                                            size_t *count) {
  TINY_HSA_RUNTIME(runtime);
  if (!count || (*count == 0) != (descriptors == nullptr))
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  std::lock_guard<std::mutex> lock(runtime->executableMutex);
  size_t number = 0;
  for (LoadedCodeObject *loaded : runtime->loadedObjects)
    number += loaded->object.segments.size();
  if (!descriptors) {
    *count = number;
    return HSA_STATUS_SUCCESS;
  }
  if (*count != number)
    return HSA_STATUS_ERROR_INCOMPATIBLE_ARGUMENTS;
  for (LoadedCodeObject *loaded : runtime->loadedObjects)
    for (const LoadedSegment &segment : loaded->object.segments) {
      const Reader &source = *loaded->source;
      hsa_ven_amd_loader_segment_descriptor_t descriptor = {};
      descriptor.agent = loaded->agent->handle();
      descriptor.executable = loaded->executable->handle();
      descriptor.code_object_storage_type =
          source.isFile ? HSA_VEN_AMD_LOADER_CODE_OBJECT_STORAGE_TYPE_FILE
                        : HSA_VEN_AMD_LOADER_CODE_OBJECT_STORAGE_TYPE_MEMORY;
      descriptor.code_object_storage_base =
          source.isFile ? reinterpret_cast<const void *>(intptr_t(source.file)) : source.memory;
      descriptor.code_object_storage_size = source.bytes.size();
      descriptor.code_object_storage_offset = segment.fileOffset;
      descriptor.segment_base = reinterpret_cast<const void *>(segment.address);
      descriptor.segment_size = segment.bytes;
      *descriptors++ = descriptor;
    }
  return HSA_STATUS_SUCCESS;
}

static hsa_status_t queryExecutable(const void *device, hsa_executable_t *executable) {
  TINY_HSA_RUNTIME(runtime);
  if (!device || !executable)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  std::lock_guard<std::mutex> lock(runtime->executableMutex);
  LoadedCodeObject *loaded = objectAt(*runtime, device);
  if (!loaded)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  *executable = loaded->executable->handle();
  return HSA_STATUS_SUCCESS;
}

static hsa_status_t iterateLoaded(hsa_executable_t handle,
                                  hsa_status_t (*callback)(hsa_executable_t executable,
                                                           hsa_loaded_code_object_t object,
                                                           void *data),
                                  void *data) {
  TINY_HSA_RUNTIME(runtime);
  std::shared_ptr<Executable> executable = runtime->executables.find(handle.handle);
  if (!executable)
    return HSA_STATUS_ERROR_INVALID_EXECUTABLE;
  if (!callback)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  std::vector<hsa_loaded_code_object_t> objects;
  {
    std::lock_guard<std::mutex> lock(executable->mutex); // callbacks may call us
    for (const std::unique_ptr<LoadedCodeObject> &object : executable->objects)
      objects.push_back({reinterpret_cast<uint64_t>(object.get())});
  }
  for (hsa_loaded_code_object_t object : objects)
    if (hsa_status_t status = callback(handle, object, data))
      return status;
  return HSA_STATUS_SUCCESS;
}

/// Where the bytes of a code object are, as debuggers spell it.
static std::string uriOf(const Reader &source) {
  char text[96];
  if (!source.isFile) {
    std::snprintf(text, sizeof(text), "memory://%d#offset=0x%" PRIxPTR "&size=%zu", getpid(),
                  reinterpret_cast<uintptr_t>(source.memory), source.bytes.size());
    return text;
  }
  char path[4096];
  std::snprintf(text, sizeof(text), "/proc/self/fd/%d", source.file);
  ssize_t length = readlink(text, path, sizeof(path));
  return length > 0 ? "file://" + std::string(path, static_cast<size_t>(length)) : "file://";
}

static hsa_status_t loadedInfo(hsa_loaded_code_object_t handle,
                               hsa_ven_amd_loader_loaded_code_object_info_t attribute,
                               void *value) {
  TINY_HSA_RUNTIME(runtime);
  std::lock_guard<std::mutex> lock(runtime->executableMutex);
  auto *loaded = reinterpret_cast<LoadedCodeObject *>(handle.handle);
  if (!runtime->loadedObjects.count(loaded))
    return HSA_STATUS_ERROR_INVALID_CODE_OBJECT;
  if (!value)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  const Reader &source = *loaded->source;
  switch (bitsOf(attribute)) {
  case HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_INFO_EXECUTABLE:
    return give(value, loaded->executable->handle());
  case HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_INFO_KIND:
    return give<uint32_t>(value, HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_KIND_AGENT);
  case HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_INFO_AGENT:
    return give(value, loaded->agent->handle());
  case HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_INFO_CODE_OBJECT_STORAGE_TYPE:
    return give<uint32_t>(value, source.isFile
                                     ? HSA_VEN_AMD_LOADER_CODE_OBJECT_STORAGE_TYPE_FILE
                                     : HSA_VEN_AMD_LOADER_CODE_OBJECT_STORAGE_TYPE_MEMORY);
  case HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_INFO_CODE_OBJECT_STORAGE_MEMORY_BASE:
    return source.isFile ? HSA_STATUS_ERROR_INVALID_ARGUMENT
                         : give<uint64_t>(value, reinterpret_cast<uint64_t>(source.memory));
  case HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_INFO_CODE_OBJECT_STORAGE_MEMORY_SIZE:
    return source.isFile ? HSA_STATUS_ERROR_INVALID_ARGUMENT
                         : give<uint64_t>(value, source.bytes.size());
  case HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_INFO_CODE_OBJECT_STORAGE_FILE:
    return source.isFile ? give<int>(value, source.file) : HSA_STATUS_ERROR_INVALID_ARGUMENT;
  case HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_INFO_LOAD_DELTA:
    return give<int64_t>(value, loaded->object.delta());
  case HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_INFO_LOAD_BASE:
    return give<uint64_t>(value, loaded->object.base());
  case HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_INFO_LOAD_SIZE:
    return give<uint64_t>(value, loaded->object.bytes());
  case HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_INFO_URI_LENGTH:
    return give<uint32_t>(value, static_cast<uint32_t>(uriOf(source).size()));
  case HSA_VEN_AMD_LOADER_LOADED_CODE_OBJECT_INFO_URI: {
    std::string uri = uriOf(source);
    std::memcpy(value, uri.data(), uri.size());
    return HSA_STATUS_SUCCESS;
  }
  }
  return HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

static hsa_status_t createReader(hsa_file_t file, size_t offset, size_t size,
                                 hsa_code_object_reader_t *reader) {
  return createFileReader(file, offset, size, reader);
}

static hsa_status_t
iterateExecutables(hsa_status_t (*callback)(hsa_executable_t executable, void *data), void *data) {
  TINY_HSA_RUNTIME(runtime);
  if (!callback)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  for (const std::shared_ptr<Executable> &executable : runtime->executables.objects())
    if (hsa_status_t status = callback(executable->handle(), data))
      return status;
  return HSA_STATUS_SUCCESS;
}

hsa_status_t tinysim::hsa::giveLoaderTable(void *table, size_t bytes) {
  // Each version has the functions of the one before it first.
  const hsa_ven_amd_loader_1_03_pfn_t functions = {
      queryHostAddress, querySegmentDescriptors, queryExecutable, iterateLoaded, loadedInfo,
      createReader,     iterateExecutables};
  std::memcpy(table, &functions, std::min(bytes, sizeof(functions)));
  return HSA_STATUS_SUCCESS;
}
