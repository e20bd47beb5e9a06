//===- FormattedBuffers.cpp - MUBUF with formats, MTBUF ---------------------===//
//
// Elements that are converted between memory and registers, by the format in the resource (MUBUF)
// or in the instruction (MTBUF). MUBUF also obeys the resource's DST_SEL. An element is in range or
// out of it as a whole; out of range, what is loaded is 0 and DST_SEL's 1 is still 1.
//
// What the public documents do not say is an error rather than a guess: stores that leave
// components of the format out, stores through a DST_SEL that moves components, and halves of
// 32-bit integers.
//
//===----------------------------------------------------------------------===//

#include "BufferFormat.h"
#include "BufferResource.h"
#include "HandlerTable.h"
#include "MemoryOp.h"
#include "llvm/ADT/Twine.h"
#include <algorithm>
#include <cstring>

using namespace llvm;

namespace tinysim {

namespace {
/// What the opcode's name says, in the bits of the tag.
struct Shape {
  unsigned components = 0;
  bool half = false, high = false; // D16, and of those the one in the high half
  bool index = false, offset = false, status = false, typed = false;

  uint32_t pack() const {
    return components | half << 3 | high << 4 | index << 5 | offset << 6 | status << 7 | typed << 8;
  }
  static Shape unpack(uint32_t tag) {
    Shape shape;
    shape.components = tag & 7;
    shape.half = tag >> 3 & 1;
    shape.high = tag >> 4 & 1;
    shape.index = tag >> 5 & 1;
    shape.offset = tag >> 6 & 1;
    shape.status = tag >> 7 & 1;
    shape.typed = tag >> 8 & 1;
    return shape;
  }
  unsigned registers() const { return half ? (components + 1) / 2 : components; }
};
} // namespace

/// Whether the access is one whose result is known.
static bool check(Wave &wave, const Instruction &i, const Shape &shape, const BufferFormat &format,
                  unsigned number, const uint8_t *select) {
  auto refuse = [&](Fault::Kind kind, const Twine &what) {
    wave.fault(kind, what.str());
    return false;
  };
  if (!format.components)
    return refuse(Fault::Kind::illegalInstruction,
                  "uses buffer format " + Twine(number) + ", which gfx1100 does not have");
  if (!i.isStore) {
    if (shape.half && format.isInteger() && format.bits[0] == 32)
      return refuse(Fault::Kind::unimplemented,
                    "loads 32-bit integers into 16 bits, which is not implemented");
    for (unsigned n = 0; n < shape.components; ++n)
      if (select[n] == 2 || select[n] == 3)
        return refuse(Fault::Kind::illegalInstruction,
                      "uses a buffer resource with the reserved DST_SEL " + Twine(select[n]));
    return true;
  }
  if (format.kind == NumberKind::uscaled || format.kind == NumberKind::sscaled)
    return refuse(Fault::Kind::illegalInstruction,
                  "stores in buffer format " + Twine(number) + ", a scaled one: those only load");
  if (shape.components < format.components)
    return refuse(Fault::Kind::unimplemented, "stores " + Twine(shape.components) + " of the " +
                                                  Twine(format.components) +
                                                  " components of buffer format " + Twine(number) +
                                                  ", which is not implemented");
  for (unsigned n = 0; n < format.components; ++n)
    if (select[n] != selectRed + n)
      return refuse(Fault::Kind::unimplemented,
                    "stores through a buffer resource whose DST_SEL is not the components in "
                    "order, which is not implemented");
  return true;
}

/// One component of a lane as it is loaded.
static uint32_t component(const BufferFormat &format, const uint32_t *element, bool inside,
                          uint8_t select, bool half) {
  if (select == selectOne)
    return format.one(half);
  if (select < selectRed || !inside)
    return 0;
  unsigned from = select - selectRed;
  if (from < format.components)
    return format.decode(from, format.extract(element, from), half);
  return from == 3 ? format.one(half) : 0; // what a format lacks is 0, 0, 0, 1
}

static void putRegister(Wave &wave, const Shape &shape, unsigned first, unsigned n, unsigned lane,
                        uint32_t value) {
  uint32_t &word = wave.vgprOfAnySize(first + (shape.half ? n / 2 : n))[lane];
  if (!shape.half)
    word = value;
  else if (shape.high || n % 2)
    word = (word & 0xffff) | value << 16;
  else
    word = (word & 0xffff0000u) | value;
}

static uint32_t takeRegister(Wave &wave, const Shape &shape, unsigned first, unsigned n,
                             unsigned lane) {
  uint32_t word = wave.vgprOfAnySize(first + (shape.half ? n / 2 : n))[lane];
  return !shape.half ? word : shape.high || n % 2 ? word >> 16 : word & 0xffff;
}

namespace {
struct FormattedAccess {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    const uint64_t exec = wave.exec<N>();
    if (!exec)
      return;
    const Shape shape = Shape::unpack(i.tag);
    // Sources: data of stores, the VGPRs of the address, the resource, the offset.
    unsigned next = i.isStore ? 1 : 0;
    const unsigned vector = i.src[next].index;
    if (shape.index || shape.offset)
      ++next;
    const BufferResource resource(wave.scalars + i.src[next].index);
    const uint32_t scalarOffset = wave.read32(i.src[next + 1]);
    const unsigned number = shape.typed ? static_cast<unsigned>(i.offset1) : resource.format;
    const BufferFormat format = BufferFormat::ofNumber(number);
    uint8_t select[4];
    for (unsigned n = 0; n < 4; ++n)
      select[n] = shape.typed ? static_cast<uint8_t>(selectRed + n) : resource.select[n];
    if (!check(wave, i, shape, format, number, select))
      return;

