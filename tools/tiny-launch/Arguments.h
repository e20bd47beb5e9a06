//===- Arguments.h - what --arg of tiny-launch says -------------*- C++ -*-===//

#ifndef TINY_LAUNCH_ARGUMENTS_H
#define TINY_LAUNCH_ARGUMENTS_H

#include "Tiny/Runtime/HsaDevice.h"
#include "Tiny/Runtime/Tensor.h"

namespace tinylaunch {

/// The value of one --arg.
struct Argument {
  enum Kind { buffer, scalar, number, lds };
  Kind kind = buffer;
  tinyrt::Tensor tensor; ///< of a buffer or a scalar
  std::string text;      ///< of a number, whose type only the kernel knows
  uint32_t bytes = 0;    ///< of LDS
};

/// "@x.npy", "1024xf32:random:1", "i32:5", "5", "lds:256"; --help explains them.
bool parseArgument(std::string_view text, Argument &argument, std::string &error);

/// The arguments in the device's memory, as the kernel takes them.
class BoundArguments {
public:
  /// Copies the buffers to `device`. False if the arguments are not those of the kernel.
  bool bind(const std::shared_ptr<tinyrt::HsaDevice> &device, const tinyrt::KernelMetadata &kernel,
            std::vector<Argument> arguments, std::string &error);

  std::string_view bytes() const { return block; }
  /// What the arguments for local memory ask for together.
  uint32_t localBytes() const { return lds; }

  size_t size() const { return arguments.size(); }
  bool isBuffer(size_t i) const { return arguments[i].kind == Argument::buffer; }
  /// The name in the source, or the position.
  const std::string &name(size_t i) const { return names[i]; }
  /// The tensor of buffer `i`, as it was.
  const tinyrt::Tensor &before(size_t i) const { return arguments[i].tensor; }
  /// As it is now.
  bool read(size_t i, tinyrt::Tensor &tensor, std::string &error) const;

private:
  bool place(const tinyrt::KernelMetadata &kernel, const tinyrt::KernelArgument &target, size_t i,
             std::string &error);

  std::shared_ptr<tinyrt::HsaDevice> device;
  std::vector<Argument> arguments;
  std::vector<std::string> names;
  std::vector<std::shared_ptr<void>> memory; ///< on the device; null for what is no buffer
  std::string block;
  uint32_t lds = 0;
};

} // namespace tinylaunch

#endif // TINY_LAUNCH_ARGUMENTS_H
