//===- CostTest.cpp - counts compared with brute force --------------------===//
//
// Random programs are scheduled, and then every iteration of every linalg op of each
// kernel is walked: what it executes and which elements it touches is collected one
// by one and compared with what the analysis says. Nothing is shared with it but
// the IR.
//
//===----------------------------------------------------------------------===//

#include "Generate.h"
#include "Tiny/Compiler/Pipelines.h"
#include "Tiny/IR/TinyDialect.h"
#include "Tiny/InitAll.h"
#include "Tiny/Schedule/Report.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/PassManager.h"
#include <gtest/gtest.h>

#include <map>
#include <set>

using namespace mlir;
using namespace mlir::tiny;

namespace {

/// Kinds by the names of ops, as docs/Report.md lists them.
const std::map<std::string, std::vector<StringRef>> kKinds = {
    {"add", {"arith.addf", "arith.subf", "arith.negf"}},
    {"mul", {"arith.mulf"}},
    {"div", {"arith.divf"}},
    {"sqrt", {"math.sqrt"}},
    {"exp2", {"math.exp2"}},
    {"log2", {"math.log2"}},
    {"sin", {"math.sin"}},
    {"max", {"arith.maximumf", "arith.minimumf", "arith.maxnumf", "arith.minnumf"}},
    {"cmp", {"arith.cmpf", "arith.cmpi"}},
    {"where", {"arith.select"}},
    {"cast",
     {"arith.extf", "arith.truncf", "arith.sitofp", "arith.uitofp", "arith.fptosi", "arith.fptoui",
      "arith.extsi", "arith.extui", "arith.trunci"}},
    {"integer",
     {"arith.addi", "arith.subi", "arith.muli", "arith.divsi", "arith.divui", "arith.remsi",
      "arith.remui", "arith.andi", "arith.ori", "arith.xori", "arith.shli", "arith.shrsi",
      "arith.shrui", "arith.maxsi", "arith.maxui", "arith.minsi", "arith.minui"}},
};
const std::set<StringRef> kNoWork = {"arith.constant",     "arith.bitcast", "arith.index_cast",
                                     "arith.index_castui", "linalg.index",  "linalg.yield",
                                     "affine.apply",       "tiny.read"};

/// What one launch does, collected.
struct Walked {
  std::map<std::string, uint64_t> ops;
  /// Per buffer, the elements and how long each is.
  std::map<void *, std::set<int64_t>> read, written;
  std::map<void *, uint64_t> elementBytes;
  bool readsByData = false;

  uint64_t bytes(const std::map<void *, std::set<int64_t>> &elements) const {
    uint64_t sum = 0;
    for (auto &[buffer, numbers] : elements)
      sum += numbers.size() * elementBytes.at(buffer);
    return sum;
  }
};

class Walker {
public:
  Walker(LaunchOp launch, func::FuncOp kernel) : launch(launch), kernel(kernel) {}
  Walked run() {
    for (auto op : kernel.getOps<linalg::LinalgOp>()) {
      SmallVector<int64_t> extents = op.getStaticLoopRanges(), point(extents.size(), 0);
      if (llvm::is_contained(extents, 0))
        continue;
      do
        visit(op, point);
      while (next(point, extents));
    }
    return walked;
  }

private:
  static bool next(MutableArrayRef<int64_t> point, ArrayRef<int64_t> extents) {
    for (size_t i = point.size(); i-- > 0; point[i] = 0)
      if (++point[i] < extents[i])
        return true;
    return false;
  }

  void touch(Value source, SmallVector<int64_t> indices, bool isWrite) {
    while (auto slice = source.getDefiningOp<tensor::ExtractSliceOp>()) {
      auto dropped = slice.getDroppedDims();
      SmallVector<int64_t> outer;
      size_t inner = 0;
      for (unsigned dim = 0; dim < dropped.size(); ++dim)
        outer.push_back(slice.getStaticOffset(dim) +
                        (dropped.test(dim) ? 0 : indices[inner++] * slice.getStaticStride(dim)));
      indices = outer;
      source = slice.getSource();
    }
    auto argument = dyn_cast<BlockArgument>(source);
    if (!argument)
      return;
    auto type = cast<RankedTensorType>(argument.getType());
    int64_t element = 0;
    for (auto [size, index] : llvm::zip(type.getShape(), indices)) {
      ASSERT_TRUE(index >= 0 && index < size) << "an access outside of its buffer";
      element = element * size + index;
    }
    size_t inputs = launch.getInputs().size();
    Value buffer = argument.getArgNumber() < inputs
                       ? launch.getInputs()[argument.getArgNumber()]
                       : Value(launch.getResult(argument.getArgNumber() - inputs));
    void *key = buffer.getAsOpaquePointer();
    walked.elementBytes[key] = type.getElementTypeBitWidth() / 8;
    (isWrite ? walked.written : walked.read)[key].insert(element);
  }

