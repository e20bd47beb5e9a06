//===- EmitLibrary.cpp - a plan as code -----------------------------------===//
//
// Ahead of time there is no runtime that reads the plan, so the plan becomes a
// function: for each launch it stores the addresses of the buffers, and runs the
// grid. It is written as LLVM assembly, because that can be read beside the C it
// stands for; the kernels are in the same module, and internal.
//
// All that a call needs is on its stack or in the workspace it is given: so any
// number of calls may run at the same time.
//
//===----------------------------------------------------------------------===//

#include "EmitLibrary.h"

#include "Link.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Module.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir::tiny;
using tinyrt::Segment;

/// Where the small code model ends: code and constants together are below 2 GiB.
static constexpr uint64_t kMaxInside = uint64_t(1) << 30;
static constexpr const char *kConstants = "tiny.constants";

std::string mlir::tiny::whyNotLibrary(const tinyrt::PlanView &plan, const LibraryOptions &options) {
  if (plan.header().state_bytes)
    return "it has state that outlives a call, which a function without globals cannot keep";
  if (!options.separateWeights && plan.header().constants_bytes > kMaxInside)
    return "its weights have " + std::to_string(plan.header().constants_bytes) +
           " bytes, and at most " + std::to_string(kMaxInside) +
           " can be inside of the code; --weights puts them into a file";
  return "";
}

//===----------------------------------------------------------------------===//
// The driver
//===----------------------------------------------------------------------===//

/// How a grid runs: CpuDevice.cpp is the same in C++.
static constexpr const char *kRunGrid = R"(
%tiny.grid = type { ptr, ptr, i32, i32 } ; the kernel, its buffers, the sizes in x and y
%tiny.threads = type { ptr, ptr }        ; parallel_for, pool

; Workgroups first ... last - 1 in the order x, y, z.
define internal void @tiny.run(ptr %grid, i64 %first, i64 %last) {
entry:
  %kernel = load ptr, ptr %grid
  %buffers.at = getelementptr %tiny.grid, ptr %grid, i32 0, i32 1
  %buffers = load ptr, ptr %buffers.at
  %size.x.at = getelementptr %tiny.grid, ptr %grid, i32 0, i32 2
  %size.x = load i32, ptr %size.x.at
  %size.y.at = getelementptr %tiny.grid, ptr %grid, i32 0, i32 3
  %size.y = load i32, ptr %size.y.at
  %any = icmp ult i64 %first, %last
  br i1 %any, label %start, label %done
start:
  %wide.x = zext i32 %size.x to i64
  %wide.y = zext i32 %size.y to i64
  %first.x = urem i64 %first, %wide.x
  %row = udiv i64 %first, %wide.x
  %first.y = urem i64 %row, %wide.y
  %first.z = udiv i64 %row, %wide.y
  %start.x = trunc i64 %first.x to i32
  %start.y = trunc i64 %first.y to i32
  %start.z = trunc i64 %first.z to i32
  br label %loop
loop:
  %i = phi i64 [ %first, %start ], [ %next, %loop ]
  %x = phi i32 [ %start.x, %start ], [ %next.x, %loop ]
  %y = phi i32 [ %start.y, %start ], [ %next.y, %loop ]
  %z = phi i32 [ %start.z, %start ], [ %next.z, %loop ]
  call void %kernel(ptr %buffers, i32 %x, i32 %y, i32 %z)
  %next = add i64 %i, 1
  %up.x = add i32 %x, 1
  %ends.x = icmp eq i32 %up.x, %size.x
  %next.x = select i1 %ends.x, i32 0, i32 %up.x
  %step.y = zext i1 %ends.x to i32
  %up.y = add i32 %y, %step.y
  %ends.y = icmp eq i32 %up.y, %size.y
  %next.y = select i1 %ends.y, i32 0, i32 %up.y
  %step.z = zext i1 %ends.y to i32
  %next.z = add i32 %z, %step.z
  %more = icmp ult i64 %next, %last
  br i1 %more, label %loop, label %done
done:
  ret void
}

