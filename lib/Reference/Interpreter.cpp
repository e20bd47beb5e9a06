//===- Interpreter.cpp - runs a function of tiny ops ----------------------===//
//
// Decides which values are computed once and stored, computes those in program
// order, and checks the expectations of the program.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Reference/Interpreter.h"

#include "Evaluator.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <thread>

using namespace mlir;
using namespace mlir::tiny;
using namespace mlir::tiny::reference;

/// Enough lanes to hide the cost of walking the program, few enough that the arrays of a batch stay
/// in the second-level cache.
static constexpr int64_t kLanes = 512;

/// A value with more elements is recomputed rather than stored.
static constexpr int64_t kMaxStoredElements = int64_t(1) << 27;

static int64_t countOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getNumElements();
}

//===----------------------------------------------------------------------===//
// What to store
//===----------------------------------------------------------------------===//

namespace {
/// Which values are stored, and the position of the op after which each is no longer needed.
struct StoragePlan {
  llvm::DenseSet<Value> stored;
  std::vector<SmallVector<Value>> droppedAfter; // by op position
};
} // namespace

/// A value is stored when its elements would otherwise be computed more than once: because it has
/// several uses, or because a use is an expand or a window. Walks the ops backwards, so that the
/// number of elements asked of each value is known when its op is reached.
static StoragePlan planStorage(ArrayRef<Operation *> ops, bool withBounds) {
  StoragePlan plan;
  plan.droppedAfter.resize(ops.size());
  llvm::DenseMap<Value, double> demand;
  llvm::DenseMap<Value, size_t> lastUse;
  for (size_t position = ops.size(); position-- > 0;) {
    Operation *op = ops[position];
    size_t usedUntil = position;
    double asked = -1; // of each operand; -1: each of its elements once
    if (op->getNumResults() == 0) {
      for (Value operand : op->getOperands())
        plan.stored.insert(operand);
    } else {
      Value value = op->getResult(0);
      if (!demand.count(value))
        continue; // unused
      bool isRepeated = demand[value] > countOf(value) && countOf(value) <= kMaxStoredElements;
      if (isa<ReduceOp, ConstantOp>(op) || (isElementwise(op) && isRepeated))
        plan.stored.insert(value);
      bool isStored = plan.stored.contains(value);
      if (isStored)
        plan.droppedAfter[lastUse[value]].push_back(value);
      else
        asked = demand[value];
      // A product in a sum is computed again, to know it unrounded.
      if (!isStored || (withBounds && isa<MulOp>(op)))
        usedUntil = lastUse[value];
    }
    for (Value operand : op->getOperands()) {
      demand[operand] += asked < 0 ? countOf(operand) : asked;
      size_t &last = lastUse.try_emplace(operand, usedUntil).first->second;
      last = std::max(last, usedUntil);
    }
  }
  return plan;
}

//===----------------------------------------------------------------------===//
// Values in memory
//===----------------------------------------------------------------------===//

static Stored storedAt(RankedTensorType type, const void *data) {
  Stored stored;
  stored.type = elementTypeOf(type.getElementType());
  stored.data = data;
  stored.strides.resize(type.getRank());
  int64_t stride = 1;
  for (int64_t dim = type.getRank(); dim-- > 0; stride *= type.getDimSize(dim))
    stored.strides[dim] = stride;
  return stored;
}

static Stored allocateStored(RankedTensorType type, bool withBounds) {
  tinyrt::Tensor tensor(tensorTypeOf(type));
  Stored stored = storedAt(type, tensor.data());
  stored.tensor = std::move(tensor);
  if (withBounds)
    stored.bounds = std::make_shared<std::vector<Bound>>(type.getNumElements());
  return stored;
}

