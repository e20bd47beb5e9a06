// RUN: tiny-opt %s --tiny-schedule-plan-memory --split-input-file --verify-diagnostics | FileCheck %s

// Which values share a buffer: kernels as the Schedule stage leaves them.

// A chain of updates is one buffer, alive from the first part to the last use of the whole: its 1024
// bytes are not free while @exp2 runs, though nobody reads the first part as such.
// CHECK-LABEL: func.func @main
// CHECK-SAME:    tiny.workspace_bytes = 1536 : i64, tiny.workspace_lower_bound = 1536 : i64
// CHECK:         %[[A:.*]] = tiny.launch @exp2_128(%arg0) {result_slots = [#tiny.slot<workspace[0], offset = [[WHOLE:.*]], bytes = 1024>]}
// CHECK:         tiny.launch @exp2(%arg0) {result_slots = [#tiny.slot<workspace[0], offset = {{.*}}, bytes = 512>]}
// CHECK:         tiny.launch @exp2_from_128({{.*}}) into(%[[A]] : tensor<256xf32>) updates [0] {result_slots = [#tiny.slot<workspace[0], offset = [[WHOLE]], bytes = 1024>]}
// CHECK:         tiny.launch @reverse({{.*}}) {result_slots = [#tiny.slot<result[0], offset = 0, bytes = 1024>]}
#id = affine_map<(d0) -> (d0)>
#reverse = affine_map<(d0) -> (255 - d0)>
#none = affine_map<(d0) -> ()>
func.func @main(%x: tensor<128xf32>) -> tensor<256xf32> {
  %a = tiny.launch @exp2_128(%x) : (tensor<128xf32>) -> tensor<256xf32>
  %e = tiny.launch @exp2(%x) : (tensor<128xf32>) -> tensor<128xf32>
  %b = tiny.launch @exp2_from_128(%e) into(%a : tensor<256xf32>) updates [0] : (tensor<128xf32>) -> tensor<256xf32>
  %r = tiny.launch @reverse(%b) : (tensor<256xf32>) -> tensor<256xf32>
  return %r : tensor<256xf32>
}
func.func private @exp2_128(%x: tensor<128xf32>, %out: tensor<256xf32>) -> tensor<256xf32> attributes {tiny.kernel} {
  %part = tensor.extract_slice %out[0] [128] [1] : tensor<256xf32> to tensor<128xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<128xf32>) outs(%part : tensor<128xf32>) {
  ^bb0(%in: f32, %old: f32):
    %1 = math.exp2 %in : f32
    linalg.yield %1 : f32
  } -> tensor<128xf32>
  %2 = tensor.insert_slice %0 into %out[0] [128] [1] : tensor<128xf32> into tensor<256xf32>
  return %2 : tensor<256xf32>
}
func.func private @exp2_from_128(%x: tensor<128xf32>, %out: tensor<256xf32>) -> tensor<256xf32> attributes {tiny.kernel} {
  %part = tensor.extract_slice %out[128] [128] [1] : tensor<256xf32> to tensor<128xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<128xf32>) outs(%part : tensor<128xf32>) {
  ^bb0(%in: f32, %old: f32):
    %1 = math.exp2 %in : f32
    linalg.yield %1 : f32
  } -> tensor<128xf32>
  %2 = tensor.insert_slice %0 into %out[128] [128] [1] : tensor<128xf32> into tensor<256xf32>
  return %2 : tensor<256xf32>
}
func.func private @exp2(%x: tensor<128xf32>, %out: tensor<128xf32>) -> tensor<128xf32> attributes {tiny.kernel} {
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<128xf32>) outs(%out : tensor<128xf32>) {
  ^bb0(%in: f32, %old: f32):
    %1 = math.exp2 %in : f32
    linalg.yield %1 : f32
  } -> tensor<128xf32>
  return %0 : tensor<128xf32>
}
func.func private @reverse(%x: tensor<256xf32>, %out: tensor<256xf32>) -> tensor<256xf32> attributes {tiny.kernel} {
  %0 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%out : tensor<256xf32>) {
  ^bb0(%old: f32):
    %i = linalg.index 0 : index
    %1 = tiny.read %x[%i] #reverse where #none in [] to [] else [] : tensor<256xf32> -> f32
    linalg.yield %1 : f32
  } -> tensor<256xf32>
  return %0 : tensor<256xf32>
}

// -----

// A chain whose last link is returned lies in the result's buffer from the start.
// CHECK-LABEL: func.func @main
// CHECK-SAME:    tiny.workspace_bytes = 0 : i64, tiny.workspace_lower_bound = 0 : i64
// CHECK:         tiny.launch @first(%arg0) {result_slots = [#tiny.slot<result[0], offset = 0, bytes = 1024>]}
// CHECK:         tiny.launch @second(%arg0) into({{.*}}) updates [0] {result_slots = [#tiny.slot<result[0], offset = 0, bytes = 1024>]}
func.func @main(%x: tensor<128xf32>) -> tensor<256xf32> {
  %a = tiny.launch @first(%x) : (tensor<128xf32>) -> tensor<256xf32>
  %b = tiny.launch @second(%x) into(%a : tensor<256xf32>) updates [0] : (tensor<128xf32>) -> tensor<256xf32>
  return %b : tensor<256xf32>
}
func.func private @first(%x: tensor<128xf32>, %out: tensor<256xf32>) -> tensor<256xf32>
func.func private @second(%x: tensor<128xf32>, %out: tensor<256xf32>) -> tensor<256xf32>

// -----

