//===- ConstantTensor.cpp - layouts, and the way from and to IR -----------===//

#include "ConstantTensor.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cstring>

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

static void dropStridesOfUnitDims(Layout &layout) {
  for (auto [size, stride] : llvm::zip(layout.shape, layout.strides))
    if (size == 1)
      stride = 0;
}

static SmallVector<int64_t> naturalOrder(int64_t rank) {
  return llvm::to_vector(llvm::seq<int64_t>(rank));
}

/// Strides for the dims that `isStored` holds for, dense, in the given order of dims.
static Layout denseInOrder(ArrayRef<int64_t> shape, ArrayRef<int64_t> order,
                           llvm::function_ref<bool(int64_t)> isStored) {
  Layout layout{llvm::to_vector(shape), SmallVector<int64_t>(shape.size(), 0), 0};
  int64_t stride = 1;
  for (int64_t dim : llvm::reverse(order))
    if (shape[dim] != 1 && isStored(dim)) {
      layout.strides[dim] = stride;
      stride *= shape[dim];
    }
  return layout;
}

Layout Layout::packed(const Layout &like) {
  return denseInOrder(like.shape, like.memoryOrder(),
                      [&](int64_t dim) { return like.strides[dim] != 0; });
}

Layout Layout::rowMajor(ArrayRef<int64_t> shape) {
  return denseInOrder(shape, naturalOrder(shape.size()), [](int64_t) { return true; });
}

Layout Layout::splat(ArrayRef<int64_t> shape) {
  return {llvm::to_vector(shape), SmallVector<int64_t>(shape.size(), 0), 0};
}

int64_t Layout::numStored() const {
  int64_t count = 1;
  for (auto [size, stride] : llvm::zip(shape, strides))
    count *= stride ? size : 1;
  return count;
}

SmallVector<int64_t> Layout::memoryOrder() const {
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(shape.size()));
  llvm::sort(order, [&](int64_t a, int64_t b) {
    if ((strides[a] == 0) != (strides[b] == 0))
      return strides[a] == 0;
    return std::pair(-std::abs(strides[a]), a) < std::pair(-std::abs(strides[b]), b);
  });
  return order;
}

bool Layout::isPacked() const { return offset == 0 && strides == packed(*this).strides; }

std::optional<Layout> Layout::reshaped(ArrayRef<int64_t> newShape) const {
  // Dims of size 1 are no obstacle anywhere.
  SmallVector<int64_t> oldDims, newDims;
  for (int64_t dim = 0, rank = shape.size(); dim < rank; ++dim)
    if (shape[dim] != 1)
      oldDims.push_back(dim);
  for (int64_t dim = 0, rank = newShape.size(); dim < rank; ++dim)
    if (newShape[dim] != 1)
      newDims.push_back(dim);

  Layout result{llvm::to_vector(newShape), SmallVector<int64_t>(newShape.size(), 0), offset};
  // The shortest runs of old and of new dims with the same number of elements: each run of old dims
  // must be one dim in disguise, which is then cut anew.
  for (size_t oldEnd = 0, newEnd = 0; oldEnd < oldDims.size();) {
    size_t oldBegin = oldEnd, newBegin = newEnd;
    int64_t oldCount = shape[oldDims[oldEnd++]], newCount = newShape[newDims[newEnd++]];
    while (oldCount != newCount) {
      if (oldCount < newCount)
        oldCount *= shape[oldDims[oldEnd++]];
      else
        newCount *= newShape[newDims[newEnd++]];
    }
    for (size_t k = oldBegin; k + 1 < oldEnd; ++k)
      if (strides[oldDims[k]] != strides[oldDims[k + 1]] * shape[oldDims[k + 1]])
        return std::nullopt;
    int64_t stride = strides[oldDims[oldEnd - 1]];
    for (size_t k = newEnd; k > newBegin; --k) {
      result.strides[newDims[k - 1]] = stride;
      stride *= newShape[newDims[k - 1]];
    }
  }
  return result;
}

