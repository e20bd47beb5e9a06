//===- HsaLibrary.cpp - an HSA library, found at run time -----------------===//

#include "HsaLibrary.h"

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <unistd.h>

using namespace tinyrt;

bool tinyrt::parseHsaDevice(std::string_view text, HsaOptions &options) {
  std::string_view kind = text.substr(0, text.find(':'));
  if (kind != "hsa" && kind != "sim")
    return false;
  options.simulate = kind == "sim";
  options.agent = 0;
  if (kind.size() == text.size())
    return true;
  std::string number(text.substr(kind.size() + 1));
  if (number.empty() || number.size() > 3 ||
      !std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return false;
  options.agent = static_cast<unsigned>(std::stoul(number));
  return true;
}

//===----------------------------------------------------------------------===//
// Finding the library
//===----------------------------------------------------------------------===//

static std::string folderOfProgram() {
  char path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  std::string text(path, length > 0 ? static_cast<size_t>(length) : 0);
  return text.substr(0, text.rfind('/') == std::string::npos ? 0 : text.rfind('/'));
}

/// Loads the first of the places where it may be; null with what the linker says of the last.
static void *load(bool simulate, std::string &where, std::string &reason) {
  std::vector<std::string> places;
  const char *given = simulate ? std::getenv("TINY_HSA_SIM") : nullptr;
  if (given && *given)
    places = {given};
  else if (simulate) // as it is built, as it is installed, wherever the linker looks
    places = {folderOfProgram() + "/../lib/libtiny-hsa-sim.so",
              folderOfProgram() + "/libtiny-hsa-sim.so", "libtiny-hsa-sim.so"};
  else // a development package of ROCm, too, has this name
    places = {"libhsa-runtime64.so.1"};
  for (const std::string &place : places) {
    where = place;
    if (void *library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL))
      return library;
    const char *message = dlerror();
    reason = message ? message : "";
  }
  return nullptr;
}

