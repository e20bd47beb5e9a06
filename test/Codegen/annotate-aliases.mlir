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
