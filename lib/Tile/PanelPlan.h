//===- PanelPlan.h - a contraction in panels, for a CPU ---------*- C++ -*-===//
//
// A product of matrices reaches the peak of a CPU if three things hold: as many sums are
// in registers as fit, what a step multiplies them with comes from the first two levels
// of the cache, and it lies there one behind the other. So columns of one factor are
// brought into panels of the width of the registers, a block of the depth at a time, and
// the rows of the other factor pass by.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_PANELPLAN_H
#define TINY_LIB_TILE_PANELPLAN_H

#include "ContractionNest.h"
#include "NestPrice.h"

#include <vector>

namespace mlir::tiny {
struct SelectTilingCPUPassOptions;

/// How a factor reaches the registers.
enum class PanelWalk : uint8_t {
  inPlace,   ///< It is read where it lies.
  inPanels,  ///< The same: a constant that lies in panels [column / width][depth][width][dot].
  alongSide, ///< Packed by vectors along its rows or columns.
  alongDepth ///< Packed by vectors along the depth, which is where it is contiguous.
};

/// The facts of a chip that decide.
struct PanelTarget {
  int64_t vectorBits, numRegisters, l1Bytes, l2Bytes, maxLocalBytes;
  /// Instructions that multiply vectors of pairs of 16-bit integers and add them to sums; 0: none.
  unsigned pairInstructions = 0;
  /// Whether one instruction does so with four bytes each, one factor of which has no sign.
  bool byteProducts = false;
  /// Whether factors of f32 may be rounded to bf16, pairs of which one instruction multiplies.
  bool bf16Products = false;
  /// Whether the widest vectors go through the units in two halves.
  bool halvesVectors = false;
  /// Whether a unit multiplies tiles of 16 x 16 dots: of bytes, with or without signs, and of bf16.
  bool matrixUnit = false;
};

/// How a contraction is cut into panels, as it stands in the list of tilings of a kernel:
///
///     {depth = 256 : i64, lanes = 8 : i64, packed = array<i64: 0, 1>, registers = array<i64: 6,
///     2>,
///      tile = array<i64: 192, 128>}
///
/// With `apart = 1`, the outermost loop of the columns counts as a batch: so do images, the ends of
/// which vectors of their pixels do not pass.
///
/// Tiles are workgroups then. Beside other nests of a group it is the shared loops that are
/// divided, as `grid = array<i64: 1, 64, 512>` says for each parallel loop, and tiles are loops in
/// each workgroup. With `dot = 2`, an element of a panel is two numbers of 16 bits, consecutive
/// steps along one loop of the depth, and `depth` counts these: integers, or bf16 where sums are of
/// f32. With `dot = 4`, it is four bytes. With `tiles`, sums are in tiles of 16 rows and a vector:
/// `registers` are whole ones, and so is `depth`, which may be more than the nest has then.
struct PanelTiling {
  std::array<int64_t, 2> tile;      ///< Rows and columns of one workgroup: whole `registers`.
  int64_t depth;                    ///< Steps of the reduction after which sums are put aside.
  std::array<int64_t, 2> registers; ///< Rows and vectors of columns whose sums are in registers.
  int64_t lanes;                    ///< Of a vector.
  std::array<int64_t, 2> packed;    ///< Whether rows and columns are copied first, in order.
  SmallVector<int64_t> grid;        ///< In a group: what a workgroup has of each parallel loop.
  int64_t dot = 1;                  ///< Numbers in an element of a panel.
  int64_t apart = 0;                ///< Outermost loops of the columns that are batches.
  bool tiles = false;               ///< Whether a matrix unit multiplies.

  static std::optional<PanelTiling> get(DictionaryAttr attribute);
  DictionaryAttr attribute(MLIRContext *context) const;
};

/// Integer factors as the bytes that one instruction multiplies: a factor is its byte and the
/// offset of its side. Where there is one, what it adds to a sum is made up for.
struct ByteFactors {
  bool unsignedRows, unsignedColumns; ///< Just one of them, except in tiles.
  int64_t rowOffset, columnOffset;

