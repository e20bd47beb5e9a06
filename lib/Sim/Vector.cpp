//===- Vector.cpp - executes the rows of vector operations ---------------------===//
//
// One handler runs every row: sources to blocks of lanes, the kernel, the result back under EXEC.
// A second one, chosen when an instruction is translated, does the same for plain 32-bit operands
// without modifiers, which is what nearly all instructions of a kernel are.
//
//===----------------------------------------------------------------------===//

#include "VectorOperands.h"
#include "llvm/ADT/StringMap.h"

using namespace tinysim;

namespace {
/// All rows, with the kernel this host runs.
struct RowTable {
  std::vector<const Row *> rows;
  std::vector<Kernel> kernels;
  llvm::StringMap<uint32_t> numbers;

  RowTable() {
    for (llvm::ArrayRef<Row> some : {singleRows(), doubleRows(), halfRows(), integerRows(),
                                     conversionRows(), comparisonRows()})
      for (const Row &row : some) {
        numbers[row.name] = static_cast<uint32_t>(rows.size());
        rows.push_back(&row);
        kernels.push_back(hostHasVectors() ? row.kernels.vectors : row.kernels.baseline);
      }
  }
  static const RowTable &get() {
    static const RowTable table;
    return table;
  }
};
} // namespace

const Row *tinysim::findRow(llvm::StringRef name) {
  const RowTable &table = RowTable::get();
  auto found = table.numbers.find(name);
  return found == table.numbers.end() ? nullptr : table.rows[found->second];
}

static unsigned sourceCount(const Row &row) {
  return row.src[0] == Type::none   ? 0
         : row.src[1] == Type::none ? 1
         : row.src[2] == Type::none ? 2
                                    : 3;
}

namespace {
/// Operands with modifiers, DPP, halves, 64 bits, masks.
struct General {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    const RowTable &table = RowTable::get();
    const Row &row = *table.rows[i.tag];
    const Kernel kernel = table.kernels[i.tag];
    const LaneMode mode = laneMode(wave);
    const bool vop3p = i.format == Format::vop3p, moves = row.flags & Row::keepsBits;
    const unsigned sources = sourceCount(row), blocks = N / LaneBlock::size;
    uint64_t exec = wave.exec<N>();

    DppLanes dpp;
    if (i.dpp != Dpp::none) {
      if (!dppLanes(i, N, exec, dpp))
        return wave.fault(Fault::Kind::illegalInstruction, "has a DPP control gfx1100 lacks");
      exec &= dpp.enabled;
    }

    Buffer results[blocks], shaped[3];
    alignas(64) uint32_t words[3][2][LaneBlock::size], carry[LaneBlock::size];
    uint64_t maskIn = 0, maskOut = 0;
    if (row.flags & Row::maskIn)
      maskIn = wave.mask<N>(i.src[sources]);
    for (unsigned block = 0; block < blocks; ++block) {
      const unsigned first = block * LaneBlock::size;
      LaneBlock lanes;
      for (unsigned k = 0; k < sources; ++k) {
        // V_PK_FMAC_F16 has no operand for what it adds to.
        const Operand &operand =
            k < i.srcs && i.src[k].kind != Operand::Kind::none ? i.src[k] : i.dst[0];
        const uint32_t *parts[2] = {words[k][0], words[k][1]};
        for (unsigned part = 0; part < (is64(row.src[k]) ? 2u : 1u); ++part) {
          if (operand.isVgpr()) {
            if (k == 0 && i.dpp != Dpp::none)
              permuteBlock(wave.vgpr<N>(operand.index + part), dpp, first, words[k][part]);
            else
              parts[part] = wave.vgpr<N>(operand.index + part) + first;
          } else {
            uint32_t value =
                static_cast<uint32_t>(operand.isConstant() ? operand.constant >> (32 * part)
                                                           : wave.scalars[operand.index + part]);
            for (uint32_t &word : words[k][part])
              word = value;
          }
        }
        lanes.src[k] =
            shapeSource(operand, row.src[k], vop3p, !moves, mode, parts[0], parts[1], shaped[k]);
        if (row.flags & Row::dotSigns && k < 2 && operand.modifiers & modNeg)
          lanes.isSigned |= 1 << k;
      }
      lanes.dst = results[block].words;
      lanes.carryOut = row.flags & Row::maskOut ? carry : nullptr;
      lanes.maskIn = static_cast<uint32_t>(maskIn >> first);
      lanes.mode = &mode;
      lanes.firstLane = first;
      lanes.saturate = i.clamp && !isFloat(row.dst);
      lanes.perturb = wave.perturb;
      kernel(lanes);
      if (isFloat(row.dst))
        finishFloat(i, row, mode, results[block]);
      if (row.flags & Row::compare)
        maskOut |= static_cast<uint64_t>(maskOf(results[block].words)) << first;
      else if (row.flags & Row::maskOut)
        maskOut |= static_cast<uint64_t>(maskOf(carry)) << first;
    }
    // Lanes that are off give 0 in masks.
    if (row.flags & Row::compare)
      return wave.setMask<N>(i.dst[0], maskOut & exec);
    for (unsigned block = 0; block < blocks; ++block)
      storeResult(wave.vgpr<N>(i.dst[0].index) + block * LaneBlock::size, N, row.dst,
                  i.dst[0].high || row.flags & Row::highHalf, results[block],
                  static_cast<uint32_t>(exec >> (block * LaneBlock::size)));
    if (row.flags & Row::maskOut)
      wave.setMask<N>(i.dst[1], maskOut & exec);
  }
};

