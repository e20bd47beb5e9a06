//===- DispatchTest.cpp - whole dispatches, and every check -----------------------===//
//
// Kernels of a few instructions, put into memory with a descriptor of our own: what a wave finds
// at its start, and that each mistake a check is for ends the dispatch with its kind and place.
//
//===----------------------------------------------------------------------===//

#include "OneWave.h"
#include "Tiny/Sim/Simulator.h"
#include "llvm/Support/AMDHSAKernelDescriptor.h"
#include <atomic>
#include <gtest/gtest.h>

using namespace tinysim;
using namespace tinysim::test;

namespace {
/// A kernel with its kernarg segment: two pointers, to 4 KB and to 64 bytes.
class Kernel {
public:
  explicit Kernel(const std::string &text, unsigned waveSize = 32) {
    std::vector<uint8_t> bytes = assemble(text, waveSize);
    EXPECT_FALSE(bytes.empty()) << text;
    EXPECT_LT(bytes.size(), code.size() * 4 - 64);
    std::memcpy(code.data(), bytes.data(), bytes.size());
    auto *descriptor = reinterpret_cast<llvm::amdhsa::kernel_descriptor_t *>(&code[1024 - 16]);
    info.name = "probe";
    info.descriptor = reinterpret_cast<uint64_t>(descriptor);
    descriptor->kernarg_size = 16;
    descriptor->kernel_code_entry_byte_offset = -static_cast<int64_t>(4096 - 64);
    descriptor->compute_pgm_rsrc1 = 7 | 0xc0000; // 64 VGPRs, denormals of 16 and 64 bits
    descriptor->compute_pgm_rsrc2 = 8 << 1 | 1 << 7 | 1 << 8 | 2 << 11; // 8 user SGPRs, ids x, y
    descriptor->kernel_code_properties = 8 | (waveSize == 32 ? 1024 : 0);
    packet.workgroup_size_x = packet.grid_size_x = static_cast<uint16_t>(waveSize);
    packet.workgroup_size_y = packet.workgroup_size_z = 1;
    packet.grid_size_y = packet.grid_size_z = 1;
    packet.kernarg_address = arguments;
    packet.group_segment_size = 1024;
    arguments[0] = reinterpret_cast<uint64_t>(data);
    arguments[1] = reinterpret_cast<uint64_t>(small);
    memory.add(reinterpret_cast<uint64_t>(data), sizeof(data), "data", Access::readWrite);
    memory.add(reinterpret_cast<uint64_t>(small), sizeof(small), "small", Access::readWrite);
    memory.add(reinterpret_cast<uint64_t>(arguments), 16, "kernarg", Access::read);
    memory.add(reinterpret_cast<uint64_t>(code.data()), 4096, "code", Access::read);
  }

  std::optional<Fault> run() {
    Simulator simulator(memory, options);
    CodeObject object;
    object.base = reinterpret_cast<uint64_t>(code.data());
    object.bytes = 4096 - 64;
    object.symbols.push_back({"probe", object.base, object.bytes});
    simulator.addCode(object);
    Dispatch dispatch;
    dispatch.packet = &packet;
    dispatch.kernel = &info;
    return simulator.run(dispatch, &counters);
  }
  std::string message() {
    std::optional<Fault> fault = run();
    return fault ? fault->message : "no fault";
  }
  /// "" or the name of the fault's kind.
  std::string kind() {
    std::optional<Fault> fault = run();
    return fault ? getName(fault->kind) : "";
  }

  alignas(64) uint32_t data[1024] = {};
  alignas(64) uint32_t small[16] = {};
  alignas(64) uint64_t arguments[2] = {};
  std::vector<uint32_t> code = std::vector<uint32_t>(1024);
  hsa_kernel_dispatch_packet_t packet = {};
  KernelInfo info;
  MemoryMap memory;
  Options options;
  Counters counters;
};

const std::string pointers = "s_load_b128 s[4:7], s[0:1], 0x0\n"
                             "v_lshlrev_b32 v1, 2, v0\n"
                             "s_waitcnt lgkmcnt(0)\n";

std::string kindOf(const std::string &text, unsigned items = 32) {
  Kernel kernel(text);
  kernel.packet.workgroup_size_x = static_cast<uint16_t>(items);
  kernel.packet.grid_size_x = items;
  return kernel.kind();
}
} // namespace