; The whole grid: here if it is one workgroup or nobody lends threads.
define internal void @tiny.launch(ptr %kernel, ptr %buffers, i32 %x, i32 %y, i64 %count, ptr %threads) {
entry:
  %grid = alloca %tiny.grid
  store ptr %kernel, ptr %grid
  %buffers.at = getelementptr %tiny.grid, ptr %grid, i32 0, i32 1
  store ptr %buffers, ptr %buffers.at
  %x.at = getelementptr %tiny.grid, ptr %grid, i32 0, i32 2
  store i32 %x, ptr %x.at
  %y.at = getelementptr %tiny.grid, ptr %grid, i32 0, i32 3
  store i32 %y, ptr %y.at
  %single = icmp eq i64 %count, 1
  %none = icmp eq ptr %threads, null
  %alone = or i1 %single, %none
  br i1 %alone, label %serial, label %ask
ask:
  %parallel.for = load ptr, ptr %threads
  %null = icmp eq ptr %parallel.for, null
  br i1 %null, label %serial, label %parallel
parallel:
  %pool.at = getelementptr %tiny.threads, ptr %threads, i32 0, i32 1
  %pool = load ptr, ptr %pool.at
  call void %parallel.for(ptr %pool, i64 %count, ptr @tiny.run, ptr %grid)
  ret void
serial:
  call void @tiny.run(ptr %grid, i64 0, i64 %count)
  ret void
}
)";

namespace {
/// Writes `<name>_run`. Values of the assembly are named after what they are, so that the text of a
/// launch needs no numbering.
class DriverWriter {
public:
  DriverWriter(const tinyrt::PlanView &plan, const LibraryOptions &options)
      : plan(plan), options(options), os(text) {}
  std::string write();

private:
  /// Loads the pointers of an array that the caller passes.
  void loadPointers(const char *array, const char *name,
                    tinyrt::PlanRange<tiny_plan_tensor> tensors);
  void checkPointers();
  std::string baseOf(const tiny_plan_buffer &buffer) const;
  void launch(const tiny_plan_launch &launch, size_t number);

  const tinyrt::PlanView &plan;
  const LibraryOptions &options;
  std::string text;
  llvm::raw_string_ostream os;
  std::vector<std::string> required;
};
} // namespace

/// A name of LLVM assembly, whatever is in it.
static std::string quoted(std::string_view name) {
  std::string result = "\"";
  for (char c : name) {
    if (llvm::isAlnum(c) || c == '_' || c == '.')
      result += c;
    else
      result += "\\" + llvm::toHex(llvm::StringRef(&c, 1));
  }
  return result + "\"";
}

/// What has no bytes needs no memory, and is not looked at.
void DriverWriter::loadPointers(const char *array, const char *name,
                                tinyrt::PlanRange<tiny_plan_tensor> tensors) {
  for (size_t i = 0; i < tensors.size(); ++i) {
    bool isOutput = name == llvm::StringRef("out");
    if (plan.type(tensors[i]).bytes() == 0 || (isOutput && tensors[i].donor))
      continue;
    std::string value = llvm::formatv("%{0}{1}", name, i);
    os << llvm::formatv("  {0}.at = getelementptr ptr, ptr %{1}, i64 {2}\n"
                        "  {0} = load ptr, ptr {0}.at\n",
                        value, array, i);
    required.push_back(value);
  }
}

/// Kernels load from addresses that they know to be aligned: another one would end the process.
void DriverWriter::checkPointers() {
  std::string bits = "0", null = "false";
  for (const std::string &pointer : required) {
    os << llvm::formatv("  {0}.bits = ptrtoint ptr {0} to i64\n"
                        "  {0}.all = or i64 {1}, {0}.bits\n"
                        "  {0}.is.null = icmp eq ptr {0}, null\n"
                        "  {0}.null = or i1 {2}, {0}.is.null\n",
                        pointer, bits, null);
    bits = pointer + ".all";
    null = pointer + ".null";
  }
  os << llvm::formatv("  br i1 {0}, label %fail.null, label %check.alignment\n"
                      "fail.null:\n"
                      "  ret i32 1\n"
                      "check.alignment:\n"
                      "  %low = and i64 {1}, {2}\n"
                      "  %misaligned = icmp ne i64 %low, 0\n"
                      "  br i1 %misaligned, label %fail.alignment, label %start\n"
                      "fail.alignment:\n"
                      "  ret i32 2\n"
                      "start:\n",
                      null, bits, tinyrt::kBufferAlignment - 1);
}

/// The pointer that the offset of `buffer` is counted from; "null" where there are no bytes.
std::string DriverWriter::baseOf(const tiny_plan_buffer &buffer) const {
  const tiny_plan &header = plan.header();
  auto input = [&](uint32_t i) {
    return plan.type(plan.inputs()[i]).bytes() ? "%in" + std::to_string(i) : "null";
  };
  switch (static_cast<Segment>(buffer.segment)) {
  case Segment::argument:
    return input(buffer.index);
  case Segment::result: {
    const tiny_plan_tensor &output = plan.outputs()[buffer.index];
    if (output.donor)
      return input(output.donor - 1);
    return plan.type(output).bytes() ? "%out" + std::to_string(buffer.index) : "null";
  }
  case Segment::constants:
    if (header.constants_bytes == 0)
      return "null";
    return options.separateWeights ? "%weights" : std::string("@") + kConstants;
  case Segment::workspace:
    return header.workspace_bytes ? "%workspace" : "null";
  case Segment::state: // whyNotLibrary() has refused it
    break;
  }
  return "null";
}

