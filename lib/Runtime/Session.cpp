//===- Session.cpp - run a program ----------------------------------------===//
//
// The one host path: every device, JIT or ahead of time, is driven from here.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Runtime/Session.h"

#include "Tiny/Runtime/Compare.h"
#include "Tiny/Runtime/Element.h"

#include <chrono>
#include <cstring>

using namespace tinyrt;

uint64_t tinyrt::memoryNeeded(const PlanView &plan) {
  const tiny_plan &header = plan.header();
  uint64_t bytes = 0;
  // Saturates: the sum of many tensors that each could exist may be no number.
  auto add = [&](uint64_t more) { bytes = more > UINT64_MAX - bytes ? UINT64_MAX : bytes + more; };
  add(header.constants_bytes);
  add(header.state_bytes);
  add(header.workspace_bytes);
  for (const tiny_plan_tensor &input : plan.inputs())
    add(plan.type(input).bytes());
  for (const tiny_plan_tensor &output : plan.outputs())
    if (output.donor == 0)
      add(plan.type(output).bytes());
  return bytes;
}

bool DeviceMemory::allocate(const std::shared_ptr<Device> &device, uint64_t bytes, const char *what,
                            std::string &error) {
  memory.reset();
  if (bytes == 0)
    return true;
  void *data = bytes <= SIZE_MAX ? device->allocate(static_cast<size_t>(bytes)) : nullptr;
  if (!data) {
    error = std::string("out of memory: ") + device->name() + " has no " + std::to_string(bytes) +
            " bytes for " + what;
    return false;
  }
  memory.reset(data, [device](void *data) { device->release(data); });
  return true;
}

//===----------------------------------------------------------------------===//
// Program
//===----------------------------------------------------------------------===//

std::shared_ptr<const Program> Program::create(std::shared_ptr<Device> device, Plan plan,
                                               const Code &code, const void *constants,
                                               std::string &error) {
  auto program = std::make_shared<Program>();
  program->ownDevice = device;
  program->ownPlan = std::move(plan);
  const tiny_plan &header = program->plan().header();
  if (!device->load(code, program->plan(), program->kernels, error))
    return nullptr;

  program->constants = constants;
  if (!device->sharesHostMemory()) {
    if (!program->constantsCopy.allocate(device, header.constants_bytes, "constants", error) ||
        !device->copyToDevice(program->constantsCopy.data(), constants, header.constants_bytes,
                              error))
      return nullptr;
    program->constants = program->constantsCopy.data();
  }
  if (header.state_bytes) {
    std::vector<char> zeros(header.state_bytes);
    if (!program->state.allocate(device, header.state_bytes, "state", error) ||
        !device->copyToDevice(program->state.data(), zeros.data(), zeros.size(), error))
      return nullptr;
  }
  return program;
}

//===----------------------------------------------------------------------===//
// Session
//===----------------------------------------------------------------------===//

std::unique_ptr<Session> Session::create(std::shared_ptr<const Program> program, Options options,
                                         std::string &error) {
  std::unique_ptr<Session> session(new Session);
  const PlanView &plan = program->plan();
  if (!session->workspace.allocate(program->ownDevice, plan.header().workspace_bytes,
                                   "the workspace", error))
    return nullptr;
  session->argumentCopies.resize(plan.inputs().size());
  session->resultCopies.resize(plan.outputs().size());
  if (!program->device().sharesHostMemory()) {
    for (size_t i = 0; i < plan.inputs().size(); ++i)
      if (!session->argumentCopies[i].allocate(
              program->ownDevice, plan.type(plan.inputs()[i]).bytes(), "an argument", error))
        return nullptr;
    for (size_t i = 0; i < plan.outputs().size(); ++i)
      if (plan.outputs()[i].donor == 0 &&
          !session->resultCopies[i].allocate(
              program->ownDevice, plan.type(plan.outputs()[i]).bytes(), "a result", error))
        return nullptr;
  }
  if (options.profile)
    session->launchTimes.resize(plan.launches().size());
  session->options = options;
  session->program = std::move(program);
  return session;
}

static void poison(Tensor &tensor) {
  // All ones is a NaN in every float type.
  std::memset(tensor.data(), isFloat(tensor.type().element) ? 0xff : 0xcd, tensor.bytes());
}

