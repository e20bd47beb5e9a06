//===- MatrixTilesTest.cpp - products in tiles of a matrix unit -----------===//
//
// No machine that tests this project has AMX. So what the Tile stage makes for it is run
// with its instructions emulated, and compared with plain loops: to the bit, since the
// numbers are such that no sum is rounded.
//
//===----------------------------------------------------------------------===//

#include "KernelRunner.h"
#include "TileEmulator.h"

#include "Tiny/Compiler/Pipelines.h"

#include "mlir/Pass/PassManager.h"

#include <cmath>
#include <random>

using namespace tinytest;
using namespace mlir::tiny;

namespace {

/// Of a factor: how it lies in memory, and how the body widens it.
struct FactorType {
  const char *element, *widen;
  const char *stored; ///< In the kernel: memory has no bf16.
  int64_t bytes, least, most;
  bool isFloat;
};
constexpr FactorType kF32 = {"f32", "", "f32", 4, -8, 8, true};
constexpr FactorType kBF16 = {"bf16", "arith.extf", "i16", 2, -8, 8, true};
constexpr FactorType kU8 = {"i8", "arith.extui", "i8", 1, 0, 255, false};
constexpr FactorType kS8 = {"i8", "arith.extsi", "i8", 1, -128, 127, false};

struct Product {
  int64_t rows, columns, depth;
  FactorType left = kBF16, right = kBF16;
  /// What the tiling says; chosen by cost where it is empty.
  std::string tiling = "";
  bool constant = false;   ///< Whether the right factor is.
  bool transposed = false; ///< Whether its depth is contiguous.
  int64_t batch = 1;
  int64_t most = 0; ///< Bytes of the stack, where they are to be few.
};

std::string typeOf(std::vector<int64_t> shape, const std::string &element) {
  std::string result = "tensor<";
  for (int64_t extent : shape)
    result += std::to_string(extent) + "x";
  return result + element + ">";
}

/// `source`, a scheduled program, with its tiles emulated, and the number of products of tiles in
/// its code; null where there is something wrong.
std::pair<std::unique_ptr<Artefact>, unsigned> compileInTiles(const std::string &source,
                                                              int64_t stackBytes) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(source, &context());
  CPUPipelineOptions pipeline;
  pipeline.vectorBits = 512;
  pipeline.numVectorRegisters = 32;
  pipeline.maskedBits = 8;
  pipeline.pairInstructions = 1;
  pipeline.byteProducts = pipeline.bf16Products = pipeline.matrixUnit = true;
  pipeline.maxStackBytes = stackBytes;
  mlir::PassManager passes(&context());
  buildTilePipelineCPU(passes, pipeline);
  if (!module || failed(passes.run(*module))) {
    ADD_FAILURE() << "cannot tile " << source;
    return {};
  }
  unsigned products = 0;
  for (auto kernel : module->getOps<mlir::func::FuncOp>())
    if (kernel->hasAttr("tiny.kernel"))
      products += TileEmulator::run(kernel);
  CompileOptions options;
  options.input = Stage::tiled;
  auto artefact = mlir::tiny::compile(*module, options);
  if (failed(artefact)) {
    ADD_FAILURE() << "cannot compile " << source;
    return {};
  }
  return {std::move(*artefact), products};
}

/// What is left on the stack is NaN, or -1.
[[gnu::noinline]] void spoilStack() {
  volatile uint8_t bytes[400 << 10];
  for (size_t i = 0; i < sizeof(bytes); ++i)
    bytes[i] = 0xFF;
}

/// Runs all workgroups of the one kernel of `artefact`.
void runKernel(const Artefact &artefact, void *const *buffers) {
  const uint32_t *grid = artefact.plan->launches()[0].grid;
  for (uint32_t i = 0; i < grid[0]; ++i)
    for (uint32_t j = 0; j < grid[1]; ++j)
      for (uint32_t k = 0; k < grid[2]; ++k) {
        spoilStack();
        artefact.kernels[0](buffers, i, j, k);
      }
}