  /// Integers of the body, where they follow from the position.
  std::optional<int64_t> number(Operation &op) {
    SmallVector<int64_t> operands;
    for (Value operand : op.getOperands()) {
      auto found = numbers.find(operand);
      if (found == numbers.end())
        return std::nullopt;
      operands.push_back(found->second);
    }
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      auto value = dyn_cast<IntegerAttr>(constant.getValue());
      return value ? std::optional(value.getValue().getSExtValue()) : std::nullopt;
    }
    if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
      return apply.getAffineMap().compose(operands).front();
    if (isa<arith::IndexCastOp>(op))
      return operands[0];
    return std::nullopt;
  }

  void visit(linalg::LinalgOp op, ArrayRef<int64_t> point) {
    numbers.clear();
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<RankedTensorType>(operand.get().getType()))
        continue;
      SmallVector<int64_t> indices = op.getMatchingIndexingMap(&operand).compose(point);
      if (!op.getMatchingBlockArgument(&operand).use_empty())
        touch(operand.get(), indices, /*isWrite=*/false);
      if (op.isDpsInit(&operand)) {
        Value value = operand.get();
        while (auto producer = value.getDefiningOp<linalg::LinalgOp>())
          value = producer.getDpsInits()[cast<OpResult>(value).getResultNumber()];
        touch(value, indices, /*isWrite=*/true);
      }
    }
    for (Operation &inner : *op.getBlock()) {
      StringRef name = inner.getName().getStringRef();
      if (auto index = dyn_cast<linalg::IndexOp>(inner))
        numbers[index.getResult()] = point[index.getDim()];
      else if (auto value = number(inner))
        numbers[inner.getResult(0)] = *value;
      if (auto read = dyn_cast<ReadOp>(inner))
        visitRead(read);
      if (kNoWork.count(name))
        continue;
      bool isKnown = false;
      for (auto &[kind, names] : kKinds)
        if (llvm::is_contained(names, name)) {
          ++walked.ops[kind];
          isKnown = true;
        }
      ASSERT_TRUE(isKnown) << name.str();
    }
  }

  void visitRead(ReadOp read) {
    SmallVector<int64_t> indices;
    for (Value index : read.getIndices()) {
      auto found = numbers.find(index);
      if (found == numbers.end()) {
        walked.readsByData = true;
        return;
      }
      indices.push_back(found->second);
    }
    SmallVector<int64_t> guards = read.getGuard().compose(indices);
    for (auto [guard, low, high] : llvm::zip(guards, read.getLows(), read.getHighs()))
      if (guard < low || guard >= high)
        return;
    touch(read.getSource(), read.getMap().compose(indices), /*isWrite=*/false);
  }

  LaunchOp launch;
  func::FuncOp kernel;
  Walked walked;
  llvm::DenseMap<Value, int64_t> numbers;
};

class CostTest : public testing::Test {
protected:
  CostTest() : context(registry()) { context.loadAllAvailableDialects(); }
  static DialectRegistry registry() {
    DialectRegistry registry;
    registerAllTinyDialects(registry);
    return registry;
  }
  MLIRContext context;
};
} // namespace

TEST_F(CostTest, RandomProgramsAsBruteForceCountsThem) {
  int64_t launches = 0, byData = 0;
  uint64_t flops = 0, partial = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    OwningOpRef<ModuleOp> module = tinyfuzz::generateProgram(&context, seed, {30, 1024});
    PassManager passes(&context);
    buildSchedulePipeline(passes, "main", /*verify=*/true);
    ASSERT_TRUE(succeeded(passes.run(*module)));
    FailureOr<ProgramCost> cost = analyseCost(*module, "main");
    ASSERT_TRUE(succeeded(cost));

    auto host = module->lookupSymbol<func::FuncOp>("main");
    size_t number = 0;
    for (auto launch : host.getBody().front().getOps<LaunchOp>()) {
      SCOPED_TRACE(launch.getKernel().str());
      auto kernel = module->lookupSymbol<func::FuncOp>(launch.getKernel());
      const LaunchCount &counted = cost->kernels[cost->launches[number++]].each;
      Walked walked = Walker(launch, kernel).run();
      for (size_t kind = 0; kind < kNumOpKinds; ++kind) {
        std::string_view title = name(static_cast<OpKind>(kind));
        EXPECT_EQ(counted.ops.counts[kind], walked.ops[std::string(title)]) << title;
      }
      EXPECT_TRUE(counted.written.exact);
      EXPECT_EQ(counted.written.bytes, walked.bytes(walked.written));
      ++launches;
      flops += counted.ops.flops();
      if (walked.readsByData) {
        ++byData;
        continue;
      }
      EXPECT_TRUE(counted.read.exact);
      EXPECT_EQ(counted.read.bytes, walked.bytes(walked.read));
      uint64_t whole = 0;
      llvm::SmallDenseSet<Value> inputs(launch.getInputs().begin(), launch.getInputs().end());
      for (Value input : inputs)
        whole += storageBytes(cast<RankedTensorType>(input.getType()));
      partial += counted.read.bytes < whole;
    }
    EXPECT_EQ(number, cost->launches.size());
  }
  // The comparison was about something.
  EXPECT_GT(launches, 300);
  EXPECT_LT(byData, launches / 4);
  EXPECT_GT(flops, 10'000u);
  EXPECT_GT(partial, 60u);
}