/// Takes the tensors of a run and finds the addresses that kernels use for them.
bool Session::bind(const std::vector<Tensor> &inputs, std::vector<Tensor> &outputs,
                   std::string &error) {
  const PlanView &plan = program->plan();
  Device &device = program->device();
  if (inputs.size() != plan.inputs().size()) {
    error = "the program has " + std::to_string(plan.inputs().size()) + " inputs, got " +
            std::to_string(inputs.size());
    return false;
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    TensorType type = plan.type(plan.inputs()[i]);
    if (inputs[i].type() != type || !inputs[i].data()) {
      error = "input " + std::to_string(i) + " has type " + type.str() + ", got " +
              (inputs[i].data() ? inputs[i].type().str() : "nothing");
      return false;
    }
  }
  outputs.resize(plan.outputs().size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    TensorType type = plan.type(plan.outputs()[i]);
    if (uint32_t donor = plan.outputs()[i].donor) {
      outputs[i] = inputs[donor - 1].viewedAs(std::move(type));
      continue;
    }
    if (outputs[i].type() != type || !outputs[i].data())
      outputs[i] = Tensor(std::move(type));
    if (options.poison)
      poison(outputs[i]);
  }
  lastInputs = inputs;
  lastOutputs = outputs;

  bool shared = device.sharesHostMemory();
  arguments.clear();
  results.clear();
  for (size_t i = 0; i < inputs.size(); ++i) {
    arguments.push_back(shared ? inputs[i].data() : argumentCopies[i].data());
    if (!shared && !device.copyToDevice(arguments[i], inputs[i].data(), inputs[i].bytes(), error))
      return false;
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    uint32_t donor = plan.outputs()[i].donor;
    results.push_back(donor    ? arguments[donor - 1]
                      : shared ? outputs[i].data()
                               : resultCopies[i].data());
    if (!shared && !donor && options.poison &&
        !device.copyToDevice(results[i], outputs[i].data(), outputs[i].bytes(), error))
      return false;
  }
  if (options.poison && plan.header().workspace_bytes) {
    std::vector<char> pattern(plan.header().workspace_bytes, static_cast<char>(0xff));
    return device.copyToDevice(workspace.data(), pattern.data(), pattern.size(), error);
  }
  return true;
}

void *Session::address(const tiny_plan_buffer &buffer) const {
  char *base = nullptr;
  switch (static_cast<Segment>(buffer.segment)) {
  case Segment::argument:
    base = static_cast<char *>(arguments[buffer.index]);
    break;
  case Segment::result:
    base = static_cast<char *>(results[buffer.index]);
    break;
  case Segment::constants: // kernels do not write to them
    base = static_cast<char *>(const_cast<void *>(program->constants));
    break;
  case Segment::state:
    base = static_cast<char *>(program->state.data());
    break;
  case Segment::workspace:
    base = static_cast<char *>(workspace.data());
    break;
  }
  // An empty segment has no address, and its only offset is 0.
  return base ? base + buffer.offset : nullptr;
}

bool Session::launchAll(std::string &error) {
  using Clock = std::chrono::steady_clock;
  const PlanView &plan = program->plan();
  Device &device = program->device();
  std::vector<void *> buffers;
  size_t number = 0;
  for (const tiny_plan_launch &launch : plan.launches()) {
    buffers.clear();
    for (const tiny_plan_buffer &buffer : plan.buffersOf(launch))
      buffers.push_back(address(buffer));
    Clock::time_point start;
    if (options.profile)
      start = Clock::now();
    if (!device.launch(program->kernels[launch.kernel], plan.kernels()[launch.kernel], launch.grid,
                       buffers.data(), buffers.size(), error))
      return false;
    if (options.profile) {
      if (!device.wait(error))
        return false;
      LaunchTime &time = launchTimes[number];
      ++time.calls;
      uint64_t taken = device.lastLaunchNanoseconds();
      time.nanoseconds +=
          taken
              ? taken
              : std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
    }
    ++number;
  }
  return device.wait(error);
}

bool Session::run(const std::vector<Tensor> &inputs, std::vector<Tensor> &outputs,
                  std::string &error) {
  if (!bind(inputs, outputs, error) || !launchAll(error))
    return false;
  if (!program->device().sharesHostMemory())
    for (size_t i = 0; i < outputs.size(); ++i)
      if (!program->device().copyToHost(outputs[i].data(), results[i], outputs[i].bytes(), error))
        return false;
  return true;
}

bool Session::check(std::vector<std::string> &failures, std::string &error) {
  const PlanView &plan = program->plan();
  for (const tiny_plan_check &check : plan.checks()) {
    TensorType type = plan.type(check);
    Tensor actual(type), expected(type);
    if (!program->device().copyToHost(actual.data(), address(check.actual), actual.bytes(),
                                      error) ||
        !program->device().copyToHost(expected.data(), address(check.expected), expected.bytes(),
                                      error))
      return false;
    Comparison result =
        check.kind == 0 ? compareBits(actual, expected)
                        : compare(actual, expected, Tolerance::allclose(check.rtol, check.atol));
    if (!result.passed)
      failures.push_back(std::string(plan.text(check.location)) + ": error: tiny.expect_" +
                         (check.kind == 0 ? "eq" : "close") + " does not hold: " + result.message);
  }
  return true;
}