class MatrixTiles {
public:
  explicit MatrixTiles(const Product &product)
      : p(product), random(product.rows * 31 + product.depth) {
    left = numbers(p.batch * p.rows * p.depth, p.left);
    right = numbers(p.batch * p.columns * p.depth, p.right);
    bias = numbers(p.columns, kS8);
  }

  /// Compiles the product, and compares what it gives with `expected`. The number of products of
  /// tiles in its code, or 0 where there is something wrong.
  unsigned run() {
    // The emulator has some of the stack, too.
    auto [artefact, products] = compileInTiles(program(), p.most ? p.most : 128 << 10);
    if (!artefact)
      return 0;
    check(*artefact);
    return products;
  }

private:
  std::vector<int64_t> numbers(int64_t count, const FactorType &type) {
    std::uniform_int_distribution<int64_t> uniform(type.least, type.most);
    std::vector<int64_t> result(count);
    for (int64_t &number : result)
      number = uniform(random);
    return result;
  }

  /// Sums, a bias for each column, and twice all of it.
  std::string program() const {
    bool isFloat = p.left.isFloat;
    std::string sum = isFloat ? "f32" : "i32";
    std::vector<int64_t> rightShape = {p.batch, p.depth, p.columns};
    if (p.transposed)
      std::swap(rightShape[1], rightShape[2]);
    std::string x = typeOf({p.batch, p.rows, p.depth}, p.left.element),
                w = typeOf(rightShape, p.right.element), c = typeOf({p.columns}, sum),
                out = typeOf({p.batch, p.rows, p.columns}, sum);
    int64_t outBytes = p.batch * p.rows * p.columns * 4;
    std::string host = "func.func @main(%x: " + x + (p.constant ? "" : ", %w: " + w) +
                       ", %c: " + c + ") -> " + out;
    if (p.constant) {
      std::string bytes = std::to_string(right.size() * p.right.bytes);
      host +=
          " attributes {tiny.workspace_bytes = 0 : i64, tiny.constants_bytes = " + bytes +
          " : i64} {\n%w = tiny.constant {slot = #tiny.slot<constants[0], offset = 0, bytes = " +
          bytes + ">} dense<\"0x" + hex() + "\"> : " + w + "\n";
    } else {
      host += " {\n";
    }
    host += "%0 = tiny.launch @k(%x, %w, %c) {result_slots = [#tiny.slot<result[0], offset = 0, "
            "bytes = " +
            std::to_string(outBytes) + ">]} : (" + x + ", " + w + ", " + c + ") -> " + out +
            "\nreturn %0 : " + out + "\n}\n";
    std::string attributes =
        p.tiling.empty() ? "tiny.kernel" : "tiny.kernel, tiny.tiling = [{" + p.tiling + "}]";
    auto widen = [&](std::string name, const FactorType &type) {
      if (!type.widen[0])
        return "%" + name + "w = arith.addf %" + name + ", %zero : f32\n";
      std::string narrow = name, bits;
      if (type.element != std::string(type.stored)) {
        narrow = name + "n";
        bits = "%" + narrow + " = arith.bitcast %" + name + " : " + type.stored + " to " +
               type.element + "\n";
      }
      return bits + "%" + name + "w = " + type.widen + " %" + narrow + " : " + type.element +
             " to " + sum + "\n";
    };
    std::string kx = typeOf({p.batch, p.rows, p.depth}, p.left.stored),
                kw = typeOf(rightShape, p.right.stored);
    std::string suffix = isFloat ? "f" : "i", zero = isFloat ? "0.0" : "0";
    return host + "func.func private @k(%x: " + kx + ", %w: " + kw + ", %c: " + c +
           ", %out: " + out + ") -> " + out + " attributes {" + attributes +
           "} {\n%zero = arith.constant " + zero + " : " + sum + "\n%e = tensor.empty() : " + out +
           "\n%f = linalg.fill ins(%zero : " + sum + ") outs(%e : " + out + ") -> " + out +
           "\n%r = linalg.generic {indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, "
           "affine_map<(b, m, n, k) -> " +
           (p.transposed ? "(b, n, k)" : "(b, k, n)") +
           ">, affine_map<(b, m, n, k) -> (b, m, n)>], iterator_types = [\"parallel\", "
           "\"parallel\", \"parallel\", \"reduction\"]} ins(%x, %w : " +
           kx + ", " + kw + ") outs(%f : " + out + ") {\n^bb0(%p: " + p.left.stored +
           ", %q: " + p.right.stored + ", %a: " + sum + "):\n" + widen("p", p.left) +
           widen("q", p.right) + "%m = arith.mul" + suffix + " %pw, %qw : " + sum +
           "\n%s = arith.add" + suffix + " %a, %m : " + sum + "\nlinalg.yield %s : " + sum +
           "\n} -> " + out +
           "\n%o = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m, n)>, "
           "affine_map<(b, m, n) -> (n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = "
           "[\"parallel\", \"parallel\", \"parallel\"]} ins(%r, %c : " +
           out + ", " + c + ") outs(%out : " + out + ") {\n^bb0(%a: " + sum + ", %d: " + sum +
           ", %old: " + sum + "):\n%s = arith.add" + suffix + " %a, %d : " + sum +
           "\n%t = arith.add" + suffix + " %s, %s : " + sum + "\nlinalg.yield %t : " + sum +
           "\n} -> " + out + "\nreturn %o : " + out + "\n}\n";
  }

