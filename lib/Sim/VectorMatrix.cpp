//===- VectorMatrix.cpp - WMMA ---------------------------------------------------===//
//
// D = A * B + C on 16 x 16 matrices spread over a wave (section 7.9 of the RDNA3 ISA document).
// Lane l holds row l % 16 of A and column l % 16 of B, two f16 to a register; the lanes beyond 16
// repeat them. Register r of C and D holds, in lane l, column l % 16 of row r * (waveSize / 16) + l
// / 16.
//
// The order in which the hardware adds the products is not public. Ours is fixed: C first, then the
// products for k = 0 to 15, each step one fused multiply-add in f32, and one rounding to f16 or
// bf16 at the end where that is the result. MODE has no part in it.
//
//===----------------------------------------------------------------------===//

#include "VectorOperands.h"

using namespace tinysim;

namespace {
constexpr unsigned size = 16;
/// A row of a matrix; the host's vectors are parts of it.
typedef float Row16 __attribute__((vector_size(size * sizeof(float))));
typedef int32_t IntegerRow16 __attribute__((vector_size(size * sizeof(int32_t))));
typedef uint32_t UnsignedRow16 __attribute__((vector_size(size * sizeof(uint32_t))));
enum class Element : uint8_t { f16, bf16, iu8, iu4 };
enum class Result : uint8_t { f32, f16, bf16, i32 };

LANE float widenElement(Element e, uint32_t half) {
  return e == Element::f16 ? widen(half) : widenBf16(half);
}
/// An element of C, with neg_lo and neg_hi (here: abs, then neg) where it is a float.
LANE float widenResult(Result r, uint32_t word, bool high, unsigned modifiers) {
  uint32_t half = high ? word >> 16 : word & 0xffff;
  uint32_t bits = r == Result::f32   ? word
                  : r == Result::f16 ? bitsOf(widen(half))
                                     : bitsOf(widenBf16(half));
  bits &= modifiers & modAbs ? 0x7fffffffu : 0xffffffffu;
  return asFloat(bits ^ (modifiers & modNeg ? 0x80000000u : 0));
}
LANE uint32_t flip(unsigned modifiers, bool high) {
  return modifiers & (high ? modAbs : modNeg) ? 0x8000 : 0; // neg_hi, neg_lo
}

template <Element element, Result result> struct FloatMatrix {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    constexpr unsigned registers = size * size / N, perRegister = N / size;
    // Converted once each; k of B is outermost so that the inner loop runs over columns.
    alignas(64) float a[size][size], b[size][size], d[size][size];
    for (unsigned k = 0; k < size; ++k) {
      const uint32_t *words = wave.vgpr<N>(i.src[0].index + k / 2);
      const uint32_t *wordsB = wave.vgpr<N>(i.src[1].index + k / 2);
      const unsigned shift = k % 2 * 16;
      const uint32_t flipA = flip(i.src[0].modifiers, k % 2),
                     flipB = flip(i.src[1].modifiers, k % 2);
      for (unsigned lane = 0; lane < size; ++lane) {
        a[k][lane] = widenElement(element, (words[lane] >> shift & 0xffff) ^ flipA);
        b[k][lane] = widenElement(element, (wordsB[lane] >> shift & 0xffff) ^ flipB);
      }
    }
    const Operand &c = i.src[2];
    // op_sel of the third source names the half that C and D use.
    const bool high = result != Result::f32 && c.modifiers & modOpSel;
    for (unsigned r = 0; r < registers; ++r) {
      uint32_t buffer[N];
      const uint32_t *words = c.isVgpr() ? wave.vgpr<N>(c.index + r) : fetch<N>(wave, c, buffer);
      for (unsigned lane = 0; lane < N; ++lane)
        d[r * perRegister + lane / size][lane % size] =
            widenResult(result, words[lane], high && c.isVgpr(), c.modifiers);
    }
    // Four rows at a time share the loads of B and stay in registers.
    for (unsigned row = 0; row < size; row += 4) {
      Row16 sums[4];
      std::memcpy(sums, d[row], sizeof(sums));
      for (unsigned k = 0; k < size; ++k) {
        Row16 factors;
        std::memcpy(&factors, b[k], sizeof(factors));
        sums[0] += a[k][row] * factors;
        sums[1] += a[k][row + 1] * factors;
        sums[2] += a[k][row + 2] * factors;
        sums[3] += a[k][row + 3] * factors;
      }
      std::memcpy(d[row], sums, sizeof(sums));
    }
    const bool highD = result != Result::f32 && (i.dst[0].high || high);
    for (unsigned r = 0; r < registers; ++r) {
      uint32_t *to = wave.vgpr<N>(i.dst[0].index + r);
      for (unsigned lane = 0; lane < N; ++lane) {
        float value = d[r * perRegister + lane / size][lane % size];
        if (result == Result::f32) {
          to[lane] = bitsOf(value);
          continue;
        }
        uint32_t half = result == Result::f16 ? narrow(value) : narrowBf16(value);
        to[lane] = highD ? (to[lane] & 0xffff) | half << 16 : (to[lane] & 0xffff0000) | half;
      }
    }
  }
};

