//===- Composites.h - tensor operations written with the tiny ops -*- C++ -*-===//
//
// What a tensor library offers beyond the dialect: subtraction, softmax, convolution, … Every
// front end builds programs with a Composer, so that an operation has one definition, and no stage
// below sees anything but the twelve compute ops, the six movement ops, constants and iota.
//
//===------------------------------------------------------------------------===//

#ifndef TINY_IR_COMPOSITES_H
#define TINY_IR_COMPOSITES_H

#include "Tiny/IR/TinyDialect.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/APSInt.h"

#include <functional>
#include <optional>
#include <variant>

namespace mlir::tiny {

/// A number without a type, from any C++ arithmetic value or an APFloat or APSInt.
class Scalar {
public:
  template <typename T, std::enable_if_t<std::is_integral_v<T>, int> = 0>
  Scalar(T value)
      : number(APSInt(APInt(64, static_cast<uint64_t>(value), /*isSigned=*/false,
                            /*implicitTrunc=*/true),
                      /*isUnsigned=*/std::is_unsigned_v<T>)) {}
  Scalar(double value) : number(APFloat(value)) {}
  Scalar(APFloat value) : number(std::move(value)) {}
  Scalar(APSInt value) : number(std::move(value)) {}

  /// The FloatAttr or IntegerAttr of an element type, converted as `tiny.cast` would.
  TypedAttr attribute(Type elementType) const;

private:
  std::variant<APFloat, APSInt> number;
};

/// An operand of an elementwise method: a tensor, or a number that takes the element type of the
/// other operands.
class Operand {
public:
  Operand(Value value) : tensor(value) {}
  template <typename T,
            std::enable_if_t<std::is_convertible_v<T, Value> && !std::is_arithmetic_v<T>, int> = 0>
  Operand(T value) : tensor(value) {}
  template <typename T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>
  Operand(T number) : scalar(Scalar(number)) {}
  Operand(Scalar number) : scalar(std::move(number)) {}

private:
  friend class Composer;
  Value tensor;
  std::optional<Scalar> scalar;
};

enum class PadMode { constant, reflect, edge, wrap };
enum class GeluForm { erf, tanh };
/// How depthToSpace and spaceToDepth split the channels: block offsets before (dcr) or after (crd)
/// the remaining channels.
enum class DepthOrder { dcr, crd };

/// The windows of a convolution or a pooling: one entry per spatial dimension in each list; an
/// empty list means all 1 (strides, dilations) or all 0 (padding).
struct Window {
  SmallVector<int64_t> strides, dilations, padLow, padHigh;
};

/// Where a resized dimension samples its input. `scale` is output size over input size.
enum class ResizeCoordinates {
  halfPixel,        ///< (o + 0.5) / scale - 0.5
  pytorchHalfPixel, ///< halfPixel, but 0 where the output has size 1
  asymmetric,       ///< o / scale
  alignCorners,     ///< o * (input - 1) / (output - 1)
};
/// Which element a coordinate between two takes.
enum class NearestRounding { preferFloor, preferCeil, floor, ceil };

/// What scatter does with the element that is there.
enum class ScatterKind { replace, add, mul, max, min };

class Composer;

/// How a recurrent layer steps.
struct RecurrentForm {
  using Activation = std::function<Value(Composer &, Value)>;
  /// Of the gates, of the candidate (GRU, LSTM), of the cell (LSTM). What is null is sigmoid, tanh
  /// and tanh; the only one of an RNN is `gate`, which is tanh there.
  Activation gate, candidate, output;
  /// From the last step to the first.
  bool reverse = false;
  /// GRU: the reset gate applies to the product of the state, bias included (PyTorch's form), and
  /// not to the state.
  bool resetAfter = false;
  /// [batch] integers, or null. From there on a sequence keeps its state and gives 0.
  Value lengths;
};

/// All states [time, batch, hidden], the last one [batch, hidden], and an LSTM's last cell. Nulls
/// on error.
struct RecurrentResult {
  Value all, state, cell;
};

/// Builds tiny ops at a location.
///
/// **Errors.** A method whose precondition fails reports an error at `loc` that names the offending
/// value, and returns a null Value; a null operand gives a null result and no further report. So a
/// front end may compose freely and test the last result only.
///
/// **Shapes.** Operands of elementwise methods broadcast as in NumPy, and must have one element
/// type. A `dim` counts from the end if negative. Movements that change nothing build no op, and a
/// movement of a splat constant is a splat constant.
///
/// **Types.** f16 and bf16 composites of several roundings compute in f32 and round once, at the
/// end.
class Composer {
public:
  OpBuilder &b;
  Location loc;