/// The attribute's memory, or a copy where MLIR packs bits.
static FailureOr<Stored> storeConstant(ConstantOp op) {
  RankedTensorType type = op.getType();
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(op.getValue())) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    size_t needed = storageBytes(type);
    if (!blob || blob->getData().size() != needed)
      return op.emitOpError() << "has the resource '" << resource.getRawHandle().getKey() << "' of "
                              << (blob ? blob->getData().size() : 0) << " bytes; its type needs "
                              << needed;
    return storedAt(type, blob->getData().data());
  }
  auto dense = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!dense)
    return op.emitOpError() << "must be a dense or dense_resource value";
  bool isSplat = dense.isSplat();
  Stored stored;
  if (type.getElementType().isInteger(1)) {
    stored = allocateStored(type, /*withBounds=*/false);
    auto *bytes = stored.tensor.as<uint8_t>();
    for (auto [k, bit] : llvm::enumerate(dense.getValues<bool>()))
      bytes[k] = bit;
    return stored;
  }
  stored = storedAt(type, dense.getRawData().data());
  stored.isSplat = isSplat;
  return stored;
}

static Word elementOf(const Stored &stored, int64_t index) {
  return load(stored.type, stored.data, stored.isSplat ? 0 : index);
}

//===----------------------------------------------------------------------===//
// Computing a stored value
//===----------------------------------------------------------------------===//

/// Elements per piece of work: whole inner dims as far as they fit, so that the indices of the
/// outer ones are uniform.
static int64_t chunkSizeOf(ArrayRef<int64_t> shape) {
  int64_t size = 1;
  for (int64_t dim : llvm::reverse(shape)) {
    if (size * dim > kLanes)
      return size >= kLanes / 4 ? size : kLanes / size * size;
    size *= dim;
  }
  return std::max<int64_t>(size, 1);
}

static Lanes computeElements(Evaluator &evaluator, Value value, int64_t begin, int64_t count) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(value.getType()).getShape();
  Batch batch;
  batch.size = count;
  batch.columns.resize(shape.size());
  int64_t stride = 1;
  for (int64_t dim = shape.size(); dim-- > 0; stride *= shape[dim])
    batch.columns[dim] =
        makeColumn(evaluator, count, [&](int64_t k) { return (begin + k) / stride % shape[dim]; });
  return evaluator.compute(value, batch);
}

/// One piece of work: `count` elements from `begin` on.
static void computeChunk(Evaluator &evaluator, Value value, int64_t begin, int64_t count,
                         Stored &stored) {
  evaluator.reset();
  std::vector<Word> words;
  Bound *bounds = stored.bounds ? stored.bounds->data() + begin : nullptr;
  if (auto reduce = value.getDefiningOp<ReduceOp>()) {
    words.resize(count);
    computeReduce(evaluator, reduce, begin, begin + count, kLanes, words.data(), bounds);
  } else {
    Lanes lanes = computeElements(evaluator, value, begin, count);
    words.assign(lanes.words, lanes.words + count);
    if (bounds)
      std::copy_n(lanes.bounds, count, bounds);
  }
  for (int64_t k = 0; k < count; ++k)
    store(stored.type, stored.tensor.data(), begin + k, words[k]);
}

static Stored computeStored(Value value, const Store &store, const InterpretOptions &options,
                            const ScaledSums &scaled) {
  auto type = cast<RankedTensorType>(value.getType());
  Stored stored = allocateStored(type, options.bounds);
  int64_t count = type.getNumElements(), work = count;
  if (auto reduce = value.getDefiningOp<ReduceOp>())
    work = countOf(reduce.getInput());
  int64_t chunkSize = chunkSizeOf(type.getShape());
  std::atomic<int64_t> next{0};
  auto worker = [&] {
    Evaluator evaluator(store, options.bounds, scaled);
    for (int64_t begin; (begin = next.fetch_add(chunkSize)) < count;)
      computeChunk(evaluator, value, begin, std::min(chunkSize, count - begin), stored);
  };
  unsigned threads = options.threads ? options.threads : std::thread::hardware_concurrency();
  std::vector<std::thread> helpers;
  if (work > 100 * kLanes) // else starting a thread costs more than it saves
    for (unsigned k = 1; k < threads; ++k)
      helpers.emplace_back(worker);
  worker();
  for (std::thread &helper : helpers)
    helper.join();
  return stored;
}