TEST(Dispatch, GivesIdsInTheOrderOfTheAbi) {
  // Workgroup ids follow the eight user SGPRs; work-item ids are packed.
  Kernel kernel("s_load_b128 s[4:7], s[0:1], 0x0\n"
                "v_and_b32 v1, 0x3ff, v0\n"
                "v_bfe_u32 v2, v0, 10, 10\n"
                "s_mul_i32 s10, s8, 8\n"
                "v_lshl_or_b32 v3, v2, 2, v1\n"
                "v_add_nc_u32 v3, s10, v3\n"
                "v_lshlrev_b32 v3, 2, v3\n"
                "v_mov_b32 v4, s9\n"
                "v_lshl_or_b32 v4, v4, 16, v0\n"
                "s_waitcnt lgkmcnt(0)\n"
                "global_store_b32 v3, v4, s[4:5]\n"
                "s_endpgm\n");
  kernel.packet.workgroup_size_x = 4;
  kernel.packet.workgroup_size_y = 2;
  kernel.packet.grid_size_x = 10; // the last workgroup is half empty
  kernel.packet.grid_size_y = 2;
  std::fill(std::begin(kernel.data), std::end(kernel.data), ~0u);
  ASSERT_EQ(kernel.message(), "no fault");
  EXPECT_EQ(kernel.counters.workgroups, 3u);
  for (uint32_t group = 0; group < 3; ++group)
    for (uint32_t y = 0; y < 2; ++y)
      for (uint32_t x = 0; x < 4; ++x)
        EXPECT_EQ(kernel.data[group * 8 + y * 4 + x], group * 4 + x < 10 ? (y << 10 | x) : ~0u)
            << group << " " << x << " " << y;
}

TEST(Dispatch, RefusesImpossiblePackets) {
  Kernel kernel("s_endpgm\n");
  EXPECT_EQ(kernel.kind(), "");
  kernel.packet.workgroup_size_x = 1025;
  EXPECT_EQ(kernel.kind(), "invalid dispatch");
  kernel.packet.workgroup_size_x = 0;
  EXPECT_EQ(kernel.kind(), "invalid dispatch");
  kernel.packet.workgroup_size_x = 32;
  kernel.packet.group_segment_size = 65537;
  EXPECT_EQ(kernel.kind(), "invalid dispatch");
}

TEST(Dispatch, LetsWorkgroupsWaitForEachOther) {
  // The first workgroup spins until the last one has written: also on one thread.
  Kernel kernel(pointers + "s_cmp_eq_u32 s8, 3\n"
                           "s_cbranch_scc1 store\n"
                           "v_mov_b32 v2, 0\n"
                           "spin:\n"
                           "global_load_b32 v3, v2, s[6:7] glc\n"
                           "s_waitcnt vmcnt(0)\n"
                           "v_readfirstlane_b32 s10, v3\n"
                           "s_cmp_eq_u32 s10, 0\n"
                           "s_cbranch_scc1 spin\n"
                           "s_endpgm\n"
                           "store:\n"
                           "v_mov_b32 v2, 0\n"
                           "v_mov_b32 v3, 1\n"
                           "global_store_b32 v2, v3, s[6:7]\n"
                           "s_endpgm\n");
  kernel.packet.grid_size_x = 4 * 32;
  kernel.options.threads = 1;
  kernel.options.timeoutSeconds = 60;
  EXPECT_EQ(kernel.message(), "no fault");
}

TEST(Dispatch, NeverHangs) {
  Kernel kernel("spin:\ns_branch spin\n");
  kernel.options.timeoutSeconds = 0;
  EXPECT_EQ(kernel.kind(), "time-out");
  kernel.options.timeoutSeconds = 600;
  kernel.options.instructionLimit = 100000;
  EXPECT_EQ(kernel.kind(), "time-out");
}

TEST(Dispatch, CountsWhatItIssues) {
  Kernel kernel(pointers + "global_load_b32 v2, v1, s[4:5]\n"
                           "s_waitcnt vmcnt(0)\n"
                           "ds_store_b32 v1, v2\n"
                           "v_dual_add_f32 v3, 1.0, v2 :: v_dual_mov_b32 v4, v2\n"
                           "global_store_b64 v1, v[3:4], s[4:5]\n"
                           "s_endpgm\n");
  ASSERT_EQ(kernel.message(), "no fault");
  const Counters &c = kernel.counters;
  EXPECT_EQ(c.waves, 1u);
  EXPECT_EQ(c.total(), 9u);
  EXPECT_EQ(c.count(InstructionClass::smem), 1u);
  EXPECT_EQ(c.count(InstructionClass::vopd), 1u);
  EXPECT_EQ(c.count(InstructionClass::lds), 1u);
  EXPECT_EQ(c.count(InstructionClass::global), 2u);
  EXPECT_EQ(c.scalarLoadBytes, 16u);
  EXPECT_EQ(c.globalLoadBytes, 128u);
  EXPECT_EQ(c.globalStoreBytes, 256u);
  EXPECT_EQ(c.ldsStoreBytes, 128u);
  EXPECT_EQ(c.ldsBankConflicts, 0u);
  EXPECT_EQ(c.valuLanes, 64u);
  EXPECT_EQ(c.vgprs, 64u);
  EXPECT_EQ(c.wavesPerSimd, 16u);
}