template <unsigned bits> struct IntegerMatrix {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    constexpr unsigned registers = size * size / N, perRegister = N / size, perWord = 32 / bits;
    IntegerRow16 a[size], b[size], products[size]; // at most 16 * 255 * 255
    for (unsigned source = 0; source < 2; ++source) {
      // The field goes to the top of the word, and back with its sign or without.
      const bool isSigned = i.src[source].modifiers & modNeg;
      IntegerRow16 *elements = source ? b : a;
      for (unsigned k = 0; k < size; ++k) {
        UnsignedRow16 words;
        std::memcpy(&words, wave.vgpr<N>(i.src[source].index + k / perWord), sizeof(words));
        elements[k] = static_cast<IntegerRow16>(words << (32 - bits - k % perWord * bits)) >>
                      static_cast<int>(32 - bits);
        if (!isSigned)
          elements[k] &= (1 << bits) - 1;
      }
    }
    for (unsigned row = 0; row < size; ++row) {
      products[row] = a[0][row] * b[0];
      for (unsigned k = 1; k < size; ++k)
        products[row] += a[k][row] * b[k];
    }
    uint32_t d[registers][N];
    const Operand &c = i.src[2];
    for (unsigned r = 0; r < registers; ++r) {
      uint32_t buffer[N];
      const uint32_t *words = c.isVgpr() ? wave.vgpr<N>(c.index + r) : fetch<N>(wave, c, buffer);
      for (unsigned lane = 0; lane < N; ++lane) {
        int64_t sum = static_cast<int64_t>(static_cast<int32_t>(words[lane])) +
                      products[r * perRegister + lane / size][lane % size];
        if (i.clamp)
          sum = sum < INT32_MIN ? INT32_MIN : sum > INT32_MAX ? INT32_MAX : sum;
        d[r][lane] = static_cast<uint32_t>(static_cast<uint64_t>(sum));
      }
    }
    for (unsigned r = 0; r < registers; ++r)
      std::memcpy(wave.vgpr<N>(i.dst[0].index + r), d[r], sizeof(d[r]));
  }
};

/// WMMA works on whole waves: what it would do with lanes off is not documented.
template <class Body> struct WholeWave {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    if (wave.exec<N>() != allLanes<N>)
      return wave.fault(Fault::Kind::illegalInstruction,
                        "needs all lanes of the wave; EXEC has some off");
    Body::template run<N>(wave, i);
  }
};
} // namespace

void tinysim::registerVectorMatrix(HandlerTable &table) {
  table.add<WholeWave<FloatMatrix<Element::f16, Result::f32>>>("V_WMMA_F32_16X16X16_F16");
  table.add<WholeWave<FloatMatrix<Element::bf16, Result::f32>>>("V_WMMA_F32_16X16X16_BF16");
  table.add<WholeWave<FloatMatrix<Element::f16, Result::f16>>>("V_WMMA_F16_16X16X16_F16");
  table.add<WholeWave<FloatMatrix<Element::bf16, Result::bf16>>>("V_WMMA_BF16_16X16X16_BF16");
  table.add<WholeWave<IntegerMatrix<8>>>("V_WMMA_I32_16X16X16_IU8");
  table.add<WholeWave<IntegerMatrix<4>>>("V_WMMA_I32_16X16X16_IU4");
}
