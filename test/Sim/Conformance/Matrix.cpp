//===- Matrix.cpp - WMMA ----------------------------------------------------===//
//
// The order in which WMMA accumulates is not public. So the values here are small
// multiples of a power of two, whose sums are exact in any order; one case per format of
// general positive numbers is compared by error bound.
//
// Layout (RDNA3 ISA, "Wave Matrix Multiply Accumulate"): lane l holds row l % 16 of A and
// column l % 16 of B, every 16 lanes alike; element i of D in lane l is row
// i * (wave / 16) + l / 16, column l % 16.
//
//===----------------------------------------------------------------------===//

#include "Vector.h"

using namespace simtest;

namespace {
struct Form {
  const char *name;
  char in, out; // h half, b bfloat16, 8 and 4 integers; f float, i integer
  unsigned words;
};
} // namespace

static const Form kForms[] = {
    {"v_wmma_f32_16x16x16_f16", 'h', 'f', 8}, {"v_wmma_f32_16x16x16_bf16", 'b', 'f', 8},
    {"v_wmma_f16_16x16x16_f16", 'h', 'h', 8}, {"v_wmma_bf16_16x16x16_bf16", 'b', 'b', 8},
    {"v_wmma_i32_16x16x16_iu8", '8', 'i', 4}, {"v_wmma_i32_16x16x16_iu4", '4', 'i', 2}};

static uint32_t encode(char type, double value) {
  return type == 'h'   ? halfOf(value)
         : type == 'b' ? bitsOf(float(value)) >> 16
                       : bitsOf(float(value));
}

static void addForm(Suite &suite, const Form &form, unsigned wave) {
  bool integer = form.out == 'i', narrowOut = form.out == 'h' || form.out == 'b';
  unsigned outWords = 256 / wave, perWord = form.in == '4' ? 8 : form.in == '8' ? 4 : 2;
  for (bool general : {false, true}) {
    if (general && (integer || narrowOut))
      continue;
    Group &group = suite.group(std::string(form.name) + (general ? "_general" : ""), wave);
    group.workgroups = 4;
    group.inputs = 24; // A v10..., B v18..., C v26...
    group.in.assign(4 * 24 * 64, 0);
    Random random(group.name);
    for (unsigned g = 0; g < 4; ++g) {
      uint32_t *words = &group.in[g * 24 * 64];
      for (unsigned side = 0; side < 2; ++side)
        for (unsigned word = 0; word < form.words; ++word)
          for (unsigned row = 0; row < 16; ++row) {
            uint32_t v = random.next();
            if (!integer) {
              v = 0;
              for (unsigned h = 0; h < 2; ++h) {
                double x = general           ? 0.25 + random.below(1000) * 0.003
                           : form.out == 'b' ? int(random.below(3)) - 1
                                             : (int(random.below(17)) - 8) * 0.25;
                v |= encode(form.in, x) << 16 * h;
              }
            }
            for (unsigned lane = row; lane < wave; lane += 16)
              words[(side * 8 + word) * 64 + lane] = v;
          }
      for (unsigned word = 0; word < 8; ++word)
        for (unsigned lane = 0; lane < wave; ++lane) {
          uint32_t v = integer ? (g ? random.next() >> 8 : random.next())
                               : encode(form.out, general ? 1 + random.below(100)
                                                          : int(random.below(17)) - 8);
          if (narrowOut)
            v |= encode(form.out, int(random.below(17)) - 8) << 16;
          words[(16 + word) * 64 + lane] = v;
        }
    }
    for (unsigned variant = 0; variant < (integer ? 6u : 4u); ++variant) {
      unsigned neg = integer ? variant & 3 : variant, negC = 0;
      bool clamp = integer && variant > 3, high = narrowOut && (variant & 1);
      if (narrowOut)
        neg = 0;
      if (!integer && !narrowOut && variant == 3)
        neg = 0, negC = 1;
      if (clamp)
        neg = variant == 4 ? 3 : 0;
      if (general && variant)
        continue; // cancellation has no bound in units of the result
      std::string t;
      for (unsigned i = 0; i < outWords; ++i)
        t += format("  v_mov_b32 v%u, v%u\n", 40 + i, 26 + i);
      std::string c = format("v[40:%u]", 39 + outWords), tail;
      if (high)
        tail += " op_sel:[0,0,1]";
      if (neg || negC)
        tail += format(" neg_lo:[%u,%u,%u]", neg & 1, neg >> 1, integer ? 0 : negC) +
                (integer ? "" : format(" neg_hi:[%u,%u,0]", neg & 1, neg >> 1));
      if (clamp)
        tail += " clamp";
      t += std::string("  ") + form.name + " " + c +
           format(", v[10:%u], v[18:%u], ", 9 + form.words, 17 + form.words) + c + tail + "\n";
      Check check;
      check.name = group.name + " " + form.name + tail;
      check.words = outWords;
      check.match = form.out == 'f' ? Match::f32 : Match::bits;
      check.ulps = general ? 16 : 0;
      check.expect = [=](const Wave &w, unsigned lane, uint32_t *out) {
        for (unsigned i = 0; i < outWords; ++i) {
          unsigned row = i * (wave / 16) + lane / 16, column = lane % 16;
          auto element = [&](unsigned side, unsigned index, unsigned k) -> double {
            uint32_t word = w.at(side * 8 + k / perWord, index);
            bool flag = neg >> side & 1;
            if (form.in == '8')
              return flag ? double(int8_t(word >> 8 * (k % 4))) : double(word >> 8 * (k % 4) & 255);
            if (form.in == '4')
              return flag ? double(int32_t(word << (28 - 4 * (k % 8))) >> 28)
                          : double(word >> 4 * (k % 8) & 15);
            uint32_t half = word >> 16 * (k % 2);
            double v = form.in == 'h' ? asH(half) : asB(half & 0xffff);
            return flag ? -v : v;
          };
          double sum = 0;
          for (unsigned k = 0; k < 16; ++k)
            sum += element(0, row, k) * element(1, column, k);
          uint32_t old = w.at(16 + i, lane);
          if (integer) {
            // The accumulator is signed whatever the sources are.
            int64_t total = int64_t(sum) + int32_t(old);
            if (clamp)
              total = total > INT32_MAX ? INT32_MAX : total < INT32_MIN ? INT32_MIN : total;
            out[i] = uint32_t(total);
          } else if (form.out == 'f') {
            double total = sum + (negC ? -1 : 1) * double(asF(old));
            out[i] = bitsOf(float(total));
            if (total == 0)
              return false; // of either sign
          } else {
            uint32_t mine = high ? old >> 16 : old & 0xffff;
            double total = sum + (form.out == 'h' ? asH(mine) : double(asB(mine)));
            if (total == 0)
              return false;
            uint32_t r = encode(form.out, total);
            out[i] = high ? (old & 0xffff) | r << 16 : (old & 0xffff0000) | r;
          }
        }
        return true;
      };
      group.add(t, check);
    }
  }
}

void simtest::addMatrix(Suite &suite) {
  for (unsigned wave : {32u, 64u})
    for (const Form &form : kForms)
      addForm(suite, form, wave);
}
