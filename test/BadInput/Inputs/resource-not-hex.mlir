// error: expected hex string blob
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
{-#
  dialect_resources: {
    builtin: {
      w: "zebra"
    }
  }
#-}
