//===- SessionTest.cpp - what every device must do ------------------------===//
//
// The conformance test of the device interface: the same plan on each device.
// `remote` stands for devices with memory of their own: it runs kernels on the
// CPU, but gives out memory in which only its own copies work. The simulator runs it
// always, a card where there is one. The reference interpreter has no kernels and is
// no device of this interface: tests of whole programs compare with it.
//
//===----------------------------------------------------------------------===//

#include "GpuDevices.h"

#include "Tiny/Runtime/Session.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <thread>

using namespace tinyrt;

namespace {
class RemoteDevice : public Device {
public:
  const char *name() const override { return "remote"; }
  bool sharesHostMemory() const override { return false; }
  void *allocate(size_t bytes) override {
    void *memory = cpu->allocate(bytes);
    std::lock_guard<std::mutex> lock(mutex);
    blocks[memory] = bytes;
    return memory;
  }
  void release(void *memory) override {
    {
      std::lock_guard<std::mutex> lock(mutex);
      EXPECT_EQ(blocks.erase(memory), 1u);
    }
    cpu->release(memory);
  }
  bool copyToDevice(void *to, const void *from, size_t bytes, std::string &error) override {
    EXPECT_TRUE(bytes == 0 || (owns(to, bytes) && !owns(from, bytes)));
    return cpu->copyToDevice(to, from, bytes, error);
  }
  bool copyToHost(void *to, const void *from, size_t bytes, std::string &error) override {
    EXPECT_TRUE(bytes == 0 || (!owns(to, bytes) && owns(from, bytes)));
    return cpu->copyToHost(to, from, bytes, error);
  }
  bool load(const Code &code, const PlanView &plan, std::vector<Kernel> &kernels,
            std::string &error) override {
    return cpu->load(code, plan, kernels, error);
  }
  bool launch(Kernel kernel, const tiny_plan_kernel &info, const uint32_t grid[3],
              void *const *buffers, size_t count, std::string &error) override {
    for (size_t i = 0; i < count; ++i)
      EXPECT_TRUE(!buffers[i] || owns(buffers[i], 0)) << "a host address reached a kernel";
    return cpu->launch(kernel, info, grid, buffers, count, error);
  }
  bool wait(std::string &error) override { return cpu->wait(error); }

  ~RemoteDevice() override { EXPECT_TRUE(blocks.empty()); }

private:
  bool owns(const void *memory, size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex);
    const char *at = static_cast<const char *>(memory);
    for (auto [block, size] : blocks)
      if (at >= block && at + bytes <= static_cast<char *>(block) + size)
        return true;
    return false;
  }

  std::shared_ptr<Device> cpu = createCpuDevice(1);
  std::mutex mutex;
  std::map<void *, size_t> blocks;
};

using Factory = std::shared_ptr<Device> (*)();

template <bool simulate> std::shared_ptr<Device> createGpu() {
  std::string reason;
  return openGpu(simulate, reason);
}

struct DeviceTest : testing::TestWithParam<Factory> {
  void SetUp() override {
    std::string reason;
    if (GetParam() == createGpu<false> && !openGpu(false, reason))
      GTEST_SKIP() << reason;
  }
};
} // namespace

INSTANTIATE_TEST_SUITE_P(
    Devices, DeviceTest,
    testing::Values([] { return createCpuDevice(1); }, [] { return createCpuDevice(3); },
                    []() -> std::shared_ptr<Device> { return std::make_shared<RemoteDevice>(); },
                    createGpu<true>, createGpu<false>));

//===----------------------------------------------------------------------===//
// Kernels as a compiler would make them
//===----------------------------------------------------------------------===//

/// out[i] = in[i] * factor[0], a workgroup for each i of a 4x3x2 grid.
static void scale(void *const *buffers, uint32_t x, uint32_t y, uint32_t z) {
  uint32_t i = x + 4 * (y + 3 * z);
  static_cast<float *>(buffers[2])[i] =
      static_cast<float *>(buffers[0])[i] * static_cast<float *>(buffers[1])[0];
}

/// out[0] = sum of in.
static void sum(void *const *buffers, uint32_t, uint32_t, uint32_t) {
  float total = 0;
  for (int i = 0; i < 24; ++i)
    total += static_cast<float *>(buffers[0])[i];
  static_cast<float *>(buffers[1])[0] = total;
}

static void *findKernel(const char *name) {
  if (!std::strcmp(name, "scale"))
    return reinterpret_cast<void *>(scale);
  if (!std::strcmp(name, "sum"))
    return reinterpret_cast<void *>(sum);
  return nullptr;
}

/// The same kernels in both forms; a device takes its own.
static Code code() { return {findKernel, gpuKernels()}; }

alignas(kBufferAlignment) static const float kConstants[32] = {3, 72, 71};

/// y = sum(x * 3), with one check that holds for x = 1 and one that then fails; z is not written.
static PlanBuilder makeBuilder() {
  PlanBuilder builder;
  builder.constantsBytes = sizeof(kConstants);
  builder.workspaceBytes = 192;
  builder.addInput("x", {ElementType::f32, {2, 3, 4}});
  builder.addOutput("y", {ElementType::f32, {}});
  builder.addOutput("z", {ElementType::i8, {2}});
  builder.addLaunch(builder.addKernel("scale"), {4, 3, 2},
                    {{Segment::argument, 0, 0, 96},
                     {Segment::constants, 0, 0, 4},
                     {Segment::workspace, 0, 64, 96}});
  builder.addLaunch(builder.addKernel("sum"), {1, 1, 1},
                    {{Segment::workspace, 0, 64, 96}, {Segment::result, 0, 0, 4}});
  builder.addExpectEq({ElementType::f32, {}}, {Segment::result, 0, 0, 4},
                      {Segment::constants, 0, 4, 4}, "here:1:1");
  builder.addExpectClose({ElementType::f32, {}}, {Segment::result, 0, 0, 4},
                         {Segment::constants, 0, 8, 4}, 1e-3, 0, "here:2:1");
  return builder;
}

