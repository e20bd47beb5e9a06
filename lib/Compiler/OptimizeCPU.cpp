//===- OptimizeCPU.cpp - LLVM's passes for kernels on a CPU ---------------===//
//
// LLVM's own pipeline is made for C++: two thirds of its time go to passes that find
// nothing in kernels, which have no calls, no stores that another one kills, and vectors
// already. The shared models run as fast after these as after -O3.
//
//===----------------------------------------------------------------------===//

#include "OptimizeCPU.h"

#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/IndVarSimplify.h"
#include "llvm/Transforms/Scalar/InferAlignment.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopDeletion.h"
#include "llvm/Transforms/Scalar/LoopInstSimplify.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/LoopRotation.h"
#include "llvm/Transforms/Scalar/LoopSimplifyCFG.h"
#include "llvm/Transforms/Scalar/LoopUnrollPass.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimpleLoopUnswitch.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

using namespace mlir::tiny;
using namespace llvm;

/// As at -O3, which sets how far loops are unrolled.
static constexpr int level = 3;

FunctionPassManager mlir::tiny::passesForCPU() {
  FunctionPassManager passes;
  auto addLICM = [&] {
    LoopPassManager loops;
    loops.addPass(LICMPass(LICMOptions()));
    passes.addPass(createFunctionToLoopPassAdaptor(std::move(loops), /*UseMemorySSA=*/true));
  };
  passes.addPass(SimplifyCFGPass());
  passes.addPass(SROAPass(SROAOptions::ModifyCFG));
  passes.addPass(EarlyCSEPass(/*UseMemorySSA=*/true));
  passes.addPass(InstCombinePass());
  passes.addPass(SimplifyCFGPass());
  LoopPassManager hoisting;
  hoisting.addPass(LoopInstSimplifyPass());
  hoisting.addPass(LoopSimplifyCFGPass());
  hoisting.addPass(LICMPass(LICMOptions()));
  hoisting.addPass(LoopRotatePass());
  hoisting.addPass(LICMPass(LICMOptions()));
  // Guards that do not change leave the loop: 6 % of a small convolution.
  hoisting.addPass(SimpleLoopUnswitchPass(/*NonTrivial=*/true));
  passes.addPass(createFunctionToLoopPassAdaptor(std::move(hoisting), /*UseMemorySSA=*/true));
  passes.addPass(SimplifyCFGPass());
  passes.addPass(InstCombinePass());
  LoopPassManager unrolling;
  unrolling.addPass(IndVarSimplifyPass());
  unrolling.addPass(LoopDeletionPass());
  unrolling.addPass(LoopFullUnrollPass(level));
  passes.addPass(createFunctionToLoopPassAdaptor(std::move(unrolling)));
  passes.addPass(SROAPass(SROAOptions::ModifyCFG));
  passes.addPass(EarlyCSEPass(/*UseMemorySSA=*/true));
  passes.addPass(InstCombinePass());
  addLICM();
  passes.addPass(SimplifyCFGPass(
      SimplifyCFGOptions().hoistCommonInsts(true).sinkCommonInsts(true).needCanonicalLoops(false)));
  passes.addPass(LoopUnrollPass(LoopUnrollOptions(level))); // as much again
  passes.addPass(InferAlignmentPass());
  passes.addPass(InstCombinePass());
  addLICM();
  passes.addPass(SimplifyCFGPass());
  return passes;
}

bool CodegenGate::shouldRunPass(StringRef pass, StringRef) const {
  // It takes half of the time of the code generator where tiles are unrolled, for nothing that can
  // be measured: addresses have a scaled index.
  return pass != "Loop Strength Reduction";
}
