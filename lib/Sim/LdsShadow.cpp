//===- LdsShadow.cpp - races and unwritten bytes of LDS ---------------------===//
//
// See LdsShadow.h for the rules.
//
//===----------------------------------------------------------------------===//

#include "LdsShadow.h"

namespace tinysim {

void LdsShadow::reset(uint32_t bytes) {
  shadow.assign(bytes, Byte());
  epoch = 1;
}

LdsShadow::Verdict LdsShadow::access(uint32_t address, uint32_t bytes, unsigned wave, Use use) {
  Verdict verdict;
  const uint32_t self = wave + 1;
  auto other = [&](uint32_t mark, bool wrote) {
    if (verdict.race)
      return;
    verdict.race = true;
    verdict.otherWrote = wrote;
    verdict.otherWave = (mark & waveMask) - 1;
  };
  for (uint32_t n = address; n < address + bytes; ++n) {
    Byte &byte = shadow[n];
    bool bothAtomic = use == Use::atomic && byte.write & atomicBit;
    if (byte.write >> epochShift == epoch && (byte.write & waveMask) != self && !bothAtomic)
      other(byte.write, true);
    if (use != Use::store && byte.write == 0)
      verdict.unwritten = true;
    if (use == Use::load) {
      bool shared = byte.read >> epochShift == epoch && (byte.read & waveMask) != self;
      byte.read = epoch << epochShift | (shared ? severalWaves : self);
      continue;
    }
    if (byte.read >> epochShift == epoch && (byte.read & waveMask) != self)
      other(byte.read, false);
    byte.write = epoch << epochShift | (use == Use::atomic ? atomicBit : 0) | self;
  }
  return verdict;
}

} // namespace tinysim