//===----------------------------------------------------------------------===//
// Expectations
//===----------------------------------------------------------------------===//

static bool isClose(ElementType type, Word actual, Word expected, double rtol, double atol) {
  if (sameElement(type, actual, expected) || actual.f == expected.f)
    return true;
  if (!std::isfinite(actual.f) || !std::isfinite(expected.f))
    return false;
  return std::fabs(actual.f - expected.f) <= atol + rtol * std::fabs(expected.f);
}

static std::string textOf(ElementType type, Word word) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (isFloat(type))
    stream << llvm::format("%.9g", word.f);
  else if (isUnsigned(type))
    stream << word.u;
  else
    stream << word.i;
  return text;
}

/// Reports how many elements differ and where the first one is.
template <typename IsFine>
static LogicalResult checkExpectation(Operation *op, const Store &store, IsFine isFine) {
  const Stored &actual = store.at(op->getOperand(0)), &expected = store.at(op->getOperand(1));
  auto type = cast<RankedTensorType>(op->getOperand(0).getType());
  int64_t wrong = 0, first = 0;
  for (int64_t k = 0; k < type.getNumElements(); ++k)
    if (!isFine(actual.type, elementOf(actual, k), elementOf(expected, k)) && wrong++ == 0)
      first = k;
  if (wrong == 0)
    return success();
  SmallVector<int64_t> index(type.getRank());
  int64_t position = first;
  for (int64_t dim = type.getRank(); dim-- > 0; position /= type.getDimSize(dim))
    index[dim] = position % type.getDimSize(dim);
  InFlightDiagnostic error = op->emitOpError()
                             << "does not hold: " << wrong << " of " << type.getNumElements()
                             << " elements differ, the first at [";
  llvm::interleaveComma(index, error);
  return error << "]: actual " << textOf(actual.type, elementOf(actual, first)) << ", expected "
               << textOf(actual.type, elementOf(expected, first));
}

