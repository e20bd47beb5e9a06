//===- Compiler.h - from a module to code that runs -------------*- C++ -*-===//
//
// The only header that a tool needs to compile. What comes out is MLIR-free: a
// launch plan, the packed constants, and one function pointer per kernel or the
// code object of a GPU.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_COMPILER_COMPILER_H
#define TINY_COMPILER_COMPILER_H

#include "Tiny/Runtime/Device.h"
#include "Tiny/Runtime/Plan.h"
#include "Tiny/Schedule/ProgramCost.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace llvm::orc {
class LLJIT;
}

namespace mlir::tiny {

/// What a module holds when it comes to the compiler: a program of tiny ops, or what the Schedule
/// or the Tile stage ends with (for tests, and for kernels written by hand).
enum class Stage { program, scheduled, tiled };

/// What contractions of f32 multiply: f32, or factors that are rounded to bf16, with sums in f32.
enum class Precision { f32, bf16 };

struct CompileOptions {
  /// "cpu"; a GPU's name (Tiny/Compiler/GPU.h); or "affine": plain loops for this CPU, one
  /// workgroup per launch. They are slow, and there to be checked.
  std::string target = "cpu";
  /// "host", or a CPU that LLVM knows. Code for another CPU than the host's is refused by compile()
  /// if this machine cannot run it, and can always be emitted.
  std::string cpu = "host";
  /// The function to compile.
  std::string entry = "main";
  Stage input = Stage::program;
  /// Bytes of all segments together (arguments, results, constants, state, workspace) above which
  /// a program is refused; 0 for no limit.
  uint64_t maxMemory = 0;
  /// Floating point operations of one run (docs/Report.md), and launches, above which a program is
  /// refused; 0 for no limit. What is tiled already is not counted, and refused where there is one.
  uint64_t maxFlops = 0, maxLaunches = 0;
  /// bf16 is for CPUs that have an instruction for it, and an error elsewhere. What multiplies in
  /// bf16 is where that is faster, and is listed in the artefact.
  Precision precision = Precision::f32;
  /// Kernels are spread over as many modules, which are compiled side by side: several for each
  /// thread, since their number of ops is only a guess at the time that they take.
  unsigned parts = 8;
  /// Tile kernels of a GPU again that LLVM spills registers of, for fewer of them, with a warning.
  bool tileAgain = true;
  /// Check the contract between stages.
  bool verifyStages = true;
  /// A folder where compile() keeps code for a CPU, and finds that of earlier runs; empty for none.
  /// The tilings that tune() has left there are used, by whatever compiles or emits for that
  /// target.
  std::string cache;
};

/// A step of the compiler and the seconds that it took.
struct Phase {
  std::string name;
  double seconds;
};

/// One workgroup of a kernel on a CPU.
using KernelFunction = void (*)(void *const *buffers, uint32_t x, uint32_t y, uint32_t z);

/// A compiled program.
struct Artefact {
  tinyrt::Plan plan;
  /// The constants segment: ui8, aligned to tinyrt::kBufferAlignment.
  tinyrt::Tensor constants;
  /// On a CPU, in the order of the plan's kernels.
  std::vector<KernelFunction> kernels;
  /// On a GPU, the bytes of the code object with all kernels; empty if there is none.
  std::string image;
  /// In the order in which they ran.
  std::vector<Phase> phases;
  /// Kernels whose tilings were found by tuning.
  unsigned tunedKernels = 0;
  /// Whether products may be of bf16, and the kernels in which some are.
  Precision precision = Precision::f32;
  std::vector<std::string> bf16Kernels;
  /// What a run costs, counted before the kernels were tiled; nothing if they came tiled.
  std::optional<ProgramCost> cost;

  /// The kernels by name, for tinyrt::Program; valid as long as the artefact.
  tinyrt::Code code() const;

  Artefact();
  ~Artefact();
  /// Owns the code.
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

/// What `entry` holds: whether it has launches, and whether these have grids.
Stage stageOf(func::FuncOp entry);

/// Compiles `module`, and links it into this process if it is for the CPU. The module is changed:
/// it ends up lowered. Errors go to the diagnostics of its context.
FailureOr<std::unique_ptr<Artefact>> compile(ModuleOp module, const CompileOptions &options);

/// What emit() writes: tiled kernels with their host function; LLVM IR after optimisation;
/// assembly; an object file whose symbols are the kernels; the code object that a GPU loads.
enum class EmitKind { mlir, llvm, assembly, object, codeObject };

/// Compiles `module` as far as `kind` needs and writes that to `os`. Nothing is written on failure.
LogicalResult emit(ModuleOp module, const CompileOptions &options, EmitKind kind,
                   llvm::raw_ostream &os);

/// What compile() and emit() need in a context besides the dialects: call it on the registry before
/// the context is made.
void registerCompilerExtensions(DialectRegistry &registry);

} // namespace mlir::tiny

#endif // TINY_COMPILER_COMPILER_H