std::optional<Layout> Layout::through(Operation *movement) const {
  Layout result = *this;
  auto shapeOf = [](Value value) { return cast<RankedTensorType>(value.getType()).getShape(); };
  result.shape = llvm::to_vector(shapeOf(movement->getResult(0)));
  bool isView = llvm::TypeSwitch<Operation *, bool>(movement)
                    .Case([&](ReshapeOp op) {
                      std::optional<Layout> view = reshaped(result.shape);
                      if (view)
                        result = *view;
                      return view.has_value();
                    })
                    .Case([&](PermuteOp op) {
                      for (auto [i, dim] : llvm::enumerate(op.getPermutation()))
                        result.strides[i] = strides[dim];
                      return true;
                    })
                    .Case([&](ExpandOp) { return true; }) // a dim of size 1 has no stride
                    .Case([&](ShrinkOp op) {
                      for (auto [begin, stride] : llvm::zip(op.getOffsets(), strides))
                        result.offset += begin * stride;
                      return true;
                    })
                    .Case([&](StrideOp op) {
                      for (auto [i, step] : llvm::enumerate(op.getSteps())) {
                        if (step < 0)
                          result.offset += (shape[i] - 1) * strides[i];
                        // A step past the end is of no use, and could overflow the product.
                        result.strides[i] = result.shape[i] == 1 ? 0 : strides[i] * step;
                      }
                      return true;
                    })
                    .Default([](Operation *) { return false; });
  if (!isView)
    return std::nullopt;
  dropStridesOfUnitDims(result);
  return result;
}

/// Stores the dims that any operand stores, in the order of the operand that stores most; row-major
/// if that one is.
static Layout jointLayout(ArrayRef<const Layout *> operands) {
  const Layout *largest = operands.front();
  for (const Layout *operand : operands)
    if (operand->numStored() > largest->numStored())
      largest = operand;
  SmallVector<int64_t> natural = naturalOrder(largest->shape.size());
  auto isStored = [&](int64_t dim) { return largest->strides[dim] != 0; };
  bool isRowMajor = largest->strides == denseInOrder(largest->shape, natural, isStored).strides;
  return denseInOrder(
      largest->shape, isRowMajor ? natural : largest->memoryOrder(), [&](int64_t dim) {
        return llvm::any_of(operands, [&](const Layout *operand) { return operand->strides[dim]; });
      });
}

ResultLayout mlir::tiny::resultLayout(Operation *op, ArrayRef<const Layout *> operands) {
  if (isElementwise(op))
    return {jointLayout(operands), false};
  ArrayRef<int64_t> shape = cast<RankedTensorType>(op->getResult(0).getType()).getShape();
  if (auto iota = dyn_cast<IotaOp>(op)) {
    Layout layout = Layout::splat(shape);
    int64_t dim = iota.getDim();
    layout.strides[dim] = shape[dim] != 1;
    return {layout, false};
  }
  const Layout &input = *operands[0];
  if (auto reduce = dyn_cast<ReduceOp>(op)) {
    Layout kept;
    for (int64_t dim = 0, rank = input.shape.size(); dim < rank; ++dim)
      if (!llvm::is_contained(reduce.getDims(), dim)) {
        kept.shape.push_back(input.shape[dim]);
        kept.strides.push_back(input.strides[dim]);
      }
    return {Layout::packed(kept), false};
  }
  if (std::optional<Layout> view = input.through(op))
    return {*view, true};
  if (isa<PadOp>(op))
    return {denseInOrder(shape, input.memoryOrder(),
                         [&](int64_t dim) {
                           return input.strides[dim] != 0 || shape[dim] != input.shape[dim];
                         }),
            false};
  return {Layout::rowMajor(shape), false};
}

int64_t mlir::tiny::evaluationWork(Operation *op, const Layout &result,
                                   ArrayRef<const Layout *> operands) {
  if (isa<Exp2Op, Log2Op, SinOp>(op))
    return 16 * result.numStored();
  if (!isa<ReduceOp>(op))
    return result.numStored();
  int64_t work = 1;
  for (auto [dim, size] : llvm::enumerate(operands[0]->shape))
    if (operands[0]->strides[dim] || llvm::is_contained(cast<ReduceOp>(op).getDims(), dim))
      work *= size;
  return work;
}

int64_t mlir::tiny::bytesOf(const Layout &layout, Type elementType) {
  return layout.numStored() * (storageType(elementType).getIntOrFloatBitWidth() / 8);
}

//===----------------------------------------------------------------------===//
// From IR
//===----------------------------------------------------------------------===//

