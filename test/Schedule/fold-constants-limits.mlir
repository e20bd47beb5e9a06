// What exceeds a limit stays in the program, with all that follows from it, and a remark says so,
// once. What it reads is a constant.
// RUN: tiny-opt %s --pass-pipeline='builtin.module(tiny-schedule-fold-constants{limit=40})' \
// RUN:   --remark-format=emitRemark --remarks-filter-missed=tiny-schedule 2> %t.limit | FileCheck %s
// RUN: FileCheck %s --check-prefix=LIMIT --input-file=%t.limit
// RUN: tiny-opt %s --pass-pipeline='builtin.module(tiny-schedule-fold-constants{work=10})' \
// RUN:   --remark-format=emitRemark --remarks-filter-missed=tiny-schedule 2> %t.work | FileCheck %s
// RUN: FileCheck %s --check-prefix=WORK --input-file=%t.work
// RUN: tiny-opt %s --tiny-schedule-fold-constants \
// RUN:   --remark-format=emitRemark --remarks-filter-missed=tiny-schedule 2>&1 \
// RUN:   | FileCheck %s --check-prefix=ALL

// LIMIT: fold-constants-limits.mlir:[[#@LINE+30]]:{{.*}} remark: [Missed] FoldConstants
// LIMIT-SAME: tiny.div depends on constants only but is computed in every run: it takes 32 bytes and 8 elements to compute, and 8 and
// LIMIT-SAME: raise the pass option 'limit'
// LIMIT-NOT: remark:

// WORK: remark: [Missed] FoldConstants
// WORK-SAME: tiny.div depends on constants only but is computed in every run: it takes 32 bytes and 8 elements to compute, and
// WORK-SAME: and 2 are left
// WORK-SAME: raise the pass option 'work'
// WORK-NOT: remark:

// CHECK-LABEL: func.func @main
// CHECK: %[[SUM:.*]] = tiny.constant dense<[9.000000e+00, {{.*}}]> : tensor<8xf32>
// CHECK: tiny.reshape %[[SUM]]
// CHECK: %[[QUOTIENT:.*]] = tiny.div %{{.*}}, %{{.*}} : tensor<8xf32>
// CHECK: tiny.sqrt %[[QUOTIENT]]

// ALL-NOT: remark:
// ALL-LABEL: func.func @main
// ALL-NEXT: tiny.constant
// ALL-NEXT: tiny.reshape
// ALL-NEXT: tiny.constant
// ALL-NEXT: return

func.func @main() -> (tensor<8xf32>, tensor<2x4xf32>) {
  %a = tiny.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]> : tensor<8xf32>
  %b = tiny.constant dense<[8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 2.0]> : tensor<8xf32>
  %0 = tiny.add %a, %b : tensor<8xf32>
  %1 = tiny.reshape %0 : tensor<8xf32> to tensor<2x4xf32>
  %2 = tiny.reshape %1 : tensor<2x4xf32> to tensor<8xf32>
  %3 = tiny.div %a, %2 : tensor<8xf32>
  %4 = tiny.sqrt %3 : tensor<8xf32>
  return %4, %1 : tensor<8xf32>, tensor<2x4xf32>
}
