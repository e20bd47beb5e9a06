//===- VectorMemory.cpp - FLAT, GLOBAL, SCRATCH -----------------------------===//
//
// The families differ in how a lane's address comes about:
//   GLOBAL   a 64-bit VGPR pair, or a 64-bit SGPR pair plus a 32-bit VGPR
//   SCRATCH  an offset into the lane's scratch: VGPR, SGPR, both or neither
//   FLAT     a 64-bit VGPR pair, whose aperture says which memory it is
// each plus the instruction's signed offset.
//
//===----------------------------------------------------------------------===//

#include "HandlerTable.h"
#include "MemoryOp.h"

#include "llvm/ADT/Twine.h"
using namespace llvm;

namespace tinysim {

/// Which source is what. The one that is no VGPR is the base; of the VGPRs the address comes before
/// the data, except in SCRATCH stores. ADDTID forms and some of SCRATCH have no address.
struct Roles {
  int address = -1, base = -1, data = -1;
};

static Roles rolesOf(const Instruction &i) {
  Roles roles;
  int vgprs[2] = {-1, -1}, count = 0;
  for (int n = 0; n < i.srcs; ++n)
    if (!i.src[n].isVgpr())
      roles.base = n;
    else if (count < 2)
      vgprs[count++] = n;
  if (!i.isStore)
    roles.address = vgprs[0];
  else if (i.format == Format::scratch || count == 1)
    roles.data = vgprs[0], roles.address = vgprs[1];
  else
    roles.address = vgprs[0], roles.data = vgprs[1];
  return roles;
}

/// The roles fit in the upper bits of the tag, the operation below.
constexpr unsigned rolesShift = 20;
static uint32_t packRoles(const Roles &roles) {
  return static_cast<uint32_t>((roles.address + 1) | (roles.base + 1) << 3 | (roles.data + 1) << 6)
         << rolesShift;
}
static Roles unpackRoles(uint32_t tag) {
  tag >>= rolesShift;
  Roles roles;
  roles.address = static_cast<int>(tag & 7) - 1;
  roles.base = static_cast<int>(tag >> 3 & 7) - 1;
  roles.data = static_cast<int>(tag >> 6 & 7) - 1;
  return roles;
}

static void perform(Wave &wave, const Instruction &i, const MemoryOp &op, const uint64_t *pointers,
                    uint64_t exec, unsigned data) {
  if (i.isAtomic)
    performAtomic(wave, op, pointers, exec, data, data + op.bytes / 4,
                  i.dsts ? &i.dst[0] : nullptr);
  else if (i.isStore)
    performStore(wave, op, pointers, exec, data);
  else
    performLoad(wave, op, pointers, exec, i.dst[0].index);
}

/// FLAT: the lanes of each aperture in turn.
template <unsigned N>
static void performFlat(Wave &wave, const Instruction &i, const MemoryOp &op, uint64_t *addresses,
                        uint64_t exec, unsigned data) {
  uint64_t shared = 0, scratch = 0;
  constexpr unsigned apertureShift = 32;
  forEachLane<N>(exec, [&](unsigned lane) {
    uint64_t top = addresses[lane] >> apertureShift;
    if (top == sharedAperture >> apertureShift)
      shared |= uint64_t(1) << lane;
    else if (top == privateAperture >> apertureShift)
      scratch |= uint64_t(1) << lane;
  });
  forEachLane<N>(shared | scratch, [&](unsigned lane) { addresses[lane] &= 0xffffffffu; });
  const std::pair<Space, uint64_t> parts[] = {
      {Space::global, exec & ~(shared | scratch)}, {Space::lds, shared}, {Space::scratch, scratch}};
  for (auto [space, lanes] : parts) {
    if (!lanes)
      continue;
    if (!resolve(wave, i, space, op, addresses, lanes, data))
      return;
    perform(wave, i, op, addresses, lanes, data);
  }
}

namespace {
struct LaneAccess {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    const uint64_t exec = wave.exec<N>();
    if (!exec)
      return;
    const MemoryOp op = MemoryOp::unpack(i.tag & ((1u << rolesShift) - 1));
    const Roles roles = unpackRoles(i.tag);
    const unsigned data = roles.data < 0 ? 0 : i.src[roles.data].index;
    uint64_t uniform = static_cast<uint64_t>(int64_t(i.offset));
    alignas(64) uint64_t addresses[N];
    if (i.format == Format::scratch) {
      // 32-bit arithmetic: offsets of a lane's own scratch.
      uint32_t offset = static_cast<uint32_t>(uniform);
      if (roles.base >= 0)
        offset += wave.read32(i.src[roles.base]);
      const uint32_t *vector =
          roles.address < 0 ? nullptr : wave.vgpr<N>(i.src[roles.address].index);
      for (unsigned lane = 0; lane < N; ++lane)
        addresses[lane] = static_cast<uint32_t>(offset + (vector ? vector[lane] : 0));
      if (resolve(wave, i, Space::scratch, op, addresses, exec, data))
        perform(wave, i, op, addresses, exec, data);
      return;
    }
    if (roles.base >= 0)
      uniform += wave.read64(i.src[roles.base]);
    if (roles.address < 0) { // ADDTID: the lane's number, in dwords
      for (unsigned lane = 0; lane < N; ++lane)
        addresses[lane] = uniform + lane * 4;
    } else if (i.src[roles.address].dwords == 1) {
      const uint32_t *vector = wave.vgpr<N>(i.src[roles.address].index);
      for (unsigned lane = 0; lane < N; ++lane)
        addresses[lane] = uniform + vector[lane];
    } else {
      fetch64<N>(wave, i.src[roles.address], addresses);
      for (unsigned lane = 0; lane < N; ++lane)
        addresses[lane] += uniform;
    }
    if (i.format == Format::flat)
      return performFlat<N>(wave, i, op, addresses, exec, data);
    if (resolve(wave, i, Space::global, op, addresses, exec, data))
      perform(wave, i, op, addresses, exec, data);
  }
};
} // namespace