  /// `values` as they lie in memory.
  static std::vector<uint8_t> bytesOf(const std::vector<int64_t> &values, const FactorType &type) {
    std::vector<uint8_t> result;
    for (int64_t value : values) {
      uint32_t bits = type.isFloat ? bitsTo<uint32_t>(static_cast<float>(value)) : value;
      if (type.bytes == 2)
        bits >>= 16; // exact: these have eight bits
      for (int64_t byte = 0; byte < type.bytes; ++byte)
        result.push_back(bits >> (8 * byte));
    }
    return result;
  }
  std::string hex() const {
    std::string result;
    for (uint8_t byte : bytesOf(right, p.right))
      result += llvm::formatv("{0:X-2}", byte).str();
    return result;
  }

  int64_t expected(int64_t b, int64_t row, int64_t column) const {
    int64_t sum = bias[column];
    for (int64_t k = 0; k < p.depth; ++k) {
      int64_t at = p.transposed ? column * p.depth + k : k * p.columns + column;
      sum += left[(b * p.rows + row) * p.depth + k] * right[b * p.depth * p.columns + at];
    }
    return 2 * sum;
  }

  static tinyrt::Tensor tensorOf(const std::vector<uint8_t> &bytes) {
    tinyrt::Tensor tensor({tinyrt::ElementType::i8, {static_cast<int64_t>(bytes.size())}});
    std::memcpy(tensor.data(), bytes.data(), bytes.size());
    return tensor;
  }

  void check(const Artefact &artefact) const {
    FactorType ofBias = p.left.isFloat ? kF32 : FactorType{"i32", "", "i32", 4, 0, 0, false};
    tinyrt::Tensor x = tensorOf(bytesOf(left, p.left)), w = tensorOf(bytesOf(right, p.right)),
                   c = tensorOf(bytesOf(bias, ofBias));
    int64_t count = p.batch * p.rows * p.columns;
    tinyrt::Tensor out = tensorOf(std::vector<uint8_t>(count * 4, 0xFF));
    void *constants = const_cast<void *>(static_cast<const void *>(artefact.constants.data()));
    void *buffers[] = {x.data(), p.constant ? constants : w.data(), c.data(), out.data()};
    runKernel(artefact, buffers);
    for (int64_t b = 0, at = 0; b < p.batch; ++b)
      for (int64_t row = 0; row < p.rows; ++row)
        for (int64_t column = 0; column < p.columns; ++column, ++at) {
          int64_t wanted = expected(b, row, column);
          if (p.left.isFloat)
            ASSERT_EQ(out.as<float>()[at], static_cast<float>(wanted))
                << "batch " << b << ", row " << row << ", column " << column;
          else
            ASSERT_EQ(out.as<int32_t>()[at], static_cast<int32_t>(wanted))
                << "batch " << b << ", row " << row << ", column " << column;
        }
  }