TEST(Dispatch, ShowsAnObserverEveryInstruction) {
  struct Recorder : Observer {
    void issued(const IssueRecord &record) override {
      names.push_back(record.name);
      if (record.addresses)
        bytes.push_back(record.bytes);
    }
    std::vector<std::string> names;
    std::vector<uint32_t> bytes;
  } recorder;
  Kernel kernel("s_endpgm\n");
  Simulator simulator(kernel.memory, kernel.options);
  CodeObject object;
  object.base = reinterpret_cast<uint64_t>(kernel.code.data());
  object.bytes = 4032;
  simulator.addCode(object);
  simulator.setObserver(&recorder);
  Dispatch dispatch;
  dispatch.packet = &kernel.packet;
  dispatch.kernel = &kernel.info;
  EXPECT_FALSE(simulator.run(dispatch, nullptr));
  EXPECT_EQ(recorder.names, std::vector<std::string>{"S_ENDPGM_gfx11"});
}

TEST(Checks, NameThePlace) {
  std::string message = Kernel(pointers + "v_add_nc_u32 v2, v5, v1\ns_endpgm\n").message();
  EXPECT_NE(message.find("kernel 'probe': uninitialised: v_add_nc_u32_e32 reads v5"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("at probe+0x10: v_add_nc_u32_e32 v2, v5, v1"), std::string::npos)
      << message;
  EXPECT_NE(message.find("wave 0, lane 0"), std::string::npos) << message;
}

TEST(Checks, FindRegistersNeverWritten) {
  EXPECT_EQ(kindOf("v_add_nc_u32 v2, v5, v0\ns_endpgm\n"), "uninitialised");
  EXPECT_EQ(kindOf("s_add_u32 s20, s2, 1\ns_endpgm\n"), "uninitialised"); // padding
  EXPECT_EQ(kindOf("s_add_u32 s20, s8, 1\ns_endpgm\n"), "");              // a workgroup id
  // A copy is no use; what is made of the copy is.
  EXPECT_EQ(kindOf("v_mov_b32 v2, v5\ns_endpgm\n"), "");
  EXPECT_EQ(kindOf("v_mov_b32 v2, v5\nv_add_nc_u32 v3, v2, v2\ns_endpgm\n"), "uninitialised");
  // Lanes that were off when it was written.
  EXPECT_EQ(kindOf("s_mov_b32 exec_lo, 1\nv_mov_b32 v2, 0\ns_mov_b32 exec_lo, -1\n"
                   "v_add_nc_u32 v3, v2, v2\ns_endpgm\n"),
            "uninitialised");
  EXPECT_EQ(kindOf("v_lshlrev_b32 v1, 2, v0\nds_load_b32 v2, v1\ns_endpgm\n"), "uninitialised");
}

TEST(Checks, FindMissingWaits) {
  std::string load = pointers + "global_load_b32 v2, v1, s[4:5]\nglobal_load_b32 v3, v1, s[4:5]\n";
  EXPECT_EQ(kindOf(load + "v_add_nc_u32 v4, v2, v2\ns_endpgm\n"), "missing wait");
  EXPECT_EQ(kindOf(load + "s_waitcnt vmcnt(1)\nv_add_nc_u32 v4, v2, v2\ns_endpgm\n"), "");
  EXPECT_EQ(kindOf(load + "s_waitcnt vmcnt(1)\nv_add_nc_u32 v4, v3, v2\ns_endpgm\n"),
            "missing wait");
  EXPECT_EQ(kindOf(load + "v_mov_b32 v2, 0\ns_endpgm\n"), "missing wait"); // the load comes later
  EXPECT_EQ(kindOf("s_load_b128 s[4:7], s[0:1], 0x0\ns_add_u32 s4, s4, 1\ns_endpgm\n"),
            "missing wait");
  // Scalar loads come back in any order: only 0 says that one is there.
  EXPECT_EQ(kindOf("s_load_b64 s[4:5], s[0:1], 0x0\ns_load_b64 s[6:7], s[0:1], 0x8\n"
                   "s_waitcnt lgkmcnt(1)\ns_add_u32 s4, s4, 1\ns_endpgm\n"),
            "missing wait");
}

TEST(Checks, FindBadAddresses) {
  EXPECT_EQ(kindOf(pointers + "global_store_b32 v1, v0, s[6:7]\ns_endpgm\n"), "out of bounds");
  EXPECT_EQ(kindOf(pointers + "global_load_b32 v2, v1, s[4:5] offset:2\ns_endpgm\n"), "misaligned");
  EXPECT_EQ(kindOf("v_mov_b32 v1, 0x400\nds_store_b32 v1, v1\ns_endpgm\n"), "out of bounds");
  EXPECT_EQ(kindOf("v_mov_b32 v1, 0\nscratch_store_b32 off, v1, off\ns_endpgm\n"), "out of bounds");
  Kernel freed(pointers + "global_load_b32 v2, v1, s[4:5]\ns_endpgm\n");
  freed.memory.remove(freed.arguments[0]);
  std::optional<Fault> fault = freed.run();
  ASSERT_TRUE(fault);
  EXPECT_STREQ(getName(fault->kind), "use after free");
  EXPECT_NE(fault->message.find("4096 bytes at"), std::string::npos) << fault->message;
  EXPECT_NE(fault->message.find("(data)"), std::string::npos) << fault->message;
}

TEST(Checks, FindRacesInLds) {
  // Each wave writes its own half, and reads the first one's.
  std::string write = "v_lshlrev_b32 v1, 2, v0\nds_store_b32 v1, v0\n";
  std::string read = "v_and_b32 v2, 0x7f, v1\nds_load_b32 v3, v2\ns_endpgm\n";
  EXPECT_EQ(kindOf(write + read, 64), "race");
  EXPECT_EQ(kindOf(write + "s_waitcnt lgkmcnt(0)\ns_barrier\n" + read, 64), "");
  std::string add = "v_mov_b32 v1, 0\nv_mov_b32 v2, 1\n";
  EXPECT_EQ(kindOf("s_cmp_eq_u32 s8, 0\n" + add + "ds_store_b32 v1, v1\ns_endpgm\n", 64), "race");
}

TEST(Checks, FindDivergentBarriers) {
  EXPECT_EQ(kindOf("s_barrier\ns_endpgm\n", 64), "");
  EXPECT_EQ(kindOf("s_mov_b32 exec_lo, 1\ns_barrier\ns_endpgm\n"), "divergent barrier");
  std::string second = "v_readfirstlane_b32 s10, v0\ns_cmp_eq_u32 s10, 0\n";
  EXPECT_EQ(kindOf(second + "s_cbranch_scc1 end\ns_barrier\nend:\ns_endpgm\n", 64),
            "divergent barrier");
  EXPECT_EQ(kindOf(second + "s_cbranch_scc1 other\ns_barrier\ns_endpgm\nother:\ns_barrier\n"
                            "s_endpgm\n",
                   64),
            "divergent barrier");
}

TEST(Checks, FindTheRest) {
  EXPECT_EQ(kindOf("s_trap 2\ns_endpgm\n"), "trap");
  EXPECT_EQ(kindOf("s_sendmsg sendmsg(MSG_DEALLOC_VGPRS)\nv_mov_b32 v1, v0\ns_endpgm\n"),
            "released registers");
  EXPECT_EQ(kindOf("v_mov_b32 v64, 0\ns_endpgm\n"), "illegal instruction"); // 64 are allocated
  EXPECT_EQ(kindOf("s_mov_b64 s[10:11], 0\ns_setpc_b64 s[10:11]\n"), "out of bounds");
  EXPECT_EQ(kindOf("v_mov_b32 v1, 0\nds_gws_init v1 gds\ns_endpgm\n"), "unimplemented instruction");
  EXPECT_EQ(kindOf("s_code_end\n"), "illegal instruction");
}

TEST(Checks, FindHiddenArgumentsThatNobodyFilled) {
  Kernel kernel(pointers + "s_add_u32 s10, s6, 1\ns_endpgm\n");
  kernel.arguments[1] = 0;
  kernel.info.hidden.push_back({"hidden_heap_v1", 8, 8, /*filled=*/false});
  std::string message = kernel.message();
  EXPECT_NE(message.find("hidden_heap_v1"), std::string::npos) << message;
  kernel.arguments[1] = 1;
  EXPECT_EQ(kernel.message(), "no fault");
}

TEST(Checks, CanBeSwitchedOff) {
  Kernel kernel("v_add_nc_u32 v2, v5, v0\ns_add_u32 s20, s2, 1\ns_endpgm\n");
  kernel.options.checks = 0;
  EXPECT_EQ(kernel.message(), "no fault");
}