static Handler select(Instruction &i, unsigned waveSize) {
  StringRef name = i.name;
  name = name.drop_front(name.find('_') + 1);
  for (StringRef suffix : {"_RTN", "_SADDR", "_SVS", "_ST", "_ADDTID"})
    name.consume_back(suffix);
  name.consume_back("_ADDTID");
  MemoryOp op;
  if (!parseMemoryOp(name, op))
    return nullptr;
  if (op.atomic == AtomicOp::add && StringRef(i.name).contains("_ADD_F32"))
    op.atomic = AtomicOp::floatAdd;
  i.tag = op.pack() | packRoles(rolesOf(i));
  return handlerOf<LaneAccess>(waveSize);
}

void registerVectorMemory(HandlerTable &table) {
  static const char *const loads[] = {
      "LOAD_UBYTE",        "LOAD_SBYTE",        "LOAD_USHORT",    "LOAD_SSHORT",
      "LOAD_DWORD",        "LOAD_DWORDX2",      "LOAD_DWORDX3",   "LOAD_DWORDX4",
      "LOAD_UBYTE_D16",    "LOAD_UBYTE_D16_HI", "LOAD_SBYTE_D16", "LOAD_SBYTE_D16_HI",
      "LOAD_SHORT_D16",    "LOAD_SHORT_D16_HI", "STORE_BYTE",     "STORE_SHORT",
      "STORE_DWORD",       "STORE_DWORDX2",     "STORE_DWORDX3",  "STORE_DWORDX4",
      "STORE_BYTE_D16_HI", "STORE_SHORT_D16_HI"};
  static const char *const atomics[] = {
      "SWAP",   "CMPSWAP", "ADD",     "SUB",     "SMIN",    "UMIN",    "SMAX",       "UMAX",
      "AND",    "OR",      "XOR",     "INC",     "DEC",     "SWAP_X2", "CMPSWAP_X2", "ADD_X2",
      "SUB_X2", "SMIN_X2", "UMIN_X2", "SMAX_X2", "UMAX_X2", "AND_X2",  "OR_X2",      "XOR_X2",
      "INC_X2", "DEC_X2",  "CSUB",    "ADD_F32", "FMIN",    "FMAX",    "FCMPSWAP"};
  auto add = [&](const Twine &name) { table.addSelector(name.str(), select); };
  for (const char *name : loads) {
    add(Twine("FLAT_") + name);
    for (const char *form : {"", "_SADDR"})
      add(Twine("GLOBAL_") + name + form);
    for (const char *form : {"", "_SADDR", "_SVS", "_ST"})
      add(Twine("SCRATCH_") + name + form);
  }
  for (const char *name : {"GLOBAL_LOAD_DWORD_ADDTID", "GLOBAL_STORE_DWORD_ADDTID"})
    for (const char *form : {"", "_SADDR"})
      add(Twine(name) + form);
  for (const char *name : atomics)
    for (const char *returns : {"", "_RTN"}) {
      add(Twine("FLAT_ATOMIC_") + name + returns);
      for (const char *form : {"", "_SADDR"})
        add(Twine("GLOBAL_ATOMIC_") + name + form + returns);
    }
}

} // namespace tinysim
