//===- VectorKernel.h - vector operations as table rows ------------------------===//
//
// A vector operation is a row: a name, what its operands are, and a kernel. The kernel is a loop
// over a block of 32 lanes made from a function of one lane; it sees plain arrays. Everything that
// is the same for all operations (modifiers, DPP, op_sel, denormals, clamp, EXEC, wave64) is
// outside of it, in VectorExecute.cpp. So one lane function serves VOP1/2/3, DPP and VOPD alike.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_SIM_VECTORKERNEL_H
#define TINY_SIM_VECTORKERNEL_H

#include "HandlerTable.h"
#include "LaneFast.h"
#include "llvm/ADT/ArrayRef.h"
#include <utility>

namespace tinysim {

/// The lanes a kernel works on. Those of EXEC 0 are computed as well, and not stored.
struct LaneBlock {
  static constexpr unsigned size = 32;
  const void *src[3] = {}; // uint32_t[32], or uint64_t[32] for 64-bit types
  void *dst = nullptr;
  uint32_t *carryOut = nullptr; // uint32_t[32], 0 or 1 (Row::maskOut)
  uint32_t maskIn = 0;          // one bit per lane (Row::maskIn)
  const LaneMode *mode = nullptr;
  unsigned firstLane = 0;
  bool saturate = false; // clamp of an integer operation
  bool perturb = false;
  uint8_t isSigned = 0; // Row::dotSigns: bit k if src[k] is
};

/// What a lane function may know beyond its operands.
struct Lane {
  const LaneMode &mode;
  unsigned index; // in the wave
  bool maskIn, saturate;
  uint8_t isSigned;
  uint32_t carryOut;
};

using Kernel = void (*)(const LaneBlock &);
/// For any host, and for one with AVX2 and FMA.
struct Kernels {
  Kernel baseline = nullptr, vectors = nullptr;
};

/// What an operand is: its width, which modifiers apply, and how it is flushed.
enum class Type : uint8_t {
  none,
  b16, // one half of a register, as op_sel says
  f16, // the same, with neg and abs
  b32,
  f32,
  b64,
  f64,
  pk16,   // two halves, each chosen by op_sel and op_sel_hi
  pkF16,  // the same, with neg_lo and neg_hi
  pkBF16, // the same, without denormal flushing
  mix,    // f32, or a half of a register as f16, by op_sel_hi and op_sel
};

struct Row {
  std::string name;
  Kernels kernels;
  Type dst = Type::none;
  Type src[3] = {};
  enum Flag : uint8_t {
    maskOut = 1,        // also writes a mask: dst[1], or dst[0] if it is a comparison
    maskIn = 2,         // the operand after the sources is a mask
    compare = 4,        // writes a mask only: the kernel's result is 0 or ~0
    keepsBits = 8,      // moves bits: denormals are never flushed
    noOutputFlush = 16, // the result's denormals follow the inputs (minimum and maximum)
    dotSigns = 32,      // neg_lo says that src0 or src1 is signed
    noModifiers = 64,   // clamp and omod have no meaning for the result
    highHalf = 128,     // writes the high half of the destination
  };
  uint8_t flags = 0;
};

namespace kernels {

/// R f(A...), R f(const LaneMode &, A...) or R f(Lane &, A...).
template <auto f, class T = decltype(f)> struct Loop;

template <auto f, class R, class... A> struct Loop<f, R (*)(A...)> {
  template <size_t... k>
  TINYSIM_INLINE static void body(const LaneBlock &b, std::index_sequence<k...>) {
    R result[LaneBlock::size];
    for (unsigned lane = 0; lane < LaneBlock::size; ++lane)
      result[lane] = f(static_cast<const A *>(b.src[k])[lane]...);
    __builtin_memcpy(b.dst, result, sizeof(result));
  }
  TINYSIM_INLINE static void run(const LaneBlock &b) { body(b, std::index_sequence_for<A...>()); }
};
template <auto f, class R, class... A> struct Loop<f, R (*)(const LaneMode &, A...)> {
  template <size_t... k>
  TINYSIM_INLINE static void body(const LaneBlock &b, std::index_sequence<k...>) {
    R *result = static_cast<R *>(b.dst);
    for (unsigned lane = 0; lane < LaneBlock::size; ++lane)
      result[lane] = f(*b.mode, static_cast<const A *>(b.src[k])[lane]...);
  }
  TINYSIM_INLINE static void run(const LaneBlock &b) { body(b, std::index_sequence_for<A...>()); }
};
template <auto f, class R, class... A> struct Loop<f, R (*)(Lane &, A...)> {
  template <size_t... k>
  TINYSIM_INLINE static void body(const LaneBlock &b, std::index_sequence<k...>) {
    R result[LaneBlock::size];
    uint32_t carry[LaneBlock::size];
    for (unsigned i = 0; i < LaneBlock::size; ++i) {
      Lane lane{*b.mode, b.firstLane + i, (b.maskIn >> i & 1) != 0, b.saturate, b.isSigned, 0};
      result[i] = f(lane, static_cast<const A *>(b.src[k])[i]...);
      carry[i] = lane.carryOut;
    }
    __builtin_memcpy(b.dst, result, sizeof(result));
    if (b.carryOut)
      __builtin_memcpy(b.carryOut, carry, sizeof(carry));
  }
  TINYSIM_INLINE static void run(const LaneBlock &b) { body(b, std::index_sequence_for<A...>()); }
};

/// The fast form (R f(uint32_t &special, A...)), and the exact one where rounding is not to nearest
/// or a lane is special.
template <auto fast, auto exact, bool isF32, class T = decltype(fast)> struct TwoForms;
template <auto fast, auto exact, bool isF32, class R, class... A>
struct TwoForms<fast, exact, isF32, R (*)(uint32_t &, A...)> {
  template <size_t... k>
  TINYSIM_INLINE static bool body(const LaneBlock &b, std::index_sequence<k...>) {
    R result[LaneBlock::size];
    uint32_t special = 0;
    for (unsigned lane = 0; lane < LaneBlock::size; ++lane)
      result[lane] = fast(special, static_cast<const A *>(b.src[k])[lane]...);
    __builtin_memcpy(b.dst, result, sizeof(result));
    return special == 0;
  }
  TINYSIM_INLINE static void run(const LaneBlock &b) {
    const FloatMode &mode = isF32 ? b.mode->f32 : b.mode->f16f64;
    if (mode.round == Rounding::nearest && body(b, std::index_sequence_for<A...>()))
      return;
    Loop<exact>::run(b);
  }
};

template <class L> void runBaseline(const LaneBlock &b) { L::run(b); }
#if defined(__x86_64__)
template <class L> [[gnu::target("arch=x86-64-v3")]] void runVectors(const LaneBlock &b) {
  L::run(b);
}
#endif
template <class L> constexpr Kernels both() {
#if defined(__x86_64__)
  return {&runBaseline<L>, &runVectors<L>};
#else
  return {&runBaseline<L>, &runBaseline<L>};
#endif
}

} // namespace kernels

/// A kernel of a lane function that is good for every mode.
template <auto f> constexpr Kernels each() { return kernels::both<kernels::Loop<f>>(); }
/// A kernel with a fast form for rounding to nearest.
template <auto fast, auto exact> constexpr Kernels each32() {
  return kernels::both<kernels::TwoForms<fast, exact, true>>();
}
template <auto fast, auto exact> constexpr Kernels each16Or64() {
  return kernels::both<kernels::TwoForms<fast, exact, false>>();
}

// The rows, by what they compute.
llvm::ArrayRef<Row> singleRows(); // f32 arithmetic
llvm::ArrayRef<Row> doubleRows(); // f64 arithmetic, division
llvm::ArrayRef<Row> halfRows();   // f16 and packed arithmetic, dot products
llvm::ArrayRef<Row> integerRows();
llvm::ArrayRef<Row> conversionRows();
llvm::ArrayRef<Row> comparisonRows();

/// The row of a base name (V_ADD_F32), or null.
const Row *findRow(llvm::StringRef name);

void registerVectorLanes(HandlerTable &table);  // what moves data between lanes
void registerVectorMatrix(HandlerTable &table); // WMMA
void registerVectorDual(HandlerTable &table);   // VOPD

} // namespace tinysim

#endif // TINY_SIM_VECTORKERNEL_H