  Composer(OpBuilder &builder, Location loc) : b(builder), loc(loc) {}

  //===--------------------------------------------------------------------===//
  // Facts (CompositesBase.cpp)
  //===--------------------------------------------------------------------===//

  /// The value's type; a rank-0 f32 tensor for a null value, so that callers need not look.
  RankedTensorType typeOf(Value x) const;
  ArrayRef<int64_t> shapeOf(Value x) const { return typeOf(x).getShape(); }
  Type elementOf(Value x) const { return typeOf(x).getElementType(); }
  int64_t rankOf(Value x) const { return typeOf(x).getRank(); }
  /// Reports an error at `loc` and returns null.
  Value fail(const Twine &message) const;
  /// `dim` in 0 … rank-1, or an error; counts from the end if negative.
  std::optional<int64_t> dimOf(int64_t dim, int64_t rank) const;
  /// The NumPy broadcast of two shapes, or an error.
  std::optional<SmallVector<int64_t>> broadcastShapes(ArrayRef<int64_t> lhs,
                                                      ArrayRef<int64_t> rhs) const;
  /// The one value of a splat `tiny.constant`, or null.
  TypedAttr splatOf(Value x) const;

  //===--------------------------------------------------------------------===//
  // Constants (CompositesBase.cpp)
  //===--------------------------------------------------------------------===//

  Value constant(ElementsAttr value);
  /// A tensor of `type` filled with one number.
  Value splat(const Scalar &value, RankedTensorType type);
  /// A splat of the shape and element type of `like`.
  Value scalarLike(Value like, const Scalar &value);
  /// A rank-1 constant of the given numbers.
  Value vector(ArrayRef<int64_t> values, Type elementType);
  /// A constant of `shape` from its numbers in row-major order.
  Value table(ArrayRef<double> values, ArrayRef<int64_t> shape, Type elementType);
  /// Each element is its index along `dim`.
  Value iota(ArrayRef<int64_t> shape, int64_t dim, Type elementType);

  //===--------------------------------------------------------------------===//
  // The 18 ops (CompositesBase.cpp)
  //===--------------------------------------------------------------------===//

  Value exp2(Value x);
  Value log2(Value x);
  Value sin(Value x);
  Value sqrt(Value x);
  /// No op if `x` has that element type already.
  Value cast(Value x, Type elementType);
  Value add(const Operand &x, const Operand &y);
  Value mul(const Operand &x, const Operand &y);
  Value div(const Operand &x, const Operand &y);
  Value max(const Operand &x, const Operand &y);
  Value cmp(CmpPredicate predicate, const Operand &x, const Operand &y);
  Value where(Value condition, const Operand &onTrue, const Operand &onFalse);
  /// Sorted or not, each dim once; an empty list changes nothing.
  Value reduce(ReduceKind kind, Value x, ArrayRef<int64_t> dims, bool keepDims = false);

  Value reshape(Value x, ArrayRef<int64_t> shape);
  Value permute(Value x, ArrayRef<int64_t> permutation);
  /// Same rank; only dims of size 1 may grow.
  Value expand(Value x, ArrayRef<int64_t> shape);
  /// Constant padding; low and high must not be negative (see padWith).
  Value pad(Value x, ArrayRef<int64_t> low, ArrayRef<int64_t> high, const Scalar &value = 0);
  Value shrink(Value x, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes);
  Value stride(Value x, ArrayRef<int64_t> steps);

  /// To `shape` as NumPy's broadcast_to: missing leading dims are added, dims of size 1 repeat.
  Value broadcastTo(Value x, ArrayRef<int64_t> shape);
  /// Both to their common shape.
  std::pair<Value, Value> broadcast(Value x, Value y);

  //===--------------------------------------------------------------------===//
  // Arithmetic, comparison and logic (CompositesArithmetic.cpp)
  //===--------------------------------------------------------------------===//

  Value sub(const Operand &x, const Operand &y);
  /// Flips the sign of a float, zeros and infinities too; integers wrap.
  Value neg(Value x);
  /// As `max` mirrored: NaN wins, -0 < +0.
  Value min(const Operand &x, const Operand &y);
  /// 1 / x
  Value recip(Value x);
  /// abs(-0) = 0; the least signed integer is its own.
  Value abs(Value x);
  /// -1, 0 or 1; sign(±0) = 0, sign(NaN) = NaN.
  Value sign(Value x);
  /// x * x
  Value square(Value x);
  /// max(x, low), then min(…, high): NaN stays, and `high` wins where low > high.
  Value clip(Value x, std::optional<Operand> low, std::optional<Operand> high);

