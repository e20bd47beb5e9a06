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

/// Where a shape rule reports what is wrong; null while types are inferred, when nobody asks why.
using Report = llvm::function_ref<InFlightDiagnostic()>;

template <typename... Args> static LogicalResult fail(Report report, Args &&...args) {
  if (!report)
    return failure();
  InFlightDiagnostic diag = report();
  (diag << ... << std::forward<Args>(args));
  return diag;
}

/// One entry of `list` per dimension of `type`, or an error that says so.
static LogicalResult checkPerDim(Report report, StringRef name, ArrayRef<int64_t> list,
                                 RankedTensorType type) {
  if (static_cast<int64_t>(list.size()) == type.getRank())
    return success();
  return fail(report, name, " has ", list.size(), " entries, but the input ", type, " has ",
              type.getRank(), " dimensions; give one entry per dimension");
}

static RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// Defines type inference and the verifier of `Op` by its shape rule. Where the attributes are
/// wrong the inferred type is a placeholder that is never compared, so that the verifier's message
/// is the only one.
#define TINY_SHAPE_RULE(Op, rule)                                                                  \
  static LogicalResult shapeRule(Op::Adaptor x, RankedTensorType input, Report report,             \
                                 SmallVectorImpl<int64_t> &shape) {                                \
    return rule;                                                                                   \
  }                                                                                                \
  LogicalResult Op::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor adaptor,      \
                                     SmallVectorImpl<Type> &types) {                               \
    RankedTensorType input = tensorOf(adaptor.getInput());                                         \
    SmallVector<int64_t> shape;                                                                    \
    bool isValid = succeeded(shapeRule(adaptor, input, {}, shape));                                \
    types.push_back(isValid ? input.clone(shape) : input);                                         \
    return success();                                                                              \
  }                                                                                                \
  bool Op::isCompatibleReturnTypes(TypeRange, TypeRange) { return true; }                          \
  LogicalResult Op::verify() {                                                                     \
    SmallVector<int64_t> shape;                                                                    \
    RankedTensorType input = getInput().getType();                                                 \
    auto report = [&] { return emitOpError(); };                                                   \
    if (failed(shapeRule(Adaptor(*this), input, report, shape)))                                   \
      return failure();                                                                            \
    if (RankedTensorType right = input.clone(shape); right != getType())                           \
      return emitOpError() << "result is " << getType() << ", but must be " << right;              \
    return success();                                                                              \
  }

//===----------------------------------------------------------------------===//
// Compute
//===----------------------------------------------------------------------===//

LogicalResult CmpOp::inferReturnTypes(MLIRContext *context, std::optional<Location>,
                                      Adaptor adaptor, SmallVectorImpl<Type> &types) {
  types.push_back(tensorOf(adaptor.getLhs()).clone(IntegerType::get(context, 1)));
  return success();
}

static LogicalResult shapeOfReduce(RankedTensorType input, ArrayRef<int64_t> dims, Report report,
                                   SmallVectorImpl<int64_t> &shape) {
  llvm::SmallBitVector dropped(input.getRank());
  for (int64_t dim : dims) {
    if (dim < 0 || dim >= input.getRank())
      return fail(report, "dim ", dim, " does not exist in ", input, "; dims are 0 to ",
                  input.getRank() - 1);
    if (dropped.test(dim))
      return fail(report, "dim ", dim, " is listed twice; list each dim once");
    dropped.set(dim);
  }
  for (auto [dim, size] : llvm::enumerate(input.getShape()))
    if (!dropped.test(dim))
      shape.push_back(size);
  return success();
}

TINY_SHAPE_RULE(ReduceOp, shapeOfReduce(input, x.getDims(), report, shape))

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

static LogicalResult shapeOfPermute(RankedTensorType input, ArrayRef<int64_t> permutation,
                                    Report report, SmallVectorImpl<int64_t> &shape) {
  if (failed(checkPerDim(report, "permutation", permutation, input)))
    return failure();
  llvm::SmallBitVector seen(input.getRank());
  for (int64_t dim : permutation) {
    if (dim < 0 || dim >= input.getRank() || seen.test(dim))
      return fail(report, "permutation entry ", dim,
                  " is out of range or repeated; list each of 0 to ", input.getRank() - 1, " once");
    seen.set(dim);
    shape.push_back(input.getDimSize(dim));
  }
  return success();
}

TINY_SHAPE_RULE(PermuteOp, shapeOfPermute(input, x.getPermutation(), report, shape))

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

