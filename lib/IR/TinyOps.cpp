//===- TinyOps.cpp - result types and verifiers ---------------------------===//
//
// Ops whose result type follows from their operands and attributes infer it, and
// check the attributes on the way: a wrong attribute and a wrong result type are
// the same kind of error to a reader. Every message names the offending value and
// what would be right.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/TinyDialect.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

#define GET_OP_CLASSES
#include "Tiny/IR/TinyOps.cpp.inc"

/// Reports at an optional location, as type inference must.
template <typename... Args>
static LogicalResult failAt(std::optional<Location> loc, StringRef op, Args &&...args) {
  if (!loc)
    return failure();
  InFlightDiagnostic diag = emitError(*loc) << "'tiny." << op << "' op ";
  (diag << ... << std::forward<Args>(args));
  return diag;
}

/// One entry of `list` per dimension of `type`, or an error that says so.
static LogicalResult checkPerDim(std::optional<Location> loc, StringRef op, StringRef name,
                                 ArrayRef<int64_t> list, RankedTensorType type) {
  if (static_cast<int64_t>(list.size()) == type.getRank())
    return success();
  return failAt(loc, op, name, " has ", list.size(), " entries, but the input ", type, " has ",
                type.getRank(), " dimensions; give one entry per dimension");
}

static RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

//===----------------------------------------------------------------------===//
// Compute
//===----------------------------------------------------------------------===//

LogicalResult CmpOp::inferReturnTypes(MLIRContext *context, std::optional<Location>,
                                      Adaptor adaptor, SmallVectorImpl<Type> &types) {
  types.push_back(tensorOf(adaptor.getLhs()).clone(IntegerType::get(context, 1)));
  return success();
}

LogicalResult ReduceOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                         Adaptor adaptor, SmallVectorImpl<Type> &types) {
  RankedTensorType input = tensorOf(adaptor.getInput());
  llvm::SmallBitVector dropped(input.getRank());
  for (int64_t dim : adaptor.getDims()) {
    if (dim < 0 || dim >= input.getRank())
      return failAt(loc, "reduce", "dim ", dim, " does not exist in ", input, "; dims are 0 to ",
                    input.getRank() - 1);
    if (dropped.test(dim))
      return failAt(loc, "reduce", "dim ", dim, " is listed twice; list each dim once");
    dropped.set(dim);
  }
  SmallVector<int64_t> shape;
  for (auto [dim, size] : llvm::enumerate(input.getShape()))
    if (!dropped.test(dim))
      shape.push_back(size);
  types.push_back(input.clone(shape));
  return success();
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

LogicalResult ReshapeOp::verify() {
  RankedTensorType from = getInput().getType(), to = getType();
  if (from.getNumElements() == to.getNumElements())
    return success();
  return emitOpError() << "input " << from << " has " << from.getNumElements()
                       << " elements, but result " << to << " has " << to.getNumElements()
                       << "; both must have the same number";
}

LogicalResult PermuteOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                          Adaptor adaptor, SmallVectorImpl<Type> &types) {
  RankedTensorType input = tensorOf(adaptor.getInput());
  ArrayRef<int64_t> permutation = adaptor.getPermutation();
  if (failed(checkPerDim(loc, "permute", "permutation", permutation, input)))
    return failure();
  llvm::SmallBitVector seen(input.getRank());
  SmallVector<int64_t> shape;
  for (int64_t dim : permutation) {
    if (dim < 0 || dim >= input.getRank() || seen.test(dim))
      return failAt(loc, "permute", "permutation entry ", dim,
                    " is out of range or repeated; list each of 0 to ", input.getRank() - 1,
                    " once");
    seen.set(dim);
    shape.push_back(input.getDimSize(dim));
  }
  types.push_back(input.clone(shape));
  return success();
}

