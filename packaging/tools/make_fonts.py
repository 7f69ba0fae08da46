#!/usr/bin/env python3
"""Makes resources/fonts from the upstream files: tabular figures baked into the character map, contextual
alternates (calt) and ligatures left out, own family names so that an installed Inter is never mixed in.

    python3 -m pip install fonttools
    packaging/tools/make_fonts.py INTER_FOLDER JETBRAINS_MONO_FOLDER resources/fonts
"""
import pathlib
import sys

from fontTools import subset
from fontTools.ttLib import TTFont

RANGES = [(0x20, 0x7F), (0xA0, 0x250), (0x2B0, 0x530), (0x1E00, 0x20D0), (0x2100, 0x2400), (0x2500, 0x2600),
          (0xFB01, 0xFB03), (0xFFFD, 0xFFFE)]


def bake_tabular_figures(font):
    gsub = font["GSUB"].table
    swap = {}
    for record in gsub.FeatureList.FeatureRecord:
        if record.FeatureTag != "tnum":
            continue
        for index in record.Feature.LookupListIndex:
            for table in gsub.LookupList.Lookup[index].SubTable:
                swap.update(getattr(getattr(table, "ExtSubTable", table), "mapping", {}))
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap.update({code: swap[name] for code, name in table.cmap.items() if name in swap})


def rename(font, family, style):
    names = font["name"]
    for record in list(names.names):
        text = {1: family, 2: style, 3: f"{family} {style}", 4: f"{family} {style}",
                6: f"{family.replace(' ', '')}-{style}", 16: family, 17: style}.get(record.nameID)
        if text:
            names.setName(text, record.nameID, record.platformID, record.platEncID, record.langID)
    if "CFF " in font:
        cff = font["CFF "].cff
        cff.fontNames = [f"{family.replace(' ', '')}-{style}"]
        cff[0].FamilyName, cff[0].FullName, cff[0].Weight = family, f"{family} {style}", style


def make(source, target, family, style, is_tabular):
    font = TTFont(source)
    if is_tabular:
        bake_tabular_figures(font)
    options = subset.Options()
    options.layout_features = ["kern", "mark", "mkmk", "ccmp", "locl"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14, 16, 17]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes={code for low, high in RANGES for code in range(low, high)})
    subsetter.subset(font)
    rename(font, family, style)
    font.save(target)


def main():
    inter, mono, target = map(pathlib.Path, sys.argv[1:4])
    target.mkdir(parents=True, exist_ok=True)
    for style in ("Regular", "Medium", "SemiBold"):
        make(inter / f"Inter-{style}.otf", target / f"EspalierInter-{style}.otf", "Espalier Inter", style, True)
    make(mono / "JetBrainsMono-Regular.ttf", target / "EspalierMono-Regular.ttf", "Espalier Mono", "Regular", False)


main()