  Product p;
  std::mt19937 random;
  std::vector<int64_t> left, right, bias;
};

std::string tiling(int64_t rowTile, int64_t columnTile, int64_t depth, int64_t rows,
                   int64_t vectors, int64_t dot, bool packsRows, bool packsColumns) {
  return llvm::formatv("tile = array<i64: {0}, {1}>, depth = {2} : i64, registers = array<i64: "
                       "{3}, {4}>, lanes = 16 : i64, packed = array<i64: {6}, {7}>, dot = {5} : "
                       "i64, tiles",
                       rowTile, columnTile, depth, rows, vectors, dot, int(packsRows),
                       int(packsColumns))
      .str();
}

/// Whole tiles, chosen by cost.
TEST(MatrixTiles, ChosenForWholeTiles) {
  for (FactorType type : {kBF16, kF32, kU8, kS8}) {
    SCOPED_TRACE(type.element);
    EXPECT_GE(MatrixTiles({192, 192, 256, type, type}).run(), 4u);
  }
}

/// Every pair of signs: no factor gets an offset.
TEST(MatrixTiles, SignsOfBytes) {
  for (FactorType left : {kU8, kS8})
    for (FactorType right : {kU8, kS8})
      EXPECT_EQ(MatrixTiles({48, 64, 128, left, right, tiling(64, 64, 32, 32, 2, 4, 1, 1)}).run(),
                4u)
          << left.widen << " " << right.widen;
}

/// Rows where they lie: the last strip begins where all of its rows exist.
TEST(MatrixTiles, RowsInPlace) {
  for (int64_t rows : {16, 17, 31, 40, 64})
    for (int64_t registers : {16, 32}) {
      if (rows < registers)
        continue;
      int64_t rowTile = llvm::alignTo(rows, registers);
      EXPECT_GE(
          MatrixTiles({rows, 50, 192, kBF16, kBF16, tiling(rowTile, 64, 96, registers, 2, 2, 0, 1)})
              .run(),
          2u);
      EXPECT_GE(
          MatrixTiles({rows, 50, 192, kU8, kS8, tiling(rowTile, 64, 48, registers, 2, 4, 0, 1)})
              .run(),
          2u);
    }
}

/// Edges on every side, depths that are no whole tiles or dots, in one block and in several.
TEST(MatrixTiles, Edges) {
  std::mt19937 random(5);
  auto pick = [&](int64_t most, int64_t least = 1) {
    return std::uniform_int_distribution<int64_t>(least, most)(random);
  };
  for (int number = 0; number < 60; ++number) {
    bool isFloat = number % 2;
    int64_t dot = isFloat ? 2 : 4, registers = number % 3 ? 32 : 16, vectors = number % 5 ? 2 : 1;
    Product product{pick(70, 2), pick(70, 2), pick(300, 5)};
    product.left = isFloat ? (number % 4 == 1 ? kF32 : kBF16) : (number % 4 ? kU8 : kS8);
    product.right = isFloat ? kBF16 : number % 3 ? kS8 : kU8;
    product.transposed = number % 7 == 0;
    product.batch = pick(2);
    int64_t depth = 16 * pick(4);
    // Rows and columns of a workgroup: some of them, or all.
    product.tiling = tiling(registers * pick(3), 16 * vectors * pick(3), depth, registers, vectors,
                            dot, true, true);
    SCOPED_TRACE(llvm::formatv("{0} x {1} x {2}: {3}", product.rows, product.columns, product.depth,
                               product.tiling)
                     .str());
    EXPECT_GE(MatrixTiles(product).run(), 1u);
  }
}

