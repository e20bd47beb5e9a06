//===- EmitHeader.cpp - the C header of an ahead-of-time library ----------===//
//
// All that a caller needs to know is in it, as macros, because everything is known:
// names, types, shapes and sizes. It is C99 and C++ alike, and several of them can
// be included side by side.
//
//===----------------------------------------------------------------------===//

#include "EmitLibrary.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir::tiny;

/// What lies in memory for an element; floats that C does not know are their bits.
static const char *typeInC(tinyrt::ElementType type) {
  using E = tinyrt::ElementType;
  switch (type) {
  case E::f64:
    return "double";
  case E::f32:
    return "float";
  case E::f16:
  case E::bf16:
  case E::ui16:
    return "uint16_t";
  case E::i1:
  case E::ui8:
    return "uint8_t";
  case E::i8:
    return "int8_t";
  case E::i16:
    return "int16_t";
  case E::i32:
    return "int32_t";
  case E::i64:
    return "int64_t";
  case E::ui32:
    return "uint32_t";
  case E::ui64:
    return "uint64_t";
  }
  return "uint8_t";
}

static const char *noteOn(tinyrt::ElementType type) {
  if (type == tinyrt::ElementType::i1)
    return ", each 0 or 1";
  bool isBits = type == tinyrt::ElementType::f16 || type == tinyrt::ElementType::bf16;
  return isBits ? ", as its bits" : "";
}

/// The inside of a string literal, which can stand in a comment as well.
static std::string escaped(std::string_view name) {
  std::string result;
  for (char c : name) {
    bool isPlain = llvm::isPrint(c) && !llvm::StringRef("\"\\?*").contains(c);
    if (isPlain)
      result += c;
    else // of three digits, so that one behind it is none of it
      result += llvm::formatv("\\{0}{1}{2}", unsigned(c >> 6 & 3), c >> 3 & 7, c & 7).str();
  }
  return result;
}

/// The macros of an argument or a result.
static void writeTensor(llvm::raw_ostream &os, const std::string &macro, const char *what,
                        size_t number, std::string_view name, const tinyrt::TensorType &type,
                        const std::string &remark) {
  os << llvm::formatv("\n/* {0} {1}{2}: {3}{4}{5}. */\n", what, number,
                      name.empty() ? "" : ", \"" + escaped(name) + "\"", type.str(),
                      noteOn(type.element), remark);
  os << llvm::formatv("#define {0}_NAME \"{1}\"\n", macro, escaped(name));
  os << llvm::formatv("#define {0}_TYPE {1}\n", macro, typeInC(type.element));
  os << llvm::formatv("#define {0}_ELEMENT \"{1}\"\n", macro, tinyrt::name(type.element));
  os << llvm::formatv("#define {0}_RANK {1}\n", macro, type.shape.size());
  if (!type.shape.empty()) {
    os << "#define " << macro << "_SHAPE {";
    llvm::interleaveComma(type.shape, os);
    os << "}\n";
  }
  os << llvm::formatv("#define {0}_COUNT {1}\n", macro,
                      type.bytes() / tinyrt::byteSize(type.element));
  os << llvm::formatv("#define {0}_BYTES {1}\n", macro, type.bytes());
}

static constexpr const char *kThreads = R"(
/* Threads that the caller lends. parallel_for calls body(context, first, last) on
 * disjoint ranges that together are 0 ... count - 1, on any threads, and returns when
 * all of these calls have. It is handed `pool` as it is. */
#ifndef TINY_THREADS_DEFINED
#define TINY_THREADS_DEFINED
typedef struct tiny_threads {
  void (*parallel_for)(void *pool, uint64_t count,
                       void (*body)(void *context, uint64_t first, uint64_t last),
                       void *context);
  void *pool;
} tiny_threads;
#endif
)";

/// {0} is the prefix, {1} the same in capitals, {2} the parameter of the weights and {3} what is
/// said about it.
static constexpr const char *kFunction = R"(
#define {1}_OK 0
#define {1}_NULL_POINTER 1
#define {1}_MISALIGNED 2

/* Runs the program.
 *
 * inputs and outputs are arrays of {1}_NUM_INPUTS and {1}_NUM_OUTPUTS addresses of dense
 * arrays in row-major order. Every address is a multiple of {1}_ALIGNMENT; what has 0
 * bytes may be null. Outputs and workspace share their memory with nothing else.
{3} * workspace has {1}_WORKSPACE_BYTES bytes, whose contents do not matter before and after.
 * threads may be null: then everything happens in the calling thread.
 *
 * Nothing is allocated and nothing is kept: calls with different outputs and workspaces
 * may run at the same time. A thread needs up to {4} KiB of stack.
 *
 * {1}_NULL_POINTER and {1}_MISALIGNED say that an address is not as described; then
 * nothing has been done. There is no other failure. */
int {0}_run(const void *const *inputs, void *const *outputs, {2}void *workspace,
    const tiny_threads *threads);
)";

std::string mlir::tiny::libraryHeader(const tinyrt::PlanView &plan, const CPU &cpu,
                                      const LibraryOptions &options) {
  std::string upper = llvm::StringRef(options.name).upper(), text;
  const tiny_plan &header = plan.header();
  llvm::raw_string_ostream os(text);
  os << llvm::formatv("/* The C interface of '{0}', compiled by Tiny for {1} ({2}). */\n\n",
                      options.name, cpu.name, cpu.triple.getArchName());
  os << llvm::formatv("#ifndef {0}_H\n#define {0}_H\n\n#include <stdint.h>\n\n"
                      "#ifdef __cplusplus\nextern \"C\" {{\n#endif\n",
                      upper);
  os << kThreads << "\n";
  os << llvm::formatv("#define {0}_NUM_INPUTS {1}\n", upper, plan.inputs().size());
  os << llvm::formatv("#define {0}_NUM_OUTPUTS {1}\n", upper, plan.outputs().size());
  os << llvm::formatv("#define {0}_ALIGNMENT {1}\n", upper, tinyrt::kBufferAlignment);
  os << llvm::formatv("#define {0}_WORKSPACE_BYTES {1}\n", upper, header.workspace_bytes);
  if (options.separateWeights)
    os << llvm::formatv("#define {0}_WEIGHTS_BYTES {1}\n", upper, header.constants_bytes);
  for (size_t i = 0; i < plan.inputs().size(); ++i)
    writeTensor(os, llvm::formatv("{0}_INPUT_{1}", upper, i), "Input", i,
                plan.text(plan.inputs()[i].name), plan.type(plan.inputs()[i]),
                plan.inputs()[i].donor ? "; its contents are lost in a run" : "");
  for (size_t i = 0; i < plan.outputs().size(); ++i) {
    uint32_t donor = plan.outputs()[i].donor;
    std::string macro = llvm::formatv("{0}_OUTPUT_{1}", upper, i);
    writeTensor(os, macro, "Output", i, plan.text(plan.outputs()[i].name),
                plan.type(plan.outputs()[i]),
                donor ? "; it comes to lie in an input, and its address is not looked at" : "");
    if (donor)
      os << llvm::formatv("#define {0}_IN_INPUT {1}\n", macro, donor - 1);
  }
  os << llvm::formatv(
      kFunction, options.name, upper, options.separateWeights ? "const void *weights, " : "",
      options.separateWeights
          ? " * weights are the " + upper + "_WEIGHTS_BYTES bytes of the file of the weights.\n"
          : "",
      kStackBytes >> 10);
  os << "\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* " << upper << "_H */\n";
  return text;
}
