//===- Compiled.cpp - run a program through the compiler ------------------===//

#include "Targets.h"

#include "Tiny/Compiler/Compiler.h"
#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Runtime/HsaDevice.h"
#include "Tiny/Runtime/Session.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <cstring>

using namespace mlir;
using namespace tinyfuzz;

/// What runs code for `target`: this machine, or the simulator of a card.
static std::shared_ptr<tinyrt::Device> deviceFor(StringRef target, std::string &error) {
  if (target != "rdna3")
    return tinyrt::createCpuDevice();
  tinyrt::HsaOptions simulator;
  simulator.simulate = true;
  return tinyrt::createHsaDevice(simulator, error);
}

FailureOr<std::vector<tinyrt::Tensor>>
tinyfuzz::runCompiled(ModuleOp module, ArrayRef<tinyrt::Tensor> inputs, StringRef target) {
  OwningOpRef<ModuleOp> copy = module.clone(); // the compiler lowers it in place
  // Every other argument is given away, and so a copy of it.
  std::vector<tinyrt::Tensor> given(inputs.begin(), inputs.end());
  for (auto function : copy->getOps<func::FuncOp>())
    for (unsigned i = 1; i < function.getNumArguments() && i < given.size(); i += 2) {
      function.setArgAttr(i, tiny::kDonatedAttrName, UnitAttr::get(copy->getContext()));
      given[i] = tinyrt::Tensor(inputs[i].type());
      std::memcpy(given[i].data(), inputs[i].data(), inputs[i].bytes());
    }
  tiny::CompileOptions options;
  options.target = target.str();
  FailureOr<std::unique_ptr<tiny::Artefact>> artefact = tiny::compile(*copy, options);
  if (failed(artefact))
    return failure();
  std::string error;
  static std::shared_ptr<tinyrt::Device> device = deviceFor(target, error); // one for all programs
  if (!device)
    return module.emitError() << error;
  auto program = tinyrt::Program::create(device, (*artefact)->plan, (*artefact)->code(),
                                         (*artefact)->constants.data(), error);
  if (!program)
    return module.emitError() << error;
  tinyrt::Session::Options sessionOptions;
  sessionOptions.poison = true;
  auto session = tinyrt::Session::create(program, sessionOptions, error);
  std::vector<tinyrt::Tensor> outputs;
  if (!session || !session->run(given, outputs, error))
    return module.emitError() << error;
  return outputs;
}
