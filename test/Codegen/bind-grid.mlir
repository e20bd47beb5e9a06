// RUN: tiny-opt %s --tiny-codegen-bind-grid --split-input-file --verify-diagnostics --allow-unregistered-dialect | FileCheck %s

// The largest grid of all launches bounds the place; a dimension of one workgroup is no question.
// CHECK-LABEL: func.func private @k
// CHECK-SAME: (%[[A:.*]]: memref<256xf16> {llvm.align = 64 : i64, llvm.dereferenceable = 512 : i64, llvm.noundef})
// CHECK-SAME: tiny.block = 64
// CHECK-DAG: %[[X:.*]] = gpu.block_id x upper_bound 4
// CHECK-DAG: %[[Y:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[Z:.*]] = gpu.block_id z upper_bound 7
// CHECK: %[[LANE:.*]] = gpu.thread_id x upper_bound 64
// CHECK: "test.use"(%[[X]], %[[Y]], %[[Z]], %[[LANE]])
func.func @main(%x: tensor<256xf16>) {
  tiny.launch @k(%x) {grid = array<i64: 4, 1, 2>, result_slots = []} : (tensor<256xf16>) -> ()
  tiny.launch @k(%x) {grid = array<i64: 2, 1, 7>, result_slots = []} : (tensor<256xf16>) -> ()
  return
}
func.func private @k(%a: memref<256xf16>, %x: index, %y: index, %z: index)
    attributes {tiny.kernel, tiny.block = 64 : i64} {
  %lane = gpu.thread_id x
  "test.use"(%x, %y, %z, %lane) : (index, index, index, index) -> ()
  return
}

// -----

// 28 bytes: LLVM may read a buffer up to its alignment, which must not be behind the end.
// CHECK-LABEL: func.func private @odd
// CHECK-SAME: memref<7xf32> {llvm.align = 4 : i64, llvm.dereferenceable = 28 : i64, llvm.noundef}
func.func private @odd(%a: memref<7xf32>, %x: index, %y: index, %z: index)
    attributes {tiny.kernel, tiny.block = 32 : i64} {
  return
}

// -----

// Of a kernel that nobody launches, nothing is known but its lanes.
// CHECK-LABEL: func.func private @alone()
// CHECK: gpu.block_id x{{$}}
// CHECK: gpu.thread_id x upper_bound 32
func.func private @alone(%x: index, %y: index, %z: index)
    attributes {tiny.kernel, tiny.block = 32 : i64} {
  %lane = gpu.thread_id x
  "test.use"(%x, %y, %z, %lane) : (index, index, index, index) -> ()
  return
}

// -----

// expected-error @+1 {{has no 'tiny.block', the lanes of a workgroup}}
func.func private @no_block(%x: index, %y: index, %z: index) attributes {tiny.kernel} {
  return
}
