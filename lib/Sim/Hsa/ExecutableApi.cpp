//===- ExecutableApi.cpp - code object readers, executables, symbols ------===//

#include "Internal.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace tinysim;
using namespace tinysim::hsa;

//===----------------------------------------------------------------------===//
// Readers
//===----------------------------------------------------------------------===//

/// `bytes` of a file from `offset` on, all of it if there is no end.
hsa_status_t tinysim::hsa::createFileReader(hsa_file_t file, uint64_t offset,
                                            std::optional<uint64_t> bytes,
                                            hsa_code_object_reader_t *handle) {
  TINY_HSA_RUNTIME(runtime);
  if (!handle)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  struct stat status;
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
    return HSA_STATUS_ERROR_INVALID_FILE;
  uint64_t size = static_cast<uint64_t>(status.st_size);
  if (offset > size || (bytes && (*bytes == 0 || *bytes > size - offset)))
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  auto reader = std::make_shared<Reader>();
  reader->isFile = true;
  reader->file = file;
  reader->bytes.resize(bytes.value_or(size - offset));
  for (size_t done = 0; done < reader->bytes.size();) {
    ssize_t got = pread(file, reader->bytes.data() + done, reader->bytes.size() - done,
                        static_cast<off_t>(offset + done));
    if (got <= 0)
      return HSA_STATUS_ERROR_INVALID_FILE;
    done += static_cast<size_t>(got);
  }
  handle->handle = reinterpret_cast<uint64_t>(runtime->readers.add(std::move(reader)));
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_code_object_reader_create_from_file(hsa_file_t file,
                                                     hsa_code_object_reader_t *handle) {
  return createFileReader(file, 0, std::nullopt, handle);
}

hsa_status_t hsa_code_object_reader_create_from_memory(const void *memory, size_t bytes,
                                                       hsa_code_object_reader_t *handle) {
  TINY_HSA_RUNTIME(runtime);
  if (!memory || bytes == 0 || !handle)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  auto reader = std::make_shared<Reader>();
  reader->bytes.assign(static_cast<const char *>(memory), bytes);
  reader->memory = memory;
  handle->handle = reinterpret_cast<uint64_t>(runtime->readers.add(std::move(reader)));
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_code_object_reader_destroy(hsa_code_object_reader_t handle) {
  TINY_HSA_RUNTIME(runtime);
  return runtime->readers.remove(handle.handle) ? HSA_STATUS_SUCCESS
                                                : HSA_STATUS_ERROR_INVALID_CODE_OBJECT_READER;
}

//===----------------------------------------------------------------------===//
// Executables
//===----------------------------------------------------------------------===//

Executable::~Executable() {
  std::lock_guard<std::mutex> lock(runtime.executableMutex);
  for (const std::unique_ptr<ExecutableSymbol> &symbol : symbols)
    runtime.symbols.erase(symbol.get());
  for (const std::unique_ptr<LoadedCodeObject> &object : objects) {
    runtime.loadedObjects.erase(object.get());
    for (const std::shared_ptr<const KernelInfo> &kernel : object->kernels)
      runtime.kernels.erase({object->agent, kernel->descriptor});
    if (object->object.code.bytes)
      object->agent->simulator->removeCode(object->object.code.base);
    for (const LoadedSegment &segment : object->object.segments)
      object->agent->memory->remove(segment.address);
  }
}

std::shared_ptr<const KernelInfo> Runtime::kernel(const Agent &agent, uint64_t descriptor) {
  std::lock_guard<std::mutex> lock(executableMutex);
  auto found = kernels.find({&agent, descriptor});
  return found == kernels.end() ? nullptr : found->second;
}

#define TINY_HSA_EXECUTABLE(name, handle)                                                          \
  std::shared_ptr<Executable> name = runtime->executables.find(handle.handle);                     \
  if (!name)                                                                                       \
  return HSA_STATUS_ERROR_INVALID_EXECUTABLE

hsa_status_t hsa_executable_create_alt(hsa_profile_t profile,
                                       hsa_default_float_rounding_mode_t rounding, const char *,
                                       hsa_executable_t *handle) {
  TINY_HSA_RUNTIME(runtime);
  if (!handle || bitsOf(profile) > HSA_PROFILE_FULL ||
      bitsOf(rounding) > HSA_DEFAULT_FLOAT_ROUNDING_MODE_NEAR)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  auto executable = std::make_shared<Executable>(*runtime);
  executable->profile = profile;
  executable->rounding = rounding;
  *handle = runtime->executables.add(std::move(executable))->handle();
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_executable_create(hsa_profile_t profile, hsa_executable_state_t state,
                                   const char *options, hsa_executable_t *handle) {
  if (bitsOf(state) > HSA_EXECUTABLE_STATE_FROZEN)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  hsa_status_t status =
      hsa_executable_create_alt(profile, HSA_DEFAULT_FLOAT_ROUNDING_MODE_DEFAULT, options, handle);
  if (status == HSA_STATUS_SUCCESS && bitsOf(state) == HSA_EXECUTABLE_STATE_FROZEN)
    return hsa_executable_freeze(*handle, options);
  return status;
}

hsa_status_t hsa_executable_destroy(hsa_executable_t handle) {
  TINY_HSA_RUNTIME(runtime);
  return runtime->executables.remove(handle.handle) ? HSA_STATUS_SUCCESS
                                                    : HSA_STATUS_ERROR_INVALID_EXECUTABLE;
}

static hsa_status_t statusOf(LoadError error) {
  switch (error) {
  case LoadError::invalid:
    return HSA_STATUS_ERROR_INVALID_CODE_OBJECT;
  case LoadError::incompatible:
    return HSA_STATUS_ERROR_INCOMPATIBLE_ARGUMENTS;
  case LoadError::undefined:
    return HSA_STATUS_ERROR_VARIABLE_UNDEFINED;
  case LoadError::memory:
    return HSA_STATUS_ERROR_OUT_OF_RESOURCES;
  }
  return HSA_STATUS_ERROR;
}

/// Lets kernels of the agent use what was loaded.
static void publish(Runtime &runtime, Executable &executable, LoadedCodeObject &loaded,
                    uint64_t number) {
  const LoadedObject &object = loaded.object;
  for (const LoadedSegment &segment : object.segments) {
    const char *what = allows(segment.access, Access::execute) ? "the code"
                       : allows(segment.access, Access::write) ? "the variables"
                                                               : "the constants";
    loaded.agent->memory->add(segment.address, segment.bytes,
                              what + (" of code object " + std::to_string(number)), segment.access);
  }
  if (object.code.bytes)
    loaded.agent->simulator->addCode(object.code);
  for (const KernelInfo &kernel : object.code.kernels)
    loaded.kernels.push_back(std::make_shared<KernelInfo>(kernel));
  std::lock_guard<std::mutex> lock(runtime.executableMutex);
  runtime.loadedObjects.insert(&loaded);
  int kernel = 0;
  for (const LoadedSymbol &symbol : object.symbols) {
    executable.symbols.push_back(std::make_unique<ExecutableSymbol>(ExecutableSymbol{
        &executable, loaded.agent, symbol, symbol.isKernel ? kernel : -1, &object}));
    kernel += symbol.isKernel; // both lists are in the order of the file
    runtime.symbols.insert(executable.symbols.back().get());
  }
}

hsa_status_t hsa_executable_load_agent_code_object(hsa_executable_t handle, hsa_agent_t agentHandle,
                                                   hsa_code_object_reader_t readerHandle,
                                                   const char *, hsa_loaded_code_object_t *result) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_EXECUTABLE(executable, handle);
  TINY_HSA_AGENT(agent, agentHandle);
  std::shared_ptr<Reader> reader = runtime->readers.find(readerHandle.handle);
  if (!reader)
    return HSA_STATUS_ERROR_INVALID_CODE_OBJECT_READER;
  std::lock_guard<std::mutex> lock(executable->mutex);
  if (executable->frozen)
    return HSA_STATUS_ERROR_FROZEN_EXECUTABLE;
  if (!agent->isGpu)
    return HSA_STATUS_ERROR_INCOMPATIBLE_ARGUMENTS;

  auto resolve = [&](const std::string &name) -> std::optional<uint64_t> {
    for (Agent *definedFor : {agent, static_cast<Agent *>(nullptr)}) {
      auto found = executable->definitions.find({definedFor, name});
      if (found != executable->definitions.end())
        return found->second;
    }
    return std::nullopt;
  };
  auto loaded = std::make_unique<LoadedCodeObject>();
  loaded->executable = executable.get();
  loaded->agent = agent;
  loaded->source = reader;
  std::string message;
  if (std::optional<LoadError> error = loaded->object.load(reader->bytes, resolve, message)) {
    log("hsa_executable_load_agent_code_object: " + message);
    return statusOf(*error);
  }
  for (const LoadedSymbol &symbol : loaded->object.symbols)
    for (const std::unique_ptr<ExecutableSymbol> &other : executable->symbols)
      if (other->agent == agent && other->symbol.name == symbol.name) {
        log("hsa_executable_load_agent_code_object: '" + symbol.name +
            "' is already defined in the executable");
        return HSA_STATUS_ERROR_VARIABLE_ALREADY_DEFINED;
      }
  static std::atomic<uint64_t> number{0};
  publish(*runtime, *executable, *loaded, ++number);
  if (result)
    result->handle = reinterpret_cast<uint64_t>(loaded.get());
  executable->objects.push_back(std::move(loaded));
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_executable_freeze(hsa_executable_t handle, const char *) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_EXECUTABLE(executable, handle);
  std::lock_guard<std::mutex> lock(executable->mutex);
  if (executable->frozen)
    return HSA_STATUS_ERROR_FROZEN_EXECUTABLE;
  executable->frozen = true;
  std::lock_guard<std::mutex> kernelLock(runtime->executableMutex);
  for (const std::unique_ptr<LoadedCodeObject> &object : executable->objects)
    for (const std::shared_ptr<const KernelInfo> &kernel : object->kernels)
      runtime->kernels[{object->agent, kernel->descriptor}] = kernel;
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_executable_get_info(hsa_executable_t handle, hsa_executable_info_t attribute,
                                     void *value) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_EXECUTABLE(executable, handle);
  if (!value)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  switch (bitsOf(attribute)) {
  case HSA_EXECUTABLE_INFO_PROFILE:
    return give<uint32_t>(value, executable->profile);
  case HSA_EXECUTABLE_INFO_STATE:
    return give<uint32_t>(value, executable->frozen ? HSA_EXECUTABLE_STATE_FROZEN
                                                    : HSA_EXECUTABLE_STATE_UNFROZEN);
  case HSA_EXECUTABLE_INFO_DEFAULT_FLOAT_ROUNDING_MODE:
    return give<uint32_t>(value, executable->rounding);
  }
  return HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

hsa_status_t hsa_executable_validate_alt(hsa_executable_t handle, const char *, uint32_t *result) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_EXECUTABLE(executable, handle);
  if (!result)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  *result = 0; // what does not hold together is not loaded
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_executable_validate(hsa_executable_t handle, uint32_t *result) {
  return hsa_executable_validate_alt(handle, nullptr, result);
}

/// Says where a variable is that code objects use and do not define. `agent` is null for all.
static hsa_status_t define(Runtime &runtime, hsa_executable_t handle, Agent *agent,
                           const char *name, void *address) {
  std::shared_ptr<Executable> executable = runtime.executables.find(handle.handle);
  if (!executable)
    return HSA_STATUS_ERROR_INVALID_EXECUTABLE;
  if (!name)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  std::lock_guard<std::mutex> lock(executable->mutex);
  if (executable->frozen)
    return HSA_STATUS_ERROR_FROZEN_EXECUTABLE;
  bool isNew =
      executable->definitions.insert({{agent, name}, reinterpret_cast<uint64_t>(address)}).second;
  return isNew ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_VARIABLE_ALREADY_DEFINED;
}

hsa_status_t hsa_executable_global_variable_define(hsa_executable_t handle, const char *name,
                                                   void *address) {
  TINY_HSA_RUNTIME(runtime);
  return define(*runtime, handle, nullptr, name, address);
}

hsa_status_t hsa_executable_agent_global_variable_define(hsa_executable_t handle,
                                                         hsa_agent_t agentHandle, const char *name,
                                                         void *address) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_AGENT(agent, agentHandle);
  return define(*runtime, handle, agent, name, address);
}

hsa_status_t hsa_executable_readonly_variable_define(hsa_executable_t handle,
                                                     hsa_agent_t agentHandle, const char *name,
                                                     void *address) {
  return hsa_executable_agent_global_variable_define(handle, agentHandle, name, address);
}

//===----------------------------------------------------------------------===//
// Symbols
//===----------------------------------------------------------------------===//

hsa_status_t hsa_executable_get_symbol_by_name(hsa_executable_t handle, const char *name,
                                               const hsa_agent_t *agentHandle,
                                               hsa_executable_symbol_t *result) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_EXECUTABLE(executable, handle);
  if (!name || !result)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  Agent *agent = agentHandle ? runtime->agent(*agentHandle) : nullptr;
  if (agentHandle && !agent)
    return HSA_STATUS_ERROR_INVALID_AGENT;
  std::lock_guard<std::mutex> lock(executable->mutex);
  for (const std::unique_ptr<ExecutableSymbol> &symbol : executable->symbols)
    if (symbol->symbol.name == name && (!agent || symbol->agent == agent)) {
      result->handle = reinterpret_cast<uint64_t>(symbol.get());
      return HSA_STATUS_SUCCESS;
    }
  return HSA_STATUS_ERROR_INVALID_SYMBOL_NAME;
}

hsa_status_t hsa_executable_get_symbol(hsa_executable_t handle, const char *module,
                                       const char *name, hsa_agent_t agent, int32_t,
                                       hsa_executable_symbol_t *result) {
  if (module && *module)
    return HSA_STATUS_ERROR_INVALID_SYMBOL_NAME;
  return hsa_executable_get_symbol_by_name(handle, name, agent.handle ? &agent : nullptr, result);
}

/// Calls `use` for each symbol, of `agent` only unless it is null.
static hsa_status_t iterate(Executable &executable, Agent *agent,
                            const std::function<hsa_status_t(ExecutableSymbol &)> &use) {
  std::vector<ExecutableSymbol *> symbols;
  {
    std::lock_guard<std::mutex> lock(executable.mutex); // callbacks may call us
    for (const std::unique_ptr<ExecutableSymbol> &symbol : executable.symbols)
      if (!agent || symbol->agent == agent)
        symbols.push_back(symbol.get());
  }
  for (ExecutableSymbol *symbol : symbols)
    if (hsa_status_t status = use(*symbol))
      return status;
  return HSA_STATUS_SUCCESS;
}

hsa_status_t hsa_executable_iterate_symbols(hsa_executable_t handle,
                                            hsa_status_t (*callback)(hsa_executable_t executable,
                                                                     hsa_executable_symbol_t symbol,
                                                                     void *data),
                                            void *data) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_EXECUTABLE(executable, handle);
  if (!callback)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  return iterate(*executable, nullptr, [&](ExecutableSymbol &symbol) {
    return callback(handle, {reinterpret_cast<uint64_t>(&symbol)}, data);
  });
}