void DriverWriter::launch(const tiny_plan_launch &launch, size_t number) {
  auto buffers = plan.buffersOf(launch);
  for (size_t i = 0; i < buffers.size(); ++i)
    os << llvm::formatv("  %launch{0}.{1} = getelementptr i8, ptr {2}, i64 {3}\n"
                        "  %launch{0}.{1}.at = getelementptr ptr, ptr %buffers, i64 {1}\n"
                        "  store ptr %launch{0}.{1}, ptr %launch{0}.{1}.at\n",
                        number, i, baseOf(buffers[i]), buffers[i].offset);
  uint64_t count = uint64_t(launch.grid[0]) * launch.grid[1] * launch.grid[2];
  os << llvm::formatv("  call void @tiny.launch(ptr @{0}, ptr %buffers, i32 {1}, i32 {2}, i64 {3}, "
                      "ptr %threads)\n",
                      quoted(plan.text(plan.kernels()[launch.kernel].name)), launch.grid[0],
                      launch.grid[1], count);
}

std::string DriverWriter::write() {
  os << kRunGrid;
  os << "define i32 @" << options.name << "_run(ptr %inputs, ptr %outputs, "
     << (options.separateWeights ? "ptr %weights, " : "") << "ptr %workspace, ptr %threads) {\n";
  size_t most = 1;
  for (const tiny_plan_launch &launch : plan.launches())
    most = std::max<size_t>(most, launch.num_buffers);
  os << "  %buffers = alloca [" << most << " x ptr]\n";
  loadPointers("inputs", "in", plan.inputs());
  loadPointers("outputs", "out", plan.outputs());
  if (options.separateWeights && plan.header().constants_bytes)
    required.push_back("%weights");
  if (plan.header().workspace_bytes)
    required.push_back("%workspace");
  checkPointers();
  for (size_t i = 0; i < plan.launches().size(); ++i)
    launch(plan.launches()[i], i);
  os << "  ret i32 0\n}\n";
  return text;
}

llvm::Error mlir::tiny::addDriver(llvm::Module &module, const tinyrt::PlanView &plan,
                                  const tinyrt::Tensor &constants, const LibraryOptions &options) {
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  if (plan.header().constants_bytes && !options.separateWeights) {
    llvm::Constant *bytes = llvm::ConstantDataArray::getRaw(
        llvm::StringRef(constants.as<char>(), constants.bytes()), constants.bytes(),
        llvm::Type::getInt8Ty(module.getContext()));
    auto *global = new llvm::GlobalVariable(module, bytes->getType(), /*isConstant=*/true,
                                            llvm::GlobalValue::InternalLinkage, bytes, kConstants);
    global->setAlignment(llvm::Align(tinyrt::kBufferAlignment));
  }
  std::string text = DriverWriter(plan, options).write();
  llvm::SMDiagnostic wrong;
  if (llvm::parseAssemblyInto({text, "driver"}, &module, nullptr, wrong))
    return llvm::createStringError("cannot write the function that runs the kernels: line " +
                                   llvm::Twine(wrong.getLineNo()) + ": " + wrong.getMessage());
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

llvm::Expected<std::string> mlir::tiny::packLibrary(llvm::ArrayRef<char> object,
                                                    const LibraryOptions &options) {
  switch (options.kind) {
  case LibraryKind::object:
    return std::string(object.data(), object.size());
  case LibraryKind::archive: {
    std::string member = options.name + ".o";
    llvm::NewArchiveMember only(
        llvm::MemoryBufferRef(llvm::StringRef(object.data(), object.size()), member));
    auto archive = llvm::writeArchiveToBuffer(only, llvm::SymtabWritingMode::NormalSymtab,
                                              llvm::object::Archive::K_GNU,
                                              /*Deterministic=*/true, /*Thin=*/false);
    if (!archive)
      return archive.takeError();
    return (*archive)->getBuffer().str();
  }
  case LibraryKind::shared:
    break;
  }
  // No name of its own: it has the one that its file is given.
  return linkELF(llvm::ArrayRef<char>(object),
                 {"-shared", "--hash-style=gnu", "--build-id", "-z", "noexecstack"});
}
