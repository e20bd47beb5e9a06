//===- HsaDeviceTest.cpp - what only a GPU has ----------------------------===//
//
// Arguments by their metadata, partial workgroups, LDS, and faults, which must come
// back as a message that names the kernel. The same test for the simulator and, where
// there is one, the card; what they have in common with a CPU is in SessionTest.cpp.
//
//===----------------------------------------------------------------------===//

#include "GpuDevices.h"

#include <chrono>
#include <cstring>
#include <numeric>
#include <thread>

using namespace tinyrt;

namespace {
struct Buffer {
  Buffer(std::shared_ptr<HsaDevice> owner, std::vector<uint32_t> values)
      : device(std::move(owner)), values(std::move(values)),
        memory(device->allocate(this->values.size() * 4)) {
    std::string error;
    EXPECT_TRUE(memory &&
                device->copyToDevice(memory, this->values.data(), this->values.size() * 4, error))
        << error;
  }
  ~Buffer() { device->release(memory); }
  const std::vector<uint32_t> &read() {
    std::string error;
    EXPECT_TRUE(device->copyToHost(values.data(), memory, values.size() * 4, error)) << error;
    return values;
  }
  std::shared_ptr<HsaDevice> device; ///< outlives its memory
  std::vector<uint32_t> values;
  void *memory;
};

/// Arguments one behind the other, each aligned to its size.
template <typename... T> std::string pack(T... values) {
  std::string bytes;
  auto add = [&](const void *value, size_t size) {
    bytes.resize((bytes.size() + size - 1) / size * size);
    bytes.append(static_cast<const char *>(value), size);
  };
  (add(&values, sizeof(values)), ...);
  return bytes;
}

struct HsaDeviceTest : testing::TestWithParam<bool> {
  void SetUp() override {
    open();
    if (!device)
      GTEST_SKIP() << error;
  }
  void open(unsigned timeout = 0) {
    device = openGpu(GetParam(), error, timeout);
    if (device) {
      ASSERT_TRUE(device->loadImage(gpuKernels(), error)) << error;
    }
  }
  bool start(const char *name, uint32_t items, uint32_t block, const std::string &arguments,
             uint32_t localBytes = 0) {
    HsaLaunch launch;
    launch.items[0] = items;
    launch.block[0] = block;
    launch.localBytes = localBytes;
    launch.arguments = arguments;
    return device->start(device->find(name), launch, error);
  }
  bool run(const char *name, uint32_t items, uint32_t block, const std::string &arguments,
           uint32_t localBytes = 0) {
    return start(name, items, block, arguments, localBytes) && device->wait(error);
  }

  std::shared_ptr<HsaDevice> device;
  std::string error;
};
} // namespace

INSTANTIATE_TEST_SUITE_P(Devices, HsaDeviceTest, testing::Values(true, false),
                         [](const auto &info) { return info.param ? "sim" : "hsa"; });

TEST_P(HsaDeviceTest, KnowsItsKernels) {
  EXPECT_EQ(device->kernelNames(),
            (std::vector<std::string>{"count", "endless", "out_of_bounds", "reverse", "scale",
                                      "sizes", "sum", "twice_and"}));
  EXPECT_EQ(device->find("nothing"), nullptr);
  EXPECT_NE(device->description().find("gfx1100"), std::string::npos);
  const KernelMetadata &sizes = device->metadata(device->find("sizes"));
  ASSERT_GE(sizes.arguments.size(), 2u);
  EXPECT_EQ(sizes.arguments[0].kind, "global_buffer");
  EXPECT_EQ(sizes.arguments[0].type, "uint*");
  EXPECT_EQ(sizes.arguments[1].kind, "by_value");
  EXPECT_EQ(sizes.arguments[1].offset, 8u);
  EXPECT_EQ(sizes.arguments[1].bytes, 4u);
}

TEST_P(HsaDeviceTest, FillsHiddenArgumentsIn) {
  Buffer out(device, std::vector<uint32_t>(20));
  ASSERT_TRUE(run("sizes", 100, 32, pack(out.memory, uint32_t(0)))) << error;
  HsaLaunch launch;
  uint32_t items[] = {64, 6, 9}, block[] = {16, 2, 4};
  std::copy_n(items, 3, launch.items);
  std::copy_n(block, 3, launch.block);
  std::string arguments = pack(out.memory, uint32_t(10));
  launch.arguments = arguments;
  ASSERT_TRUE(device->start(device->find("sizes"), launch, error) && device->wait(error)) << error;
  EXPECT_EQ(out.read(), (std::vector<uint32_t>{3, 1, 1, 32, 1, 1, 4, 0, 0, 1, // 100 = 3 * 32 + 4
                                               4, 3, 2, 16, 2, 4, 0, 0, 1, 3}));
}

