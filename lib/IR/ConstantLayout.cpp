//===- ConstantLayout.cpp - the order of a constant in memory -------------===//

#include "Tiny/IR/ConstantLayout.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"

#include <cstring>

using namespace mlir;
using namespace mlir::tiny;

static constexpr StringLiteral kLayoutAttrName = "tiny.layout";

FailureOr<std::optional<ConstantLayout>> mlir::tiny::layoutOf(ConstantOp constant) {
  Attribute attribute = constant->getDiscardableAttr(kLayoutAttrName);
  if (!attribute)
    return std::optional<ConstantLayout>();
  auto fields = dyn_cast<DictionaryAttr>(attribute);
  auto shape = fields ? fields.getAs<DenseI64ArrayAttr>("shape") : DenseI64ArrayAttr();
  auto order = fields ? fields.getAs<DenseI64ArrayAttr>("order") : DenseI64ArrayAttr();
  int64_t elements = 1;
  if (shape)
    for (int64_t size : shape.asArrayRef())
      elements *= size;
  SmallVector<int64_t> sorted(order ? order.asArrayRef() : ArrayRef<int64_t>());
  llvm::sort(sorted);
  if (!shape || !order || !llvm::equal(sorted, llvm::seq<int64_t>(shape.size())) ||
      elements != constant.getType().getNumElements())
    return constant.emitOpError("has a layout that does not fit it: ") << attribute;
  return std::optional(ConstantLayout{SmallVector<int64_t>(shape.asArrayRef()),
                                      SmallVector<int64_t>(order.asArrayRef())});
}

void mlir::tiny::setLayout(ConstantOp constant, const ConstantLayout &layout) {
  Builder b(constant.getContext());
  constant->setDiscardableAttr(
      kLayoutAttrName,
      b.getDictionaryAttr({b.getNamedAttr("order", b.getDenseI64ArrayAttr(layout.order)),
                           b.getNamedAttr("shape", b.getDenseI64ArrayAttr(layout.shape))}));
}

namespace {
/// One dim of a copy: steps in elements.
struct CopyDim {
  int64_t size, from, to;
};
} // namespace

/// Copies along all of `dims`, whose last two are walked in blocks: along one of them the source is
/// contiguous, along the other one the destination.
template <typename Element>
static void copyDims(ArrayRef<CopyDim> dims, const Element *from, Element *to) {
  if (dims.size() > 2) {
    for (int64_t i = 0; i < dims[0].size; ++i)
      copyDims(dims.drop_front(), from + i * dims[0].from, to + i * dims[0].to);
    return;
  }
  constexpr int64_t block = 64;
  auto [rows, rowFrom, rowTo] = dims[0];
  auto [columns, columnFrom, columnTo] = dims[1];
  for (int64_t row0 = 0; row0 < rows; row0 += block)
    for (int64_t column0 = 0; column0 < columns; column0 += block)
      for (int64_t row = row0; row < std::min(rows, row0 + block); ++row)
        for (int64_t column = column0; column < std::min(columns, column0 + block); ++column)
          to[row * rowTo + column * columnTo] = from[row * rowFrom + column * columnFrom];
}

void mlir::tiny::copyInLayout(const ConstantLayout &layout, int64_t elementBytes, const char *from,
                              char *to) {
  const int64_t rank = layout.shape.size();
  SmallVector<CopyDim> dims(rank);
  int64_t elements = 1;
  for (int64_t dim = rank; dim-- > 0;) {
    dims[dim] = {layout.shape[dim], elements, 0};
    elements *= layout.shape[dim];
  }
  int64_t step = 1;
  for (int64_t dim : llvm::reverse(layout.order)) {
    dims[dim].to = step;
    step *= layout.shape[dim];
  }
  // Those along which one of the two is contiguous last.
  llvm::erase_if(dims, [](const CopyDim &dim) { return dim.size == 1; });
  llvm::stable_sort(dims, [](const CopyDim &a, const CopyDim &b) {
    return (a.from == 1 || a.to == 1) < (b.from == 1 || b.to == 1);
  });
  while (dims.size() < 2)
    dims.insert(dims.begin(), {1, 0, 0});
  auto copy = [&](auto element) {
    using Element = decltype(element);
    copyDims(dims, reinterpret_cast<const Element *>(from), reinterpret_cast<Element *>(to));
  };
  switch (elementBytes) {
  case 1:
    return copy(uint8_t());
  case 2:
    return copy(uint16_t());
  case 4:
    return copy(uint32_t());
  default:
    return copy(uint64_t());
  }
}
