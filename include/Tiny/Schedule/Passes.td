//===- Passes.td - passes of the Schedule stage ------------*- tablegen -*-===//

#ifndef TINY_SCHEDULE_PASSES_TD
#define TINY_SCHEDULE_PASSES_TD

include "mlir/Pass/PassBase.td"

def FoldConstantsPass : Pass<"tiny-schedule-fold-constants", "::mlir::ModuleOp"> {
  let summary = "Evaluate at compile time what depends on constants only";
  let description = [{
    Every op of the entry function whose operands are constants (or follow from them, or from an
    `iota`) is evaluated, and what the rest of the program uses of it becomes a constant: a splat
    where all elements are equal, a `dense_resource` blob where it is large.

    Only what is worth its memory is folded:
    * an op whose result has more elements than any constant behind it stays in the program (an
      outer product, a comparison of an `iota` with positions), unless it is expensive to compute
      again: a `reduce`, `exp2`, `log2`, `sin`, `sqrt`, or a `div` of floats;
    * along a dimension where nothing changes only one element is stored: an `expand` stays, behind
      the constant;
    * movement is folded where it leaves elements out, reverses them, or cuts across their order in
      memory. Otherwise it costs nothing where it is, and the constant keeps its order in memory,
      which is often the better one (`permute` of a matrix);
    * a `cast` to a wider type that holds every value stays too: it is part of a load, and the
      narrow weights are what a kernel should read. For a CPU, floats of 16 bits that are summed up
      with f32 numbers `wide-products` times or more each are widened nevertheless, up to
      `wide-limit`: what memory they take then is less than widening them wherever they are read.

    When a limit is reached, the op that would exceed it stays, with all that follows from it, and a
    missed-optimisation remark (`--remarks-filter-missed=tiny-schedule`) names it.

    Before:
    ```mlir
    %w = tiny.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
    %0 = tiny.cast %w : tensor<2x2xi8> to tensor<2x2xf32>
    %s = tiny.constant dense<0.5> : tensor<2x2xf32>
    %1 = tiny.mul %0, %s : tensor<2x2xf32>
    ```
    After:
    ```mlir
    %1 = tiny.constant dense<[[0.5, 1.0], [1.5, 2.0]]> : tensor<2x2xf32>
    ```
  }];
  let options = [
    Option<"entry", "entry", "std::string", /*default=*/"\"main\"", "The function to fold in.">,
    Option<"limit", "limit", "int64_t", /*default=*/"256 << 20",
           "Bytes of new constants and of temporaries, at once.">,
    Option<"work", "work", "int64_t", /*default=*/"1 << 30",
           "Elements to compute, in all; an exp2, log2 or sin counts as 16.">,
    Option<"wideLimit", "wide-limit", "int64_t", /*default=*/"0",
           "Bytes of factors that are stored in f32 instead of 16 bits.">,
    Option<"wideProducts", "wide-products", "int64_t", /*default=*/"16",
           "Products that each element of such a factor has, at least.">,
  ];
  let dependentDialects = ["::mlir::tiny::TinyDialect"];
}

def FormIntegerSumsPass : Pass<"tiny-schedule-form-integer-sums", "::mlir::ModuleOp"> {
  let summary = "Sum products of quantised factors as integers";
  let description = [{
    A `reduce add` over products of f32 whose factors are integers of 8 or 16 bits, each minus a zero
    point and times a scale, becomes a sum of products of integers that is multiplied with both scales.
    One of the factors may be a variable with a zero point, the other one is a constant then, or has
    none. Scales are constants that do not change along the sum, and the sum cannot wrap. Movement ops
    may stand anywhere between; a pad with zeros becomes one with the zero point.

    It is done where each element of both factors has `min-uses` products per step of the sum, as in a
    convolution or a product of matrices, and for targets that multiply narrow integers faster than f32.
    The freedom is that of `tiny-schedule-fold-scales`: a factor of all terms moves out of the sum.

    Before:
    ```mlir
    %0 = tiny.cast %x : tensor<16x8x16xi8> to tensor<16x8x16xi32>
    %1 = tiny.cast %0 : tensor<16x8x16xi32> to tensor<16x8x16xf32>
    %2 = tiny.mul %1, %scale : tensor<16x8x16xf32>
    …
    %3 = tiny.mul %2, %weights : tensor<16x8x16xf32>
    %4 = tiny.reduce add %3 dims [1] : tensor<16x8x16xf32> -> tensor<16x16xf32>
    ```
    After:
    ```mlir
    %3 = tiny.mul %0, %integers : tensor<16x8x16xi32>
    %4 = tiny.reduce add %3 dims [1] : tensor<16x8x16xi32> -> tensor<16x16xi32>
    %5 = tiny.cast %4 : tensor<16x16xi32> to tensor<16x16xf32>
    %6 = tiny.mul %5, %scales : tensor<16x16xf32>
    ```
  }];
  let options = [
    Option<"entry", "entry", "std::string", /*default=*/"\"main\"", "The function to work on.">,
    Option<"minUses", "min-uses", "int64_t", "8",
           "Products per step of the sum that each element of a factor has at least">
  ];
  let dependentDialects = ["::mlir::tiny::TinyDialect"];
}