  /// Those with the fewest offsets; nothing where some factor needs more than eight bits. For
  /// `tiles`, nothing where there is an offset.
  static std::optional<ByteFactors> get(const ContractionNest &what, bool tiles = false);
};

struct PanelPlan {
  ContractionNest what;
  Type element; ///< Of the sums, and as wide as one of packed factors.
  Type packed;  ///< Of packed factors.
  int64_t lanes;
  int64_t rowTile = 0, columnTile = 0;   ///< Of a workgroup.
  int64_t registerRows = 0, vectors = 0; ///< Of a register tile.
  int64_t depthBlock = 0;
  PanelWalk rows = PanelWalk::inPlace, columns = PanelWalk::inPlace;
  /// The loop of the depth `dot` steps of which are one packed element, the lowest one in the
  /// lowest bits; where their number is no multiple of it, 0 is in the rest of the last one. -1 for
  /// none.
  int64_t dotLoop = -1;
  int64_t dot = 1;
  bool tiles = false;                      ///< As in a PanelTiling.
  ByteFactors bytes = {false, true, 0, 0}; ///< Where `dot` is 4.
  /// Cycles that a vector of products takes, with its sum.
  double productCost = 0.5;
  int64_t apart = 0; ///< As in a PanelTiling.

  bool hasDots() const { return dot > 1; }
  bool isBF16() const { return hasDots() && !what.isInteger; }
  /// Steps along `loop`, and those of the whole depth, as packed elements.
  int64_t steps(const KernelNest &nest, unsigned loop) const;
  int64_t depthSteps = 0;
  int64_t panelWidth() const { return vectors * lanes; }
  bool packsColumns() const {
    return columns == PanelWalk::alongSide || columns == PanelWalk::alongDepth;
  }
  /// Those of the last panel: no more than there are columns for, where these are packed.
  int64_t lastVectors() const;
  int64_t elementBytes() const { return element.getIntOrFloatBitWidth() / 8; }
  /// Whether sums are put aside between blocks of the depth.
  bool splitsDepth() const { return depthBlock < depthSteps; }
  /// Elements that a workgroup keeps: packed columns, one packed strip of rows, sums that wait, and
  /// a register tile at the edge.
  int64_t columnElements() const;
  int64_t stripElements() const;
  int64_t sumElements() const;
  int64_t edgeElements() const;
  int64_t localBytes() const;
  /// Cycles of all workgroups together, and their number.
  double cycles(const KernelNest &nest) const;
  int64_t workgroups() const;
  /// What the nest costs beside its instructions if it is emitted as it stands, under `alone`: its
  /// price takes everything to be in the first level of the cache.
  double farCycles(const Candidate &alone, const PanelTarget &target) const;
  /// Cycles of the nest if it is a kernel of its own, as it stands, and its instructions are
  /// `price`.
  double cyclesAlone(const Candidate &alone, double price, const PanelTarget &target) const;
  /// What packing costs beside its instructions where every element is in a line of the cache of
  /// its own. One pass over all rows has few of them; workgroups of few rows pack all of them each.
  double scatteredCycles(const KernelNest &nest) const;
  PanelTiling tiling() const;

