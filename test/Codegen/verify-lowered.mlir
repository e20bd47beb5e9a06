// RUN: tiny-opt %s --tiny-codegen-verify-lowered --split-input-file --verify-diagnostics

module @part_0 {
  llvm.func @k(%buffers: !llvm.ptr, %x: i32, %y: i32, %z: i32) {
    llvm.return
  }
  llvm.func internal @k_body(%a: !llvm.ptr) {
    llvm.return
  }
  llvm.func @sin(f64) -> f64
}

// -----

// expected-error @+1 {{is visible, but has the type '!llvm.func<void (ptr)>'}}
llvm.func @k(%a: !llvm.ptr) {
  llvm.return
}

// -----

llvm.func internal @k() {
  // expected-error @+1 {{is left after lowering to the llvm dialect}}
  %0 = arith.constant 1 : i32
  llvm.return
}