LogicalResult ExpandOp::verify() {
  RankedTensorType from = getInput().getType(), to = getType();
  if (from.getRank() != to.getRank())
    return emitOpError() << "input " << from << " and result " << to
                         << " differ in rank; reshape the input to rank " << to.getRank()
                         << " with dimensions of size 1 first";
  for (auto [dim, sizes] : llvm::enumerate(llvm::zip(from.getShape(), to.getShape()))) {
    auto [fromSize, toSize] = sizes;
    if (fromSize != toSize && fromSize != 1)
      return emitOpError() << "dim " << dim << " of the input has size " << fromSize
                           << ", which does not repeat to " << toSize
                           << "; only a dimension of size 1 can be expanded";
  }
  return success();
}

LogicalResult PadOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                      SmallVectorImpl<Type> &types) {
  RankedTensorType input = tensorOf(adaptor.getInput());
  ArrayRef<int64_t> low = adaptor.getLow(), high = adaptor.getHigh();
  if (failed(checkPerDim(loc, "pad", "low", low, input)) ||
      failed(checkPerDim(loc, "pad", "high", high, input)))
    return failure();
  SmallVector<int64_t> shape;
  for (auto [dim, size] : llvm::enumerate(input.getShape())) {
    if (low[dim] < 0 || high[dim] < 0)
      return failAt(loc, "pad", "pads dim ", dim, " by ", low[dim], " and ", high[dim],
                    "; padding must not be negative, use tiny.shrink to cut");
    int64_t padded;
    if (llvm::AddOverflow(size, low[dim], padded) || llvm::AddOverflow(padded, high[dim], padded))
      return failAt(loc, "pad", "pads dim ", dim, " past the largest 64-bit size");
    shape.push_back(padded);
  }
  types.push_back(input.clone(shape));
  return success();
}

LogicalResult PadOp::verify() {
  Type element = getInput().getType().getElementType();
  if (getValue().getType() == element && isa<FloatAttr, IntegerAttr>(getValue()))
    return success();
  return emitOpError() << "pads with " << getValue() << ", but the elements are " << element
                       << "; give a scalar value of that type";
}

LogicalResult ShrinkOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                         Adaptor adaptor, SmallVectorImpl<Type> &types) {
  RankedTensorType input = tensorOf(adaptor.getInput());
  ArrayRef<int64_t> offsets = adaptor.getOffsets(), sizes = adaptor.getSizes();
  if (failed(checkPerDim(loc, "shrink", "offsets", offsets, input)) ||
      failed(checkPerDim(loc, "shrink", "sizes", sizes, input)))
    return failure();
  for (auto [dim, size] : llvm::enumerate(input.getShape()))
    if (offsets[dim] < 0 || sizes[dim] < 0 || offsets[dim] > size - sizes[dim])
      return failAt(loc, "shrink", "keeps ", sizes[dim], " elements from ", offsets[dim],
                    " on in dim ", dim, ", which has ", size,
                    "; offset and size must lie inside the input");
  types.push_back(input.clone(sizes));
  return success();
}

LogicalResult StrideOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                         Adaptor adaptor, SmallVectorImpl<Type> &types) {
  RankedTensorType input = tensorOf(adaptor.getInput());
  ArrayRef<int64_t> steps = adaptor.getSteps();
  if (failed(checkPerDim(loc, "stride", "steps", steps, input)))
    return failure();
  SmallVector<int64_t> shape;
  for (auto [dim, size] : llvm::enumerate(input.getShape())) {
    if (steps[dim] == 0 || steps[dim] == std::numeric_limits<int64_t>::min())
      return failAt(loc, "stride", "step of dim ", dim, " is ", steps[dim],
                    "; use 1 to keep every element, -1 to reverse");
    shape.push_back(llvm::divideCeil(static_cast<uint64_t>(size), std::abs(steps[dim])));
  }
  types.push_back(input.clone(shape));
  return success();
}

//===----------------------------------------------------------------------===//
// Sources and tests
//===----------------------------------------------------------------------===//