func.func @main(%x: tensor<128xf32>, %old: tensor<256xf32>) -> tensor<256xf32> {
  // expected-error @below {{updates an argument of the program in place; only what a launch has made can be}}
  %b = tiny.launch @second(%x) into(%old : tensor<256xf32>) updates [0] : (tensor<128xf32>) -> tensor<256xf32>
  return %b : tensor<256xf32>
}
func.func private @second(%x: tensor<128xf32>, %out: tensor<256xf32>) -> tensor<256xf32>

// -----

func.func @main(%x: tensor<128xf32>) -> (tensor<256xf32>, tensor<256xf32>) {
  %a = tiny.launch @first(%x) : (tensor<128xf32>) -> tensor<256xf32>
  // expected-error @below {{updates a value in place that is needed as it was when the program has ended}}
  %b = tiny.launch @second(%x) into(%a : tensor<256xf32>) updates [0] : (tensor<128xf32>) -> tensor<256xf32>
  return %a, %b : tensor<256xf32>, tensor<256xf32>
}
func.func private @first(%x: tensor<128xf32>, %out: tensor<256xf32>) -> tensor<256xf32>
func.func private @second(%x: tensor<128xf32>, %out: tensor<256xf32>) -> tensor<256xf32>

// -----

// What may be written over an input that dies. From %a on, each value could follow the other one
// in its place; the kernels say whether:
//   @double  reads the element that it writes;
//   @shift   reads another one;
//   @normalise reads it, but an earlier nest reads all of it;
//   @square  reads it twice, by two arguments.
// CHECK-LABEL: func.func @main
// CHECK-SAME:    tiny.workspace_bytes = 1024 : i64, tiny.workspace_lower_bound = 1024 : i64
// CHECK:         tiny.launch @double(%arg0) {{.*}}workspace[0], offset = [[A:[0-9]+]],
// CHECK:         tiny.launch @double({{.*}}workspace[0], offset = [[A]],
// CHECK:         tiny.launch @shift({{.*}}workspace[0], offset = [[B:[0-9]+]],
// CHECK:         tiny.launch @normalise({{.*}}workspace[0], offset = [[A]],
// CHECK:         tiny.launch @square({{.*}}workspace[0], offset = [[A]],
// CHECK:         tiny.launch @shift({{.*}}result[0]
#id = affine_map<(d0) -> (d0)>
#none = affine_map<(d0) -> ()>
#row = affine_map<(d0, d1) -> (d1)>
#out = affine_map<(d0, d1) -> (d0)>
#next = affine_map<(d0) -> ((d0 + 1) mod 128)>
func.func @main(%x: tensor<128xf32>) -> tensor<128xf32> {
  %a = tiny.launch @double(%x) : (tensor<128xf32>) -> tensor<128xf32>
  %b = tiny.launch @double(%a) : (tensor<128xf32>) -> tensor<128xf32>
  %c = tiny.launch @shift(%b) : (tensor<128xf32>) -> tensor<128xf32>
  %d = tiny.launch @normalise(%c) : (tensor<128xf32>) -> tensor<128xf32>
  %e = tiny.launch @square(%d, %d) : (tensor<128xf32>, tensor<128xf32>) -> tensor<128xf32>
  %f = tiny.launch @shift(%e) : (tensor<128xf32>) -> tensor<128xf32>
  return %f : tensor<128xf32>
}
func.func private @double(%x: tensor<128xf32>, %out: tensor<128xf32>) -> tensor<128xf32> attributes {tiny.kernel} {
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<128xf32>) outs(%out : tensor<128xf32>) {
  ^bb0(%in: f32, %old: f32):
    %1 = arith.addf %in, %in : f32
    linalg.yield %1 : f32
  } -> tensor<128xf32>
  return %0 : tensor<128xf32>
}
func.func private @square(%x: tensor<128xf32>, %y: tensor<128xf32>, %out: tensor<128xf32>) -> tensor<128xf32> attributes {tiny.kernel} {
  %0 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<128xf32>, tensor<128xf32>) outs(%out : tensor<128xf32>) {
  ^bb0(%in: f32, %in2: f32, %old: f32):
    %1 = arith.mulf %in, %in2 : f32
    linalg.yield %1 : f32
  } -> tensor<128xf32>
  return %0 : tensor<128xf32>
}
func.func private @shift(%x: tensor<128xf32>, %out: tensor<128xf32>) -> tensor<128xf32> attributes {tiny.kernel} {
  %0 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%out : tensor<128xf32>) {
  ^bb0(%old: f32):
    %i = linalg.index 0 : index
    %1 = tiny.read %x[%i] #next where #none in [] to [] else [] : tensor<128xf32> -> f32
    linalg.yield %1 : f32
  } -> tensor<128xf32>
  return %0 : tensor<128xf32>
}
func.func private @normalise(%x: tensor<128xf32>, %out: tensor<128xf32>) -> tensor<128xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<128xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<128xf32>) -> tensor<128xf32>
  %sum = linalg.generic {indexing_maps = [#row, #out], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<128xf32>) outs(%init : tensor<128xf32>) {
  ^bb0(%in: f32, %acc: f32):
    %1 = arith.addf %acc, %in : f32
    linalg.yield %1 : f32
  } -> tensor<128xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%sum, %x : tensor<128xf32>, tensor<128xf32>) outs(%out : tensor<128xf32>) {
  ^bb0(%s: f32, %in: f32, %old: f32):
    %1 = arith.divf %in, %s : f32
    linalg.yield %1 : f32
  } -> tensor<128xf32>
  return %0 : tensor<128xf32>
}