  Value lt(const Operand &x, const Operand &y);
  Value le(const Operand &x, const Operand &y);
  Value eq(const Operand &x, const Operand &y);
  Value ne(const Operand &x, const Operand &y);
  Value gt(const Operand &x, const Operand &y);
  Value ge(const Operand &x, const Operand &y);
  Value isNan(Value x);
  /// True for the infinities that are asked for; all false for integers.
  Value isInf(Value x, bool positive = true, bool negative = true);

  /// On i1 only.
  Value logicalNot(Value x);
  Value logicalAnd(Value x, Value y);
  Value logicalOr(Value x, Value y);
  Value logicalXor(Value x, Value y);

  /// To an integer in floating point; integers are returned as they are. Exact for every value:
  /// NaN, infinities, large numbers and the sign of zero stay as IEEE 754 has them.
  Value roundEven(Value x);
  Value floor(Value x);
  Value ceil(Value x);
  Value trunc(Value x);

  /// The remainder with the sign of the dividend. Exact as C's fmod in f16, bf16 and f32; in f64
  /// x - trunc(x / y) * y, whose error grows with the quotient. Integers:
  /// x - (x / y) * y, so that a zero divisor gives x.
  Value fmod(const Operand &x, const Operand &y);
  /// The remainder with the sign of the divisor, as Python's %.
  Value floorMod(const Operand &x, const Operand &y);

  //===--------------------------------------------------------------------===//
  // Functions (CompositesFunctions.cpp)
  //===--------------------------------------------------------------------===//

  /// Within 2 ULP more than exp2 over the whole range.
  Value exp(Value x);
  /// exp(x) - 1, accurate near 0.
  Value expm1(Value x);
  /// Natural logarithm.
  Value log(Value x);
  /// log(1 + x), accurate near 0.
  Value log1p(Value x);
  /// C's pow with all its special values. f32 goes through f64 and is within 1 ULP; in f64 the
  /// relative error grows with |y * log2 x|. Integers wrap; a negative exponent gives 1/x^|y|
  /// truncated (0 for 0). x and y have one element type.
  Value pow(const Operand &x, const Operand &y);
  /// Absolute error below 1e-6 in f32 for arguments of any size.
  Value cos(Value x);
  Value tan(Value x);
  Value tanh(Value x);
  Value sigmoid(Value x);
  /// Within a few ULP.
  Value erf(Value x);

  //===--------------------------------------------------------------------===//
  // Activations (CompositesFunctions.cpp)
  //===--------------------------------------------------------------------===//

  Value relu(Value x);
  /// slope * x where x < 0. A tensor slope broadcasts (PRelu).
  Value leakyRelu(Value x, const Operand &slope = 0.01);
  Value gelu(Value x, GeluForm form = GeluForm::erf);
  /// x * sigmoid(x), swish.
  Value silu(Value x);
  /// log(1 + exp(x)) without overflow.
  Value softplus(Value x);
  Value softsign(Value x);
  Value mish(Value x);
  /// alpha * (exp(x) - 1) where x < 0.
  Value elu(Value x, double alpha = 1.0);
  Value celu(Value x, double alpha = 1.0);
  Value selu(Value x, double alpha = 1.67326319217681884765625,
             double gamma = 1.05070102214813232421875);
  /// max(0, min(1, alpha * x + beta))
  Value hardSigmoid(Value x, double alpha = 0.2, double beta = 0.5);
  /// x * hardSigmoid(x, 1/6, 1/2)
  Value hardSwish(Value x);

  //===--------------------------------------------------------------------===//
  // Reductions (CompositesReduce.cpp)
  //===--------------------------------------------------------------------===//