bool HsaLibrary::find(bool simulate, std::string &error) {
  std::string where, reason;
  library = load(simulate, where, reason);
  if (!library) {
    error = simulate ? "there is no simulator: libtiny-hsa-sim.so cannot be loaded (" + reason +
                           "); TINY_HSA_SIM can name the file"
                     : "there is no ROCm: its library libhsa-runtime64.so.1 cannot be loaded (" +
                           reason + ")";
    return false;
  }
  const char *missing = nullptr;
#define TINY_HSA_FIND(member)                                                                      \
  member = reinterpret_cast<decltype(member)>(dlsym(library, "hsa_" #member));                     \
  if (!member)                                                                                     \
    missing = "hsa_" #member;
  TINY_HSA_FUNCTIONS(TINY_HSA_FIND)
#undef TINY_HSA_FIND
  iterateCounters =
      reinterpret_cast<decltype(iterateCounters)>(dlsym(library, "tiny_sim_iterate_counters"));
  setMessageHandler =
      reinterpret_cast<decltype(setMessageHandler)>(dlsym(library, "tiny_sim_set_message_handler"));
  if (!missing)
    return true;
  error =
      "the library " + where + " is no HSA library that we can use: it has no function " + missing;
  return false;
}

/// "ROCm's library /usr/lib/…/libhsa-runtime64.so.1.5.0 (HSA 1.1, build 1.5.0)".
std::string HsaLibrary::version() const {
  Dl_info info;
  char path[PATH_MAX];
  std::string text = "the HSA library";
  // The name of the file has the version that the link to it does not.
  if (dladdr(reinterpret_cast<void *>(init), &info) && info.dli_fname)
    text += std::string(" ") + (realpath(info.dli_fname, path) ? path : info.dli_fname);
  uint16_t major = 0, minor = 0;
  if (!initialized || system_get_info(HSA_SYSTEM_INFO_VERSION_MAJOR, &major) ||
      system_get_info(HSA_SYSTEM_INFO_VERSION_MINOR, &minor))
    return text;
  text += " (HSA " + std::to_string(major) + "." + std::to_string(minor);
  const char *build = nullptr;
  if (!system_get_info(HSA_AMD_SYSTEM_INFO_BUILD_VERSION, &build) && build)
    text += std::string(", build ") + build;
  return text + ")";
}

std::string HsaLibrary::agentName(hsa_agent_t agent, uint32_t attribute) const {
  char name[65] = {};
  return agent_get_info(agent, static_cast<hsa_agent_info_t>(attribute), name) ? "?" : name;
}

bool HsaLibrary::findAgents(std::string &error) {
  if (hsa_status_t status = init()) {
    char code[16];
    std::snprintf(code, sizeof(code), "0x%x", static_cast<unsigned>(status));
    error = "there is no card that ROCm can use: " + version() + " does not start (status " + code +
            (access("/dev/kfd", F_OK) != 0
                 ? "), because the driver's /dev/kfd is not there"
                 : "), which it also does with a card that it does not know: the Radeon RX 7900 "
                   "series needs ROCm 5.5 or later");
    return false;
  }
  initialized = true;
  std::vector<hsa_agent_t> agents;
  auto collect = [](hsa_agent_t agent, void *data) {
    static_cast<std::vector<hsa_agent_t> *>(data)->push_back(agent);
    return HSA_STATUS_SUCCESS;
  };
  iterate_agents(collect, &agents);
  std::string others;
  for (hsa_agent_t agent : agents) {
    hsa_device_type_t type = HSA_DEVICE_TYPE_CPU;
    if (agent_get_info(agent, HSA_AGENT_INFO_DEVICE, &type))
      continue;
    std::string name = agentName(agent);
    if (type == HSA_DEVICE_TYPE_CPU && !cpu.handle)
      cpu = agent;
    else if (type == HSA_DEVICE_TYPE_GPU && name == "gfx1100")
      gpus.push_back(agent);
    else if (type == HSA_DEVICE_TYPE_GPU)
      others += (others.empty() ? "" : ", ") + name;
  }
  if (!gpus.empty() && cpu.handle)
    return true;
  error = others.empty()
              ? "there is no card: " + version() + " lists no GPU"
              : version() + " lists no gfx1100 but " + others +
                    ": the code is for the Radeon RX 7900 series, which needs ROCm 5.5 or later";
  return false;
}

//===----------------------------------------------------------------------===//
// What the library tells the process
//===----------------------------------------------------------------------===//

// The library has one handler for all, so there is one list for all.
static std::mutex listenerMutex;
static std::vector<HsaFaultListener *> listeners;
static std::string messages;

static hsa_status_t onEvent(const hsa_amd_event_t *event, void *) {
  if (event->event_type != HSA_AMD_GPU_MEMORY_FAULT_EVENT)
    return HSA_STATUS_SUCCESS;
  std::lock_guard<std::mutex> lock(listenerMutex);
  for (HsaFaultListener *listener : listeners)
    listener->memoryFault(event->memory_fault.agent, event->memory_fault.virtual_address,
                          event->memory_fault.fault_reason_mask);
  return HSA_STATUS_SUCCESS;
}

static void onMessage(const char *message, void *) {
  std::lock_guard<std::mutex> lock(listenerMutex);
  messages += messages.empty() ? message : std::string("\n") + message;
}

std::string HsaLibrary::takeMessages() {
  std::lock_guard<std::mutex> lock(listenerMutex);
  std::string result;
  result.swap(messages);
  return result;
}

void HsaLibrary::addListener(HsaFaultListener *listener) {
  std::lock_guard<std::mutex> lock(listenerMutex);
  listeners.push_back(listener);
}

void HsaLibrary::removeListener(HsaFaultListener *listener) {
  std::lock_guard<std::mutex> lock(listenerMutex);
  listeners.erase(std::remove(listeners.begin(), listeners.end(), listener), listeners.end());
}

//===----------------------------------------------------------------------===//
// Life
//===----------------------------------------------------------------------===//

std::shared_ptr<HsaLibrary> HsaLibrary::open(bool simulate, std::string &error) {
  std::shared_ptr<HsaLibrary> result(new HsaLibrary);
  if (!result->find(simulate, error) || !result->findAgents(error))
    return nullptr;
  if (result->setMessageHandler)
    result->setMessageHandler(onMessage, nullptr);
  // Somebody else in this process may be its handler already; then memory faults end the process,
  // as they do without one.
  result->amd_register_system_event_handler(onEvent, nullptr);
  return result;
}

HsaLibrary::~HsaLibrary() {
  if (initialized)
    shut_down();
  // It stays loaded: ROCm's threads may outlive its shut_down.
}

std::string HsaLibrary::text(hsa_status_t status) const {
  const char *text = nullptr;
  if (status_string(status, &text) == HSA_STATUS_SUCCESS && text)
    return text;
  char number[32];
  std::snprintf(number, sizeof(number), "HSA status 0x%x", static_cast<unsigned>(status));
  return number;
}
