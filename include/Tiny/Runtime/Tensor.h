//===- Tensor.h - dense tensors in host memory ------------------*- C++ -*-===//
//
// What goes into a run and what comes out of it. No MLIR include: an embedding
// program needs nothing but this folder.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_RUNTIME_TENSOR_H
#define TINY_RUNTIME_TENSOR_H

#include "Tiny/Runtime/Memory.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tinyrt {

/// The element types of the dialect. In memory i1 is a whole byte, 0 or 1.
enum class ElementType : uint8_t {
  f64,
  f32,
  f16,
  bf16,
  i1,
  i8,
  i16,
  i32,
  i64,
  ui8,
  ui16,
  ui32,
  ui64
};

/// Bytes of one element in memory.
size_t byteSize(ElementType type);

/// The name as MLIR spells it: "f32", "ui8", …
const char *name(ElementType type);

struct TensorType {
  ElementType element = ElementType::f32;
  std::vector<int64_t> shape;

  int64_t numElements() const;
  size_t bytes() const { return static_cast<size_t>(numElements()) * byteSize(element); }
  /// As MLIR spells it: "tensor<1x10xf32>".
  std::string str() const;
  bool operator==(const TensorType &other) const {
    return element == other.element && shape == other.shape;
  }
  bool operator!=(const TensorType &other) const { return !(*this == other); }
};

/// A dense row-major tensor that shares ownership of its memory. Copies are shallow.
class Tensor {
public:
  Tensor() = default;
  /// Aligned to kBufferAlignment and not initialised.
  explicit Tensor(TensorType type);

  /// The same memory as a tensor of another type with as many bytes.
  Tensor viewedAs(TensorType type) const {
    Tensor view = *this;
    view.type_ = std::move(type);
    return view;
  }

  const TensorType &type() const { return type_; }
  int64_t numElements() const { return type_.numElements(); }
  size_t bytes() const { return type_.bytes(); }
  void *data() const { return data_.get(); }
  template <typename T> T *as() const { return static_cast<T *>(data_.get()); }

private:
  TensorType type_;
  std::shared_ptr<void> data_;
};

} // namespace tinyrt

#endif // TINY_RUNTIME_TENSOR_H
