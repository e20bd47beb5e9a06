//===- tiny-launch.cpp - run one kernel of a code object ------------------===//
//
// For kernels that somebody else has compiled: reads a code object, launches one of
// its kernels on the card or on the simulator, and shows what it has written. There
// is no MLIR and no LLVM in it, and so no second that passes before it starts.
//
//===----------------------------------------------------------------------===//

#include "Arguments.h"

#include "Tiny/Runtime/Element.h"
#include "Tiny/Runtime/TensorFile.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace tinylaunch;
using namespace tinyrt;

namespace {
struct Options {
  std::string file, kernel, device = "sim";
  uint32_t grid[3] = {0, 0, 0}, items[3] = {0, 0, 0}, block[3] = {0, 0, 0};
  std::vector<std::string> arguments;
  std::vector<std::pair<size_t, std::string>> outputs; ///< position, file
  bool list = false, profile = false, help = false;
};
} // namespace

static const char kHelp[] =
    R"(Run one kernel of a gfx1100 code object, on the simulator or on the card.

usage: tiny-launch CODE-OBJECT [options]

  --list                the kernels and their arguments
  --kernel NAME         which one; not needed if there is only one
  --device DEVICE       sim (default), the simulator, or hsa, the card through ROCm;
                        hsa:1 is the second card
  --block X[,Y[,Z]]     work-items of a workgroup (default 64)
  --grid X[,Y[,Z]]      workgroups (default 1), or
  --items X[,Y[,Z]]     work-items; the last workgroup may be partial
  --arg VALUE           the next argument of the kernel:
                          @FILE.npy           a buffer, filled from a file
                          1024xf32            a buffer of zeros
                          1024xf32:random:1   a buffer of random numbers, by seed
                          16xi32:-1           a buffer of one number
                          5, 1.5              a scalar of the kernel's type
                          i32:5               a scalar of this type
                          lds:256             bytes of local memory
  --output N=@FILE.npy  write the buffer of argument N, counted from 0, to a file
  --profile             what it took, and what the simulator has counted
  --help                this text

Without --output, buffers that the kernel has changed are shown. On the simulator
every mistake of a kernel ends it with a message: TINY_SIM_CHECKS says what is looked
at (docs/Simulator.md). The exit status is 0 if everything went well and 1 otherwise.

Example:
  clang-22 -x cl -cl-std=CL2.0 -nogpulib -O2 -target amdgcn-amd-amdhsa \
      -mcpu=gfx1100 vadd.cl -o vadd.hsaco
  tiny-launch vadd.hsaco --grid 4 --block 256 --arg 1024xf32:random:1 \
      --arg 1024xf32:1 --arg 1024xf32 --arg 1024 --profile
)";

//===----------------------------------------------------------------------===//
// The command line
//===----------------------------------------------------------------------===//

/// "64" or "16,4" or "8,4,2"; what is not given is 1.
static bool parseDims(const std::string &text, uint32_t dims[3], std::string &error) {
  const char *at = text.c_str();
  for (int i = 0; i < 3; ++i) {
    dims[i] = 1;
    if (!*at)
      continue;
    char *end = nullptr;
    unsigned long long value = std::strtoull(at, &end, 10);
    bool isLast = i == 2;
    if (*at < '0' || *at > '9' || value == 0 || value > UINT32_MAX ||
        (*end && (*end != ',' || isLast || !end[1]))) {
      error = "'" + text + "': give one to three numbers from 1, as in 16,4";
      return false;
    }
    dims[i] = static_cast<uint32_t>(value);
    at = *end ? end + 1 : end;
  }
  return !text.empty();
}

static bool parseOutput(const std::string &text, Options &options, std::string &error) {
  size_t equals = text.find("=@");
  std::string path = equals == text.npos ? "" : text.substr(equals + 2);
  char *end = nullptr;
  unsigned long position = std::strtoul(text.c_str(), &end, 10);
  if (path.empty() || end != text.c_str() + equals || equals == 0 || !isTensorPath(path)) {
    error = "'" + text + "': give N=@FILE.npy or N=@FILE.pb, N counted from 0";
    return false;
  }
  options.outputs.push_back({position, path});
  return true;
}

