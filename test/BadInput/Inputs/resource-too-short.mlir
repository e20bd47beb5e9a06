// error: 8 bytes
// tools: tiny-run
// args: --target reference
func.func @main() -> tensor<4xf32> {
  %0 = tiny.constant dense_resource<w> : tensor<4xf32>
  return %0 : tensor<4xf32>
}
{-#
  dialect_resources: {
    builtin: {
      w: "0x040000000000803F0000803F"
    }
  }
#-}
