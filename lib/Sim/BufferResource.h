//===- BufferResource.h - the four SGPRs of a buffer ------------*- C++ -*-===//
//
// As in the RDNA3 ISA's table of buffer resource descriptors.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_BUFFERRESOURCE_H
#define TINY_LIB_SIM_BUFFERRESOURCE_H

#include <cstdint>

namespace tinysim {

/// DST_SEL: where a component of a formatted access comes from; 4 and up are R, G, B, A.
enum ComponentSelect : uint8_t { selectZero = 0, selectOne = 1, selectRed = 4 };

struct BufferResource {
  uint64_t base;
  uint32_t stride, records, indexStride, rule, format;
  uint32_t element; ///< bytes that stay together where swizzled; 0: not swizzled
  uint8_t select[4];
  bool addThreadId;

  explicit BufferResource(const uint32_t *words)
      : base(words[0] | uint64_t(words[1] & 0xffff) << 32), stride(words[1] >> 16 & 0x3fff),
        records(words[2]), indexStride(8u << (words[3] >> 21 & 3)), rule(words[3] >> 28 & 3),
        format(words[3] >> 12 & 63), element(words[1] >> 30 ? 2u << (words[1] >> 30) : 0),
        addThreadId(words[3] >> 23 & 1) {
    for (unsigned n = 0; n < 4; ++n)
      select[n] = words[3] >> (3 * n) & 7;
  }

  /// Offset from the base of a byte of a record.
  uint64_t offsetOf(uint64_t index, uint64_t offset) const {
    if (!element)
      return index * stride + offset;
    return (index / indexStride * stride + offset / element * element) * indexStride +
           index % indexStride * element + offset % element;
  }
  /// OOB_SELECT: 0 index and offset of a structure, 1 index only, 2 nothing but an empty buffer,
  /// 3 bytes.
  bool inside(uint64_t index, uint64_t offset, uint32_t scalarOffset, uint32_t bytes) const {
    switch (rule) {
    case 0:
      return index < records && offset + bytes <= stride;
    case 1:
      return index < records;
    case 2:
      return records != 0;
    default:
      return index * stride + offset + scalarOffset + bytes <= records;
    }
  }
};

} // namespace tinysim

#endif // TINY_LIB_SIM_BUFFERRESOURCE_H
