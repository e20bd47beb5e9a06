//===- LinkTest.cpp - what lld says of objects that do not link -----------===//

#include "Tiny/Compiler/GPU.h"
#include "Tiny/Runtime/KernelMetadata.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "gtest/gtest.h"

using namespace mlir::tiny;
using Object = llvm::SmallVector<char, 0>;

namespace {

/// The object of LLVM IR for gfx1100.
Object compiled(llvm::StringRef text) {
  auto machine = createTargetMachine(*findGPU("gfx1100"));
  EXPECT_TRUE(bool(machine));
  llvm::LLVMContext context;
  llvm::SMDiagnostic problem;
  std::unique_ptr<llvm::Module> module = llvm::parseAssemblyString(text, problem, context);
  EXPECT_TRUE(module) << problem.getMessage().str();
  module->setTargetTriple((*machine)->getTargetTriple());
  module->setDataLayout((*machine)->createDataLayout());
  Object object;
  llvm::raw_svector_ostream os(object);
  llvm::legacy::PassManager passes;
  EXPECT_FALSE(
      (*machine)->addPassesToEmitFile(passes, os, nullptr, llvm::CodeGenFileType::ObjectFile));
  passes.run(*module);
  return object;
}

std::string linkError(llvm::ArrayRef<Object> objects) {
  auto linked = linkCodeObject(objects);
  if (!linked)
    return llvm::toString(linked.takeError());
  return "no error";
}

constexpr const char *kKernel = "define amdgpu_kernel void @k() { ret void }";
constexpr const char *kCaller =
    "declare void @missing() define amdgpu_kernel void @c() { call void @missing() ret void }";

bool has(const std::string &text, const char *part) { return text.find(part) != text.npos; }

} // namespace

TEST(Link, SaysWhatIsMissing) {
  std::string said = linkError({compiled(kCaller)});
  EXPECT_TRUE(has(said, "lld cannot link") && has(said, "undefined symbol: missing")) << said;
}

TEST(Link, SaysWhatIsThereTwice) {
  std::string said = linkError({compiled(kKernel), compiled(kKernel)});
  EXPECT_TRUE(has(said, "duplicate symbol: k")) << said;
}

TEST(Link, RefusesNothing) {
  std::string said = linkError({});
  EXPECT_TRUE(has(said, "lld cannot link")) << said;
}

// In processes of their own: behind what lld gives up on it cannot be called again, and says so.
TEST(Link, RefusesWhatIsNoObject) {
  Object text = {'n', 'o', 't', 'h', 'i', 'n', 'g'}, cut = compiled(kKernel);
  cut.resize(cut.size() / 2);
  for (const Object &object : {text, cut})
    EXPECT_EXIT(
        {
          std::string said = linkError({compiled(kKernel), object});
          std::string after = linkError({compiled(kKernel)});
          llvm::errs() << said << "; then: " << after << "\n";
          std::exit(has(said, "lld cannot link") ? 7 : 8);
        },
        testing::ExitedWithCode(7), "object1.o.*; then: ");
}

// lld keeps what it knows in globals: a link that fails must leave none of it to the next one.
TEST(Link, LinksAfterFailures) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(linkError({compiled(kCaller)}), "no error");
    auto linked = linkCodeObject({compiled(kKernel)});
    ASSERT_TRUE(bool(linked)) << llvm::toString(linked.takeError());
    std::vector<tinyrt::KernelMetadata> kernels;
    std::string error;
    ASSERT_TRUE(tinyrt::readKernelMetadata(*linked, kernels, error)) << error;
    ASSERT_EQ(kernels.size(), 1u);
    EXPECT_EQ(kernels[0].name, "k");
  }
}
