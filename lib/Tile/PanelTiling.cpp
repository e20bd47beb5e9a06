//===- PanelTiling.cpp - a plan as it stands in a list of tilings ---------===//
//
// Read and written; whether it fits a nest is the business of PanelPlan.
//
//===----------------------------------------------------------------------===//

#include "PanelPlan.h"

#include "Tiny/Tile/Tilings.h"

using namespace mlir;
using namespace mlir::tiny;

static constexpr StringLiteral dotName = "dot";

DictionaryAttr PanelTiling::attribute(MLIRContext *context) const {
  Builder b(context);
  SmallVector<NamedAttribute> entries = {
      b.getNamedAttr("tile", b.getDenseI64ArrayAttr(tile)),
      b.getNamedAttr("depth", b.getI64IntegerAttr(depth)),
      b.getNamedAttr("registers", b.getDenseI64ArrayAttr(registers)),
      b.getNamedAttr("lanes", b.getI64IntegerAttr(lanes)),
      b.getNamedAttr("packed", b.getDenseI64ArrayAttr(packed))};
  if (dot != 1)
    entries.push_back(b.getNamedAttr(dotName, b.getI64IntegerAttr(dot)));
  if (!grid.empty())
    entries.push_back(b.getNamedAttr(gridName, b.getDenseI64ArrayAttr(grid)));
  if (apart)
    entries.push_back(b.getNamedAttr("apart", b.getI64IntegerAttr(apart)));
  if (tiles)
    entries.push_back(b.getNamedAttr(matrixTilesAttrName, b.getUnitAttr()));
  return b.getDictionaryAttr(entries);
}

std::optional<PanelTiling> PanelTiling::get(DictionaryAttr attribute) {
  auto number = [&](StringRef name) {
    auto value = attribute.getAs<IntegerAttr>(name);
    return value && value.getType().isInteger(64) ? value.getInt() : 0;
  };
  auto pair = [&](StringRef name) -> std::array<int64_t, 2> {
    auto value = attribute.getAs<DenseI64ArrayAttr>(name);
    if (!value || value.size() != 2)
      return {-1, -1};
    return {value[0], value[1]};
  };
  PanelTiling tiling{pair("tile"),
                     number("depth"),
                     pair("registers"),
                     number("lanes"),
                     pair("packed"),
                     {},
                     attribute.contains(dotName) ? number(dotName) : 1,
                     number("apart"),
                     attribute.contains(matrixTilesAttrName)};
  if (auto grid = attribute.getAs<DenseI64ArrayAttr>(gridName))
    tiling.grid = llvm::to_vector(grid.asArrayRef());
  auto [rowTile, columnTile] = tiling.tile;
  auto [rows, vectors] = tiling.registers;
  unsigned numEntries =
      5 + !tiling.grid.empty() + attribute.contains(dotName) + (tiling.apart != 0) + tiling.tiles;
  if (attribute.size() != numEntries || tiling.apart < 0 || tiling.depth < 1 || rows < 1 ||
      vectors < 1 || tiling.lanes < 2 || rowTile < 1 || columnTile < 1 || rowTile % rows != 0 ||
      columnTile % (vectors * tiling.lanes) != 0 || tiling.packed[0] < 0 || tiling.packed[1] < 0 ||
      tiling.dot < 1 || (tiling.tiles && !attribute.getAs<UnitAttr>(matrixTilesAttrName)))
    return std::nullopt;
  return tiling;
}
