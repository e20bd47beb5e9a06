// RUN: tiny-opt %s --tiny-codegen-verify-lowered=gpu --split-input-file --verify-diagnostics

module @part_0 {
  llvm.func protected @k(%a: !llvm.ptr<1>) attributes {rocdl.kernel} {
    %0 = rocdl.workitem.id.x : i32
    llvm.return
  }
}

// -----

// expected-error @+1 {{is no kernel of global buffers, but has the type '!llvm.func<void (i32)>'}}
llvm.func @k(%a: i32) attributes {rocdl.kernel} {
  llvm.return
}

// -----

// expected-error @+1 {{is called, and kernels of a GPU call nothing; an expansion is missing in Codegen}}
llvm.func @__ocml_sin_f64(f64) -> f64

// -----

llvm.func @k() attributes {rocdl.kernel} {
  // expected-error @+1 {{is left after lowering to the llvm dialect}}
  %0 = arith.constant 1 : i32
  llvm.return
}
