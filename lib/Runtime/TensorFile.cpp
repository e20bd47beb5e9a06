//===- TensorFile.cpp - tensors in files ----------------------------------===//
//
// Chooses the format, and holds what both readers need.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Runtime/TensorFile.h"

#include "TensorBytes.h"

#include <algorithm>

using namespace tinyrt;

bool tinyrt::allocateFor(const TensorType &type, size_t available, const char *what, Tensor &tensor,
                         std::string &error) {
  uint64_t needed = byteSize(type.element);
  bool empty = false, fits = true;
  for (int64_t size : type.shape) {
    if (size < 0) {
      error = std::string("malformed ") + what + ": a dimension is negative";
      return false;
    }
    empty |= size == 0;
    if (size > 0 && needed > static_cast<uint64_t>(INT64_MAX) / size)
      fits = false;
    else if (size > 0)
      needed *= size;
  }
  if (!fits) {
    error = std::string("malformed ") + what + ": " + type.str() + " is larger than any memory";
    return false;
  }
  if (empty)
    needed = 0;
  if (available != needed) {
    error = std::string(available < needed ? "truncated " : "malformed ") + what + ": " +
            type.str() + " needs " + std::to_string(needed) + " bytes of data, and there are " +
            std::to_string(available);
    return false;
  }
  tensor = Tensor(type);
  return true;
}

void tinyrt::reverseBytes(Tensor &tensor) {
  size_t size = byteSize(tensor.type().element);
  char *bytes = tensor.as<char>();
  for (size_t i = 0, end = tensor.bytes(); i < end; i += size)
    std::reverse(bytes + i, bytes + i + size);
}

void tinyrt::normalizeBool(Tensor &tensor) {
  if (tensor.type().element != ElementType::i1)
    return;
  uint8_t *bytes = tensor.as<uint8_t>();
  for (size_t i = 0, end = tensor.bytes(); i < end; ++i)
    bytes[i] = bytes[i] != 0;
}

static bool endsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool tinyrt::isTensorPath(std::string_view path) {
  return endsWith(path, ".npy") || endsWith(path, ".pb");
}

bool tinyrt::readTensor(const std::string &path, Tensor &tensor, std::string &error) {
  std::string bytes;
  if (!readFile(path, bytes, error))
    return false;
  // A TensorProto cannot begin with 0x93: that would be field 2 as a group.
  bool npy = endsWith(path, ".npy") || bytes.compare(0, 6, "\x93NUMPY") == 0;
  if (npy ? parseNpy(bytes, tensor, error) : parseTensorProto(bytes, tensor, error))
    return true;
  error = "'" + path + "': " + error;
  return false;
}

bool tinyrt::writeTensor(const std::string &path, const Tensor &tensor, const std::string &name,
                         std::string &error) {
  if (!isTensorPath(path)) {
    error = "cannot write '" + path + "': the name of a tensor file ends in .npy or .pb";
    return false;
  }
  return writeFile(
      path, endsWith(path, ".npy") ? formatNpy(tensor) : formatTensorProto(tensor, name), error);
}