  Value reduceSum(Value x, ArrayRef<int64_t> dims, bool keepDims = false);
  Value reduceProd(Value x, ArrayRef<int64_t> dims, bool keepDims = false);
  Value reduceMax(Value x, ArrayRef<int64_t> dims, bool keepDims = false);
  /// An empty range gives the greatest value of the type.
  Value reduceMin(Value x, ArrayRef<int64_t> dims, bool keepDims = false);
  /// f16 and bf16 in f32, integers below 32 bits in i32 with a truncating division.
  Value reduceMean(Value x, ArrayRef<int64_t> dims, bool keepDims = false);
  Value reduceL1(Value x, ArrayRef<int64_t> dims, bool keepDims = false);
  Value reduceL2(Value x, ArrayRef<int64_t> dims, bool keepDims = false);
  Value reduceSumSquare(Value x, ArrayRef<int64_t> dims, bool keepDims = false);
  Value reduceLogSum(Value x, ArrayRef<int64_t> dims, bool keepDims = false);
  /// Shifted by the maximum, so that nothing overflows.
  Value reduceLogSumExp(Value x, ArrayRef<int64_t> dims, bool keepDims = false);
  /// The index of the greatest (least) element, as i64. Among equals the first, or the last if
  /// `last`; a NaN beats every number, as in NumPy. The dim must not be empty.
  Value argMax(Value x, int64_t dim, bool keepDim = false, bool last = false);
  Value argMin(Value x, int64_t dim, bool keepDim = false, bool last = false);
  /// Sums along `dim` up to each element, or up to the one before (`exclusive`), from the end if
  /// `reverse`. Blocked: about 16 additions per element and level.
  Value cumulativeSum(Value x, int64_t dim, bool exclusive = false, bool reverse = false);

  //===--------------------------------------------------------------------===//
  // Contractions (CompositesContraction.cpp)
  //===--------------------------------------------------------------------===//

  /// The type in which products of `elementType` are summed: f32 for f16 and bf16, i32 for integers
  /// below 32 bits, itself for the rest.
  Type accumulatorOf(Type elementType) const;
  /// NumPy's matmul: rank-1 operands are a row or a column, leading dims broadcast. Element types
  /// may differ only between integers. The result has `resultType` (x's element type if null),
  /// rounded once from the accumulator, which is f64 if resultType is.
  Value matmul(Value x, Value y, Type resultType = {});
  /// alpha * op(a) * op(b) + beta * c, with op a transposition or nothing; c may be null and
  /// broadcasts.
  Value gemm(Value a, Value b, Value c, double alpha = 1.0, double beta = 1.0,
             bool transposeA = false, bool transposeB = false);

  //===--------------------------------------------------------------------===//
  // Windows (CompositesWindow.cpp)
  //===--------------------------------------------------------------------===//

  /// Windows along `dim`, which becomes two dims: (position, tap). Element (o, k) is
  /// x[o * stride + k * dilation]; positions are those whose window lies in x. A view: six movement
  /// ops that compose to that index.
  Value slidingWindow(Value x, int64_t dim, int64_t taps, int64_t stride, int64_t dilation);
  /// Cross-correlation. x [N, C, spatial…], weights [M, C/groups, taps…], bias [M] or null; result
  /// [N, M, positions…] of `resultType` (x's element type if null), accumulated as in matmul.
  Value convolution(Value x, Value weights, Value bias = {}, const Window &window = {},
                    int64_t groups = 1, Type resultType = {});
  /// The gradient of `convolution` with respect to its input. x [N, C, spatial…], weights
  /// [C, M/groups, taps…]; result size (in - 1) * stride + (taps - 1) * dilation + 1 - padLow -
  /// padHigh + outputPadding. An empty outputPadding is all 0.
  Value transposedConvolution(Value x, Value weights, Value bias = {}, const Window &window = {},
                              int64_t groups = 1, ArrayRef<int64_t> outputPadding = {});

  /// What padHigh lacks for the last, incomplete window of ONNX's and PyTorch's ceil_mode:
  /// positions are rounded up, unless the last window would start in the high padding.
  static int64_t ceilModeExtra(int64_t size, int64_t taps, int64_t stride, int64_t dilation,
                               int64_t padLow, int64_t padHigh);
  /// x [N, C, spatial…]; one entry of `taps` per spatial dim. `ceilMode` pads by ceilModeExtra.
  Value maxPool(Value x, ArrayRef<int64_t> taps, const Window &window = {}, bool ceilMode = false);
  /// `countPadding`: padded elements count in the divisor (those of ceilMode never do).
  Value averagePool(Value x, ArrayRef<int64_t> taps, const Window &window = {},
                    bool ceilMode = false, bool countPadding = false);
  /// (sum of |x|^p)^(1/p)
  Value lpPool(Value x, ArrayRef<int64_t> taps, const Window &window = {}, bool ceilMode = false,
               double p = 2.0);
  /// Over all spatial dims, which stay with size 1.
  Value globalMaxPool(Value x);
  Value globalAveragePool(Value x);
  Value globalLpPool(Value x, double p = 2.0);