/// Everything is a word, perhaps with neg or abs, and MODE keeps all denormals (or the row moves
/// bits).
struct Plain {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    const RowTable &table = RowTable::get();
    const Row &row = *table.rows[i.tag];
    const LaneMode mode = laneMode(wave);
    if ((wave.mode.bits & 0xf0) != 0xf0 && !(row.flags & Row::keepsBits))
      return General::run<N>(wave, i);
    const unsigned blocks = N / LaneBlock::size, sources = sourceCount(row);
    const uint64_t exec = wave.exec<N>();
    Buffer results[blocks], operands[3], shaped[3];
    uint64_t maskIn = 0, maskOut = 0;
    uint32_t carry[LaneBlock::size];
    if (row.flags & Row::maskIn)
      maskIn = wave.mask<N>(i.src[sources]);
    for (unsigned block = 0; block < blocks; ++block) {
      const unsigned first = block * LaneBlock::size;
      LaneBlock lanes;
      for (unsigned k = 0; k < sources; ++k) {
        const Operand &operand = i.src[k];
        const uint32_t *words = operands[k].words;
        if (operand.isVgpr()) {
          words = wave.vgpr<N>(operand.index) + first;
        } else if (block == 0) {
          uint32_t value = wave.read32(operand);
          for (uint32_t &word : operands[k].words)
            word = value;
        }
        lanes.src[k] =
            row.src[k] == Type::f32 && operand.modifiers & (modNeg | modAbs)
                ? shapeSource(operand, Type::f32, false, false, mode, words, words, shaped[k])
                : words;
      }
      lanes.dst = results[block].words;
      lanes.carryOut = row.flags & Row::maskOut ? carry : nullptr;
      lanes.maskIn = static_cast<uint32_t>(maskIn >> first);
      lanes.mode = &mode;
      lanes.firstLane = first;
      lanes.perturb = wave.perturb;
      table.kernels[i.tag](lanes);
      if (row.flags & Row::compare)
        maskOut |= static_cast<uint64_t>(maskOf(results[block].words)) << first;
      else if (row.flags & Row::maskOut)
        maskOut |= static_cast<uint64_t>(maskOf(carry)) << first;
    }
    if (row.flags & Row::compare)
      return wave.setMask<N>(i.dst[0], maskOut & exec);
    for (unsigned block = 0; block < blocks; ++block)
      storeBlock(wave.vgpr<N>(i.dst[0].index) + block * LaneBlock::size, results[block].words,
                 static_cast<uint32_t>(exec >> (block * LaneBlock::size)));
    if (row.flags & Row::maskOut)
      wave.setMask<N>(i.dst[1], maskOut & exec);
  }
};
} // namespace

/// V_FMA_MIX reads a source as f32 or f16 by its op_sel_hi, which LLVM's decoder does not consider:
/// it gives inline constants as f16. A literal is left as it is; where there is one, the
/// instruction is four bytes longer.
static void widenMixConstants(Instruction &i) {
  unsigned constants = 0;
  for (unsigned k = 0; k < 3; ++k)
    constants += i.src[k].isConstant();
  if (i.size > 8 && constants == 1)
    return;
  for (unsigned k = 0; k < 3; ++k) {
    Operand &operand = i.src[k];
    const bool isHalf = operand.modifiers & modOpSelHi;
    for (uint32_t half : {0x3800, 0x3c00, 0x4000, 0x4400, 0xb800, 0xbc00, 0xc000, 0xc400, 0x3118})
      if (operand.isConstant() && !isHalf && operand.constant == half) {
        operand.constant = half == 0x3118 ? 0x3e22f983 : bitsOf(widen(half)); // 1 / (2 pi)
        break;
      }
  }
}

static Handler selectRow(Instruction &i, unsigned waveSize) {
  const Row &row = *RowTable::get().rows[i.tag];
  const unsigned sources = sourceCount(row);
  if (row.src[0] == Type::mix)
    widenMixConstants(i);
  bool plain = i.dpp == Dpp::none && !i.clamp && !i.omod && i.srcs >= sources &&
               (row.dst == Type::b32 || row.dst == Type::f32 || isPacked(row.dst)) &&
               !(row.flags & Row::dotSigns);
  for (unsigned k = 0; k < sources; ++k)
    plain &= isPlain(i.src[k], row.src[k], i.format == Format::vop3p);
  // The second immediate of packed operations is no omod.
  if (isPacked(row.dst) && !plain && i.dpp == Dpp::none && !i.clamp && i.srcs >= sources) {
    plain = true;
    for (unsigned k = 0; k < sources; ++k)
      plain &= isPlain(i.src[k], row.src[k], true);
    plain &= i.format == Format::vop3p;
  }
  return plain ? handlerOf<Plain>(waveSize) : handlerOf<General>(waveSize);
}

void tinysim::registerVector(HandlerTable &table) {
  const RowTable &rows = RowTable::get();
  for (uint32_t n = 0; n < rows.rows.size(); ++n)
    table.addSelector(rows.rows[n]->name, selectRow, n);
  registerVectorLanes(table);
  registerVectorMatrix(table);
  registerVectorDual(table);
}
