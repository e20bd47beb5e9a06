//===- PlanTest.cpp - launch plans survive and bad bytes do not -----------===//

#include "Tiny/Runtime/Plan.h"

#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace tinyrt;

static Plan makePlan() {
  PlanBuilder builder("main");
  builder.constantsBytes = 64;
  builder.workspaceBytes = 256;
  builder.addInput("x", {ElementType::f32, {2, 3}});
  builder.addInput("", {ElementType::ui8, {}});
  builder.addOutput("y", {ElementType::f32, {3}});
  uint32_t scale = builder.addKernel("scale");
  uint32_t sum = builder.addKernel("sum", {32, 2, 1}, 1024);
  builder.addLaunch(scale, {3, 2, 1},
                    {{Segment::argument, 0, 0, 24},
                     {Segment::constants, 0, 0, 4},
                     {Segment::workspace, 0, 64, 24}},
                    "scale by a constant", {6, 28, 24});
  builder.addLaunch(sum, {1, 1, 1}, {{Segment::workspace, 0, 64, 24}, {Segment::result, 0, 0, 12}});
  builder.addLaunch(builder.addKernel("scale"), {1, 1, 1}, {});
  builder.addExpectEq({ElementType::i32, {2}}, {Segment::workspace, 0, 128, 8},
                      {Segment::constants, 0, 16, 8}, "a.mlir:3:4");
  builder.addExpectClose({ElementType::f32, {3}}, {Segment::result, 0, 0, 12},
                         {Segment::constants, 0, 32, 12}, 1e-5, 1e-6, "a.mlir:5:6");
  Plan plan;
  std::string error;
  EXPECT_TRUE(builder.finish(plan, error)) << error;
  return plan;
}

TEST(Plan, ReadsWhatWasBuilt) {
  Plan original = makePlan();
  Plan plan;
  std::string error;
  ASSERT_TRUE(Plan::load(original.data(), original.bytes(), plan, error)) << error;
  const PlanView &view = plan.view();
  EXPECT_EQ(view.entry(), "main");
  EXPECT_EQ(view.header().constants_bytes, 64u);
  EXPECT_EQ(view.header().state_bytes, 0u);
  EXPECT_EQ(view.header().workspace_bytes, 256u);
  ASSERT_EQ(view.inputs().size(), 2u);
  EXPECT_EQ(view.text(view.inputs()[0].name), "x");
  EXPECT_EQ(view.type(view.inputs()[0]).str(), "tensor<2x3xf32>");
  EXPECT_EQ(view.text(view.inputs()[1].name), "");
  EXPECT_EQ(view.type(view.inputs()[1]).str(), "tensor<ui8>");
  ASSERT_EQ(view.outputs().size(), 1u);
  ASSERT_EQ(view.kernels().size(), 2u) << "a kernel is added once";
  EXPECT_EQ(view.text(view.kernels()[1].name), "sum");
  EXPECT_EQ(view.kernels()[1].block[1], 2u);
  EXPECT_EQ(view.kernels()[1].local_bytes, 1024u);
  ASSERT_EQ(view.launches().size(), 3u);
  EXPECT_EQ(view.text(view.launches()[0].label), "scale by a constant");
  EXPECT_EQ(view.launches()[0].grid[1], 2u);
  EXPECT_EQ(view.launches()[0].flops, 6u);
  EXPECT_EQ(view.text(view.launches()[1].label), "sum") << "the kernel's name by default";
  EXPECT_EQ(view.launches()[1].flops, TINY_PLAN_UNKNOWN);
  EXPECT_EQ(view.launches()[2].kernel, 0u);
  PlanRange<tiny_plan_buffer> buffers = view.buffersOf(view.launches()[1]);
  ASSERT_EQ(buffers.size(), 2u);
  EXPECT_EQ(buffers[0].segment, uint32_t(TINY_SEGMENT_WORKSPACE));
  EXPECT_EQ(buffers[0].offset, 64u);
  EXPECT_EQ(buffers[1].bytes, 12u);
  ASSERT_EQ(view.checks().size(), 2u);
  EXPECT_EQ(view.checks()[0].kind, 0u);
  EXPECT_EQ(view.type(view.checks()[0]).str(), "tensor<2xi32>");
  EXPECT_EQ(view.text(view.checks()[1].location), "a.mlir:5:6");
  EXPECT_EQ(view.checks()[1].rtol, 1e-5);
}

TEST(Plan, CopiesAreIndependent) {
  Plan copy;
  {
    Plan original = makePlan();
    copy = original;
    Plan moved = std::move(original);
    EXPECT_EQ(moved->entry(), "main");
  }
  EXPECT_EQ(copy->entry(), "main");
  EXPECT_EQ(copy->launches().size(), 3u);
  Plan empty, other = empty;
  EXPECT_TRUE(other.empty());
}

