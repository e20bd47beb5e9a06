//===- HsaDevice.h - a GPU behind an HSA library ----------------*- C++ -*-===//
//
// The card through ROCm's libhsa-runtime64.so.1 (`hsa`), or the simulator through
// libtiny-hsa-sim.so (`sim`): one host code, and the library is found when the
// program runs. Beyond Device.h, kernels that did not come with a plan can be
// launched: that is what tiny-launch and tests do.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_RUNTIME_HSADEVICE_H
#define TINY_RUNTIME_HSADEVICE_H

#include "Tiny/Runtime/Device.h"
#include "Tiny/Runtime/KernelMetadata.h"

namespace tinyrt {

struct HsaOptions {
  /// The simulator and not the card.
  bool simulate = false;
  /// Which of the machine's cards, counted from 0.
  unsigned agent = 0;
  /// What a kernel may take before it is given up. 0: for ever on the simulator, which has a limit
  /// of its own, and a minute on a card.
  unsigned timeoutSeconds = 0;
};

/// "hsa", "sim", "hsa:1" and so on. False if `text` is none of these.
bool parseHsaDevice(std::string_view text, HsaOptions &options);

/// What a kernel is launched over, and with.
struct HsaLaunch {
  uint32_t items[3] = {1, 1, 1}; ///< the last workgroup of a dimension may be partial
  uint32_t block[3] = {1, 1, 1}; ///< work-items of a workgroup
  uint32_t localBytes = 0;       ///< of LDS, beyond what the kernel has itself
  /// The arguments without the hidden ones, each at the offset that the metadata says.
  std::string_view arguments;
};

/// A number that the simulator has counted for a kernel; "%" is a unit.
struct KernelCounter {
  std::string kernel, name, unit;
  double value;
};

class HsaDevice : public Device {
public:
  /// The name of the agent, and of its product.
  virtual std::string description() const = 0;

  /// Loads a code object beside those that are loaded already, until the device is destroyed.
  virtual bool loadImage(std::string_view image, std::string &error) = 0;
  /// A loaded kernel by its name, null if there is none.
  virtual Kernel find(std::string_view name) const = 0;
  /// Names of all loaded kernels.
  virtual std::vector<std::string> kernelNames() const = 0;
  virtual const KernelMetadata &metadata(Kernel kernel) const = 0;

  /// As launch() of Device.h.
  virtual bool start(Kernel kernel, const HsaLaunch &launch, std::string &error) = 0;

  /// Empty on a card.
  virtual std::vector<KernelCounter> counters() const = 0;
};

/// Null, and one sentence in `error` that says what is missing and which version was found:
/// the library, a card, or support for gfx11 in ROCm.
std::shared_ptr<HsaDevice> createHsaDevice(const HsaOptions &options, std::string &error);

} // namespace tinyrt

#endif // TINY_RUNTIME_HSADEVICE_H