/// Attributes and blobs live as long as the context, which is longer than any pass.
static std::shared_ptr<const char> borrow(ArrayRef<char> data) {
  return std::shared_ptr<const char>(std::shared_ptr<const char>(), data.data());
}

static std::shared_ptr<const char> copyOf(ArrayRef<char> data) {
  auto owner = std::make_shared<SmallVector<char, 0>>(data);
  return std::shared_ptr<const char>(owner, owner->data());
}

ConstantTensor mlir::tiny::readConstant(ConstantOp op) {
  RankedTensorType type = op.getType();
  Type element = type.getElementType();
  ConstantTensor result{element, Layout::rowMajor(type.getShape()), nullptr};
  auto keep = [&](ArrayRef<char> data) {
    bool isAligned = reinterpret_cast<uintptr_t>(data.data()) % alignof(uint64_t) == 0;
    result.data = isAligned ? borrow(data) : copyOf(data);
  };
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(op.getValue())) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (blob && static_cast<int64_t>(blob->getData().size()) == storageBytes(type))
      keep(blob->getData());
    return result;
  }
  auto dense = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!dense)
    return result;
  if (dense.isSplat())
    result.layout = Layout::splat(type.getShape());
  if (element.isInteger(1)) { // packed to bits in the attribute
    SmallVector<char> bytes;
    if (dense.isSplat())
      bytes.push_back(dense.getSplatValue<bool>());
    else
      llvm::append_range(bytes, dense.getValues<bool>());
    result.data = copyOf(bytes);
  } else {
    keep(dense.getRawData());
  }
  return result;
}

//===----------------------------------------------------------------------===//
// To IR
//===----------------------------------------------------------------------===//

/// Larger constants are blobs: attributes are uniqued, which means hashed and copied.
static constexpr int64_t kMaxInlineBytes = 1024;

static ElementsAttr makeAttribute(RankedTensorType type, std::shared_ptr<const char> data,
                                  int64_t bytes, const Twine &name) {
  int64_t elementBytes = bytes / type.getNumElements();
  ArrayRef<char> raw(data.get(), bytes);
  if (std::memcmp(raw.data(), raw.data() + elementBytes, bytes - elementBytes) == 0)
    raw = raw.take_front(elementBytes);
  if (type.getElementType().isInteger(1)) {
    SmallVector<bool> values(raw.begin(), raw.end());
    return DenseElementsAttr::get(type, values);
  }
  if (static_cast<int64_t>(raw.size()) <= kMaxInlineBytes)
    return DenseElementsAttr::getFromRawBuffer(type, raw);
  AsmResourceBlob blob = UnmanagedAsmResourceBlob::allocateWithAlign(
      raw, alignof(uint64_t), [owner = std::move(data)](void *, size_t, size_t) {},
      /*dataIsMutable=*/false);
  return DenseResourceElementsAttr::get(type, name.str(), std::move(blob));
}

Value mlir::tiny::materialize(OpBuilder &b, Location loc, const ConstantTensor &given,
                              const Twine &name) {
  const ConstantTensor value = given.layout.isPacked() ? given : pack(given);
  const Layout &layout = value.layout;
  SmallVector<int64_t> order = layout.memoryOrder(), natural = naturalOrder(order.size());
  auto isStored = [&](int64_t dim) { return layout.strides[dim] != 0; };
  // Dims that are not stored may stay where they are.
  bool isRowMajor = layout.strides == denseInOrder(layout.shape, natural, isStored).strides;
  if (isRowMajor)
    order = natural;
  SmallVector<int64_t> stored, back(order.size());
  for (auto [i, dim] : llvm::enumerate(order)) {
    stored.push_back(layout.strides[dim] ? layout.shape[dim] : 1);
    back[dim] = i;
  }
  auto type = RankedTensorType::get(stored, value.elementType);
  ElementsAttr attribute =
      makeAttribute(type, value.data, bytesOf(layout, value.elementType), name);
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute); dense && dense.isSplat())
    return ConstantOp::create(b, loc, dense.resizeSplat(type.clone(layout.shape)));
  Value result = ConstantOp::create(b, loc, attribute);
  if (!isRowMajor)
    result = PermuteOp::create(b, loc, result, back);
  RankedTensorType whole = type.clone(layout.shape);
  return whole == result.getType() ? result : ExpandOp::create(b, loc, whole, result).getResult();
}