static LogicalResult checkExpectation(Operation *op, const Store &store) {
  if (isa<ExpectEqOp>(op))
    return checkExpectation(op, store, sameElement);
  auto close = cast<ExpectCloseOp>(op);
  double rtol = close.getRtol().convertToDouble(), atol = close.getAtol().convertToDouble();
  return checkExpectation(op, store, [&](ElementType type, Word actual, Word expected) {
    return isClose(type, actual, expected, rtol, atol);
  });
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

/// The ops of `entry` in order, or an error for each that the tiny language does not have.
static FailureOr<std::vector<Operation *>> collectOps(func::FuncOp entry) {
  if (entry.isExternal() || !entry.getBody().hasOneBlock())
    return entry.emitError() << "function @" << entry.getName()
                             << " must have a body of one block to be run";
  std::vector<Operation *> ops;
  bool isFine = true;
  for (Operation &op : entry.getBody().front()) {
    bool isKnown = isMovement(&op) || isElementwise(&op) ||
                   isa<ReduceOp, ConstantOp, IotaOp, ExpectEqOp, ExpectCloseOp, func::ReturnOp>(op);
    if (!isKnown) {
      op.emitError() << "'" << op.getName()
                     << "' is not an op of the tiny language, which is all that the reference runs";
      isFine = false;
    }
    ops.push_back(&op);
  }
  if (!isFine)
    return failure();
  return ops;
}

static LogicalResult checkInputs(func::FuncOp entry, ArrayRef<tinyrt::Tensor> inputs) {
  if (inputs.size() != entry.getNumArguments())
    return entry.emitError() << "function @" << entry.getName() << " takes "
                             << entry.getNumArguments() << " inputs, but " << inputs.size()
                             << " are given";
  for (auto [index, type] : llvm::enumerate(entry.getArgumentTypes())) {
    if (!isa<RankedTensorType>(type) || !cast<RankedTensorType>(type).hasStaticShape())
      return entry.emitError() << "argument " << index << " is " << type
                               << "; only tensors of static shape can be run";
    if (inputs[index].type() != tensorTypeOf(type))
      return entry.emitError() << "input " << index << " is " << inputs[index].type().str()
                               << ", but function @" << entry.getName() << " takes " << type;
  }
  return success();
}

static ReferenceOutput makeOutput(Value value, const Stored &stored, bool withBounds) {
  auto type = cast<RankedTensorType>(value.getType());
  ReferenceOutput output;
  output.value = stored.tensor;
  bool isComputed = value.getDefiningOp() && !isa<ConstantOp>(value.getDefiningOp());
  if (!isComputed) { // the caller may write to an output
    output.value = tinyrt::Tensor(tensorTypeOf(type));
    for (int64_t k = 0; k < type.getNumElements(); ++k)
      store(stored.type, output.value.data(), k, elementOf(stored, k));
  }
  if (stored.bounds)
    output.bounds = *stored.bounds;
  else if (withBounds)
    for (int64_t k = 0; k < type.getNumElements(); ++k)
      output.bounds.push_back(isFloat(stored.type) ? exactly(elementOf(stored, k).f) : Bound{});
  return output;
}

FailureOr<ReferenceResult> tiny::interpret(func::FuncOp entry, ArrayRef<tinyrt::Tensor> inputs,
                                           const InterpretOptions &options) {
  FailureOr<std::vector<Operation *>> ops = collectOps(entry);
  if (failed(ops) || failed(checkInputs(entry, inputs)))
    return failure();
  StoragePlan plan = planStorage(*ops, options.bounds);

  const ScaledSums scaled = options.bounds ? findScaledSums(*ops) : ScaledSums();
  Store store;
  for (auto [argument, input] : llvm::zip(entry.getArguments(), inputs))
    store[argument] = storedAt(cast<RankedTensorType>(argument.getType()), input.data());
  ReferenceResult result;
  auto lastReport = std::chrono::steady_clock::now();
  for (auto [position, op] : llvm::enumerate(*ops)) {
    auto now = std::chrono::steady_clock::now();
    if (options.progress && now - lastReport > std::chrono::seconds(2)) {
      llvm::errs() << "reference: op " << position << " of " << ops->size() << "\n";
      lastReport = now;
    }
    if (isa<ExpectEqOp, ExpectCloseOp>(op)) {
      result.failedExpectations += failed(checkExpectation(op, store));
    } else if (isa<func::ReturnOp>(op)) {
      for (Value value : op->getOperands())
        result.outputs.push_back(makeOutput(value, store.at(value), options.bounds));
    } else if (plan.stored.contains(op->getResult(0))) {
      Stored stored;
      if (auto constant = dyn_cast<ConstantOp>(op)) {
        FailureOr<Stored> found = storeConstant(constant);
        if (failed(found))
          return failure();
        stored = *found;
      } else {
        stored = computeStored(op->getResult(0), store, options, scaled);
      }
      store[op->getResult(0)] = std::move(stored);
    }
    for (Value value : plan.droppedAfter[position])
      store.erase(value);
  }
  for (const ReferenceOutput &output : result.outputs)
    result.undecided += llvm::count_if(output.bounds, [](const Bound &b) { return b.undecided; });
  return result;
}

bool tiny::admits(const ReferenceOutput &expected, const tinyrt::Tensor &actual, int64_t index) {
  ElementType type = expected.value.type().element;
  Word wanted = load(type, expected.value.data(), index), got = load(type, actual.data(), index);
  if (expected.bounds.empty())
    return sameElement(type, got, wanted);
  const Bound &bound = expected.bounds[index];
  if (bound.undecided)
    return true;
  if (!isFloat(type) || std::isnan(bound.lo) || std::isnan(got.f))
    return sameElement(type, got, isFloat(type) ? fromFloat(bound.lo) : wanted);
  return !totalLess(got.f, bound.lo) && !totalLess(bound.hi, got.f);
}