LogicalResult ConstantOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                           Adaptor adaptor, SmallVectorImpl<Type> &types) {
  auto type = dyn_cast<RankedTensorType>(adaptor.getValue().getShapedType());
  if (!type)
    return failAt(loc, "constant", "value has type ", adaptor.getValue().getShapedType(),
                  "; it must be a tensor");
  types.push_back(type);
  return success();
}

void ConstantOp::build(OpBuilder &, OperationState &state, ElementsAttr value) {
  state.getOrAddProperties<Properties>().value = value;
  state.addTypes(value.getShapedType());
}

LogicalResult IotaOp::verify() {
  if (getDim() < static_cast<uint64_t>(getType().getRank()))
    return success();
  return emitOpError() << "dim " << static_cast<int64_t>(getDim()) << " does not exist in "
                       << getType() << "; dims are 0 to " << getType().getRank() - 1;
}

LogicalResult ExpectCloseOp::verify() {
  for (const APFloat &tolerance : {getRtol(), getAtol()})
    if (tolerance.isNaN() || (tolerance.isNegative() && !tolerance.isZero()))
      return emitOpError() << "tolerance is " << tolerance.convertToDouble()
                           << "; it must be a number of at least 0";
  return success();
}

//===----------------------------------------------------------------------===//
// What the Schedule stage makes
//===----------------------------------------------------------------------===//

/// The kernel exists and takes as many elements of the same storage type as the launch passes.
LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<FunctionOpInterface>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError() << "kernel @" << getKernel() << " is not a function of this module";
  SmallVector<Type> passed(getInputs().getTypes());
  llvm::append_range(passed, getOutputs().getTypes());
  if (kernel.getNumArguments() < passed.size())
    return emitOpError() << "passes " << passed.size() << " buffers, but kernel @" << getKernel()
                         << " takes " << kernel.getNumArguments();
  for (auto [index, type] : llvm::enumerate(passed)) {
    auto taken = dyn_cast<ShapedType>(kernel.getArgumentTypes()[index]);
    if (!taken) // past bufferisation and the ABI: raw pointers
      return success();
    auto given = cast<RankedTensorType>(type);
    if (taken.getNumElements() != given.getNumElements() ||
        taken.getElementType() != storageType(given.getElementType()))
      return emitOpError() << "buffer " << index << " is " << given << ", but kernel @"
                           << getKernel() << " takes " << taken
                           << "; the number of elements and the storage type must agree";
  }
  return success();
}

void ReadOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  if (isa<MemRefType>(getSource().getType()))
    effects.emplace_back(MemoryEffects::Read::get(), &getSourceMutable());
}

LogicalResult ReadOp::verify() {
  auto source = cast<ShapedType>(getSource().getType());
  unsigned indices = getIndices().size(), constraints = getGuard().getNumResults();
  if (getMap().getNumResults() != static_cast<unsigned>(source.getRank()))
    return emitOpError() << "map has " << getMap().getNumResults() << " results, but the source "
                         << source << " has " << source.getRank() << " dimensions";
  if (getMap().getNumDims() != indices || getGuard().getNumDims() != indices ||
      getMap().getNumSymbols() != 0 || getGuard().getNumSymbols() != 0)
    return emitOpError() << "map and guard must take the " << indices
                         << " indices as dimensions and no symbols";
  if (getLows().size() != constraints || getHighs().size() != constraints ||
      getPads().size() != constraints)
    return emitOpError() << "guard has " << constraints
                         << " constraints; lows, highs and pads must have as many entries";
  if (getType() != source.getElementType())
    return emitOpError() << "reads " << getType() << " from a source of "
                         << source.getElementType();
  for (Attribute pad : getPads()) {
    auto typed = dyn_cast<TypedAttr>(pad);
    if (!typed || typed.getType() != getType())
      return emitOpError() << "pad " << pad << " is not of the element type " << getType();
  }
  return success();
}