/// The error of a plan with one launch on one buffer.
static std::string errorOf(PlanBuilder::Buffer buffer, uint32_t kernel = 0,
                           std::array<uint32_t, 3> grid = {1, 1, 1}) {
  PlanBuilder builder;
  builder.addInput("x", {ElementType::f32, {4}});
  builder.workspaceBytes = 32;
  builder.addKernel("k");
  builder.addLaunch(kernel, grid, {buffer}, "launch");
  Plan plan;
  std::string error;
  EXPECT_EQ(builder.finish(plan, error), error.empty());
  return error;
}

TEST(Plan, RefusesWhatCannotRun) {
  auto contains = [](const std::string &error, const char *what) {
    return error.find(what) != std::string::npos;
  };
  EXPECT_EQ(errorOf({Segment::argument, 0, 0, 16}), "");
  EXPECT_EQ(errorOf({Segment::workspace, 0, 32, 0}), "");
  EXPECT_TRUE(contains(errorOf({Segment::argument, 0, 4, 16}), "4 + 16 of argument, which has 16"));
  EXPECT_TRUE(contains(errorOf({Segment::workspace, 0, UINT64_MAX, 2}), "workspace"));
  EXPECT_TRUE(contains(errorOf({Segment::argument, 1, 0, 0}), "names argument 1"));
  EXPECT_TRUE(contains(errorOf({Segment::result, 0, 0, 0}), "names result 0, and there are 0"));
  EXPECT_TRUE(contains(errorOf({Segment(7), 0, 0, 0}), "unknown segment 7"));
  EXPECT_TRUE(contains(errorOf({Segment::argument, 0, 0, 16}, 1), "kernel 1 of 1"));
  EXPECT_TRUE(contains(errorOf({Segment::argument, 0, 0, 16}, 0, {1, 0, 1}), "empty grid"));
  EXPECT_TRUE(contains(errorOf({Segment::argument, 0, 0, 16}, 0, {~0u, ~0u, ~0u}), "counted"));

  PlanBuilder huge;
  huge.addInput("x", {ElementType::f32, {0, int64_t(1) << 40, int64_t(1) << 40}});
  Plan plan;
  std::string error;
  EXPECT_FALSE(huge.finish(plan, error));
  EXPECT_TRUE(contains(error, "larger than any memory")) << error;
}

TEST(Plan, PutsAResultIntoADonatedArgumentOnly) {
  auto errorWith = [](bool donated, int64_t outputSize, uint32_t donor, unsigned outputs = 1) {
    PlanBuilder builder;
    builder.addInput("x", {ElementType::f32, {4}}, donated);
    for (unsigned i = 0; i < outputs; ++i)
      builder.addOutput("y", {ElementType::i16, {outputSize}}, donor);
    Plan plan;
    std::string error;
    EXPECT_EQ(builder.finish(plan, error), error.empty());
    return error;
  };
  EXPECT_EQ(errorWith(true, 8, 1), "");
  EXPECT_EQ(errorWith(true, 8, 0), "");
  for (const std::string &error : {errorWith(false, 8, 1), errorWith(true, 4, 1),
                                   errorWith(true, 8, 2), errorWith(true, 8, 1, 2)})
    EXPECT_NE(error.find("output"), std::string::npos) << error;
}

TEST(Plan, RefusesEveryTruncation) {
  Plan original = makePlan();
  for (size_t size = 0; size < original.bytes(); ++size) {
    Plan plan;
    std::string error;
    EXPECT_FALSE(Plan::load(original.data(), size, plan, error)) << size;
    EXPECT_FALSE(error.empty());
  }
}

/// Reads everything that a view offers, for a sanitizer to watch.
static uint64_t readAll(const PlanView &view) {
  uint64_t sum = view.entry().size();
  auto add = [&](std::string_view text) {
    for (char c : text)
      sum += static_cast<unsigned char>(c);
  };
  for (const tiny_plan_kernel &kernel : view.kernels())
    add(view.text(kernel.name));
  for (const tiny_plan_launch &launch : view.launches()) {
    add(view.text(launch.label));
    add(view.text(view.kernels()[launch.kernel].name));
    for (const tiny_plan_buffer &buffer : view.buffersOf(launch))
      sum += buffer.offset + buffer.bytes;
  }
  for (const tiny_plan_tensor &tensor : view.inputs())
    sum += view.type(tensor).bytes();
  for (const tiny_plan_tensor &tensor : view.outputs())
    sum += view.type(tensor).bytes();
  for (const tiny_plan_check &check : view.checks())
    sum += view.type(check).bytes() + view.text(check.location).size();
  return sum;
}

TEST(Plan, CorruptedBytesAreRefusedOrHarmless) {
  Plan original = makePlan();
  std::vector<char> bytes(original.bytes());
  std::mt19937 random(1);
  int refused = 0;
  const int rounds = 20000;
  for (int round = 0; round < rounds; ++round) {
    std::memcpy(bytes.data(), original.data(), bytes.size());
    for (int flips = 1 + random() % 3; flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    Plan plan;
    std::string error;
    if (Plan::load(bytes.data(), bytes.size(), plan, error))
      readAll(plan.view());
    else
      ++refused;
  }
  EXPECT_GT(refused, rounds / 4);
}