static LogicalResult shapeOfPad(RankedTensorType input, ArrayRef<int64_t> low,
                                ArrayRef<int64_t> high, Attribute value, Report report,
                                SmallVectorImpl<int64_t> &shape) {
  if (failed(checkPerDim(report, "low", low, input)) ||
      failed(checkPerDim(report, "high", high, input)))
    return failure();
  for (auto [dim, size] : llvm::enumerate(input.getShape())) {
    if (low[dim] < 0 || high[dim] < 0)
      return fail(report, "pads dim ", dim, " by ", low[dim], " and ", high[dim],
                  "; padding must not be negative, use tiny.shrink to cut");
    int64_t padded;
    if (llvm::AddOverflow(size, low[dim], padded) || llvm::AddOverflow(padded, high[dim], padded))
      return fail(report, "pads dim ", dim, " past the largest 64-bit size");
    shape.push_back(padded);
  }
  auto number = dyn_cast<TypedAttr>(value);
  if (!number || !isa<FloatAttr, IntegerAttr>(value) || number.getType() != input.getElementType())
    return fail(report, "pads with ", value, ", but the elements are ", input.getElementType(),
                "; give a scalar value of that type");
  return success();
}

TINY_SHAPE_RULE(PadOp, shapeOfPad(input, x.getLow(), x.getHigh(), x.getValue(), report, shape))

static LogicalResult shapeOfShrink(RankedTensorType input, ArrayRef<int64_t> offsets,
                                   ArrayRef<int64_t> sizes, Report report,
                                   SmallVectorImpl<int64_t> &shape) {
  if (failed(checkPerDim(report, "offsets", offsets, input)) ||
      failed(checkPerDim(report, "sizes", sizes, input)))
    return failure();
  for (auto [dim, size] : llvm::enumerate(input.getShape()))
    if (offsets[dim] < 0 || sizes[dim] < 0 || offsets[dim] > size - sizes[dim])
      return fail(report, "keeps ", sizes[dim], " elements from ", offsets[dim], " on in dim ", dim,
                  ", which has ", size, "; offset and size must lie inside the input");
  shape.assign(sizes.begin(), sizes.end());
  return success();
}

TINY_SHAPE_RULE(ShrinkOp, shapeOfShrink(input, x.getOffsets(), x.getSizes(), report, shape))

static LogicalResult shapeOfStride(RankedTensorType input, ArrayRef<int64_t> steps, Report report,
                                   SmallVectorImpl<int64_t> &shape) {
  if (failed(checkPerDim(report, "steps", steps, input)))
    return failure();
  for (auto [dim, size] : llvm::enumerate(input.getShape())) {
    if (steps[dim] == 0 || steps[dim] == std::numeric_limits<int64_t>::min())
      return fail(report, "step of dim ", dim, " is ", steps[dim],
                  "; use 1 to keep every element, -1 to reverse");
    shape.push_back(llvm::divideCeil(static_cast<uint64_t>(size), std::abs(steps[dim])));
  }
  return success();
}

TINY_SHAPE_RULE(StrideOp, shapeOfStride(input, x.getSteps(), report, shape))

//===----------------------------------------------------------------------===//
// Sources and tests
//===----------------------------------------------------------------------===//

LogicalResult ConstantOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor adaptor,
                                           SmallVectorImpl<Type> &types) {
  types.push_back(adaptor.getValue().getShapedType());
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

void LaunchOp::build(OpBuilder &, OperationState &state, TypeRange outputs, StringRef kernel,
                     ValueRange inputs) {
  Properties &properties = state.getOrAddProperties<Properties>();
  properties.kernel = FlatSymbolRefAttr::get(state.getContext(), kernel);
  properties.operandSegmentSizes = {static_cast<int32_t>(inputs.size()), 0};
  state.addOperands(inputs);
  state.addTypes(outputs);
}

Value LaunchOp::getInitOf(unsigned number) {
  ArrayRef<int64_t> updates = getUpdates().value_or(ArrayRef<int64_t>());
  const int64_t *found = llvm::find(updates, static_cast<int64_t>(number));
  return found == updates.end() ? Value() : getInits()[found - updates.begin()];
}

LogicalResult LaunchOp::verify() {
  ArrayRef<int64_t> updates = getUpdates().value_or(ArrayRef<int64_t>());
  if (updates.size() != getInits().size())
    return emitOpError() << "has " << getInits().size() << " values to update, but names "
                         << updates.size() << " results that do";
  int64_t previous = -1;
  for (auto [number, init] : llvm::zip(updates, getInits())) {
    if (number <= previous || number >= static_cast<int64_t>(getNumResults()))
      return emitOpError() << "updates " << updates
                           << " must be numbers of results in ascending order; there are "
                           << getNumResults();
    auto from = cast<RankedTensorType>(init.getType());
    auto to = cast<RankedTensorType>(getResult(number).getType());
    // One buffer, which is dense: its shape may be another one.
    if (from.getElementType() != to.getElementType() ||
        from.getNumElements() != to.getNumElements())
      return emitOpError() << "result " << number << " is " << getResult(number).getType()
                           << ", but updates " << init.getType();
    previous = number;
  }
  return success();
}

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