def FoldScalesPass : Pass<"tiny-schedule-fold-scales", "::mlir::ModuleOp"> {
  let summary = "Move constant factors of a sum into its weights";
  let description = [{
    A `reduce add` over a product with a constant (a convolution, a matrix product, however they are
    written) that is multiplied with or divided by another constant takes that one into its weights,
    if they do not become more by it: batch normalisation behind a convolution is free then. A
    constant that is added in between is scaled likewise, and what is added behind joins it. Movement
    ops may stand anywhere between. f32 and f64 only, and never across a `cast`: elsewhere a result
    is rounded in between. Where a new weight would not be a finite, normal number nothing is
    changed, and a missed-optimisation remark says so.

    Only a `reduce` may be reassociated, and this is a reassociation: the factor moves into the terms
    of a sum, whose error is bounded by the sum of their magnitudes.

    Before:
    ```mlir
    %w = tiny.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %s = tiny.constant dense<[10.0, 100.0]> : tensor<2xf32>
    %0 = tiny.mul %x, %w : tensor<2x2xf32>
    %1 = tiny.reduce add %0 dims [1] : tensor<2x2xf32> -> tensor<2xf32>
    %2 = tiny.mul %1, %s : tensor<2xf32>
    ```
    After:
    ```mlir
    %w = tiny.constant dense<[[10.0, 20.0], [300.0, 400.0]]> : tensor<2x2xf32>
    %0 = tiny.mul %x, %w : tensor<2x2xf32>
    %1 = tiny.reduce add %0 dims [1] : tensor<2x2xf32> -> tensor<2xf32>
    ```
  }];
  let options = [
    Option<"entry", "entry", "std::string", /*default=*/"\"main\"", "The function to fold in.">,
  ];
  let dependentDialects = ["::mlir::tiny::TinyDialect"];
}

def SinkCastsPass : Pass<"tiny-schedule-sink-casts", "::mlir::ModuleOp"> {
  let summary = "Pad factors of products in their narrow type";
  let description = [{
    A cast to a wider type under a `pad` moves behind it, where everything that reads the pad
    multiplies it. It is part of a load then; under the pad it would be a buffer of its own, twice as
    large. For targets that multiply narrow types.

    Before:
    ```mlir
    %0 = tiny.cast %x : tensor<6xf16> to tensor<6xf32>
    %1 = tiny.pad %0 low [1] high [1] value 0.0 : f32 : tensor<6xf32> -> tensor<8xf32>
    %2 = tiny.mul %1, %w : tensor<8xf32>
    ```
    After:
    ```mlir
    %0 = tiny.pad %x low [1] high [1] value 0.0 : f16 : tensor<6xf16> -> tensor<8xf16>
    %1 = tiny.cast %0 : tensor<8xf16> to tensor<8xf32>
    %2 = tiny.mul %1, %w : tensor<8xf32>
    ```
  }];
  let options = [
    Option<"entry", "entry", "std::string", /*default=*/"\"main\"", "The function to look at.">,
  ];
  let dependentDialects = ["::mlir::tiny::TinyDialect"];
}