/// What the cost model chooses for shapes of all kinds is what is emitted. Not all of it is tiles.
TEST(MatrixTiles, ChosenForAny) {
  std::mt19937 random(6);
  auto pick = [&](int64_t most, int64_t least) {
    return std::uniform_int_distribution<int64_t>(least, most)(random);
  };
  int inTiles = 0;
  for (int number = 0; number < 30; ++number) {
    Product product{pick(200, 2), pick(200, 2), pick(400, 5)};
    // Whole steps of the depth, so that rows may stay, and columns be in panels.
    if (number % 2)
      product.depth = llvm::alignTo(product.depth, 64);
    if (number % 3 == 0)
      product.columns = llvm::alignTo(product.columns, 32);
    constexpr FactorType types[] = {kBF16, kU8, kS8, kF32};
    product.left = product.right = types[number % 4];
    product.constant = number % 5 < 2;
    product.transposed = number % 5 == 2;
    product.batch = product.constant ? 1 : pick(2, 1);
    SCOPED_TRACE(
        llvm::formatv("{0} x {1} x {2}", product.rows, product.columns, product.depth).str());
    inTiles += MatrixTiles(product).run() > 0;
  }
  EXPECT_GE(inTiles, 15);
}

/// Constants lie in panels, and only the rows are read otherwise.
TEST(MatrixTiles, ConstantsInPanels) {
  for (int64_t rows : {16, 50, 64})
    for (FactorType type : {kBF16, kS8}) {
      Product product{rows, 128, 256, type, type};
      product.constant = true;
      EXPECT_GE(MatrixTiles(product).run(), 1u) << rows << " rows of " << type.element;
    }
}

/// Little memory: sums wait between many blocks of the depth.
TEST(MatrixTiles, ManyBlocks) {
  Product product{70, 90, 1000, kU8, kS8};
  product.most = 24 << 10;
  product.tiling = tiling(32, 32, 32, 32, 2, 4, true, true);
  EXPECT_GE(MatrixTiles(product).run(), 1u);
  product.left = product.right = kBF16;
  product.tiling = tiling(32, 32, 48, 32, 2, 2, true, true);
  EXPECT_GE(MatrixTiles(product).run(), 1u);
}