hsa_status_t hsa_executable_iterate_agent_symbols(
    hsa_executable_t handle, hsa_agent_t agentHandle,
    hsa_status_t (*callback)(hsa_executable_t executable, hsa_agent_t agent,
                             hsa_executable_symbol_t symbol, void *data),
    void *data) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_EXECUTABLE(executable, handle);
  TINY_HSA_AGENT(agent, agentHandle);
  if (!callback)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  return iterate(*executable, agent, [&](ExecutableSymbol &symbol) {
    return callback(handle, agentHandle, {reinterpret_cast<uint64_t>(&symbol)}, data);
  });
}

/// Symbols of a program are for all agents; code objects for a GPU have none.
hsa_status_t hsa_executable_iterate_program_symbols(
    hsa_executable_t handle,
    hsa_status_t (*callback)(hsa_executable_t executable, hsa_executable_symbol_t symbol,
                             void *data),
    void *) {
  TINY_HSA_RUNTIME(runtime);
  TINY_HSA_EXECUTABLE(executable, handle);
  return callback ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

static hsa_status_t kernelInfo(const ExecutableSymbol &symbol, uint32_t attribute, void *value) {
  const tinyrt::KernelMetadata &kernel = symbol.object->metadata[symbol.kernel];
  switch (attribute) {
  case HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_OBJECT:
    return give<uint64_t>(value, symbol.symbol.address);
  case HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_KERNARG_SEGMENT_SIZE:
    return give<uint32_t>(value, kernel.kernargBytes);
  case HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_KERNARG_SEGMENT_ALIGNMENT:
    return give<uint32_t>(value, kernel.kernargAlignment);
  case HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_GROUP_SEGMENT_SIZE:
    return give<uint32_t>(value, kernel.groupBytes);
  case HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_PRIVATE_SEGMENT_SIZE:
    return give<uint32_t>(value, kernel.privateBytes);
  case HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_DYNAMIC_CALLSTACK:
    return give<bool>(value, kernel.dynamicStack);
  case HSA_EXECUTABLE_SYMBOL_INFO_KERNEL_CALL_CONVENTION:
    return give<uint32_t>(value, 0);
  }
  return HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

static hsa_status_t variableInfo(const ExecutableSymbol &symbol, uint32_t attribute, void *value) {
  uint64_t address = symbol.symbol.address;
  switch (attribute) {
  case HSA_EXECUTABLE_SYMBOL_INFO_VARIABLE_ADDRESS:
    return give<uint64_t>(value, address);
  case HSA_EXECUTABLE_SYMBOL_INFO_VARIABLE_ALLOCATION:
    return give<uint32_t>(value, HSA_VARIABLE_ALLOCATION_AGENT);
  case HSA_EXECUTABLE_SYMBOL_INFO_VARIABLE_SEGMENT:
    return give<uint32_t>(value, HSA_VARIABLE_SEGMENT_GLOBAL);
  case HSA_EXECUTABLE_SYMBOL_INFO_VARIABLE_ALIGNMENT: // what its address shows, up to a page
    return give<uint32_t>(value,
                          static_cast<uint32_t>(std::min<uint64_t>(address & -address, 4096)));
  case HSA_EXECUTABLE_SYMBOL_INFO_VARIABLE_SIZE:
    return give<uint32_t>(value, static_cast<uint32_t>(symbol.symbol.bytes));
  case HSA_EXECUTABLE_SYMBOL_INFO_VARIABLE_IS_CONST:
    return give<bool>(value, symbol.symbol.isConstant);
  }
  return HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

hsa_status_t hsa_executable_symbol_get_info(hsa_executable_symbol_t handle,
                                            hsa_executable_symbol_info_t attribute, void *value) {
  TINY_HSA_RUNTIME(runtime);
  std::lock_guard<std::mutex> lock(runtime->executableMutex);
  auto *symbol = reinterpret_cast<ExecutableSymbol *>(handle.handle);
  if (!runtime->symbols.count(symbol))
    return HSA_STATUS_ERROR_INVALID_EXECUTABLE_SYMBOL;
  if (!value)
    return HSA_STATUS_ERROR_INVALID_ARGUMENT;
  const std::string &name = symbol->symbol.name;
  switch (bitsOf(attribute)) {
  case HSA_EXECUTABLE_SYMBOL_INFO_TYPE:
    return give<uint32_t>(value,
                          symbol->kernel >= 0 ? HSA_SYMBOL_KIND_KERNEL : HSA_SYMBOL_KIND_VARIABLE);
  case HSA_EXECUTABLE_SYMBOL_INFO_NAME_LENGTH:
    return give<uint32_t>(value, static_cast<uint32_t>(name.size()));
  case HSA_EXECUTABLE_SYMBOL_INFO_NAME: // of that length, and so without a zero byte
    std::memcpy(value, name.data(), name.size());
    return HSA_STATUS_SUCCESS;
  case HSA_EXECUTABLE_SYMBOL_INFO_MODULE_NAME_LENGTH:
    return give<uint32_t>(value, 0);
  case HSA_EXECUTABLE_SYMBOL_INFO_MODULE_NAME:
    return HSA_STATUS_SUCCESS;
  case HSA_EXECUTABLE_SYMBOL_INFO_LINKAGE:
    return give<uint32_t>(value, HSA_SYMBOL_LINKAGE_PROGRAM);
  case HSA_EXECUTABLE_SYMBOL_INFO_IS_DEFINITION:
    return give<bool>(value, true);
  case HSA_EXECUTABLE_SYMBOL_INFO_AGENT:
    return give(value, symbol->agent->handle());
  }
  return symbol->kernel >= 0 ? kernelInfo(*symbol, bitsOf(attribute), value)
                             : variableInfo(*symbol, bitsOf(attribute), value);
}