TEST_P(HsaDeviceTest, RunsPartialWorkgroups) {
  for (uint32_t items : {1u, 63u, 64u, 65u, 1000u}) {
    Buffer out(device, {0});
    ASSERT_TRUE(run("count", items, 64, pack(out.memory))) << error;
    EXPECT_EQ(out.read()[0], items);
  }
}

TEST_P(HsaDeviceTest, GivesLocalMemory) {
  std::vector<uint32_t> values(64);
  std::iota(values.begin(), values.end(), 0);
  Buffer data(device, values);
  ASSERT_TRUE(run("reverse", 64, 64, pack(data.memory, uint32_t(0)), 256)) << error;
  std::reverse(values.begin(), values.end());
  EXPECT_EQ(data.read(), values);
}

/// More launches than the queue has places, each of which needs the one before it.
TEST_P(HsaDeviceTest, LaunchesInOrder) {
  Buffer value(device, {0});
  uint32_t expected = 0;
  for (int round = 0; round < 2; ++round) { // the second finds its arguments in place
    for (uint32_t i = 0; i < 5000; ++i) {
      ASSERT_TRUE(start("twice_and", 1, 1, pack(value.memory, i))) << error;
      expected = expected * 2 + i;
    }
    ASSERT_TRUE(device->wait(error)) << error;
    EXPECT_EQ(value.read()[0], expected);
  }
  EXPECT_GT(device->lastLaunchNanoseconds(), 0u);
}

TEST_P(HsaDeviceTest, RefusesWhatCannotBeLaunched) {
  Buffer out(device, {0});
  std::string arguments = pack(out.memory);
  EXPECT_FALSE(start("count", 64, 2048, arguments));
  EXPECT_EQ(error, "kernel 'count' cannot be launched: its block has more than 1024 work-items");
  EXPECT_FALSE(start("count", 0, 64, arguments));
  EXPECT_EQ(error, "kernel 'count' cannot be launched: a size of its grid or its block is 0");
  EXPECT_FALSE(start("count", 64, 64, "abc"));
  EXPECT_EQ(error, "kernel 'count' cannot be launched: its arguments have 8 bytes, got 3");
  EXPECT_FALSE(device->loadImage("no code", error));
  EXPECT_NE(error.find("refuses the code object"), std::string::npos) << error;
  EXPECT_TRUE(run("count", 64, 64, arguments)) << "nothing of that is a fault: " << error;

  HsaOptions other;
  other.simulate = GetParam();
  other.agent = 99;
  EXPECT_FALSE(createHsaDevice(other, error));
  EXPECT_EQ(error.find("there is no card 99: "), 0u) << error;
}

/// The last test: on a card, a memory fault may end the process, and that is ROCm's decision.
TEST_P(HsaDeviceTest, NamesTheKernelOfAFault) {
  Buffer data(device, {0, 0});
  ASSERT_TRUE(run("count", 64, 64, pack(data.memory))) << error;
  ASSERT_TRUE(start("count", 64, 64, pack(data.memory)));
  ASSERT_TRUE(start("out_of_bounds", 1, 1, pack(data.memory, uint32_t(1) << 30)));
  start("count", 64, 64, pack(data.memory));
  EXPECT_FALSE(device->wait(error));
  EXPECT_EQ(error.find(std::string(device->name()) + ": kernel 'out_of_bounds' has failed: "), 0u)
      << error;
  std::string first = error;
  EXPECT_FALSE(start("count", 64, 64, pack(data.memory))) << "a queue does not go on after a fault";
  EXPECT_EQ(error, first);

  open(); // another device does
  Buffer again(device, {0});
  EXPECT_TRUE(run("count", 64, 64, pack(again.memory))) << error;
  EXPECT_EQ(again.read()[0], 64u);
}

TEST_P(HsaDeviceTest, EndsAKernelThatDoesNot) {
  open(/*timeout=*/1);
  auto begin = std::chrono::steady_clock::now();
  {
    Buffer data(device, {0});
    EXPECT_FALSE(run("endless", 32, 32, pack(data.memory)));
  }
  EXPECT_EQ(error.find(std::string(device->name()) +
                       ": kernel 'endless' has failed: it has not ended after 1 s"),
            0u)
      << error;
  device.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}