def FormKernelsPass : Pass<"tiny-schedule-form-kernels", "::mlir::ModuleOp"> {
  let summary = "Turn a program of tiny ops into kernels and a list of launches";
  let description = [{
    Decides which values exist in memory (results, reductions, values that many elements need and
    that are not cheap to compute again), and makes one nest of loops for each. Everything between
    two such values joins the nest of its consumer: movement ops become the access maps of its reads
    (`Tiny/Schedule/View.h`), elementwise ops its scalar body. A reduction whose only use is an
    elementwise nest of the same number of elements takes that nest as its epilogue. A sum that
    selects by comparing a position with data becomes one guarded load, and a value that selects by
    position (a concatenation) is computed in parts, each in its place. A value that is another one
    with some new elements, at fixed positions or where a position equals a number of the data, takes
    over the buffer of that one if it is not needed any more (an argument: if it is `tiny.donated`),
    and only the new elements are stored.

    Nests that pass values to one another become one kernel where that saves time; with `group=false`
    every nest is a kernel. Kernels carry the name of what they do and the shape that they make, and
    those that only move data carry `tiny.reason`.

    Before:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>) -> tensor<8x4xf32> {
      %0 = tiny.exp2 %x : tensor<4x8xf32>
      %1 = tiny.permute %0 [1, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
      return %1 : tensor<8x4xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<4x8xf32>) -> tensor<8x4xf32> {
      %0 = tiny.launch @exp2_8x4(%x) : (tensor<4x8xf32>) -> tensor<8x4xf32>
      return %0 : tensor<8x4xf32>
    }
    func.func private @exp2_8x4(%x: tensor<4x8xf32>, %out: tensor<8x4xf32>) -> tensor<8x4xf32>
        attributes {tiny.kernel} {
      %0 = linalg.generic {
          indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>],
          iterator_types = ["parallel", "parallel"]} ins(%x : …) outs(%out : …) { … math.exp2 … }
      return %0 : tensor<8x4xf32>
    }
    ```
  }];
  let options = [
    Option<"entry", "entry", "std::string", /*default=*/"\"main\"", "The function to schedule.">,
    Option<"group", "group", "bool", /*default=*/"true",
           "Let one kernel compute several values where that saves time.">,
    Option<"localBytes", "local-bytes", "int64_t", /*default=*/"65536",
           "What one workgroup may keep for itself, at one point of its loops.">,
    Option<"parallelUnits", "parallel-units", "int64_t", /*default=*/"16",
           "Workgroups that keep the machine busy.">,
    Option<"matrixRows", "matrix-rows", "int64_t", /*default=*/"1",
           "Rows that the machine multiplies at a time in products of narrow types.">,
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect",
    "::mlir::tiny::TinyDialect"
  ];
}

def ShareKernelsPass : Pass<"tiny-schedule-share-kernels", "::mlir::ModuleOp"> {
  let summary = "Make one function of kernels that are equal but for their name";
  let description = [{
    The launches of every kernel that equals an earlier one (same body, types and attributes; names
    and locations are not compared) launch the earlier one, and the later function is erased.

    Before:
    ```mlir
    %0 = tiny.launch @exp2_8(%x) : (tensor<8xf32>) -> tensor<8xf32>
    %1 = tiny.launch @exp2_8_0(%0) : (tensor<8xf32>) -> tensor<8xf32>
    ```
    After:
    ```mlir
    %0 = tiny.launch @exp2_8(%x) : (tensor<8xf32>) -> tensor<8xf32>
    %1 = tiny.launch @exp2_8(%0) : (tensor<8xf32>) -> tensor<8xf32>
    ```
  }];
}

def PlanMemoryPass : Pass<"tiny-schedule-plan-memory", "::mlir::ModuleOp"> {
  let summary = "Give every buffer of the host function its slot";
  let description = [{
    Launch results that the function returns lie in their result buffer, all others in one arena
    (the workspace), at offsets chosen so that two buffers share bytes only when they are never
    alive together. A result that updates a value in place lies where that value lies; a result may
    also take the buffer of an input that is not needed afterwards, if each element of it is read
    by the iteration that writes its place and by no other. An argument with the attribute
    `tiny.donated` is such an input: what takes over its buffer, results of the function too, has the
    slot of the argument. Constants lie one behind the other in the constants segment. Sets `result_slots` on each launch and `slot` on each constant, and on the
    function the arena's size as `tiny.workspace_bytes`, the least that any placement could reach
    (the most bytes alive at one time) as `tiny.workspace_lower_bound`, and `tiny.constants_bytes`.
  }];
  let options = [
    Option<"entry", "entry", "std::string", /*default=*/"\"main\"", "The function to plan.">,
    Option<"alignment", "alignment", "int64_t", /*default=*/"64",
           "Bytes that every buffer's offset is a multiple of.">,
  ];
  let dependentDialects = ["::mlir::tiny::TinyDialect"];
}

def ReportPass : Pass<"tiny-schedule-report", "::mlir::ModuleOp"> {
  let summary = "Print what a scheduled program costs, counted exactly";
  let description = [{
    Prints for each kernel and for the whole program: floating point operations and their kinds,
    the distinct bytes that are read and written, what a target needs for them at least, the memory,
    and the kernels that only copy. docs/Report.md defines the numbers. The program stays as it is;
    `tiny-opt --tiny-report` prints the same of any program, and nothing else.
  }];
  let options = [
    Option<"entry", "entry", "std::string", /*default=*/"\"main\"", "The function to count.">,
    Option<"format", "format", "std::string", /*default=*/"\"text\"", "text or json.">,
    Option<"target", "target", "std::string", /*default=*/"\"x86-64-v3\"",
           "The row of Target.h whose peaks give the times.">,
  ];
}

def VerifyScheduledPass : Pass<"tiny-schedule-verify", "::mlir::ModuleOp"> {
  let summary = "Check the contract that the Schedule stage ends with";
  let description = [{
    The host function holds constants, launches, expectations and a return, nothing else; kernels
    hold no tiny op but `tiny.read`; every map of a `linalg` op is a projected permutation (a map
    with mod, floordiv or a negative coefficient would be tiled to a wrong slice without an error);
    every buffer has a slot inside its segment.
  }];
  let options = [
    Option<"entry", "entry", "std::string", /*default=*/"\"main\"", "The function to check.">,
  ];
}

#endif // TINY_SCHEDULE_PASSES_TD
