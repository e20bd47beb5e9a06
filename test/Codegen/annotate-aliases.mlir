// RUN: tiny-opt %s --tiny-codegen-annotate-aliases --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @distinct
func.func @distinct(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tiny.launch @apart(%x) {result_slots = [#tiny.slot<result[0], offset = 0, bytes = 16>]} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
// CHECK: func.func private @apart(memref<4xf32> {llvm.noalias}, memref<4xf32> {llvm.noalias}, index, index, index)
func.func private @apart(memref<4xf32>, memref<4xf32>, index, index, index) attributes {tiny.kernel}

// -----

// The second launch writes where it reads. One such launch is enough.
func.func @in_place(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tiny.launch @add(%x, %y) {result_slots = [#tiny.slot<workspace[0], offset = 0, bytes = 16>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = tiny.launch @add(%0, %y) {result_slots = [#tiny.slot<workspace[0], offset = 0, bytes = 16>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = tiny.launch @add(%1, %y) {result_slots = [#tiny.slot<result[0], offset = 0, bytes = 16>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}
// CHECK: func.func private @add(memref<4xf32>, memref<4xf32> {llvm.noalias}, memref<4xf32>, index, index, index)
func.func private @add(memref<4xf32>, memref<4xf32>, memref<4xf32>, index, index, index) attributes {tiny.kernel}

// -----

// Two inputs may share bytes: neither is written. Neighbours in the workspace share none.
func.func @read_twice(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tiny.launch @add(%x, %x) {result_slots = [#tiny.slot<workspace[0], offset = 0, bytes = 16>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = tiny.launch @add(%0, %0) {result_slots = [#tiny.slot<workspace[0], offset = 16, bytes = 16>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = tiny.launch @add(%1, %1) {result_slots = [#tiny.slot<result[0], offset = 0, bytes = 16>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}
// CHECK: func.func private @add(memref<4xf32> {llvm.noalias}, memref<4xf32> {llvm.noalias}, memref<4xf32> {llvm.noalias}, index, index, index)
func.func private @add(memref<4xf32>, memref<4xf32>, memref<4xf32>, index, index, index) attributes {tiny.kernel}

// -----

func.func @unplanned(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{buffer 1 has no slot; run tiny-schedule-plan-memory first}}
  %0 = tiny.launch @k(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func private @k(memref<4xf32>, memref<4xf32>, index, index, index) attributes {tiny.kernel}

// -----

// What is updated in place has just been read, so that it is not stored past the cache.
func.func @stream(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = tiny.launch @copy(%x) {result_slots = [#tiny.slot<workspace[0], offset = 0, bytes = 32>]} : (tensor<8xf32>) -> tensor<8xf32>
  %1 = tiny.launch @update(%0) {result_slots = [#tiny.slot<workspace[0], offset = 0, bytes = 32>]} : (tensor<8xf32>) -> tensor<8xf32>
  %2 = tiny.launch @copy(%1) {result_slots = [#tiny.slot<result[0], offset = 0, bytes = 32>]} : (tensor<8xf32>) -> tensor<8xf32>
  return %2 : tensor<8xf32>
}
// CHECK: func.func private @copy
// CHECK: vector.store {{.*}}nontemporal = true
func.func private @copy(%a: memref<8xf32>, %b: memref<8xf32>, %x: index, %y: index, %z: index) attributes {tiny.kernel} {
  %c0 = arith.constant 0 : index
  %v = vector.load %a[%c0] : memref<8xf32>, vector<8xf32>
  vector.store %v, %b[%c0] {nontemporal = true, alignment = 32 : i64} : memref<8xf32>, vector<8xf32>
  return
}
// CHECK: func.func private @update
// CHECK-NOT: nontemporal
func.func private @update(%a: memref<8xf32>, %b: memref<8xf32>, %x: index, %y: index, %z: index) attributes {tiny.kernel} {
  %c0 = arith.constant 0 : index
  %v = vector.load %a[%c0] : memref<8xf32>, vector<8xf32>
  %flat = memref.reinterpret_cast %b to offset: [0], sizes: [8], strides: [1] : memref<8xf32> to memref<8xf32>
  vector.store %v, %flat[%c0] {nontemporal = true, alignment = 32 : i64} : memref<8xf32>, vector<8xf32>
  return
}