/// Beside other nests, in loops of each workgroup: what is greatest in a row is taken off it.
TEST(MatrixTiles, BesideOtherNests) {
  constexpr int64_t rows = 96, columns = 120, depth = 512;
  auto [artefact, products] = compileInTiles(R"(
    #mk = affine_map<(m, n, k) -> (m, k)>
    #kn = affine_map<(m, n, k) -> (k, n)>
    #mn = affine_map<(m, n, k) -> (m, n)>
    #id = affine_map<(m, n) -> (m, n)>
    #m = affine_map<(m, n) -> (m)>
    func.func @main(%x: tensor<96x512xf32>, %w: tensor<512x120xf32>) -> tensor<96x120xf32> {
      %0 = tiny.launch @k(%x, %w) {result_slots = [#tiny.slot<result[0], offset = 0, bytes = 46080>]}
        : (tensor<96x512xf32>, tensor<512x120xf32>) -> tensor<96x120xf32>
      return %0 : tensor<96x120xf32>
    }
    func.func private @k(%x: tensor<96x512xf32>, %w: tensor<512x120xf32>, %out: tensor<96x120xf32>)
        -> tensor<96x120xf32> attributes {tiny.kernel, tiny.tiling = [
          {grid = array<i64: 48, 120>, tile = array<i64: 64, 128>, depth = 128 : i64,
           registers = array<i64: 32, 2>, lanes = 16 : i64, packed = array<i64: 1, 1>, dot = 2 : i64,
           tiles},
          #tiny.tiling<grid = [48], vector = 1 by 16, unroll = [8, 1], order = [0, 1]>,
          #tiny.tiling<grid = [48, 120], vector = 1 by 16, unroll = [1, 3], order = [0, 1]>]} {
      %zero = arith.constant 0.0 : f32
      %least = arith.constant 0xFF800000 : f32
      %e = tensor.empty() : tensor<96x120xf32>
      %f = linalg.fill ins(%zero : f32) outs(%e : tensor<96x120xf32>) -> tensor<96x120xf32>
      %r = linalg.generic {indexing_maps = [#mk, #kn, #mn],
          iterator_types = ["parallel", "parallel", "reduction"]}
          ins(%x, %w : tensor<96x512xf32>, tensor<512x120xf32>) outs(%f : tensor<96x120xf32>) {
      ^bb0(%p: f32, %q: f32, %a: f32):
        %t = arith.mulf %p, %q : f32
        %s = arith.addf %a, %t : f32
        linalg.yield %s : f32
      } -> tensor<96x120xf32>
      %i = tensor.empty() : tensor<96x120xf32>
      %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
          ins(%r : tensor<96x120xf32>) outs(%i : tensor<96x120xf32>) {
      ^bb0(%a: f32, %o: f32):
        linalg.yield %a : f32
      } -> tensor<96x120xf32>
      %e1 = tensor.empty() : tensor<96xf32>
      %f1 = linalg.fill ins(%least : f32) outs(%e1 : tensor<96xf32>) -> tensor<96xf32>
      %g = linalg.generic {indexing_maps = [#id, #m], iterator_types = ["parallel", "reduction"]}
          ins(%p : tensor<96x120xf32>) outs(%f1 : tensor<96xf32>) {
      ^bb0(%a: f32, %o: f32):
        %n = arith.maximumf %a, %o : f32
        linalg.yield %n : f32
      } -> tensor<96xf32>
      %i1 = tensor.empty() : tensor<96xf32>
      %h = linalg.generic {indexing_maps = [affine_map<(m) -> (m)>, affine_map<(m) -> (m)>],
          iterator_types = ["parallel"]} ins(%g : tensor<96xf32>) outs(%i1 : tensor<96xf32>) {
      ^bb0(%a: f32, %o: f32):
        linalg.yield %a : f32
      } -> tensor<96xf32>
      %y = linalg.generic {indexing_maps = [#id, #m, #id], iterator_types = ["parallel", "parallel"]}
          ins(%p, %h : tensor<96x120xf32>, tensor<96xf32>) outs(%out : tensor<96x120xf32>) {
      ^bb0(%a: f32, %b: f32, %o: f32):
        %d = arith.subf %a, %b : f32
        linalg.yield %d : f32
      } -> tensor<96x120xf32>
      return %y : tensor<96x120xf32>
    })",
                                             128 << 10);
  ASSERT_NE(artefact, nullptr);
  EXPECT_GE(products, 1u);
  tinyrt::Tensor x({tinyrt::ElementType::f32, {rows, depth}}),
      w({tinyrt::ElementType::f32, {depth, columns}}),
      out({tinyrt::ElementType::f32, {rows, columns}});
  std::mt19937 random(11);
  std::uniform_int_distribution<int> uniform(-8, 8);
  for (tinyrt::Tensor *tensor : {&x, &w})
    for (size_t i = 0; i < tensor->bytes() / 4; ++i)
      tensor->as<float>()[i] = static_cast<float>(uniform(random));
  void *buffers[] = {x.data(), w.data(), out.data()};
  runKernel(*artefact, buffers);
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<float> sums(columns);
    for (int64_t k = 0; k < depth; ++k)
      for (int64_t column = 0; column < columns; ++column)
        sums[column] += x.as<float>()[row * depth + k] * w.as<float>()[k * columns + column];
    float most = *std::max_element(sums.begin(), sums.end());
    for (int64_t column = 0; column < columns; ++column)
      ASSERT_EQ(out.as<float>()[row * columns + column], sums[column] - most)
          << "row " << row << ", column " << column;
  }
}

} // namespace
