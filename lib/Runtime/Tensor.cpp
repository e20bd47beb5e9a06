//===- Tensor.cpp - dense tensors in host memory --------------------------===//

#include "Tiny/Runtime/Tensor.h"

#include <cstdlib>
#include <new>

using namespace tinyrt;

size_t tinyrt::byteSize(ElementType type) {
  switch (type) {
  case ElementType::f64:
  case ElementType::i64:
  case ElementType::ui64:
    return 8;
  case ElementType::f32:
  case ElementType::i32:
  case ElementType::ui32:
    return 4;
  case ElementType::f16:
  case ElementType::bf16:
  case ElementType::i16:
  case ElementType::ui16:
    return 2;
  case ElementType::i1:
  case ElementType::i8:
  case ElementType::ui8:
    return 1;
  }
  return 0;
}

const char *tinyrt::name(ElementType type) {
  static const char *const names[] = {"f64", "f32", "f16", "bf16", "i1",   "i8",  "i16",
                                      "i32", "i64", "ui8", "ui16", "ui32", "ui64"};
  return names[static_cast<size_t>(type)];
}

int64_t TensorType::numElements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

std::string TensorType::str() const {
  std::string text = "tensor<";
  for (int64_t size : shape)
    text += std::to_string(size) + "x";
  return text + name(element) + ">";
}

Tensor::Tensor(TensorType type) : type_(std::move(type)) {
  void *memory = allocateBuffer(type_.bytes());
  if (!memory)
    std::abort(); // the memory limit is checked before anything is allocated
  data_.reset(memory, std::free);
}
