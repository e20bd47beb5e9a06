//===- Arguments.cpp - what --arg of tiny-launch says ---------------------===//

#include "Arguments.h"

#include "Tiny/Runtime/Element.h"
#include "Tiny/Runtime/TensorFile.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace tinylaunch;
using namespace tinyrt;

static bool parseElement(std::string_view text, ElementType &element) {
  for (int i = 0; i <= static_cast<int>(ElementType::ui64); ++i)
    if (text == name(static_cast<ElementType>(i))) {
      element = static_cast<ElementType>(i);
      return true;
    }
  return false;
}

/// "4x8xf32" or, without dims, "f32".
static bool parseType(std::string_view text, TensorType &type) {
  constexpr int64_t kMostElements = int64_t(1) << 40;
  type.shape.clear();
  int64_t elements = 1;
  for (size_t x; (x = text.find('x')) != text.npos; text.remove_prefix(x + 1)) {
    std::string size(text.substr(0, x));
    if (size.empty() || size.size() > 12 ||
        !std::all_of(size.begin(), size.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return false;
    type.shape.push_back(std::stoll(size));
    if (type.shape.back() > kMostElements ||
        (type.shape.back() && elements > kMostElements / type.shape.back()))
      return false;
    elements *= type.shape.back();
  }
  return parseElement(text, type.element);
}

static bool isNumber(const std::string &text) {
  char *end = nullptr;
  std::strtod(text.c_str(), &end);
  return !text.empty() && !*end;
}

bool tinylaunch::parseArgument(std::string_view text, Argument &argument, std::string &error) {
  std::string whole(text);
  if (text.substr(0, 1) == "@") {
    argument.kind = Argument::buffer;
    return readTensor(whole.substr(1), argument.tensor, error);
  }
  std::string_view head = text.substr(0, text.find(':'));
  std::string value(head.size() == text.size() ? "" : text.substr(head.size() + 1));
  if (head == "lds") {
    char *end = nullptr;
    unsigned long bytes = std::strtoul(value.c_str(), &end, 10);
    if (value.empty() || *end || bytes > 65536) {
      error = "'" + whole + "': lds:BYTES has a number up to 65536";
      return false;
    }
    argument.kind = Argument::lds;
    argument.bytes = static_cast<uint32_t>(bytes);
    return true;
  }
  TensorType type;
  if (!parseType(head, type)) {
    argument.kind = Argument::number;
    argument.text = whole;
    if (isNumber(whole))
      return true;
    error = "'" + whole +
            "' is no argument: give @FILE.npy, TYPE[:VALUE] such as "
            "1024xf32:random:1 or i32:5, a number, or lds:BYTES";
    return false;
  }
  argument.kind = type.shape.empty() ? Argument::scalar : Argument::buffer;
  argument.tensor = Tensor(type);
  if (value.compare(0, 7, "random:") == 0) {
    char *end = nullptr;
    fillRandom(argument.tensor, std::strtoull(value.c_str() + 7, &end, 10), 0);
    if (value.size() > 7 && !*end)
      return true;
    error = "'" + whole + "': a seed is a whole number, as in random:1";
    return false;
  }
  if (!value.empty())
    return fillFromText(argument.tensor, value, error);
  std::memset(argument.tensor.data(), 0, argument.tensor.bytes());
  return true;
}

/// The element type of a scalar argument: by its type in the source where that is a floating-point
/// one, by its size otherwise.
static bool scalarType(const KernelArgument &target, ElementType &element) {
  const std::string &type = target.type;
  if (type == "float" || type == "double" || type == "half") {
    element = type == "float"    ? ElementType::f32
              : type == "double" ? ElementType::f64
                                 : ElementType::f16;
    return true;
  }
  bool isUnsigned = type.compare(0, 1, "u") == 0 || type.compare(0, 8, "unsigned") == 0;
  switch (target.bytes) {
  case 1:
    element = isUnsigned ? ElementType::ui8 : ElementType::i8;
    return true;
  case 2:
    element = isUnsigned ? ElementType::ui16 : ElementType::i16;
    return true;
  case 4:
    element = isUnsigned ? ElementType::ui32 : ElementType::i32;
    return true;
  case 8:
    element = isUnsigned ? ElementType::ui64 : ElementType::i64;
    return true;
  }
  return false;
}

/// Writes argument `i` where the kernel looks for it.
bool BoundArguments::place(const KernelMetadata &kernel, const KernelArgument &target, size_t i,
                           std::string &error) {
  Argument &argument = arguments[i];
  auto fail = [&](const std::string &reason) {
    error = "argument " + names[i] + " of kernel '" + kernel.name + "' " + reason;
    return false;
  };
  auto put = [&](const void *value, size_t bytes) {
    std::memcpy(block.data() + target.offset, value, bytes);
    return true;
  };
  bool isLocal = target.kind == "dynamic_shared_pointer";
  if (isLocal != (argument.kind == Argument::lds))
    return fail(isLocal ? "is local memory: give lds:BYTES" : "is not local memory");
  if (isLocal) {
    uint64_t address = kernel.groupBytes + lds; // after what the kernel has itself
    uint64_t aligned = (address + 15) & ~uint64_t(15);
    lds = static_cast<uint32_t>(aligned - kernel.groupBytes + argument.bytes);
    return put(&aligned, std::min<size_t>(target.bytes, sizeof(aligned)));
  }
  if (argument.kind == Argument::buffer) {
    if (target.kind == "by_value" && target.bytes != sizeof(void *))
      return fail("is a value of " + std::to_string(target.bytes) + " bytes and not a buffer");
    std::shared_ptr<HsaDevice> owner = device;
    memory[i] = std::shared_ptr<void>(owner->allocate(argument.tensor.bytes()), [owner](void *p) {
      if (p)
        owner->release(p);
    });
    void *address = memory[i].get();
    if (!address)
      return fail("has " + std::to_string(argument.tensor.bytes()) +
                  " bytes, and the device has no memory for them");
    return device->copyToDevice(address, argument.tensor.data(), argument.tensor.bytes(), error) &&
           put(&address, sizeof(address));
  }
  if (target.kind != "by_value")
    return fail("is a buffer: give @FILE.npy or a type with its dims, such as 1024xf32");
  if (argument.kind == Argument::number) {
    TensorType type;
    if (!scalarType(target, type.element))
      return fail("has " + std::to_string(target.bytes) + " bytes and cannot be a number");
    argument.tensor = Tensor(type);
    if (!fillFromText(argument.tensor, argument.text, error))
      return fail("is '" + target.type + "': " + error);
  }
  if (argument.tensor.bytes() != target.bytes)
    return fail("has " + std::to_string(target.bytes) + " bytes, got a " +
                std::string(tinyrt::name(argument.tensor.type().element)));
  return put(argument.tensor.data(), target.bytes);
}

bool BoundArguments::bind(const std::shared_ptr<HsaDevice> &device, const KernelMetadata &kernel,
                          std::vector<Argument> given, std::string &error) {
  this->device = device;
  arguments = std::move(given);
  memory.resize(arguments.size());
  std::vector<const KernelArgument *> targets;
  size_t bytes = 0;
  for (const KernelArgument &target : kernel.arguments)
    if (!target.isHidden()) {
      bytes = std::max<size_t>(bytes, target.offset + target.bytes);
      std::string position = std::to_string(targets.size());
      names.push_back(target.name.empty() ? position : "'" + target.name + "'");
      targets.push_back(&target);
    }
  if (targets.size() != arguments.size()) {
    error = "kernel '" + kernel.name + "' has " + std::to_string(targets.size()) +
            " arguments, got " + std::to_string(arguments.size()) + " (--list shows them)";
    return false;
  }
  block.assign(bytes, '\0');
  for (size_t i = 0; i < targets.size(); ++i)
    if (!place(kernel, *targets[i], i, error))
      return false;
  return true;
}

bool BoundArguments::read(size_t i, Tensor &tensor, std::string &error) const {
  tensor = Tensor(arguments[i].tensor.type());
  return device->copyToHost(tensor.data(), memory[i].get(), tensor.bytes(), error);
}