  //===--------------------------------------------------------------------===//
  // Normalisation (CompositesNorm.cpp)
  //===--------------------------------------------------------------------===//

  /// Of each result, 2^-24 of the row's sum (f64: 2^-53) may be wrong, besides some ULP of its own.
  Value softmax(Value x, int64_t dim);
  Value logSoftmax(Value x, int64_t dim);
  /// Over dims `firstDim` to the last; scale and bias (may be null) broadcast to x.
  Value layerNorm(Value x, int64_t firstDim, Value scale, Value bias, double epsilon = 1e-5);
  /// x / sqrt(mean(x²) + epsilon) * scale over dims `firstDim` to the last; scale may be null.
  Value rmsNorm(Value x, int64_t firstDim, Value scale, double epsilon = 1e-5);
  /// With given statistics, all [C]; C is dim 1 of x. Built as x * a + b with per-channel a and b,
  /// so that it folds into a convolution.
  Value batchNorm(Value x, Value scale, Value bias, Value mean, Value variance,
                  double epsilon = 1e-5);
  /// x [N, C, spatial…], scale and bias [C] or null.
  Value instanceNorm(Value x, Value scale, Value bias, double epsilon = 1e-5);
  Value groupNorm(Value x, int64_t groups, Value scale, Value bias, double epsilon = 1e-5);
  /// Across channels (dim 1): x / (bias + alpha / size * sum of squares)^beta, as ONNX's LRN.
  Value localResponseNorm(Value x, int64_t size, double alpha = 1e-4, double beta = 0.75,
                          double bias = 1.0);
  /// x / ‖x‖_p along `dim`, p 1 or 2; 0 where the norm is 0.
  Value lpNormalize(Value x, int64_t dim, int64_t p = 2);

  //===--------------------------------------------------------------------===//
  // Recurrent layers (CompositesRecurrent.cpp)
  //===--------------------------------------------------------------------===//

  /// One direction, unrolled over at most 1024 steps. x [time, batch, input], weights
  /// [gates * hidden, input], recurrence [gates * hidden, hidden], bias [2 * gates * hidden] (the
  /// input's, then the state's) or null, state [batch, hidden] or null for zeros.
  RecurrentResult rnn(Value x, Value weights, Value recurrence, Value bias, Value state,
                      const RecurrentForm &form = {});
  /// Gates in ONNX's order: update, reset, candidate.
  RecurrentResult gru(Value x, Value weights, Value recurrence, Value bias, Value state,
                      const RecurrentForm &form = {});
  /// Gates in ONNX's order: input, output, forget, candidate; peepholes [3 * hidden] of the first
  /// three, or null.
  RecurrentResult lstm(Value x, Value weights, Value recurrence, Value bias, Value state,
                       Value cell, Value peepholes, const RecurrentForm &form = {});

  //===--------------------------------------------------------------------===//
  // Joining, cutting and moving (CompositesShape.cpp)
  //===--------------------------------------------------------------------===//

  /// Pads selected by position: added pads would lose -0. At least one value.
  Value concat(ArrayRef<Value> values, int64_t dim);
  /// Consecutive pieces along `dim`, whose sizes add up to the dim's. Nulls on error.
  SmallVector<Value> split(Value x, int64_t dim, ArrayRef<int64_t> sizes);
  /// x[start:end:step] along `dim` as in Python: negative positions count from the end, all are
  /// clamped, step may be negative. INT64_MAX and INT64_MIN as `end` mean "to the end".
  Value slice(Value x, int64_t dim, int64_t start, int64_t end, int64_t step = 1);
  /// One entry per dim; negative entries cut. `value` serves PadMode::constant only. Reflection
  /// needs pads below the dim's size, edge and wrap a dim that is not empty.
  Value padWith(Value x, ArrayRef<int64_t> low, ArrayRef<int64_t> high,
                PadMode mode = PadMode::constant, const Scalar &value = 0);
  Value flip(Value x, ArrayRef<int64_t> dims);
  /// The whole tensor repeated, one count per dim.
  Value tile(Value x, ArrayRef<int64_t> repeats);
  /// Each element repeated `count` times along `dim`.
  Value repeatElements(Value x, int64_t dim, int64_t count);
  /// Swaps two dims.
  Value transpose(Value x, int64_t dim0 = -2, int64_t dim1 = -1);
  /// [N, C, H, W] to [N, C / block², H * block, W * block].
  Value depthToSpace(Value x, int64_t block, DepthOrder order = DepthOrder::dcr);
  Value spaceToDepth(Value x, int64_t block, DepthOrder order = DepthOrder::dcr);
  /// Where the column is at most (at least, for upper) the row plus `diagonal`; 0 elsewhere. Over
  /// the last two dims.
  Value triangular(Value x, bool upper, int64_t diagonal = 0);