  /// A plan without sizes.
  PanelPlan(const KernelNest &nest, ContractionNest contraction, int64_t lanes, int64_t dot,
            bool tiles = false);
  /// The plan that `tiling` describes, or nothing where it does not fit `nest`.
  static std::optional<PanelPlan> get(const KernelNest &nest, const PanelTiling &tiling);
  /// The best one for `nest` of each register tile and way to read the factors, the cheapest first;
  /// none where it is no contraction.
  /// With `within`, `nest` is what one workgroup has of it, beside other nests. With
  /// `mayArrange`, columns of any plan can be brought into its panels before the program runs.
  static std::vector<PanelPlan> candidates(const KernelNest &nest, const PanelTarget &target,
                                           bool within = false, bool mayArrange = false);
  /// Those with half or twice the rows, columns or depth of this one.
  SmallVector<PanelTiling> neighbours(const KernelNest &nest, const PanelTarget &target) const;
};

/// Whether the factors of `what` may be packed as `dot` numbers in 32 bits, in vectors of `lanes`
/// of them: integers always are, and those of f32 may be, as bf16.
bool mayBeDots(const KernelNest &nest, const ContractionNest &what, int64_t dot, int64_t lanes);
/// Whether they may be multiplied in tiles: bytes without offsets, or bf16.
bool mayBeTiles(const KernelNest &nest, const ContractionNest &what, int64_t dot, int64_t lanes);
/// Whether the tiles of `plan`, whose walks and sizes are chosen, find its factors as they load
/// them: whole steps of the depth, in rows of one stride.
bool fitsTiles(const KernelNest &nest, const PanelPlan &plan);
/// Whether tiles may load the rows where they lie.
bool tilesMayLoadRows(const KernelNest &nest, const PanelPlan &plan);
/// Cycles that one step of the depth takes in tiles of `rows` x `vectors`.
double tileStepCost(int64_t rows, int64_t vectors);
/// Rows of a tile of sums, and steps of the depth of a tile of factors: rows of 64 bytes.
inline constexpr int64_t tileSize = 16;
/// The loop of the depth that loses the least if it is walked in steps of `dot`; of these, the
/// innermost.
unsigned dotLoopOf(const KernelNest &nest, const ContractionNest &what, int64_t dot);
/// Whether the factor of `side` is in memory as it is multiplied: of the type of the sums, or as
/// the numbers of a dot, which are widened after they have been loaded.
bool isStoredAsMultiplied(const KernelNest &nest, const PanelPlan &plan,
                          const ContractionSide &side);
/// `factor` as it lies in memory, if all that is done to it is to widen it.
Value storedFactor(Value factor);
/// The access of the factor of `side`, seen through what widens it; null where it is computed.
const Access *accessOf(const KernelNest &nest, const ContractionSide &side);
/// What one step of the packed depth adds to `access`, in elements of it; nothing where that is no
/// constant.
std::optional<int64_t> strideAlongDepth(const KernelNest &nest, const PanelPlan &plan,
                                        const Access &access);
/// Whether `side` can be multiplied where it lies, if it is read along the depth, or else along the
/// columns.
bool mayStay(const KernelNest &nest, const PanelPlan &plan, const ContractionSide &side,
             bool alongDepth);

/// The logarithm of the time that `workgroups` of `cycles` each take, weighed over machines of one
/// to many threads.
double priceOnThreads(double workgroups, double cycles);

/// Panels of `width` columns, an element of which is `dot` steps along the loop `dotLoop`.
struct PanelForm {
  int64_t width, dot, dotLoop;
};

/// The panels in which the columns of `nest` should lie if they are a constant; nothing if panels
/// are not what is cheapest then.
std::optional<PanelForm> arrangedForm(const KernelNest &nest,
                                      const SelectTilingCPUPassOptions &options);

/// What one step along `loops`, walked as one, adds to `access`; nothing where that is no constant.
/// 0 where there are none.
std::optional<int64_t> strideAlong(const KernelNest &nest, const Access &access,
                                   ArrayRef<unsigned> loops);

/// Whether the epilogue, and its store, may run on past the end of the innermost column loop as if
/// the columns were one loop.
bool columnsAreOneLoop(const KernelNest &nest, const ContractionNest &what);
/// The same of the loads of a factor along `loops`.
bool loadsAreLinear(const KernelNest &nest, const ContractionSide &side, ArrayRef<unsigned> loops);
/// Whether the columns lie in whole panels of the plan's width in memory, each in the order in
/// which it is multiplied.
bool liesInPanels(const KernelNest &nest, const PanelPlan &plan);
/// Whether strips of `rows` rows that are `depth` deep would take more than `mostWays` of some sets
/// of the first level if they were read in place.
bool collide(const KernelNest &nest, const ContractionNest &what, int64_t rows, int64_t depth,
             int64_t mostWays);
/// Whether any load of the factor has a guard.
bool isGuarded(const KernelNest &nest, const ContractionSide &side);
/// Rounds of the innermost loop that `unit` neighbours may be in, the first of which is at a
/// multiple of `unit`.
int64_t numPieces(const KernelNest &nest, const ContractionSide &side, int64_t unit);
/// Whether `unit` neighbours of the factor can be put together from a vector of each round, whose
/// other lanes are not loaded, on a target that has masks for elements of `maskedBits`.
bool mayPackPieces(const KernelNest &nest, const ContractionSide &side, int64_t unit,
                   unsigned maskedBits);

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_PANELPLAN_H