static std::shared_ptr<const Program> makeProgram(Factory factory) {
  Plan plan;
  std::string error;
  EXPECT_TRUE(makeBuilder().finish(plan, error)) << error;
  auto program = Program::create(factory(), std::move(plan), code(), kConstants, error);
  EXPECT_TRUE(program) << error;
  return program;
}

static Tensor input(float value) {
  Tensor tensor({ElementType::f32, {2, 3, 4}});
  std::fill_n(tensor.as<float>(), 24, value);
  return tensor;
}

TEST_P(DeviceTest, PutsAResultIntoADonatedArgument) {
  PlanBuilder builder;
  builder.constantsBytes = sizeof(kConstants);
  builder.addInput("x", {ElementType::f32, {2, 3, 4}}, /*donated=*/true);
  builder.addOutput("y", {ElementType::f32, {24}}, /*donor=*/1);
  builder.addLaunch(builder.addKernel("scale"), {4, 3, 2},
                    {{Segment::argument, 0, 0, 96},
                     {Segment::constants, 0, 0, 4},
                     {Segment::argument, 0, 0, 96}});
  Plan plan;
  std::string error;
  ASSERT_TRUE(builder.finish(plan, error)) << error;
  EXPECT_EQ(memoryNeeded(plan.view()), 128u + 96) << "the result has no memory of its own";
  auto program = Program::create(GetParam()(), std::move(plan), code(), kConstants, error);
  ASSERT_TRUE(program) << error;
  auto session = Session::create(program, {true, false}, error);
  ASSERT_TRUE(session) << error;
  Tensor x = input(2);
  std::vector<Tensor> outputs;
  ASSERT_TRUE(session->run({x}, outputs, error)) << error;
  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_EQ(outputs[0].data(), x.data());
  EXPECT_EQ(outputs[0].type().str(), "tensor<24xf32>");
  EXPECT_EQ(outputs[0].as<float>()[23], 6);
}

TEST_P(DeviceTest, RunsAPlan) {
  auto program = makeProgram(GetParam());
  EXPECT_EQ(memoryNeeded(program->plan()), 128u + 192 + 96 + 4 + 2);
  std::string error;
  auto session = Session::create(program, {true, true}, error);
  ASSERT_TRUE(session) << error;
  std::vector<Tensor> outputs;
  ASSERT_TRUE(session->run({input(1)}, outputs, error)) << error;
  ASSERT_EQ(outputs.size(), 2u);
  EXPECT_EQ(outputs[0].as<float>()[0], 72);
  EXPECT_EQ(outputs[1].as<uint8_t>()[1], 0xcd) << "not written, so poisoned";

  std::vector<std::string> failures;
  ASSERT_TRUE(session->check(failures, error)) << error;
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(
      failures[0].find("here:2:1: error: tiny.expect_close does not hold: 1 of 1 element differs"),
      0u)
      << failures[0];

  void *memory = outputs[0].data();
  ASSERT_TRUE(session->run({input(2)}, outputs, error)) << error;
  EXPECT_EQ(outputs[0].data(), memory) << "outputs of the right type are used again";
  EXPECT_EQ(outputs[0].as<float>()[0], 144);
  ASSERT_EQ(session->times().size(), 2u);
  EXPECT_EQ(session->times()[0].calls, 2u);
  EXPECT_GT(session->times()[0].nanoseconds, 0u);
}

TEST_P(DeviceTest, SessionsRunAtTheSameTime) {
  auto program = makeProgram(GetParam());
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int number = 1; number <= 4; ++number)
    threads.emplace_back([&, number] {
      std::string error;
      auto session = Session::create(program, {}, error);
      std::vector<Tensor> outputs;
      for (int round = 0; session && round < 200; ++round)
        right += session->run({input(static_cast<float>(number))}, outputs, error) &&
                 outputs[0].as<float>()[0] == 72.f * static_cast<float>(number);
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(right, 800);
}

TEST_P(DeviceTest, SaysWhatIsWrong) {
  Plan plan;
  std::string error;
  PlanBuilder builder = makeBuilder();
  builder.addLaunch(builder.addKernel("none"), {1, 1, 1}, {});
  ASSERT_TRUE(builder.finish(plan, error)) << error;
  EXPECT_FALSE(Program::create(GetParam()(), plan, code(), kConstants, error));
  EXPECT_EQ(error, "the compiled code has no kernel 'none'");

  PlanBuilder huge = makeBuilder();
  huge.workspaceBytes = uint64_t(1) << 50;
  ASSERT_TRUE(huge.finish(plan, error)) << error;
  auto program = Program::create(createCpuDevice(1), plan, code(), kConstants, error);
  ASSERT_TRUE(program);
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
  EXPECT_FALSE(Session::create(program, {}, error));
  EXPECT_EQ(error.find("out of memory"), 0u) << error;
#endif

  auto session = Session::create(makeProgram(GetParam()), {}, error);
  std::vector<Tensor> outputs;
  EXPECT_FALSE(session->run({}, outputs, error));
  EXPECT_EQ(error, "the program has 1 inputs, got 0");
  EXPECT_FALSE(session->run({Tensor({ElementType::f32, {24}})}, outputs, error));
  EXPECT_EQ(error, "input 0 has type tensor<2x3x4xf32>, got tensor<24xf32>");
  EXPECT_FALSE(session->run({Tensor()}, outputs, error));
}