static bool parseOptions(int argc, char **argv, Options &options, std::string &error) {
  for (int i = 1; i < argc; ++i) {
    std::string name = argv[i], value;
    if (name.compare(0, 1, "-") != 0) {
      if (!options.file.empty()) {
        error = "two code objects are given, '" + options.file + "' and '" + name + "'";
        return false;
      }
      options.file = name;
      continue;
    }
    if (name == "--list" || name == "--profile" || name == "--help" || name == "-h") {
      (name == "--list"      ? options.list
       : name == "--profile" ? options.profile
                             : options.help) = true;
      continue;
    }
    static const char *const kWithValue[] = {"--kernel", "--device", "--block", "--grid",
                                             "--items",  "--arg",    "--output"};
    bool hasEquals = name.find('=') != name.npos;
    if (hasEquals) {
      value = name.substr(name.find('=') + 1);
      name.resize(name.find('='));
    }
    if (std::find(std::begin(kWithValue), std::end(kWithValue), name) == std::end(kWithValue)) {
      error = "unknown option '" + name + "'; see --help";
      return false;
    }
    if (!hasEquals && ++i == argc) {
      error = name + " needs a value; see --help";
      return false;
    }
    if (!hasEquals)
      value = argv[i];
    bool ok = true;
    if (name == "--kernel")
      options.kernel = value;
    else if (name == "--device")
      options.device = value;
    else if (name == "--block")
      ok = parseDims(value, options.block, error);
    else if (name == "--grid")
      ok = parseDims(value, options.grid, error);
    else if (name == "--items")
      ok = parseDims(value, options.items, error);
    else if (name == "--arg")
      options.arguments.push_back(value);
    else
      ok = parseOutput(value, options, error);
    if (!ok) {
      error = name + ": " + (error.empty() ? "a value must follow" : error);
      return false;
    }
  }
  if (options.help)
    return true;
  if (options.file.empty())
    error = "no code object is given; see --help";
  else if (options.grid[0] && options.items[0])
    error = "--grid counts workgroups and --items work-items: give one of them";
  return error.empty();
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

static void printKernel(const KernelMetadata &kernel) {
  std::printf("%s: wave%u, %u bytes of LDS, %u bytes of scratch\n", kernel.name.c_str(),
              kernel.waveSize, kernel.groupBytes, kernel.privateBytes);
  unsigned position = 0;
  for (const KernelArgument &argument : kernel.arguments)
    if (!argument.isHidden())
      std::printf("  %u: %s%s%s (%s, %u bytes)\n", position++,
                  argument.type.empty() ? "" : argument.type.c_str(),
                  argument.type.empty() || argument.name.empty() ? "" : " ", argument.name.c_str(),
                  argument.kind.c_str(), argument.bytes);
}

static void printTensor(const std::string &name, const Tensor &tensor) {
  std::string line = name + ": " + tensor.type().str() + " =";
  int64_t shown = std::min<int64_t>(tensor.numElements(), 8);
  for (int64_t i = 0; i < shown; ++i)
    line += " " + elementText(tensor, i);
  std::printf("%s%s\n", line.c_str(), shown < tensor.numElements() ? " …" : "");
}

/// Counters that are 0 say nothing.
static void printCounters(const HsaDevice &device) {
  std::string kernel;
  for (const KernelCounter &counter : device.counters()) {
    if (counter.value == 0)
      continue;
    if (counter.kernel != kernel)
      std::printf("kernel %s:\n", counter.kernel.c_str());
    kernel = counter.kernel;
    std::printf(counter.unit == "%" ? "  %-20s %14.1f %s\n" : "  %-20s %14.0f %s\n",
                counter.name.c_str(), counter.value, counter.unit.c_str());
  }
}

static bool showOutputs(const Options &options, const BoundArguments &arguments,
                        std::string &error) {
  Tensor tensor;
  for (const auto &[position, path] : options.outputs) {
    if (position >= arguments.size() || !arguments.isBuffer(position)) {
      error = "--output: argument " + std::to_string(position) + " is no buffer";
      return false;
    }
    if (!arguments.read(position, tensor, error) ||
        !writeTensor(path, tensor, arguments.name(position), error))
      return false;
  }
  if (!options.outputs.empty())
    return true;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!arguments.isBuffer(i))
      continue;
    if (!arguments.read(i, tensor, error))
      return false;
    if (std::memcmp(tensor.data(), arguments.before(i).data(), tensor.bytes()) != 0)
      printTensor("argument " + arguments.name(i), tensor);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// The run
//===----------------------------------------------------------------------===//

/// The kernel that is asked for, or the only one there is.
static Device::Kernel chooseKernel(const Options &options, const HsaDevice &device,
                                   std::string &error) {
  std::vector<std::string> names = device.kernelNames();
  std::string all;
  for (const std::string &name : names)
    all += (all.empty() ? "" : ", ") + name;
  if (names.empty())
    error = options.file + " has no kernel";
  else if (options.kernel.empty() && names.size() > 1)
    error = "--kernel must say which kernel: " + all;
  else if (!options.kernel.empty() && !device.find(options.kernel))
    error = options.file + " has no kernel '" + options.kernel + "' but " + all;
  return error.empty() ? device.find(options.kernel.empty() ? names.front() : options.kernel)
                       : nullptr;
}

static bool run(const Options &options, std::string &error) {
  std::string image;
  if (!readFile(options.file, image, error))
    return false;
  if (options.list) {
    std::vector<KernelMetadata> kernels;
    if (!readKernelMetadata(image, kernels, error))
      return false;
    for (const KernelMetadata &kernel : kernels)
      printKernel(kernel);
    return true;
  }

  HsaOptions deviceOptions;
  if (!parseHsaDevice(options.device, deviceOptions)) {
    error = "'" + options.device + "' is no device: give hsa or sim, or hsa:1 for the second card";
    return false;
  }
  std::vector<Argument> given(options.arguments.size());
  for (size_t i = 0; i < given.size(); ++i)
    if (!parseArgument(options.arguments[i], given[i], error))
      return false;

  std::shared_ptr<HsaDevice> device = createHsaDevice(deviceOptions, error);
  if (!device || !device->loadImage(image, error))
    return false;
  Device::Kernel kernel = chooseKernel(options, *device, error);
  BoundArguments arguments;
  if (!kernel || !arguments.bind(device, device->metadata(kernel), std::move(given), error))
    return false;

  HsaLaunch launch;
  for (int i = 0; i < 3; ++i) {
    launch.block[i] = options.block[0] ? options.block[i] : i == 0 ? 64 : 1;
    uint64_t items = options.items[0] ? options.items[i]
                                      : uint64_t(launch.block[i]) * std::max(options.grid[i], 1u);
    if (items > UINT32_MAX) {
      error = "--grid: there would be more than 2^32 work-items";
      return false;
    }
    launch.items[i] = static_cast<uint32_t>(items);
  }
  launch.localBytes = arguments.localBytes();
  launch.arguments = arguments.bytes();
  if (!device->start(kernel, launch, error) || !device->wait(error) ||
      !showOutputs(options, arguments, error))
    return false;
  if (options.profile) {
    std::printf("%s: %.3f ms\n", device->description().c_str(),
                double(device->lastLaunchNanoseconds()) * 1e-6);
    printCounters(*device);
  }
  return true;
}

int main(int argc, char **argv) {
  // A reader that goes away is an error of writing, not a signal.
  std::signal(SIGPIPE, SIG_IGN);
  Options options;
  std::string error;
  bool ok = parseOptions(argc, argv, options, error);
  if (ok && options.help)
    std::fputs(kHelp, stdout);
  else
    ok = ok && run(options, error);
  if (!ok)
    std::fprintf(stderr, "tiny-launch: error: %s\n", error.c_str());
  if (std::fflush(stdout) == 0 && !std::ferror(stdout))
    return ok ? 0 : 1;
  std::fprintf(stderr, "tiny-launch: error: cannot write to the standard output\n");
  return 1;
}
