// RUN: tiny-opt %s --tiny-schedule-form-kernels --tiny-schedule-plan-memory --tiny-schedule-verify | FileCheck %s

// Two buffers of 400 bytes are alive one after the other and the third with the second; the last
// value is the result. The arena is two times 400, each rounded up to a multiple of 64.
// CHECK-LABEL: func.func @main
// CHECK-SAME:    tiny.constants_bytes = 64 : i64, tiny.workspace_bytes = 896 : i64
// CHECK:         tiny.constant {slot = #tiny.slot<constants[0], offset = 0, bytes = 40>}
// CHECK:         tiny.launch @add_exp2{{.*}}(%arg0, %{{.*}}) {result_slots = [#tiny.slot<workspace[0], offset = 0, bytes = 400>]}
// CHECK:         tiny.launch @sin{{.*}} {result_slots = [#tiny.slot<workspace[0], offset = 448, bytes = 400>]}
// CHECK:         tiny.launch @sqrt{{.*}} {result_slots = [#tiny.slot<workspace[0], offset = 0, bytes = 400>]}
// CHECK:         tiny.launch @copy{{.*}} {result_slots = [#tiny.slot<result[0], offset = 0, bytes = 408>]}
func.func @main(%x: tensor<100xf32>) -> tensor<102xf32> {
  %c = tiny.constant dense<[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]> : tensor<10xi32>
  %n = tiny.cast %c : tensor<10xi32> to tensor<10xf32>
  %n1 = tiny.reshape %n : tensor<10xf32> to tensor<1x10xf32>
  %n2 = tiny.expand %n1 : tensor<1x10xf32> to tensor<10x10xf32>
  %n3 = tiny.reshape %n2 : tensor<10x10xf32> to tensor<100xf32>
  %0 = tiny.add %x, %n3 : tensor<100xf32>
  %1 = tiny.exp2 %0 : tensor<100xf32>
  %p1 = tiny.pad %1 low [1] high [1] value 0.0 : f32 : tensor<100xf32> -> tensor<102xf32>
  %s1 = tiny.shrink %p1 offsets [0] sizes [100] : tensor<102xf32> -> tensor<100xf32>
  %2 = tiny.sin %s1 : tensor<100xf32>
  %p2 = tiny.pad %2 low [1] high [1] value 0.0 : f32 : tensor<100xf32> -> tensor<102xf32>
  %s2 = tiny.shrink %p2 offsets [0] sizes [100] : tensor<102xf32> -> tensor<100xf32>
  %3 = tiny.sqrt %s2 : tensor<100xf32>
  %p3 = tiny.pad %3 low [1] high [1] value 0.0 : f32 : tensor<100xf32> -> tensor<102xf32>
  return %p3 : tensor<102xf32>
}