  //===--------------------------------------------------------------------===//
  // Indexing (CompositesIndex.cpp, CompositesScatter.cpp)
  //===--------------------------------------------------------------------===//

  /// ONNX Gather: x[…, indices, …] along `dim`; result shape is x's with `dim` replaced by the
  /// shape of `indices`. Negative indices count from the end; out of range gives 0. The one-hot
  /// form, where(iota == index, x, 0) summed; a view where constant indices are evenly spaced in
  /// each of their dims.
  Value gather(Value x, Value indices, int64_t dim);
  /// ONNX GatherElements: result[i, j] = x[indices[i, j], j] for dim 0, and so on.
  Value gatherElements(Value x, Value indices, int64_t dim);
  /// ONNX GatherND: indices [batch…, n…, k] choose in the k dims behind the first `batchDims`; what
  /// is left of x's dims stays. A gather over those k dims as one.
  Value gatherNd(Value x, Value indices, int64_t batchDims = 0);
  /// ONNX ScatterND: updates [n…, rest…] go to where indices [n…, k] point in the first k dims of
  /// x. Constant indices that fill a box give where(inside, padded updates, x); any others
  /// where(iota == index, updates, x), summed over the updates if there are several. Indices out of
  /// range write nothing; what two updates make of one element with `replace` is not defined.
  Value scatterNd(Value x, Value indices, Value updates, ScatterKind kind = ScatterKind::replace);
  /// ONNX ScatterElements: result[indices[i, j], j] = updates[i, j] for dim 0, and so on.
  Value scatterElements(Value x, Value indices, Value updates, int64_t dim,
                        ScatterKind kind = ScatterKind::replace);
  /// A new dim `dim` of size `depth` that holds `on` at the index and `off` elsewhere (both rank-0
  /// tensors of one type). Negative indices count from depth; out of range gives all `off`.
  Value oneHot(Value indices, int64_t depth, int64_t dim, Value on, Value off);
  /// One dim to `size` by the nearest element. `scale` is given apart from the sizes, since they
  /// need not agree (ONNX floors the output size).
  Value resizeNearest(Value x, int64_t dim, int64_t size, double scale,
                      ResizeCoordinates coordinates = ResizeCoordinates::halfPixel,
                      NearestRounding rounding = NearestRounding::preferFloor);
  /// One dim to `size` by linear interpolation, with the borders repeated. Float x.
  Value resizeLinear(Value x, int64_t dim, int64_t size, double scale,
                     ResizeCoordinates coordinates = ResizeCoordinates::halfPixel);
  /// One dim to `size` by constant weights [size, dim's size] in row-major order: any linear
  /// resampling (cubic, antialiased, area). Float x.
  Value resample(Value x, int64_t dim, int64_t size, ArrayRef<double> weights);

private:
  /// Both operands as tensors of one shape and element type, or false after a report.
  bool unify(const Operand &x, const Operand &y, StringRef what, Value &lhs, Value &rhs);
  /// A tensor type whose element count fits 64 bits, or null after a report.
  RankedTensorType checkedType(ArrayRef<int64_t> shape, Type elementType);
  /// dimOf for a list without repetitions.
  std::optional<SmallVector<int64_t>> dimsOf(ArrayRef<int64_t> dims, int64_t rank) const;
  bool isFloat(Value x) const { return isa<FloatType>(elementOf(x)); }
  /// The widest accumulator of two operands and a result: any of them may need range or precision.
  Type commonAccumulator(Type x, Type y, Type result) const;
  /// True for a float tensor; else false, after a report if x is not null.
  bool floats(Value x, StringRef what) const;
  /// `compute` in f32, rounded back, where x is f16 or bf16; in x's own type elsewhere.
  Value inF32(Value x, llvm::function_ref<Value(Value)> compute);
};

} // namespace mlir::tiny

#endif // TINY_IR_COMPOSITES_H
