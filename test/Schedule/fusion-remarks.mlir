// Why a value is a buffer between two kernels.
//
// RUN: tiny-opt %s --tiny-schedule-form-kernels --split-input-file --remark-policy=all --remarks-filter=tiny-schedule -o /dev/null 2>&1 | FileCheck %s

// CHECK: remark: [Missed] Fusion | Category:tiny-schedule{{.*}}this value is a buffer between two kernels: its user does not read it in whole loops
func.func @main(%x: tensor<34xf32>) -> tensor<32xf32> {
  %l = tiny.log2 %x : tensor<34xf32>
  %e = tiny.sqrt %l : tensor<34xf32>
  %r1 = tiny.reshape %e : tensor<34xf32> to tensor<1x34xf32>
  %r2 = tiny.expand %r1 : tensor<1x34xf32> to tensor<4x34xf32>
  %r3 = tiny.reshape %r2 : tensor<4x34xf32> to tensor<136xf32>
  %r4 = tiny.shrink %r3 offsets [0] sizes [105] : tensor<136xf32> -> tensor<105xf32>
  %r5 = tiny.reshape %r4 : tensor<105xf32> to tensor<3x35xf32>
  %r6 = tiny.shrink %r5 offsets [0, 0] sizes [3, 32] : tensor<3x35xf32> -> tensor<3x32xf32>
  %s = tiny.reduce add %r6 dims [0] : tensor<3x32xf32> -> tensor<32xf32>
  return %s : tensor<32xf32>
}

// -----

// CHECK: remark: [Missed] Fusion | Category:tiny-schedule{{.*}}it would take longer: {{[0-9]+}} ns together, where 1 points of the shared loops can run in parallel, {{[0-9]+}} ns apart
func.func @main(%x: tensor<4096x64xf32>, %w: tensor<4096x512xf32>) -> tensor<512xf32> {
  %l = tiny.reduce add %x dims [1] : tensor<4096x64xf32> -> tensor<4096xf32>
  %l1 = tiny.reshape %l : tensor<4096xf32> to tensor<4096x1xf32>
  %l2 = tiny.expand %l1 : tensor<4096x1xf32> to tensor<4096x512xf32>
  %m = tiny.mul %l2, %w : tensor<4096x512xf32>
  %s = tiny.reduce add %m dims [0] : tensor<4096x512xf32> -> tensor<512xf32>
  return %s : tensor<512xf32>
}

// -----

// CHECK: remark: [Missed] Update | Category:tiny-schedule{{.*}}cannot be updated in place: the caller keeps this argument: mark it as tiny.donated
func.func @main(%old: tensor<5xf32>, %new: tensor<f32>, %at: tensor<i32>) -> tensor<5xf32> {
  %i = tiny.iota dim 0 : tensor<5xi32>
  %a0 = tiny.reshape %at : tensor<i32> to tensor<1xi32>
  %a1 = tiny.expand %a0 : tensor<1xi32> to tensor<5xi32>
  %c = tiny.cmp eq %i, %a1 : tensor<5xi32>
  %n0 = tiny.reshape %new : tensor<f32> to tensor<1xf32>
  %n1 = tiny.expand %n0 : tensor<1xf32> to tensor<5xf32>
  %r = tiny.where %c, %n1, %old : tensor<5xf32>
  return %r : tensor<5xf32>
}

// -----

// CHECK: remark: [Missed] Update | Category:tiny-schedule{{.*}}cannot be updated in place: it is needed later
func.func @main(%old: tensor<5xf32> {tiny.donated}, %new: tensor<f32>, %at: tensor<i32>) -> (tensor<5xf32>, tensor<f32>) {
  %i = tiny.iota dim 0 : tensor<5xi32>
  %a0 = tiny.reshape %at : tensor<i32> to tensor<1xi32>
  %a1 = tiny.expand %a0 : tensor<1xi32> to tensor<5xi32>
  %c = tiny.cmp eq %i, %a1 : tensor<5xi32>
  %n0 = tiny.reshape %new : tensor<f32> to tensor<1xf32>
  %n1 = tiny.expand %n0 : tensor<1xf32> to tensor<5xf32>
  %r = tiny.where %c, %n1, %old : tensor<5xf32>
  %s = tiny.mul %r, %old : tensor<5xf32>
  %t = tiny.reduce add %s dims [0] : tensor<5xf32> -> tensor<f32>
  return %r, %t : tensor<5xf32>, tensor<f32>
}