    MemoryOp op;
    op.bytes = static_cast<uint8_t>(std::min(format.bytes(), 4u));
    const unsigned dwords = (format.bytes() + 3) / 4;
    alignas(64) uint64_t addresses[4][N];
    uint64_t inside = 0;
    forEachLane<N>(exec, [&](unsigned lane) {
      uint64_t index = shape.index ? wave.vgpr<N>(vector)[lane] : 0;
      uint64_t offset = shape.offset ? wave.vgpr<N>(vector + shape.index)[lane] : 0;
      if (resource.addThreadId)
        index += lane;
      offset += static_cast<uint32_t>(i.offset);
      if (resource.inside(index, offset, scalarOffset, format.bytes()))
        inside |= uint64_t(1) << lane;
      for (unsigned word = 0; word < dwords; ++word)
        addresses[word][lane] =
            resource.base + scalarOffset + resource.offsetOf(index, offset + 4 * word);
    });
    for (unsigned word = 0; word < dwords; ++word)
      if (!resolve(wave, i, Space::global, op, addresses[word], inside, 0))
        return;

    if (i.isStore) {
      forEachLane<N>(inside, [&](unsigned lane) {
        uint32_t element[4] = {};
        for (unsigned n = 0; n < format.components; ++n)
          format.insert(
              element, n,
              format.encode(n, takeRegister(wave, shape, i.src[0].index, n, lane), shape.half));
        for (unsigned word = 0; word < dwords; ++word)
          std::memcpy(reinterpret_cast<void *>(addresses[word][lane]), element + word, op.bytes);
      });
      return;
    }
    forEachLane<N>(exec, [&](unsigned lane) {
      const bool in = inside >> lane & 1;
      uint32_t element[4] = {};
      for (unsigned word = 0; in && word < dwords; ++word)
        std::memcpy(element + word, reinterpret_cast<const void *>(addresses[word][lane]),
                    op.bytes);
      for (unsigned n = 0; n < shape.components; ++n)
        putRegister(wave, shape, i.dst[0].index, n, lane,
                    component(format, element, in, select[n], shape.half));
      if (shape.status) // TFE: every page is resident, or the access was an error
        wave.vgpr<N>(i.dst[0].index + shape.registers())[lane] = 0;
    });
  }
};
} // namespace

static Handler select(Instruction &i, unsigned waveSize) {
  StringRef name = i.name;
  Shape shape;
  shape.typed = name.consume_front("T");
  if (name.consume_back("_BOTHEN"))
    shape.index = shape.offset = true;
  else if (name.consume_back("_IDXEN"))
    shape.index = true;
  else if (name.consume_back("_OFFEN"))
    shape.offset = true;
  else
    name.consume_back("_OFFSET");
  shape.status = name.consume_back("_TFE");
  shape.half = name.contains("_D16_");
  shape.high = name.contains("_D16_HI_");
  shape.components = static_cast<unsigned>(name.rsplit('_').second.size());
  i.tag = shape.pack();
  return handlerOf<FormattedAccess>(waveSize);
}

void registerFormattedBuffers(HandlerTable &table) {
  for (const char *form : {"_OFFSET", "_OFFEN", "_IDXEN", "_BOTHEN"}) {
    for (const char *data : {"X", "XY", "XYZ", "XYZW", "D16_X", "D16_XY", "D16_XYZ", "D16_XYZW"})
      for (const char *direction : {"LOAD_FORMAT_", "STORE_FORMAT_"})
        for (const char *family : {"BUFFER_", "TBUFFER_"})
          table.addSelector((Twine(family) + direction + data + form).str(), select);
    for (const char *data :
         {"X", "XY", "XYZ", "XYZW", "D16_X", "D16_XY", "D16_XYZ", "D16_XYZW", "D16_HI_X"})
      table.addSelector((Twine("BUFFER_LOAD_FORMAT_") + data + "_TFE" + form).str(), select);
    for (const char *direction : {"LOAD", "STORE"})
      table.addSelector((Twine("BUFFER_") + direction + "_FORMAT_D16_HI_X" + form).str(), select);
  }
}

} // namespace tinysim
