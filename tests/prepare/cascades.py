"""A cascade of one stage: a window whose middle ninth is brighter than the eight around it."""

from __future__ import annotations

from pathlib import Path

# An LBP code has a bit for each of the eight cells that is at least as bright as the middle one;
# the first number of `internalNodes` after the feature says that code 0 takes the first leaf.
CASCADE = """<?xml version="1.0"?>
<opencv_storage>
<cascade type_id="opencv-cascade-classifier">
  <stageType>BOOST</stageType>
  <featureType>LBP</featureType>
  <height>24</height>
  <width>24</width>
  <stageParams><maxWeakCount>1</maxWeakCount></stageParams>
  <featureParams><maxCatCount>256</maxCatCount></featureParams>
  <stageNum>1</stageNum>
  <stages><_>
    <maxWeakCount>1</maxWeakCount>
    <stageThreshold>0.</stageThreshold>
    <weakClassifiers><_>
      <internalNodes>0 -1 0 1 0 0 0 0 0 0 0</internalNodes>
      <leafValues>1. -1.</leafValues>
    </_></weakClassifiers>
  </_></stages>
  <features><_><rect>0 0 8 8</rect></_></features>
</cascade>
</opencv_storage>
"""


def write_cascade(path: Path) -> Path:
    path.write_text(CASCADE, "utf-8")
    return path
